package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// session is the pool of guarded connections to one database. It connects when
// first used.
type session struct {
	settings Settings
	dialect  dialect
	dialer   *secureDialer
	db       *sql.DB
}

// grace is what a statement gets beyond its limit before the client gives up
// on a server that does not enforce it.
const grace = 2 * time.Second

func openSession(settings Settings, dialer *net.Dialer) (*session, error) {
	s := &session{settings: settings, dialect: dialectOf(settings.Dialect)}
	s.dialer = &secureDialer{Dialer: dialer, clear: settings.TLS == TLSOff}
	raw, err := newDriver(settings, s.dialer, nil)
	if err != nil {
		return nil, fmt.Errorf("prepare the driver: %w", err)
	}
	s.db = sql.OpenDB(guarded{raw, s.dialect.guard(settings.timeout())})
	s.db.SetMaxOpenConns(2)
	s.db.SetMaxIdleConns(1)
	s.db.SetConnMaxIdleTime(time.Minute)
	return s, nil
}

func (s *session) close() error { return s.db.Close() }

// guarded is a driver whose connections are read-only before anyone gets them.
type guarded struct {
	driver.Connector
	statements []string
}

// Connect opens a connection and runs the guard on it.
func (g guarded) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := g.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, text := range g.statements {
		if err := execute(ctx, conn, text); err != nil {
			return nil, errors.Join(fmt.Errorf("guard the session: %w", err), conn.Close())
		}
	}
	return conn, nil
}

// execute runs a statement without arguments on a raw connection.
func execute(ctx context.Context, conn driver.Conn, text string) error {
	if direct, ok := conn.(driver.ExecerContext); ok {
		if _, err := direct.ExecContext(ctx, text, nil); !errors.Is(err, driver.ErrSkip) {
			return err
		}
	}
	preparer, ok := conn.(driver.ConnPrepareContext)
	if !ok {
		return errors.New("the driver runs no statement with a deadline")
	}
	prepared, err := preparer.PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	runner, ok := prepared.(driver.StmtExecContext)
	if !ok {
		return errors.Join(errors.New("the driver runs no statement with a deadline"), prepared.Close())
	}
	_, err = runner.ExecContext(ctx, nil)
	return errors.Join(err, prepared.Close())
}

// read runs one SELECT in a transaction of its own that cannot write, and
// hands over row by row. types gets the database types of the columns first.
// Whatever the server sends beyond most rows is refused.
func (s *session) read(ctx context.Context, st *statement, most int, types func([]string) error, row func([]any) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.settings.timeout()+grace)
	defer cancel()
	err := s.inTransaction(ctx, func(q querier) error {
		return scanRows(ctx, q, st, most, types, row)
	})
	return s.wordFailure(ctx, err)
}

// columns returns the names and database types of the columns of a SELECT.
func (s *session) columns(ctx context.Context, st *statement) (names, types []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.settings.timeout()+grace)
	defer cancel()
	err = s.inTransaction(ctx, func(q querier) error {
		rows, err := q.QueryContext(ctx, st.text.String(), st.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		described, err := rows.ColumnTypes()
		if err != nil {
			return err
		}
		for _, column := range described {
			names, types = append(names, column.Name()), append(types, column.DatabaseTypeName())
		}
		return rows.Err()
	})
	return names, types, s.wordFailure(ctx, err)
}

// querier is a transaction, or a connection where there is none.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *session) inTransaction(ctx context.Context, run func(querier) error) error {
	if !s.dialect.readOnly && s.dialect.begin == "" {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		return errors.Join(run(conn), conn.Close())
	}
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: s.dialect.readOnly})
	if err != nil {
		return err
	}
	if s.dialect.begin != "" {
		if _, err := tx.ExecContext(ctx, s.dialect.begin); err != nil {
			return errors.Join(err, rollback(tx))
		}
	}
	return errors.Join(run(tx), rollback(tx))
}

// rollback ends a transaction that changed nothing. A connection that is gone
// has ended it already.
func rollback(tx *sql.Tx) error {
	err := tx.Rollback()
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, driver.ErrBadConn) || isEnd(err) {
		return nil
	}
	return err
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// scanRows reads the result of a SELECT.
func scanRows(ctx context.Context, q querier, st *statement, most int, types func([]string) error, row func([]any) error) error {
	rows, err := q.QueryContext(ctx, st.text.String(), st.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	described, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	values, targets, names := make([]any, len(described)), make([]any, len(described)), make([]string, len(described))
	for i, column := range described {
		targets[i], names[i] = &values[i], column.DatabaseTypeName()
	}
	if types != nil {
		if err := types(names); err != nil {
			return err
		}
	}
	for n := 0; rows.Next(); n++ {
		if n == most {
			return connector.Failed(connector.KeyTooLarge, fmt.Errorf("more than %d rows", most))
		}
		if err := rows.Scan(targets...); err != nil {
			return fmt.Errorf("read a row: %w", err)
		}
		if err := row(values); err != nil {
			return err
		}
	}
	return rows.Err()
}
