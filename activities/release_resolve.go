package activities

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// What a person may decide about a release that is stuck.
const (
	ResolveRetry = "retry" // try the line again
	ResolveSkip  = "skip"  // leave the line out, for a reason
	ResolveUndo  = "undo"  // take everything back, for a reason
)

// maxReason is the longest reason that a line keeps, in runes.
const maxReason = 500

// KeyBadResolution refuses a decision about a stuck release that is none.
const KeyBadResolution = "releases.bad_resolution"

// Resolution is a person's decision about a release that is stuck. Request
// comes from the form, so that a repeated one finds its own entry.
type Resolution struct {
	PlanRef
	Request string
	ActorID uuid.UUID
	Choice  string
	Reason  string
}

// Valid reports whether a decision can be taken at all.
func (r Resolution) Valid() bool {
	known := r.Choice == ResolveRetry || r.Choice == ResolveSkip || r.Choice == ResolveUndo
	return known && r.ActorID != uuid.Nil && r.Request != "" && (r.Reason != "" || r.Choice == ResolveRetry) && utf8.RuneCountInString(r.Reason) <= maxReason
}

// ResolveRelease records what a person decided about a stuck release and says
// what is left to do. The actor's roles are read from the rows.
func (a *Release) ResolveRelease(ctx context.Context, in Resolution) (ReleaseScope, error) {
	var scope ReleaseScope
	if !in.Valid() {
		return scope, fault.New(fault.Invalid, KeyBadResolution)
	}
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		r, err := q.LockRelease(ctx, tx, in.TenantID, in.PlanID)
		if err != nil {
			return err
		}
		before, err := q.FindReleaseRequest(ctx, tx, in.TenantID, r.ID, in.Request)
		if err != nil {
			return err
		}
		if !before {
			if r, err = resolve(ctx, tx, q, r, in); err != nil {
				return err
			}
		}
		scope.ReleaseID, scope.State = r.ID, r.State
		return scope.read(ctx, tx, q, r)
	})
	if err != nil {
		return scope, fmt.Errorf("resolve release: %w", err)
	}
	return scope, nil
}

// resolve applies a decision that is new, and writes its audit entry.
func resolve(ctx context.Context, tx pgx.Tx, q *db.Queries, r db.Release, in Resolution) (db.Release, error) {
	if r.State != ReleaseStuck {
		return r, fault.New(fault.Conflict, KeyReleaseNotStuck)
	}
	actor, err := permitted(ctx, tx, q, in.TenantID, in.ActorID, access.ReleasePlan)
	if err != nil {
		return r, err
	}
	lines, err := q.ListReleaseLines(ctx, tx, in.TenantID, r.ID)
	if err != nil {
		return r, err
	}
	next, lineState := ReleaseRunning, lineWaiting
	switch in.Choice {
	case ResolveSkip:
		lineState = lineSkipped
	case ResolveUndo:
		next, lineState = ReleaseUndoing, lineFailed
	}
	var failed *int32
	for _, l := range lines {
		if l.State != lineFailed {
			continue
		}
		failed = &l.Line
		if lineState == lineFailed {
			continue // its fault stays to be read; the undoing deals with the line
		}
		err := q.SetReleaseLine(ctx, tx, db.SetReleaseLineParams{TenantID: in.TenantID, ReleaseID: r.ID, Line: l.Line, State: lineState,
			Reason: in.Reason, ErrorDetail: []byte(`{}`)})
		if err != nil {
			return r, err
		}
	}
	if err := advance(ctx, tx, q, r, next); err != nil {
		return r, err
	}
	event := releaseEvent{kind: in.Choice, line: failed, actor: &in.ActorID, detail: map[string]any{"request": in.Request, "reason": in.Reason}}
	if err := note(ctx, tx, q, r, event); err != nil {
		return r, err
	}
	if _, err := settleAlerts(ctx, tx, q, in.TenantID, time.Now().UTC(), stuck(r, 0, false)); err != nil {
		return r, err
	}
	before := r.State
	r.State = next
	return r, db.AppendAudit(ctx, tx, db.Entry{
		TenantID: in.TenantID, Actor: actor, Action: "release." + in.Choice, ObjectType: "plan", ObjectID: in.PlanID.String(),
		Before: map[string]any{"state": before}, After: map[string]any{"state": next, "line": failed, "reason": in.Reason, "release": r.ID},
	})
}
