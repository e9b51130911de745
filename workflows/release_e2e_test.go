package workflows

import (
	"net"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/secret"
)

// TestReleaseThroughRealWorkers takes a release through a dry run, a line that
// is refused, the end of all workers while it is stuck, a decision and a
// reconciliation, on a real Temporal server.
func TestReleaseThroughRealWorkers(t *testing.T) {
	p := newPlatform(t)
	keyset, err := secret.GenerateKeyset()
	require.NoError(t, err)
	box, err := secret.New(keyset)
	require.NoError(t, err)
	p.halt()
	p.set = activities.NewSet(activities.Deps{DB: p.db, Box: box, Starter: p.client, Dialer: &net.Dialer{}, SolverThreads: 1})
	p.work()
	f := &releasing{t: t, db: p.db, set: p.set, box: box, tenant: p.tenant, people: p.people}
	f.loadAssets()
	c := newSAP(t)
	integration := f.maintain(c)
	plan := f.approved()
	ctx := t.Context()

	run, err := p.client.PreviewRelease(ctx, p.tenant, plan.PlanID, integration)
	require.NoError(t, err)
	require.Len(t, run.Lines, releaseLines)
	for _, l := range run.Lines {
		require.Equal(t, "create", l.Action)
		require.True(t, l.Live)
	}
	require.Empty(t, c.orders(), "a dry run writes nothing")

	c.fail("refused", 2)
	f.request(plan, integration)
	for range 2 {
		require.NoError(t, p.client.StartRelease(ctx, p.tenant, plan.PlanID))
	}
	p.eventually(func() bool { return f.state(plan) == "stuck/approved" }, "the release is stuck")
	decide := func(id string, r Resolution) error {
		_, err := p.client.ResolveRelease(ctx, p.tenant, plan.PlanID, id, r)
		return err
	}
	p.refused(decide("viewer", Resolution{ActorID: p.people["viewer"], Choice: Retry}), fault.Forbidden, KeyNotAllowed)
	p.refused(decide("service", Resolution{ActorID: p.people["tenant_admin"], Service: true, Choice: Retry}), fault.Forbidden, KeyNotAllowed)
	p.refused(decide("nobody", Resolution{ActorID: uuid.Nil, Choice: Retry}), fault.Invalid, KeyBadResolution)
	p.refused(decide("silent", Resolution{ActorID: p.people["tenant_admin"], Choice: Undo}), fault.Invalid, KeyBadResolution)
	p.halt() // nobody works; the release waits in Temporal and in its rows
	c.heal()
	p.work()
	for range 2 { // a repeated request changes nothing
		require.NoError(t, decide("retry", Resolution{ActorID: p.people["tenant_admin"], Choice: Retry}))
	}
	p.eventually(func() bool { return f.state(plan) == "done/released" }, "the release is done")
	require.Len(t, c.orders(), releaseLines)
	require.Equal(t, releaseLines, f.open(plan))
	p.refused(decide("late", Resolution{ActorID: p.people["tenant_admin"], Choice: Undo, Reason: "too late"}), fault.Conflict, KeyReleaseNotStuck)

	require.NoError(t, p.client.ReconcileNow(ctx, p.tenant))
	p.eventually(func() bool {
		return f.count(`SELECT count(*) FROM optimization.releases WHERE tenant_id = $1 AND reconciled_at IS NOT NULL`, p.tenant) == 1
	}, "the orders are compared")
	p.record("release_saga", ReleaseID(p.tenant, plan.PlanID))
	p.record("release_preview", DryRunID(DryRunInput{TenantID: p.tenant, PlanID: plan.PlanID, IntegrationID: integration}))
	p.record("reconcile", ReconcileID(p.tenant)+"/now")
}
