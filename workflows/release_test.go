package workflows

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/internal/connector"
)

// lines counts the lines of a plan's release in a state.
func (f *releasing) lines(plan activities.PlanRef, where string) int {
	f.t.Helper()
	return f.count(`SELECT count(*) FROM optimization.release_lines l JOIN optimization.releases r ON r.tenant_id = l.tenant_id AND r.id = l.release_id
		WHERE l.tenant_id = $1 AND r.plan_id = $2 AND `+where, f.tenant, plan.PlanID)
}

// open counts the open work orders of a plan that have a twin.
func (f *releasing) open(plan activities.PlanRef) int {
	f.t.Helper()
	return f.count(`SELECT count(*) FROM core.work_orders WHERE tenant_id = $1 AND plan_id = $2 AND status = 'open' AND external_id <> '' AND baseline_start_on = start_on`, f.tenant, plan.PlanID)
}

// state reads how release and plan stand, as "release/plan".
func (f *releasing) state(plan activities.PlanRef) string {
	f.t.Helper()
	for _, r := range []string{"running", "stuck", "undoing", "done", "undone"} {
		for _, p := range []string{"approved", "released", "superseded"} {
			if f.count(`SELECT count(*) FROM optimization.releases r JOIN optimization.plans p ON p.tenant_id = r.tenant_id AND p.id = r.plan_id
				WHERE r.tenant_id = $1 AND p.id = $2 AND r.state = $3 AND p.state = $4`, f.tenant, plan.PlanID, r, p) == 1 {
				return r + "/" + p
			}
		}
	}
	return ""
}

// oneEach requires that no asset has two orders that are not cancelled.
func oneEach(t *testing.T, orders []connector.WorkOrderRecord) {
	t.Helper()
	seen := map[string]bool{}
	for _, o := range orders {
		require.False(t, seen[o.AssetID], "two orders for %s", o.AssetID)
		seen[o.AssetID] = true
	}
}

// TestAReleaseThatFailsAtAnyLineEndsWholeOrTakenBack lets every line fail in
// every way and resolves it in every way. The end is always all, none, or less
// by what a person left out, and never a second order.
func TestAReleaseThatFailsAtAnyLineEndsWholeOrTakenBack(t *testing.T) {
	whole := os.Getenv("OPTRIA_RELEASE_FAULTS") == "all"
	for system, start := range counterparts {
		t.Run(system, func(t *testing.T) {
			f := newReleasing(t)
			for line := 1; line <= releaseLines; line++ {
				for i, fault := range []string{"before", "lost", "refused"} {
					for j, choice := range []string{Retry, Skip, Undo} {
						if whole || (line+i+j)%3 == 0 {
							f.fails(start(t), line, fault, choice)
						}
					}
				}
			}
			report, err := f.db.VerifyAudit(t.Context(), f.tenant)
			require.NoError(t, err)
			require.True(t, report.Intact)
		})
	}
}

func (f *releasing) fails(c *counterpart, line int, fault, choice string) {
	f.t.Helper()
	t, name := f.t, fmt.Sprintf("line %d %s %s", line, fault, choice)
	f.settle()
	integration := f.maintain(c)
	plan := f.approved()
	f.request(plan, integration)
	c.fail(fault, line)
	result, _ := f.release(plan, choice, func() {
		require.Equal(t, "stuck/approved", f.state(plan), name)
		require.Equal(t, 1, f.lines(plan, `l.state = 'failed' AND l.error_key <> ''`), name)
		require.Equal(t, line-1, f.lines(plan, `l.state = 'written'`), name)
		require.Equal(t, 1, f.count(`SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND kind = 'release_stuck' AND closed_at IS NULL AND detail ->> 'plan_id' = $2`, f.tenant, plan.PlanID.String()), name)
		require.Equal(t, 1, f.count(`SELECT count(*) FROM core.events WHERE tenant_id = $1 AND kind = 'release.stuck' AND object_id = $2`, f.tenant, plan.PlanID), name)
		c.heal()
	})
	require.Zero(t, f.count(`SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND kind = 'release_stuck' AND closed_at IS NULL`, f.tenant), name)
	live := c.live()
	oneEach(t, live)
	switch choice {
	case Undo:
		require.Equal(t, ReleaseResult{State: activities.ReleaseUndone}, result, name)
		require.Equal(t, "undone/approved", f.state(plan), name)
		require.Empty(t, live, name)
		require.Zero(t, f.open(plan), name)
		require.Equal(t, releaseLines, f.lines(plan, `l.state = 'undone'`), name)
		f.again(c, plan, integration, name)
		return
	case Skip:
		require.Len(t, live, releaseLines-1, name)
		require.Equal(t, 1, f.lines(plan, `l.state = 'skipped' AND l.reason = 'the test says so'`), name)
	default:
		require.Len(t, live, releaseLines, name)
		require.Len(t, c.orders(), releaseLines, "%s: nothing was created twice", name)
	}
	require.Equal(t, "done/released", f.state(plan), name)
	require.Equal(t, len(live), f.open(plan), name)
	require.Equal(t, len(live), result.Created, name)
}

// again releases a plan anew whose release was undone.
func (f *releasing) again(c *counterpart, plan activities.PlanRef, integration uuid.UUID, name string) {
	f.t.Helper()
	cancelled := len(c.orders())
	f.request(plan, integration)
	result, _ := f.release(plan, "", nil)
	require.Equal(f.t, releaseLines, result.Created, name)
	require.Equal(f.t, "done/released", f.state(plan), name)
	require.Len(f.t, c.live(), releaseLines, name)
	require.Len(f.t, c.orders(), releaseLines+cancelled, name)
	oneEach(f.t, c.live())
	require.Equal(f.t, releaseLines, f.open(plan), name)
}

// TestAWorkerThatDiesAtAnyLineLeavesNoSecondOrder breaks the attempt off after
// the order was written and before the product knows of it.
func TestAWorkerThatDiesAtAnyLineLeavesNoSecondOrder(t *testing.T) {
	for system, start := range counterparts {
		t.Run(system, func(t *testing.T) {
			f := newReleasing(t)
			for line := 1; line <= releaseLines; line++ {
				f.settle()
				c := start(t)
				plan := f.approved()
				f.request(plan, f.maintain(c))
				writes := 0
				c.written = func() {
					if writes++; writes == line {
						f.killer.kill()
					}
				}
				result, _ := f.release(plan, "", nil)
				require.Equal(t, ReleaseResult{Created: releaseLines, State: activities.ReleaseDone}, result)
				require.Len(t, c.orders(), releaseLines, "dying at line %d", line)
				require.Equal(t, releaseLines, f.open(plan))
				require.Equal(t, 1, f.lines(plan, `l.attempts = 2`), "the attempt at line %d was broken off", line)
			}
		})
	}
}
