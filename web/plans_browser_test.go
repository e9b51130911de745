package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/uitest"
)

// TestApprovalPagesInABrowser looks at everything around a decision: a proposal,
// the plan with comments and jobs that are left out, its versions, rules and
// delegations.
func TestApprovalPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	t.Parallel()
	f := newFixture(t)
	const tenant = "ARAMCO_DEMO"
	_, first := f.proposed(tenant, access.ReliabilityEng, access.OptimizationEng)
	f.settled(tenant, first, "returned", "returned", access.TenantAdmin)
	run := f.finishedRun(tenant, access.OptimizationEng)
	engineer := f.as(tenant, access.OptimizationEng)
	status, target := f.location(engineer, "/runs/"+run.String()+"/propose", url.Values{"scenario": {"cheapest"}, "follows": {first.String()}, "note": {"Before Eid"},
		"leave": {f.jobOf(engineer, run)}, "left_reason": {"Spares arrive in January"}})
	require.Equal(t, http.StatusSeeOther, status)
	plan := f.plan(tenant, uuid.MustParse(strings.TrimPrefix(target, "/plans/")))
	status, _ = f.post(f.as(tenant, access.ReliabilityEng), "/scenarios/"+plan.ScenarioID.String()+"/comments",
		url.Values{"body": {"Bearing is on order"}, "on": {f.jobsOf(tenant, plan.ID)[0].String()}, "plan_id": {plan.ID.String()}})
	require.Equal(t, http.StatusSeeOther, status)
	f.delegated(tenant, access.TenantAdmin, access.ReliabilityEng)
	open := f.finishedRun(tenant, access.OptimizationEng)
	browser := f.signedIn(tenant, access.TenantAdmin)
	for name, path := range map[string]string{
		"inbox": "/plans", "propose": "/runs/" + open.String() + "/propose?scenario=balanced", "plan": target, "returned": "/plans/" + first.String(), "diff": target + "/diff",
		"comments": "/scenarios/" + plan.ScenarioID.String() + "/comments", "again": "/scenarios/new?again=" + run.String(), "governance": "/governance", "delegations": "/delegations",
	} {
		t.Run(name, func(t *testing.T) { uitest.CheckPage(t, browser, f.srv.URL+path) })
	}
}

// jobOf reads the first job that the proposal of a run offers to leave out.
func (f *fixture) jobOf(c *http.Client, run uuid.UUID) string {
	f.Helper()
	_, page := f.get(c, "/runs/"+run.String()+"/propose?scenario=cheapest")
	_, rest, ok := strings.Cut(page, `name="leave" value="`)
	require.True(f, ok)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}
