package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/web/revision"
)

// The conditions that a technician can meet, as the form offers them.
const foundFailed = "failed"

var foundConditions = []string{"as_expected", "better", "worse", foundFailed}

// Bounds of what is recorded of a finished job.
const (
	longestFinding = 2000
	mostHours      = 100_000
	mostCost       = 1e12 // SAR
)

// findings is what a technician reports of a job.
type findings struct {
	Found       string
	Mode        *uuid.UUID
	Text        string
	Hours, Cost *float64
	DoneAt      time.Time
}

// optional reads a number that may be left out, between 0 and most.
func (f *editForm) optional(name string, most float64) *float64 {
	if f.Values[name] == "" {
		return nil
	}
	v := f.number(name, "field.number")
	if f.keys[name] == "" && (v < 0 || v > most) {
		f.keys[name] = "field.range"
	}
	return &v
}

// remarks reads the part of the findings that may be changed afterwards.
func (f *editForm) remarks() findings {
	x := findings{Text: f.Values["finding"], Hours: f.optional("hours", mostHours), Cost: f.optional("cost", mostCost)}
	if utf8.RuneCountInString(x.Text) > longestFinding {
		f.keys["finding"] = "field.long"
	}
	return x
}

// findings reads the form of a finished job. An order that its maintenance
// system has closed keeps the moment of that.
func (f *editForm) findings(order db.WorkOrder, modes []db.AssetFailureMode, now time.Time) findings {
	x := f.remarks()
	x.Found, x.Mode = f.Values["found"], f.id("mode")
	switch {
	case x.Found == "":
		f.keys["found"] = "field.required"
	case !slices.Contains(foundConditions, x.Found):
		f.keys["found"] = "field.choice"
	}
	known := func(m db.AssetFailureMode) bool { return x.Mode != nil && m.ID == *x.Mode }
	switch {
	case x.Found != foundFailed && x.Found != "worse":
		x.Mode = nil // no failure, no mode
	case x.Mode != nil && !slices.ContainsFunc(modes, known):
		f.keys["mode"] = "field.choice"
	case x.Mode == nil && x.Found == foundFailed && len(modes) > 0 && f.keys["mode"] == "":
		f.keys["mode"] = "workorders.error.mode"
	}
	if order.Status == "done" && order.DoneAt != nil {
		x.DoneAt = *order.DoneAt
		return x
	}
	day := f.day("done_on")
	switch {
	case f.keys["done_on"] != "":
	case day.After(now):
		f.keys["done_on"] = "workorders.error.future"
	case dateIn(riyadhZone, day).Before(dateIn(riyadhZone, order.CreatedAt)):
		f.keys["done_on"] = "workorders.error.before"
	default:
		x.DoneAt = doneMoment(day, now)
	}
	return x
}

// followed reports whether the order has a twin in a maintenance system, which
// alone says how far it has come.
func followed(o db.WorkOrder) bool { return o.IntegrationID != nil }

// closable refuses findings where they have no place: an order of the product
// is closed by them when it is in progress, one that is followed takes them
// when its maintenance system has closed it.
func closable(o db.WorkOrder) error {
	switch {
	case !followed(o) && o.Status == "in_progress":
		return nil
	case followed(o) && o.Status == "done" && o.FoundCondition == "":
		return nil
	case followed(o) && o.Status != "done":
		return fault.New(fault.Conflict, "workorders.followed").With("Number", o.Number)
	}
	return fault.New(fault.Conflict, "workorders.moved").With("Number", o.Number)
}

// repeated reports whether the findings are those that the same person has
// recorded already, as when a form is sent twice.
func repeated(o db.WorkOrder, f *editForm, by uuid.UUID) bool {
	return o.Status == "done" && o.DoneBy != nil && *o.DoneBy == by && o.FoundCondition != "" && o.FoundCondition == f.Values["found"] && o.Finding == f.Values["finding"]
}

// finishWorkOrder closes an order with what was found, and teaches the
// reliability data of its asset by it.
func (s *Server) finishWorkOrder(w http.ResponseWriter, r *http.Request) error {
	return s.reportOrder(w, r, "workorders.finished", func(ctx context.Context, tx pgx.Tx, q *db.Queries, order db.WorkOrder, f *editForm) error {
		who := access.From(ctx)
		if repeated(order, f, who.UserID) {
			return nil
		}
		if err := closable(order); err != nil {
			return err
		}
		modes, err := q.ListFailureModes(ctx, tx, order.TenantID, []uuid.UUID{order.AssetID})
		if err != nil {
			return err
		}
		x := f.findings(order, modes, time.Now())
		if len(f.keys) > 0 {
			return &revision.Invalid{Mistakes: f.keys}
		}
		err = q.FinishWorkOrder(ctx, tx, db.FinishWorkOrderParams{TenantID: order.TenantID, ID: order.ID, DoneAt: x.DoneAt, DoneBy: who.UserID,
			FoundCondition: x.Found, FailureModeID: x.Mode, Finding: x.Text, ActualHours: x.Hours, ActualCost: x.Cost})
		if err != nil {
			return err
		}
		if err := learn(ctx, tx, q, order, x, who.UserID); err != nil {
			return err
		}
		if err := announceDone(ctx, tx, q, order, x, who.UserID); err != nil {
			return err
		}
		return s.audit(ctx, tx, r, order.TenantID, db.Entry{Action: "work_order.done", ObjectType: "work_order", ObjectID: order.ID.String(),
			Before: map[string]any{"status": order.Status},
			After: map[string]any{"status": "done", "number": order.Number, "found_condition": x.Found, "failure_mode_id": x.Mode, "finding": x.Text,
				"actual_hours": x.Hours, "actual_cost": x.Cost, "done_at": x.DoneAt}})
	})
}

// changeFindings corrects the words and figures of a finished job. Condition,
// failure mode and day have become reliability data and stay.
func (s *Server) changeFindings(w http.ResponseWriter, r *http.Request) error {
	return s.reportOrder(w, r, "workorders.findings.saved", func(ctx context.Context, tx pgx.Tx, q *db.Queries, order db.WorkOrder, f *editForm) error {
		if order.Status != "done" || order.FoundCondition == "" {
			return fault.New(fault.Conflict, "workorders.moved").With("Number", order.Number)
		}
		x := f.remarks()
		if len(f.keys) > 0 {
			return &revision.Invalid{Mistakes: f.keys}
		}
		err := q.ChangeFindings(ctx, tx, db.ChangeFindingsParams{TenantID: order.TenantID, ID: order.ID, Finding: x.Text, ActualHours: x.Hours, ActualCost: x.Cost})
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, r, order.TenantID, db.Entry{Action: "work_order.findings_changed", ObjectType: "work_order", ObjectID: order.ID.String(),
			Before: map[string]any{"finding": order.Finding, "actual_hours": order.ActualHours, "actual_cost": order.ActualCost},
			After:  map[string]any{"finding": x.Text, "actual_hours": x.Hours, "actual_cost": x.Cost, "number": order.Number}})
	})
}

// reportOrder runs a change of an order from its form. A form that is refused
// is shown again with everything that was typed.
func (s *Server) reportOrder(w http.ResponseWriter, r *http.Request, toast string,
	change func(ctx context.Context, tx pgx.Tx, q *db.Queries, order db.WorkOrder, f *editForm) error) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	f := readEditForm(r)
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		order, err := q.LockWorkOrder(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		return change(ctx, tx, q, order, f)
	})
	var invalid *revision.Invalid
	switch {
	case errors.As(err, &invalid):
		return s.orderPage(w, r, http.StatusUnprocessableEntity, id, f)
	case err != nil:
		return err
	}
	return s.redirect(w, r, "/work-orders/"+id.String(), toast)
}

// announceDone tells those who answer for the plan that one of its orders is
// done.
func announceDone(ctx context.Context, tx pgx.Tx, q *db.Queries, order db.WorkOrder, x findings, by uuid.UUID) error {
	d, err := q.WorkOrderDetail(ctx, tx, order.TenantID, order.ID)
	if err != nil {
		return err
	}
	var to []uuid.UUID
	for _, person := range []*uuid.UUID{&d.ProposedBy, d.ReleaseRequestedBy} {
		if person != nil && *person != by && !slices.Contains(to, *person) {
			to = append(to, *person)
		}
	}
	return db.Announce(ctx, tx, db.Announcement{TenantID: order.TenantID, Kind: "work_order.done", ObjectType: "work_order", ObjectID: order.ID,
		Key: "work_order.done/" + order.ID.String(), To: to, Payload: map[string]any{"work_order_id": order.ID, "number": order.Number,
			"name": order.TitleEn, "name_ar": order.TitleAr, "title": d.PlanTitle, "tag": d.Tag, "asset_id": order.AssetID, "plan_id": order.PlanID,
			"state": "done", "found_condition": x.Found, "actual_hours": x.Hours, "actual_cost_sar": x.Cost, "done_at": x.DoneAt}})
}

// shownFindings fills the form of an order with what is recorded, or with
// today for one that is still to be closed.
func shownFindings(o db.WorkOrder, now time.Time) *editForm {
	values := map[string]string{"finding": o.Finding, "done_on": now.In(riyadhZone).Format(time.DateOnly), "found": o.FoundCondition}
	for name, v := range map[string]*float64{"hours": o.ActualHours, "cost": o.ActualCost} {
		if v != nil {
			values[name] = plain(*v)
		}
	}
	f := filled(values)
	f.keys = reliability.Mistakes{}
	return f
}
