package manifest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
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
	text := string(content)
	back, err := manifest.Open(&text, hash)
	require.NoError(t, err)
	again, _, err := back.Encode()
	require.NoError(t, err)
	require.Equal(t, string(content), string(again))
	found, ok := back.Find("balanced")
	require.True(t, ok)
	require.False(t, found.Ended.Repeatable())
	require.NotEmpty(t, m.Build.String())
}

// refused checks the key and the code of a refusal.
func refused(t *testing.T, code fault.Code, key string, err error) {
	t.Helper()
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Equal(t, code, f.Code)
	require.Equal(t, key, f.Key)
}

func TestOpenRefusesWhatIsNotSealed(t *testing.T) {
	t.Parallel()
	content, hash, err := manifest.Manifest{Schema: manifest.Schema, Seed: 7}.Encode()
	require.NoError(t, err)
	text, other := string(content), strings.Replace(string(content), `"seed":7`, `"seed":8`, 1)
	_, err = manifest.Open(&text, nil)
	refused(t, fault.NotFound, manifest.KeyNone, err)
	_, err = manifest.Open(nil, hash)
	refused(t, fault.NotFound, manifest.KeyNone, err)
	_, err = manifest.Open(&other, hash)
	refused(t, fault.Conflict, manifest.KeyChanged, err)
}

func TestOnlyTheInputAndOutputsOfTheRunHold(t *testing.T) {
	t.Parallel()
	digest, err := manifest.Digest([]byte(`{"days":30}`))
	require.NoError(t, err)
	outcome, err := manifest.Outcome([]byte(`{"plan":[1],"certificate":{"seconds":1,"bound":3}}`))
	require.NoError(t, err)
	m := manifest.Manifest{Input: manifest.Hex(digest), Presets: []manifest.Preset{{Preset: "cheapest", Output: manifest.Hex(manifest.Sum(outcome))}}}
	require.NoError(t, m.HoldsInput([]byte(`{ "days": 3e1 }`)))
	refused(t, fault.Conflict, manifest.KeyInputChanged, m.HoldsInput([]byte(`{"days":31}`)))
	require.NoError(t, m.HoldsOutput("cheapest", []byte(`{"plan":[1],"certificate":{"seconds":9,"bound":3}}`)), "the clock does not count")
	refused(t, fault.Conflict, manifest.KeyOutputChanged, m.HoldsOutput("cheapest", []byte(`{"plan":[1],"certificate":{"seconds":1,"bound":4}}`)))
	refused(t, fault.Conflict, manifest.KeyOutputChanged, m.HoldsOutput("balanced", []byte(`{"plan":[1],"certificate":{"seconds":1,"bound":3}}`)))
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
