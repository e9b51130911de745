package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// proposed puts the balanced scenario of a new run forward.
func (f *fixture) proposed(tenant string, launcher, proposer access.Role) (run, plan uuid.UUID) {
	f.Helper()
	run = f.finishedRun(tenant, launcher)
	status, target := f.location(f.as(tenant, proposer), "/runs/"+run.String()+"/propose", url.Values{"scenario": {"balanced"}, "note": {"Before Eid"}})
	require.Equal(f, http.StatusSeeOther, status)
	return run, uuid.MustParse(strings.TrimPrefix(target, "/plans/"))
}

func (f *fixture) plan(tenant string, id uuid.UUID) db.Plan {
	f.Helper()
	var p db.Plan
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) (err error) {
		p, err = q.LockPlan(ctx, tx, t, id)
		return err
	})
	return p
}

func TestProposalStartsOneApprovalPerRun(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	run, id := f.proposed("ARAMCO_DEMO", access.ReliabilityEng, access.OptimizationEng)
	require.True(t, f.flows.called("start-approval "+f.tenant("ARAMCO_DEMO").ID.String()+" "+id.String()))
	p := f.plan("ARAMCO_DEMO", id)
	require.Equal(t, f.person("ARAMCO_DEMO", access.ReliabilityEng).ID, p.LaunchedBy)
	require.Equal(t, f.person("ARAMCO_DEMO", access.OptimizationEng).ID, p.ProposedBy)
	require.WithinRange(t, p.DueAt, time.Now().Add(8*time.Hour-time.Minute), time.Now().Add(12*24*time.Hour))
	engineer := f.as("ARAMCO_DEMO", access.OptimizationEng)
	status, _ := f.post(engineer, "/runs/"+run.String()+"/propose", url.Values{"scenario": {"cheapest"}})
	require.Equal(t, http.StatusConflict, status, "one plan of a run at a time")
	status, _ = f.post(f.as("ARAMCO_DEMO", access.ReliabilityEng), "/runs/"+run.String()+"/propose", url.Values{"scenario": {"cheapest"}})
	require.Equal(t, http.StatusForbidden, status)

	f.settled("ARAMCO_DEMO", id, "returned", "returned", access.TenantAdmin)
	status, target := f.location(engineer, "/runs/"+run.String()+"/propose", url.Values{"scenario": {"cheapest"}})
	require.Equal(t, http.StatusSeeOther, status)
	next := f.plan("ARAMCO_DEMO", uuid.MustParse(strings.TrimPrefix(target, "/plans/")))
	require.EqualValues(t, 2, next.Version)
	require.Equal(t, id, *next.PreviousID)
}

// The jobs of a superseded plan have been work orders already.
func TestASupersededScenarioIsNotPutForwardAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const tenant = "ARAMCO_DEMO"
	run, old := f.proposed(tenant, access.OptimizationEng, access.OptimizationEng)
	f.settled(tenant, old, "approved", "approved", access.TenantAdmin)
	f.released(tenant, old)
	_, newer := f.proposed(tenant, access.OptimizationEng, access.OptimizationEng)
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, id uuid.UUID) error {
		_, err := q.SupersedePlans(ctx, tx, id, newer)
		return err
	})
	engineer, propose := f.as(tenant, access.OptimizationEng), "/runs/"+run.String()+"/propose"
	_, page := f.get(engineer, "/runs/"+run.String()+"/results?scenario=balanced&lang=en")
	require.NotContains(t, page, propose+"?scenario=balanced")
	require.Contains(t, page, "/plans/"+old.String(), "the page leads to what became of it")
	for lang, text := range map[string]string{"en": "another plan has taken its place since", "ar": "حلّت محلها خطة أخرى"} {
		status, page := f.post(engineer, propose+"?lang="+lang, url.Values{"scenario": {"balanced"}})
		require.Equal(t, http.StatusConflict, status)
		require.Contains(t, page, text)
	}
	raw, _ := f.issue(tenant, access.OptimizationEng, soon(), "read:results")
	status, _, _ := f.call(raw, http.MethodPost, "/runs/"+run.String()+"/plan", map[string]any{"preset": "balanced"})
	require.Equal(t, http.StatusConflict, status)
	_, page = f.get(engineer, "/runs/"+run.String()+"/results?scenario=cheapest&lang=en")
	require.Contains(t, page, propose+"?scenario=cheapest", "another scenario of the run may be put forward")
	status, _ = f.post(engineer, propose, url.Values{"scenario": {"cheapest"}})
	require.Equal(t, http.StatusSeeOther, status)
}

func TestPlanOffersWhatTheReaderMayDo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, own := f.proposed("ARAMCO_DEMO", access.TenantAdmin, access.OptimizationEng)
	_, foreign := f.proposed("ARAMCO_DEMO", access.OptimizationEng, access.OptimizationEng)
	buttons := func(role access.Role, plan uuid.UUID) (kinds []string, body string) {
		status, body := f.get(f.as("ARAMCO_DEMO", role), "/plans/"+plan.String()+"?lang=en")
		require.Equal(t, http.StatusOK, status)
		for _, kind := range []string{"approved", "returned", "endorsed", "objected"} {
			if strings.Contains(body, `name="kind" value="`+kind+`"`) {
				kinds = append(kinds, kind)
			}
		}
		return kinds, body
	}
	kinds, _ := buttons(access.TenantAdmin, foreign)
	require.Equal(t, []string{"approved", "returned"}, kinds)
	kinds, body := buttons(access.TenantAdmin, own)
	require.Equal(t, []string{"returned"}, kinds)
	require.Contains(t, body, "You launched this run")
	kinds, _ = buttons(access.ReliabilityEng, foreign)
	require.Equal(t, []string{"endorsed", "objected"}, kinds)
	for _, role := range []access.Role{access.Viewer, access.OptimizationEng} {
		kinds, _ = buttons(role, foreign)
		require.Empty(t, kinds, role)
	}
	_, inbox := f.get(f.as("ARAMCO_DEMO", access.TenantAdmin), "/plans")
	require.Contains(t, inbox, foreign.String())
	require.NotContains(t, inbox, own.String(), "nobody is asked to approve their own run")
	_, all := f.get(f.as("ARAMCO_DEMO", access.TenantAdmin), "/plans?tab=all")
	require.Contains(t, all, own.String())
}

func TestDecisionsAnswerAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, id := f.proposed("ARAMCO_DEMO", access.OptimizationEng, access.OptimizationEng)
	path := "/plans/" + id.String() + "/decision"
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	key := uuid.NewString()
	form := func(kind, comment string) url.Values {
		return url.Values{"kind": {kind}, "comment": {comment}, "decision": {key}}
	}
	status, _ := f.post(f.as("ARAMCO_DEMO", access.OptimizationEng), path, form("approved", ""))
	require.Equal(t, http.StatusForbidden, status)
	status, body := f.post(admin, path+"?lang=en", form("returned", " "))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "Say why you return or object")
	require.Contains(t, body, key, "sending the form again is the same decision")
	status, _ = f.post(admin, path, form("abolished", "x"))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.False(t, f.flows.called("decide"))

	f.flows.Fail = fault.New(fault.Forbidden, "plans.four_eyes")
	status, body = f.post(admin, path+"?lang=en", form("approved", "looks right"))
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "Nobody approves a plan they launched")
	require.Contains(t, body, "looks right", "the comment is kept")
	f.flows.Fail = nil
	status, _ = f.post(admin, path, form("approved", "looks right"))
	require.Equal(t, http.StatusSeeOther, status)
	status, _ = f.post(f.as("WATER_DEMO", access.TenantAdmin), path, form("approved", ""))
	require.Equal(t, http.StatusNotFound, status, "another tenant does not see the plan")
}

func TestReleaseFollowsApproval(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, id := f.proposed("ARAMCO_DEMO", access.OptimizationEng, access.OptimizationEng)
	engineer := f.as("ARAMCO_DEMO", access.OptimizationEng)
	path := "/plans/" + id.String()
	status, _ := f.post(engineer, path+"/release", url.Values{})
	require.Equal(t, http.StatusConflict, status, "not before approval")
	f.settled("ARAMCO_DEMO", id, "approved", "approved", access.TenantAdmin)
	status, _ = f.post(engineer, path+"/release", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	require.True(t, f.flows.called("start-release"))
	p := f.plan("ARAMCO_DEMO", id)
	require.Equal(t, f.person("ARAMCO_DEMO", access.OptimizationEng).ID, *p.ReleaseRequestedBy)
	status, _ = f.post(engineer, path+"/release", url.Values{})
	require.Equal(t, http.StatusConflict, status, "once is enough")
	f.released("ARAMCO_DEMO", id)
	_, body := f.get(engineer, path+"?lang=en")
	require.Contains(t, body, "Maintain ")
	require.Contains(t, body, "/work-orders?plan="+id.String())
}
