package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Bootstrap ensures the three roles, lets the login role take them on, and
// lets the owner create schemas in this database and its migration table in
// schema public. It may run many times and at once from several processes. The
// login role must be allowed to create roles, unless they exist already and it
// is a member of all three.
func Bootstrap(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect for bootstrap: %w", Fault(err))
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, role := range []string{roleOwner, roleApp, rolePlatform} {
		if err := ensureRole(ctx, conn, role); err != nil {
			return fmt.Errorf("ensure role %s: %w", role, err)
		}
		if err := ensureMembership(ctx, conn, role); err != nil {
			return fmt.Errorf("become member of %s: %w", role, err)
		}
	}
	if err := ensureOwnerRights(ctx, conn); err != nil {
		return fmt.Errorf("grant rights to %s: %w", roleOwner, err)
	}
	return nil
}

func ensureRole(ctx context.Context, conn *pgx.Conn, role string) error {
	return concurrently(ctx, func() error {
		var exists bool
		err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, role).Scan(&exists)
		if err != nil || exists {
			return err
		}
		_, err = conn.Exec(ctx, `CREATE ROLE `+pgx.Identifier{role}.Sanitize()+` NOLOGIN NOINHERIT`)
		return err
	})
}

// ensureMembership grants role to the login role. From PostgreSQL 16 on the
// creator of a role is a member that may not yet SET it, so the stricter
// privilege is asked for there.
func ensureMembership(ctx context.Context, conn *pgx.Conn, role string) error {
	return concurrently(ctx, func() error {
		var member bool
		err := conn.QueryRow(ctx, `SELECT pg_has_role(current_user, $1,
			CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)`, role).Scan(&member)
		if err != nil || member {
			return err
		}
		_, err = conn.Exec(ctx, `GRANT `+pgx.Identifier{role}.Sanitize()+` TO CURRENT_USER`)
		return err
	})
}

func ensureOwnerRights(ctx context.Context, conn *pgx.Conn) error {
	return concurrently(ctx, func() error {
		var database string
		var onDatabase, onPublic bool
		err := conn.QueryRow(ctx, `SELECT current_database(), has_database_privilege($1, current_database(), 'CREATE'),
			has_schema_privilege($1, 'public', 'CREATE')`, roleOwner).Scan(&database, &onDatabase, &onPublic)
		if err != nil {
			return err
		}
		if !onDatabase {
			if _, err := conn.Exec(ctx, `GRANT CREATE ON DATABASE `+pgx.Identifier{database}.Sanitize()+` TO `+roleOwner); err != nil {
				return err
			}
		}
		if onPublic {
			return nil
		}
		_, err = conn.Exec(ctx, `GRANT USAGE, CREATE ON SCHEMA public TO `+roleOwner)
		return err
	})
}

// concurrently repeats a check-then-create step that lost a race against
// another process: the object now exists, or its catalogue row was changed by
// both at once, which PostgreSQL reports without an SQLSTATE of its own.
func concurrently(ctx context.Context, step func() error) error {
	const attempts = 20
	for n := 1; ; n++ {
		err := step()
		var pg *pgconn.PgError
		if err == nil || n == attempts || !errors.As(err, &pg) {
			return err
		}
		lost := pg.Code == "42710" || pg.Code == "23505" || (pg.Code == "XX000" && pg.Message == "tuple concurrently updated")
		if !lost {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(n) * 10 * time.Millisecond):
		}
	}
}
