package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// TrainingInput starts one training. Kind and reason are empty when its row
// exists.
type TrainingInput struct {
	TenantID uuid.UUID
	RunID    uuid.UUID
	Kind     string
	Reason   string
}

// TrainingResult says how a training ended.
type TrainingResult struct {
	Outcome     string // promoted, kept or too_little_data
	CandidateID uuid.UUID
}

// RegistryInput starts one look at the models of a tenant.
type RegistryInput struct {
	TenantID uuid.UUID
}

// RegistryResult counts what a look at the models did.
type RegistryResult struct {
	Checked, Trained, Failed int
}

func (in TrainingInput) tenant() uuid.UUID { return in.TenantID }
func (in RegistryInput) tenant() uuid.UUID { return in.TenantID }

// TrainingID is the workflow id of a training.
func TrainingID(tenant, run uuid.UUID) string { return fmt.Sprintf("training/%s/%s", tenant, run) }

// RegistryID is the id of a tenant's schedule for its models.
func RegistryID(tenant uuid.UUID) string { return fmt.Sprintf("models/%s", tenant) }

// learn is for training and watching models: minutes of one core on a queue of
// their own, so that they hold up neither scores nor plans, a short heartbeat
// timeout, and few attempts, because the same data would fail again.
func learn(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: QueueTraining, StartToCloseTimeout: 30 * time.Minute, HeartbeatTimeout: 30 * time.Second,
		RetryPolicy: patient(3), WaitForCancellation: true, DisableEagerExecution: true, Summary: summary,
	})
}

// ModelTraining learns a candidate, measures it and the model in service by the
// same protocol, and decides which of them serves. Everything of size stays in
// the registry; a repeated step finds what it did before. A failure or a
// cancellation is written to the row of the training.
func ModelTraining(ctx workflow.Context, in TrainingInput) (TrainingResult, error) {
	ref := activities.TrainingRef{TenantID: in.TenantID, RunID: in.RunID}
	step, err := trainingSteps(ctx, ref, in)
	if err == nil {
		return TrainingResult{Outcome: step.Outcome, CandidateID: step.CandidateID}, nil
	}
	var a *activities.Training
	cleanup, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	failed := activities.FailedTraining{TrainingRef: ref, CandidateID: step.CandidateID, Cause: activities.DetailOf(err)}
	if errors.Is(ctx.Err(), workflow.ErrCanceled) {
		failed.Cause = activities.ErrorDetail{Key: activities.KeyTrainingCancelled}
	}
	if closing := workflow.ExecuteActivity(record(cleanup, "close training"), a.FailTraining, failed).Get(cleanup, nil); closing != nil {
		workflow.GetLogger(ctx).Error("training not closed", "error", closing)
	}
	return TrainingResult{}, err
}

// trainingSteps returns how far the training came, also when it fails.
func trainingSteps(ctx workflow.Context, ref activities.TrainingRef, in TrainingInput) (activities.TrainingStep, error) {
	var a *activities.Training
	var step activities.TrainingStep
	begin := activities.TrainingRequest{TrainingRef: ref, Kind: in.Kind, Reason: in.Reason, WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID}
	err := workflow.ExecuteActivity(record(ctx, "begin training"), a.BeginTraining, begin).Get(ctx, &step)
	if err != nil || step.Closed {
		return step, err
	}
	err = workflow.ExecuteActivity(learn(ctx, "train candidate"), a.TrainCandidate, ref).Get(ctx, &step)
	if err != nil || step.Closed {
		return step, err
	}
	made := activities.TrainingCase{TrainingRef: ref, CandidateID: step.CandidateID}
	var next activities.TrainingStep
	err = workflow.ExecuteActivity(learn(ctx, "evaluate candidate"), a.EvaluateCandidate, made).Get(ctx, &next)
	if err != nil || next.Closed {
		next.CandidateID = made.CandidateID
		return next, err
	}
	err = workflow.ExecuteActivity(record(ctx, "decide"), a.DecideTraining, made).Get(ctx, &next)
	next.CandidateID = made.CandidateID
	return next, err
}

// ModelUpkeep looks after the models of a tenant: it checks the drift of those
// in service, trains what is due, one after the other, and has a first look at
// what came into service. What fails does not hold up the rest; the next round
// comes within a day.
func ModelUpkeep(ctx workflow.Context, in RegistryInput) (RegistryResult, error) {
	var a *activities.Training
	round := activities.RegistryRound{TenantID: in.TenantID, At: workflow.Now(ctx).UTC().Truncate(time.Second)}
	r := registryRound{round: round, seen: map[uuid.UUID]bool{}}
	if err := r.checkModels(ctx); err != nil {
		return r.result, err
	}
	var due []activities.DueTraining
	if err := workflow.ExecuteActivity(record(ctx, "list due trainings"), a.ListDueTrainings, round).Get(ctx, &due); err != nil {
		return r.result, errors.Join(r.failed, err)
	}
	for _, d := range due {
		if err := trainDue(ctx, in.TenantID, d); err != nil {
			r.result.Failed++ // the row of the training says why
			continue
		}
		r.result.Trained++
	}
	if r.result.Trained > 0 {
		r.failed = errors.Join(r.failed, r.checkModels(ctx))
	}
	return r.result, r.failed
}

// registryRound is the state of one look at the models of a tenant.
type registryRound struct {
	round  activities.RegistryRound
	seen   map[uuid.UUID]bool
	result RegistryResult
	failed error
}

// checkModels checks the drift of the models in service that this round has
// not seen yet.
func (r *registryRound) checkModels(ctx workflow.Context) error {
	var a *activities.Training
	var models []uuid.UUID
	if err := workflow.ExecuteActivity(record(ctx, "list models"), a.ListActiveModels, r.round).Get(ctx, &models); err != nil {
		return err
	}
	for _, id := range models {
		if r.seen[id] {
			continue
		}
		r.seen[id] = true
		check := activities.ModelCheck{RegistryRound: r.round, ModelID: id}
		if err := workflow.ExecuteActivity(learn(ctx, "check drift"), a.CheckDrift, check).Get(ctx, nil); err != nil {
			r.failed = errors.Join(r.failed, err)
			continue
		}
		r.result.Checked++
	}
	return nil
}

// trainDue runs a training as a child whose id is made of this run and the
// kind. It outlives a round that is cut short.
func trainDue(ctx workflow.Context, tenant uuid.UUID, d activities.DueTraining) error {
	run := uuid.NewSHA1(tenant, []byte(workflow.GetInfo(ctx).WorkflowExecution.RunID+"/"+d.Kind))
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: TrainingID(tenant, run), TaskQueue: QueueControl, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
		TypedSearchAttributes: tenantAttributes(tenant), Priority: tenantPriority(tenant),
	})
	in := TrainingInput{TenantID: tenant, RunID: run, Kind: d.Kind, Reason: d.Reason}
	return workflow.ExecuteChildWorkflow(child, ModelTraining, in).Get(ctx, nil)
}

// StartTraining starts the workflow of a training whose row exists; see
// StartOptimization.
func (c *Client) StartTraining(ctx context.Context, tenant, run uuid.UUID) error {
	return c.start(ctx, tenant, TrainingID(tenant, run), ModelTraining, TrainingInput{TenantID: tenant, RunID: run})
}
