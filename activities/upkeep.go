package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// How old a row must be before upkeep acts on it: younger ones are still in
// the hands of the request or the workflow that made them.
const (
	forgottenAfter = 30 * time.Second
	orphanedAfter  = 2 * time.Minute
	recentlyMade   = time.Hour
)

// partitionsAhead is how many days of historian partitions stand ready.
const partitionsAhead = 14

// Mended counts what a round of upkeep asked Temporal to start and what it put
// right. Approvals that were running already count as well.
type Mended struct {
	Runs, Approvals, Releases, Backtests, Reruns, Orphans, Trainings int
}

// EnsurePartitions creates the historian's partitions of the coming days. The
// function in the database belongs to the application role, which works for a
// tenant; which one does not matter.
func (a *Upkeep) EnsurePartitions(ctx context.Context) error {
	tenants, err := activeTenants(ctx, a.deps.DB)
	if err != nil || len(tenants) == 0 {
		return err
	}
	today := time.Now().UTC()
	return a.deps.DB.InTenant(ctx, tenants[0].ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.EnsurePartitions(ctx, tx, today, today.AddDate(0, 0, partitionsAhead)); err != nil {
			return fmt.Errorf("ensure partitions: %w", err)
		}
		return nil
	})
}

// DeleteExpiredSessions removes browser sessions that have run out.
func (a *Upkeep) DeleteExpiredSessions(ctx context.Context) error {
	if _, err := a.deps.DB.DeleteExpiredSessions(ctx); err != nil {
		return fmt.Errorf("delete expired sessions: %w", err)
	}
	return nil
}

// ReconcileTenants goes through the tenants and mends what stands between
// their rows and Temporal. A tenant that fails does not hold up the others.
func (a *Upkeep) ReconcileTenants(ctx context.Context) (Mended, error) {
	var mended Mended
	tenants, err := activeTenants(ctx, a.deps.DB)
	if err != nil {
		return mended, err
	}
	var failed []error
	for _, t := range tenants {
		activity.RecordHeartbeat(ctx, t.Code)
		if err := a.reconcile(ctx, t, &mended); err != nil {
			failed = append(failed, fmt.Errorf("tenant %s: %w", t.Code, err))
		}
	}
	return mended, errors.Join(failed...)
}

// forgotten is what one tenant's rows ask for.
type forgotten struct {
	runs, approvals, releases, backtests, reruns []uuid.UUID
	open                                         []db.ListOpenRunsRow
}

func (a *Upkeep) reconcile(ctx context.Context, t db.Tenant, mended *Mended) error {
	age := recentlyMade.Seconds()
	if time.Since(t.CreatedAt) < recentlyMade {
		age = 0
	}
	if err := ensureSchedules(ctx, a.deps, t.ID, age); err != nil {
		return fmt.Errorf("ensure schedules: %w", err)
	}
	f, err := a.look(ctx, t.ID)
	if err != nil {
		return err
	}
	starts := []struct {
		ids   []uuid.UUID
		start func(context.Context, uuid.UUID, uuid.UUID) error
		count *int
	}{
		{f.runs, a.deps.Starter.StartOptimization, &mended.Runs},
		{f.approvals, a.deps.Starter.StartApproval, &mended.Approvals},
		{f.releases, a.deps.Starter.StartRelease, &mended.Releases},
		{f.backtests, a.deps.Starter.StartBacktest, &mended.Backtests},
		{f.reruns, a.deps.Starter.StartRerun, &mended.Reruns},
	}
	for _, s := range starts {
		for _, id := range s.ids {
			if err := s.start(ctx, t.ID, id); err != nil {
				return err
			}
			*s.count++
		}
	}
	if err := a.resumeTrainings(ctx, t.ID, mended); err != nil {
		return err
	}
	for _, run := range f.open {
		closed, err := a.closeOrphan(ctx, t.ID, run)
		if err != nil {
			return err
		}
		if closed {
			mended.Orphans++
		}
	}
	return nil
}

func (a *Upkeep) look(ctx context.Context, tenant uuid.UUID) (forgotten, error) {
	var f forgotten
	err := a.deps.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if f.runs, err = q.ListForgottenRuns(ctx, tx, tenant, forgottenAfter.Seconds()); err != nil {
			return fmt.Errorf("list runs: %w", err)
		}
		if f.approvals, err = q.ListWaitingPlans(ctx, tx, tenant, forgottenAfter.Seconds()); err != nil {
			return fmt.Errorf("list plans: %w", err)
		}
		if f.releases, err = q.ListForgottenReleases(ctx, tx, tenant, forgottenAfter.Seconds()); err != nil {
			return fmt.Errorf("list releases: %w", err)
		}
		if f.backtests, err = q.ListForgottenBacktests(ctx, tx, tenant, forgottenAfter.Seconds()); err != nil {
			return fmt.Errorf("list backtests: %w", err)
		}
		if f.reruns, err = q.ListForgottenReruns(ctx, tx, tenant, forgottenAfter.Seconds()); err != nil {
			return fmt.Errorf("list reruns: %w", err)
		}
		if f.open, err = q.ListOpenRuns(ctx, tx, tenant, orphanedAfter.Seconds()); err != nil {
			return fmt.Errorf("list open runs: %w", err)
		}
		return nil
	})
	return f, err
}

// closeOrphan fails a run whose workflow is gone, for instance because an
// operator terminated it.
func (a *Upkeep) closeOrphan(ctx context.Context, tenant uuid.UUID, run db.ListOpenRunsRow) (bool, error) {
	alive, err := a.deps.Starter.Running(ctx, run.WorkflowID)
	if err != nil || alive {
		return false, err
	}
	closing := CloseInput{
		RunRef: RunRef{TenantID: tenant, RunID: run.ID}, State: RunFailed,
		Cause: ErrorDetail{Code: fault.Internal, Key: KeyWorkflowGone},
	}
	err = a.deps.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return closeRun(ctx, tx, q, closing)
	})
	if err != nil {
		return false, fmt.Errorf("close orphaned run: %w", err)
	}
	return true, nil
}
