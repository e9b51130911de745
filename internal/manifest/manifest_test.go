package manifest_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/manifest"
)

func TestCanonicalDoesNotDependOnWriting(t *testing.T) {
	t.Parallel()
	a, err := manifest.Canonical([]byte(`{"b": [1.50, -0.0, 1e3], "a": "x<y"}`))
	require.NoError(t, err)
	b, err := manifest.Canonical([]byte("{\"a\":\"x\\u003cy\",\n\"b\":[1.5,0,1000]}"))
	require.NoError(t, err)
	require.Equal(t, string(a), string(b))
	require.Equal(t, `{"a":"x\u003cy","b":[1.5,0,1000]}`, string(a))
	_, err = manifest.Canonical([]byte(`{"a":`))
	require.Error(t, err)
}

// TestOutcomeLeavesOutTheClockOnly: two outputs that differ in time, threads
// and a failure's text hash alike; any other difference shows.
func TestOutcomeLeavesOutTheClockOnly(t *testing.T) {
	t.Parallel()
	hash := func(output string) string {
		content, err := manifest.Outcome([]byte(output))
		require.NoError(t, err)
		return manifest.Hex(manifest.Sum(content))
	}
	base := hash(`{"certificate":{"seconds":1.5,"bound":3,"solver":{"name":"a","options":{"time_limit":"1s","threads":"1","work":"1s"}}},"plan":[1]}`)
	require.Equal(t, base, hash(`{"plan":[1],"certificate":{"seconds":9,"bound":3,"solver":{"name":"a","options":{"time_limit":"8s","threads":"2","work":"1s","exact_error":"x"}}}}`))
	for _, other := range []string{
		`{"certificate":{"seconds":1.5,"bound":3,"solver":{"name":"a","options":{"work":"1s"}}},"plan":[2]}`,
		`{"certificate":{"seconds":1.5,"bound":4,"solver":{"name":"a","options":{"work":"1s"}}},"plan":[1]}`,
		`{"certificate":{"seconds":1.5,"bound":3,"solver":{"name":"a","options":{"work":"2s"}}},"plan":[1]}`,
	} {
		require.NotEqual(t, base, hash(other))
	}
}

func TestManifestReadsBackAndItsHashIsOfItsBytes(t *testing.T) {
	t.Parallel()
	m := manifest.Manifest{Schema: manifest.Schema, RunID: "r", Objective: json.RawMessage(`{"presets": ["balanced"]}`), Solver: json.RawMessage(`{}`),
		Presets: []manifest.Preset{{Preset: "balanced", Output: "00", Ended: manifest.EndedStopped}}, Build: manifest.ThisBuild()}
	content, hash, err := m.Encode()
	require.NoError(t, err)
	require.Equal(t, manifest.Sum(content), hash)
	back, err := manifest.Decode(content)
	require.NoError(t, err)
	again, _, err := back.Encode()
	require.NoError(t, err)
	require.Equal(t, string(content), string(again))
	found, ok := back.Find("balanced")
	require.True(t, ok)
	require.False(t, found.Ended.Repeatable())
	require.NotEmpty(t, m.Build.String())
}

func TestDiffNamesMembersByIdentity(t *testing.T) {
	t.Parallel()
	was := `{"days":30,"actions":[{"id":"a","cost":1},{"id":"b","cost":2},{"id":"d","windows":[1,2]}]}`
	is := `{"days":30,"actions":[{"id":"c","cost":5},{"id":"d","windows":[1,3]},{"id":"a","cost":1.5}]}`
	changes, count, err := manifest.Diff([]byte(was), []byte(is), 10)
	require.NoError(t, err)
	require.Equal(t, 4, count)
	require.Equal(t, []manifest.Change{
		{Path: []string{"actions", "a", "cost"}, Was: json.RawMessage("1"), Is: json.RawMessage("1.5")},
		{Path: []string{"actions", "b"}, Was: json.RawMessage(`{"cost":2,"id":"b"}`)},
		{Path: []string{"actions", "c"}, Is: json.RawMessage(`{"cost":5,"id":"c"}`)},
		{Path: []string{"actions", "d", "windows"}, Was: json.RawMessage("[1,2]"), Is: json.RawMessage("[1,3]")},
	}, changes)
	changes, count, err = manifest.Diff([]byte(was), []byte(is), 2)
	require.NoError(t, err)
	require.Len(t, changes, 2)
	require.Equal(t, 4, count)
	changes, count, err = manifest.Diff([]byte(was), []byte(was), 2)
	require.NoError(t, err)
	require.Empty(t, changes)
	require.Zero(t, count)
}
