package web

import (
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// handler answers a request or returns an error, which errors.go turns into
// a localised answer.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is one address of the product with the capability it needs. A route
// cannot be declared without one.
type route struct {
	method, pattern string
	capability      access.Capability
	handle          handler
}

// routes lists every page route of the product, area by area.
func (s *Server) routes() []route {
	return slices.Concat(
		s.publicRoutes(),
		s.sessionRoutes(),
		s.dashboardRoutes(),
		s.assetRoutes(),
		s.reliabilityRoutes(),
		s.plantRoutes(),
		s.scenarioRoutes(),
		s.scheduleRoutes(),
		s.modelRoutes(),
		s.planRoutes(),
		s.releaseRoutes(),
		s.governanceRoutes(),
		s.dossierRoutes(),
		s.verifyRoutes(),
		s.backtestRoutes(),
		s.workOrderRoutes(),
		s.ledgerRoutes(),
		s.alertRoutes(),
		s.notificationRoutes(),
		s.webhookRoutes(),
		s.integrationRoutes(),
		s.auditRoutes(),
		s.userRoutes(),
		s.tenantRoutes(),
		s.healthRoutes(),
		s.historyRoutes(),
		s.evidenceRoutes(),
		s.developerRoutes(),
	)
}

// Handler assembles middleware, routes, static files and the JSON API.
func (s *Server) Handler() http.Handler {
	m := chi.NewRouter()
	s.use(m)
	m.NotFound(s.wrap(func(http.ResponseWriter, *http.Request) error { return fault.New(fault.NotFound, "error.404.text") }))
	m.MethodNotAllowed(s.wrap(func(http.ResponseWriter, *http.Request) error { return fault.New(fault.NotFound, "error.404.text") }))
	m.Handle("/static/*", s.static)
	m.Get("/health/live", s.live)
	m.Get("/health/ready", s.ready)
	m.Group(func(m chi.Router) {
		m.Use(s.sessions.LoadAndSave, s.loadPrincipal)
		for _, x := range s.routes() {
			m.With(s.RequireCapability(x.capability)).MethodFunc(x.method, x.pattern, s.wrap(x.handle))
		}
	})
	s.mountHooks(m)
	s.mountAPI(m)
	return m
}

// wrap turns a handler into an http.HandlerFunc that answers its error.
func (s *Server) wrap(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	}
}
