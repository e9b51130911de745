package activities

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/release"
)

// States of a release and of its lines, as stored.
const (
	ReleaseRunning = "running"
	ReleaseStuck   = "stuck"
	ReleaseUndoing = "undoing"
	ReleaseDone    = "done"
	ReleaseUndone  = "undone"

	lineWaiting    = "waiting"
	lineWriting    = "writing"
	lineWritten    = "written"
	lineFailed     = "failed"
	lineSkipped    = "skipped"
	lineUndone     = "undone"
	lineUndoFailed = "undo_failed"
)

// WorkOrdersResult says what a release to the product alone did and how it
// ended: done or undone.
type WorkOrdersResult struct {
	Created, Cancelled int
	State              string
}

// ReleaseScope is a release as its rows say: what is left to write, to clear of
// what attempts at lines that were left out have done, and, when it is taken
// back, to undo, each in the order in which it is to be done.
type ReleaseScope struct {
	ReleaseID   uuid.UUID
	ProductOnly bool // no maintenance system: CreateWorkOrders does it all
	State       string
	Todo, Undo  []int32
	Clear       []int32 // nil only in histories of before the rows said it
}

// PrepareRelease notes the lines of a release, each with its idempotency key
// and its days, and says what is left to do. A plan that was asked to be
// released before releases had rows gets one, without a maintenance system. A
// release that nobody may carry out any more is undone before it begins.
func (a *Release) PrepareRelease(ctx context.Context, ref PlanRef) (ReleaseScope, error) {
	var scope ReleaseScope
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, err := q.LockPlan(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil {
			return err
		}
		if p.ReleasedAt != nil {
			scope.State = ReleaseDone
			return nil
		}
		r, _, err := wanted(ctx, tx, q, p)
		if err != nil {
			return err
		}
		scope.ReleaseID, scope.State = r.ID, r.State
		if r.State == ReleaseUndone {
			return nil
		}
		if scope.ProductOnly = r.IntegrationID == nil; scope.ProductOnly {
			return nil
		}
		if err := addLines(ctx, tx, q, p, r); err != nil {
			return err
		}
		return scope.read(ctx, tx, q, r)
	})
	if err != nil {
		return scope, fmt.Errorf("prepare release: %w", err)
	}
	return scope, nil
}

// wanted returns the release that a person asked for, and that person.
//
// Whether they may still release counts until anything of it is attempted: a
// right that was taken away before stops the work, and the release is undone,
// audited and told of, so that somebody who may asks for it anew. What has
// begun was begun with the right of its day and under an approval that stands;
// it goes on, because half a plan in the maintenance system is what nobody has
// decided. Each decision about a stop is checked by itself.
func wanted(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan) (db.Release, db.Actor, error) {
	r, err := q.LockRelease(ctx, tx, p.TenantID, p.ID)
	switch {
	case err == nil && r.State == ReleaseUndone && p.ReleaseRequestedBy == nil:
		return r, db.Actor{}, nil // an attempt before this one found that it must end
	case p.State != PlanApproved || p.ReleaseRequestedBy == nil:
		return db.Release{}, db.Actor{}, fault.New(fault.Conflict, KeyNotApproved)
	}
	if errors.Is(err, pgx.ErrNoRows) || err == nil && r.State == ReleaseUndone {
		if _, err := db.StartRelease(ctx, tx, p, *p.ReleaseRequestedBy, nil); err != nil {
			return r, db.Actor{}, err
		}
		r, err = q.LockRelease(ctx, tx, p.TenantID, p.ID)
	}
	if err != nil {
		return r, db.Actor{}, fmt.Errorf("lock release: %w", err)
	}
	by, err := person(ctx, tx, q, p.TenantID, *p.ReleaseRequestedBy)
	if err != nil {
		return r, db.Actor{}, err
	}
	begun, err := q.ReleaseBegun(ctx, tx, p.TenantID, r.ID)
	if err != nil {
		return r, db.Actor{}, fmt.Errorf("look for attempts: %w", err)
	}
	if r.State == ReleaseRunning && !begun && !by.Can(access.ReleasePlan) {
		err = endUndone(ctx, tx, q, p, r, lineNotice{Reason: KeyRequesterLost})
		r.State = ReleaseUndone
	}
	return r, db.ActorOf(by), err
}

// addLines notes the lines of a release that are not noted yet.
func addLines(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan, r db.Release) error {
	days, err := db.TenantCalendar(ctx, tx, p.TenantID)
	if err != nil {
		return err
	}
	jobs, err := q.ListJobsToRelease(ctx, tx, p.TenantID, p.ID)
	if err != nil {
		return fmt.Errorf("list jobs: %w", err)
	}
	for i, j := range jobs {
		start, end := release.Span(*j.StartOn, *j.EndOn, days.Location())
		err := q.AddReleaseLine(ctx, tx, db.AddReleaseLineParams{TenantID: p.TenantID, ReleaseID: r.ID, Line: int32(i + 1), RecommendationID: j.ID,
			AssetID: j.AssetID, Action: release.None, IdempotencyKey: release.Key(j.ID), PlannedStart: start, PlannedEnd: end})
		if err != nil {
			return fmt.Errorf("add line %d: %w", i+1, err)
		}
	}
	return nil
}

// read lists what is left to do.
func (s *ReleaseScope) read(ctx context.Context, tx pgx.Tx, q *db.Queries, r db.Release) error {
	lines, err := q.ListReleaseLines(ctx, tx, r.TenantID, r.ID)
	if err != nil {
		return fmt.Errorf("list lines: %w", err)
	}
	if s.Clear, err = q.ListLinesToClear(ctx, tx, r.TenantID, r.ID); err != nil {
		return fmt.Errorf("list lines to clear: %w", err)
	}
	if s.Clear == nil {
		s.Clear = []int32{}
	}
	s.Todo, s.Undo = nil, nil
	for i := range lines {
		if l := lines[i]; l.State == lineWaiting || l.State == lineWriting || l.State == lineFailed {
			s.Todo = append(s.Todo, l.Line)
		}
		if l := lines[len(lines)-1-i]; l.State != lineUndone && l.State != lineUndoFailed {
			s.Undo = append(s.Undo, l.Line)
		}
	}
	return nil
}

// CreateWorkOrders releases an approved plan to the product alone, in one
// transaction: one work order per recommendation to act, numbered without gaps,
// each given to the technician of its skill with the fewest open hours.
//
// Older released plans of the tenant become superseded. Of their work orders
// only those that nobody has begun and whose asset gets a new one are
// cancelled; work on other assets stays open, because the new plan says
// nothing about it.
//
// A plan that was released before is left alone, so a repeated call creates
// nothing twice; the unique recommendation of a work order has the last word.
func (a *Release) CreateWorkOrders(ctx context.Context, ref PlanRef) (WorkOrdersResult, error) {
	var result WorkOrdersResult
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p, err := q.LockPlan(ctx, tx, ref.TenantID, ref.PlanID)
		if err != nil {
			return err
		}
		result.State = ReleaseDone
		if p.ReleasedAt != nil {
			return nil
		}
		r, actor, err := wanted(ctx, tx, q, p)
		if err != nil {
			return err
		}
		if r.State == ReleaseUndone {
			result.State = r.State
			return nil
		}
		if err := addLines(ctx, tx, q, p, r); err != nil {
			return err
		}
		assets, err := writeWorkOrders(ctx, tx, q, p, r)
		if err != nil {
			return err
		}
		result.Created = len(assets)
		result.Cancelled, err = conclude(ctx, tx, q, p, r, actor, assets)
		return err
	})
	if err != nil {
		return WorkOrdersResult{}, fmt.Errorf("create work orders: %w", err)
	}
	return result, nil
}

// writeWorkOrders creates the work orders of a plan and returns their assets.
func writeWorkOrders(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan, r db.Release) ([]uuid.UUID, error) {
	lines, err := q.ListReleaseLines(ctx, tx, p.TenantID, r.ID)
	if err != nil {
		return nil, fmt.Errorf("list lines: %w", err)
	}
	orders, err := newOrderBook(ctx, tx, q, p.TenantID)
	if err != nil {
		return nil, err
	}
	assets := make([]uuid.UUID, 0, len(lines))
	for _, l := range lines {
		line, err := q.LockReleaseLine(ctx, tx, p.TenantID, r.ID, l.Line)
		if err != nil {
			return nil, fmt.Errorf("load line %d: %w", l.Line, err)
		}
		if err := orders.put(ctx, tx, q, p.ID, line, twin{}); err != nil {
			return nil, err
		}
		if err := q.FinishReleaseLine(ctx, tx, db.FinishReleaseLineParams{TenantID: p.TenantID, ReleaseID: r.ID, Line: l.Line}); err != nil {
			return nil, fmt.Errorf("finish line %d: %w", l.Line, err)
		}
		assets = append(assets, l.AssetID)
	}
	return assets, nil
}

// orderBook hands out numbers and technicians within one transaction.
type orderBook struct {
	number      int64
	technicians []db.ListTechnicianLoadsRow
}

func newOrderBook(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (*orderBook, error) {
	if err := q.LockWorkOrderNumbers(ctx, tx, tenant); err != nil {
		return nil, fmt.Errorf("lock numbers: %w", err)
	}
	number, err := q.LastWorkOrderNumber(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("read last number: %w", err)
	}
	technicians, err := q.ListTechnicianLoads(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("list technicians: %w", err)
	}
	return &orderBook{number: number, technicians: technicians}, nil
}

// twin is the order in the maintenance system behind a work order; its zero
// value is none.
type twin struct {
	integration        *uuid.UUID
	id, state, version string
}

// put writes the work order of a line, or opens the one that an undone release
// has cancelled.
func (b *orderBook) put(ctx context.Context, tx pgx.Tx, q *db.Queries, plan uuid.UUID, l db.LockReleaseLineRow, t twin) error {
	line := l.ReleaseLine
	_, err := q.PutWorkOrder(ctx, tx, db.PutWorkOrderParams{
		TenantID: line.TenantID, Number: b.number + 1, PlanID: plan, RecommendationID: line.RecommendationID, AssetID: line.AssetID,
		TitleAr: fmt.Sprintf("صيانة مخططة: %s (%s)", l.NameAr, l.Tag), TitleEn: plannedTitle(l),
		StartOn: *l.StartOn, DueOn: *l.EndOn, TechnicianID: assign(b.technicians, l.SkillCode, l.CrewHours), CrewHours: l.CrewHours,
		IntegrationID: t.integration, ExternalID: t.id, ExternalState: t.state, ExternalVersion: t.version,
	})
	if err != nil {
		return fmt.Errorf("put work order for %s: %w", l.Tag, err)
	}
	b.number, err = q.LastWorkOrderNumber(ctx, tx, line.TenantID)
	if err != nil {
		return fmt.Errorf("read last number: %w", err)
	}
	return nil
}

func plannedTitle(l db.LockReleaseLineRow) string {
	return fmt.Sprintf("Planned maintenance: %s (%s)", l.NameEn, l.Tag)
}

// assign picks the technician of a skill with the least load and adds the job
// to it; nil when nobody has the skill.
func assign(technicians []db.ListTechnicianLoadsRow, skill string, hours float64) *uuid.UUID {
	var pick *db.ListTechnicianLoadsRow
	for i := range technicians {
		t := &technicians[i]
		if t.SkillCode == skill && (pick == nil || t.Hours < pick.Hours) {
			pick = t
		}
	}
	if pick == nil {
		return nil
	}
	pick.Hours += hours
	return &pick.ID
}
