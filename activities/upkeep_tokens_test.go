package activities

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
)

// tokenEvents lists what was announced of a token, oldest first.
func (f *plantFixture) tokenEvents(token uuid.UUID) (kinds []string, payloads []tokenEvent) {
	f.t.Helper()
	f.tenantTx(func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "SELECT kind, payload FROM core.events WHERE tenant_id = $1 AND object_id = $2 ORDER BY occurred_at, kind", f.tenant, token)
		if err != nil {
			return err
		}
		var kind string
		var payload json.RawMessage
		_, err = pgx.ForEachRow(rows, []any{&kind, &payload}, func() error {
			var event tokenEvent
			kinds = append(kinds, kind)
			err := json.Unmarshal(payload, &event)
			payloads = append(payloads, event)
			return err
		})
		return err
	})
	return kinds, payloads
}

func (f *plantFixture) tenantTx(work func(ctx context.Context, tx pgx.Tx) error) {
	f.t.Helper()
	require.NoError(f.t, f.db.InTenant(f.t.Context(), f.tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error { return work(ctx, tx) }))
}

// token stores a token of the plant's service account that was made and ends
// at given intervals from now.
func (f *plantFixture) token(made, ends string, replaces *uuid.UUID) uuid.UUID {
	f.t.Helper()
	id := uuid.New()
	f.tenantTx(func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO core.api_tokens (tenant_id, id, user_id, name, scopes, token_hash, created_by, created_at, expires_at, replaces)
			SELECT $1, $2, u.id, 'nightly', '{runs:create}', sha256(convert_to($2::uuid::text, 'UTF8')), u.id, now() + $3::interval, now() + $4::interval, $5
			FROM core.users u WHERE u.tenant_id = $1 AND 'service_account' = ANY (u.roles) LIMIT 1`, f.tenant, id, made, ends, replaces)
		return err
	})
	return id
}

func TestEndingTokensAreToldOnceAStep(t *testing.T) {
	f := newPlant(t)
	id := f.token("-60 days", "10 days", nil)
	short := f.token("-1 hour", "23 hours", nil)
	far := f.token("-60 days", "20 days", nil)
	f.tenantTx(func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO core.schedules (tenant_id, name, trigger, kind, cron, time_zone, owner_id, account_id, token_id, created_by)
			SELECT $1, 'Nightly plan', 'external', 'optimization', '0 5 * * *', 'Asia/Riyadh', $2, user_id, id, $2 FROM core.api_tokens WHERE tenant_id = $1 AND id = $3`,
			f.tenant, f.people["optimization_engineer"], id)
		return err
	})
	for range 2 { // upkeep comes every minute, and an activity may be repeated
		f.do(nil, f.set.Upkeep.TendTokens)
	}
	kinds, events := f.tokenEvents(id)
	require.Equal(t, []string{eventTokenExpiring}, kinds)
	require.Equal(t, int32(14), events[0].DaysBefore)
	require.Equal(t, "Nightly plan", events[0].Schedules[0].Name)
	told := func(kind string) (n int) {
		f.tenantTx(func(ctx context.Context, tx pgx.Tx) error {
			return tx.QueryRow(ctx, `SELECT count(*) FROM core.notifications n JOIN core.events e ON e.tenant_id = n.tenant_id AND e.id = n.event_id
				WHERE n.tenant_id = $1 AND e.object_id = $2 AND e.kind = $3 AND n.user_id = ANY ($4)`, f.tenant, id, kind,
				[]uuid.UUID{f.people["tenant_admin"], f.people["optimization_engineer"]}).Scan(&n)
		})
		return n
	}
	require.Equal(t, 2, told(eventTokenExpiring), "the admin and the owner of the schedule")
	for _, silent := range []uuid.UUID{short, far} {
		kinds, _ = f.tokenEvents(silent)
		require.Empty(t, kinds, "a token is not warned of before its time, nor one made for less")
	}
	f.moves(id, "2 days", "9 days")
	f.do(nil, f.set.Upkeep.TendTokens)
	f.moves(id, "-1 minute", "2 days")
	f.do(nil, f.set.Upkeep.TendTokens)
	f.do(nil, f.set.Upkeep.TendTokens)
	kinds, _ = f.tokenEvents(id)
	require.Equal(t, []string{eventTokenExpiring, eventTokenExpiring, eventTokenExpired}, kinds)
	require.Equal(t, 2, told(eventTokenExpired))
}

func TestAlertNamesAScheduleWhoseTokenEnded(t *testing.T) {
	f := newPlant(t)
	token := f.token("-60 days", "-1 minute", nil)
	f.tenantTx(func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO core.schedules (tenant_id, name, trigger, kind, cron, time_zone, owner_id, account_id, token_id, created_by)
			SELECT $1, x.name, 'external', 'optimization', '0 5 * * *', 'Asia/Riyadh', $2, user_id, CASE WHEN x.named THEN id END, $2
			FROM core.api_tokens, (VALUES ('Names its token', true), ('Names none', false)) x(name, named) WHERE tenant_id = $1 AND id = $3`,
			f.tenant, f.people["optimization_engineer"], token)
		return err
	})
	open := func() (names []string) {
		f.do(nil, f.set.Upkeep.TendTokens)
		f.tenantTx(func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, "SELECT detail->>'name' FROM core.alerts WHERE tenant_id = $1 AND kind = $2 AND closed_at IS NULL ORDER BY 1", f.tenant, AlertScheduleToken)
			if err != nil {
				return err
			}
			names, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
		return names
	}
	require.Equal(t, []string{"Names its token", "Names none"}, open())
	f.token("-1 day", "60 days", nil)
	require.Equal(t, []string{"Names its token"}, open(), "another token of the account can start the other")
	f.tenantTx(func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE core.schedules SET paused = true WHERE tenant_id = $1", f.tenant)
		return err
	})
	require.Empty(t, open(), "a paused schedule wants no token")
}

// moves lets time pass for a token: it ends at an interval from now and was
// last warned of the other interval ago.
func (f *plantFixture) moves(id uuid.UUID, ends, warned string) {
	f.t.Helper()
	f.tenantTx(func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE core.api_tokens SET expires_at = now() + $3::interval, warned_at = now() - $4::interval WHERE tenant_id = $1 AND id = $2", f.tenant, id, ends, warned)
		return err
	})
}

func TestReplacedTokenIsToldOfOnlyWhileItIsUsed(t *testing.T) {
	f := newPlant(t)
	old := f.token("-60 days", "2 days", nil)
	f.token("-1 day", "60 days", &old)
	f.do(nil, f.set.Upkeep.TendTokens)
	kinds, _ := f.tokenEvents(old)
	require.Empty(t, kinds, "it ends as its rotation meant it to")
	f.tenantTx(func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE core.api_tokens SET last_used_at = now() WHERE tenant_id = $1 AND id = $2", f.tenant, old)
		return err
	})
	f.do(nil, f.set.Upkeep.TendTokens)
	kinds, events := f.tokenEvents(old)
	require.Equal(t, []string{eventTokenExpiring}, kinds)
	require.True(t, events[0].Replaced)
}

func TestKeptAnswersAreDroppedAfterADay(t *testing.T) {
	f := newPlant(t)
	f.tenantTx(func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO core.idempotent_requests (tenant_id, account_id, key, operation, request_sha256, created_at)
			SELECT $1, $2, 'request-' || n, 'test', '', now() - n * interval '13 hours' FROM generate_series(0, 3) n`, f.tenant, f.people["tenant_admin"])
		return err
	})
	f.do(nil, f.set.Upkeep.TendTokens)
	var left int
	f.tenantTx(func(ctx context.Context, tx pgx.Tx) error {
		return tx.QueryRow(ctx, "SELECT count(*) FROM core.idempotent_requests WHERE tenant_id = $1", f.tenant).Scan(&left)
	})
	require.Equal(t, 2, left)
}
