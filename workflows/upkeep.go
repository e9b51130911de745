package workflows

import (
	"errors"

	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/activities"
)

// Upkeep is one round of housekeeping for the whole platform; a schedule
// starts it every minute. It keeps historian partitions ahead, deletes expired
// sessions, mends what a crash left between a row and its workflow: runs,
// approvals and releases that were asked for but never started, and runs whose
// workflow is gone; it rolls up the hours that readings have touched and packs
// the days that are closed; it warns of tokens that end, writes the
// roots of finished audit days, and makes up for due times of schedules that
// nobody started. One failing part does not hold up the others.
func Upkeep(ctx workflow.Context) (activities.Mended, error) {
	var a *activities.Upkeep
	ctx = survey(ctx, "upkeep")
	partitions := workflow.ExecuteActivity(ctx, a.EnsurePartitions).Get(ctx, nil)
	sessions := workflow.ExecuteActivity(ctx, a.DeleteExpiredSessions).Get(ctx, nil)
	var mended activities.Mended
	rows := workflow.ExecuteActivity(ctx, a.ReconcileTenants).Get(ctx, &mended)
	var hours error
	if workflow.GetVersion(ctx, "roll hours up", workflow.DefaultVersion, 1) == 1 {
		hours = workflow.ExecuteActivity(ctx, a.RollUpTenants).Get(ctx, nil)
	}
	var days error
	if workflow.GetVersion(ctx, "pack days", workflow.DefaultVersion, 1) == 1 {
		days = workflow.ExecuteActivity(ctx, a.PackDays).Get(ctx, nil)
	}
	var tokens error
	if workflow.GetVersion(ctx, "tend tokens", workflow.DefaultVersion, 1) == 1 {
		tokens = workflow.ExecuteActivity(ctx, a.TendTokens).Get(ctx, nil)
	}
	var chains error
	if workflow.GetVersion(ctx, "close audit days", workflow.DefaultVersion, 1) == 1 {
		chains = workflow.ExecuteActivity(ctx, a.CloseAuditDays).Get(ctx, nil)
	}
	var due error
	if workflow.GetVersion(ctx, "watch schedules", workflow.DefaultVersion, 1) == 1 {
		due = workflow.ExecuteActivity(ctx, a.WatchSchedules).Get(ctx, nil)
	}
	return mended, errors.Join(partitions, sessions, rows, hours, days, tokens, chains, due)
}
