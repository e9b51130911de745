package workflows

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// RerunInput repeats one past run; the row of the repetition already exists.
type RerunInput struct {
	TenantID uuid.UUID
	RerunID  uuid.UUID
}

func (in RerunInput) tenant() uuid.UUID { return in.TenantID }

// RerunID is the workflow id of a repetition.
func RerunID(tenant, rerun uuid.UUID) string { return fmt.Sprintf("rerun/%s/%s", tenant, rerun) }

// Rerun solves a past run again from the snapshot of its input, preset by
// preset, and compares the hashes. It changes nothing of the run. One that
// cannot be made is written to its row with the reason.
func Rerun(ctx workflow.Context, in RerunInput) error {
	ref := activities.RerunRef{TenantID: in.TenantID, RerunID: in.RerunID}
	err := repeat(ctx, ref)
	if err == nil {
		return nil
	}
	var a *activities.Rerun
	cleanup, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	failed := activities.FailedRerun{RerunRef: ref, Cause: activities.DetailOf(err)}
	if closeErr := workflow.ExecuteActivity(record(cleanup, "close rerun"), a.FailRerun, failed).Get(cleanup, nil); closeErr != nil {
		return closeErr
	}
	return err
}

func repeat(ctx workflow.Context, ref activities.RerunRef) error {
	var a *activities.Rerun
	var begun activities.BegunRerun
	if err := workflow.ExecuteActivity(record(ctx, "load evidence"), a.BeginRerun, ref).Get(ctx, &begun); err != nil {
		return err
	}
	if len(begun.Presets) == 0 {
		return nil
	}
	for _, preset := range begun.Presets {
		in := activities.RerunInput{RerunRef: ref, Preset: preset}
		if err := workflow.ExecuteActivity(solve(ctx, begun.Limit, "repeat "+preset), a.SolveRerun, in).Get(ctx, nil); err != nil {
			return err
		}
	}
	return workflow.ExecuteActivity(record(ctx, "compare"), a.FinishRerun, ref).Get(ctx, nil)
}

// StartRerun starts the repetition of a run whose row exists; see
// StartOptimization.
func (c *Client) StartRerun(ctx context.Context, tenant, rerun uuid.UUID) error {
	return c.start(ctx, tenant, RerunID(tenant, rerun), Rerun, RerunInput{TenantID: tenant, RerunID: rerun})
}
