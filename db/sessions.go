package db

import (
	"context"
	"errors"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/jackc/pgx/v5"
)

// SessionStore keeps browser sessions for scs under optria_platform. Expired
// sessions are never found; they are deleted by DeleteExpiredSessions, which a
// daily job calls, so that no timer keeps an idle database awake.
type SessionStore struct{ db *DB }

var _ scs.CtxStore = (*SessionStore)(nil)

// Sessions returns the session store of the database.
func (d *DB) Sessions() *SessionStore { return &SessionStore{db: d} }

// FindCtx returns the data of a session that has not expired.
func (s *SessionStore) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = s.db.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *Queries) error {
		data, err = q.FindSession(ctx, tx, token)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		found = err == nil
		return err
	})
	return data, found, err
}

// CommitCtx stores or overwrites a session.
func (s *SessionStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	return s.db.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *Queries) error {
		return q.CommitSession(ctx, tx, token, data, expiry)
	})
}

// DeleteCtx removes a session; an unknown token is no error.
func (s *SessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.db.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *Queries) error {
		return q.DeleteSession(ctx, tx, token)
	})
}

// Find is FindCtx without a context, as scs.Store asks for.
func (s *SessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context, as scs.Store asks for.
func (s *SessionStore) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a context, as scs.Store asks for.
func (s *SessionStore) Delete(token string) error {
	return s.DeleteCtx(context.Background(), token)
}

// DeleteExpiredSessions removes expired sessions and returns how many.
func (d *DB) DeleteExpiredSessions(ctx context.Context) (deleted int64, err error) {
	err = d.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *Queries) error {
		deleted, err = q.DeleteExpiredSessions(ctx, tx)
		return err
	})
	return deleted, err
}
