package integration

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// longestBackfill bounds the window of one request for past readings.
const longestBackfill = 400 * 24 * time.Hour

// Causes of a request for past readings.
const (
	causeRequested = "requested"
	causeMapping   = "mapping"
)

// errAsked ends the transaction of a request that was made before.
var errAsked = errors.New("asked before")

// SetState pauses, with a note that says why, resumes or archives. Archiving
// keeps readings, rules and history; it ends the polling.
func (s Service) SetState(ctx context.Context, o Origin, id uuid.UUID, next, note string) (queued bool, err error) {
	if next != Paused {
		note = ""
	}
	if utf8.RuneCountInString(note) > maxNote || !utf8.ValidString(note) {
		return false, fault.New(fault.Invalid, KeyNote)
	}
	err = s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		before, err := q.LockIntegration(ctx, tx, o.Tenant, id)
		if err != nil {
			return err
		}
		if before.State == next {
			return fault.New(fault.Conflict, KeyState)
		}
		if _, err := q.SetIntegrationState(ctx, tx, db.SetIntegrationStateParams{TenantID: o.Tenant, ID: id, Seen: before.State, Next: next, Note: note}); err != nil {
			return err
		}
		if next == Archived {
			if _, err := q.RenameArchivedIntegration(ctx, tx, o.Tenant, id); err != nil {
				return err
			}
		}
		return o.Audit(ctx, tx, db.Entry{Action: actions[next], ObjectType: "integration", ObjectID: id.String(),
			Before: map[string]any{"state": before.State, "name": before.Name}, After: map[string]any{"state": next, "note": note}})
	})
	if err != nil {
		return false, err
	}
	if next == Active {
		if queued, err = away(s.Workflows.EnsureIntegrationSchedule(ctx, o.Tenant, id)); err != nil || queued {
			return queued, err
		}
	}
	return away(s.Workflows.PauseIntegration(ctx, o.Tenant, id, next != Active))
}

// active runs do on an integration that is not paused and notes the action in
// the audit log.
func (s Service) active(ctx context.Context, o Origin, id uuid.UUID, action string, do func(ctx context.Context, tx pgx.Tx, q *db.Queries) (after any, err error)) error {
	return s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		found, err := q.GetIntegration(ctx, tx, o.Tenant, id)
		if err != nil {
			return err
		}
		if found.State != Active {
			return fault.New(fault.Conflict, KeyPaused)
		}
		after, err := do(ctx, tx, q)
		if err != nil {
			return err
		}
		return o.Audit(ctx, tx, db.Entry{Action: action, ObjectType: "integration", ObjectID: id.String(), After: after})
	})
}

// PollNow asks for a poll at once; an open circuit lets it through. A paused
// integration is not polled.
func (s Service) PollNow(ctx context.Context, o Origin, id uuid.UUID) error {
	err := s.active(ctx, o, id, "integration.poll_requested", func(ctx context.Context, tx pgx.Tx, q *db.Queries) (any, error) {
		_, err := q.RetryIntegration(ctx, tx, o.Tenant, id)
		return nil, err
	})
	if err != nil {
		return err
	}
	return s.Workflows.PollNow(ctx, o.Tenant, id)
}

// Discover asks for the tree of a source to be listed again.
func (s Service) Discover(ctx context.Context, o Origin, id uuid.UUID) error {
	can, err := s.able(ctx, o.Tenant, id)
	if err != nil {
		return err
	}
	if !can.Browse {
		return fault.New(fault.Invalid, KeyNoTree)
	}
	err = s.active(ctx, o, id, "integration.discovery_requested", func(context.Context, pgx.Tx, *db.Queries) (any, error) { return nil, nil })
	if err != nil {
		return err
	}
	return s.Workflows.Discover(ctx, o.Tenant, id)
}

// Past is a request for past readings: a window of time and the tags wanted,
// none for all that are mapped. The same id asks once.
type Past struct {
	ID       uuid.UUID
	From, To time.Time
	Tags     []string
}

// Backfill asks for past readings from the source's archive; they are read
// beside the live ones. queued says that the workflow engine was away: it takes
// the request up at the next time of the source.
func (s Service) Backfill(ctx context.Context, o Origin, id uuid.UUID, p Past) (queued bool, err error) {
	can, err := s.able(ctx, o.Tenant, id)
	if err != nil {
		return false, err
	}
	now := time.Now()
	if p.To.After(now) {
		p.To = now.UTC().Truncate(time.Second)
	}
	if !p.To.After(p.From) || p.To.Sub(p.From) > longestBackfill {
		return false, fault.New(fault.Invalid, KeyWindow)
	}
	if !can.Backfill {
		return false, fault.New(fault.Invalid, KeyNoArchive)
	}
	return s.askPast(ctx, o, id, causeRequested, p)
}

func (s Service) askPast(ctx context.Context, o Origin, id uuid.UUID, cause string, p Past) (bool, error) {
	if p.ID == uuid.Nil {
		p.ID = uuid.New()
	}
	asked := func(ctx context.Context, tx pgx.Tx, q *db.Queries) (any, error) {
		made, err := q.AskBackfill(ctx, tx, db.AskBackfillParams{TenantID: o.Tenant, ID: p.ID, IntegrationID: id, Cause: cause, FromTs: p.From.UTC(), ToTs: p.To.UTC(),
			Tags: p.Tags, RequestedBy: o.Actor.ID})
		if err == nil && len(made) == 0 {
			err = errAsked
		}
		return map[string]any{"cause": cause, "from": p.From.UTC(), "to": p.To.UTC(), "tags": len(p.Tags)}, err
	}
	if err := s.active(ctx, o, id, "integration.backfill_requested", asked); err != nil && !errors.Is(err, errAsked) {
		return false, err
	}
	return away(s.Workflows.StartBackfill(ctx, o.Tenant, id))
}
