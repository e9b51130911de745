// Package api is the JSON interface of the product: runs, plans, assets
// with their scores and life data, models, alerts, integrations, work orders and
// telemetry for service accounts and scripts.
// OpenAPI 3.1 describes it at /api/v1/openapi.json. Every operation declares a
// capability of the access matrix; errors are problem details (RFC 9457) in
// the caller's language.
package api

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"
	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/internal/secret"
	"github.com/optria-iq/optria/web/integration"
	"github.com/optria-iq/optria/workflows"
)

// Path is where the API is mounted.
const Path = "/api/v1"

// Limits of the API: requests per minute by token and by address, and bytes of
// a body: of a JSON document, of a batch of readings and of anything at all.
const (
	DefaultPerMinute = 300
	perAddress       = 4
	maxBatchBytes    = 4 << 20
	maxFileBytes     = 32 << 20
	maxBodyBytes     = maxFileBytes + 1<<20
)

// Workflows is what the API asks of the workflow client.
type Workflows interface {
	integration.Workflows
	StartOptimization(ctx context.Context, tenant, run uuid.UUID) error
	StopOptimization(ctx context.Context, tenant, run uuid.UUID) error
	CancelOptimization(ctx context.Context, tenant, run uuid.UUID) error
	StartTraining(ctx context.Context, tenant, run uuid.UUID) error
	StartRecurring(ctx context.Context, f recurrence.Firing) error
	EnsureRecurring(ctx context.Context, t recurrence.Trigger) error
	StartRerun(ctx context.Context, tenant, rerun uuid.UUID) error
	StartApproval(ctx context.Context, tenant, plan uuid.UUID) error
	StartRelease(ctx context.Context, tenant, plan uuid.UUID) error
	ResolveRelease(ctx context.Context, tenant, plan uuid.UUID, updateID string, r workflows.Resolution) (string, error)
	PreviewRelease(ctx context.Context, tenant, plan, integration uuid.UUID) (workflows.DryRun, error)
	Decide(ctx context.Context, tenant, plan uuid.UUID, updateID string, d workflows.Decision) (workflows.PlanState, error)
}

// Deps is everything the API needs from outside. Secret verifies tokens;
// PerMinute is the number of requests that a token may make, zero for
// DefaultPerMinute.
type Deps struct {
	DB        *db.DB
	Workflows Workflows
	Box       *secret.Box
	Dialer    *net.Dialer // connectors reach only what it allows
	Secret    []byte
	Catalog   *i18n.Catalog
	Log       *slog.Logger
	PerMinute int
}

// API is the mounted interface.
type API struct {
	Deps
	huma         huma.API
	capabilities map[string]access.Capability
}

// Mount adds the API to a router and returns it.
func Mount(m chi.Router, d Deps) *API {
	a := &API{Deps: d, capabilities: map[string]access.Capability{}}
	if a.PerMinute == 0 {
		a.PerMinute = DefaultPerMinute
	}
	m.Route(Path, func(m chi.Router) {
		m.Use(a.language, noStore)
		m.NotFound(a.refuse(http.StatusNotFound, "api.not_found"))
		m.MethodNotAllowed(a.refuse(http.StatusMethodNotAllowed, "api.method"))
		m.Use(
			httprate.LimitBy(perAddress*a.PerMinute, time.Minute, byAddress, httprate.WithLimitHandler(a.refuse(http.StatusTooManyRequests, "api.limited"))),
			httprate.LimitBy(a.PerMinute, time.Minute, byToken, httprate.WithLimitHandler(a.refuse(http.StatusTooManyRequests, "api.limited"))),
			bounded,
		)
		a.huma = humachi.New(m, configuration())
		a.optimization()
		a.plans()
		a.releases()
		a.workOrders()
		a.ledger()
		a.schedules()
		a.assets()
		a.alerts()
		a.models()
		a.reliability()
		a.integrations()
		a.ingest()
		a.signals()
		a.webhooks()
		a.notifications()
		a.tokens()
	})
	return a
}

// Capabilities maps the id of every operation to the capability it needs.
func (a *API) Capabilities() map[string]access.Capability { return a.capabilities }

// OpenAPI is the description of the API.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

func configuration() huma.Config {
	c := huma.DefaultConfig("OPTRIA IQ", "1.0.0")
	c.DocsPath, c.SchemasPath = "", ""
	c.CreateHooks = nil
	c.Info.Description = "Runs, plans, assets, scores, models, alerts, integrations, work orders and telemetry of one tenant. The tenant is that of the token."
	c.Servers = []*huma.Server{{URL: Path}}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"}}
	return c
}

// add registers one operation with the capability it needs.
func add[I, O any](a *API, need access.Capability, op huma.Operation, h func(ctx context.Context, who access.Principal, in *I) (*O, error)) {
	op.Security = []map[string][]string{{"bearer": {}}}
	op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusTooManyRequests)
	op.Extensions = map[string]any{"x-capability": string(need)}
	if scope := access.ScopeFor(need); scope != "" {
		op.Extensions["x-scope"] = scope
	}
	op.Middlewares = append(op.Middlewares, a.authorize(need))
	if changesState(op.Method) && !takesKey[I]() {
		op.Parameters = append(op.Parameters, keyParameter())
		op.Middlewares = append(op.Middlewares, a.idempotent)
	}
	a.capabilities[op.OperationID] = need
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, access.From(ctx), in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
}

// route names an operation.
func route(method, path, id, summary, tag string) huma.Operation {
	return huma.Operation{Method: method, Path: path, OperationID: id, Summary: summary, Tags: []string{tag}}
}
