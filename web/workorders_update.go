package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

func (s *Server) startWorkOrder(w http.ResponseWriter, r *http.Request) error {
	return s.moveWorkOrder(w, r, "open", "in_progress", "work_order.started", "workorders.started")
}

func (s *Server) finishWorkOrder(w http.ResponseWriter, r *http.Request) error {
	return s.moveWorkOrder(w, r, "in_progress", "done", "work_order.done", "workorders.finished")
}

// moveWorkOrder takes an order from one status to the next. Somebody else may
// have moved it since the page was printed: then nothing changes.
func (s *Server) moveWorkOrder(w http.ResponseWriter, r *http.Request, from, to, action, toast string) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		order, err := q.LockWorkOrder(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		n, err := q.MoveWorkOrder(ctx, tx, db.MoveWorkOrderParams{TenantID: tenant, ID: id, Seen: from, Next: to})
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "workorders.moved").With("Number", order.Number)
		}
		if to == "done" { // else the planner would propose the same job again
			if err := renewAsset(ctx, tx, q, tenant, order); err != nil {
				return err
			}
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: action, ObjectType: "work_order", ObjectID: id.String(),
			Before: map[string]any{"status": from}, After: map[string]any{"status": to, "number": order.Number}})
	})
	if err != nil {
		return err
	}
	return s.redirect(w, r, localPath(r.PostFormValue("back"), "/work-orders"), toast)
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
