package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize/cli"
)

func TestBenchRunsASetAndWritesCSV(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile(instance)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "roadef2020"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "roadef2020", "three.json"), text, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "roadef2020", "best_known.csv"), []byte("instance,best_known\nthree,7.4833333333\n"), 0o600))
	file := filepath.Join(dir, "rows.csv")
	var out, errs bytes.Buffer
	code := cli.Bench([]string{"opt", "--data", dir, "--set", "roadef", "--seeds", "1, 3", "--iterations", "2000", "--csv", file}, nil, &out, &errs)
	require.Equal(t, 0, code, errs.String())
	require.Regexp(t, `roadef +three +3 .* yes`, out.String())
	rows, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 3, bytes.Count(rows, []byte("\n")))

	code = cli.Bench([]string{"opt", "--data", dir, "--set", "trsp"}, nil, &out, &errs)
	require.Equal(t, 1, code)
	require.Contains(t, errs.String(), "set trsp")
}

func TestBenchRefusesBadArguments(t *testing.T) {
	for want, args := range map[string][]string{
		"want: optria bench opt": {"all"},
		"unknown set":            {"opt", "--set", "riddles"},
		"whole numbers":          {"opt", "--seeds", "one"},
		"unknown argument":       {"opt", "trsp"},
	} {
		var out, errs bytes.Buffer
		require.Equal(t, 2, cli.Bench(args, nil, &out, &errs))
		require.Contains(t, errs.String(), want)
	}
}
