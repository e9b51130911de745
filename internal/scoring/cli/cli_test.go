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
		{"unknown", "", []string{"rul"}, 2, `no subcommand "rul"; there is: weibull`},
		{"no file given", "", []string{"weibull"}, 2, "-i FILE.json"},
		{"unknown flag", "", []string{"weibull", "-x"}, 2, "-x"},
		{"missing file", "", []string{"weibull", "-i", "/nonexistent.json"}, 1, "read lives"},
		{"no JSON", "{", []string{"weibull", "-i", "-"}, 1, "parse lives"},
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
