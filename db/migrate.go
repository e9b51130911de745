package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// historyTable records which migrations were applied; it belongs to the owner.
const historyTable = "public.schema_migrations"

// Migrations returns the embedded migration files, for tools that read them.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is compiled in; only a wrong constant can fail
	}
	return sub
}

// Migrate applies every pending migration as optria_owner and returns how many
// it applied. An advisory lock makes simultaneous starters wait for the first,
// so url must lead to the server itself and not to a transaction pooler.
func Migrate(ctx context.Context, url string) (int, error) {
	provider, err := migrationProvider(ctx, url)
	if err != nil {
		return 0, err
	}
	defer provider.Close()
	applied, err := provider.Up(ctx)
	if err != nil {
		return len(applied), fmt.Errorf("apply migrations: %w", err)
	}
	return len(applied), nil
}

// Prepare makes an empty or older database ready for use: Bootstrap, then
// Migrate. It suits development stacks and test templates; in production the
// two are separate steps of an operator.
func Prepare(ctx context.Context, url string) error {
	if err := Bootstrap(ctx, url); err != nil {
		return err
	}
	_, err := Migrate(ctx, url)
	return err
}

// Pending reports whether migrations of this program wait to be applied; a
// process is ready to serve only when none does. A newer database is fine:
// migrations only add.
func (d *DB) Pending(ctx context.Context) (bool, error) {
	newest, err := newestMigration()
	if err != nil {
		return false, err
	}
	var applied int64
	err = d.run(ctx, d.platform, roleOwner, "", pgx.TxOptions{}, func(ctx context.Context, tx pgx.Tx, _ *Queries) error {
		return tx.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM `+historyTable+` WHERE is_applied`).Scan(&applied)
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42P01" { // no history yet
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read migration history: %w", err)
	}
	return applied < newest, nil
}

// newestMigration returns the highest version that is compiled in.
func newestMigration() (int64, error) {
	names, err := fs.Glob(Migrations(), "*.sql")
	if err != nil {
		return 0, fmt.Errorf("list migrations: %w", err)
	}
	var newest int64
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", name, err)
		}
		newest = max(newest, version)
	}
	return newest, nil
}

func migrationProvider(ctx context.Context, url string) (*goose.Provider, error) {
	cc, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse database url: %w", err)
	}
	asOwner := stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `SET ROLE `+roleOwner)
		return err
	})
	conns := stdlib.OpenDB(*cc, asOwner)
	if err := conns.PingContext(ctx); err != nil {
		return nil, closing(conns, fmt.Errorf("connect for migrations: %w", Fault(err)))
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return nil, closing(conns, fmt.Errorf("prepare migration lock: %w", err))
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, conns, Migrations(),
		goose.WithTableName(historyTable),
		goose.WithSessionLocker(locker),
		goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, closing(conns, fmt.Errorf("read migrations: %w", err))
	}
	return provider, nil
}

// closing releases conns on the way out of a failed construction; err is the
// one worth reporting.
func closing(conns *sql.DB, err error) error {
	_ = conns.Close()
	return err
}
