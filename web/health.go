package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/scoring"
)

// checkTimeout bounds one check; a check that takes longer has failed.
const checkTimeout = 20 * time.Second

// engineCheckEvery is how long the self-checks of the engines are believed:
// they cost a solve, and probes come every few seconds.
const engineCheckEvery = time.Minute

// Check is the outcome of one readiness check.
type Check struct {
	Name    string        `json:"name"`
	OK      bool          `json:"ok"`
	Detail  string        `json:"detail,omitempty"`
	Latency time.Duration `json:"-"`
	Millis  float64       `json:"latency_ms"`
}

// Readiness is the answer of /health/ready.
type Readiness struct {
	Ready  bool    `json:"ready"`
	Checks []Check `json:"checks"`
}

// HealthView is the Data of health/status.
type HealthView struct {
	Readiness
	TemporalUI string
}

func (s *Server) healthRoutes() []route {
	return []route{
		{http.MethodGet, "/health", access.ViewPlatformHealth, s.showHealth},
	}
}

// probes answer without session or language, so they are mounted outside the
// page routes.
func (s *Server) live(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]bool{"live": true})
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	v := s.readiness(r.Context())
	status := http.StatusOK
	if !v.Ready {
		status = http.StatusServiceUnavailable
	}
	for i := range v.Checks {
		if !v.Checks[i].OK {
			s.Log.WarnContext(r.Context(), "not ready", "check", v.Checks[i].Name, "detail", v.Checks[i].Detail)
		}
		v.Checks[i].Detail = "" // causes are for the log and for platform owners
	}
	writeJSON(w, status, v)
}

func (s *Server) showHealth(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "health.title")
	if err != nil {
		return err
	}
	v := HealthView{Readiness: s.readiness(r.Context())}
	if s.Config.TemporalUI != nil && access.From(r.Context()).Can(access.OpenTemporalUI) {
		v.TemporalUI = s.Config.TemporalUI.String()
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "health/status", p)
	return nil
}

// readiness runs every check side by side.
func (s *Server) readiness(ctx context.Context) Readiness {
	checks := []struct {
		name string
		run  func(context.Context) error
	}{
		{"database", s.checkDatabase},
		{"ai_service", s.engines.scoring.check},
		{"optimization_engine", s.engines.optimize.check},
		{"background_worker", s.checkWorker},
		{"connectors", s.checkConnectors},
	}
	out := Readiness{Ready: true, Checks: make([]Check, len(checks))}
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() {
			began := time.Now()
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			err := c.run(ctx)
			took := time.Since(began)
			out.Checks[i] = Check{Name: c.name, OK: err == nil, Latency: took, Millis: float64(took.Microseconds()) / 1000}
			if err != nil {
				out.Checks[i].Detail = err.Error()
			}
		})
	}
	wg.Wait()
	for _, c := range out.Checks {
		out.Ready = out.Ready && c.OK
	}
	return out
}

func (s *Server) checkDatabase(ctx context.Context) error {
	if err := s.DB.Ping(ctx); err != nil {
		return err
	}
	pending, err := s.DB.Pending(ctx)
	if err == nil && pending {
		return fmt.Errorf("migrations wait to be applied: run `optria migrate`")
	}
	return err
}

func (s *Server) checkWorker(ctx context.Context) error {
	alive, err := s.Workflows.Alive(ctx)
	if err != nil {
		return err
	}
	if !alive.Healthy() {
		return fmt.Errorf("background work stands still: %v", alive.Problems)
	}
	return nil
}

// checkConnectors lists the kinds of connectors and every tenant's configured
// integrations.
func (s *Server) checkConnectors(ctx context.Context) error {
	if len(connector.Specs()) == 0 {
		return fmt.Errorf("no connector is registered")
	}
	var tenants []db.Tenant
	err := s.DB.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		tenants, err = q.ListTenants(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, t := range tenants {
		err := s.DB.InTenant(ctx, t.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			rows, err := q.ListIntegrationKinds(ctx, tx, t.ID)
			if err != nil {
				return err
			}
			for _, kind := range rows {
				if _, known := connector.Lookup(kind); !known {
					return fmt.Errorf("an integration of %s is of unknown kind %s", t.Code, kind)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// selfCheck remembers the outcome of a costly check for a while.
type selfCheck struct {
	run  func(context.Context) error
	mu   sync.Mutex
	at   time.Time
	last error
}

func (c *selfCheck) check(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() || time.Since(c.at) > engineCheckEvery {
		c.last, c.at = c.run(ctx), time.Now()
	}
	return c.last
}

// engineChecks are the self-checks of the two engines.
type engineChecks struct{ scoring, optimize selfCheck }

func newEngineChecks() *engineChecks {
	return &engineChecks{scoring: selfCheck{run: scoring.SelfCheck}, optimize: selfCheck{run: optimize.SelfCheck}}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
