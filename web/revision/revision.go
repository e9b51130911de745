// Package revision is what the pages and the API share about changing what the
// score of an asset rests on: failure modes, its life, costs, inspections and
// facts about electrical equipment. Every change holds the asset, is checked
// again, refuses a form that somebody else has overtaken, writes an audit entry
// in its transaction and has the asset scored anew by the next sweep.
package revision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/web/integration"
)

// Message keys of the faults raised here.
const (
	KeyStale       = "reliability.stale"
	KeyLifeTwice   = "reliability.error.life_twice"
	KeyLifeEarlier = "reliability.error.life_earlier"
)

// Invalid is the error of a change that breaks the rules, field by field.
type Invalid struct{ Mistakes reliability.Mistakes }

// Error is the text for logs.
func (e *Invalid) Error() string { return fmt.Sprintf("change breaks the rules: %v", e.Mistakes) }

// Edit is one change in a transaction of the tenant.
type Edit struct {
	Tx     pgx.Tx
	Q      *db.Queries
	Origin integration.Origin
	Asset  uuid.UUID
	Now    time.Time
	// Seen is the version that the person changed; another one in the database
	// is a conflict.
	Seen string
}

// digest names a state by its parts.
func digest(parts ...any) string {
	h := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(h, "%v\x00", part) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// lifeState is the part of an asset that an edit of its life replaces.
type lifeState struct {
	Beta    float64   `json:"beta"`
	EtaDays float64   `json:"eta_days"`
	AgeDays float64   `json:"age_days"`
	AgeAsOf time.Time `json:"age_as_of"`
}

func lifeOf(a db.Asset) lifeState {
	return lifeState{Beta: a.WeibullBeta, EtaDays: a.WeibullEtaDays, AgeDays: a.AgeDays, AgeAsOf: a.AgeAsOf.UTC()}
}

// LifeVersion names the life of an asset as it is stored.
func LifeVersion(a db.Asset) string {
	return digest(a.WeibullBeta, a.WeibullEtaDays, a.AgeDays, a.AgeAsOf.UTC())
}

// ModeVersion names a failure mode as it is stored.
func ModeVersion(m db.AssetFailureMode) string { return modeDigest(ModeOf(m)) }

func modeDigest(m reliability.Mode) string {
	return digest(m.ID, m.ComponentID, m.Code, m.NameAr, m.NameEn, m.Detection, m.Metric, m.Severity, m.Occurrence, m.Detectability)
}

// EquipmentVersion names the further facts about an asset as they are stored.
func EquipmentVersion(a db.Asset) string { return digest(string(a.Attributes)) }

// CostVersion names the newest version of a cost model; 0 is before the first.
func CostVersion(version int32) string { return strconv.Itoa(int(version)) }

// ModeOf returns a stored failure mode as it is edited.
func ModeOf(m db.AssetFailureMode) reliability.Mode {
	return reliability.Mode{ID: m.ID, ComponentID: m.ComponentID, Code: m.Code, NameAr: m.NameAr, NameEn: m.NameEn, Detection: m.Detection, Metric: m.Metric,
		Severity: int(m.Severity), Occurrence: int(m.Occurrence), Detectability: int(m.Detectability)}
}

// CostOf returns a stored cost model as it is edited.
func CostOf(m db.CostModel) reliability.Cost {
	return reliability.Cost{Kind: m.Kind, EffectiveFrom: m.EffectiveFrom, DirectCost: m.DirectCost, OutageHours: m.OutageHours, LossPerHour: m.LossPerHour,
		PlannedFactor: m.PlannedFactor, SafetyEnvCost: m.SafetyEnvCost, EnergyCostPerHour: m.EnergyCostPerHour}
}

// lock holds the asset until the transaction ends.
func (e Edit) lock(ctx context.Context) (db.Asset, error) {
	return e.Q.LockAsset(ctx, e.Tx, e.Origin.Tenant, e.Asset)
}

// current refuses a change of a state that is no longer the one seen.
func (e Edit) current(version string) error {
	if e.Seen != version {
		return fault.New(fault.Conflict, KeyStale)
	}
	return nil
}

func (e Edit) check(m reliability.Mistakes) error {
	if len(m) > 0 {
		return &Invalid{m}
	}
	return nil
}

// finish has the asset scored anew and writes the audit entry.
func (e Edit) finish(ctx context.Context, entry db.Entry) error {
	if err := e.Q.TouchScores(ctx, e.Tx, e.Origin.Tenant, []uuid.UUID{e.Asset}); err != nil {
		return fmt.Errorf("have the asset scored: %w", err)
	}
	return e.Origin.Audit(ctx, e.Tx, entry)
}

// Life replaces the Weibull life of the asset and, when given, its effective
// age.
func Life(ctx context.Context, e Edit, l reliability.Life) error {
	a, err := e.lock(ctx)
	if err != nil {
		return err
	}
	if err := e.current(LifeVersion(a)); err != nil {
		return err
	}
	if err := e.check(l.Check()); err != nil {
		return err
	}
	before := lifeOf(a)
	after := lifeState{Beta: l.Beta, EtaDays: l.EtaDays, AgeDays: a.AgeDays, AgeAsOf: a.AgeAsOf.UTC()}
	if l.AgeDays != nil {
		after.AgeDays, after.AgeAsOf = *l.AgeDays, reliability.DayOf(e.Now)
	}
	if after == before {
		return nil
	}
	if err := e.setLife(ctx, after); err != nil {
		return err
	}
	return e.finish(ctx, db.Entry{Action: "asset.life_changed", ObjectType: "asset", ObjectID: e.Asset.String(), Before: before, After: after})
}

func (e Edit) setLife(ctx context.Context, s lifeState) error {
	_, err := e.Q.SetAssetLife(ctx, e.Tx, db.SetAssetLifeParams{TenantID: e.Origin.Tenant, ID: e.Asset, WeibullBeta: s.Beta, WeibullEtaDays: s.EtaDays,
		AgeDays: s.AgeDays, AgeAsOf: s.AgeAsOf})
	return err
}

// AddCost adds the next version of a cost model.
func AddCost(ctx context.Context, e Edit, c reliability.Cost) error {
	if _, err := e.lock(ctx); err != nil {
		return err
	}
	all, err := e.Q.CostVersions(ctx, e.Tx, e.Origin.Tenant, e.Asset)
	if err != nil {
		return err
	}
	var newest db.CostModel
	for _, v := range all {
		if v.CostModel.Kind == c.Kind && v.CostModel.Version > newest.Version {
			newest = v.CostModel
		}
	}
	if err := e.current(CostVersion(newest.Version)); err != nil {
		return err
	}
	if err := e.check(c.Check(reliability.DayOf(e.Now))); err != nil {
		return err
	}
	_, err = e.Q.AddCostVersion(ctx, e.Tx, db.AddCostVersionParams{TenantID: e.Origin.Tenant, AssetID: e.Asset, Kind: c.Kind, Version: newest.Version + 1,
		EffectiveFrom: c.EffectiveFrom, DirectCost: c.DirectCost, OutageHours: c.OutageHours, LossPerHour: c.LossPerHour, PlannedFactor: c.PlannedFactor,
		SafetyEnvCost: c.SafetyEnvCost, EnergyCostPerHour: c.EnergyCostPerHour, CreatedBy: e.Origin.Actor.ID})
	if err != nil {
		return err
	}
	entry := db.Entry{Action: "cost_model.changed", ObjectType: "asset", ObjectID: e.Asset.String(), After: c}
	if newest.Version > 0 {
		entry.Before = CostOf(newest)
	}
	return e.finish(ctx, entry)
}
