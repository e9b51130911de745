package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// startWorkOrder begins an order. Somebody else may have moved it since the
// page was printed: then nothing changes.
func (s *Server) startWorkOrder(w http.ResponseWriter, r *http.Request) error {
	return s.moveWorkOrder(w, r, move{to: "in_progress", from: []string{"open"}, action: "work_order.started", toast: "workorders.started"})
}

// cancelWorkOrder gives an order up for a reason, which stays with it.
func (s *Server) cancelWorkOrder(w http.ResponseWriter, r *http.Request) error {
	reason := bounded(strings.TrimSpace(r.PostFormValue("reason")), longestReason)
	if reason == "" {
		return fault.New(fault.Invalid, "workorders.error.reason")
	}
	return s.moveWorkOrder(w, r, move{to: "cancelled", from: []string{"open", "in_progress"}, action: "work_order.cancelled", toast: "workorders.cancelled", reason: reason})
}

// longestReason bounds why an order was given up, in letters.
const longestReason = 500

// move is one step of an order.
type move struct {
	to, action, toast, reason string
	from                      []string
}

// moveWorkOrder takes an order from the status that was seen to the next. One
// that has a twin in a maintenance system is moved there only.
func (s *Server) moveWorkOrder(w http.ResponseWriter, r *http.Request, m move) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		order, err := q.LockWorkOrder(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		switch {
		case followed(order):
			return fault.New(fault.Conflict, "workorders.followed").With("Number", order.Number)
		case !slices.Contains(m.from, order.Status):
			return fault.New(fault.Conflict, "workorders.moved").With("Number", order.Number)
		}
		n, err := q.MoveWorkOrder(ctx, tx, db.MoveWorkOrderParams{TenantID: tenant, ID: id, Seen: order.Status, Next: m.to, Reason: m.reason})
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "workorders.moved").With("Number", order.Number)
		}
		after := map[string]any{"status": m.to, "number": order.Number}
		if m.reason != "" {
			after["reason"] = m.reason
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: m.action, ObjectType: "work_order", ObjectID: id.String(), Before: map[string]any{"status": order.Status}, After: after})
	})
	if err != nil {
		return err
	}
	return s.redirect(w, r, localPath(r.PostFormValue("back"), "/work-orders"), m.toast)
}

// assignWorkOrder gives an order to a technician, or to nobody.
func (s *Server) assignWorkOrder(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	technician, seen := optionalUUID(r.PostFormValue("technician")), optionalUUID(r.PostFormValue("seen"))
	if technician == nil && r.PostFormValue("technician") != "" {
		return fault.New(fault.Invalid, "field.choice")
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		order, err := q.LockWorkOrder(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		n, err := q.AssignWorkOrder(ctx, tx, db.AssignWorkOrderParams{TenantID: tenant, ID: id, TechnicianID: technician, SeenID: seen})
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "workorders.moved").With("Number", order.Number)
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "work_order.assigned", ObjectType: "work_order", ObjectID: id.String(),
			Before: map[string]any{"technician": order.TechnicianID}, After: map[string]any{"technician": technician, "number": order.Number}})
	})
	if err != nil {
		return err
	}
	return s.redirect(w, r, localPath(r.PostFormValue("back"), "/work-orders"), "workorders.assigned")
}
