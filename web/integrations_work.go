package web

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/integration"
)

// dayClock is how a browser sends a date with a time.
const dayClock = "2006-01-02T15:04"

// inboundAddress is where a source sends its messages.
func (s *Server) inboundAddress(tenant, id uuid.UUID) string {
	base := ""
	if s.Config.BaseURL != nil {
		base = strings.TrimSuffix(s.Config.BaseURL.String(), "/")
	}
	return base + "/hooks/" + tenant.String() + "/" + id.String()
}

// backfillIntegration asks for past readings of a window.
func (s *Server) backfillIntegration(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	from, fromErr := time.ParseInLocation(dayClock, r.PostFormValue("from"), riyadhZone)
	to, toErr := time.ParseInLocation(dayClock, r.PostFormValue("to"), riyadhZone)
	if fromErr != nil || toErr != nil {
		return fault.New(fault.Invalid, integration.KeyWindow)
	}
	queued, err := s.integrations().Backfill(r.Context(), originOf(r), id, integration.Past{From: from, To: to})
	if err != nil {
		return err
	}
	toast := "integrations.toast.backfill"
	if queued {
		toast = "integrations.toast.queued"
	}
	return s.redirect(w, r, "/integrations/"+id.String(), toast)
}

// uploadMessage takes a file of readings for a source that reads files.
func (s *Server) uploadMessage(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	if _, err := s.overview(r, &id); err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, integration.MaxUpload+64<<10)
	file, head, err := r.FormFile("file")
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return fault.New(fault.Invalid, integration.KeyUploadTooLong)
	}
	if err != nil {
		return fault.New(fault.Invalid, integration.KeyEmptyMessage)
	}
	defer file.Close()
	body, err := io.ReadAll(file)
	if err != nil {
		return fault.Wrap(fault.Invalid, integration.KeyEmptyMessage, err)
	}
	receipt, err := s.integrations().Upload(r.Context(), originOf(r), id, head.Filename, head.Header.Get("Content-Type"), body)
	if err != nil {
		return err
	}
	toast := "integrations.toast.uploaded"
	if receipt.Duplicate {
		toast = "integrations.toast.uploaded_before"
	}
	return s.redirect(w, r, "/integrations/"+id.String()+"#messages", toast)
}

// retryMessages puts the messages that failed back in line.
func (s *Server) retryMessages(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	_, err = s.integrations().RetryFailed(r.Context(), originOf(r), id)
	return s.asked(w, r, "/integrations/"+id.String()+"#messages", "integrations.toast.retried", err)
}
