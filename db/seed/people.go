package seed

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/fault"
)

// addPeople creates accounts that do not exist yet and lists them in the
// login directory.
func addPeople(ctx context.Context, d *db.DB, tenant uuid.UUID, people []demo.Person, hash string) error {
	for _, p := range people {
		if err := addPerson(ctx, d, tenant, p, hash); err != nil {
			return fmt.Errorf("add %s: %w", p.Email, err)
		}
		err := d.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			_, err := q.AddLogin(ctx, tx, db.AddLoginParams{Email: p.Email, TenantID: tenant, UserID: p.ID, IsHome: true})
			return err
		})
		if err != nil {
			return fmt.Errorf("list %s: %w", p.Email, err)
		}
	}
	return nil
}

func addPerson(ctx context.Context, d *db.DB, tenant uuid.UUID, p demo.Person, hash string) error {
	return d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.GetUser(ctx, tx, tenant, p.ID); fault.CodeOf(db.Fault(err)) != fault.NotFound {
			return err
		}
		name, _, _ := strings.Cut(p.Email, "@")
		_, err := q.CreateUser(ctx, tx, db.CreateUserParams{TenantID: tenant, ID: p.ID, Email: p.Email, Username: name,
			NameAr: p.Name.AR, NameEn: p.Name.EN, PasswordHash: &hash, Roles: []string{p.Role}, Language: "ar"})
		return err
	})
}

// addServiceAccounts creates identities without a password; they act with API
// tokens only.
func addServiceAccounts(ctx context.Context, tx pgx.Tx, q *db.Queries, t *demo.Tenant) error {
	for _, a := range t.ServiceAccounts {
		if _, err := q.GetUser(ctx, tx, t.ID, a.ID); err == nil {
			continue
		} else if fault.CodeOf(db.Fault(err)) != fault.NotFound {
			return err
		}
		_, err := q.CreateUser(ctx, tx, db.CreateUserParams{TenantID: t.ID, ID: a.ID, Email: a.Code + "@" + t.Domain, Username: a.Code,
			NameAr: a.Code, NameEn: a.Code, Roles: []string{string(access.ServiceAccount)}, Language: "en"})
		if err != nil {
			return fmt.Errorf("add %s: %w", a.Code, err)
		}
	}
	return nil
}
