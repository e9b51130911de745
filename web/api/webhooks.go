package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/outbound"
)

// WebhookInput is a webhook to store.
type WebhookInput struct {
	Name  string   `json:"name" minLength:"1" maxLength:"120"`
	URL   string   `json:"url" maxLength:"2000" doc:"Receives a POST request; https, http within the machine only"`
	Kinds []string `json:"kinds" maxItems:"60" doc:"Kinds of events such as plan.approved; * for all"`
}

// Webhook is an address that is told of events. Deliveries are signed after
// Standard Webhooks.
type Webhook struct {
	ID            uuid.UUID  `json:"id"`
	Name          string     `json:"name"`
	URL           string     `json:"url"`
	Kinds         []string   `json:"kinds"`
	State         string     `json:"state" enum:"active,paused"`
	PausedBecause string     `json:"paused_because,omitempty" doc:"Set when the product paused it"`
	Failures      int32      `json:"failures" doc:"Failed attempts in a row"`
	FailingSince  *time.Time `json:"failing_since,omitempty"`
	FormerUntil   *time.Time `json:"former_secret_until,omitempty" doc:"The secret before the last rotation signs as well until then"`
	CreatedAt     time.Time  `json:"created_at"`
	Secret        string     `json:"secret,omitempty" doc:"Signing secret; only the answers to creating and rotating show it"`
}

// Delivery is one sending of an event to a webhook, with its last attempt.
type Delivery struct {
	ID          uuid.UUID  `json:"id"`
	EventID     uuid.UUID  `json:"event_id" doc:"The webhook-id of every attempt"`
	Kind        string     `json:"kind"`
	ObjectType  string     `json:"object_type"`
	ObjectID    uuid.UUID  `json:"object_id"`
	State       string     `json:"state" enum:"waiting,delivered,failed"`
	Attempts    int32      `json:"attempts"`
	NextAt      *time.Time `json:"next_at,omitempty" doc:"Of a waiting one"`
	Status      *int32     `json:"status,omitempty" doc:"HTTP status of the last answer"`
	Problem     string     `json:"problem,omitempty"`
	DurationMS  *int32     `json:"duration_ms,omitempty"`
	OccurredAt  time.Time  `json:"occurred_at"`
	DeliveredAt *time.Time `json:"delivered_at,omitempty"`
}

func (a *API) outbound() outbound.Service { return outbound.Service{DB: a.DB, Box: a.Box} }

func (a *API) webhooks() {
	const tag = "Webhooks"
	need := access.ManageWebhooks
	add(a, need, route(http.MethodGet, "/webhooks", "list-webhooks", "List outbound webhooks", tag), a.listWebhooks)
	create := route(http.MethodPost, "/webhooks", "create-webhook", "Create a webhook; the answer alone shows its signing secret", tag)
	create.DefaultStatus, create.Errors = http.StatusCreated, []int{http.StatusConflict}
	add(a, need, create, a.createWebhook)
	add(a, need, route(http.MethodGet, "/webhooks/{id}", "get-webhook", "One webhook", tag), a.getWebhook)
	add(a, need, route(http.MethodPut, "/webhooks/{id}", "update-webhook", "Replace name, address and kinds", tag), a.updateWebhook)
	add(a, need, route(http.MethodDelete, "/webhooks/{id}", "archive-webhook", "Archive: nothing is sent any more, the log is kept", tag), a.moveWebhook(outbound.Archived))
	for _, x := range [][3]string{{"pause", outbound.Paused, "Pause; events that happen meanwhile are not sent"}, {"resume", outbound.Active, "Resume"}} {
		op := route(http.MethodPost, "/webhooks/{id}/"+x[0], x[0]+"-webhook", x[2], tag)
		op.DefaultStatus, op.Errors = http.StatusNoContent, []int{http.StatusConflict}
		add(a, need, op, a.moveWebhook(x[1]))
	}
	add(a, need, route(http.MethodPost, "/webhooks/{id}/rotate", "rotate-webhook", "Make a new signing secret; the present one signs beside it for a while", tag), a.rotateWebhook)
	try := route(http.MethodPost, "/webhooks/{id}/test", "test-webhook", "Send a test event", tag)
	try.DefaultStatus, try.Errors = http.StatusAccepted, []int{http.StatusConflict}
	add(a, need, try, a.testWebhook)
	add(a, need, route(http.MethodGet, "/webhooks/{id}/deliveries", "list-deliveries", "Delivery log, newest first", tag), a.listDeliveries)
	again := route(http.MethodPost, "/webhooks/{id}/deliveries/{delivery}/again", "send-again", "Send a delivery that has ended again, under the same webhook-id", tag)
	again.DefaultStatus, again.Errors = http.StatusAccepted, []int{http.StatusConflict}
	add(a, need, again, a.sendAgain)
}

func (a *API) showWebhook(ctx context.Context, w db.Webhook) Webhook {
	out := Webhook{ID: w.ID, Name: w.Name, URL: w.Url, Kinds: w.Kinds, State: w.State, PausedBecause: a.text(ctx, w.PausedNote), Failures: w.Failures,
		FailingSince: w.FailingSince, CreatedAt: w.CreatedAt}
	if w.FormerUntil != nil && w.FormerUntil.After(time.Now()) {
		out.FormerUntil = w.FormerUntil
	}
	return out
}

func (a *API) listWebhooks(ctx context.Context, who access.Principal, _ *struct{}) (*answer[List[Webhook]], error) {
	out := List[Webhook]{Items: []Webhook{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.ListWebhooks(ctx, tx, who.TenantID)
		for _, x := range rows {
			out.Items = append(out.Items, a.showWebhook(ctx, x.Webhook))
		}
		return err
	})
	return reply(out), err
}

func (a *API) getWebhook(ctx context.Context, who access.Principal, in *ByID) (*answer[Webhook], error) {
	var hook db.Webhook
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		hook, err = q.GetWebhook(ctx, tx, who.TenantID, in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(a.showWebhook(ctx, hook)), nil
}

// withSecret is a webhook on the one answer that shows its signing secret.
func (a *API) withSecret(ctx context.Context, hook db.Webhook, secret string) *answer[Webhook] {
	out := a.showWebhook(ctx, hook)
	out.Secret = secret
	return reply(out)
}

func (a *API) createWebhook(ctx context.Context, who access.Principal, in *struct{ Body WebhookInput }) (*answer[Webhook], error) {
	hook, secret, err := a.outbound().Create(ctx, origin(ctx), who.UserID, outbound.Draft{Name: in.Body.Name, URL: in.Body.URL, Kinds: in.Body.Kinds})
	if err != nil {
		return nil, err
	}
	return a.withSecret(ctx, hook, secret), nil
}

func (a *API) updateWebhook(ctx context.Context, _ access.Principal, in *struct {
	ByID
	Body WebhookInput
}) (*answer[Webhook], error) {
	hook, err := a.outbound().Update(ctx, origin(ctx), in.ID, outbound.Draft{Name: in.Body.Name, URL: in.Body.URL, Kinds: in.Body.Kinds})
	if err != nil {
		return nil, err
	}
	return reply(a.showWebhook(ctx, hook)), nil
}

func (a *API) moveWebhook(state string) func(context.Context, access.Principal, *ByID) (*struct{}, error) {
	return func(ctx context.Context, _ access.Principal, in *ByID) (*struct{}, error) {
		return nil, a.outbound().SetState(ctx, origin(ctx), in.ID, state)
	}
}

// rotation is the overlap of two signing secrets.
type rotation struct {
	ByID
	Body struct {
		OverlapHours int `json:"overlap_hours" doc:"How long the present secret signs beside the new one, 24 to 168"`
	}
}

func (a *API) rotateWebhook(ctx context.Context, _ access.Principal, in *rotation) (*answer[Webhook], error) {
	hook, secret, err := a.outbound().Rotate(ctx, origin(ctx), in.ID, in.Body.OverlapHours)
	if err != nil {
		return nil, err
	}
	return a.withSecret(ctx, hook, secret), nil
}

// queued names a delivery that is in line.
type queued struct {
	Delivery uuid.UUID `json:"delivery"`
}

func (a *API) testWebhook(ctx context.Context, _ access.Principal, in *ByID) (*answer[queued], error) {
	id, err := a.outbound().Try(ctx, origin(ctx), in.ID)
	return reply(queued{id}), err
}

func (a *API) listDeliveries(ctx context.Context, who access.Principal, in *struct {
	ByID
	Paging
	State string `query:"state" enum:"waiting,delivered,failed"`
}) (*answer[List[Delivery]], error) {
	skip, err := in.skip(ctx)
	if err != nil {
		return nil, err
	}
	var rows []db.ListDeliveriesRow
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if _, err = q.GetWebhook(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		rows, err = q.ListDeliveries(ctx, tx, db.ListDeliveriesParams{TenantID: who.TenantID, WebhookID: in.ID, State: in.State, PageSize: in.Limit + 1, Skip: skip})
		return err
	})
	show := func(x db.ListDeliveriesRow) Delivery { return a.showDelivery(ctx, x) }
	return reply(counted(in.Paging, skip, rows, show)), err
}

func (a *API) showDelivery(ctx context.Context, x db.ListDeliveriesRow) Delivery {
	d := x.Delivery
	out := Delivery{ID: d.ID, EventID: d.EventID, Kind: x.Kind, ObjectType: x.ObjectType, ObjectID: x.ObjectID, State: d.State, Attempts: d.Attempts, Status: d.LastStatus,
		Problem: a.text(ctx, d.LastError), DurationMS: d.DurationMs, OccurredAt: x.OccurredAt, DeliveredAt: d.DeliveredAt}
	if d.State == "waiting" {
		out.NextAt = &d.NextAt
	}
	return out
}

func (a *API) sendAgain(ctx context.Context, _ access.Principal, in *struct {
	ByID
	Delivery uuid.UUID `path:"delivery" format:"uuid"`
}) (*answer[queued], error) {
	err := a.outbound().SendAgain(ctx, origin(ctx), in.ID, in.Delivery)
	return reply(queued{in.Delivery}), err
}
