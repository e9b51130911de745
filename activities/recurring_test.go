package activities

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/recurrence"
)

// recurs inserts a report schedule that is due at every tenth minute, five
// minutes ago and in five minutes, and is watched from a while ago.
func (f *plantFixture) recurs(more string) (id uuid.UUID, due time.Time) {
	f.t.Helper()
	now := time.Now().UTC()
	due = now.Add(-5 * time.Minute).Truncate(time.Minute)
	cron := due.Format("4") // the minute, not padded
	cron = string(cron[len(cron)-1]) + "-59/10 * * * *"
	id = f.id(`INSERT INTO core.schedules (tenant_id, name, kind, cron, time_zone, catch_up_minutes, owner_id, account_id, created_by, watched_from, created_at, updated_at)
		SELECT $1, 'report ' || gen_random_uuid(), 'report', $2, 'UTC', 12, $3, (SELECT id FROM core.users WHERE tenant_id = $1 AND 'service_account' = ANY (roles) ORDER BY username LIMIT 1), $3,
			now() - interval '40 minutes', now() - interval '2 days', now() - interval '2 days' RETURNING id`, f.tenant, cron, f.people["optimization_engineer"])
	if more != "" {
		f.exec(`UPDATE core.schedules SET `+more+` WHERE tenant_id = $1 AND id = $2`, f.tenant, id)
	}
	return id, due
}

func (f *plantFixture) claim(id uuid.UUID, due time.Time, cause string) (c Claim) {
	f.t.Helper()
	f.do(&c, f.set.Recurring.ClaimFiring, ClaimInput{Firing: recurrence.Firing{TenantID: f.tenant, ScheduleID: id, DueAt: due, Cause: cause}, WorkflowID: "w/" + due.String() + cause})
	return c
}

// alone archives the schedules of the demonstration, which are due at night.
func (f *plantFixture) alone() {
	f.exec(`UPDATE core.schedules SET archived_at = now(), updated_at = now() - interval '2 hours' WHERE tenant_id = $1`, f.tenant)
}

func TestTheWatchNotesWhatNobodyStarted(t *testing.T) {
	f := newPlant(t)
	f.alone()
	id, due := f.recurs("")
	f.do(nil, f.set.Upkeep.WatchSchedules)
	require.Equal(t, 4, f.count(`SELECT count(*) FROM core.schedule_firings WHERE tenant_id = $1 AND schedule_id = $2 AND state = 'missed'`, f.tenant, id))
	require.Len(t, f.starter.firings, 1, "the newest stands for all within the window")
	require.True(t, f.starter.firings[0].DueAt.Equal(due))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.alerts l JOIN core.schedules s ON s.tenant_id = l.tenant_id AND s.id = $2
		WHERE l.tenant_id = $1 AND l.kind = $3 AND l.closed_at IS NULL AND l.detail->>'name' = s.name`, f.tenant, id, AlertScheduleMissed))
	f.do(nil, f.set.Upkeep.WatchSchedules)
	require.Len(t, f.starter.firings, 1, "a second look finds nothing new")

	c := f.claim(id, due, recurrence.Due)
	require.True(t, c.Go)
	require.True(t, f.claim(id, due, recurrence.Due).Go, "the same workflow gets the same answer")
	var other Claim
	f.do(&other, f.set.Recurring.ClaimFiring, ClaimInput{Firing: recurrence.Firing{TenantID: f.tenant, ScheduleID: id, DueAt: due, Cause: recurrence.Due}, WorkflowID: "another"})
	require.False(t, other.Go, "nobody else starts it")
	ref := FiringRef{TenantID: f.tenant, FiringID: c.FiringID}
	f.do(nil, f.set.Recurring.PrepareFiring, ref)
	var report uuid.UUID
	f.do(&report, f.set.Recurring.BuildReport, ref)
	f.do(&report, f.set.Recurring.BuildReport, ref)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.reports WHERE tenant_id = $1`, f.tenant))
	end := EndInput{FiringRef: ref, State: recurrence.Done, ReportID: &report}
	f.do(nil, f.set.Recurring.EndFiring, end)
	f.do(nil, f.set.Recurring.EndFiring, end)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.schedule_firings WHERE tenant_id = $1 AND schedule_id = $2 AND state = 'done' AND cause = 'catch_up' AND due_at = $3`, f.tenant, id, due))
	require.Zero(t, f.count(`SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND kind = $2 AND closed_at IS NULL`, f.tenant, AlertScheduleMissed), "it ran again")
	f.intact()
}

// TestAStartThatFailsIsMadeUpForLater has the engine refuse the start of a
// missed due time once, and what it knows of the schedule for good.
func TestAStartThatFailsIsMadeUpForLater(t *testing.T) {
	f := newPlant(t)
	f.alone()
	id, due := f.recurs("")
	away := errors.New("the engine is away")
	f.starter.startErr, f.starter.triggerErr = away, map[uuid.UUID]error{id: away}
	watch := func() error {
		_, err := f.env().ExecuteActivity(f.set.Upkeep.WatchSchedules)
		return err
	}
	require.ErrorContains(t, watch(), away.Error())
	require.Empty(t, f.starter.firings)
	require.Equal(t, 4, f.count(`SELECT count(*) FROM core.schedule_firings WHERE tenant_id = $1 AND schedule_id = $2 AND state = 'missed'`, f.tenant, id))
	f.exec(`UPDATE core.schedules SET updated_at = now() WHERE tenant_id = $1 AND id = $2`, f.tenant, id)
	require.ErrorContains(t, watch(), away.Error(), "telling the engine fails still")
	require.Len(t, f.starter.firings, 1, "and the due time is started")
	require.True(t, f.starter.firings[0].DueAt.Equal(due))
	f.starter.triggerErr, f.starter.firings = nil, nil
	require.True(t, f.claim(id, due, recurrence.Due).Go)
	require.NoError(t, watch())
	require.Empty(t, f.starter.firings, "what was taken up is not started again")
}

// TestOneBadScheduleStopsNoOther has a schedule that the engine does not take
// and one whose rule cannot be read, beside one that is due.
func TestOneBadScheduleStopsNoOther(t *testing.T) {
	f := newPlant(t)
	f.alone()
	refused, _ := f.recurs("watched_from = now()")
	broken, _ := f.recurs(`exclusions = '[{"holiday": 7}]'`)
	good, due := f.recurs("")
	f.starter.triggerErr = map[uuid.UUID]error{refused: errors.New("not taken")}
	f.exec(`UPDATE core.schedules SET updated_at = now() WHERE tenant_id = $1 AND id = $2`, f.tenant, refused)
	_, err := f.env().ExecuteActivity(f.set.Upkeep.WatchSchedules)
	require.ErrorContains(t, err, refused.String())
	require.ErrorContains(t, err, broken.String())
	require.Len(t, f.starter.firings, 1)
	require.Equal(t, good, f.starter.firings[0].ScheduleID)
	require.True(t, f.starter.firings[0].DueAt.Equal(due))
	err = f.set.EnsureRecurring(t.Context())
	require.ErrorContains(t, err, refused.String())
	require.True(t, slices.ContainsFunc(f.starter.triggers, func(x recurrence.Trigger) bool { return x.ID == good }), "the engine learns of the others when a worker starts")
}

func TestFailuresAreToldOfAndPause(t *testing.T) {
	f := newPlant(t)
	f.alone()
	id, due := f.recurs("failures = 1, pause_on_failure = true")
	f.exec(`UPDATE core.users SET is_active = false WHERE tenant_id = $1 AND id = (SELECT account_id FROM core.schedules WHERE tenant_id = $1 AND id = $2)`, f.tenant, id)
	c := f.claim(id, due, recurrence.Manual)
	ref := FiringRef{TenantID: f.tenant, FiringID: c.FiringID}
	detail := f.refuse(TypeForbidden, KeyAccountOff, f.set.Recurring.PrepareFiring, ref)
	f.do(nil, f.set.Recurring.EndFiring, EndInput{FiringRef: ref, State: recurrence.Failed, Cause: detail})
	for _, kind := range []string{"run.failed", "schedule.failing", "schedule.paused"} {
		require.Equal(t, 1, f.count(`SELECT count(*) FROM core.events WHERE tenant_id = $1 AND kind = $2`, f.tenant, kind), kind)
	}
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND kind = $2 AND closed_at IS NULL`, f.tenant, AlertScheduleFailing))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.schedules WHERE tenant_id = $1 AND id = $2 AND paused AND failures = 2`, f.tenant, id))
	require.True(t, f.starter.triggers[len(f.starter.triggers)-1].Paused, "the engine is told")
	require.False(t, f.claim(id, due, recurrence.Due).Go, "a paused schedule does not start")
	f.do(nil, f.set.Upkeep.WatchSchedules)
	require.Zero(t, f.count(`SELECT count(*) FROM core.schedule_firings WHERE tenant_id = $1 AND state = 'missed'`, f.tenant), "and nobody misses it")
	f.intact()
}

func TestPausesEndAndTurnsAreTaken(t *testing.T) {
	f := newPlant(t)
	f.alone()
	resting, _ := f.recurs("paused = true, paused_until = now() - interval '1 minute'")
	f.do(nil, f.set.Upkeep.WatchSchedules)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.schedules WHERE tenant_id = $1 AND id = $2 AND NOT paused`, f.tenant, resting))
	require.Zero(t, f.count(`SELECT count(*) FROM core.schedule_firings WHERE tenant_id = $1 AND schedule_id = $2`, f.tenant, resting), "times of the pause are not made up for")

	skip, due := f.recurs("")
	require.True(t, f.claim(skip, due.Add(-time.Hour), recurrence.Manual).Go)
	require.False(t, f.claim(skip, due, recurrence.Due).Go)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.schedule_firings WHERE tenant_id = $1 AND schedule_id = $2 AND state = 'skipped' AND error_key = $3`, f.tenant, skip, KeyFiringOverlap))

	buffer, due := f.recurs("overlap = 'buffer_one'")
	first := f.claim(buffer, due.Add(-time.Hour), recurrence.Manual)
	require.True(t, f.claim(buffer, due, recurrence.Due).Wait)
	f.do(nil, f.set.Recurring.EndFiring, EndInput{FiringRef: FiringRef{TenantID: f.tenant, FiringID: first.FiringID}, State: recurrence.Done})
	require.True(t, f.claim(buffer, due, recurrence.Due).Go, "its turn has come")

	back, due := f.recurs("")
	require.True(t, f.claim(back, due.Add(-20*time.Minute), recurrence.Backfill).Go)
	require.True(t, f.claim(back, due.Add(-10*time.Minute), recurrence.Backfill).Wait, "backfills go one after the other")
	require.False(t, f.claim(back, due.Add(time.Minute), recurrence.Due).Go, "not a due time")
}
