package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/release"
)

// ReplacedTwin is an order in a maintenance system behind a work order that a
// release has replaced.
type ReplacedTwin struct {
	PlanRef
	ReleaseID, WorkOrderID, IntegrationID uuid.UUID
	Number                                int64
	ExternalID                            string
}

// FinishedRelease says what the end of a release did. Twins are still open in
// their maintenance systems and are to be cancelled there.
type FinishedRelease struct {
	Created, Cancelled int
	Twins              []ReplacedTwin
}

// FinishRelease ends a release of which every line is written or skipped: the
// plan is released, older ones are superseded, and what its work orders replace
// is cancelled. Repeated, it says again which twins are left to cancel.
func (a *Release) FinishRelease(ctx context.Context, ref PlanRef) (FinishedRelease, error) {
	var out FinishedRelease
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, err := q.LockPlan(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil {
			return err
		}
		r, err := q.LockRelease(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil {
			return err
		}
		assets, err := writtenAssets(ctx, tx, q, r)
		if err != nil {
			return err
		}
		out = FinishedRelease{Created: len(assets)}
		if p.ReleasedAt == nil {
			by, err := person(ctx, tx, q, p.TenantID, r.RequestedBy)
			if err != nil {
				return err
			}
			if out.Cancelled, err = conclude(ctx, tx, q, p, r, db.ActorOf(by), assets); err != nil {
				return err
			}
		}
		twins, err := q.ListReplacedTwins(ctx, tx, p.TenantID, p.ID, assets)
		for _, t := range twins {
			out.Twins = append(out.Twins, ReplacedTwin{PlanRef: ref, ReleaseID: r.ID, WorkOrderID: t.ID, IntegrationID: *t.IntegrationID, Number: t.Number, ExternalID: t.ExternalID})
		}
		return err
	})
	if err != nil {
		return out, fmt.Errorf("finish release: %w", err)
	}
	return out, nil
}

// writtenAssets lists the assets whose line is written. A line that is neither
// written nor skipped keeps the release from ending.
func writtenAssets(ctx context.Context, tx pgx.Tx, q *db.Queries, r db.Release) ([]uuid.UUID, error) {
	lines, err := q.ListReleaseLines(ctx, tx, r.TenantID, r.ID)
	if err != nil {
		return nil, fmt.Errorf("list lines: %w", err)
	}
	assets := []uuid.UUID{}
	for _, l := range lines {
		switch l.State {
		case lineWritten:
			assets = append(assets, l.AssetID)
		case lineSkipped:
		default:
			return nil, fault.New(fault.Conflict, KeyReleaseOpen).With("line", l.Line)
		}
	}
	return assets, nil
}

// conclude marks the plan as released and the release as done, supersedes older
// plans and cancels what the new work orders replace. It writes the audit entry
// last and returns how many were cancelled.
func conclude(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan, r db.Release, actor db.Actor, assets []uuid.UUID) (int, error) {
	cancelled, err := q.CancelReplacedWorkOrders(ctx, tx, p.TenantID, p.ID, assets)
	if err != nil {
		return 0, fmt.Errorf("cancel replaced work orders: %w", err)
	}
	if _, err := q.SupersedePlans(ctx, tx, p.TenantID, p.ID); err != nil {
		return 0, fmt.Errorf("supersede plans: %w", err)
	}
	if _, err := q.MarkReleased(ctx, tx, p.TenantID, p.ID); err != nil {
		return 0, fmt.Errorf("mark plan released: %w", err)
	}
	if err := advance(ctx, tx, q, r, ReleaseDone); err != nil {
		return 0, err
	}
	if err := note(ctx, tx, q, r, releaseEvent{kind: eventDone, detail: map[string]any{"work_orders": len(assets), "cancelled": cancelled}}); err != nil {
		return 0, err
	}
	if err := announceRelease(ctx, tx, q, p, r, "release.done", lineNotice{Written: len(assets)}); err != nil {
		return 0, err
	}
	err = db.AnnouncePlan(ctx, tx, p, db.PlanEvent{Kind: "plan.released", Key: p.ID.String(), State: PlanReleased, Actor: &r.RequestedBy, To: []uuid.UUID{p.LaunchedBy, p.ProposedBy}})
	if err != nil {
		return 0, err
	}
	return int(cancelled), db.AppendAudit(ctx, tx, db.Entry{
		TenantID: p.TenantID, Actor: actor, Action: "plan.released", ObjectType: "plan", ObjectID: p.ID.String(),
		Before: map[string]any{"state": p.State},
		After:  map[string]any{"state": PlanReleased, "work_orders": len(assets), "cancelled": int(cancelled)},
	})
}

// CancelTwin cancels the order behind a replaced work order, unless somebody
// has begun it meanwhile or closed it.
func (a *Release) CancelTwin(ctx context.Context, in ReplacedTwin) error {
	return beating(ctx, func(ctx context.Context) error { return a.cancelTwin(ctx, in) })
}

func (a *Release) cancelTwin(ctx context.Context, in ReplacedTwin) error {
	w, err := openWriter(ctx, a.deps, IntegrationRef{TenantID: in.TenantID, IntegrationID: in.IntegrationID})
	if err != nil {
		return err
	}
	defer w.close(ctx)
	order, err := w.ReadWorkOrder(ctx, in.ExternalID)
	if err == nil && release.Open(order.State) {
		order, err = w.ChangeWorkOrder(ctx, order.ID, order.Version, connector.WorkOrderChange{State: connector.OrderCancelled})
	}
	if err != nil {
		return fmt.Errorf("cancel order %s: %w", in.ExternalID, err)
	}
	return a.noteTwin(ctx, in, order.State, order.Version, nil)
}

// LeaveTwin notes that the order behind a replaced work order could not be
// cancelled in its maintenance system, so that a person does it there.
func (a *Release) LeaveTwin(ctx context.Context, in ReplacedTwin, cause ErrorDetail) error {
	return a.noteTwin(ctx, in, "", "", &cause)
}

func (a *Release) noteTwin(ctx context.Context, in ReplacedTwin, state, version string, cause *ErrorDetail) error {
	detail := map[string]any{"number": in.Number, "external_id": in.ExternalID, "state": state}
	event := releaseEvent{kind: eventReplaced, detail: detail}
	if cause != nil {
		event.kind = eventLeft
		detail["error_key"], detail["error_detail"] = cause.Key, cause.Args
	}
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if cause == nil {
			if err := q.NoteTwin(ctx, tx, db.NoteTwinParams{TenantID: in.TenantID, ID: in.WorkOrderID, ExternalState: state, ExternalVersion: version}); err != nil {
				return err
			}
		}
		return note(ctx, tx, q, db.Release{TenantID: in.TenantID, ID: in.ReleaseID}, event)
	})
	if err != nil {
		return fmt.Errorf("note replaced order: %w", err)
	}
	return nil
}

// Kinds of release events.
const (
	eventWriting    = "writing"
	eventWritten    = "written"
	eventFailed     = "failed"
	eventLineUndone = "line_undone"
	eventCleared    = "cleared"
	eventUndoFailed = "undo_failed"
	eventDone       = "done"
	eventUndone     = "undone"
	eventReplaced   = "replaced"
	eventLeft       = "replaced_left"
	eventFollowed   = "followed"
	eventDrift      = "drift"
)

// releaseEvent is one entry of the history of a release.
type releaseEvent struct {
	kind   string
	line   *int32
	actor  *uuid.UUID
	detail map[string]any
}

func note(ctx context.Context, tx pgx.Tx, q *db.Queries, r db.Release, e releaseEvent) error {
	detail, err := json.Marshal(e.detail)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	if e.detail == nil {
		detail = json.RawMessage(`{}`)
	}
	err = q.AddReleaseEvent(ctx, tx, db.AddReleaseEventParams{TenantID: r.TenantID, ReleaseID: r.ID, Line: e.line, Kind: e.kind, ActorID: e.actor, Detail: detail})
	if err != nil {
		return fmt.Errorf("note %s: %w", e.kind, err)
	}
	return nil
}

// advance moves a release on from the state in which it was loaded.
func advance(ctx context.Context, tx pgx.Tx, q *db.Queries, r db.Release, state string) error {
	moved, err := q.SetReleaseState(ctx, tx, db.SetReleaseStateParams{TenantID: r.TenantID, ID: r.ID, Next: state, Seen: r.State})
	if err != nil {
		return fmt.Errorf("set release to %s: %w", state, err)
	}
	if moved == 0 {
		return fault.New(fault.Conflict, KeyReleaseOpen)
	}
	return nil
}
