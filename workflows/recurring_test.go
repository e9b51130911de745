package workflows

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/recurrence"
)

// recurringOf inserts a schedule of the plant that was made long ago.
func (p *platform) recurringOf(kind, cron, overlap string, minutes int, request string) (id uuid.UUID) {
	p.t.Helper()
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `INSERT INTO core.schedules (tenant_id, name, kind, request, cron, time_zone, overlap, catch_up_minutes, owner_id, account_id, created_by,
			watched_from, created_at, updated_at)
			SELECT $1, 'nightly ' || gen_random_uuid(), $2, $3, $4, 'UTC', $5, $6, $7, (SELECT id FROM core.users WHERE tenant_id = $1 AND 'service_account' = ANY (roles) ORDER BY username LIMIT 1), $7,
			now() - interval '1 hour', now() - interval '2 days', now() - interval '2 days' RETURNING id`,
			p.tenant, kind, request, cron, overlap, minutes, p.people["optimization_engineer"]).Scan(&id)
	})
	return id
}

func (p *platform) firings(schedule uuid.UUID, state string) int {
	return p.count(`SELECT count(*) FROM core.schedule_firings WHERE tenant_id = $1 AND schedule_id = $2 AND state = $3`, p.tenant, schedule, state)
}

// TestDueTimesAfterAnOutage stops the worker while a schedule comes due several
// times: exactly the runs of the catch-up policy happen, whoever is first to
// look, and the alarm names the schedule.
func TestDueTimesAfterAnOutage(t *testing.T) {
	p := newPlatform(t)
	ctx := t.Context()
	cron := fmt.Sprintf("%d-59/10 * * * *", (time.Now().UTC().Minute()+5)%10) // due five minutes ago, and in five minutes
	every := p.recurringOf("report", cron, recurrence.AllowAll, 60, "{}")
	newest := p.recurringOf("report", cron, recurrence.Skip, 25, "{}")
	run := p.recurringOf("optimization", cron, recurrence.Skip, 60,
		`{"problem": "maintenance_prioritization", "start": "same_day", "days": 30, "time_limit_seconds": 5, "objective": {"presets": ["cheapest"]}, "constraints": {"one_train_out": true}}`)
	p.halt()
	rule, err := recurrence.New(cron, "UTC", nil, nil)
	require.NoError(t, err)
	now := time.Now()
	due := rule.Between(now.Add(-time.Hour), now.Add(-recurrence.Grace), 100)
	require.GreaterOrEqual(t, len(due), 5)
	for _, at := range due { // what the engine starts while nobody works
		for _, s := range []uuid.UUID{every, newest, run} {
			f := recurrence.Firing{TenantID: p.tenant, ScheduleID: s, DueAt: at, Cause: recurrence.Due}
			require.NoError(t, p.client.StartRecurring(ctx, f))
			require.NoError(t, p.client.StartRecurring(ctx, f), "a due time is started once")
		}
	}
	p.work()
	p.eventually(func() bool {
		return p.count(`SELECT count(*) FROM core.schedule_firings WHERE tenant_id = $1 AND due_at <= $2 AND state <> 'started'`, p.tenant, due[len(due)-1]) == 3*len(due)
	}, "every due time is accounted for")
	require.Equal(t, len(due), p.firings(every, "done"), "each is made up for")
	require.Equal(t, 1, p.firings(newest, "done"), "the newest stands for all")
	require.Equal(t, 1, p.firings(run, "done"))
	require.Equal(t, 1, p.count(`SELECT count(*) FROM optimization.optimization_runs WHERE tenant_id = $1 AND schedule_id = $2 AND channel = 'schedule' AND state = 'done'`, p.tenant, run))
	require.NotZero(t, p.firings(newest, "missed"), "older than the window")
	require.Equal(t, len(due)-1, p.firings(newest, "missed")+p.firings(newest, "skipped"))
	for _, s := range []uuid.UUID{every, newest, run} {
		require.Equal(t, 1, p.count(`SELECT count(*) FROM core.alerts l JOIN core.schedules s ON s.tenant_id = l.tenant_id AND s.id = $2
			WHERE l.tenant_id = $1 AND l.kind = 'schedule_missed' AND l.detail->>'name' = s.name`, p.tenant, s), "the alarm names the schedule")
		require.NotZero(t, p.count(`SELECT count(*) FROM core.events e JOIN core.notifications n ON n.tenant_id = e.tenant_id AND n.event_id = e.id
			WHERE e.tenant_id = $1 AND e.kind = 'schedule.missed' AND e.object_id = $2 AND n.user_id = $3`, p.tenant, s, p.people["optimization_engineer"]))
	}
	p.record("recurring", firingID(recurrence.Firing{TenantID: p.tenant, ScheduleID: run, DueAt: due[len(due)-1], Cause: recurrence.Due}))
}

// TestTheEngineStartsWhatIsDue lets the engine itself start a due time, through
// a backfill of its schedule, and changes and forgets the schedule.
func TestTheEngineStartsWhatIsDue(t *testing.T) {
	p := newPlatform(t)
	ctx := t.Context()
	id := p.recurringOf("report", "*/10 * * * *", recurrence.Skip, 60, "{}")
	load := func() (s db.Schedule) {
		p.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
			s, err = q.LockSchedule(ctx, tx, p.tenant, id)
			return err
		})
		return s
	}
	require.NoError(t, p.client.EnsureRecurring(ctx, load().StartTrigger()))
	handle := p.client.temporal.ScheduleClient().GetHandle(ctx, RecurringID(p.tenant, id))
	described, err := handle.Describe(ctx)
	require.NoError(t, err)
	rule, err := recurrence.New("*/10 * * * *", "UTC", nil, nil)
	require.NoError(t, err)
	next := rule.Next(described.Info.NextActionTimes[0].Add(-time.Second), len(described.Info.NextActionTimes))
	for i, at := range described.Info.NextActionTimes {
		require.True(t, at.Equal(next[i]), "engine and product agree on %s and %s", at, next[i])
	}
	last := rule.Between(time.Now().Add(-20*time.Minute), time.Now(), 1)[0]
	require.NoError(t, handle.Backfill(ctx, client.ScheduleBackfillOptions{Backfill: []client.ScheduleBackfill{{Start: last.Add(-time.Second), End: last, Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL}}}))
	p.eventually(func() bool { return p.firings(id, "done") == 1 }, "the engine's start is carried out")

	s := load()
	s.Paused, s.PauseNote = true, "until the audit is over"
	require.NoError(t, p.client.EnsureRecurring(ctx, s.StartTrigger()))
	described, err = handle.Describe(ctx)
	require.NoError(t, err)
	require.True(t, described.Schedule.State.Paused)
	require.NotContains(t, described.Schedule.State.Note, s.PauseNote, "why it rests stays in the database")
	until := time.Now().Add(48 * time.Hour).Truncate(time.Second)
	s.PausedUntil = &until
	require.NoError(t, p.client.EnsureRecurring(ctx, s.StartTrigger()))
	described, err = handle.Describe(ctx)
	require.NoError(t, err)
	require.False(t, described.Schedule.State.Paused)
	require.False(t, described.Info.NextActionTimes[0].Before(until), "the first start comes after the pause")
	s.ArchivedAt = &until
	require.NoError(t, p.client.EnsureRecurring(ctx, s.StartTrigger()))
	require.NoError(t, p.client.EnsureRecurring(ctx, s.StartTrigger()), "forgetting twice changes nothing")
	_, err = handle.Describe(ctx)
	require.Error(t, err)
}

// TestABackfillIsStartedAgainAfterItFailed asks for one due time three times:
// while its account is off, afterwards, and when it is done.
func TestABackfillIsStartedAgainAfterItFailed(t *testing.T) {
	p := newPlatform(t)
	id := p.recurringOf("report", "*/10 * * * *", recurrence.Skip, 60, "{}")
	admin := p.people["tenant_admin"]
	f := recurrence.Firing{TenantID: p.tenant, ScheduleID: id, DueAt: time.Now().UTC().Add(-24 * time.Hour).Truncate(10 * time.Minute), Cause: recurrence.Backfill, By: &admin}
	account := func(active bool) {
		p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			_, err := tx.Exec(ctx, `UPDATE core.users u SET is_active = $3 FROM core.schedules s WHERE s.tenant_id = $1 AND s.id = $2 AND u.tenant_id = $1 AND u.id = s.account_id`, p.tenant, id, active)
			return err
		})
	}
	account(false)
	require.NoError(t, p.client.StartRecurring(t.Context(), f))
	p.eventually(func() bool { return p.firings(id, "failed") == 1 }, "the first fails")
	account(true)
	p.eventually(func() bool { // the first workflow may not have closed yet
		require.NoError(t, p.client.StartRecurring(t.Context(), f))
		return p.firings(id, "done") == 1
	}, "the second does it")
	require.NoError(t, p.client.temporal.GetWorkflow(t.Context(), firingID(f), "").Get(t.Context(), nil), "the second has closed")
	require.NoError(t, p.client.StartRecurring(t.Context(), f))
	run := p.client.temporal.GetWorkflow(t.Context(), firingID(f), "")
	var last RecurringResult
	require.NoError(t, run.Get(t.Context(), &last))
	require.Empty(t, last.State, "the third finds nothing to do")
	require.Equal(t, 1, p.count(`SELECT count(*) FROM core.reports WHERE tenant_id = $1 AND schedule_id = $2`, p.tenant, id))
	require.Equal(t, 1, p.count(`SELECT count(*) FROM core.schedule_firings WHERE tenant_id = $1 AND schedule_id = $2 AND cause = 'backfill'`, p.tenant, id))
}
