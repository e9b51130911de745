package cli_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCNAIMRatesOneAndMany(t *testing.T) {
	t.Parallel()
	const one = `{"type":"132kV Transformer (GM)","year_of_manufacture":1980,"age":43}`
	code, out, errs := run(one, "cnaim", "-i", "-", "-years", "2")
	require.Zero(t, code, errs)
	var got struct {
		Health float64
		PoF    float64
		Future []struct{ Years, Health float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.InDelta(t, 3.931585, got.Health, 1e-6)
	require.InDelta(t, 0.012446, got.PoF, 1e-6)
	require.Len(t, got.Future, 2)
	require.Greater(t, got.Future[1].Health, got.Future[0].Health)

	code, out, errs = run("["+one+","+one+"]", "cnaim", "-i", "-")
	require.Zero(t, code, errs)
	var many []map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &many))
	require.Len(t, many, 2)
	require.NotContains(t, many[0], "future")
}

func TestCNAIMWrongCalls(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		stdin string
		args  []string
		code  int
		says  string
	}{
		"no file":       {"", nil, 2, "-i FILE.json"},
		"years":         {"", []string{"-i", "-", "-years", "900"}, 2, "usage"},
		"missing file":  {"", []string{"-i", "/nonexistent.json"}, 1, "read equipment"},
		"empty":         {"", []string{"-i", "-"}, 1, "parse equipment"},
		"unknown field": {`{"type":"33kV RMU","agee":4}`, []string{"-i", "-"}, 1, "agee"},
		"unknown type":  {`{"type":"boiler"}`, []string{"-i", "-"}, 1, "must be one of"},
		"in a list":     {`[{"type":"33kV RMU","age":3},{"type":"33kV RMU","age":-3}]`, []string{"-i", "-"}, 1, "equipment 2"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := run(tc.stdin, append([]string{"cnaim"}, tc.args...)...)
			require.Equal(t, tc.code, code)
			require.Empty(t, out)
			require.Contains(t, errs, tc.says)
		})
	}
}
