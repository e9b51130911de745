package web_test

import (
	"context"
	"encoding/hex"
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
)

func TestProposalLeavesJobsOutAndSaysWhoMustAct(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const tenant = "ARAMCO_DEMO"
	run := f.finishedRun(tenant, access.ReliabilityEng)
	engineer := f.as(tenant, access.OptimizationEng)
	path := "/runs/" + run.String() + "/propose"
	status, page := f.get(engineer, path+"?scenario=balanced&lang=en")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, f.person(tenant, access.TenantAdmin).Name.EN, "who may approve")
	require.Contains(t, page, "working hour", "until when")
	job, _, _ := strings.Cut(strings.SplitN(page, `name="leave" value="`, 2)[1], `"`)
	status, page = f.post(engineer, path+"?lang=en", url.Values{"scenario": {"balanced"}, "note": {"keep this note"}, "leave": {job}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, "Say why jobs are left out")
	require.Contains(t, page, "keep this note")
	require.Contains(t, page, `value="`+job+`" checked`, "nothing that was chosen is lost")
	status, target := f.location(engineer, path, url.Values{"scenario": {"balanced"}, "leave": {job}, "left_reason": {"spares late"}})
	require.Equal(t, http.StatusSeeOther, status)
	plan := uuid.MustParse(strings.TrimPrefix(target, "/plans/"))
	require.Len(t, f.plan(tenant, plan).ContentSha256, 32)
	for _, id := range f.jobsOf(tenant, plan) {
		require.NotEqual(t, job, id.String(), "it is never released")
	}
	_, page = f.get(engineer, target+"?lang=en")
	require.Contains(t, page, "Left out by the proposer")
	require.Contains(t, page, "spares late")
	require.ElementsMatch(t, []string{f.person(tenant, access.TenantAdmin).ID.String(), f.person(tenant, access.ReliabilityEng).ID.String()}, f.notified(tenant, "plan.proposed"),
		"those who approve and those who endorse, not the proposer")
}

// notified lists who was told of events of a kind.
func (f *fixture) notified(tenant, kind string) (people []string) {
	f.Helper()
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, t uuid.UUID) error {
		rows, err := tx.Query(ctx, `SELECT n.user_id::text FROM core.notifications n JOIN core.events e ON e.tenant_id = n.tenant_id AND e.id = n.event_id
			WHERE n.tenant_id = $1 AND e.kind = $2`, t, kind)
		if err != nil {
			return err
		}
		people, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return people
}

func TestDecisionCarriesTheHashAndHeldLines(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const tenant = "ARAMCO_DEMO"
	_, plan := f.proposed(tenant, access.OptimizationEng, access.OptimizationEng)
	job := f.jobsOf(tenant, plan)[0].String()
	admin, path := f.as(tenant, access.TenantAdmin), "/plans/"+plan.String()
	content := hex.EncodeToString(f.plan(tenant, plan).ContentSha256)
	_, page := f.get(admin, path+"?lang=en")
	require.Contains(t, page, `name="content" value="`+content+`"`)
	require.Contains(t, page, `name="hold" value="`+job+`"`)
	form := url.Values{"kind": {"approved"}, "decision": {uuid.NewString()}, "content": {content}, "hold": {job}}
	status, page := f.post(admin, path+"/decision?lang=en", form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, "Say why jobs are left out")
	require.Contains(t, page, `value="`+job+`" checked`)
	require.False(t, f.flows.called("decide"))
	form.Set("hold_reason", "spares late")
	status, _ = f.post(admin, path+"/decision", form)
	require.Equal(t, http.StatusSeeOther, status)
	require.True(t, f.flows.called("decide approved"))
	raw, _ := f.issue(tenant, access.TenantAdmin, soon(), "read:results")
	status, body, _ := f.call(raw, http.MethodPost, path+"/decision", map[string]any{"kind": "approved"})
	require.Equal(t, http.StatusUnprocessableEntity, status, "an approval over the API says what was seen: %v", body)
	status, shown, _ := f.call(raw, http.MethodGet, path, nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, content, shown["content_sha256"])
	reliability, _ := f.issue(tenant, access.ReliabilityEng, soon(), "read:results")
	status, body, _ = f.call(reliability, http.MethodPost, path+"/decision", map[string]any{"kind": "endorsed"})
	require.Equal(t, http.StatusUnprocessableEntity, status, "and so does an endorsement: %v", body)
	status, body, _ = f.call(reliability, http.MethodPost, path+"/decision", map[string]any{"kind": "endorsed", "content_sha256": content})
	require.Equal(t, http.StatusOK, status, body)
	status, _ = f.post(f.as(tenant, access.ReliabilityEng), path+"/decision", url.Values{"kind": {"endorsed"}, "decision": {uuid.NewString()}, "content": {"no hash"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
}

func TestDeputySeesWhatWaitsInWhosePlace(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const tenant = "ARAMCO_DEMO"
	_, plan := f.proposed(tenant, access.TenantAdmin, access.TenantAdmin) // nobody may approve it
	_, other := f.proposed(tenant, access.OptimizationEng, access.OptimizationEng)
	f.delegated(tenant, access.TenantAdmin, access.ReliabilityEng)
	deputy := f.as(tenant, access.ReliabilityEng)
	_, inbox := f.get(deputy, "/plans?lang=en")
	require.Contains(t, inbox, "You decide in place of "+f.person(tenant, access.TenantAdmin).Name.EN)
	require.Contains(t, inbox, "working hour")
	_, page := f.get(deputy, "/plans/"+other.String()+"?lang=en")
	require.Contains(t, page, `name="kind" value="approved"`)
	require.Contains(t, page, "in place of")
	_, page = f.get(f.as(tenant, access.OptimizationEng), "/plans/"+plan.String()+"?lang=en")
	require.Contains(t, page, "Nobody may approve this plan")
	raw, _ := f.issue(tenant, access.ReliabilityEng, soon(), "read:results")
	_, waiting, _ := f.call(raw, http.MethodGet, "/plans/waiting", nil)
	require.Len(t, waiting["items"], 2, "both to endorse, one of them to approve")
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, id uuid.UUID) error {
		_, err := tx.Exec(ctx, `UPDATE optimization.plans SET due_at = due_at - interval '1 hour' WHERE tenant_id = $1 AND id = $2`, id, plan)
		return err
	})
	_, waiting, _ = f.call(raw, http.MethodGet, "/plans/waiting?limit=1", nil)
	require.Len(t, waiting["items"], 1)
	require.Equal(t, plan.String(), waiting["items"].([]any)[0].(map[string]any)["id"], "the most urgent, not the newest")
}

func TestCommentsStayWithTheScenario(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const tenant = "ARAMCO_DEMO"
	_, plan := f.proposed(tenant, access.OptimizationEng, access.OptimizationEng)
	scenario, job := f.plan(tenant, plan).ScenarioID.String(), f.jobsOf(tenant, plan)[0].String()
	engineer := f.as(tenant, access.ReliabilityEng)
	path := "/scenarios/" + scenario + "/comments"
	status, page := f.post(engineer, path+"?lang=en", url.Values{"body": {" "}, "plan_id": {plan.String()}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, "Write a comment")
	status, target := f.location(engineer, path, url.Values{"body": {"Bearing is on order"}, "on": {job}, "plan_id": {plan.String()}})
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, "/plans/"+plan.String()+"#comments", target)
	status, _ = f.post(engineer, path, url.Values{"body": {"x"}, "on": {uuid.NewString()}})
	require.Equal(t, http.StatusUnprocessableEntity, status, "a line of another scenario")
	for _, address := range []string{"/plans/" + plan.String(), path} {
		_, page = f.get(f.as(tenant, access.Viewer), address+"?lang=en")
		require.Contains(t, page, "Bearing is on order", address)
		require.NotContains(t, page, `name="body"`, "a viewer reads only")
	}
	raw, _ := f.issue(tenant, access.TenantAdmin, soon(), "read:results")
	status, body, _ := f.call(raw, http.MethodPost, path, map[string]any{"body": "Seen", "recommendation_id": job}, "Idempotency-Key", uuid.NewString())
	require.Equal(t, http.StatusCreated, status, body)
	_, listed, _ := f.call(raw, http.MethodGet, path, nil)
	require.Len(t, listed["items"], 2)
}

func TestReturnedPlanIsRunAgainAndItsVersionsDiffer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const tenant = "ARAMCO_DEMO"
	run, plan := f.proposed(tenant, access.OptimizationEng, access.OptimizationEng)
	f.settled(tenant, plan, "returned", "returned", access.TenantAdmin)
	engineer := f.as(tenant, access.OptimizationEng)
	_, page := f.get(engineer, "/plans/"+plan.String()+"?lang=en")
	require.Contains(t, page, "/scenarios/new?again="+run.String())
	status, page := f.get(engineer, "/scenarios/new?lang=en&again="+run.String())
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, `value="Thirty days of `+tenant+`"`)
	next := f.finishedRun(tenant, access.OptimizationEng)
	status, target := f.location(engineer, "/runs/"+next.String()+"/propose", url.Values{"scenario": {"cheapest"}, "follows": {plan.String()}})
	require.Equal(t, http.StatusSeeOther, status)
	require.EqualValues(t, 2, f.plan(tenant, uuid.MustParse(strings.TrimPrefix(target, "/plans/"))).Version)
	status, page = f.get(engineer, target+"/diff?lang=en")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "Difference between versions")
	_, page = f.get(engineer, "/plans/"+plan.String()+"/diff?lang=en")
	require.Contains(t, page, "This is the first version")
	third := f.finishedRun(tenant, access.OptimizationEng)
	status, _ = f.post(engineer, "/runs/"+third.String()+"/propose", url.Values{"scenario": {"cheapest"}, "follows": {plan.String()}})
	require.Equal(t, http.StatusConflict, status, "a plan is followed once")
}

func TestGovernanceIsChecked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const tenant = "ARAMCO_DEMO"
	admin := f.as(tenant, access.TenantAdmin)
	form := url.Values{"decision_hours": {"16"}, "reminder_hours": {"20"}, "expiry_days": {"ten"}, "material_change": {"-1"}, "escalate_to": {f.person("WATER_DEMO", access.TenantAdmin).ID.String()}}
	status, page := f.post(admin, "/governance?lang=en", form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	for _, text := range []string{"Enter 0 to less than the time to decide", "Enter a number", "Enter zero or more", "Choose an active person", `value="ten"`} {
		require.Contains(t, page, text)
	}
	form = url.Values{"decision_hours": {"١٦"}, "reminder_hours": {"٣٫٥"}, "expiry_days": {"10"}, "material_change": {"٥٠٬٠٠٠"}, "require_endorsement": {"on"}, "escalate_to": {f.person(tenant, access.Viewer).ID.String()}}
	status, _ = f.post(admin, "/governance", form)
	require.Equal(t, http.StatusSeeOther, status)
	_, page = f.get(admin, "/governance?lang=en")
	for name, value := range map[string]string{"decision_hours": "16", "reminder_hours": "3.5", "expiry_days": "10", "material_change": "50000"} {
		require.Regexp(t, `name="`+name+`"[^>]* value="`+value+`"|value="`+value+`"[^>]* name="`+name+`"`, page, "as an Arabic keyboard writes it")
	}
	_, plan := f.proposed(tenant, access.OptimizationEng, access.OptimizationEng)
	require.Greater(t, time.Until(f.plan(tenant, plan).DueAt), 16*time.Hour, "two working days do not fit in one")
	_, page = f.get(admin, "/plans/"+plan.String()+"?lang=en")
	require.Contains(t, page, "A technical endorsement is required before approval")
	require.NotContains(t, page, `name="kind" value="approved"`)
	require.Contains(t, page, `name="kind" value="returned"`)
}

func TestDelegationIsCheckedAndRevoked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const tenant = "ARAMCO_DEMO"
	admin := f.as(tenant, access.TenantAdmin)
	me, deputy := f.person(tenant, access.TenantAdmin).ID.String(), f.person(tenant, access.ReliabilityEng).ID.String()
	today := time.Now().In(time.FixedZone("AST", 3*3600))
	form := func(to string, from, until int) url.Values {
		return url.Values{"from": {me}, "to": {to}, "starts": {today.AddDate(0, 0, from).Format(time.DateOnly)}, "ends": {today.AddDate(0, 0, until).Format(time.DateOnly)}, "reason": {"leave"}}
	}
	for name, c := range map[string]struct {
		form url.Values
		want string
	}{
		"a viewer":        {form(f.person(tenant, access.Viewer).ID.String(), 0, 3), "more than the role of viewer"},
		"oneself":         {form(me, 0, 3), "Choose somebody else"},
		"another tenant":  {form(f.person("WATER_DEMO", access.TenantAdmin).ID.String(), 0, 3), "more than the role of viewer"},
		"a service":       {form(f.tenant(tenant).ServiceAccounts[0].ID.String(), 0, 3), "more than the role of viewer"},
		"the past":        {form(deputy, -5, -2), "not past"},
		"too long a time": {form(deputy, 0, 95), "90 days at most"},
	} {
		status, page := f.post(admin, "/delegations?lang=en", c.form)
		require.Equal(t, http.StatusUnprocessableEntity, status, name)
		require.Contains(t, page, c.want, name)
		require.Contains(t, page, `value="leave"`, name)
	}
	status, _ := f.post(admin, "/delegations", form(deputy, 0, 3))
	require.Equal(t, http.StatusSeeOther, status)
	raw, _ := f.issue(tenant, access.TenantAdmin, soon(), "read:results")
	_, listed, _ := f.call(raw, http.MethodGet, "/delegations", nil)
	items, ok := listed["items"].([]any)
	require.True(t, ok)
	require.Len(t, items, 1)
	first, ok := items[0].(map[string]any)
	require.True(t, ok)
	require.Equal(t, true, first["active"])
	id, ok := first["id"].(string)
	require.True(t, ok)
	status, _ = f.post(admin, "/delegations/"+id+"/revoke", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	status, _, _ = f.call(raw, http.MethodPost, "/delegations/"+id+"/revoke", nil, "Idempotency-Key", uuid.NewString())
	require.Equal(t, http.StatusConflict, status, "it has ended")
}
