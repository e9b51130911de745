package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/optria-iq/optria/internal/fault"
)

// The three roles. Every object belongs to optria_owner; nobody logs in as one
// of them: sessions take them on with SET ROLE.
const (
	roleOwner    = "optria_owner"
	roleApp      = "optria_app"
	rolePlatform = "optria_platform"
)

// Work is a unit of work inside one transaction. The transaction commits when
// it returns nil and rolls back otherwise. The context must be passed on.
type Work func(ctx context.Context, tx pgx.Tx, q *Queries) error

// enterSQL takes on a role and names the tenant for this transaction only.
// The timeouts travel here because poolers refuse them as start-up parameters.
const enterSQL = `SELECT set_config('app.tenant_id', $2, true),
	set_config('statement_timeout', $3, true),
	set_config('lock_timeout', '5s', true),
	set_config('idle_in_transaction_session_timeout', '30s', true),
	set_config('role', $1, true)`

// InTenant runs work in a transaction that sees and writes the rows of one
// tenant only. BEGIN and the settings share one round trip. A nil tenant is
// refused. When the connection turns out to be dead before work has started,
// one new connection is tried; work itself never runs twice.
func (d *DB) InTenant(ctx context.Context, tenant uuid.UUID, work Work) error {
	if tenant == uuid.Nil {
		return fault.New(fault.Forbidden, "db.no_tenant")
	}
	return d.run(ctx, d.tenants, roleApp, tenant.String(), pgx.TxOptions{}, work)
}

// InTenantAsOf is InTenant for work that only reads and whose every query must
// see the same moment.
func (d *DB) InTenantAsOf(ctx context.Context, tenant uuid.UUID, work Work) error {
	if tenant == uuid.Nil {
		return fault.New(fault.Forbidden, "db.no_tenant")
	}
	return d.run(ctx, d.tenants, roleApp, tenant.String(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, work)
}

// Platform runs work in a transaction on platform metadata: tenants, the login
// directory, sessions and demo requests. Business tables are closed to it.
func (d *DB) Platform(ctx context.Context, work Work) error {
	return d.run(ctx, d.platform, rolePlatform, "", pgx.TxOptions{}, work)
}

func (d *DB) run(ctx context.Context, pool *pgxpool.Pool, role, tenant string, options pgx.TxOptions, work Work) error {
	tx, err := begin(ctx, pool, role, tenant, d.timeout, options)
	if err != nil && deadConnection(err) && ctx.Err() == nil {
		tx, err = begin(ctx, pool, role, tenant, d.timeout, options)
	}
	if err != nil {
		return fmt.Errorf("begin transaction: %w", Fault(err))
	}
	defer tx.rollback(ctx)
	if err := work(ctx, tx, d.queries); err != nil {
		return Fault(err)
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit transaction: %w", Fault(err))
	}
	return nil
}

// pooledTx is a transaction that owns its pool connection.
type pooledTx struct {
	pgx.Tx
	conn *pgxpool.Conn
}

func begin(ctx context.Context, pool *pgxpool.Pool, role, tenant, timeout string, options pgx.TxOptions) (*pooledTx, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	batch.BeginTx(options)
	batch.Queue(enterSQL, role, tenant, timeout)
	results := conn.SendBatch(ctx, batch)
	tx := results.Tx()
	if err := results.Close(); err != nil {
		conn.Release()
		return nil, err
	}
	return &pooledTx{Tx: tx, conn: conn}, nil
}

// rollback ends the transaction if it is still open and gives the connection
// back; the pool discards connections that are not idle. A rollback error needs
// no report: the server rolls back whatever was not committed.
func (t *pooledTx) rollback(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	_ = t.Tx.Rollback(ctx)
	t.conn.Release()
}

// deadConnection reports errors of a beginning transaction after which a fresh
// connection may succeed. Nothing has been done yet, so trying again is safe.
func deadConnection(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "57P01" || pg.Code == "57P03" // shutting down, starting up
	}
	return brokenConnection(err)
}

// asOwner runs work on a connection of its own as the owner of all objects and
// outside any transaction: maintenance of partitions by an operator. The
// connection ends with it and never returns to a pool.
func (d *DB) asOwner(ctx context.Context, work func(ctx context.Context, conn *pgx.Conn) error) error {
	pooled, err := d.platform.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect as owner: %w", Fault(err))
	}
	conn := pooled.Hijack()
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `SET ROLE `+roleOwner); err != nil {
		return fmt.Errorf("become owner: %w", Fault(err))
	}
	return Fault(work(ctx, conn))
}
