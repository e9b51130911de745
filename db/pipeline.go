package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Pipeline collects generated statements that give no rows, so that many of
// them take one round trip: pass it in place of a transaction, then Send it.
// What a collected call returns says nothing yet. The zero value is empty.
type Pipeline struct{ batch pgx.Batch }

var errPipelined = errors.New("a pipelined statement gives no rows")

// Exec collects a statement.
func (p *Pipeline) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	p.batch.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

// Query fails: rows cannot be read before the statements are sent.
func (*Pipeline) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errPipelined
}

// QueryRow fails as Query does, when the row is read.
func (*Pipeline) QueryRow(context.Context, string, ...any) pgx.Row { return refusedRow{} }

type refusedRow struct{}

func (refusedRow) Scan(...any) error { return errPipelined }

// Send runs the collected statements in their order in tx and returns how many
// rows each of them touched. The first that fails ends it.
func (p *Pipeline) Send(ctx context.Context, tx pgx.Tx) ([]int64, error) {
	touched := make([]int64, 0, p.batch.Len())
	if p.batch.Len() == 0 {
		return touched, nil
	}
	results := tx.SendBatch(ctx, &p.batch)
	for range p.batch.Len() {
		tag, err := results.Exec()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("statement %d: %w", len(touched)+1, err), results.Close())
		}
		touched = append(touched, tag.RowsAffected())
	}
	if err := results.Close(); err != nil {
		return nil, fmt.Errorf("end of statements: %w", err)
	}
	return touched, nil
}
