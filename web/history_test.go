package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/workflows"
)

// told is a history with an attempt that failed, a wait, an update and an end.
func told(f *fixture) workflows.Timeline {
	at := time.Now().Add(-time.Hour)
	later := func(d time.Duration) *time.Time { t := at.Add(d); return &t }
	actor := f.person("ARAMCO_DEMO", access.TenantAdmin).ID
	return workflows.Timeline{Steps: []workflows.Step{
		{Kind: workflows.StepStart, State: workflows.StateDone, At: at},
		{Kind: workflows.StepActivity, Name: "SolvePlan", Detail: "cheapest", State: workflows.StateDone, At: at, Started: later(time.Second), Ended: later(5 * time.Second),
			Attempts: 3, Cause: &activities.ErrorDetail{Key: "workflows.timeout"}},
		{Kind: workflows.StepTimer, State: workflows.StateCancelled, At: at, Ended: later(time.Minute), Wait: 8 * time.Hour},
		{Kind: workflows.StepUpdate, Name: workflows.UpdateDecide, Detail: workflows.Approved, Actor: &actor, State: workflows.StateDone, At: at},
		{Kind: workflows.StepActivity, Name: "SomethingNew", State: workflows.StateFailed, At: at, Ended: later(time.Second), Cause: &activities.ErrorDetail{Key: "no.such.key"}},
		{Kind: workflows.StepEnd, State: workflows.StateFailed, At: at},
	}}
}

func TestHistoryIsToldInBothLanguages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	run := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	plan := f.planOf("ARAMCO_DEMO", run)
	var asked []string
	f.flows.timeline = func(id string) (workflows.Timeline, error) {
		asked = append(asked, id)
		return told(f), nil
	}
	engineer := f.as("ARAMCO_DEMO", access.OptimizationEng)
	for lang, words := range map[string][]string{"en": {"Search for a plan", "3 attempts", "The work took longer", "Approved", "An internal step", "ended early", "The workflow failed"},
		"ar": {"البحث عن خطة", "3 محاولات", "اعتماد", "خطوة داخلية"}} {
		status, page := f.get(engineer, "/runs/"+run.String()+"/history?lang="+lang)
		require.Equal(t, http.StatusOK, status)
		for _, word := range words {
			require.Contains(t, page, word)
		}
		require.Empty(t, untranslated.FindAllString(page, -1))
		require.NotContains(t, page, "no.such.key")
	}
	tenant := f.tenant("ARAMCO_DEMO").ID
	require.Equal(t, workflows.OptimizationID(tenant, run), asked[0])
	status, page := f.get(engineer, "/plans/"+plan.String()+"/history?lang=en")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, f.person("ARAMCO_DEMO", access.TenantAdmin).Name.EN)
	require.Equal(t, workflows.ApprovalID(tenant, plan), asked[len(asked)-1])
	_, page = f.get(engineer, "/runs/"+run.String()+"?lang=en")
	require.Contains(t, page, "/runs/"+run.String()+"/history")
}

func TestHistoryFromRecordsWhenTheEngineIsAway(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	plan := f.planOf("ARAMCO_DEMO", f.finishedRun("ARAMCO_DEMO", access.OptimizationEng))
	f.settled("ARAMCO_DEMO", plan, "approved", "approved", access.TenantAdmin)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	for code, words := range map[fault.Code]string{fault.Unavailable: "does not answer now", fault.NotFound: "keeps its history no longer"} {
		f.flows.timeline = func(string) (workflows.Timeline, error) { return workflows.Timeline{}, fault.New(code, "x") }
		status, page := f.get(admin, "/plans/"+plan.String()+"/history?lang=en")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, page, words)
		require.Contains(t, page, "Approved")
		require.Contains(t, page, f.person("ARAMCO_DEMO", access.TenantAdmin).Name.EN)
	}
	f.flows.timeline = func(string) (workflows.Timeline, error) { return workflows.Timeline{}, fault.New(fault.Internal, "x") }
	status, _ := f.get(admin, "/plans/"+plan.String()+"/history")
	require.Equal(t, http.StatusInternalServerError, status, "a failure of the platform is not hidden")
}

func TestHistoryIsKeptFromOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	run := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	asked := false
	f.flows.timeline = func(string) (workflows.Timeline, error) { asked = true; return told(f), nil }
	status, _ := f.get(f.as("POWER_DEMO", access.TenantAdmin), "/runs/"+run.String()+"/history")
	require.Equal(t, http.StatusNotFound, status)
	viewer := f.as("ARAMCO_DEMO", access.Viewer)
	status, _ = f.get(viewer, "/runs/"+run.String()+"/history")
	require.Equal(t, http.StatusForbidden, status)
	require.False(t, asked, "nobody's history is read before its row")
	_, page := f.get(viewer, "/runs/"+run.String())
	require.False(t, strings.Contains(page, "/history"))
}
