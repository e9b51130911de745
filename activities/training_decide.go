package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/registry"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/scoring/learning"
	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

// EvaluateCandidate measures the candidate and the active model on the lives
// that the training kept aside, and stores figures and protocol. A repeated
// call measures the same. Limits were measured while they were calibrated.
func (a *Training) EvaluateCandidate(ctx context.Context, in TrainingCase) (TrainingStep, error) {
	run, err := a.load(ctx, in.TrainingRef)
	if err != nil || run.State != TrainingRunning {
		return stepOf(run), err
	}
	step := TrainingStep{CandidateID: in.CandidateID}
	family, class, err := learning.Parse(run.Kind)
	if err != nil || family == learning.FamilyAnomaly {
		return step, err
	}
	var report learning.Report
	var against *uuid.UUID
	err = beating(ctx, func(ctx context.Context) error {
		report, against, err = a.contest(ctx, run, class, in.CandidateID)
		return err
	})
	var little *learning.TooLittleError
	if errors.As(err, &little) {
		return a.keepUnmeasured(ctx, run, in.CandidateID, little)
	}
	if err != nil {
		return step, fmt.Errorf("evaluate candidate: %w", err)
	}
	metrics, err := json.Marshal(report)
	if err != nil {
		return step, err
	}
	return step, a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.SetModelMetrics(ctx, tx, db.SetModelMetricsParams{
			TenantID: in.TenantID, ID: in.CandidateID, Metrics: metrics, Protocol: learning.Protocol, ComparedWith: against,
		})
		return err
	})
}

func (a *Training) contest(ctx context.Context, run db.TrainingRun, class string, candidate uuid.UUID) (learning.Report, *uuid.UUID, error) {
	fleet, err := a.loadFleet(ctx, run.TenantID, class, run.StartedAt)
	if err != nil {
		return learning.Report{}, nil, err
	}
	var challenger learning.Contender
	var champion *learning.Contender
	var against *uuid.UUID
	err = a.deps.DB.InTenant(ctx, run.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		row, err := q.LoadModel(ctx, tx, run.TenantID, candidate)
		if err != nil {
			return fmt.Errorf("load candidate: %w", err)
		}
		if challenger, err = contenderOf(row); err != nil {
			return err
		}
		active, err := q.LoadActiveModel(ctx, tx, run.TenantID, run.Kind)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("load active model: %w", err)
		}
		old, err := contenderOf(active)
		champion, against = &old, &active.ID
		return err
	})
	if err != nil {
		return learning.Report{}, nil, err
	}
	report, err := learning.Contest(ctx, fleet, challenger, champion)
	return report, against, err
}

// contenderOf decodes a stored prognosis.
func contenderOf(row db.Model) (learning.Contender, error) {
	c := learning.Contender{Model: &prognosis.Model{}}
	if err := c.Model.UnmarshalBinary(row.Artefact); err != nil {
		return c, fmt.Errorf("decode model %s: %w", row.Version, err)
	}
	if err := json.Unmarshal(row.TrainedOn, &c.Memory); err != nil {
		return c, fmt.Errorf("decode memory of model %s: %w", row.Version, err)
	}
	return c, nil
}

// keepUnmeasured retires a candidate for which there are no lives that the
// model in service has not learned from.
func (a *Training) keepUnmeasured(ctx context.Context, run db.TrainingRun, candidate uuid.UUID, little *learning.TooLittleError) (TrainingStep, error) {
	detail, err := json.Marshal(little)
	if err != nil {
		return TrainingStep{}, err
	}
	err = a.deps.DB.InTenant(ctx, run.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		closing := db.CloseTrainingParams{TenantID: run.TenantID, ID: run.ID, State: TrainingDone, Outcome: OutcomeTooLittle, CandidateID: &candidate, Detail: detail}
		if _, err := q.CloseTraining(ctx, tx, closing); err != nil {
			return fmt.Errorf("close training: %w", err)
		}
		return registry.Keep(ctx, tx, q, run.TenantID, candidate, registry.Actor{Actor: db.SystemActor(trainer)})
	})
	return TrainingStep{CandidateID: candidate, Outcome: OutcomeTooLittle, Closed: true}, err
}

// DecideTraining promotes or retires the candidate by its stored verdict and
// closes the training, all in one transaction. A repeated call finds the
// training closed. When another model serves by now than the one that the
// candidate was compared with, the comparison no longer counts.
func (a *Training) DecideTraining(ctx context.Context, in TrainingCase) (TrainingStep, error) {
	var step TrainingStep
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		run, err := q.LoadTraining(ctx, tx, in.TenantID, in.RunID)
		if err != nil {
			return fmt.Errorf("load training: %w", err)
		}
		if run.State != TrainingRunning {
			step = stepOf(run)
			return nil
		}
		step, err = settleCandidate(ctx, tx, q, run, in.CandidateID)
		return err
	})
	if err != nil {
		return step, fmt.Errorf("decide on candidate: %w", err)
	}
	return step, nil
}

func settleCandidate(ctx context.Context, tx pgx.Tx, q *db.Queries, run db.TrainingRun, id uuid.UUID) (TrainingStep, error) {
	step := TrainingStep{CandidateID: id, Closed: true, Outcome: OutcomeKept}
	if _, err := q.LockModelKind(ctx, tx, run.TenantID, run.Kind); err != nil {
		return step, fmt.Errorf("lock models: %w", err)
	}
	row, err := q.LoadModel(ctx, tx, run.TenantID, id)
	if err != nil {
		return step, fmt.Errorf("load candidate: %w", err)
	}
	var report struct {
		Verdict learning.Verdict `json:"verdict"`
	}
	if err := json.Unmarshal(row.Metrics, &report); err != nil {
		return step, fmt.Errorf("read verdict: %w", err)
	}
	verdict := report.Verdict
	active, err := q.LoadActiveModel(ctx, tx, run.TenantID, run.Kind)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
	case err != nil:
		return step, fmt.Errorf("load active model: %w", err)
	case row.ComparedWith == nil || *row.ComparedWith != active.ID:
		verdict.Promote, verdict.Reason = false, learning.ReasonOvertaken
	}
	if verdict.Promote {
		step.Outcome = OutcomePromoted
	}
	detail, err := json.Marshal(verdict)
	if err != nil {
		return step, err
	}
	closing := db.CloseTrainingParams{TenantID: run.TenantID, ID: run.ID, State: TrainingDone, Outcome: step.Outcome, CandidateID: &id, Detail: detail}
	if _, err := q.CloseTraining(ctx, tx, closing); err != nil {
		return step, fmt.Errorf("close training: %w", err)
	}
	change := registry.Keep
	if verdict.Promote {
		change = registry.Promote
	}
	return step, change(ctx, tx, q, run.TenantID, id, registry.Actor{Actor: db.SystemActor(trainer)})
}

// FailedTraining is a training that cannot go on, and why.
type FailedTraining struct {
	TrainingRef
	CandidateID uuid.UUID // nil when there is none
	Cause       ErrorDetail
}

// FailTraining closes a training that failed or was cancelled and retires its
// candidate.
func (a *Training) FailTraining(ctx context.Context, in FailedTraining) error {
	return a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		run, err := q.LoadTraining(ctx, tx, in.TenantID, in.RunID)
		if err != nil {
			return fmt.Errorf("load training: %w", err)
		}
		closing := db.CloseTrainingParams{TenantID: run.TenantID, ID: run.ID, State: TrainingFailed, ErrorKey: in.Cause.Key, Detail: json.RawMessage(`{}`)}
		if in.CandidateID == uuid.Nil {
			return closeTraining(ctx, tx, q, run, closing)
		}
		closing.CandidateID = &in.CandidateID
		closed, err := q.CloseTraining(ctx, tx, closing)
		if err != nil || closed == 0 {
			return err
		}
		err = registry.Keep(ctx, tx, q, run.TenantID, in.CandidateID, registry.Actor{Actor: db.SystemActor(trainer)})
		if fault.CodeOf(err) == fault.Conflict {
			return nil // somebody has decided on it
		}
		return err
	})
}

// closeTraining closes a training that left no model, with its audit entry.
func closeTraining(ctx context.Context, tx pgx.Tx, q *db.Queries, run db.TrainingRun, closing db.CloseTrainingParams) error {
	closed, err := q.CloseTraining(ctx, tx, closing)
	if err != nil {
		return fmt.Errorf("close training: %w", err)
	}
	if closed == 0 {
		return nil
	}
	return db.AppendAudit(ctx, tx, db.Entry{
		TenantID: run.TenantID, Actor: db.SystemActor(trainer), Action: "model.training_ended", ObjectType: "training", ObjectID: run.ID.String(),
		After: map[string]any{"kind": run.Kind, "state": closing.State, "outcome": closing.Outcome, "error": closing.ErrorKey},
	})
}
