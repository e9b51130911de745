package web

import (
	"github.com/go-chi/chi/v5"

	"github.com/optria-iq/optria/web/api"
)

// mountAPI adds the JSON API under its own path, with tokens instead of
// sessions.
func (s *Server) mountAPI(m chi.Router) {
	s.api = api.Mount(m, api.Deps{DB: s.DB, Workflows: s.Workflows, Box: s.Box, Dialer: s.Dialer, Secret: s.Config.JWTSecret, Catalog: s.catalog, Log: s.Log})
}
