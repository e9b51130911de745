package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/notice"
)

// Notification tells the token's person of one event.
type Notification struct {
	ID         uuid.UUID       `json:"id"`
	Kind       string          `json:"kind"`
	Title      string          `json:"title"`
	Text       string          `json:"text"`
	ObjectType string          `json:"object_type"`
	ObjectID   uuid.UUID       `json:"object_id"`
	Data       json.RawMessage `json:"data"`
	CreatedAt  time.Time       `json:"created_at"`
	ReadAt     *time.Time      `json:"read_at,omitempty"`
}

func (a *API) notifications() {
	const tag = "Notifications"
	add(a, access.SignedIn, route(http.MethodGet, "/notifications", "list-notifications", "Notifications of the token's person, newest first", tag), a.listNotifications)
	all := route(http.MethodPost, "/notifications/read", "read-notifications", "Mark every notification as read", tag)
	all.DefaultStatus = http.StatusNoContent
	add(a, access.SignedIn, all, a.readNotifications)
	one := route(http.MethodPost, "/notifications/{id}/read", "read-notification", "Mark one notification as read", tag)
	one.DefaultStatus = http.StatusNoContent
	add(a, access.SignedIn, one, a.readNotification)
}

func (a *API) listNotifications(ctx context.Context, who access.Principal, in *struct {
	Paging
	Unread bool `query:"unread" doc:"Only those that are not read"`
}) (*answer[List[Notification]], error) {
	skip, err := in.skip(ctx)
	if err != nil {
		return nil, err
	}
	var rows []db.NotificationPageRow
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.NotificationPage(ctx, tx, db.NotificationPageParams{TenantID: who.TenantID, UserID: who.UserID, Unread: in.Unread, PageSize: in.Limit + 1, Skip: skip})
		return err
	})
	show := func(x db.NotificationPageRow) Notification {
		w := notice.Render(localizer(ctx), notice.Event{Kind: x.Kind, ObjectType: x.ObjectType, ObjectID: x.ObjectID, Payload: x.Payload})
		return Notification{ID: x.ID, Kind: x.Kind, Title: w.Title, Text: w.Plain, ObjectType: x.ObjectType, ObjectID: x.ObjectID, Data: x.Payload, CreatedAt: x.CreatedAt, ReadAt: x.ReadAt}
	}
	return reply(counted(in.Paging, skip, rows, show)), err
}

func (a *API) readNotifications(ctx context.Context, who access.Principal, _ *struct{}) (*struct{}, error) {
	return nil, a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.ReadNotifications(ctx, tx, who.TenantID, who.UserID, time.Now())
		return err
	})
}

func (a *API) readNotification(ctx context.Context, who access.Principal, in *ByID) (*struct{}, error) {
	return nil, a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.GetNotification(ctx, tx, who.TenantID, who.UserID, in.ID); err != nil {
			return err
		}
		_, err := q.ReadNotification(ctx, tx, who.TenantID, who.UserID, in.ID)
		return err
	})
}
