package web_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
)

func TestResultsShowEveryTab(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	c := f.as("ARAMCO_DEMO", access.OptimizationEng)
	base := "/runs/" + id.String() + "/results?lang=en"
	_, table := f.get(c, base)
	for _, a := range f.tenant("ARAMCO_DEMO").Assets {
		require.Contains(t, table, a.Tag)
	}
	require.Contains(t, table, "Proven bound")
	require.Contains(t, table, "Age only", "an asset planned without its score says so")
	_, gantt := f.get(c, base+"&tab=gantt&scenario=cheapest")
	require.Contains(t, gantt, `class="weekend"`)
	require.Contains(t, gantt, `class="was"`, "the current plan is drawn below the new one")
	require.Contains(t, gantt, "Rotating")
	require.Contains(t, gantt, `data-gantt="what-if"`, "a bar can be dragged")
	_, seen := f.get(f.as("ARAMCO_DEMO", access.Viewer), base+"&tab=gantt&scenario=cheapest")
	require.NotContains(t, seen, "data-gantt", "a viewer asks nothing")
	_, curves := f.get(c, base+"&tab=curves")
	require.Equal(t, 12, strings.Count(curves, `class="chart"`), "one chart per decision, twelve a page")
	_, summary := f.get(c, base+"&tab=summary")
	require.Contains(t, summary, "Cost by scenario")
	require.Contains(t, summary, "Certificate")
	status, _ := f.get(c, base+"&scenario=custom")
	require.Equal(t, http.StatusNotFound, status)
	status, _ = f.get(c, "/runs/not-an-id/results")
	require.Equal(t, http.StatusNotFound, status)
}

// firstJob is a planned job of the cheapest scenario of a tenant.
func (f *fixture) firstJob(tenant string) maintenance.Decision {
	f.Helper()
	_, plans := f.plansOf(tenant)
	for _, d := range plans["cheapest"].Schedule {
		if !d.Deferred && len(d.Reasons) > 0 {
			return d
		}
	}
	require.Fail(f, "no planned job")
	return maintenance.Decision{}
}

func TestWhyAnswersDrawerAndPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	job := f.firstJob("ARAMCO_DEMO")
	c := f.as("ARAMCO_DEMO", access.OptimizationEng)
	path := "/runs/" + id.String() + "/why?lang=en&scenario=cheapest&subject=" + job.ActionID
	_, page := f.get(c, path)
	require.Contains(t, page, "<html")
	require.Contains(t, page, "Against deferring")
	require.Contains(t, page, "Other choices")
	require.Contains(t, page, "/what-if")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.srv.URL+path, nil)
	require.NoError(t, err)
	request.Header.Set("HX-Request", "true")
	response, err := c.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Less(t, response.ContentLength, int64(len(page)))
	_, read := f.get(f.as("ARAMCO_DEMO", access.Viewer), path)
	require.NotContains(t, read, "/what-if", "a viewer is offered no run")
	for _, wrong := range []string{"/runs/" + uuid.NewString() + "/why?scenario=cheapest&subject=" + job.ActionID,
		"/runs/" + id.String() + "/why?scenario=cheapest&subject=" + uuid.NewString(), "/runs/" + id.String() + "/why?scenario=nothing&subject=" + job.ActionID} {
		status, _ := f.get(c, wrong)
		require.Equal(t, http.StatusNotFound, status, wrong)
	}
}

// whatIfForm asks for another day of a job.
func (f *fixture) whatIfForm(job maintenance.Decision, day int) url.Values {
	return url.Values{"key": {uuid.NewString()}, "scenario": {"cheapest"}, "subject": {job.ActionID}, "ask": {"start"},
		"day": {horizonStart().AddDate(0, 0, day).Format(time.DateOnly)}}
}

func TestWhatIfBecomesARunOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	job := f.firstJob("ARAMCO_DEMO")
	c := f.as("ARAMCO_DEMO", access.ReliabilityEng)
	path, form := "/runs/"+id.String()+"/what-if", f.whatIfForm(job, 12)
	status, first := f.location(c, path, form)
	require.Equal(t, http.StatusSeeOther, status)
	_, second := f.location(c, path, form)
	require.Equal(t, first, second, "the same form leads to the same run")
	run := uuid.MustParse(strings.TrimPrefix(first, "/runs/"))
	require.True(t, f.flows.called("start-optimization "+f.tenant("ARAMCO_DEMO").ID.String()+" "+run.String()))
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		row, err := q.LoadRun(ctx, tx, tenant, run)
		require.NoError(t, err)
		require.NotNil(t, row.BasedOn)
		var pins []optimize.Pin
		require.NoError(t, json.Unmarshal(row.WhatIf, &pins))
		day := 12.0
		require.Equal(t, []optimize.Pin{{Subject: job.ActionID, Start: &day}}, pins)
		return nil
	})
	_, monitor := f.get(c, first+"?lang=en")
	require.Contains(t, monitor, "What if", "the monitor says what is asked")
	require.Contains(t, monitor, "/runs/"+id.String()+"/results?scenario=cheapest", "and leads to the base plan")
}

func TestWhatIfRefusesWhatCannotBeForced(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	job := f.firstJob("ARAMCO_DEMO")
	c := f.as("ARAMCO_DEMO", access.OptimizationEng)
	path := "/runs/" + id.String() + "/what-if"
	for name, x := range map[string]struct {
		field, value string
		status       int
	}{
		"late": {"day", horizonStart().AddDate(0, 0, 45).Format(time.DateOnly), 422}, "no day": {"day", "", 422}, "words": {"day", "soon", 422},
		"ask": {"ask", "nothing", 422}, "load": {"ask", "load", 422}, "key": {"key", "x", 422},
		"subject": {"subject", uuid.NewString(), 404}, "scenario": {"scenario", "custom", 404},
	} {
		form := f.whatIfForm(job, 12)
		form.Set(x.field, x.value)
		status, body := f.post(c, path+"?lang=en", form)
		require.Equal(t, x.status, status, name)
		if status == http.StatusUnprocessableEntity {
			require.Contains(t, body, "<html", "%s: the form comes back", name)
			require.Contains(t, body, `class="err"`, "%s: the field is named", name)
		}
	}
	status, _ := f.post(f.as("ARAMCO_DEMO", access.Viewer), path, f.whatIfForm(job, 12))
	require.Equal(t, http.StatusForbidden, status)
	status, _ = f.post(f.as("WATER_DEMO", access.OptimizationEng), path, f.whatIfForm(job, 12))
	require.Equal(t, http.StatusNotFound, status, "another tenant does not see the run")
	require.False(t, f.flows.called("start-optimization"))
}

// answered finishes a what-if run with the plan of another scenario, as the
// worker would after solving it.
func (f *fixture) answered(tenant, path string) uuid.UUID {
	f.Helper()
	in, plans := f.plansOf(tenant)
	run := uuid.MustParse(strings.TrimPrefix(path, "/runs/"))
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		if _, err := q.BeginRun(ctx, tx, db.BeginRunParams{TenantID: t, ID: run, WorkflowID: "optimization/test"}); err != nil {
			return err
		}
		input, err := json.Marshal(in)
		if err != nil {
			return err
		}
		if _, err := q.StoreRunInput(ctx, tx, db.StoreRunInputParams{TenantID: t, ID: run, Input: input, InputSha256: []byte("digest")}); err != nil {
			return err
		}
		if err := storePlan(ctx, tx, q, t, run, "cheapest", in, plans["lowest_risk"]); err != nil {
			return err
		}
		_, err = q.FinishRun(ctx, tx, db.FinishRunParams{TenantID: t, ID: run, State: "done", Stage: "done", Solver: json.RawMessage(`{}`), ErrorDetail: json.RawMessage(`{}`)})
		return err
	})
	return run
}

func TestWhatIfShowsItsPrice(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	job := f.firstJob("ARAMCO_DEMO")
	c := f.as("ARAMCO_DEMO", access.OptimizationEng)
	_, path := f.location(c, "/runs/"+id.String()+"/what-if", f.whatIfForm(job, 12))
	run := f.answered("ARAMCO_DEMO", path)
	_, body := f.get(c, "/runs/"+run.String()+"/results?lang=en")
	require.Contains(t, body, "Price of this decision")
	require.Contains(t, body, "Against the plan")
	require.Contains(t, body, "/runs/"+id.String()+"/results?scenario=cheapest")
	_, plans := f.plansOf("ARAMCO_DEMO")
	risen := plans["lowest_risk"].Objective.PlannedWork - plans["cheapest"].Objective.PlannedWork
	require.Positive(t, risen)
	require.Contains(t, body, "Planned work", "the difference is told term by term")

	_, compared := f.get(c, "/scenarios/compare?lang=en&run="+run.String())
	require.Equal(t, 2, strings.Count(compared, `class="link font-medium"`), "the plan and the one it set out from")
	require.Contains(t, compared, "Thirty days of ARAMCO_DEMO")
}

func TestForbiddenWhatIfNamesItsRule(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	job := f.firstJob("ARAMCO_DEMO")
	c := f.as("ARAMCO_DEMO", access.OptimizationEng)
	_, path := f.location(c, "/runs/"+id.String()+"/what-if", f.whatIfForm(job, 12))
	run := uuid.MustParse(strings.TrimPrefix(path, "/runs/"))
	detail := fmt.Sprintf(`{"conflicts":[{"code":"day_off","action_ids":[%q],"day":12,"amount":1}]}`, job.ActionID)
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		_, err := q.FinishRun(ctx, tx, db.FinishRunParams{TenantID: tenant, ID: run, State: "failed", Stage: "solve", ErrorKey: "optimize.infeasible", ErrorDetail: json.RawMessage(detail)})
		return err
	})
	_, body := f.get(c, path+"?lang=en")
	require.Contains(t, body, "A rule forbids this decision")
	require.Contains(t, body, "Days off leave no room")
}

func TestCompareTakesAnySetOfOneProblem(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first, second := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng), f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	foreign := f.finishedRun("WATER_DEMO", access.OptimizationEng)
	scenario := func(tenant string, run uuid.UUID, preset string) string {
		var id uuid.UUID
		f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
			row, err := q.ScenarioByPreset(ctx, tx, t, run, preset)
			id = row.ID
			return err
		})
		return id.String()
	}
	c := f.as("ARAMCO_DEMO", access.Viewer)
	_, own := f.get(c, "/scenarios/compare?lang=en&run="+first.String())
	require.Equal(t, 3, strings.Count(own, `class="link font-medium"`), "a run alone brings its scenarios")
	require.Contains(t, own, "Current plan")
	require.Contains(t, own, "decisions differ")
	_, mixed := f.get(c, "/scenarios/compare?lang=en&with="+scenario("ARAMCO_DEMO", first, "cheapest")+"&with="+scenario("ARAMCO_DEMO", second, "cheapest"))
	require.Equal(t, 2, strings.Count(mixed, `class="link font-medium"`))
	require.Contains(t, mixed, "No decision changed", "the same plan of two runs is the same")
	for _, wrong := range []string{"with=" + scenario("WATER_DEMO", foreign, "cheapest"), "run=" + foreign.String(), "with=" + uuid.NewString(), "with=x", "run=x"} {
		status, _ := f.get(c, "/scenarios/compare?"+wrong)
		require.Equal(t, http.StatusNotFound, status, wrong)
	}
	status, _ := f.get(c, "/scenarios/compare")
	require.Equal(t, http.StatusOK, status, "nothing chosen is explained")
}

func TestExportsReadInSpreadsheets(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	c := f.as("ARAMCO_DEMO", access.Viewer)
	base := "/runs/" + id.String() + "/export?scenario=cheapest"
	status, body := f.get(c, base+"&format=csv&part=lines&lang=ar")
	require.Equal(t, http.StatusOK, status)
	require.True(t, strings.HasPrefix(body, "\ufeffالترتيب,"), "a byte order mark and the headers of the language")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, len(f.tenant("ARAMCO_DEMO").Assets)+1)
	require.NotContains(t, body, "<span", "reasons are plain text")

	response := f.send(c, http.MethodGet, base+"&format=xlsx&lang=ar", nil)
	defer response.Body.Close()
	require.Contains(t, response.Header.Get("Content-Disposition"), ".xlsx")
	book, err := excelize.OpenReader(response.Body)
	require.NoError(t, err)
	sheets := book.GetSheetList()
	require.Equal(t, []string{"القرارات", "بنود الكلفة", "أحمال الموارد"}, sheets)
	for _, sheet := range sheets {
		view, err := book.GetSheetView(sheet, 0)
		require.NoError(t, err)
		require.NotNil(t, view.RightToLeft)
		require.True(t, *view.RightToLeft, "an Arabic sheet reads from the right")
	}
	cells, err := book.GetRows(sheets[0])
	require.NoError(t, err)
	require.Len(t, cells, len(rows))
	for _, wrong := range []string{base + "&format=pdf", base + "&format=csv&part=secrets", base + "&format=csv", "/runs/" + id.String() + "/export?scenario=no&format=xlsx"} {
		status, _ := f.get(c, wrong)
		require.Equal(t, http.StatusNotFound, status, wrong)
	}
	response2 := f.send(f.as("WATER_DEMO", access.Viewer), http.MethodGet, base+"&format=xlsx", nil)
	defer response2.Body.Close()
	_, err = io.Copy(io.Discard, response2.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, response2.StatusCode)
}
