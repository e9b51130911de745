package revision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/internal/scoring/cnaim"
)

// equipmentTopic is the name of the facts about electrical equipment among the
// attributes of an asset.
const equipmentTopic = "cnaim"

// RecordLife records a completed life. One that renews the asset has its
// effective age start over on the day on which it ended.
func RecordLife(ctx context.Context, e Edit, l reliability.CompletedLife) error {
	a, err := e.lock(ctx)
	if err != nil {
		return err
	}
	modes, err := e.Q.ListFailureModes(ctx, e.Tx, e.Origin.Tenant, []uuid.UUID{e.Asset})
	if err != nil {
		return err
	}
	known := make([]uuid.UUID, len(modes))
	for i, m := range modes {
		known[i] = m.ID
	}
	if err := e.check(l.Check(known, e.Now)); err != nil {
		return err
	}
	began := a.AgeAsOf.Add(-time.Duration(a.AgeDays * 24 * float64(time.Hour)))
	if l.Renews && l.EndedAt.Before(began) {
		return &Invalid{reliability.Mistakes{"ended_at": KeyLifeEarlier}}
	}
	_, err = e.Q.AddAssetLife(ctx, e.Tx, db.AddAssetLifeParams{TenantID: e.Origin.Tenant, AssetID: e.Asset, EndedAt: l.EndedAt, LifeDays: l.LifeDays,
		EndedBy: l.EndedBy, ModeID: l.ModeID, Note: l.Note, RecordedBy: e.Origin.Actor.ID})
	if duplicate := (&fault.Error{}); errors.As(db.Fault(err), &duplicate) && duplicate.Key == "db.duplicate" {
		return &Invalid{reliability.Mistakes{"ended_at": KeyLifeTwice}}
	}
	if err != nil {
		return err
	}
	entry := db.Entry{Action: "asset.life_recorded", ObjectType: "asset", ObjectID: e.Asset.String(), After: l}
	if l.Renews {
		renewed := lifeOf(a)
		renewed.AgeDays, renewed.AgeAsOf = 0, l.EndedAt
		if err := e.setLife(ctx, renewed); err != nil {
			return err
		}
		entry.Before, entry.After = lifeOf(a), struct {
			lifeState
			Life reliability.CompletedLife `json:"life"`
		}{renewed, l}
	}
	peers, err := e.Q.ClassAges(ctx, e.Tx, e.Origin.Tenant, a.ClassCode)
	if err != nil {
		return err
	}
	ids := make([]uuid.UUID, len(peers))
	for i, x := range peers {
		ids[i] = x.ID
	}
	if err := e.Q.TouchScores(ctx, e.Tx, e.Origin.Tenant, ids); err != nil { // a life teaches its whole class
		return fmt.Errorf("have the class scored: %w", err)
	}
	return e.finish(ctx, entry)
}

// RecordInspection records what was seen at the asset.
func RecordInspection(ctx context.Context, e Edit, x reliability.Inspection) error {
	if _, err := e.lock(ctx); err != nil {
		return err
	}
	if err := e.check(x.Check(e.Now)); err != nil {
		return err
	}
	observations, err := json.Marshal(x.Observations)
	if err != nil {
		return fmt.Errorf("encode observations: %w", err)
	}
	_, err = e.Q.AddInspection(ctx, e.Tx, db.AddInspectionParams{TenantID: e.Origin.Tenant, AssetID: e.Asset, InspectedAt: x.InspectedAt, Grade: &x.Grade,
		Observations: observations, Note: x.Note, InspectedBy: e.Origin.Actor.ID})
	if err != nil {
		return err
	}
	return e.finish(ctx, db.Entry{Action: "asset.inspected", ObjectType: "asset", ObjectID: e.Asset.String(), After: x})
}

// EquipmentOf reads the facts about electrical equipment of an asset; ok is
// false when there are none.
func EquipmentOf(a db.Asset) (equipment cnaim.Equipment, ok bool, err error) {
	var topics map[string]json.RawMessage
	if err := json.Unmarshal(a.Attributes, &topics); err != nil {
		return equipment, false, fmt.Errorf("read attributes of %s: %w", a.Tag, err)
	}
	raw, ok := topics[equipmentTopic]
	if !ok {
		return equipment, false, nil
	}
	if err := json.Unmarshal(raw, &equipment); err != nil {
		return equipment, false, fmt.Errorf("read equipment of %s: %w", a.Tag, err)
	}
	return equipment, true, nil
}

// Equipment replaces the facts about electrical equipment of the asset. Other
// attributes stay.
func Equipment(ctx context.Context, e Edit, x cnaim.Equipment) error {
	a, err := e.lock(ctx)
	if err != nil {
		return err
	}
	if err := e.current(EquipmentVersion(a)); err != nil {
		return err
	}
	if err := x.Validate(); err != nil {
		return err
	}
	topics := map[string]json.RawMessage{}
	if err := json.Unmarshal(a.Attributes, &topics); err != nil {
		return fmt.Errorf("read attributes of %s: %w", a.Tag, err)
	}
	before := topics[equipmentTopic]
	if topics[equipmentTopic], err = json.Marshal(x); err != nil {
		return fmt.Errorf("encode equipment: %w", err)
	}
	attributes, err := json.Marshal(topics)
	if err != nil {
		return fmt.Errorf("encode attributes: %w", err)
	}
	if _, err := e.Q.SetAssetAttributes(ctx, e.Tx, attributes, e.Origin.Tenant, e.Asset); err != nil {
		return err
	}
	entry := db.Entry{Action: "asset.equipment_changed", ObjectType: "asset", ObjectID: e.Asset.String(), After: x}
	if before != nil {
		entry.Before = before
	}
	return e.finish(ctx, entry)
}
