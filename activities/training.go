package activities

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/registry"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/scoring/learning"
)

// Training trains models, compares them with those in service, and decides.
type Training struct{ deps Deps }

// States and outcomes of a training.
const (
	TrainingRunning = "running"
	TrainingDone    = "done"
	TrainingFailed  = "failed"

	OutcomePromoted  = "promoted"
	OutcomeKept      = "kept"
	OutcomeTooLittle = "too_little_data"
)

// trainer acts in the audit log where nobody asked.
const trainer = "training"

// TrainingRef names a training.
type TrainingRef struct {
	TenantID uuid.UUID
	RunID    uuid.UUID
}

// TrainingRequest opens a training; kind and reason are empty when its row
// exists.
type TrainingRequest struct {
	TrainingRef
	Kind, Reason, WorkflowID string
}

// TrainingStep is how far a training is. Outcome is set when it has ended.
type TrainingStep struct {
	CandidateID uuid.UUID
	Outcome     string
	Closed      bool
}

// TrainingCase is a training with the candidate that it has made.
type TrainingCase struct {
	TrainingRef
	CandidateID uuid.UUID
}

// BeginTraining opens the row of a training unless it is there.
func (a *Training) BeginTraining(ctx context.Context, in TrainingRequest) (TrainingStep, error) {
	var run db.TrainingRun
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if in.Kind != "" {
			open := db.OpenTrainingParams{TenantID: in.TenantID, ID: in.RunID, Kind: in.Kind, Reason: in.Reason, WorkflowID: in.WorkflowID}
			if _, err := q.OpenTraining(ctx, tx, open); err != nil {
				return err
			}
		}
		run, err = q.LoadTraining(ctx, tx, in.TenantID, in.RunID)
		return err
	})
	if err != nil {
		return TrainingStep{}, fmt.Errorf("begin training: %w", err)
	}
	return stepOf(run), nil
}

func stepOf(run db.TrainingRun) TrainingStep {
	step := TrainingStep{Outcome: run.Outcome, Closed: run.State != TrainingRunning}
	if run.CandidateID != nil {
		step.CandidateID = *run.CandidateID
	}
	return step
}

// TrainCandidate learns from what was known when the training was asked for
// and stores the candidate. A repeated call finds it. When there is too little
// to learn from it closes the training and says so.
func (a *Training) TrainCandidate(ctx context.Context, in TrainingRef) (TrainingStep, error) {
	run, err := a.load(ctx, in)
	if err != nil || run.State != TrainingRunning {
		return stepOf(run), err
	}
	family, class, err := learning.Parse(run.Kind)
	if err != nil {
		return TrainingStep{}, fault.Wrap(fault.Invalid, registry.KeyUnknownKind, err)
	}
	var candidate db.InsertCandidateParams
	err = beating(ctx, func(ctx context.Context) error {
		if family == learning.FamilyAnomaly {
			candidate, err = a.calibrate(ctx, run)
		} else {
			candidate, err = a.trainFleet(ctx, run, class)
		}
		return err
	})
	var little *learning.TooLittleError
	if errors.As(err, &little) {
		return a.tooLittle(ctx, run, little)
	}
	if err != nil {
		return TrainingStep{}, fmt.Errorf("train %s: %w", run.Kind, err)
	}
	var step TrainingStep
	err = a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		step.CandidateID, err = q.InsertCandidate(ctx, tx, candidate)
		return err
	})
	if err != nil {
		return step, fmt.Errorf("store candidate: %w", err)
	}
	return step, nil
}

func (a *Training) load(ctx context.Context, in TrainingRef) (run db.TrainingRun, err error) {
	err = a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		run, err = q.LoadTraining(ctx, tx, in.TenantID, in.RunID)
		return err
	})
	if err != nil {
		return run, fmt.Errorf("load training: %w", err)
	}
	return run, nil
}

func (a *Training) tooLittle(ctx context.Context, run db.TrainingRun, little *learning.TooLittleError) (TrainingStep, error) {
	detail, err := json.Marshal(little)
	if err != nil {
		return TrainingStep{}, err
	}
	err = a.deps.DB.InTenant(ctx, run.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		closing := db.CloseTrainingParams{TenantID: run.TenantID, ID: run.ID, State: TrainingDone, Outcome: OutcomeTooLittle, Detail: detail}
		return closeTraining(ctx, tx, q, run, closing)
	})
	return TrainingStep{Outcome: OutcomeTooLittle, Closed: true}, err
}

// trainFleet fits the prognosis of a class. It is deterministic, so a repeated
// attempt stores the same bytes.
func (a *Training) trainFleet(ctx context.Context, run db.TrainingRun, class string) (db.InsertCandidateParams, error) {
	var out db.InsertCandidateParams
	fleet, err := a.loadFleet(ctx, run.TenantID, class, run.StartedAt)
	if err != nil {
		return out, err
	}
	model, memory, err := learning.Train(ctx, fleet)
	if err != nil {
		return out, err
	}
	artefact, err := model.MarshalBinary()
	if err != nil {
		return out, fmt.Errorf("encode model: %w", err)
	}
	digest := sha256.Sum256(artefact)
	out = candidateOf(run)
	out.Artefact, out.ArtefactSha256 = artefact, digest[:]
	out.TrainedFrom, out.TrainedTo = span(fleet, memory)
	if out.Features, err = json.Marshal(fleet.Signals); err != nil {
		return out, err
	}
	if out.TrainedOn, err = json.Marshal(memory); err != nil {
		return out, err
	}
	out.Parameters, err = json.Marshal(map[string]any{"cap_days": memory.Cap, "lives": len(memory.Lives), "rows": memory.Rows})
	return out, err
}

// candidateOf names the candidate after the moment and the training, so that a
// repeated attempt meets itself.
func candidateOf(run db.TrainingRun) db.InsertCandidateParams {
	return db.InsertCandidateParams{
		TenantID: run.TenantID, Kind: run.Kind, Version: run.StartedAt.UTC().Format("20060102-") + run.ID.String()[:8],
		Features: json.RawMessage(`[]`), Parameters: json.RawMessage(`{}`), Metrics: json.RawMessage(`{}`), TrainedOn: json.RawMessage(`{}`),
	}
}

// span is from the beginning of the oldest training life to the end of the
// newest held-out one: what ended later is new to the model.
func span(f learning.Fleet, m learning.Memory) (from, to *time.Time) {
	known := map[string]bool{}
	for _, id := range append(append([]string{}, m.Lives...), m.Held...) {
		known[id] = true
	}
	for _, l := range f.Lives {
		if !known[l.ID] {
			continue
		}
		if from == nil || l.Start.Before(*from) {
			from = &l.Start
		}
		if to == nil || l.End.After(*to) {
			to = &l.End
		}
	}
	return from, to
}

// beating runs work while a companion heartbeats, so that a cancellation
// arrives and a crash shows.
func beating(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		ticker := time.NewTicker(2 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return work(ctx)
}

// resumeTrainings starts trainings whose row waits for a workflow that nobody
// runs: a crash came between the two, or an operator ended it.
func (a *Upkeep) resumeTrainings(ctx context.Context, tenant uuid.UUID, mended *Mended) error {
	var open []db.ListOpenTrainingsRow
	err := a.deps.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		open, err = q.ListOpenTrainings(ctx, tx, tenant, forgottenAfter.Seconds())
		return err
	})
	if err != nil {
		return fmt.Errorf("list trainings: %w", err)
	}
	for _, run := range open {
		alive, err := a.deps.Starter.Running(ctx, run.WorkflowID)
		if err != nil {
			return err
		}
		if alive {
			continue
		}
		if err := a.deps.Starter.StartTraining(ctx, tenant, run.ID); err != nil {
			return err
		}
		mended.Trainings++
	}
	return nil
}
