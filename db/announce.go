package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/access"
)

// Announcement is an event that people or other systems want to hear of.
type Announcement struct {
	TenantID   uuid.UUID
	Kind       string // area and what happened, for example "plan.proposed"
	ObjectType string
	ObjectID   uuid.UUID
	Key        string // the same key is announced once
	Payload    any    // what a webhook carries; ids, states and figures, no secrets
	To         []uuid.UUID
}

// Announce writes an event to the outbox with a notification for each person
// of To, inside the caller's transaction, so that an event and the word of it
// commit or vanish together. E-mails and webhooks are sent from the outbox
// afterwards. An event whose key was announced before is left alone.
func Announce(ctx context.Context, tx pgx.Tx, a Announcement) error {
	payload, err := json.Marshal(a.Payload)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	q := New()
	id, err := q.AddEvent(ctx, tx, AddEventParams{
		TenantID: a.TenantID, Kind: a.Kind, ObjectType: a.ObjectType, ObjectID: a.ObjectID, DedupeKey: a.Key, Payload: payload,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("add event %s: %w", a.Kind, err)
	}
	_, err = q.AddNotifications(ctx, tx, AddNotificationsParams{TenantID: a.TenantID, EventID: id, UserIds: a.To, Kind: a.Kind})
	if err != nil {
		return fmt.Errorf("notify of %s: %w", a.Kind, err)
	}
	return nil
}

// Holders lists the active people of a tenant whose roles hold the capability.
// Who may approve a plan, deputies among them, is for Deciders to say.
func Holders(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, c access.Capability) ([]uuid.UUID, error) {
	var roles []string
	for _, r := range access.TenantRoles() {
		if access.Allows(r, c) {
			roles = append(roles, string(r))
		}
	}
	holders, err := New().ListPeopleWithRoles(ctx, tx, tenant, roles)
	if err != nil {
		return nil, fmt.Errorf("list holders of %s: %w", c, err)
	}
	return holders, nil
}
