package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/outhook"
	"github.com/optria-iq/optria/internal/secret"
)

// When a webhook counts as failing and when it is given up.
const (
	hookAlarmAfter  = 5                  // failed attempts in a row, after which people are told
	hookAlarmLonger = 10 * time.Minute   // if it has lasted: a receiver that restarts alarms nobody
	hookPausedAfter = 5 * 24 * time.Hour // of failing without a delivery in between
)

// problemLong is why a webhook was paused after hookPausedAfter.
const problemLong = "webhooks.problem.long"

// recordWithin bounds the writing down of an outcome, also when the worker is
// stopping.
const recordWithin = 5 * time.Second

// Delivery states.
const (
	deliveryWaiting   = "waiting"
	deliveryDelivered = "delivered"
	deliveryFailed    = "failed"
)

// sendHook makes one attempt and writes down what became of it. When that
// fails the lease runs out and the same message is sent again, under the same
// id.
func (r *round) sendHook(ctx context.Context, tenant uuid.UUID, d db.ClaimWebhookDeliveriesRow) {
	out := r.attempt(ctx, tenant, d)
	if out.Problem != "" && ctx.Err() != nil {
		return // broken off by this worker, not by the receiver
	}
	kept, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	err := r.deps.DB.InTenant(kept, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return settleHook(ctx, tx, q, tenant, d, out)
	})
	if err != nil {
		activity.GetLogger(ctx).Warn("outcome of a delivery not recorded", "delivery", d.ID, "error", err)
		return
	}
	if out.Problem == "" {
		r.count(Sent{Delivered: 1})
	} else {
		r.count(Sent{Failed: 1})
	}
}

// attempt signs and posts.
func (r *round) attempt(ctx context.Context, tenant uuid.UUID, d db.ClaimWebhookDeliveriesRow) outhook.Outcome {
	sealed := [][]byte{d.Secret}
	if d.FormerSecret != nil && d.FormerUntil != nil && time.Now().Before(*d.FormerUntil) {
		sealed = append(sealed, d.FormerSecret)
	}
	var secrets []string
	for _, text := range sealed {
		plain, err := r.deps.Box.Open(tenant.String(), d.WebhookID.String(), secret.SigningField, text)
		if err != nil {
			return outhook.Outcome{Problem: outhook.ProblemSecret}
		}
		secrets = append(secrets, string(plain))
	}
	data, err := eventData(d.ObjectType, d.ObjectID, d.Payload)
	if err != nil {
		return outhook.Outcome{Problem: outhook.ProblemAddress}
	}
	return r.hooks.Send(ctx, d.Url, secrets, outhook.Message{ID: d.EventID.String(), Type: d.Kind, At: d.OccurredAt, Data: data})
}

// eventData is the payload of an event with the object it is about.
func eventData(objectType string, object uuid.UUID, payload json.RawMessage) (json.RawMessage, error) {
	all := map[string]any{}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(payload, &fields); err != nil {
		all["value"] = payload // a payload that is no object
	}
	for name, value := range fields {
		all[name] = value
	}
	all["object_type"], all["object_id"] = objectType, object
	out, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return out, nil
}

// settleHook writes the outcome of an attempt, looks after the health of the
// webhook and, when it keeps failing, tells people and pauses it.
func settleHook(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, d db.ClaimWebhookDeliveriesRow, out outhook.Outcome) error {
	n, err := q.SettleDelivery(ctx, tx, settled(tenant, d.ID, d.Attempts, verdict{status: out.Status, took: out.Took, problem: out.Problem, final: out.Problem == outhook.ProblemGone}))
	if err != nil || n == 0 {
		return err
	}
	if out.Problem == "" {
		_, err := q.WebhookReached(ctx, tx, tenant, d.WebhookID)
		return err
	}
	hook, err := q.WebhookFailed(ctx, tx, tenant, d.WebhookID)
	if err != nil {
		return fmt.Errorf("count failure: %w", err)
	}
	if hook.State != "active" {
		return nil
	}
	var lasted time.Duration
	if hook.FailingSince != nil {
		lasted = time.Since(*hook.FailingSince)
	}
	switch {
	case out.Problem == outhook.ProblemGone:
		return pauseHook(ctx, tx, q, tenant, d.WebhookID, hook, outhook.ProblemGone)
	case lasted > hookPausedAfter:
		return pauseHook(ctx, tx, q, tenant, d.WebhookID, hook, problemLong)
	case hook.Failures >= hookAlarmAfter && lasted > hookAlarmLonger:
		return announceFailing(ctx, tx, tenant, d.WebhookID, hook, out.Problem, false)
	}
	return nil
}

// verdict is the outcome of an attempt by either way.
type verdict struct {
	status  int
	took    time.Duration
	problem string
	final   bool // trying again cannot help
}

// settled turns an outcome into what is stored: delivered, waiting for the
// next attempt, or failed for good.
func settled(tenant, delivery uuid.UUID, attempts int32, v verdict) db.SettleDeliveryParams {
	took := int32(v.took.Milliseconds()) //nolint:gosec // an attempt takes seconds
	p := db.SettleDeliveryParams{TenantID: tenant, ID: delivery, State: deliveryDelivered, LastError: v.problem, DurationMs: &took}
	if v.status != 0 {
		status := int32(v.status) //nolint:gosec // three digits
		p.LastStatus = &status
	}
	if v.problem != "" {
		pause, again := outhook.Wait(int(attempts))
		if p.State = deliveryFailed; again && !v.final {
			p.State, p.WaitSeconds = deliveryWaiting, pause.Seconds()
		}
	}
	return p
}

func pauseHook(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, webhook uuid.UUID, hook db.WebhookFailedRow, why string) error {
	n, err := q.PauseWebhook(ctx, tx, why, tenant, webhook)
	if err != nil || n == 0 {
		return err
	}
	if err := announceFailing(ctx, tx, tenant, webhook, hook, why, true); err != nil {
		return err
	}
	return db.AppendAudit(ctx, tx, db.Entry{TenantID: tenant, Actor: db.SystemActor("deliveries"), Action: "webhook.paused", ObjectType: "webhook", ObjectID: webhook.String(),
		Before: map[string]string{"state": "active"}, After: map[string]string{"state": "paused", "reason": why}})
}

// announceFailing tells those who manage webhooks, once for each row of
// failures and once more when the webhook is paused.
func announceFailing(ctx context.Context, tx pgx.Tx, tenant, webhook uuid.UUID, hook db.WebhookFailedRow, why string, paused bool) error {
	people, err := db.Holders(ctx, tx, tenant, access.ManageWebhooks)
	if err != nil {
		return err
	}
	var since time.Time
	if hook.FailingSince != nil {
		since = hook.FailingSince.UTC()
	}
	return db.Announce(ctx, tx, db.Announcement{
		TenantID: tenant, Kind: "webhook.failing", ObjectType: "webhook", ObjectID: webhook, To: people,
		Key:     fmt.Sprintf("webhook.failing/%s/%d/%t", webhook, since.Unix(), paused),
		Payload: map[string]any{"name": hook.Name, "reason": why, "failures": hook.Failures, "failing_since": since, "paused": paused},
	})
}
