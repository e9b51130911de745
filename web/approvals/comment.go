package approvals

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// KeyNoComment is the message key of a comment without words.
const KeyNoComment = "plans.error.empty_comment"

// Comment is what a person says of a scenario or of one of its
// recommendations. Plan is the plan on whose page it was said, if any.
type Comment struct {
	Scenario             uuid.UUID
	Recommendation, Plan *uuid.UUID
	Body                 string
}

// Record stores the comment and returns its id.
func (c Comment) Record(ctx context.Context, a Act) (uuid.UUID, error) {
	c.Body = strings.TrimSpace(c.Body)
	switch {
	case c.Body == "":
		return uuid.Nil, fault.New(fault.Invalid, KeyNoComment)
	case utf8.RuneCountInString(c.Body) > MaxNote:
		return uuid.Nil, fault.New(fault.Invalid, KeyLong)
	}
	id, err := a.Q.AddPlanComment(ctx, a.Tx, db.AddPlanCommentParams{TenantID: a.Origin.Tenant, ScenarioID: c.Scenario, RecommendationID: c.Recommendation,
		PlanID: c.Plan, AuthorID: a.Who.UserID, Body: c.Body})
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, fault.Wrap(fault.Invalid, KeyNotALine, err)
	}
	if err != nil {
		return uuid.Nil, err
	}
	return id, a.Origin.Audit(ctx, a.Tx, db.Entry{Action: "plan.commented", ObjectType: "scenario", ObjectID: c.Scenario.String(),
		After: map[string]any{"comment": id, "recommendation": c.Recommendation, "plan": c.Plan, "body": c.Body}})
}
