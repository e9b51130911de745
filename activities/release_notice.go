package activities

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// Message keys of the faults of releases.
const (
	KeyReleaseOpen     = "releases.open"      // the release is not in the state that the step needs
	KeyReleaseNotStuck = "releases.not_stuck" // nothing waits for a decision
	KeyRequesterLost   = "releases.requester" // who asked for it may not release any more
)

// AlertReleaseStuck is the kind of the alert of a release that waits for a
// person.
const AlertReleaseStuck = "release_stuck"

// lineNotice is what an announcement says of lines.
type lineNotice struct {
	Line       int32          `json:"line,omitempty"`
	Tag        string         `json:"tag,omitempty"`
	Key        string         `json:"idempotency_key,omitempty"`
	Reason     string         `json:"reason,omitempty"`
	ReasonArgs map[string]any `json:"reason_args,omitempty"` // what the message of the reason speaks of
	Written    int            `json:"written"`
	Failed     int            `json:"undo_failed,omitempty"`
	Attempt    int32          `json:"attempt,omitempty"`
	Stop       int64          `json:"stop,omitempty"` // which stop of the release it is, from 1
}

// releaseNotice is what an announcement about a release carries.
type releaseNotice struct {
	PlanID    uuid.UUID `json:"plan_id"`
	ReleaseID uuid.UUID `json:"release_id"`
	Title     string    `json:"title"`
	Name      string    `json:"name,omitempty"` // of the maintenance system
	Version   int32     `json:"version"`
	lineNotice
}

// announceRelease tells those who may release plans and who asked for it.
func announceRelease(ctx context.Context, tx pgx.Tx, q *db.Queries, p db.Plan, r db.Release, kind string, lines lineNotice) error {
	o, err := q.OverviewRelease(ctx, tx, r.TenantID, r.ID)
	if err != nil {
		return fmt.Errorf("sum release up: %w", err)
	}
	to, err := db.Holders(ctx, tx, r.TenantID, access.ReleasePlan)
	if err != nil {
		return err
	}
	if !slices.Contains(to, r.RequestedBy) {
		to = append(to, r.RequestedBy)
	}
	return db.Announce(ctx, tx, db.Announcement{
		TenantID: r.TenantID, Kind: kind, ObjectType: "plan", ObjectID: p.ID, To: to,
		Key:     fmt.Sprintf("%s/%s/%d/%d", kind, r.ID, r.RequestedAt.UnixMicro(), lines.Stop),
		Payload: releaseNotice{PlanID: p.ID, ReleaseID: r.ID, Title: o.Title, Name: o.SystemName, Version: p.Version, lineNotice: lines},
	})
}

// stuck is the alert of a release that waits for a person.
func stuck(r db.Release, line int32, holds bool) alert {
	return alert{kind: AlertReleaseStuck, about: r.PlanID, holds: holds, severity: 4,
		detail: map[string]any{"plan_id": r.PlanID, "release_id": r.ID, "line": line}}
}
