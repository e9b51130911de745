package web_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// storedKeys runs one statement on the kept answers of a tenant and returns
// the number that it gives.
func (f *fixture) storedKeys(code, statement string) (n int) {
	f.Helper()
	f.within(code, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, tenant uuid.UUID) error {
		return tx.QueryRow(ctx, statement, tenant).Scan(&n)
	})
	return n
}

const countKeys = "SELECT count(*) FROM core.idempotent_requests WHERE tenant_id = $1"

func TestKeyedRequestIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin, _ := f.issue("ARAMCO_DEMO", access.TenantAdmin, soon(), access.Scopes()...)
	other, _ := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), "read:results")
	_, old := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), "read:results")
	path, body := "/tokens/"+old.String()+"/rotate", map[string]any{"overlap_days": 2}

	status, first, header := f.call(admin, http.MethodPost, path, body, "Idempotency-Key", "rotate-1")
	require.Equal(t, http.StatusCreated, status, first)
	require.Empty(t, header.Get("Idempotency-Replayed"))
	status, again, header := f.call(admin, http.MethodPost, path, body, "Idempotency-Key", "rotate-1")
	require.Equal(t, http.StatusCreated, status)
	require.Equal(t, first, again, "the same answer, the new token included")
	require.Equal(t, "true", header.Get("Idempotency-Replayed"))
	require.Contains(t, header.Get("Content-Type"), "application/json")
	require.Zero(t, f.storedKeys("ARAMCO_DEMO", countKeys+` AND position(convert_to('token', 'UTF8') IN body) > 0`), "answers are sealed")

	status, _, _ = f.call(admin, http.MethodPost, path, map[string]any{"overlap_days": 3}, "Idempotency-Key", "rotate-1")
	require.Equal(t, http.StatusConflict, status, "another request under the same key")
	status, _, _ = f.call(admin, http.MethodPost, "/tokens/"+old.String()+"/revoke", nil, "Idempotency-Key", "rotate-1")
	require.Equal(t, http.StatusConflict, status, "another operation under the same key")
	status, _, _ = f.call(other, http.MethodPost, path, body, "Idempotency-Key", "rotate-1")
	require.Equal(t, http.StatusForbidden, status, "an account without the capability gets no answer of another one's")
	status, _, _ = f.call(admin, http.MethodPost, path, body, "Idempotency-Key", "short")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	foreign, _ := f.issue("POWER_DEMO", access.TenantAdmin, soon(), access.Scopes()...)
	status, _, _ = f.call(foreign, http.MethodPost, path, body, "Idempotency-Key", "rotate-1")
	require.Equal(t, http.StatusNotFound, status, "keys of tenants do not meet")
	require.Zero(t, f.storedKeys("POWER_DEMO", countKeys), "a refusal that may pass is not kept")
}

func TestKeyedRequestsAtTheSameTime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin, _ := f.issue("ARAMCO_DEMO", access.TenantAdmin, soon(), access.Scopes()...)
	_, old := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), "read:results")
	var mu sync.Mutex
	seen := map[int]int{}
	tokens := map[any]bool{}
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			status, body, header := f.call(admin, http.MethodPost, "/tokens/"+old.String()+"/rotate", map[string]any{"overlap_days": 2}, "Idempotency-Key", "at-once-1")
			mu.Lock()
			defer mu.Unlock()
			seen[status]++
			if status == http.StatusCreated {
				tokens[body["token"]] = true
			} else if header.Get("Retry-After") == "" {
				seen[-1]++
			}
		})
	}
	all.Wait()
	require.GreaterOrEqual(t, seen[http.StatusCreated], 1, seen)
	require.Equal(t, 12, seen[http.StatusCreated]+seen[http.StatusConflict], seen)
	require.Zero(t, seen[-1], "who has to wait is told for how long")
	require.Len(t, tokens, 1, "one rotation")
	require.Equal(t, 1, f.storedKeys("ARAMCO_DEMO", "SELECT count(*) FROM core.api_tokens WHERE tenant_id = $1 AND replaces IS NOT NULL"))
}

func TestKeyOfACrashedRequestIsFreedInTime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin, _ := f.issue("ARAMCO_DEMO", access.TenantAdmin, soon(), access.Scopes()...)
	_, old := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), "read:results")
	path, body := "/tokens/"+old.String()+"/rotate", map[string]any{"overlap_days": 2}
	status, _, _ := f.call(admin, http.MethodPost, path, body, "Idempotency-Key", "crashed-1")
	require.Equal(t, http.StatusCreated, status)
	forget := func(age string) {
		require.Equal(t, 1, f.storedKeys("ARAMCO_DEMO", `WITH x AS (UPDATE core.idempotent_requests SET status = NULL, body = NULL, created_at = now() - interval '`+age+`'
			WHERE tenant_id = $1 RETURNING 1) SELECT count(*) FROM x`))
	}
	forget("1 minute")
	status, _, header := f.call(admin, http.MethodPost, path, body, "Idempotency-Key", "crashed-1")
	require.Equal(t, http.StatusConflict, status)
	require.NotEmpty(t, header.Get("Retry-After"), "it may still be worked on")
	forget("3 minutes")
	status, _, _ = f.call(admin, http.MethodPost, path, map[string]any{"overlap_days": 5}, "Idempotency-Key", "crashed-1")
	require.Equal(t, http.StatusConflict, status, "only the same request takes it up")
	status, problem, header := f.call(admin, http.MethodPost, path, body, "Idempotency-Key", "crashed-1")
	require.Equal(t, http.StatusConflict, status, "the token was replaced by the request that crashed")
	require.Empty(t, header.Get("Retry-After"), problem)
	require.Zero(t, f.storedKeys("ARAMCO_DEMO", countKeys), "a conflict gives the key back")
}
