package web

import (
	"context"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// demoRequestsPerHour bounds the public form per address.
const demoRequestsPerHour = 10

func (s *Server) publicRoutes() []route {
	return []route{
		{http.MethodGet, "/", access.Public, s.showLanding},
		{http.MethodGet, "/demo-request", access.Public, s.showDemoRequest},
		{http.MethodGet, "/demo-requests", access.ManageTenants, s.showDemoRequests},
		{http.MethodPost, "/demo-request", access.Public, limited(demoRequestsPerHour, time.Hour, s.tooManyRequests, s.sendDemoRequest)},
	}
}

func (s *Server) showLanding(w http.ResponseWriter, r *http.Request) error {
	p := s.render.Page(r)
	p.Title = p.T("landing.title")
	p.Data = NewLandingView(p)
	s.render.Render(w, r, http.StatusOK, "public/landing", p)
	return nil
}

func (s *Server) showDemoRequest(w http.ResponseWriter, r *http.Request) error {
	s.demoPage(w, r, http.StatusOK, DemoView{})
	return nil
}

func (s *Server) demoPage(w http.ResponseWriter, r *http.Request, status int, v DemoView) {
	p := s.render.Page(r)
	p.Title = p.T("landing.demo")
	v.Industries = Industries(p)
	p.Data = v
	s.render.Render(w, r, status, "public/demo-request", p)
}

func (s *Server) tooManyRequests(w http.ResponseWriter, r *http.Request) {
	p := s.render.Page(r)
	p.Title = p.T("error.title")
	p.Data = ErrorView{Status: http.StatusTooManyRequests}
	s.render.Render(w, r, http.StatusTooManyRequests, "public/error", p)
}

// sendDemoRequest keeps the request for the platform owners.
func (s *Server) sendDemoRequest(w http.ResponseWriter, r *http.Request) error {
	v := DemoView{Name: field(r, "name"), Company: field(r, "company"), Email: field(r, "email"), Phone: field(r, "phone"),
		Industry: field(r, "industry"), Message: field(r, "message")}
	p := s.render.Page(r)
	if v.Errors = checkDemo(p, v); len(v.Errors) > 0 {
		s.demoPage(w, r, http.StatusUnprocessableEntity, v)
		return nil
	}
	lines := slices.DeleteFunc([]string{v.Industry, v.Phone, v.Message}, func(l string) bool { return l == "" })
	err := s.DB.Platform(r.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.CreateDemoRequest(ctx, tx, db.CreateDemoRequestParams{Name: v.Name, Organization: v.Company, Email: v.Email, Message: strings.Join(lines, "\n")})
		return err
	})
	if err != nil {
		return err
	}
	s.demoPage(w, r, http.StatusOK, DemoView{Sent: true})
	return nil
}

// checkDemo returns a translated text for every field that is wrong.
func checkDemo(p Page, v DemoView) map[string]string {
	errs := map[string]string{}
	need := func(name, value string, most int) {
		switch n := utf8.RuneCountInString(value); {
		case n == 0:
			errs[name] = p.T("field.required")
		case n > most:
			errs[name] = p.T("field.long")
		}
	}
	need("name", v.Name, 200)
	need("company", v.Company, 200)
	need("email", v.Email, 254)
	if _, err := mail.ParseAddress(v.Email); errs["email"] == "" && err != nil {
		errs["email"] = p.T("field.email")
	}
	if utf8.RuneCountInString(v.Phone)+utf8.RuneCountInString(v.Industry) > 200 {
		errs["phone"] = p.T("field.long")
	}
	if utf8.RuneCountInString(v.Message) > 3500 {
		errs["message"] = p.T("field.long")
	}
	return errs
}

// field is a form value without surrounding space.
func field(r *http.Request, name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
