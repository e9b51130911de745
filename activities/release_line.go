package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/release"
)

// LineInput names one line of a release.
type LineInput struct {
	PlanRef
	ReleaseID uuid.UUID
	Line      int32
}

// former is an order as it was before a release moved it.
type former struct {
	ID    string    `json:"id"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// lineWork is a line on its way into the maintenance system.
type lineWork struct {
	in     LineInput
	r      db.Release
	row    db.LockReleaseLineRow
	twins  []release.Twin
	orders []release.Order
	zone   *time.Location
	writer *writer
}

// WriteLine brings one line into the maintenance system and, in the transaction
// that notes it as written, its work order into the product. Before anything is
// written the source is asked for the order with the key of the line, so an
// attempt that follows a crash or a lost answer finds what the last one did.
func (a *Release) WriteLine(ctx context.Context, in LineInput) error {
	return beating(ctx, func(ctx context.Context) error { return a.writeLine(ctx, in) })
}

func (a *Release) writeLine(ctx context.Context, in LineInput) error {
	w, err := a.loadLine(ctx, in)
	if err != nil {
		return fmt.Errorf("load line %d: %w", in.Line, err)
	}
	if state := w.row.ReleaseLine.State; state == lineWritten || state == lineSkipped {
		return nil
	}
	if w.r.State != ReleaseRunning {
		return fault.New(fault.Conflict, KeyReleaseOpen)
	}
	if w.writer, err = openWriter(ctx, a.deps, IntegrationRef{TenantID: in.TenantID, IntegrationID: *w.r.IntegrationID}); err != nil {
		return err
	}
	defer w.writer.close(ctx)
	choice, err := w.choose(ctx)
	if err != nil {
		return fmt.Errorf("look at line %d: %w", in.Line, err)
	}
	if err := a.beginLine(ctx, w, choice); err != nil {
		return fmt.Errorf("begin line %d: %w", in.Line, err)
	}
	if choice.Fault != "" {
		return w.conflict(choice)
	}
	order, err := a.carryOut(ctx, w, choice)
	if err != nil {
		return fmt.Errorf("write line %d: %w", in.Line, err)
	}
	return a.finishLine(ctx, w, choice, order)
}

func (w *lineWork) conflict(c release.Choice) error {
	return fault.New(fault.Conflict, c.Fault).With("tag", w.row.Tag).With("record", c.TwinID).With("order", c.Order.ID).With("count", c.Candidates)
}

// loadLine reads the line and what is known of its asset in the maintenance
// system.
func (a *Release) loadLine(ctx context.Context, in LineInput) (*lineWork, error) {
	w := &lineWork{in: in}
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if w.r, err = q.GetRelease(ctx, tx, in.TenantID, in.ReleaseID); err != nil {
			return err
		}
		if w.row, err = q.LockReleaseLine(ctx, tx, in.TenantID, in.ReleaseID, in.Line); err != nil {
			return err
		}
		if w.r.IntegrationID == nil {
			return fault.New(fault.Conflict, KeyReleaseOpen)
		}
		days, err := db.TenantCalendar(ctx, tx, in.TenantID)
		if err != nil {
			return err
		}
		w.zone = days.Location()
		known, err := loadKnown(ctx, tx, q, IntegrationRef{TenantID: in.TenantID, IntegrationID: *w.r.IntegrationID}, w.row.ReleaseLine.AssetID)
		w.twins, w.orders = known.twins[w.row.ReleaseLine.AssetID], known.orders[w.row.ReleaseLine.AssetID]
		return err
	})
	return w, err
}

// knownOf is what was read of assets in a maintenance system.
type knownOf struct {
	twins  map[uuid.UUID][]release.Twin
	orders map[uuid.UUID][]release.Order
}

func loadKnown(ctx context.Context, tx pgx.Tx, q *db.Queries, ref IntegrationRef, assets ...uuid.UUID) (knownOf, error) {
	known := knownOf{twins: map[uuid.UUID][]release.Twin{}, orders: map[uuid.UUID][]release.Order{}}
	twins, err := q.ListExternalTwins(ctx, tx, ref.TenantID, ref.IntegrationID, assets)
	if err != nil {
		return known, fmt.Errorf("list records: %w", err)
	}
	for _, t := range twins {
		known.twins[*t.AssetID] = append(known.twins[*t.AssetID], release.Twin{Kind: t.Kind, ID: t.ExternalID, Inactive: t.Inactive, Gone: t.Gone})
	}
	orders, err := q.ListOpenOrdersOf(ctx, tx, ref.TenantID, ref.IntegrationID, assets)
	if err != nil {
		return known, fmt.Errorf("list orders: %w", err)
	}
	for _, o := range orders {
		order := release.Order{ID: o.ExternalID, Key: o.IdempotencyKey, State: o.State, Version: o.Version, Ours: o.Ours}
		if o.PlannedStart != nil && o.PlannedEnd != nil {
			order.Start, order.End = *o.PlannedStart, *o.PlannedEnd
		}
		known.orders[*o.AssetID] = append(known.orders[*o.AssetID], order)
	}
	return known, nil
}

// choose decides what the line becomes, by what the source says now.
func (w *lineWork) choose(ctx context.Context) (release.Choice, error) {
	l := w.row.ReleaseLine
	if len(l.Before) > 0 { // an attempt has begun to move this order
		var b former
		if err := json.Unmarshal(l.Before, &b); err != nil {
			return release.Choice{}, fmt.Errorf("read the order before: %w", err)
		}
		order, err := w.writer.ReadWorkOrder(ctx, b.ID)
		choice := release.Choice{Action: release.Move, TwinID: l.ExternalAssetID, Order: orderOf(order)}
		if err == nil && !release.Open(order.State) {
			choice.Action, choice.Fault = release.Conflict, release.KeyBegun
		}
		return choice, err
	}
	job := release.Job{Key: l.IdempotencyKey, Start: l.PlannedStart, End: l.PlannedEnd}
	return chooseLive(ctx, w.writer, job, w.twins, w.orders, w.zone)
}

// chooseLive decides what a job becomes after asking the source for the order
// of its key and for the order that was read before.
func chooseLive(ctx context.Context, source connector.WorkOrderWriter, job release.Job, twins []release.Twin, orders []release.Order, zone *time.Location) (release.Choice, error) {
	own, found, err := source.FindWorkOrder(ctx, job.Key)
	if err != nil {
		return release.Choice{}, err
	}
	if found {
		choice := release.Choice{Action: release.Create, TwinID: own.AssetID, Order: orderOf(own)}
		if own.State == connector.OrderCancelled {
			choice.Action, choice.Fault = release.Conflict, release.KeyCancelled
		}
		return choice, nil
	}
	for {
		choice := release.Choose(job, twins, orders, zone)
		if choice.Order.ID == "" {
			return choice, nil
		}
		now, err := source.ReadWorkOrder(ctx, choice.Order.ID)
		if err != nil && fault.CodeOf(err) != fault.NotFound {
			return choice, err
		}
		if err == nil && (release.Open(now.State) || now.State == connector.OrderInProgress) {
			fresh := orderOf(now)
			fresh.Ours = choice.Order.Ours
			return release.Choose(job, twins, []release.Order{fresh}, zone), nil
		}
		orders = without(orders, choice.Order.ID) // closed or gone since it was read
	}
}

func without(orders []release.Order, id string) []release.Order {
	var rest []release.Order
	for _, o := range orders {
		if o.ID != id {
			rest = append(rest, o)
		}
	}
	return rest
}

func orderOf(r connector.WorkOrderRecord) release.Order {
	return release.Order{ID: r.ID, Key: r.Key, State: r.State, Version: r.Version, Start: r.PlannedStart, End: r.PlannedEnd}
}

// beginLine notes what is about to be done, before it is done.
func (a *Release) beginLine(ctx context.Context, w *lineWork, c release.Choice) error {
	l := w.row.ReleaseLine
	return a.deps.DB.InTenant(ctx, w.in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		err := q.BeginReleaseLine(ctx, tx, db.BeginReleaseLineParams{TenantID: l.TenantID, ReleaseID: l.ReleaseID, Line: l.Line, Action: c.Action,
			ExternalAssetID: c.TwinID, ExternalID: c.Order.ID})
		if err != nil {
			return err
		}
		if c.Action == release.Move && len(l.Before) == 0 {
			before, err := json.Marshal(former{ID: c.Order.ID, Start: c.Order.Start, End: c.Order.End})
			if err != nil {
				return fmt.Errorf("encode the order before: %w", err)
			}
			if err := q.KeepReleaseBefore(ctx, tx, db.KeepReleaseBeforeParams{TenantID: l.TenantID, ReleaseID: l.ReleaseID, Line: l.Line, Before: before}); err != nil {
				return err
			}
		}
		return note(ctx, tx, q, w.r, releaseEvent{kind: eventWriting, line: &l.Line, detail: map[string]any{"action": c.Action, "attempt": l.Attempts + 1, "external_id": c.Order.ID}})
	})
}

// carryOut writes the order and returns it as the source has it afterwards.
func (a *Release) carryOut(ctx context.Context, w *lineWork, c release.Choice) (connector.WorkOrderRecord, error) {
	l := w.row.ReleaseLine
	switch c.Action {
	case release.Create:
		title := plannedTitle(w.row)
		order, err := w.writer.CreateWorkOrder(ctx, connector.WorkOrderDraft{
			Key: l.IdempotencyKey, Title: title, AssetID: c.TwinID, PlannedStart: l.PlannedStart, PlannedEnd: l.PlannedEnd,
			Operations: []connector.OrderOperation{{Title: title, Hours: w.row.CrewHours}},
		})
		if err == nil && order.State == connector.OrderCancelled {
			err = fault.New(fault.Conflict, release.KeyCancelled)
		}
		return order, err
	case release.Move:
		if !release.SameDays(c.Order, l.PlannedStart, l.PlannedEnd, w.zone) {
			return w.writer.ChangeWorkOrder(ctx, c.Order.ID, c.Order.Version, connector.WorkOrderChange{PlannedStart: &l.PlannedStart, PlannedEnd: &l.PlannedEnd})
		}
	}
	return w.writer.ReadWorkOrder(ctx, c.Order.ID)
}

// finishLine notes the line as written and writes its work order, together.
func (a *Release) finishLine(ctx context.Context, w *lineWork, c release.Choice, order connector.WorkOrderRecord) error {
	in := w.in
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		orders, err := newOrderBook(ctx, tx, q, in.TenantID)
		if err != nil {
			return err
		}
		row, err := q.LockReleaseLine(ctx, tx, in.TenantID, in.ReleaseID, in.Line)
		if err != nil || row.ReleaseLine.State == lineWritten {
			return err
		}
		if row.ReleaseLine.State != lineWriting {
			return fault.New(fault.Conflict, KeyReleaseOpen)
		}
		if err := w.writer.remember(ctx, tx, q, order); err != nil {
			return err
		}
		if err := orders.put(ctx, tx, q, in.PlanID, row, twin{integration: w.r.IntegrationID, id: order.ID, state: order.State, version: order.Version}); err != nil {
			return err
		}
		err = q.FinishReleaseLine(ctx, tx, db.FinishReleaseLineParams{TenantID: in.TenantID, ReleaseID: in.ReleaseID, Line: in.Line, ExternalID: order.ID, ExternalVersion: order.Version})
		if err != nil {
			return err
		}
		return note(ctx, tx, q, w.r, releaseEvent{kind: eventWritten, line: &in.Line, detail: map[string]any{"action": c.Action, "external_id": order.ID}})
	})
	if err != nil {
		return fmt.Errorf("finish line %d: %w", in.Line, err)
	}
	return nil
}

// FailLine stops a release at a line: it waits for a person, who is told.
func (a *Release) FailLine(ctx context.Context, in LineInput, cause ErrorDetail) error {
	detail, err := cause.arguments()
	if err != nil {
		return err
	}
	err = a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, r, row, err := lockLine(ctx, tx, q, in)
		if err != nil || r.State == ReleaseStuck {
			return err
		}
		err = q.SetReleaseLine(ctx, tx, db.SetReleaseLineParams{TenantID: in.TenantID, ReleaseID: in.ReleaseID, Line: in.Line, State: lineFailed,
			ErrorKey: cause.Key, ErrorDetail: detail})
		if err != nil {
			return err
		}
		if err := advance(ctx, tx, q, r, ReleaseStuck); err != nil {
			return err
		}
		if err := note(ctx, tx, q, r, releaseEvent{kind: eventFailed, line: &in.Line, detail: map[string]any{"error_key": cause.Key, "error_detail": cause.Args}}); err != nil {
			return err
		}
		if _, err := settleAlerts(ctx, tx, q, in.TenantID, time.Now().UTC(), stuck(r, in.Line, true)); err != nil {
			return err
		}
		stop, err := q.CountReleaseStops(ctx, tx, in.TenantID, r.ID)
		if err != nil {
			return fmt.Errorf("count stops: %w", err)
		}
		return announceRelease(ctx, tx, q, p, r, "release.stuck", lineNotice{Line: in.Line, Tag: row.Tag, Key: row.ReleaseLine.IdempotencyKey,
			Reason: cause.Key, ReasonArgs: cause.Args, Attempt: row.ReleaseLine.Attempts, Stop: stop})
	})
	if err != nil {
		return fmt.Errorf("stop at line %d: %w", in.Line, err)
	}
	return nil
}

// lockLine holds plan, release and line, in the order in which all do.
func lockLine(ctx context.Context, tx pgx.Tx, q *db.Queries, in LineInput) (p db.Plan, r db.Release, row db.LockReleaseLineRow, err error) {
	if p, err = q.LockPlan(ctx, tx, in.TenantID, in.PlanID); err != nil {
		return p, r, row, err
	}
	if r, err = q.LockRelease(ctx, tx, in.TenantID, in.PlanID); err != nil {
		return p, r, row, err
	}
	row, err = q.LockReleaseLine(ctx, tx, in.TenantID, in.ReleaseID, in.Line)
	return p, r, row, err
}
