package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/release"
)

// UndoLine takes one line back: an order that it created is cancelled in the
// maintenance system, an order that it moved gets its former dates, and the
// work order of the product is cancelled. What somebody has begun, closed or
// moved since is left and is a conflict, which FailUndo notes.
func (a *Release) UndoLine(ctx context.Context, in LineInput) error {
	return beating(ctx, func(ctx context.Context) error { return a.undoLine(ctx, in) })
}

func (a *Release) undoLine(ctx context.Context, in LineInput) error {
	w, err := a.loadLine(ctx, in)
	if err != nil {
		return fmt.Errorf("load line %d: %w", in.Line, err)
	}
	l := w.row.ReleaseLine
	switch {
	case l.State == lineUndone || l.State == lineUndoFailed:
		return nil
	case w.r.State != ReleaseUndoing:
		return fault.New(fault.Conflict, KeyReleaseOpen)
	case l.Attempts == 0:
		return a.settleUndo(ctx, w, nil)
	}
	if w.writer, err = openWriter(ctx, a.deps, IntegrationRef{TenantID: in.TenantID, IntegrationID: *w.r.IntegrationID}); err != nil {
		return err
	}
	defer w.writer.close(ctx)
	order, err := w.takeBack(ctx)
	if err != nil {
		return fmt.Errorf("take line %d back: %w", in.Line, err)
	}
	return a.settleUndo(ctx, w, order)
}

// ClearSkipped takes back what attempts of a line may have done in the source
// before a person said to leave it out, such as an order whose answer was lost.
func (a *Release) ClearSkipped(ctx context.Context, in LineInput) error {
	return beating(ctx, func(ctx context.Context) error { return a.clearSkipped(ctx, in) })
}

func (a *Release) clearSkipped(ctx context.Context, in LineInput) error {
	w, err := a.loadLine(ctx, in)
	if err != nil {
		return fmt.Errorf("load line %d: %w", in.Line, err)
	}
	if w.row.ReleaseLine.State != lineSkipped || w.row.ReleaseLine.Attempts == 0 {
		return nil
	}
	if w.writer, err = openWriter(ctx, a.deps, IntegrationRef{TenantID: in.TenantID, IntegrationID: *w.r.IntegrationID}); err != nil {
		return err
	}
	defer w.writer.close(ctx)
	order, err := w.takeBack(ctx)
	if err != nil {
		return fmt.Errorf("take line %d back: %w", in.Line, err)
	}
	return a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if order == nil { // the attempts came to nothing
			return note(ctx, tx, q, w.r, releaseEvent{kind: eventCleared, line: &in.Line})
		}
		if err := w.writer.remember(ctx, tx, q, *order); err != nil {
			return err
		}
		return note(ctx, tx, q, w.r, releaseEvent{kind: eventLineUndone, line: &in.Line, detail: map[string]any{"external_id": order.ID, "state": order.State}})
	})
}

// takeBack undoes what the line did in the source and returns the order as it
// is afterwards, nil when there is none of the line.
func (w *lineWork) takeBack(ctx context.Context) (*connector.WorkOrderRecord, error) {
	l := w.row.ReleaseLine
	if len(l.Before) > 0 {
		return w.moveBack(ctx)
	}
	order, found, err := w.writer.FindWorkOrder(ctx, l.IdempotencyKey)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, nil
	case order.State == connector.OrderCancelled:
		return &order, nil
	case !release.Open(order.State):
		return nil, w.conflict(release.Choice{Fault: release.KeyBegun, Order: orderOf(order)})
	}
	order, err = w.writer.ChangeWorkOrder(ctx, order.ID, order.Version, connector.WorkOrderChange{State: connector.OrderCancelled})
	return &order, err
}

// moveBack gives a moved order its former dates.
func (w *lineWork) moveBack(ctx context.Context) (*connector.WorkOrderRecord, error) {
	l := w.row.ReleaseLine
	var b former
	if err := json.Unmarshal(l.Before, &b); err != nil {
		return nil, fmt.Errorf("read the order before: %w", err)
	}
	order, err := w.writer.ReadWorkOrder(ctx, b.ID)
	now := orderOf(order)
	switch {
	case err != nil:
		return nil, err
	case release.SameDays(now, b.Start, b.End, w.zone):
		return &order, nil
	case !release.Open(order.State):
		return nil, w.conflict(release.Choice{Fault: release.KeyBegun, Order: now})
	case !release.SameDays(now, l.PlannedStart, l.PlannedEnd, w.zone):
		return nil, w.conflict(release.Choice{Fault: release.KeyMovedSince, Order: now})
	}
	order, err = w.writer.ChangeWorkOrder(ctx, order.ID, order.Version, connector.WorkOrderChange{PlannedStart: &b.Start, PlannedEnd: &b.End})
	return &order, err
}

// settleUndo notes the line as taken back and cancels its work order, together.
func (a *Release) settleUndo(ctx context.Context, w *lineWork, order *connector.WorkOrderRecord) error {
	in, l := w.in, w.row.ReleaseLine
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		row, err := q.LockReleaseLine(ctx, tx, in.TenantID, in.ReleaseID, in.Line)
		if err != nil || row.ReleaseLine.State == lineUndone {
			return err
		}
		detail := map[string]any{"action": l.Action}
		state := ""
		if order != nil {
			state, detail["external_id"], detail["state"] = order.State, order.ID, order.State
			if err := w.writer.remember(ctx, tx, q, *order); err != nil {
				return err
			}
		}
		if _, err := q.CancelWorkOrderOf(ctx, tx, state, in.TenantID, l.RecommendationID); err != nil {
			return fmt.Errorf("cancel work order: %w", err)
		}
		err = q.SetReleaseLine(ctx, tx, db.SetReleaseLineParams{TenantID: in.TenantID, ReleaseID: in.ReleaseID, Line: in.Line, State: lineUndone,
			Reason: l.Reason, ErrorDetail: json.RawMessage(`{}`)})
		if err != nil {
			return err
		}
		return note(ctx, tx, q, w.r, releaseEvent{kind: eventLineUndone, line: &in.Line, detail: detail})
	})
	if err != nil {
		return fmt.Errorf("settle line %d: %w", in.Line, err)
	}
	return nil
}

// FailUndo notes why a line could not be taken back. The others are taken back
// all the same; what is left is for a person to do in the maintenance system.
func (a *Release) FailUndo(ctx context.Context, in LineInput, cause ErrorDetail) error {
	detail, err := cause.arguments()
	if err != nil {
		return err
	}
	err = a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, r, row, err := lockLine(ctx, tx, q, in)
		if err != nil || row.ReleaseLine.State == lineUndoFailed {
			return err
		}
		state := lineUndoFailed
		if row.ReleaseLine.State == lineSkipped && r.State != ReleaseUndoing {
			state = lineSkipped
		}
		err = q.SetReleaseLine(ctx, tx, db.SetReleaseLineParams{TenantID: in.TenantID, ReleaseID: in.ReleaseID, Line: in.Line, State: state,
			Reason: row.ReleaseLine.Reason, ErrorKey: cause.Key, ErrorDetail: detail})
		if err != nil {
			return err
		}
		return note(ctx, tx, q, r, releaseEvent{kind: eventUndoFailed, line: &in.Line, detail: map[string]any{"error_key": cause.Key, "error_detail": cause.Args}})
	})
	if err != nil {
		return fmt.Errorf("note line %d: %w", in.Line, err)
	}
	return nil
}

// FinishUndo ends a release that was taken back. The plan is approved as before
// and may be released again.
func (a *Release) FinishUndo(ctx context.Context, ref PlanRef) error {
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, err := q.LockPlan(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil {
			return err
		}
		r, err := q.LockRelease(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil || r.State == ReleaseUndone {
			return err
		}
		lines, err := q.ListReleaseLines(ctx, tx, ref.TenantID, r.ID)
		if err != nil {
			return err
		}
		failed := 0
		for _, l := range lines {
			if l.State == lineUndoFailed {
				failed++
			}
		}
		return endUndone(ctx, tx, q, p, r, lineNotice{Failed: failed})
	})
	if err != nil {
		return fmt.Errorf("finish undo: %w", err)
	}
	return nil
}

// endUndone ends a release of which nothing stands but what the notice says
// could not be taken back, and withdraws the request for it.
func endUndone(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan, r db.Release, n lineNotice) error {
	if err := advance(ctx, tx, q, r, ReleaseUndone); err != nil {
		return err
	}
	if err := q.CancelReleaseRequest(ctx, tx, p.TenantID, p.ID); err != nil {
		return fmt.Errorf("cancel request: %w", err)
	}
	detail, after := map[string]any{"undo_failed": n.Failed}, map[string]any{"state": ReleaseUndone, "undo_failed": n.Failed}
	if n.Reason != "" {
		detail["error_key"], after["reason"] = n.Reason, n.Reason
	}
	if err := note(ctx, tx, q, r, releaseEvent{kind: eventUndone, detail: detail}); err != nil {
		return err
	}
	if err := announceRelease(ctx, tx, q, p, r, "release.undone", n); err != nil {
		return err
	}
	return db.AppendAudit(ctx, tx, db.Entry{
		TenantID: p.TenantID, Actor: db.SystemActor("release"), Action: "release.undone", ObjectType: "plan", ObjectID: p.ID.String(),
		Before: map[string]any{"state": r.State}, After: after,
	})
}
