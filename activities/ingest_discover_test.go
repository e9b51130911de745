package activities

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
)

func (l *productionLine) nodes() []db.IntegrationNode {
	return rowsAs[db.IntegrationNode](l, `SELECT * FROM core.integration_nodes WHERE tenant_id = $1 ORDER BY path, address`)
}

func TestDiscoveryListsTheTreeOfASource(t *testing.T) {
	l := newLine(t, scriptedKind)
	low, high := 0.0, 12.5
	l.source.tree = map[string][]connector.Node{
		"":     {{Address: "area", Name: "Area ١"}, {Address: "root", Name: "again"}},
		"area": {{Address: "root", Name: "Root"}, {Address: "t1", Name: "Pressure", Leaf: true, Unit: "bar", DataType: "Double", Low: &low, High: &high}},
		"root": {{Address: "area", Name: "a cycle"}, {Address: "t2", Name: "folder"}, {Address: "t2", Name: "", Leaf: true}, {Address: "", Name: "nameless"},
			{Address: strings.Repeat("x", 500), Leaf: true}, {Address: "t3", Name: "broken \xff text\x00", Leaf: true}},
		"t2": {{Address: "t4", Name: "inner", Leaf: true}},
	}
	var found DiscoverResult
	l.do(&found, l.ingest.DiscoverTags)
	require.Equal(t, DiscoverResult{Nodes: 6, Leaves: 4, Complete: true}, found)
	nodes := l.nodes()
	paths := map[string]string{}
	for _, n := range nodes {
		paths[n.Address] = n.Path
		require.Nil(t, n.GoneAt)
	}
	require.Equal(t, map[string]string{"area": "Area ١", "t1": "Area ١/Pressure", "root": "again", "t2": "again/t2", "t4": "again/folder/inner", "t3": "again/broken � text"}, paths)
	pressure := nodes[1]
	require.Equal(t, []any{"area", "bar", "Double", &low, &high, true, "area ١/pressure t1"},
		[]any{pressure.Parent, pressure.Unit, pressure.DataType, pressure.Low, pressure.High, pressure.Leaf, pressure.SearchText})
	require.NotNil(t, l.integration().DiscoveredAt)

	l.source.tree["root"] = nil
	l.do(&found, l.ingest.DiscoverTags)
	require.Equal(t, DiscoverResult{Nodes: 3, Leaves: 1, Gone: 3, Complete: true}, found)
	require.Equal(t, 3, l.number(`SELECT count(*) FROM core.integration_nodes WHERE tenant_id = $1 AND gone_at IS NOT NULL`))
}

func TestDiscoveryThatFailsKeepsWhatIsKnown(t *testing.T) {
	l := newLine(t, scriptedKind)
	l.source.tree = map[string][]connector.Node{"": {{Address: "closed", Name: "closed"}, {Address: "open", Name: "open"}}, "open": {{Address: "t1", Name: "t1", Leaf: true}}}
	var found DiscoverResult
	l.do(&found, l.ingest.DiscoverTags)
	require.Equal(t, DiscoverResult{Nodes: 3, Leaves: 1}, found, "a folder that cannot be listed does not hide the others")
	i := l.integration()
	require.Nil(t, i.DiscoveredAt)
	require.NotNil(t, i.DiscoveryTriedAt)
	require.Equal(t, connector.KeyUnknownNode, i.DiscoveryError)
	l.source.tree = nil
	l.do(&found, l.ingest.DiscoverTags)
	require.Equal(t, DiscoverResult{}, found)
	require.Zero(t, l.number(`SELECT count(*) FROM core.integration_nodes WHERE tenant_id = $1 AND gone_at IS NOT NULL`), "an incomplete listing proves nothing gone")
}

func TestDiscoveryOfAnEndlessTreeEnds(t *testing.T) {
	l := newLine(t, scriptedKind)
	l.source.tree = map[string][]connector.Node{}
	parent := ""
	for depth := range 50 {
		l.source.tree[parent] = []connector.Node{{Address: fmt.Sprintf("%d", depth), Name: "deeper"}}
		parent = fmt.Sprintf("%d", depth)
	}
	var found DiscoverResult
	l.do(&found, l.ingest.DiscoverTags)
	require.Equal(t, DiscoverResult{Nodes: depthAtMost, Complete: true}, found)
	wide := make([]connector.Node, nodesAtMost+1)
	for n := range wide {
		wide[n] = connector.Node{Address: fmt.Sprintf("wide-%d", n), Leaf: true}
	}
	l.source.tree = map[string][]connector.Node{"": wide}
	l.do(&found, l.ingest.DiscoverTags)
	require.Equal(t, DiscoverResult{Nodes: nodesAtMost, Leaves: nodesAtMost}, found)
	require.Equal(t, KeyTreeTooLarge, l.integration().DiscoveryError)
}

// pollingKind is a scripted source that is polled and keeps no archive of tag-2.
const pollingKind = "scripted_polling"

func init() {
	connector.Register(connector.Spec{Kind: pollingKind, Fields: []connector.Field{{Key: "source", Type: connector.Text}}},
		func(c connector.Config, _ connector.Secrets, _ *net.Dialer) (connector.Connector, error) {
			s, _ := sources.Load(c["source"])
			return &polling{archivist{door{source: s.(*source)}}}, nil
		})
}

// polling is a source that answers when it is asked.
type polling struct{ archive archivist }

func (*polling) Kind() string { return pollingKind }
func (*polling) Close() error { return nil }

func (p *polling) Poll(ctx context.Context, r connector.PollRequest) (connector.Batch, error) {
	batch, err := p.archive.Backfill(ctx, r)
	batch.Notices = []connector.Notice{{Time: r.Until, Key: connector.NoticeNoHistory, Tags: []string{"tag-2"}}}
	return batch, err
}

func TestPollShowsTheGapThatASourceCannotFill(t *testing.T) {
	l := newLine(t, pollingKind)
	l.source.measure(20, l.tags...)
	l.source.pageSize = 1000
	l.exec(`UPDATE core.integrations SET watermark = now() - interval '3 hours' WHERE tenant_id = $1`)
	var result PollResult
	for range 2 { // the second window is short: nothing is lost in it
		l.do(&result, l.ingest.PollIntegration)
	}
	gaps := l.gaps()
	require.Len(t, gaps, 1)
	require.Equal(t, fillImpossible, gaps[0].State)
	require.Equal(t, []string{"tag-2"}, gaps[0].Tags)
	requireSame(t, l.source.held(), l.stored())
	require.Len(t, l.syncs(), 2)
	require.Contains(t, string(l.syncs()[0].Notices), connector.NoticeNoHistory)
}

func TestPollTakesTurnsAndLeavesAFailingSourceAlone(t *testing.T) {
	l := newLine(t, pollingKind)
	l.exec(`UPDATE core.integrations SET watermark = now() - interval '3 hours' WHERE tenant_id = $1`)
	l.source.measure(60, l.tags...)
	l.ingest.pace.turn = 0
	var result PollResult
	l.do(&result, l.ingest.PollIntegration)
	require.True(t, result.More, "others have their turn")
	l.ingest.pace.turn = time.Minute
	l.do(&result, l.ingest.PollIntegration)
	require.False(t, result.More)
	requireSame(t, l.source.held(), l.stored())

	failure := PollFailure{IntegrationRef: l.ref, StartedAt: time.Now(), Cause: DetailOf(applicationError(t.Context(), connector.Unreachable(errors.New("gone"))))}
	for range failuresAllowed {
		require.NoError(t, l.ingest.RecordPollFailure(t.Context(), failure))
	}
	require.Equal(t, circuitOpen, l.integration().Circuit)
	l.source.fault = errors.New("must not be asked")
	l.do(&result, l.ingest.PollIntegration)
	require.Equal(t, PollResult{Status: SyncOK}, result)
	l.source.fault = nil
	l.retryNow()
	l.do(&result, l.ingest.PollIntegration)
	i := l.integration()
	require.Equal(t, []any{circuitClosed, int32(0), ""}, []any{i.Circuit, i.Failures, i.LastError})
}
