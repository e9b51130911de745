package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/notice"
	"github.com/optria-iq/optria/web/outbound"
)

func (s *Server) webhookRoutes() []route {
	return []route{
		{http.MethodGet, "/webhooks", access.ManageWebhooks, s.listWebhooks},
		{http.MethodPost, "/webhooks", access.ManageWebhooks, s.createWebhook},
		{http.MethodGet, "/webhooks/{id}", access.ManageWebhooks, s.showWebhook},
		{http.MethodPost, "/webhooks/{id}", access.ManageWebhooks, s.updateWebhook},
		{http.MethodPost, "/webhooks/{id}/state", access.ManageWebhooks, s.moveWebhook},
		{http.MethodPost, "/webhooks/{id}/rotate", access.ManageWebhooks, s.rotateWebhook},
		{http.MethodPost, "/webhooks/{id}/test", access.ManageWebhooks, s.testWebhook},
		{http.MethodPost, "/webhooks/{id}/deliveries/{delivery}/again", access.ManageWebhooks, s.sendAgain},
	}
}

func (s *Server) webhooks() outbound.Service { return outbound.Service{DB: s.DB, Box: s.Box} }

// webhookRow is a webhook as lists show it.
type webhookRow struct {
	ID, Name, URL, Tone, Icon, Label string
	Kinds                            []string
	Waiting, Delivered, Failed       int
	Week                             string
	Active                           bool
	Note                             string // why it is paused or since when it fails
}

func newWebhookRow(p Page, w db.Webhook) webhookRow {
	row := webhookRow{ID: w.ID.String(), Name: w.Name, URL: w.Url, Tone: "ok", Icon: "circle-check", Label: p.T("webhooks.state.active"), Active: w.State == outbound.Active}
	for _, kind := range w.Kinds {
		if kind == outbound.Every {
			row.Kinds = append(row.Kinds, p.T("webhooks.kinds.all"))
		} else {
			row.Kinds = append(row.Kinds, p.T("notifications.kind."+kind))
		}
	}
	switch {
	case w.State == outbound.Paused:
		row.Tone, row.Icon, row.Label, row.Note = "warn", "circle-pause", p.T("webhooks.state.paused"), p.T("webhooks.paused.byperson")
		if w.PausedNote != "" {
			row.Note = p.T("webhooks.paused.byproduct", "Reason", p.T(w.PausedNote))
		}
	case w.FailingSince != nil:
		row.Tone, row.Icon, row.Label = "bad", "triangle-alert", p.T("webhooks.state.failing")
		row.Note = p.T("webhooks.failing.since", "Since", p.Loc().Since(*w.FailingSince, time.Now()))
	}
	return row
}

// webhookForm is a webhook as typed.
type webhookForm struct {
	Name, URL string
	Every     bool
	Groups    []noticeGroup
	Errors    map[string]string
}

func newWebhookForm(p Page, d outbound.Draft, keys map[string]string) webhookForm {
	f := webhookForm{Name: d.Name, URL: d.URL, Every: slices.Contains(d.Kinds, outbound.Every), Errors: translated(p, keys)}
	for _, area := range notice.Areas() {
		g := noticeGroup{Label: p.T("notifications.area." + area)}
		for _, kind := range notice.Kinds() {
			if notice.AreaOf(kind) == area {
				g.Kinds = append(g.Kinds, roleChoice{Value: kind, Label: p.T("notifications.kind." + kind), Text: kind, Checked: slices.Contains(d.Kinds, kind)})
			}
		}
		f.Groups = append(f.Groups, g)
	}
	return f
}

func draftFrom(r *http.Request) outbound.Draft {
	return outbound.Draft{Name: r.PostFormValue("name"), URL: r.PostFormValue("url"), Kinds: r.PostForm["kinds"]}
}

// webhookList is the Data of webhooks/list. Secret is a new signing secret, on
// the one page that shows it.
type webhookList struct {
	Rows     []webhookRow
	Form     webhookForm
	Secret   *signingSecret
	Mail     db.MailSummaryRow
	MailFrom string // empty when no e-mail is sent
}

// signingSecret is a signing secret on the one page that shows it.
type signingSecret struct{ Name, Value string }

func (s *Server) listWebhooks(w http.ResponseWriter, r *http.Request) error {
	return s.webhookPage(w, r, http.StatusOK, outbound.Draft{}, nil, nil)
}

func (s *Server) webhookPage(w http.ResponseWriter, r *http.Request, status int, d outbound.Draft, keys map[string]string, shown *signingSecret) error {
	p, err := s.page(r, "webhooks.title")
	if err != nil {
		return err
	}
	v := webhookList{Form: newWebhookForm(p, d, keys), Secret: shown}
	if s.Config.Mail.On() {
		v.MailFrom = s.Config.Mail.From.Address
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		rows, err := q.ListWebhooks(ctx, tx, tenant)
		if err != nil {
			return err
		}
		for _, x := range rows {
			row := newWebhookRow(p, x.Webhook)
			row.Week = p.T("webhooks.week", "Delivered", p.Loc().Int(int(x.Delivered)), "Waiting", p.Loc().Int(int(x.Waiting)), "Failed", p.Loc().Int(int(x.Failed)))
			v.Rows = append(v.Rows, row)
		}
		v.Mail, err = q.MailSummary(ctx, tx, tenant)
		return err
	})
	if err != nil {
		return err
	}
	p.Data = v
	s.render.Render(w, r, status, "webhooks/list", p)
	return nil
}

// createWebhook stores a webhook and shows its signing secret on this one
// answer.
func (s *Server) createWebhook(w http.ResponseWriter, r *http.Request) error {
	d := draftFrom(r)
	if keys := d.Check(); len(keys) > 0 {
		return s.webhookPage(w, r, http.StatusUnprocessableEntity, d, keys, nil)
	}
	_, signing, err := s.webhooks().Create(r.Context(), originOf(r), access.From(r.Context()).UserID, d)
	if err != nil {
		return err
	}
	return s.webhookPage(w, r, http.StatusOK, outbound.Draft{}, nil, &signingSecret{d.Name, signing})
}

func (s *Server) updateWebhook(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	d := draftFrom(r)
	if keys := d.Check(); len(keys) > 0 {
		return s.webhookDetail(w, r, http.StatusUnprocessableEntity, id, &d, keys, nil)
	}
	if _, err := s.webhooks().Update(r.Context(), originOf(r), id, d); err != nil {
		return notFound(err)
	}
	return s.redirect(w, r, "/webhooks/"+id.String(), "webhooks.saved")
}

// movedTo names the toast of a change of state.
var movedTo = map[string]string{outbound.Active: "webhooks.resumed", outbound.Paused: "webhooks.paused.done", outbound.Archived: "webhooks.archived"}

func (s *Server) moveWebhook(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	next := r.PostFormValue("state")
	if err := s.webhooks().SetState(r.Context(), originOf(r), id, next); err != nil {
		return notFound(err)
	}
	target := "/webhooks/" + id.String()
	if next == outbound.Archived {
		target = "/webhooks"
	}
	return s.redirect(w, r, target, movedTo[next])
}

// rotateWebhook makes a new signing secret and shows it on this one answer.
func (s *Server) rotateWebhook(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	hours, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue("hours")))
	if err != nil || hours < outbound.LeastOverlap || hours > outbound.MostOverlap {
		return s.webhookDetail(w, r, http.StatusUnprocessableEntity, id, nil, map[string]string{"hours": outbound.KeyOverlap}, nil)
	}
	_, signing, err := s.webhooks().Rotate(r.Context(), originOf(r), id, hours)
	if err != nil {
		return notFound(err)
	}
	return s.webhookDetail(w, r, http.StatusOK, id, nil, nil, &signing)
}

func (s *Server) testWebhook(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if _, err := s.webhooks().Try(r.Context(), originOf(r), id); err != nil {
		return notFound(err)
	}
	return s.redirect(w, r, "/webhooks/"+id.String(), "webhooks.tested")
}

func (s *Server) sendAgain(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	delivery, err := pathID(r, "delivery")
	if err != nil {
		return err
	}
	if err := s.webhooks().SendAgain(r.Context(), originOf(r), id, delivery); err != nil {
		return notFound(err)
	}
	return s.redirect(w, r, "/webhooks/"+id.String(), "webhooks.again.done")
}
