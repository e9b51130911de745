package api

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/i18n"
)

// nameBook finds the name of whatever a plan refers to, by id or by code, in
// one language. Assets go by their tag.
type nameBook map[string]string

// of names a reference. One may carry its kind in front, as in
// "skill:rotating"; one without a name stands for itself.
func (b nameBook) of(ref string) string {
	if name, ok := b[ref]; ok {
		return name
	}
	for _, part := range strings.FieldsFunc(ref, func(r rune) bool { return r == ':' || r == '/' || r == '@' }) {
		if name, ok := b[part]; ok {
			return name
		}
	}
	return ref
}

// named reads one scenario with the names of what it refers to.
func (a *API) named(ctx context.Context, who access.Principal, id uuid.UUID) (stored, nameBook, error) {
	var x stored
	names := nameBook{}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if x, err = load(ctx, tx, q, who, id); err != nil {
			return err
		}
		rows, err := q.PlanNames(ctx, tx, who.TenantID)
		for _, r := range rows {
			name := r.NameEn
			if localizer(ctx).Lang == i18n.Arabic {
				name = r.NameAr
			}
			names[r.Ref] = name
		}
		return err
	})
	return x, names, err
}
