package workflows

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/release"
)

// source opens the counterpart past its gateway, as its own people do.
func (c *counterpart) source(t *testing.T) connector.WorkOrderWriter {
	t.Helper()
	opened, err := connector.Open(c.kind, c.direct, connector.Secrets{"password": c.password}, &net.Dialer{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	return opened.(connector.WorkOrderWriter)
}

// foreign is an order of others for the asset of a line, from 1.
type foreign struct {
	id         string
	start, end time.Time // the days of the line in the plan
	away       int       // days from there on which the order lies
}

// foreign creates an order of others, which the readings know.
func (f *releasing) foreign(c *counterpart, integration uuid.UUID, plan activities.PlanRef, line int, key string, away int) foreign {
	f.t.Helper()
	o := foreign{away: away}
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		days, err := db.TenantCalendar(ctx, tx, f.tenant)
		if err != nil {
			return err
		}
		var first, last time.Time
		err = tx.QueryRow(ctx, `SELECT r.start_on, r.end_on FROM optimization.optimization_recommendations r JOIN optimization.plans p ON p.tenant_id = r.tenant_id AND p.scenario_id = r.scenario_id
			WHERE p.tenant_id = $1 AND p.id = $2 AND r.rank = $3`, f.tenant, plan.PlanID, line).Scan(&first, &last)
		o.start, o.end = release.Span(first, last, days.Location())
		return err
	})
	order, err := c.source(f.t).CreateWorkOrder(f.t.Context(), connector.WorkOrderDraft{Key: key, Title: "of others", AssetID: c.twin(line),
		PlannedStart: o.start.AddDate(0, 0, away), PlannedEnd: o.end.AddDate(0, 0, away), Operations: []connector.OrderOperation{{Title: "of others", Hours: 1}}})
	require.NoError(f.t, err)
	o.id = order.ID
	f.exec(`INSERT INTO core.external_orders (tenant_id, integration_id, external_id, kind, idempotency_key, asset_id, state, planned_start, planned_end, version, seen_at)
		VALUES ($1, $2, $3, 'order', $4, $5, $6, $7, $8, $9, now())`, f.tenant, integration, order.ID, key, f.assets[line-1], order.State, order.PlannedStart, order.PlannedEnd, order.Version)
	return o
}

// lies requires that an order is open on days away from those of its line.
func (o foreign) lies(t *testing.T, c *counterpart, away int, name string) {
	t.Helper()
	order, err := c.source(t).ReadWorkOrder(t.Context(), o.id)
	require.NoError(t, err)
	require.True(t, release.Open(order.State), "%s: %s", name, order.State)
	require.WithinDuration(t, o.start.AddDate(0, 0, away), order.PlannedStart, 0, name)
	require.WithinDuration(t, o.end.AddDate(0, 0, away), order.PlannedEnd, 0, name)
}

// TestAMoveThatFailsEndsMovedOrWhereItWas lets the second of three orders of
// others that a release moves fail in every way, and resolves it in every way.
func TestAMoveThatFailsEndsMovedOrWhereItWas(t *testing.T) {
	whole := os.Getenv("OPTRIA_RELEASE_FAULTS") == "all"
	for system, start := range counterparts {
		t.Run(system, func(t *testing.T) {
			f := newReleasing(t)
			for i, fault := range []string{"before", "lost", "refused"} {
				for j, choice := range []string{Retry, Skip, Undo} {
					if whole || (i+2*j)%3 == 1 {
						f.moves(start(t), fault, choice)
					}
				}
			}
		})
	}
}

func (f *releasing) moves(c *counterpart, fault, choice string) {
	f.t.Helper()
	t, name := f.t, fault+" "+choice
	f.settle()
	integration, plan := f.maintain(c), f.approved()
	var orders []foreign
	for line := 1; line <= releaseLines; line++ {
		orders = append(orders, f.foreign(c, integration, plan, line, "EXT-"+string(rune('0'+line)), 7))
	}
	f.request(plan, integration)
	c.changes = true
	c.fail(fault, 2)
	result, _ := f.release(plan, choice, func() {
		require.Equal(t, "stuck/approved", f.state(plan), name)
		require.Equal(t, 1, f.lines(plan, `l.state = 'written' AND l.action = 'move' AND l.before IS NOT NULL`), name)
		c.heal()
	})
	require.Empty(t, c.orders(), "%s: a move creates nothing", name)
	if choice == Undo {
		require.Equal(t, ReleaseResult{State: activities.ReleaseUndone}, result, name)
		require.Equal(t, releaseLines, f.lines(plan, `l.state = 'undone'`), name)
		require.Zero(t, f.open(plan), name)
		for _, o := range orders {
			o.lies(t, c, 7, name)
		}
		return
	}
	require.Equal(t, "done/released", f.state(plan), name)
	for i, o := range orders {
		away := 0
		if choice == Skip && i == 1 {
			away = 7 // what an attempt may have done is taken back
		}
		o.lies(t, c, away, name)
	}
	require.Equal(t, result.Created, f.open(plan), name)
}

// TestConflictsAreMendedLeftOutOrTakenBack releases a line whose order lies on
// its days already, one for which two orders could be meant, and one without.
func TestConflictsAreMendedLeftOutOrTakenBack(t *testing.T) {
	for system, start := range counterparts {
		t.Run(system, func(t *testing.T) {
			f := newReleasing(t)
			for _, choice := range []string{Retry, Skip, Undo} {
				f.conflicts(start(t), choice)
			}
		})
	}
}

func (f *releasing) conflicts(c *counterpart, choice string) {
	f.t.Helper()
	t := f.t
	f.settle()
	integration, plan := f.maintain(c), f.approved()
	kept := f.foreign(c, integration, plan, 1, "EXT-1", 0)
	either := f.foreign(c, integration, plan, 2, "EXT-2", 7)
	surplus := f.foreign(c, integration, plan, 2, "EXT-3", 14)
	f.request(plan, integration)
	result, _ := f.release(plan, choice, func() {
		require.Equal(t, "stuck/approved", f.state(plan), choice)
		require.Equal(t, 1, f.lines(plan, `l.line = 1 AND l.state = 'written' AND l.action = 'keep'`), choice)
		require.Equal(t, 1, f.lines(plan, `l.line = 2 AND l.state = 'failed' AND l.action = 'conflict' AND l.error_key = '`+release.KeyAmbiguous+`'`), choice)
		if choice == Retry { // somebody closes the surplus one, and the readings learn of it
			w := c.source(t)
			order, err := w.ReadWorkOrder(t.Context(), surplus.id)
			require.NoError(t, err)
			_, err = w.ChangeWorkOrder(t.Context(), order.ID, order.Version, connector.WorkOrderChange{State: connector.OrderCancelled})
			require.NoError(t, err)
			f.exec(`UPDATE core.external_orders SET state = 'cancelled' WHERE tenant_id = $1 AND integration_id = $2 AND external_id = $3`, f.tenant, integration, surplus.id)
		}
	})
	kept.lies(t, c, 0, choice)
	switch choice {
	case Retry:
		require.Equal(t, ReleaseResult{Created: releaseLines, State: activities.ReleaseDone}, result)
		either.lies(t, c, 0, choice)
		require.Len(t, c.live(), 1, "one order for the line without")
	case Skip:
		require.Equal(t, ReleaseResult{Created: releaseLines - 1, State: activities.ReleaseDone}, result)
		either.lies(t, c, either.away, choice)
		surplus.lies(t, c, surplus.away, choice)
		require.Len(t, c.live(), 1)
	case Undo:
		require.Equal(t, ReleaseResult{State: activities.ReleaseUndone}, result)
		either.lies(t, c, either.away, choice)
		require.Empty(t, c.orders())
		require.Zero(t, f.open(plan))
	}
}
