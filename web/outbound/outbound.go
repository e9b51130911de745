// Package outbound is what the pages and the API share about outbound
// webhooks: checking what a person wants, making and rotating signing secrets,
// and putting deliveries in line, each change with its audit entry.
package outbound

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector/webhook"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/notice"
	"github.com/optria-iq/optria/internal/outhook"
	"github.com/optria-iq/optria/internal/secret"
	"github.com/optria-iq/optria/web/integration"
)

// Bounds of a webhook: letters of its name, hours in which two secrets sign,
// and webhooks of one tenant.
const (
	MaxName      = 120
	LeastOverlap = 24
	MostOverlap  = 7 * 24
	MostWebhooks = 50
)

// Every stands for all kinds of events.
const Every = "*"

// States of a webhook.
const (
	Active   = "active"
	Paused   = "paused"
	Archived = "archived"
)

// actions names the audit entry of a change of state.
var actions = map[string]string{Active: "webhook.resumed", Paused: "webhook.paused", Archived: "webhook.archived"}

// Message keys of the faults raised here.
const (
	KeyOverlap = "webhooks.overlap.wrong"
	KeyLimit   = "webhooks.limit"
	KeyPaused  = "webhooks.paused"
	KeyWaiting = "webhooks.waiting_already"
	KeyState   = "integrations.error.state"
)

// Draft is a webhook as a person wants it.
type Draft struct {
	Name, URL string
	Kinds     []string
}

// Check tidies the draft up and returns the message key of every field that is
// wrong: name, url, kinds.
func (d *Draft) Check() map[string]string {
	keys := map[string]string{}
	d.Name, d.URL = strings.TrimSpace(d.Name), strings.TrimSpace(d.URL)
	switch n := utf8.RuneCountInString(d.Name); {
	case n == 0:
		keys["name"] = "field.required"
	case n > MaxName || !utf8.ValidString(d.Name) || strings.ContainsRune(d.Name, 0):
		keys["name"] = "field.long"
	}
	if key := outhook.CheckURL(d.URL); key != "" {
		keys["url"] = key
	}
	d.Kinds = slices.Compact(slices.Sorted(slices.Values(d.Kinds)))
	if slices.Contains(d.Kinds, Every) {
		d.Kinds = []string{Every}
	}
	known := append(notice.Kinds(), Every)
	if len(d.Kinds) == 0 || slices.ContainsFunc(d.Kinds, func(k string) bool { return !slices.Contains(known, k) }) {
		keys["kinds"] = "webhooks.kinds.wrong"
	}
	return keys
}

// check is Check as a fault that names the first wrong field.
func (d *Draft) check() error {
	keys := d.Check()
	for _, field := range slices.Sorted(maps.Keys(keys)) {
		return fault.New(fault.Invalid, keys[field]).With("Field", field).With("Max", MaxName)
	}
	return nil
}

func (d Draft) audited(state string) map[string]any {
	return map[string]any{"name": d.Name, "url": d.URL, "kinds": d.Kinds, "state": state}
}

func draftOf(w db.Webhook) Draft { return Draft{w.Name, w.Url, w.Kinds} }

// Service works on the webhooks of any tenant; every call names its tenant
// through an Origin.
type Service struct {
	DB  *db.DB
	Box *secret.Box
}

// Create stores a webhook and returns it with its signing secret, which nothing
// shows again.
func (s Service) Create(ctx context.Context, o integration.Origin, by uuid.UUID, d Draft) (made db.Webhook, signing string, err error) {
	if err := d.check(); err != nil {
		return made, "", err
	}
	id, signing := uuid.New(), webhook.NewSecret()
	sealed, err := s.seal(o.Tenant, id, signing)
	if err != nil {
		return made, "", err
	}
	err = s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		n, err := q.CountWebhooks(ctx, tx, o.Tenant)
		if err != nil {
			return err
		}
		if n >= MostWebhooks {
			return fault.New(fault.Conflict, KeyLimit).With("Most", MostWebhooks)
		}
		made, err = q.AddWebhook(ctx, tx, db.AddWebhookParams{TenantID: o.Tenant, ID: id, Name: d.Name, Url: d.URL, Kinds: d.Kinds, Secret: sealed, CreatedBy: by})
		if err != nil {
			return err
		}
		return o.Audit(ctx, tx, entry("webhook.created", id, nil, d.audited(Active)))
	})
	return made, signing, err
}

func (s Service) seal(tenant, id uuid.UUID, signing string) ([]byte, error) {
	sealed, err := s.Box.Seal(tenant.String(), id.String(), secret.SigningField, []byte(signing))
	if err != nil {
		return nil, fmt.Errorf("seal signing secret: %w", err)
	}
	return sealed, nil
}

func entry(action string, id uuid.UUID, before, after any) db.Entry {
	return db.Entry{Action: action, ObjectType: "webhook", ObjectID: id.String(), Before: before, After: after}
}

// change runs one change of a webhook that is locked, with its audit entry.
func (s Service) change(ctx context.Context, o integration.Origin, id uuid.UUID, work func(ctx context.Context, tx pgx.Tx, q *db.Queries, w db.Webhook) (db.Entry, error)) error {
	return s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		w, err := q.LockWebhook(ctx, tx, o.Tenant, id)
		if err != nil {
			return err
		}
		e, err := work(ctx, tx, q, w)
		if err != nil {
			return err
		}
		return o.Audit(ctx, tx, e)
	})
}

// Update replaces name, address and kinds, and returns what it wrote.
func (s Service) Update(ctx context.Context, o integration.Origin, id uuid.UUID, d Draft) (changed db.Webhook, err error) {
	err = s.change(ctx, o, id, func(ctx context.Context, tx pgx.Tx, q *db.Queries, w db.Webhook) (_ db.Entry, err error) {
		if err := d.check(); err != nil {
			return db.Entry{}, err
		}
		changed, err = q.UpdateWebhook(ctx, tx, db.UpdateWebhookParams{TenantID: o.Tenant, ID: id, Name: d.Name, Url: d.URL, Kinds: d.Kinds})
		return entry("webhook.changed", id, draftOf(w).audited(w.State), d.audited(w.State)), err
	})
	return changed, err
}

// SetState pauses, resumes or archives.
func (s Service) SetState(ctx context.Context, o integration.Origin, id uuid.UUID, next string) error {
	if actions[next] == "" {
		return fault.New(fault.Invalid, KeyState)
	}
	return s.change(ctx, o, id, func(ctx context.Context, tx pgx.Tx, q *db.Queries, w db.Webhook) (db.Entry, error) {
		if w.State == next {
			return db.Entry{}, fault.New(fault.Conflict, KeyState)
		}
		_, err := q.SetWebhookState(ctx, tx, db.SetWebhookStateParams{TenantID: o.Tenant, ID: id, State: next})
		return entry(actions[next], id, map[string]string{"state": w.State, "name": w.Name}, map[string]string{"state": next}), err
	})
}

// Rotate makes a new signing secret and returns it with the webhook. The
// present one signs beside it for the given hours.
func (s Service) Rotate(ctx context.Context, o integration.Origin, id uuid.UUID, hours int) (changed db.Webhook, signing string, err error) {
	signing = webhook.NewSecret()
	sealed, err := s.seal(o.Tenant, id, signing)
	if err != nil {
		return changed, "", err
	}
	until := time.Now().Add(time.Duration(hours) * time.Hour)
	err = s.change(ctx, o, id, func(ctx context.Context, tx pgx.Tx, q *db.Queries, w db.Webhook) (_ db.Entry, err error) {
		if hours < LeastOverlap || hours > MostOverlap {
			return db.Entry{}, fault.New(fault.Invalid, KeyOverlap)
		}
		changed, err = q.RotateWebhookSecret(ctx, tx, db.RotateWebhookSecretParams{TenantID: o.Tenant, ID: id, FormerUntil: &until, Secret: sealed})
		return entry("webhook.secret_rotated", id, nil, map[string]any{"name": w.Name, "former_until": until.UTC()}), err
	})
	if err != nil {
		return changed, "", err
	}
	return changed, signing, nil
}

// Try sends a test event to one webhook and returns the delivery.
func (s Service) Try(ctx context.Context, o integration.Origin, id uuid.UUID) (delivery uuid.UUID, err error) {
	err = s.change(ctx, o, id, func(ctx context.Context, tx pgx.Tx, q *db.Queries, w db.Webhook) (db.Entry, error) {
		if w.State != Active {
			return db.Entry{}, fault.New(fault.Conflict, KeyPaused)
		}
		payload, err := json.Marshal(map[string]any{"name": w.Name, "test": true})
		if err != nil {
			return db.Entry{}, fmt.Errorf("encode event: %w", err)
		}
		delivery, err = q.AddTestEvent(ctx, tx, payload, o.Tenant, id)
		return entry("webhook.tested", id, nil, map[string]any{"name": w.Name, "delivery": delivery}), err
	})
	return delivery, err
}

// SendAgain puts a delivery that has ended back in line, with all its attempts.
func (s Service) SendAgain(ctx context.Context, o integration.Origin, id, delivery uuid.UUID) error {
	return s.change(ctx, o, id, func(ctx context.Context, tx pgx.Tx, q *db.Queries, w db.Webhook) (db.Entry, error) {
		if w.State != Active {
			return db.Entry{}, fault.New(fault.Conflict, KeyPaused)
		}
		state, err := q.DeliveryState(ctx, tx, o.Tenant, id, delivery)
		if err != nil {
			return db.Entry{}, err
		}
		if state == "waiting" {
			return db.Entry{}, fault.New(fault.Conflict, KeyWaiting)
		}
		_, err = q.SendAgain(ctx, tx, o.Tenant, id, delivery)
		return entry("webhook.sent_again", id, nil, map[string]any{"delivery": delivery, "state": state}), err
	})
}
