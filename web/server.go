// Package web is the web tier: it parses a request, checks the capability,
// calls the database or starts a workflow, and renders. It never scores,
// solves or polls.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/config"
	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/internal/secret"
	"github.com/optria-iq/optria/web/api"
	"github.com/optria-iq/optria/workflows"
)

// Workflows is what the web tier asks of the workflow client.
type Workflows interface {
	StartOptimization(ctx context.Context, tenant, run uuid.UUID) error
	StopOptimization(ctx context.Context, tenant, run uuid.UUID) error
	CancelOptimization(ctx context.Context, tenant, run uuid.UUID) error
	StartApproval(ctx context.Context, tenant, plan uuid.UUID) error
	Decide(ctx context.Context, tenant, plan uuid.UUID, updateID string, d workflows.Decision) (workflows.PlanState, error)
	StartRelease(ctx context.Context, tenant, plan uuid.UUID) error
	ResolveRelease(ctx context.Context, tenant, plan uuid.UUID, updateID string, r workflows.Resolution) (string, error)
	PreviewRelease(ctx context.Context, tenant, plan, integration uuid.UUID) (workflows.DryRun, error)
	ReconcileNow(ctx context.Context, tenant uuid.UUID) error
	StartTraining(ctx context.Context, tenant, run uuid.UUID) error
	StartRecurring(ctx context.Context, f recurrence.Firing) error
	EnsureRecurring(ctx context.Context, t recurrence.Trigger) error
	StartBacktest(ctx context.Context, tenant, backtest uuid.UUID) error
	StartRerun(ctx context.Context, tenant, rerun uuid.UUID) error
	StartSweep(ctx context.Context, tenant uuid.UUID) error
	PreviewEdit(ctx context.Context, tenant, asset uuid.UUID, change reliability.Change) (reliability.Preview, error)
	EnsureTenantSchedules(ctx context.Context, tenant uuid.UUID, integrations []uuid.UUID) error
	EnsureIntegrationSchedule(ctx context.Context, tenant, integration uuid.UUID) error
	PauseIntegration(ctx context.Context, tenant, integration uuid.UUID, paused bool) error
	PollNow(ctx context.Context, tenant, integration uuid.UUID) error
	Discover(ctx context.Context, tenant, integration uuid.UUID) error
	StartBackfill(ctx context.Context, tenant, integration uuid.UUID) error
	Alive(ctx context.Context) (workflows.Liveness, error)
	ExecutionURL(ui *url.URL, workflowID string) string
	TenantURL(ui *url.URL, tenant uuid.UUID) string
	Timeline(ctx context.Context, workflowID string) (workflows.Timeline, error)
}

// Deps is everything a server needs from outside.
type Deps struct {
	Config    config.Config
	DB        *db.DB
	Workflows Workflows
	Box       *secret.Box
	Dialer    *net.Dialer // connectors reach only what it allows
	Log       *slog.Logger
}

// Server answers pages and the JSON API.
type Server struct {
	Deps
	catalog  *i18n.Catalog
	render   *Renderer
	static   *Static
	sessions *scs.SessionManager
	engines  *engineChecks
	api      *api.API // set by Handler
}

// New parses templates and messages and prepares sessions.
func New(d Deps) (*Server, error) {
	catalog, err := i18n.New()
	if err != nil {
		return nil, fmt.Errorf("load messages: %w", err)
	}
	static, err := NewStatic()
	if err != nil {
		return nil, err
	}
	render, err := NewRenderer(catalog, static)
	if err != nil {
		return nil, err
	}
	return &Server{Deps: d, catalog: catalog, render: render, static: static, sessions: newSessions(d), engines: newEngineChecks()}, nil
}

// Serve listens on the configured address until ctx ends, then lets running
// requests finish for ten seconds.
func (s *Server) Serve(ctx context.Context) error {
	h := &http.Server{
		Addr:              s.Config.Address,
		Handler:           s.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	done := make(chan error, 1)
	go func() { done <- h.ListenAndServe() }()
	s.Log.Info("web tier listening", "address", s.Config.Address)
	select {
	case err := <-done:
		return fmt.Errorf("listen on %s: %w", s.Config.Address, err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := h.Shutdown(grace); err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
