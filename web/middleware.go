package web

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httplog/v3"
	"github.com/jackc/pgx/v5"
	"github.com/unrolled/secure"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// pagePolicy is the content security policy of every page: nothing inline,
// nothing from elsewhere, Trusted Types for scripts.
const pagePolicy = "default-src 'none'; script-src $NONCE 'strict-dynamic'; style-src 'self'; style-src-attr 'none'; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; " +
	"frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types htmx"

// maxUpload bounds every request body; a form needs far less, a file import
// up to this much.
const maxUpload = 64 << 20

func (s *Server) use(m chi.Router) {
	m.Use(middleware.RequestID)
	m.Use(httplog.RequestLogger(s.Log, &httplog.Options{
		Level: slog.LevelInfo, Schema: httplog.SchemaECS.Concise(true), RecoverPanics: true, LogRequestHeaders: []string{},
		Skip: func(r *http.Request, status int) bool {
			return status < 400 && (strings.HasPrefix(r.URL.Path, "/static/") || strings.HasPrefix(r.URL.Path, "/health/"))
		},
	}))
	m.Use(s.headers())
	m.Use(Preferences)
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(s.wrap(func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.Forbidden, "error.cross_origin")
	}))
	m.Use(cross.Handler)
	m.Use(middleware.RequestSize(maxUpload))
}

func (s *Server) headers() func(http.Handler) http.Handler {
	o := secure.Options{
		ContentSecurityPolicy: pagePolicy, ContentTypeNosniff: true, FrameDeny: true,
		ReferrerPolicy: "same-origin", CrossOriginOpenerPolicy: "same-origin", CrossOriginResourcePolicy: "same-origin",
		PermissionsPolicy: "camera=(), microphone=(), geolocation=(), payment=()",
	}
	if s.Config.Secure() {
		o.STSSeconds, o.ForceSTSHeader = 31536000, true
	}
	return secure.New(o).Handler
}

// RequireCapability lets a request pass when the principal holds c. Someone
// not signed in is led to the sign-in page; anyone else is refused.
func (s *Server) RequireCapability(c access.Capability) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p := access.From(r.Context())
			switch {
			case p.Can(c):
				next.ServeHTTP(w, r)
			case !p.Can(access.SignedIn):
				s.toLogin(w, r)
			default:
				s.deny(w, r, c)
			}
		})
	}
}

// deny refuses a person who lacks a capability and records the attempt.
func (s *Server) deny(w http.ResponseWriter, r *http.Request, c access.Capability) {
	home := access.From(r.Context()).HomeTenant
	err := s.DB.InTenant(r.Context(), home, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return s.audit(ctx, tx, r, home, db.Entry{Action: "access.denied", ObjectType: "capability", ObjectID: string(c),
			After: map[string]string{"method": r.Method, "path": r.URL.Path}})
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.fail(w, r, fault.New(fault.Forbidden, "error.403.text"))
}

// RequirePlatformOwner guards what only platform owners may do.
func (s *Server) RequirePlatformOwner() func(http.Handler) http.Handler {
	return s.RequireCapability(access.ManageTenants)
}

// RequireTenantAdmin guards what only tenant admins may do.
func (s *Server) RequireTenantAdmin() func(http.Handler) http.Handler {
	return s.RequireCapability(access.ManageUsers)
}

// toLogin remembers where a reader wanted to go; a form cannot be repeated
// after sign-in, so it starts again from the front page.
func (s *Server) toLogin(w http.ResponseWriter, r *http.Request) {
	target := "/login"
	if r.Method == http.MethodGet && r.Header.Get("HX-Request") == "" {
		target += "?next=" + escapeQuery(r.URL.RequestURI())
	}
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", target)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, target, http.StatusSeeOther) // #nosec G710 -- always /login
}
