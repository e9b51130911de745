package web_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/runs"
	"github.com/optria-iq/optria/web/uitest"
)

// conformanceInput finds the sample input that a problem solves at once: that
// of the package whose conflicts the problem answers.
func conformanceInput(t testing.TB, problem optimize.Problem) json.RawMessage {
	t.Helper()
	files, err := filepath.Glob("../internal/optimize/*/testdata/conformance/input.json")
	require.NoError(t, err)
	for _, file := range files {
		source, err := os.ReadFile(filepath.Join(filepath.Dir(file), "..", "..", "problem.go"))
		require.NoError(t, err)
		if !strings.Contains(string(source), `"`+problem.Spec().Kind+`"`) {
			continue
		}
		input, err := os.ReadFile(file)
		require.NoError(t, err)
		return input
	}
	require.Fail(t, "no sample input", problem.Spec().Kind)
	return nil
}

// sampleRun stores a finished run of a problem on its sample input, with one
// scenario for each preset.
func (f *fixture) sampleRun(tenant, kind string) uuid.UUID {
	f.Helper()
	problem, ok := optimize.Lookup(kind)
	require.True(f, ok)
	input := conformanceInput(f, problem)
	var solved []db.UpsertScenarioParams // before the transaction, which does not wait for a search
	for _, o := range problem.Spec().Objectives {
		if o.Kind != runs.PresetCustom {
			solved = append(solved, f.sampleScenario(problem, input, o.Kind))
		}
	}
	var id uuid.UUID
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) (err error) {
		id, err = q.RequestRun(ctx, tx, db.RequestRunParams{TenantID: t, Problem: kind, Title: "Sample of " + kind, RequestedBy: f.person(tenant, access.OptimizationEng).ID,
			IdempotencyKey: uuid.NewString(), Objective: json.RawMessage(`{}`), Constraints: json.RawMessage(`{}`), WindowStart: horizonStart(), WindowDays: 30, TimeLimitSeconds: 30, Channel: "web"})
		if err != nil {
			return err
		}
		if _, err = q.BeginRun(ctx, tx, db.BeginRunParams{TenantID: t, ID: id, WorkflowID: "optimization/test"}); err != nil {
			return err
		}
		if _, err = q.StoreRunInput(ctx, tx, db.StoreRunInputParams{TenantID: t, ID: id, Input: input, InputSha256: []byte("digest")}); err != nil {
			return err
		}
		for _, row := range solved {
			row.TenantID, row.RunID = t, id
			if _, err = q.UpsertScenario(ctx, tx, row); err != nil {
				return err
			}
		}
		_, err = q.FinishRun(ctx, tx, db.FinishRunParams{TenantID: t, ID: id, State: "done", Stage: "done", Solver: json.RawMessage(`{}`), ErrorDetail: json.RawMessage(`{}`)})
		return err
	})
	return id
}

// sampleScenario solves one preset; the row comes without tenant and run.
func (f *fixture) sampleScenario(problem optimize.Problem, input json.RawMessage, preset string) db.UpsertScenarioParams {
	f.Helper()
	weighed, err := problem.Weigh(input, preset)
	require.NoError(f, err)
	result, err := problem.Solve(f.Context(), weighed, optimize.Options{TimeLimit: 5 * time.Second, MaxIterations: 500, Threads: 1, Seed: 1, Solver: optimize.SolverHeuristic}, func(optimize.Progress) {})
	require.NoError(f, err)
	view, err := problem.View(weighed, result.Output)
	require.NoError(f, err)
	return db.UpsertScenarioParams{Preset: preset, Status: string(result.Certificate.Status), Objective: result.Certificate.Objective, Verified: true,
		Seconds: result.Certificate.Seconds, TotalCost: view.Total, RiskCost: view.Risk, Output: result.Output}
}

// TestEveryProblemHasItsPages opens every part of the result of every problem,
// its explanations, its comparison and its files.
func TestEveryProblemHasItsPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.as("POWER_DEMO", access.OptimizationEng)
	for _, spec := range optimize.Specs() {
		id := f.sampleRun("POWER_DEMO", spec.Kind).String()
		paths := []string{"/runs/" + id + "?", "/runs/" + id + "/why?", "/scenarios/compare?run=" + id, "/runs/" + id + "/results?tab=summary", "/runs/" + id + "/export?"}
		for _, part := range spec.Shows {
			paths = append(paths, "/runs/"+id+"/results?tab="+string(part))
		}
		for _, path := range append(paths, "/runs/"+id+"/results?tab=table") {
			for _, lang := range []string{"ar", "en"} {
				status, body := f.get(c, path+"&lang="+lang)
				require.Equal(t, 200, status, "%s %s", spec.Kind, path)
				if !strings.Contains(path, "/export") {
					require.Empty(t, untranslated.FindAllString(body, -1), "%s %s", spec.Kind, path)
				}
			}
		}
	}
}

// TestEveryProblemInABrowser holds the parts of every result to the rules of
// all pages; those of maintenance are seen with the plant's own assets.
func TestEveryProblemInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	t.Parallel()
	f := newFixture(t)
	browser := f.signedIn("POWER_DEMO", access.TenantAdmin)
	for _, spec := range optimize.Specs() {
		if spec.Kind == maintenance.Kind {
			continue
		}
		id := f.sampleRun("POWER_DEMO", spec.Kind).String()
		for _, part := range spec.Shows {
			t.Run(spec.Kind+" "+string(part), func(t *testing.T) { uitest.CheckPage(t, browser, f.srv.URL+"/runs/"+id+"/results?tab="+string(part)) })
		}
	}
}
