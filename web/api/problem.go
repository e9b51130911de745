package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httplog/v3"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/i18n"
)

// Problem is every error of the API: problem details (RFC 9457) with the
// request id and, where it applies, the fields that are wrong. Title and Detail
// are in the caller's language; Code is stable.
type Problem struct {
	Title     string              `json:"title" doc:"What went wrong, in the caller's language"`
	Status    int                 `json:"status"`
	Detail    string              `json:"detail,omitempty"`
	Code      string              `json:"code" doc:"invalid, not_found, conflict, forbidden, unavailable, internal, unauthorized or limited"`
	RequestID string              `json:"request_id,omitempty"`
	Errors    []*huma.ErrorDetail `json:"errors,omitempty"`
}

// Error is the text for logs.
func (p *Problem) Error() string { return p.Title }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType names the media type of problem details.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// statusOf maps the code of a fault to an HTTP status.
var statusOf = map[fault.Code]int{
	fault.Invalid: http.StatusUnprocessableEntity, fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict,
	fault.Forbidden: http.StatusForbidden, fault.Unavailable: http.StatusServiceUnavailable, fault.Internal: http.StatusInternalServerError,
}

// codeOf names a status where no fault does.
func codeOf(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "unauthorized"
	case http.StatusTooManyRequests:
		return "limited"
	}
	for code, s := range statusOf {
		if s == status {
			return string(code)
		}
	}
	if status < http.StatusInternalServerError {
		return string(fault.Invalid)
	}
	return string(fault.Internal)
}

type languageKey struct{}

// localizer is that of the request; outside one it is nil.
func localizer(ctx context.Context) *i18n.Localizer {
	l, _ := ctx.Value(languageKey{}).(*i18n.Localizer)
	return l
}

func newProblem(ctx context.Context, status int, key string, args ...any) *Problem {
	p := &Problem{Status: status, Code: codeOf(status), RequestID: middleware.GetReqID(ctx), Title: http.StatusText(status)}
	if l := localizer(ctx); l != nil && key != "" {
		p.Title = l.T(key, args...)
	}
	return p
}

// huma makes its own errors, such as those of validation, through these two.
func init() {
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		p := newProblem(ctx.Context(), status, generalKey(status))
		p.Detail = message
		p.Errors = details(errs)
		return p
	}
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return &Problem{Status: status, Code: codeOf(status), Title: message, Errors: details(errs)}
	}
}

func generalKey(status int) string {
	switch {
	case status == http.StatusNotFound:
		return "api.not_found"
	case status >= http.StatusInternalServerError:
		return "error.500.text"
	}
	return "api.invalid"
}

func details(errs []error) []*huma.ErrorDetail {
	var out []*huma.ErrorDetail
	for _, err := range errs {
		var d huma.ErrorDetailer
		if errors.As(err, &d) {
			out = append(out, d.ErrorDetail())
		} else if err != nil {
			out = append(out, &huma.ErrorDetail{Message: err.Error()})
		}
	}
	return out
}

// problem turns an error into the answer. Causes are logged and never sent.
func (a *API) problem(ctx context.Context, err error) error {
	var own *Problem
	if errors.As(err, &own) {
		return own
	}
	status := statusOf[fault.CodeOf(err)]
	_ = httplog.SetError(ctx, err)
	if status >= http.StatusInternalServerError {
		a.Log.ErrorContext(ctx, "api request", "error", err, "request_id", middleware.GetReqID(ctx), "tenant", access.From(ctx).TenantID)
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Key == "" || !a.Catalog.Has(f.Key) {
		return newProblem(ctx, status, generalKey(status))
	}
	var args []any
	for k, v := range f.Args {
		args = append(args, k, v)
	}
	return newProblem(ctx, status, f.Key, args...)
}

// invalid answers a request whose fields are wrong; problems are translated
// texts by field.
func invalid(ctx context.Context, problems map[string]string) error {
	p := newProblem(ctx, http.StatusUnprocessableEntity, "api.invalid")
	for _, field := range slices.Sorted(maps.Keys(problems)) {
		p.Errors = append(p.Errors, &huma.ErrorDetail{Location: "body." + field, Message: problems[field]})
	}
	return p
}

// invalidKeys is invalid for message keys.
func invalidKeys(ctx context.Context, problems map[string]string) error {
	texts := make(map[string]string, len(problems))
	for field, problem := range problems {
		key, args := connector.SplitProblem(problem)
		texts[field] = localizer(ctx).T(key, args...)
	}
	return invalid(ctx, texts)
}

// refuse answers outside of operations.
func (a *API) refuse(status int, key string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if status == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "" {
			w.Header().Set("Retry-After", "60")
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(newProblem(r.Context(), status, key)); err != nil {
			a.Log.WarnContext(r.Context(), "write problem", "error", err)
		}
	}
}
