package piwebapi

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
)

// FuzzTimedValues reads answers to a recorded call. Whatever comes, a page is
// either refused or gives readings of its window, each instant once, in order,
// and a number that is not one only where the quality is bad.
func FuzzTimedValues(f *testing.F) {
	for _, seed := range []string{
		`{"Items":[{"Timestamp":"2026-11-22T15:42:09.0928009Z","Value":4.10511,"Good":true}]}`,
		`{"Items":[{"Timestamp":"2026-11-22T15:42:09Z","Value":{"Name":"Bad Input","Value":255,"IsSystem":true},"Good":false}]}`,
		`{"Items":[{"Timestamp":"2026-11-22T15:42:09Z","Value":{"Name":"Running","Value":2,"IsSystem":false},"Good":true}]}`,
		`{"Items":[{"Timestamp":"2026-11-22T15:42:09.0000001Z","Value":"NaN","Good":true},{"Timestamp":"2026-11-22T15:42:09.0000002Z","Value":1e999,"Good":true,"Questionable":true}]}`,
		`{"Items":[{"Timestamp":"0001-01-01T00:00:00Z","Value":[1,2],"Good":true,"Errors":[{"FieldName":"Value"}]},{"Timestamp":"9999-12-31T23:59:59.9999999Z","Value":null}]}`,
		`{"Items":[{"Timestamp":"2026-11-22T15:42:09+03:00","Value":{"Value":{}},"Good":true}],"WebException":{"StatusCode":404,"Errors":["x"]}}`,
		`{"Items":null}`, `[]`, `{"Items":[{"Timestamp":"","Value":true}]}`,
	} {
		f.Add([]byte(seed), int64(0), uint8(3))
	}
	f.Fuzz(func(t *testing.T, raw []byte, since int64, count uint8) {
		var page timedValues
		if json.Unmarshal(raw, &page) != nil {
			return
		}
		from := time.UnixMicro(since % (1 << 52)).UTC()
		until := from.Add(400 * 24 * time.Hour)
		s := series{tag: "T", covered: from}
		if s.append(page.Items, until, int(count)+1) != nil {
			return
		}
		last := from
		for _, r := range s.readings {
			require.True(t, r.Time.After(last) && !r.Time.After(until))
			require.Equal(t, time.UTC, r.Time.Location())
			require.False(t, math.IsInf(r.Value, 0))
			require.True(t, !math.IsNaN(r.Value) || r.Quality == asset.Bad)
			last = r.Time
		}
		require.False(t, s.covered.Before(last))
	})
}

// FuzzTags checks that whatever is accepted as a tag cannot change the path or
// the host of a call.
func FuzzTags(f *testing.F) {
	for _, seed := range []string{`\\SRV\TAG`, "F1DPabc", "I1DPa70Wf0zBA06CLkV9ovNQgQCAAAAA", "P1DPU1JWXFRBRw", "../../system", "F1DP/../x", "F1DP?x=1", "", "I1DP\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		if !wellFormed(tag) || isPath(tag) {
			return
		}
		require.Regexp(t, `^[A-Za-z0-9_-]+$`, tag)
		require.LessOrEqual(t, len(tag), longestAddress)
	})
}

// FuzzGroup divides lists of names: every name is in exactly one folder or
// stands alone, and folders are longer than what their names share.
func FuzzGroup(f *testing.F) {
	f.Add("A.1\x00A.2\x00B.1")
	f.Add("P-1.x\x00p-1.y\x00P-12")
	f.Add("AB\x00ABC\x00ABD")
	f.Add("ǅ\x00ß\x00ss")
	f.Fuzz(func(t *testing.T, list string) {
		var names []string
		seen := map[string]bool{}
		for _, name := range strings.Split(list, "\x00") {
			if key := string(foldName(name)); !seen[key] && name != "" {
				seen[key] = true
				names = append(names, name)
			}
		}
		if len(names) < 2 {
			return
		}
		groups, lone := group(names)
		total := 0
		for _, g := range groups {
			total += g.count
			require.Greater(t, len([]rune(g.prefix)), commonRunes(names))
		}
		if lone != "" {
			total++
		}
		require.Equal(t, len(names), total)
	})
}
