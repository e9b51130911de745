package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/web/outbound"
)

// deliveryPageSize is how many deliveries one page of the log shows.
const deliveryPageSize = 25

// deliveryStates are the states that the log can be filtered by.
var deliveryStates = []string{"waiting", "delivered", "failed"}

// deliveryRow is one line of the delivery log.
type deliveryRow struct {
	ID, Kind, Code, Tone, Icon, Label string
	Attempts                          int
	Answer, Problem, Took, Next       string
	Created                           time.Time
	Again                             bool
}

// webhookView is the Data of webhooks/show.
type webhookView struct {
	Hook    webhookRow
	Form    webhookForm
	Hours   string
	Former  *time.Time
	Created time.Time
	Secret  *signingSecret
	Rows    []deliveryRow
	Pager   Pager
	State   string
	States  []choiceOption
	Editing bool
}

func (s *Server) showWebhook(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	return s.webhookDetail(w, r, http.StatusOK, id, nil, nil, nil)
}

// webhookDetail prints a webhook with its log; typed is a form that was
// refused, signing a new secret.
func (s *Server) webhookDetail(w http.ResponseWriter, r *http.Request, status int, id uuid.UUID, typed *outbound.Draft, keys map[string]string, signing *string) error {
	p, err := s.page(r, "webhooks.title")
	if err != nil {
		return err
	}
	v := webhookView{Hours: strconv.Itoa(outbound.LeastOverlap), State: r.URL.Query().Get("state"), Editing: typed != nil}
	if !slices.Contains(deliveryStates, v.State) {
		v.State = ""
	}
	for _, x := range deliveryStates {
		v.States = append(v.States, choiceOption{x, p.T("webhooks.delivery." + x)})
	}
	var hook db.Webhook
	var rows []db.ListDeliveriesRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if hook, err = q.GetWebhook(ctx, tx, tenant, id); err != nil {
			return err
		}
		rows, err = q.ListDeliveries(ctx, tx, db.ListDeliveriesParams{TenantID: tenant, WebhookID: id, State: v.State, PageSize: deliveryPageSize, Skip: pageOffset(r, deliveryPageSize)})
		return err
	})
	if err != nil {
		return notFound(err)
	}
	draft := outbound.Draft{Name: hook.Name, URL: hook.Url, Kinds: hook.Kinds}
	if typed != nil {
		draft = *typed
	}
	if keys["hours"] != "" {
		v.Hours = r.PostFormValue("hours")
	}
	v.Hook, v.Form, v.Created = newWebhookRow(p, hook), newWebhookForm(p, draft, keys), hook.CreatedAt
	if hook.FormerUntil != nil && hook.FormerUntil.After(time.Now()) {
		v.Former = hook.FormerUntil
	}
	if signing != nil {
		v.Secret = &signingSecret{hook.Name, *signing}
	}
	total := 0
	for _, x := range rows {
		v.Rows, total = append(v.Rows, newDeliveryRow(p, x, v.Hook.Active)), int(x.Total)
	}
	v.Pager = NewPager(r.URL, deliveryPageSize, total)
	p.Title = hook.Name
	p.Crumbs = []Crumb{{Href: "/webhooks", Label: p.T("webhooks.title")}, {Label: hook.Name}}
	p.Data = v
	s.render.Render(w, r, status, "webhooks/show", p)
	return nil
}

func newDeliveryRow(p Page, x db.ListDeliveriesRow, active bool) deliveryRow {
	d := x.Delivery
	row := deliveryRow{ID: d.ID.String(), Kind: eventName(p.Loc(), x.Kind), Code: x.Kind, Attempts: int(d.Attempts), Created: d.CreatedAt, Label: p.T("webhooks.delivery." + d.State),
		Tone: "wait", Icon: "hourglass", Again: active && d.State != "waiting"}
	switch d.State {
	case "delivered":
		row.Tone, row.Icon = "ok", "circle-check"
	case "failed":
		row.Tone, row.Icon = "bad", "circle-x"
	default:
		if d.Attempts > 0 {
			row.Next = p.T("webhooks.log.next", "When", p.Loc().Since(d.NextAt, time.Now()))
		}
	}
	if d.LastStatus != nil {
		row.Answer = strconv.Itoa(int(*d.LastStatus))
	}
	if d.LastError != "" {
		row.Problem = p.T(d.LastError)
	}
	if d.DurationMs != nil {
		row.Took = p.Loc().Int(int(*d.DurationMs)) + " ms"
	}
	return row
}

// eventName is the title of a kind of event, or the general one.
func eventName(l *i18n.Localizer, kind string) string {
	if key := "notifications.kind." + kind; l.Has(key) {
		return l.T(key)
	}
	return l.T("notifications.kind.other")
}
