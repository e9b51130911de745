package web

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
)

// people are the users and service accounts of a tenant, also former ones.
type people map[uuid.UUID]db.ListUsersRow

func loadPeople(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (people, error) {
	users, err := q.ListUsers(ctx, tx, tenant, true)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	out := make(people, len(users))
	for _, u := range users {
		out[u.ID] = u
	}
	return out, nil
}

// name is what the page calls somebody.
func (m people) name(p Page, id uuid.UUID) string {
	u, known := m[id]
	if !known {
		return p.T("history.someone")
	}
	return localName(p.Lang, u.NameAr, u.NameEn)
}

// actor is what the page calls whoever an entry of the audit log names.
func (m people) actor(p Page, x db.AuditLog) string {
	if x.ActorID == nil {
		return p.T("audit.actor." + x.ActorKind)
	}
	return m.name(p, *x.ActorID)
}
