// Package registry changes which model of a kind serves. Every change happens
// under a lock of the kind, has the assets concerned scored anew, and writes
// its audit entry last in the caller's transaction.
package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/scoring/learning"
)

// States of a model, and how a candidate left that state.
const (
	Candidate = "candidate"
	Active    = "active"
	Retired   = "retired"

	Promoted   = "promoted"
	Kept       = "kept"
	RolledBack = "rolled_back"
)

// Reasons of a training.
const (
	BySchedule = "schedule"
	ByDrift    = "drift"
	ByHand     = "manual"
)

// Message keys of the faults.
const (
	KeyFixed       = "models.fixed"
	KeyServing     = "models.serving"
	KeyNoEarlier   = "models.no_earlier"
	KeyTraining    = "models.already_training"
	KeyNotTrained  = "models.not_trained"
	KeyUnknownKind = "models.unknown_kind"
)

// Actor is who changes a model, and from where.
type Actor struct {
	db.Actor
	RemoteAddr, RequestID string
}

// Promote puts a model into service and retires the one before. A model that
// serves already is a conflict.
func Promote(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID, by Actor) error {
	m, err := lock(ctx, tx, q, tenant, id)
	if err != nil {
		return err
	}
	if m.State == Active {
		return fault.New(fault.Conflict, KeyServing)
	}
	if err := serve(ctx, tx, q, m, by); err != nil {
		return err
	}
	return audit(ctx, tx, m, by, "model.promoted", Active, Promoted)
}

// Keep retires a candidate that is not better than what serves.
func Keep(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID, by Actor) error {
	m, err := lock(ctx, tx, q, tenant, id)
	if err != nil {
		return err
	}
	if m.State != Candidate {
		return fault.New(fault.Conflict, KeyServing)
	}
	if err := set(ctx, tx, q, m, Retired, Kept, by); err != nil {
		return err
	}
	return audit(ctx, tx, m, by, "model.kept", Retired, Kept)
}

// RollBack takes the active model out of service and puts the one that served
// before it back. It returns the model that serves now; without an earlier one
// it is a conflict.
func RollBack(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID, by Actor) (uuid.UUID, error) {
	m, err := lock(ctx, tx, q, tenant, id)
	if err != nil {
		return uuid.Nil, err
	}
	if m.State != Active {
		return uuid.Nil, fault.New(fault.Conflict, KeyNoEarlier)
	}
	earlier, err := q.PreviousModel(ctx, tx, tenant, m.Kind)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, fault.New(fault.Conflict, KeyNoEarlier)
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("find earlier model: %w", err)
	}
	if err := set(ctx, tx, q, m, Retired, RolledBack, by); err != nil {
		return uuid.Nil, err
	}
	before := m
	before.ID, before.Version, before.State = earlier.ID, earlier.Version, Retired
	if err := serve(ctx, tx, q, before, by); err != nil {
		return uuid.Nil, err
	}
	return earlier.ID, db.AppendAudit(ctx, tx, db.Entry{
		TenantID: tenant, Actor: by.Actor, Action: "model.rolled_back", ObjectType: "model", ObjectID: m.ID.String(),
		Before:     map[string]any{"kind": m.Kind, "version": m.Version},
		After:      map[string]any{"kind": m.Kind, "version": earlier.Version, "model_id": earlier.ID},
		RemoteAddr: by.RemoteAddr, RequestID: by.RequestID,
	})
}

// Request opens a training by hand. A kind that is being trained is a conflict,
// one that cannot be trained invalid. The caller starts the workflow after the
// transaction.
func Request(ctx context.Context, tx pgx.Tx, q *db.Queries, run db.OpenTrainingParams, by Actor) error {
	if _, _, err := learning.Parse(run.Kind); err != nil {
		return fault.Wrap(fault.Invalid, KeyUnknownKind, err)
	}
	running, err := q.RunningTraining(ctx, tx, run.TenantID, run.Kind)
	if err != nil {
		return fmt.Errorf("look for trainings: %w", err)
	}
	if len(running) > 0 {
		return fault.New(fault.Conflict, KeyTraining)
	}
	if _, err := q.OpenTraining(ctx, tx, run); err != nil {
		return fmt.Errorf("open training: %w", err)
	}
	return db.AppendAudit(ctx, tx, db.Entry{
		TenantID: run.TenantID, Actor: by.Actor, Action: "model.training_requested", ObjectType: "training", ObjectID: run.ID.String(),
		After: map[string]any{"kind": run.Kind, "reason": run.Reason}, RemoteAddr: by.RemoteAddr, RequestID: by.RequestID,
	})
}

// lock finds a model and locks its kind. Models that are part of the product
// cannot be exchanged.
func lock(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID) (db.Model, error) {
	m, err := q.LoadModel(ctx, tx, tenant, id)
	if err != nil {
		return m, fmt.Errorf("load model: %w", err)
	}
	if _, _, err := learning.Parse(m.Kind); err != nil {
		return m, fault.Wrap(fault.Conflict, KeyFixed, err)
	}
	if strings.HasPrefix(m.Kind, learning.FamilyRUL) && m.Artefact == nil {
		return m, fault.New(fault.Conflict, KeyNotTrained)
	}
	all, err := q.LockModelKind(ctx, tx, tenant, m.Kind)
	if err != nil {
		return m, fmt.Errorf("lock models: %w", err)
	}
	for _, one := range all { // the state under the lock counts
		if one.ID == id {
			m.State, m.Decision = one.State, one.Decision
		}
	}
	return m, nil
}

// serve makes a model the active one of its kind.
func serve(ctx context.Context, tx pgx.Tx, q *db.Queries, m db.Model, by Actor) error {
	if err := q.RetireActiveModels(ctx, tx, m.TenantID, m.Kind, m.ID); err != nil {
		return fmt.Errorf("retire models: %w", err)
	}
	if err := set(ctx, tx, q, m, Active, Promoted, by); err != nil {
		return err
	}
	return touch(ctx, tx, q, m)
}

func set(ctx context.Context, tx pgx.Tx, q *db.Queries, m db.Model, state, decision string, by Actor) error {
	change := db.SetModelStateParams{State: state, Decision: decision, TenantID: m.TenantID, ID: m.ID}
	if by.Kind == db.ActorUser {
		change.DecidedBy = by.ID
	}
	if _, err := q.SetModelState(ctx, tx, change); err != nil {
		return fmt.Errorf("set state of model: %w", err)
	}
	return nil
}

// touch has the assets that the model speaks of scored anew.
func touch(ctx context.Context, tx pgx.Tx, q *db.Queries, m db.Model) error {
	_, class, err := learning.Parse(m.Kind)
	if err != nil {
		return err
	}
	ids, err := q.ListModelAssets(ctx, tx, m.TenantID, class)
	if err != nil {
		return fmt.Errorf("list assets of %s: %w", m.Kind, err)
	}
	if err := q.TouchScores(ctx, tx, m.TenantID, ids); err != nil {
		return fmt.Errorf("mark scores as due: %w", err)
	}
	return nil
}

func audit(ctx context.Context, tx pgx.Tx, m db.Model, by Actor, action, state, decision string) error {
	return db.AppendAudit(ctx, tx, db.Entry{
		TenantID: m.TenantID, Actor: by.Actor, Action: action, ObjectType: "model", ObjectID: m.ID.String(),
		Before:     map[string]any{"kind": m.Kind, "version": m.Version, "state": m.State},
		After:      map[string]any{"kind": m.Kind, "version": m.Version, "state": state, "decision": decision},
		RemoteAddr: by.RemoteAddr, RequestID: by.RequestID,
	})
}
