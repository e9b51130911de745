package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/cli"
)

const lives = `{"failures":[54,187,216,240,244,335,361,373,375,386],"censored":[500,500,500,500,500,500,500,500,500,500]}`

func run(stdin string, args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	code = cli.Score(args, strings.NewReader(stdin), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestWeibullFromFileAndStandardInput(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lives.json")
	require.NoError(t, os.WriteFile(path, []byte(lives), 0o600))
	code, fromFile, errs := run("", "weibull", "-i", path)
	require.Zero(t, code, errs)
	code, fromStdin, _ := run(lives, "weibull", "-i", "-")
	require.Zero(t, code)
	require.Equal(t, fromFile, fromStdin)

	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(fromFile), &got))
	require.InDelta(t, 1.7208, got["beta"], 1e-4)
	require.InDelta(t, 606.528, got["eta"], 1e-3)
	require.InDelta(t, -75.13462, got["loglik"], 1e-4)
	require.Len(t, got["beta_lr95"], 2)
}

// TestWeibullOfIntervalsAndWeights gives the same lives in two ways.
func TestWeibullOfIntervalsAndWeights(t *testing.T) {
	t.Parallel()
	code, once, errs := run(`{"failures":[54,54,187],"censored":[500,500],"intervals":[[0,60],[200,350],[200,350]]}`, "weibull", "-i", "-")
	require.Zero(t, code, errs)
	code, counted, errs := run(`{"failures":[54,187],"wf":[2,1],"censored":[500],"wc":[2],"intervals":[[0,60],[200,350,2]]}`, "weibull", "-i", "-")
	require.Zero(t, code, errs)
	var a, b map[string]any
	require.NoError(t, json.Unmarshal([]byte(once), &a))
	require.NoError(t, json.Unmarshal([]byte(counted), &b))
	require.Equal(t, 6.0, a["r"])
	require.Equal(t, 8.0, a["n"])
	require.Equal(t, a["n"], b["n"])
	require.InEpsilon(t, a["beta"], b["beta"], 1e-10)
	require.InEpsilon(t, a["eta"], b["eta"], 1e-10)
}

func TestWrongCalls(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		stdin string
		args  []string
		code  int
		says  string
	}{
		{"nothing", "", nil, 2, "weibull"},
		{"unknown", "", []string{"bearing"}, 2, `no subcommand "bearing"; there is: `},
		{"no file given", "", []string{"weibull"}, 2, "-i FILE.json"},
		{"unknown flag", "", []string{"weibull", "-x"}, 2, "-x"},
		{"missing file", "", []string{"weibull", "-i", "/nonexistent.json"}, 1, "read lives"},
		{"no JSON", "{", []string{"weibull", "-i", "-"}, 1, "parse lives"},
		{"interval of one", `{"intervals":[[3]]}`, []string{"weibull", "-i", "-"}, 1, "intervals[0] has 1 numbers"},
		{"interval of none", `{"intervals":[[3,4,0]]}`, []string{"weibull", "-i", "-"}, 1, "intervals[0] counts 0"},
		{"backward", `{"intervals":[[4,3]]}`, []string{"weibull", "-i", "-"}, 1, "does not end after it starts"},
		{"weights", `{"failures":[4,3],"wf":[1]}`, []string{"weibull", "-i", "-"}, 1, "not one for each life"},
		{"no failures", `{"censored":[3]}`, []string{"weibull", "-i", "-"}, 1, "no failures"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := run(tc.stdin, tc.args...)
			require.Equal(t, tc.code, code)
			require.Empty(t, out)
			require.Contains(t, errs, tc.says)
		})
	}
}

// FuzzWeibull feeds whatever a file may hold.
func FuzzWeibull(f *testing.F) {
	f.Add(lives)
	f.Add(`{"failures":[1e308,5e-324],"intervals":[[0,1e-300,2]]}`)
	f.Add(`{"failures":[],"wf":null}`)
	f.Fuzz(func(t *testing.T, in string) {
		code, out, errs := run(in, "weibull", "-i", "-")
		if code == 0 {
			require.True(t, json.Valid([]byte(out)), out)
		} else {
			require.NotEmpty(t, errs)
		}
	})
}
