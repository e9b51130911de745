package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
)

// States in which a work order is closed, as stored.
const (
	orderDone      = "done"
	orderCancelled = "cancelled"
)

// externalDeleted marks a work order whose twin is not in the maintenance
// system any more.
const externalDeleted = "deleted"

// Sorts of drift between a plan and the maintenance system.
const (
	driftMoved     = "moved"     // somebody has moved the order to other days
	driftCancelled = "cancelled" // somebody has cancelled the order
	driftDeleted   = "deleted"   // the order is gone
)

// followed counts what following the maintenance system changed.
type followed struct{ changed, drifted int }

// followTwins brings the work orders of an integration to where their twins
// are, as read last: status and days. The days of the plan stay beside them.
// What differs from the plan is noted in its release and announced.
func followTwins(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, integration uuid.UUID) (followed, error) {
	var result followed
	rows, err := q.ListStaleTwins(ctx, tx, tenant, &integration)
	if err != nil || len(rows) == 0 {
		return result, err
	}
	days, err := db.TenantCalendar(ctx, tx, tenant)
	if err != nil {
		return result, err
	}
	for _, row := range rows {
		f := newFollower(tenant, row, days.Location())
		if err := q.FollowTwin(ctx, tx, f.next); err != nil {
			return result, fmt.Errorf("follow order %s: %w", row.ExternalID, err)
		}
		if !f.changed {
			continue
		}
		result.changed++
		if f.drift != "" {
			result.drifted++
		}
		if err := f.tell(ctx, tx, q, tenant); err != nil {
			return result, err
		}
	}
	return result, nil
}

// follower is one work order on its way to where its twin is.
type follower struct {
	row     db.ListStaleTwinsRow
	next    db.FollowTwinParams
	changed bool
	drift   string
}

func newFollower(tenant uuid.UUID, row db.ListStaleTwinsRow, zone *time.Location) follower {
	f := follower{row: row}
	f.next = db.FollowTwinParams{TenantID: tenant, ID: row.ID, Status: nextStatus(row.Status, row.State), StartOn: row.StartOn, DueOn: row.DueOn,
		ExternalState: row.State, ExternalVersion: row.Version, SyncedAt: row.SeenAt}
	if row.PlannedStart != nil && row.PlannedEnd != nil && f.next.Status != orderCancelled {
		f.next.StartOn, f.next.DueOn = dayIn(*row.PlannedStart, zone), dayIn(*row.PlannedEnd, zone)
	}
	if f.next.Status == orderInProgress || f.next.Status == orderDone {
		f.next.StartedAt = first(row.ActualStart, &row.SeenAt)
	}
	if f.next.Status == orderDone {
		f.next.DoneAt = first(row.ActualEnd, &row.SeenAt)
	}
	moved := !f.next.StartOn.Equal(row.StartOn) || !f.next.DueOn.Equal(row.DueOn)
	switch {
	case f.next.Status == orderCancelled && row.Status != orderCancelled:
		f.drift = driftCancelled
	case moved:
		f.drift = driftMoved
	}
	f.changed = moved || f.next.Status != row.Status
	return f
}

// dayIn is the day of an instant in a zone, as dates are stored.
func dayIn(at time.Time, zone *time.Location) time.Time {
	local := at.In(zone)
	return time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
}

func first(times ...*time.Time) *time.Time {
	for _, t := range times {
		if t != nil {
			return t
		}
	}
	return nil
}

// nextStatus is the status of a work order whose twin is in a state. What is
// closed in the product stays closed, and work that a technician has begun in
// the product goes on until the maintenance system closes it.
func nextStatus(have, external string) string {
	if have == orderDone || have == orderCancelled {
		return have
	}
	switch external {
	case connector.OrderDone, connector.OrderClosed:
		return orderDone
	case connector.OrderCancelled:
		return orderCancelled
	case connector.OrderInProgress:
		return orderInProgress
	}
	return have
}

// driftNotice is what an announcement about a work order that differs from its
// plan carries.
type driftNotice struct {
	WorkOrderID uuid.UUID `json:"work_order_id"`
	PlanID      uuid.UUID `json:"plan_id"`
	Number      int64     `json:"number"`
	Tag         string    `json:"tag"`
	ExternalID  string    `json:"external_id"`
	Drift       string    `json:"drift"`
	From        string    `json:"from,omitempty"`
	To          string    `json:"to,omitempty"`
}

// tell notes the change in the release and announces it when it is a drift.
func (f follower) tell(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
	row := f.row
	n := driftNotice{WorkOrderID: row.ID, PlanID: row.PlanID, Number: row.Number, Tag: row.Tag, ExternalID: row.ExternalID, Drift: f.drift, From: row.Status, To: f.next.Status}
	if f.drift == driftMoved {
		n.From, n.To = row.StartOn.Format(time.DateOnly)+"/"+row.DueOn.Format(time.DateOnly), f.next.StartOn.Format(time.DateOnly)+"/"+f.next.DueOn.Format(time.DateOnly)
	}
	return n.tell(ctx, tx, q, tenant, row.ReleaseID, row.Line, row.SeenAt)
}

func (n driftNotice) tell(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, releaseID *uuid.UUID, line *int32, at time.Time) error {
	event := releaseEvent{kind: eventFollowed, line: line, detail: map[string]any{"number": n.Number, "external_id": n.ExternalID, "from": n.From, "to": n.To}}
	if n.Drift != "" {
		event.kind, event.detail["drift"] = eventDrift, n.Drift
	}
	if releaseID != nil {
		if err := note(ctx, tx, q, db.Release{TenantID: tenant, ID: *releaseID}, event); err != nil {
			return err
		}
	}
	if n.Drift == "" {
		return nil
	}
	to, err := db.Holders(ctx, tx, tenant, access.ReleasePlan)
	if err != nil {
		return err
	}
	return db.Announce(ctx, tx, db.Announcement{TenantID: tenant, Kind: "order.drift", ObjectType: "work_order", ObjectID: n.WorkOrderID, Payload: n, To: to,
		Key: fmt.Sprintf("order.drift/%s/%s/%d", n.WorkOrderID, n.Drift, at.UnixMicro())})
}
