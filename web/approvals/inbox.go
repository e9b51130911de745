package approvals

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// Inbox says what of the plans of a tenant a person may act on.
type Inbox struct {
	Tenant, Me                   uuid.UUID
	Approves, Endorses, Releases bool
	StandsInFor                  []uuid.UUID // in whose place they decide now
}

// InboxOf reads the capabilities and delegations of somebody.
func InboxOf(ctx context.Context, tx pgx.Tx, who access.Principal) (Inbox, error) {
	b := Inbox{Tenant: who.TenantID, Me: who.UserID, Approves: who.Can(access.ApprovePlan), Endorses: who.Can(access.EndorsePlan),
		Releases: who.Can(access.ReleasePlan), StandsInFor: []uuid.UUID{}}
	if b.Approves || !who.Can(access.CommentPlans) {
		return b, nil
	}
	var err error
	b.StandsInFor, err = db.StandsInFor(ctx, tx, who.TenantID, who.UserID)
	return b, err
}

// Any reports whether anything can ever wait for the person.
func (b Inbox) Any() bool { return b.Approves || b.Endorses || b.Releases || len(b.StandsInFor) > 0 }

// Page asks for one page of plans, of those that wait or of all.
func (b Inbox) Page(state string, waiting bool, size, skip int32) db.PlanPageParams {
	return db.PlanPageParams{TenantID: b.Tenant, State: state, Waiting: waiting, Me: b.Me, Approves: b.Approves, StandsInFor: b.StandsInFor,
		Endorses: b.Endorses, Releases: b.Releases, PageSize: size, Skip: skip}
}

// Count asks how many plans wait.
func (b Inbox) Count() db.CountPlansWaitingParams {
	return db.CountPlansWaitingParams{TenantID: b.Tenant, Me: b.Me, Approves: b.Approves, StandsInFor: b.StandsInFor, Endorses: b.Endorses, Releases: b.Releases}
}
