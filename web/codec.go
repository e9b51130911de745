package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/workflows"
)

// auditDecodesEvery bounds the audit entries of one person who reads payloads:
// a page of the Temporal UI asks many times.
const auditDecodesEvery = time.Minute

// decodes remembers until when the reading of each person is on record.
type decodes struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// due reports whether an event has to be recorded now.
func (d *decodes) due(event string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, t := range d.until {
		if !now.Before(t) {
			delete(d.until, k)
		}
	}
	if _, recorded := d.until[event]; recorded {
		return false
	}
	d.until[event] = now.Add(auditDecodesEvery)
	return true
}

// forget has an event that could not be recorded be due again.
func (d *decodes) forget(event string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.until, event)
}

// CodecHandler decodes payloads of workflow histories for the Temporal UI. It
// answers platform owners alone, known by the session of the product, which
// their browser sends along because ports do not part cookies: the UI has to be
// opened under the host name that the product is. Every other caller is
// refused, and readings and refusals of people are recorded. It belongs on an
// address of its own, not among the pages.
func (s *Server) CodecHandler(codec *workflows.Codec) http.Handler {
	ui := s.Config.TemporalUI
	seen := &decodes{until: map[string]time.Time{}}
	decode := workflows.DecodeHandler(codec)
	guarded := s.sessions.LoadAndSave(s.loadPrincipal(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := access.From(r.Context())
		switch {
		case !who.Can(access.SignedIn):
			http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
		case !who.Can(access.OpenTemporalUI):
			s.recordDecode(w, r, seen, "payloads.refused", http.StatusForbidden, nil)
		default:
			s.recordDecode(w, r, seen, "payloads.decoded", http.StatusOK, decode)
		}
	})))
	return workflows.OnlyFrom(ui.Scheme+"://"+ui.Host, guarded)
}

// recordDecode writes who read payloads, or tried to, into the chain of their
// home tenant and then goes on. What cannot be recorded is not shown.
func (s *Server) recordDecode(w http.ResponseWriter, r *http.Request, seen *decodes, action string, status int, next http.Handler) {
	who := access.From(r.Context())
	event := action + who.UserID.String() + s.sessions.Token(r.Context())
	if seen.due(event, time.Now()) {
		entry := db.Entry{Action: action, ObjectType: "workflow_history", ObjectID: bounded(r.Header.Get("X-Namespace"), maxTyped)}
		if who.TenantID != uuid.Nil && who.TenantID != who.HomeTenant {
			entry.After = map[string]any{"tenant": who.TenantID}
		}
		err := s.DB.InTenant(r.Context(), who.HomeTenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			return s.audit(ctx, tx, r, who.HomeTenant, entry)
		})
		if err != nil {
			seen.forget(event)
			s.Log.ErrorContext(r.Context(), "record reading of payloads", "error", err)
			http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
			return
		}
	}
	if next == nil {
		http.Error(w, http.StatusText(status), status)
		return
	}
	next.ServeHTTP(w, r)
}
