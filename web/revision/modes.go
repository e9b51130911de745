package revision

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/reliability"
)

// Scope is what a failure mode of an asset may refer to.
func Scope(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, asset uuid.UUID) (reliability.ModeScope, error) {
	var s reliability.ModeScope
	components, err := q.ListComponents(ctx, tx, tenant, []uuid.UUID{asset})
	if err != nil {
		return s, err
	}
	for _, c := range components {
		s.Components = append(s.Components, c.ID)
	}
	signals, err := q.ListSignals(ctx, tx, tenant, []uuid.UUID{asset})
	if err != nil {
		return s, err
	}
	for _, g := range signals {
		s.Metrics = append(s.Metrics, g.Metric)
	}
	return s, nil
}

// AddMode adds a failure mode. Its id was chosen with the empty form, so that a
// form sent twice adds one mode.
func AddMode(ctx context.Context, e Edit, m reliability.Mode) error {
	if err := e.checkMode(ctx, m); err != nil {
		return err
	}
	before, err := e.Q.GetFailureMode(ctx, e.Tx, e.Origin.Tenant, e.Asset, m.ID)
	switch {
	case err == nil && modeDigest(ModeOf(before)) == modeDigest(m):
		return nil
	case err == nil:
		return fault.New(fault.Conflict, KeyStale)
	case fault.CodeOf(db.Fault(err)) != fault.NotFound:
		return err
	}
	if err := e.store(ctx, m); err != nil {
		return err
	}
	return e.finish(ctx, db.Entry{Action: "failure_mode.added", ObjectType: "failure_mode", ObjectID: m.ID.String(), After: e.recorded(m)})
}

// SetMode replaces a failure mode.
func SetMode(ctx context.Context, e Edit, m reliability.Mode) error {
	before, err := e.mode(ctx, m.ID)
	if err != nil {
		return err
	}
	if err := e.checkMode(ctx, m); err != nil {
		return err
	}
	if modeDigest(before) == modeDigest(m) {
		return nil
	}
	if err := e.store(ctx, m); err != nil {
		return err
	}
	return e.finish(ctx, db.Entry{Action: "failure_mode.changed", ObjectType: "failure_mode", ObjectID: m.ID.String(), Before: e.recorded(before), After: e.recorded(m)})
}

// ArchiveMode takes a failure mode out of the FMECA; its history stays.
func ArchiveMode(ctx context.Context, e Edit, id uuid.UUID) error {
	before, err := e.mode(ctx, id)
	if err != nil {
		return err
	}
	if _, err := e.Q.ArchiveFailureMode(ctx, e.Tx, e.Origin.Tenant, e.Asset, id); err != nil {
		return err
	}
	return e.finish(ctx, db.Entry{Action: "failure_mode.archived", ObjectType: "failure_mode", ObjectID: id.String(), Before: e.recorded(before)})
}

// mode holds the asset and returns one of its modes as it was seen.
func (e Edit) mode(ctx context.Context, id uuid.UUID) (reliability.Mode, error) {
	if _, err := e.lock(ctx); err != nil {
		return reliability.Mode{}, err
	}
	row, err := e.Q.GetFailureMode(ctx, e.Tx, e.Origin.Tenant, e.Asset, id)
	if err != nil {
		return reliability.Mode{}, err
	}
	return ModeOf(row), e.current(ModeVersion(row))
}

func (e Edit) checkMode(ctx context.Context, m reliability.Mode) error {
	if _, err := e.lock(ctx); err != nil {
		return err
	}
	scope, err := Scope(ctx, e.Tx, e.Q, e.Origin.Tenant, e.Asset)
	if err != nil {
		return err
	}
	return e.check(m.Check(scope))
}

// recorded is a failure mode with its asset, for the audit log.
func (e Edit) recorded(m reliability.Mode) any {
	return struct {
		reliability.Mode
		AssetID uuid.UUID `json:"asset_id"`
		RPN     int       `json:"rpn"`
	}{m, e.Asset, m.RPN()}
}

// store writes a failure mode. An id that belongs to another asset, or to a mode
// that was archived, is a conflict.
func (e Edit) store(ctx context.Context, m reliability.Mode) error {
	n, err := e.Q.UpsertFailureMode(ctx, e.Tx, db.UpsertFailureModeParams{TenantID: e.Origin.Tenant, ID: m.ID, AssetID: e.Asset, ComponentID: m.ComponentID,
		Code: m.Code, NameAr: m.NameAr, NameEn: m.NameEn, Detection: m.Detection, Metric: m.Metric,
		Severity: int32(m.Severity), Occurrence: int32(m.Occurrence), Detectability: int32(m.Detectability)}) //nolint:gosec // 1 to 10
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, KeyStale)
	}
	return err
}
