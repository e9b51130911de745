package activities

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector/sap/saptest"
	"github.com/optria-iq/optria/internal/release"
)

// releasedToSAP is a plan of a solved run whose first job is released to the
// simulated SAP system; the records of the others are not matched.
func (f *maintained) releasedToSAP() LineInput {
	f.t.Helper()
	plan := f.asked()
	var scope ReleaseScope
	f.do(&scope, f.set.Release.PrepareRelease, plan)
	require.NotEmpty(f.t, scope.Todo)
	line := LineInput{PlanRef: plan, ReleaseID: scope.ReleaseID, Line: scope.Todo[0]}
	f.refuse(TypeConflict, release.KeyUnmatched, f.set.Release.WriteLine, line)
	f.exec(`INSERT INTO core.external_assets (tenant_id, integration_id, kind, external_id, seen_at, asset_id)
		SELECT tenant_id, $2, 'equipment', $3, now(), asset_id FROM optimization.release_lines WHERE tenant_id = $1 AND release_id = $4 AND line = $5`,
		f.tenant, f.ref.IntegrationID, saptest.EquipmentID(7), line.ReleaseID, line.Line)
	for range 2 {
		f.do(nil, f.set.Release.WriteLine, line)
	}
	require.Equal(f.t, 1, f.sap.Created(), "a repeated line writes nothing")
	return line
}

// drifts counts the announcements of a drift.
func (f *maintained) drifts(kind string) int {
	f.t.Helper()
	return f.count(`SELECT count(*) FROM core.events WHERE tenant_id = $1 AND kind = 'order.drift' AND payload ->> 'drift' = $2`, f.tenant, kind)
}

func TestWorkOrdersFollowTheMaintenanceSystem(t *testing.T) {
	f := newMaintained(t)
	line := f.releasedToSAP()
	var order string
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT external_id FROM optimization.release_lines WHERE tenant_id = $1 AND release_id = $2 AND line = $3`, f.tenant, line.ReleaseID, line.Line).Scan(&order)
	})
	status := func(where string) int {
		return f.count(`SELECT count(*) FROM core.work_orders WHERE tenant_id = $1 AND external_id = $2 AND `+where, f.tenant, order)
	}
	reconcile := func() (result Reconciled) {
		f.do(&result, f.set.Release.ReconcileOrders, f.tenant)
		return result
	}
	require.Equal(t, Reconciled{Read: 1}, reconcile(), "nothing was changed there")

	later := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 2, 0).Add(9 * time.Hour)
	f.sap.Change("MaintenanceOrder", order, time.Now(), map[string]any{"MaintOrdBasicStartDateTime": later, "MaintOrdBasicEndDateTime": later.Add(4 * time.Hour)})
	for range 2 {
		reconcile()
	}
	require.Equal(t, 1, f.drifts("moved"), "told once")
	require.Equal(t, 1, status(`start_on > baseline_start_on AND status = 'open'`), "the days of the plan stay beside the new ones")

	f.sap.Change("MaintenanceOrder", order, time.Now(), map[string]any{"MaintOrdProcessSubPhaseCode": "0085", "MaintOrdProcessPhaseCode": "09", "SystemStatusText": "TECO"})
	require.Equal(t, 1, reconcile().Changed)
	require.Equal(t, 1, status(`status = 'done' AND done_at IS NOT NULL`))
	require.Equal(t, Reconciled{}, reconcile(), "what is closed is not read again")
	f.intact()
}

func TestAnOrderThatIsGoneIsToldOnce(t *testing.T) {
	f := newMaintained(t)
	f.releasedToSAP()
	var order string
	f.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT external_id FROM core.work_orders WHERE tenant_id = $1 AND integration_id IS NOT NULL`, f.tenant).Scan(&order)
	})
	f.sap.Remove("MaintenanceOrder", order)
	for range 2 {
		f.do(nil, f.set.Release.ReconcileOrders, f.tenant)
	}
	require.Equal(t, 1, f.drifts("deleted"))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.work_orders WHERE tenant_id = $1 AND external_state = 'deleted' AND status = 'open'`, f.tenant))
}

func TestOnlyThoseWhoMayReleaseResolve(t *testing.T) {
	f := newMaintained(t)
	plan := f.asked()
	var scope ReleaseScope
	f.do(&scope, f.set.Release.PrepareRelease, plan)
	decide := func(by uuid.UUID, choice, reason string) Resolution {
		return Resolution{PlanRef: plan, Request: choice + by.String(), ActorID: by, Choice: choice, Reason: reason}
	}
	engineer := f.people["optimization_engineer"]
	f.refuse(TypeConflict, KeyReleaseNotStuck, f.set.Release.ResolveRelease, decide(engineer, ResolveRetry, ""))
	line := LineInput{PlanRef: plan, ReleaseID: scope.ReleaseID, Line: scope.Todo[0]}
	for range 2 {
		f.do(nil, f.set.Release.FailLine, line, ErrorDetail{Key: release.KeyUnmatched})
	}
	f.refuse(TypeForbidden, KeyNotAllowed, f.set.Release.ResolveRelease, decide(f.people["viewer"], ResolveRetry, ""))
	f.refuse(TypeForbidden, KeyNotAllowed, f.set.Release.ResolveRelease, decide(uuid.New(), ResolveRetry, ""))
	f.refuse(TypeInvalid, KeyBadResolution, f.set.Release.ResolveRelease, decide(engineer, ResolveSkip, ""))
	for range 2 { // a repeated request finds its own entry
		f.do(&scope, f.set.Release.ResolveRelease, decide(engineer, ResolveSkip, "not this year"))
		require.Equal(t, ReleaseRunning, scope.State)
	}
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'release.skip'`, f.tenant))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.events WHERE tenant_id = $1 AND kind = 'release.stuck'`, f.tenant))
	f.intact()
}
