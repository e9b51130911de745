package bench_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/bench"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

func TestMain(m *testing.M) {
	if mip.ChildMain() {
		return
	}
	os.Exit(m.Run())
}

// echo is a stand-in for the engines: the text of an instance is its plan,
// and its length the objective.
type echo struct{ formats []string }

func (e echo) Has(name string) bool {
	for _, f := range e.formats {
		if f == name {
			return true
		}
	}
	return false
}

func (e echo) Solve(_ context.Context, _, _ string, data []byte, opt optimize.Options, report func(optimize.Progress)) (optimize.Certificate, []byte, error) {
	if string(data) == "broken" {
		return optimize.Certificate{}, nil, errors.New("no plan")
	}
	report(optimize.Progress{})
	report(optimize.Progress{HasIncumbent: true})
	n := float64(len(data))
	return optimize.Certificate{Objective: n, Bound: n / 2, BoundKnown: true, Gap: .5, Verified: true, Seed: opt.Seed}, data, nil
}

func (e echo) Model(_, _ string, _ []byte) (*mip.Model, error) {
	m := mip.New("echo")
	m.Binary(-1)
	return m, nil
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func run(t *testing.T, dir string, sets []string, instances string, formats ...string) ([]bench.Row, string, error) {
	t.Helper()
	var progress bytes.Buffer
	rows, err := bench.Run(context.Background(), bench.Config{Data: dir, Sets: sets, Instances: instances, Seeds: []int64{1, 2}, Formats: echo{formats}, Progress: &progress})
	return rows, progress.String(), err
}

func TestSetOfFilesIsComparedWithBestKnown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "trsp/best_known.csv", "instance,best_known\npath/R1,8\nR9,\n")
	write(t, dir, "trsp/R1.txt", `{"routes":[],"unserved":[7]}`)
	write(t, dir, "trsp/R2.txt", "broken")
	rows, _, err := run(t, dir, []string{"trsp"}, "", "trsp")
	require.NoError(t, err)
	require.Len(t, rows, 4)
	require.Equal(t, "R1", rows[1].Instance)
	require.Equal(t, int64(2), rows[1].Seed)
	require.InDelta(t, 250, rows[1].GapToBest(), 1e-9)
	require.Equal(t, 1, rows[1].Unserved)
	require.GreaterOrEqual(t, rows[1].FirstPlan, 0.)
	require.ErrorContains(t, rows[2].Err, "no plan")

	var table, text bytes.Buffer
	require.NoError(t, bench.WriteTable(&table, rows))
	require.Regexp(t, `trsp +R1 +1 +28 +14 +50\.0000 +250\.0000 .* yes +1`, table.String())
	require.Contains(t, table.String(), "failed: no plan")
	require.Regexp(t, `mean of 4 .* 2 of 4`, table.String())
	require.NoError(t, bench.WriteCSV(&text, rows))
	records, err := csv.NewReader(&text).ReadAll()
	require.NoError(t, err)
	require.Len(t, records, 5)
	require.Equal(t, []string{"trsp", "R1", "1", "28", "14", "50", "8", "250"}, records[1][:8])
	require.Equal(t, "no plan", records[3][len(records[3])-1])

	rows, _, err = run(t, dir, []string{"trsp"}, "*2", "trsp")
	require.NoError(t, err)
	require.Len(t, rows, 2)
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "uc_pglib/best_known.csv", "instance\n")
	write(t, dir, "uc_pglib/a.json", "{}")
	write(t, dir, "roadef2020/a.json", "{}")
	for name, test := range map[string]struct{ set, instances, formats, want string }{
		"folder":   {"trsp", "", "trsp", "no *.txt in"},
		"format":   {"roadef", "", "trsp", `no format "roadef2020"`},
		"column":   {"uc", "", "pglib-uc", "lacks the column"},
		"csv":      {"roadef", "", "roadef2020", "best_known.csv"},
		"instance": {"roadef", "zz*", "roadef2020", "best_known.csv"},
		"glob":     {"roadef", "[", "roadef2020", "syntax error"},
		"cases":    {"replacement", "", "deferral", "expected.json"},
	} {
		_, said, err := run(t, dir, []string{test.set}, test.instances, test.formats)
		require.ErrorContains(t, err, test.want, name)
		require.Contains(t, said, strings.SplitN(test.want, "\n", 2)[0], name)
	}
}

func TestCasesOfTheoryAreJudgedByTheirAnswers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "replacement_theory/expected.json", `{"cases":[
		{"id":"good","kind":"k","input":{"eta":5},"expected":{"input":1},"rel_tol":0.1}]}`)
	rows, _, err := run(t, dir, []string{"replacement"}, "", "deferral")
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.ErrorContains(t, rows[0].Err, "answer input: want a number")
}

func TestSolversAreComparedOnTheSameModels(t *testing.T) {
	t.Setenv("OPTRIA_HIGHS", "")
	t.Setenv("PATH", "")
	rows, _, err := run(t, t.TempDir(), []string{"highs"}, "")
	require.ErrorContains(t, err, "no native highs")
	require.Len(t, rows, 4)
	for _, r := range rows {
		require.NoError(t, r.Err)
		require.InDelta(t, -1, r.Certificate.Objective, 1e-9)
		require.Contains(t, r.Instance, "embedded")
		require.Contains(t, r.Note, "1 columns, 0 rows")
	}
}
