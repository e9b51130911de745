// Package activities holds the side effects behind the workflows: each one
// loads what it needs, calls an engine and saves the result. Activities are
// idempotent, because Temporal repeats them: writes are keyed, and what was
// done before is found and left alone. Long ones heartbeat and stop when they
// are cancelled.
package activities

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/worker"

	"github.com/optria-iq/optria/db"
	_ "github.com/optria-iq/optria/internal/connector/all" // registers the connectors that polls open
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/internal/secret"
)

// Starter is what upkeep needs of the workflow client. Every start is
// idempotent.
type Starter interface {
	StartOptimization(ctx context.Context, tenant, run uuid.UUID) error
	StartApproval(ctx context.Context, tenant, plan uuid.UUID) error
	StartRelease(ctx context.Context, tenant, plan uuid.UUID) error
	StartTraining(ctx context.Context, tenant, run uuid.UUID) error
	StartBacktest(ctx context.Context, tenant, backtest uuid.UUID) error
	StartRecurring(ctx context.Context, f recurrence.Firing) error
	EnsureRecurring(ctx context.Context, t recurrence.Trigger) error
	StartRerun(ctx context.Context, tenant, rerun uuid.UUID) error
	Running(ctx context.Context, workflowID string) (bool, error)
	EnsureTenantSchedules(ctx context.Context, tenant uuid.UUID, integrations []uuid.UUID) error
	StartBackfill(ctx context.Context, tenant, integration uuid.UUID) error
	Discover(ctx context.Context, tenant, integration uuid.UUID) error
}

// Deps are what activities work with.
type Deps struct {
	DB            *db.DB
	Box           *secret.Box // opens the credentials of integrations
	Dialer        *net.Dialer // reaches the addresses that the deployment allows
	Starter       Starter
	SolverThreads int      // cores that one optimization run may keep busy, at least 1
	Mail          *Mailing // nil sends no e-mail
}

// Set is every activity of a worker process.
type Set struct {
	deps         Deps
	Ingest       *Ingest
	Scoring      *Scoring
	Optimization *Optimization
	Approval     *Approval
	Release      *Release
	Upkeep       *Upkeep
	Preview      *Preview
	Training     *Training
	Backtest     *Backtest
	Recurring    *Recurring
	Rerun        *Rerun
	Deliver      *Deliver
}

// Scoring scores assets.
type Scoring struct {
	deps   Deps
	models artefacts
}

// Optimization loads, solves, verifies and saves runs.
type Optimization struct{ deps Deps }

// Approval records decisions on plans.
type Approval struct{ deps Deps }

// Release turns plans into work orders.
type Release struct{ deps Deps }

// Upkeep mends what crashes leave behind.
type Upkeep struct{ deps Deps }

// NewSet returns the activities over their dependencies.
func NewSet(d Deps) *Set {
	d.SolverThreads = max(d.SolverThreads, 1)
	return &Set{
		deps: d, Ingest: newIngest(d), Scoring: &Scoring{deps: d}, Optimization: &Optimization{d},
		Approval: &Approval{d}, Release: &Release{d}, Upkeep: &Upkeep{d}, Preview: &Preview{d}, Training: &Training{d}, Backtest: &Backtest{d}, Recurring: &Recurring{d}, Rerun: &Rerun{d}, Deliver: newDeliver(d),
	}
}

// Register makes the activities known to a worker.
func (s *Set) Register(r worker.ActivityRegistry) {
	r.RegisterActivity(s.Ingest)
	r.RegisterActivity(s.Scoring)
	r.RegisterActivity(s.Optimization)
	r.RegisterActivity(s.Approval)
	r.RegisterActivity(s.Release)
	r.RegisterActivity(s.Upkeep)
	r.RegisterActivity(s.Preview)
	r.RegisterActivity(s.Training)
	r.RegisterActivity(s.Backtest)
	r.RegisterActivity(s.Recurring)
	r.RegisterActivity(s.Rerun)
	r.RegisterActivity(s.Deliver)
}

// EnsureSchedules creates or updates the schedules of every active tenant and
// its integrations. A worker calls it once when it starts.
func (s *Set) EnsureSchedules(ctx context.Context) error {
	return s.eachTenant(ctx, func(tenant uuid.UUID) error { return ensureSchedules(ctx, s.deps, tenant, 0) })
}

// EnsureRecurring tells the workflow engine of the recurring work of every
// active tenant. A worker calls it once when it starts, and goes on after an
// error: the watch over schedules tells the engine again within the hour.
func (s *Set) EnsureRecurring(ctx context.Context) error {
	return s.eachTenant(ctx, func(tenant uuid.UUID) error { return ensureTriggers(ctx, s.deps, tenant, 0) })
}

// eachTenant does work for every active tenant, also when it fails for one.
func (s *Set) eachTenant(ctx context.Context, work func(tenant uuid.UUID) error) error {
	tenants, err := activeTenants(ctx, s.deps.DB)
	if err != nil {
		return err
	}
	var failed []error
	for _, t := range tenants {
		if err := work(t.ID); err != nil {
			failed = append(failed, fmt.Errorf("tenant %s: %w", t.Code, err))
		}
	}
	return errors.Join(failed...)
}

// activeTenants lists the tenants that recurring work is done for.
func activeTenants(ctx context.Context, d *db.DB) ([]db.Tenant, error) {
	var active []db.Tenant
	err := d.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		all, err := q.ListTenants(ctx, tx)
		for _, t := range all {
			if t.Kind == "customer" && t.Status == "active" {
				active = append(active, t)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	return active, nil
}

// ensureSchedules ensures the schedules of a tenant for integrations made
// within the last ageSeconds, zero for all.
func ensureSchedules(ctx context.Context, d Deps, tenant uuid.UUID, ageSeconds float64) error {
	var integrations []uuid.UUID
	err := d.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		integrations, err = q.ListPolledIntegrations(ctx, tx, tenant, ageSeconds)
		return err
	})
	if err != nil {
		return fmt.Errorf("list integrations: %w", err)
	}
	if ageSeconds > 0 && len(integrations) == 0 {
		return nil
	}
	return d.Starter.EnsureTenantSchedules(ctx, tenant, integrations)
}
