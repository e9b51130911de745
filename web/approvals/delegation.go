package approvals

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// MaxDelegation is how long one delegation may last.
const MaxDelegation = 90 * 24 * time.Hour

// Mistakes are what is wrong with a form, as message keys by field.
type Mistakes map[string]string

// Error is the text for logs.
func (m Mistakes) Error() string {
	return fmt.Sprintf("form breaks the rules: %v", map[string]string(m))
}

// Delegation lets a person approve and return plans in place of another from
// one moment until another.
type Delegation struct {
	From, To     uuid.UUID
	Starts, Ends time.Time
	Reason       string
}

// Record stores the delegation and returns its id. People who approve give
// their own approvals away; those of others takes the capability to manage
// governance. What breaks the rules comes back as Mistakes.
func (d Delegation) Record(ctx context.Context, a Act) (uuid.UUID, error) {
	if !mayDelegate(a.Who, d.From) {
		return uuid.Nil, fault.New(fault.Forbidden, "delegations.not_allowed")
	}
	d.Reason = strings.TrimSpace(d.Reason)
	people, err := a.Q.ListPeople(ctx, a.Tx, a.Origin.Tenant)
	if err != nil {
		return uuid.Nil, err
	}
	if wrong := d.check(people, time.Now()); len(wrong) > 0 {
		return uuid.Nil, wrong
	}
	id, err := a.Q.AddDelegation(ctx, a.Tx, db.AddDelegationParams{TenantID: a.Origin.Tenant, FromUser: d.From, ToUser: d.To, StartsAt: d.Starts, EndsAt: d.Ends,
		Reason: d.Reason, CreatedBy: a.Who.UserID})
	if err != nil {
		return uuid.Nil, err
	}
	return id, a.Origin.Audit(ctx, a.Tx, db.Entry{Action: "delegation.created", ObjectType: "delegation", ObjectID: id.String(), After: map[string]any{
		"from": d.From, "to": d.To, "starts_at": d.Starts.UTC().Format(time.RFC3339), "ends_at": d.Ends.UTC().Format(time.RFC3339), "reason": d.Reason}})
}

// check names what is wrong with a delegation by its field.
func (d Delegation) check(people []db.ListPeopleRow, now time.Time) Mistakes {
	wrong := Mistakes{}
	holds := func(id uuid.UUID, c access.Capability) bool {
		return slices.ContainsFunc(people, func(x db.ListPeopleRow) bool { return x.ID == id && access.AnyAllows(x.Roles, c) })
	}
	if !holds(d.From, access.ApprovePlan) {
		wrong["from"] = "delegations.error.from"
	}
	switch {
	case d.To == d.From:
		wrong["to"] = "delegations.error.self"
	case !holds(d.To, access.CommentPlans):
		wrong["to"] = "delegations.error.to"
	}
	switch {
	case !d.Ends.After(d.Starts) || !d.Ends.After(now):
		wrong["ends"] = "delegations.error.ends"
	case d.Ends.Sub(d.Starts) > MaxDelegation:
		wrong["ends"] = "delegations.error.long"
	}
	if utf8.RuneCountInString(d.Reason) > MaxReason {
		wrong["reason"] = KeyLong
	}
	return wrong
}

// Revoke ends a delegation before its time.
func Revoke(ctx context.Context, a Act, id uuid.UUID) error {
	d, err := a.Q.GetDelegation(ctx, a.Tx, a.Origin.Tenant, id)
	if err != nil {
		return err
	}
	if !mayDelegate(a.Who, d.FromUser) {
		return fault.New(fault.Forbidden, "delegations.not_allowed")
	}
	n, err := a.Q.RevokeDelegation(ctx, a.Tx, a.Origin.Tenant, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.Conflict, "delegations.ended")
	}
	return a.Origin.Audit(ctx, a.Tx, db.Entry{Action: "delegation.revoked", ObjectType: "delegation", ObjectID: id.String(),
		Before: map[string]any{"from": d.FromUser, "to": d.ToUser, "ends_at": d.EndsAt.UTC().Format(time.RFC3339)}})
}

// mayDelegate reports whether somebody may give the approvals of a person away.
func mayDelegate(who access.Principal, from uuid.UUID) bool {
	return (who.UserID == from && who.Can(access.ApprovePlan)) || who.Can(access.ManageGovernance)
}
