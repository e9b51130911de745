package piwebapi

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector/piwebapi/piwebapitest"
	"github.com/optria-iq/optria/internal/fault"
)

// walk browses the whole tree and returns its leaves with the longest folder.
func walk(t *testing.T, c *Connector) (leaves map[string]string, longest int) {
	t.Helper()
	leaves = map[string]string{}
	open := []string{""}
	for len(open) > 0 {
		nodes, err := c.Browse(t.Context(), open[0])
		require.NoError(t, err)
		longest = max(longest, len(nodes))
		open = open[1:]
		for _, node := range nodes {
			if !node.Leaf {
				open = append(open, node.Address)
				continue
			}
			_, twice := leaves[node.Address]
			require.False(t, twice, "%s listed twice", node.Name)
			leaves[node.Address] = node.Name
		}
	}
	return leaves, longest
}

func named(names ...string) *piwebapitest.Server {
	points := make([]*piwebapitest.Point, len(names))
	for i, name := range names {
		points[i] = &piwebapitest.Point{Name: name, Type: piwebapitest.Float32}
	}
	return piwebapitest.New(points...)
}

func TestLongListsAreFoldersAndNoPointIsMissing(t *testing.T) {
	t.Parallel()
	lists := map[string][]string{"one too many": nil, "separators": nil, "no separators": nil, "one name begins the others": {"UNIT"}, "mixed": nil, "letters beyond ASCII": nil}
	for i := range 1001 {
		lists["one too many"] = append(lists["one too many"], fmt.Sprintf("T%04d", i))
	}
	for i := range 1400 {
		lists["separators"] = append(lists["separators"], fmt.Sprintf("%c-%02d.Sig%d", 'A'+i%3, i/100, i%100))
		lists["no separators"] = append(lists["no separators"], fmt.Sprintf("tag%c%c%d", 'a'+i%26, 'A'+i%7, i))
		lists["one name begins the others"] = append(lists["one name begins the others"], fmt.Sprintf("UNIT%d", i))
		lists["mixed"] = append(lists["mixed"], strings.Replace(fmt.Sprintf("P-%d.X%d", i/9, i%9), ".", []string{".", "_", ""}[i%3], 1))
		lists["letters beyond ASCII"] = append(lists["letters beyond ASCII"], fmt.Sprintf("مضخة-%d.اهتزاز", i))
	}
	for name, tags := range lists {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaves, longest := walk(t, connect(t, named(tags...).Start(t)))
			var got []string
			for _, leaf := range leaves {
				got = append(got, leaf)
			}
			slices.Sort(got)
			slices.Sort(tags)
			require.Equal(t, tags, got)
			require.LessOrEqual(t, longest, listed)
		})
	}
}

func TestUnknownFolders(t *testing.T) {
	t.Parallel()
	c := connect(t, named("A").Start(t))
	for _, address := range []string{"no/such/node", "server:", "server:F1DSAAAA", "server:../../system", "server:F1DSAAAA/x*", `\\PISRV01\A`, strings.Repeat("x", 5000)} {
		_, err := c.Browse(t.Context(), address)
		require.Equal(t, fault.NotFound, fault.CodeOf(err), address)
	}
}

func TestGroupsAreDisjointAndCoverEveryName(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{"A.1", "A.2", "B.1"}, {"AB", "ABC", "ABD"}, {"p-1.x", "P-1.y", "P-2.x"}, {"ÄB", "äC", "Ö"}, {"X", "x1"}} {
		groups, lone := group(names)
		for _, name := range names {
			in := 0
			for _, g := range groups {
				if strings.HasPrefix(strings.ToUpper(name), strings.ToUpper(g.prefix)) {
					in++
				}
			}
			if name == lone {
				in++
			}
			require.Equal(t, 1, in, "%s in %v %s", name, groups, lone)
		}
	}
}
