package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httplog/v3"
	"github.com/go-chi/httprate"
	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/connector/webhook"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/integration"
)

// Bounds of what is taken from senders of webhooks.
const (
	hooksPerAddress     = 6000 // a minute, of all integrations behind one address
	hooksPerIntegration = 3000 // a minute, once the signature holds
	hookBackOff         = 60   // seconds after which a sender that was turned away may come again
	hookNudge           = 2 * time.Second
	hookNudgeTimeout    = 10 * time.Second
)

// hooks takes the messages of sources, within its limits, and remembers which
// polls are about to be asked for.
type hooks struct {
	*Server
	byAddress, byIntegration *httprate.RateLimiter
	mu                       sync.Mutex
	nudged                   map[uuid.UUID]bool
}

// mountHooks adds the address that sources send their messages to. It has no
// session and needs none: what is taken is signed with the secret of the
// integration that the address names.
func (s *Server) mountHooks(m chi.Router) {
	limit := func(n int) *httprate.RateLimiter { return httprate.NewRateLimiter(n, time.Minute) }
	h := &hooks{Server: s, byAddress: limit(hooksPerAddress), byIntegration: limit(hooksPerIntegration), nudged: map[uuid.UUID]bool{}}
	m.Post("/hooks/{tenant}/{integration}", h.receive)
}

// receive keeps one message and answers before it is processed. Whoever cannot
// sign learns nothing but that.
func (h *hooks) receive(w http.ResponseWriter, r *http.Request) {
	if h.byAddress.OnLimit(w, r, httprate.CanonicalizeIP(remoteAddress(r))) {
		refuseHook(w, http.StatusTooManyRequests, "too many messages")
		return
	}
	body, status, title := readHook(w, r)
	if status != 0 {
		refuseHook(w, status, title)
		return
	}
	// An address that is no id is that of nobody, as an unknown one is.
	tenant, _ := uuid.Parse(chi.URLParam(r, "tenant"))
	id, _ := uuid.Parse(chi.URLParam(r, "integration"))
	delivery, err := h.integrations().Signed(r.Context(), tenant, id, r.Header, body)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	if h.byIntegration.OnLimit(w, r, id.String()) {
		refuseHook(w, http.StatusTooManyRequests, "too many messages")
		return
	}
	receipt, err := h.integrations().Receive(r.Context(), tenant, id, delivery)
	switch {
	case err != nil:
		h.refuse(w, r, err)
	case receipt.Duplicate:
		w.Header().Set("Webhook-Duplicate", "true")
		w.WriteHeader(http.StatusOK)
	default:
		h.nudge(tenant, id)
		w.WriteHeader(http.StatusAccepted)
	}
}

// readHook reads the body within its bounds, or says why it is not taken.
func readHook(w http.ResponseWriter, r *http.Request) (body []byte, status int, title string) {
	if r.Header.Get("Content-Encoding") != "" {
		return nil, http.StatusUnsupportedMediaType, "encoded bodies are not taken"
	}
	if !webhook.Takes(r.Header.Get("Content-Type")) {
		return nil, http.StatusUnsupportedMediaType, "send application/json, application/cloudevents+json or text/csv"
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, webhook.MaxBody))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, http.StatusRequestEntityTooLarge, "the message is larger than 256 KiB"
	case err != nil:
		return nil, http.StatusBadRequest, "the message was cut short"
	}
	return body, 0, ""
}

// refuse answers an error in the form of problem details, without its cause.
func (h *hooks) refuse(w http.ResponseWriter, r *http.Request, err error) {
	_ = httplog.SetError(r.Context(), err)
	var f *fault.Error
	switch {
	case errors.Is(err, webhook.ErrSignature):
		refuseHook(w, http.StatusUnauthorized, "the signature does not hold")
	case errors.As(err, &f) && f.Key == integration.KeyOtherContent:
		refuseHook(w, http.StatusConflict, "the id came before with other content")
	case errors.As(err, &f) && f.Key == integration.KeyInboxFull:
		refuseHook(w, http.StatusTooManyRequests, "too many messages wait")
	case fault.CodeOf(err) == fault.Invalid:
		refuseHook(w, http.StatusBadRequest, "the message cannot be read")
	default:
		h.Log.ErrorContext(r.Context(), "receive webhook", "error", err)
		refuseHook(w, http.StatusServiceUnavailable, "try again later")
	}
}

func refuseHook(w http.ResponseWriter, status int, title string) {
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(hookBackOff))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "title": title}) // the sender may be gone
}

// nudge asks for a poll of an integration in a moment, once for all messages
// that arrive until then. When it fails, the schedule processes them within a
// minute.
func (h *hooks) nudge(tenant, id uuid.UUID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.nudged[id] {
		return
	}
	h.nudged[id] = true
	time.AfterFunc(hookNudge, func() {
		h.mu.Lock()
		delete(h.nudged, id)
		h.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), hookNudgeTimeout)
		defer cancel()
		if err := h.Workflows.PollNow(ctx, tenant, id); err != nil {
			h.Log.WarnContext(ctx, "ask for processing of webhook", "integration", id, "error", err)
		}
	})
}
