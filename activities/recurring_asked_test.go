package activities

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/internal/runs"
)

// recursPlanning is recurs for a schedule that asks for runs.
func (f *plantFixture) recursPlanning() (id uuid.UUID, due time.Time) {
	f.t.Helper()
	return f.recurs(`kind = 'optimization', request = '{"problem": "maintenance_prioritization", "start": "same_day", "days": 30, "time_limit_seconds": 5,
		"objective": {"presets": ["cheapest"]}, "constraints": {"one_train_out": true}}'`)
}

// prepare records the run of a firing for who asked.
func (f *plantFixture) prepare(firing uuid.UUID, by *uuid.UUID) (ref RunRef) {
	f.t.Helper()
	ref.TenantID = f.tenant
	f.do(&ref.RunID, f.set.Recurring.PrepareFiring, FiringRef{TenantID: f.tenant, FiringID: firing, By: by})
	return ref
}

// TestWhoAsksForARunIsItsRequester tells what is due from what a person starts:
// the person counts as the one who launched the run, and so cannot approve it.
func TestWhoAsksForARunIsItsRequester(t *testing.T) {
	f := newPlant(t)
	f.alone()
	id, due := f.recursPlanning()
	account := f.id(`SELECT account_id FROM core.schedules WHERE tenant_id = $1 AND id = $2`, f.tenant, id)
	admin, viewer := f.people["tenant_admin"], f.people["viewer"]

	onTime := f.claim(id, due, recurrence.Due)
	require.Equal(t, account, f.run(f.prepare(onTime.FiringID, nil)).RequestedBy)
	byHand := f.claim(id, due.Add(time.Minute), recurrence.Manual)
	run := f.prepare(byHand.FiringID, &admin)
	require.Equal(t, admin, f.run(run).RequestedBy)
	require.Equal(t, run, f.prepare(byHand.FiringID, &admin), "asking again finds the run")
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'run.requested' AND object_id = $2 AND actor_id = $3`, f.tenant, run.RunID.String(), admin))

	refused := f.claim(id, due.Add(2*time.Minute), recurrence.Manual)
	for _, who := range []uuid.UUID{viewer, account} {
		f.refuse(TypeForbidden, KeyAskerNotAble, f.set.Recurring.PrepareFiring, FiringRef{TenantID: f.tenant, FiringID: refused.FiringID, By: &who})
	}
	f.exec(`UPDATE core.users SET is_active = false WHERE tenant_id = $1 AND id = $2`, f.tenant, admin)
	f.refuse(TypeForbidden, KeyAskerNotAble, f.set.Recurring.PrepareFiring, FiringRef{TenantID: f.tenant, FiringID: refused.FiringID, By: &admin})
	require.Zero(t, f.count(`SELECT count(*) FROM core.schedule_firings WHERE tenant_id = $1 AND id = $2 AND run_id IS NOT NULL`, f.tenant, refused.FiringID))
	f.intact()
}

// TestABackfillThatFailedIsDoneAgain repeats one due time until it ends well.
func TestABackfillThatFailedIsDoneAgain(t *testing.T) {
	f := newPlant(t)
	f.alone()
	id, due := f.recursPlanning()
	due = due.Add(-20 * time.Minute)
	asked := f.people["tenant_admin"]
	end := func(firing uuid.UUID, state string) {
		in := EndInput{FiringRef: FiringRef{TenantID: f.tenant, FiringID: firing}, State: state}
		if state == recurrence.Failed {
			in.Cause = ErrorDetail{Code: fault.Invalid, Key: KeyBadRequest, Args: map[string]any{"Fields": "days"}}
		}
		f.do(nil, f.set.Recurring.EndFiring, in)
		f.do(nil, f.set.Recurring.EndFiring, in)
	}
	first := f.claim(id, due, recurrence.Backfill)
	require.True(t, first.Go)
	former := f.prepare(first.FiringID, &asked)
	end(first.FiringID, recurrence.Failed)
	require.False(t, f.claim(id, due, recurrence.Due).Go, "its own time is past")

	again := f.claim(id, due, recurrence.Backfill)
	require.True(t, again.Go)
	require.Equal(t, first.FiringID, again.FiringID, "it is the same due time")
	require.True(t, f.claim(id, due, recurrence.Backfill).Go, "the same workflow gets the same answer")
	run := f.prepare(again.FiringID, &asked)
	require.NotEqual(t, former, run, "with a run of its own")
	require.Equal(t, run, f.prepare(again.FiringID, &asked))
	end(again.FiringID, recurrence.Failed)
	require.Equal(t, 2, f.count(`SELECT count(*) FROM core.events WHERE tenant_id = $1 AND kind = 'run.failed' AND payload->'reason_args'->>'Fields' = 'days'`, f.tenant), "each failure is told of, with what its reason speaks of")
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND kind = $2 AND detail->'error_detail'->>'Fields' = 'days'`, f.tenant, AlertScheduleFailing))

	f.exec(`UPDATE core.schedule_firings SET state = 'skipped' WHERE tenant_id = $1 AND id = $2`, f.tenant, first.FiringID)
	last := f.claim(id, due, recurrence.Backfill)
	require.True(t, last.Go, "what was skipped as well")
	f.exec(`UPDATE core.schedules SET kind = 'report' WHERE tenant_id = $1 AND id = $2`, f.tenant, id)
	end(last.FiringID, recurrence.Done)
	require.False(t, f.claim(id, due, recurrence.Backfill).Go, "what was done stays done")
	f.intact()
}

// TestEveryEndOfARunIsAnnounced ends runs that people asked for and runs of a
// schedule: each is an event once, and people hear of what changed.
func TestEveryEndOfARunIsAnnounced(t *testing.T) {
	f := newPlant(t)
	f.alone()
	events := func(kind string, ref RunRef) int {
		return f.count(`SELECT count(*) FROM core.events WHERE tenant_id = $1 AND kind = $2 AND payload->>'run_id' = $3`, f.tenant, kind, ref.RunID.String())
	}
	own := f.solved("optimization_engineer")
	require.Equal(t, 1, events("run.finished", own))
	require.Empty(t, f.told("run.finished"), "who asked sees it on the page")
	for state, told := range map[string]int{RunFailed: 1, RunCancelled: 0} {
		ref := f.request("optimization_engineer", runs.Objective{}, runs.Constraints{})
		in := CloseInput{RunRef: ref, State: state, Cause: ErrorDetail{Code: fault.Invalid, Key: KeyBadRequest, Args: map[string]any{"Fields": "days"}}}
		f.do(nil, f.set.Optimization.CloseRun, in)
		f.do(nil, f.set.Optimization.CloseRun, in)
		require.Equal(t, told, events("run.failed", ref), state)
	}
	id, due := f.recursPlanning()
	for n := range 2 {
		c := f.claim(id, due.Add(time.Duration(n)*time.Second), recurrence.Manual)
		ref := f.prepare(c.FiringID, nil)
		f.solve(ref)
		require.Zero(t, events("run.finished", ref), "its firing tells")
		f.do(nil, f.set.Recurring.EndFiring, EndInput{FiringRef: FiringRef{TenantID: f.tenant, FiringID: c.FiringID}, State: recurrence.Done})
		require.Equal(t, 1, events("run.finished", ref))
		if n == 0 {
			require.Contains(t, f.told("run.finished"), "optimization_engineer", "the first plan is news")
			f.exec(`UPDATE core.notifications SET read_at = now() WHERE tenant_id = $1`, f.tenant)
		}
	}
	require.Zero(t, f.count(`SELECT count(*) FROM core.notifications WHERE tenant_id = $1 AND read_at IS NULL`, f.tenant), "the same plan again is not")
	f.intact()
}

// TestAnOpenWindowIsNotMissed watches a schedule of an outside scheduler, which
// may still call for its newest due time.
func TestAnOpenWindowIsNotMissed(t *testing.T) {
	f := newPlant(t)
	f.alone()
	id, due := f.recurs("trigger = 'external', kind = 'optimization'")
	f.do(nil, f.set.Upkeep.WatchSchedules)
	require.Equal(t, 3, f.count(`SELECT count(*) FROM core.schedule_firings WHERE tenant_id = $1 AND schedule_id = $2 AND state = 'missed' AND cause = 'external'`, f.tenant, id))
	var detail struct {
		LastDue time.Time `json:"last_due"`
	}
	var text string
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT detail::text FROM core.alerts WHERE tenant_id = $1 AND kind = $2 AND closed_at IS NULL`, f.tenant, AlertScheduleMissed).Scan(&text)
	})
	require.NoError(t, json.Unmarshal([]byte(text), &detail))
	require.True(t, detail.LastDue.Equal(due.Add(-10*time.Minute)), "the alarm ends before the window that is open: %s", detail.LastDue)
	require.Empty(t, f.starter.firings, "nobody but the outside scheduler starts it")
}
