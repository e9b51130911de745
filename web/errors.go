package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httplog/v3"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// statusOf maps a fault's code to an HTTP status.
var statusOf = map[fault.Code]int{
	fault.Invalid:     http.StatusUnprocessableEntity,
	fault.NotFound:    http.StatusNotFound,
	fault.Conflict:    http.StatusConflict,
	fault.Forbidden:   http.StatusForbidden,
	fault.Unavailable: http.StatusServiceUnavailable,
	fault.Internal:    http.StatusInternalServerError,
}

// fail logs the cause once and answers with the localised message: an error
// page, or a toast when htmx asked.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := statusOf[fault.CodeOf(err)]
	_ = httplog.SetError(r.Context(), err)
	if status >= http.StatusInternalServerError {
		s.Log.ErrorContext(r.Context(), "request", "error", err, "request_id", middleware.GetReqID(r.Context()),
			"tenant", access.From(r.Context()).TenantID)
	}
	p := s.render.Page(r)
	message := s.message(p, err)
	if r.Header.Get("HX-Request") != "" {
		p.Toasts = []Toast{{Tone: "bad", Title: message}}
		w.Header().Set("HX-Reswap", "none")
		p.Data = ErrorView{Status: status, Message: message, RequestID: middleware.GetReqID(r.Context())}
		s.render.RenderPart(w, r, status, "public/error", "content", p)
		return
	}
	if access.From(r.Context()).Can(access.SignedIn) {
		if full, shellErr := s.page(r, "error.title"); shellErr == nil {
			p = full
		}
	}
	p.Title = p.T("error.title")
	p.Data = ErrorView{Status: status, Message: message, RequestID: middleware.GetReqID(r.Context())}
	s.render.Render(w, r, status, "public/error", p)
}

// message translates a fault; anything else gets the general words, so that
// no cause ever reaches a page.
func (s *Server) message(p Page, err error) string {
	var f *fault.Error
	if !errors.As(err, &f) || f.Key == "" {
		return p.T("error.500.text")
	}
	return p.T(f.Key, arguments(f.Args)...)
}

func arguments(m map[string]any) []any {
	out := make([]any, 0, 2*len(m))
	for k, v := range m {
		out = append(out, k, v)
	}
	return out
}

func escapeQuery(s string) string { return url.QueryEscape(s) }

// localPath returns v when it is a path on this site, else fallback, so that
// a link can never lead a person elsewhere after sign-in.
func localPath(v, fallback string) string {
	u, err := url.Parse(v)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(v, "/") || strings.HasPrefix(v, "//") || strings.Contains(v, `\`) {
		return fallback
	}
	return v
}
