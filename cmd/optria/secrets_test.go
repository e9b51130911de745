package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/secret"
	"github.com/optria-iq/optria/internal/testkit"
)

var migrated = testkit.Template{Key: "optria-secrets", Build: db.Prepare}

const password = "correct horse battery"

// vault is a database with two tenants whose credentials are sealed by one key.
type vault struct {
	*testing.T
	db      *db.DB
	keys    secret.Keyset
	tenants []uuid.UUID
	hidden  uuid.UUID // the integration of every credential
	user    uuid.UUID // the account of every one-time password
}

const credentialsEach = 450 // more than two batches

func newVault(t *testing.T) *vault {
	t.Helper()
	d, err := db.Open(t.Context(), testkit.Database(t, migrated), db.Config{})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	encoded, err := secret.GenerateKeyset()
	require.NoError(t, err)
	keys, err := secret.Parse(encoded, nil)
	require.NoError(t, err)
	v := &vault{T: t, db: d, keys: keys, hidden: uuid.New(), user: uuid.New()}
	for n := range 2 {
		v.tenants = append(v.tenants, v.addTenant(fmt.Sprintf("T%d", n)))
	}
	return v
}

func (v *vault) addTenant(code string) uuid.UUID {
	v.Helper()
	id, box := uuid.New(), v.box(v.keys)
	require.NoError(v, v.db.Platform(v.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.CreateTenant(ctx, tx, db.CreateTenantParams{ID: id, Code: code, Kind: "customer", NameAr: "شركة", NameEn: code, Industry: "power",
			CalendarProfile: "SA-STD", TimeZone: "Asia/Riyadh", Currency: "SAR", Settings: []byte(`{}`)})
		return err
	}))
	v.in(id, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.CreateIntegration(ctx, tx, db.CreateIntegrationParams{TenantID: id, ID: v.hidden, Name: "source", Kind: "simulated", Config: []byte(`{}`)}); err != nil {
			return err
		}
		for n := range credentialsEach {
			field := fmt.Sprintf("field-%03d", n)
			text, err := box.Seal(id.String(), v.hidden.String(), field, []byte(password))
			if err != nil {
				return err
			}
			if err := q.SaveCredential(ctx, tx, db.SaveCredentialParams{TenantID: id, IntegrationID: v.hidden, Field: field, Ciphertext: text}); err != nil {
				return err
			}
		}
		_, err := q.CreateUser(ctx, tx, db.CreateUserParams{TenantID: id, ID: v.user, Email: strings.ToLower(code) + "@example.com", Username: code, NameAr: "اسم", NameEn: code, Roles: []string{"viewer"}, Language: "ar"})
		if err != nil {
			return err
		}
		text, err := box.Seal(id.String(), secret.OneTimeArea, v.user.String(), []byte(password))
		if err != nil {
			return err
		}
		_, err = q.CreateOneTimeCredential(ctx, tx, db.CreateOneTimeCredentialParams{TenantID: id, UserID: v.user, Ciphertext: text, CreatedBy: v.user})
		return err
	})
	return id
}

func (v *vault) in(tenant uuid.UUID, work db.Work) {
	v.Helper()
	require.NoError(v, v.db.InTenant(v.Context(), tenant, work))
}

func (v *vault) box(k secret.Keyset) *secret.Box {
	v.Helper()
	b, err := k.Box()
	require.NoError(v, err)
	return b
}

// readAll opens every credential of the integration of a tenant.
func (v *vault) readAll(tenant uuid.UUID, box *secret.Box) (read int, err error) {
	err = v.db.InTenant(v.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.ListSealedCredentials(ctx, tx, tenant, v.hidden)
		for _, r := range rows {
			plain, openErr := box.Open(tenant.String(), v.hidden.String(), r.Field, r.Ciphertext)
			if openErr != nil {
				return openErr
			}
			if string(plain) == password {
				read++
			}
		}
		return err
	})
	return read, err
}

// Credentials are sealed anew while they are read, the old key is dropped, and
// nothing of it all shows in a log. It is not parallel: it looks at all that is
// logged.
func TestCredentialsAreSealedAnewWhileTheyAreRead(t *testing.T) {
	var logged lockedBuffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	v := newVault(t)
	next, err := v.keys.Add(true)
	require.NoError(t, err)
	box := v.box(next)

	var stop atomic.Bool
	var readers sync.WaitGroup
	var failures, passes atomic.Int64
	for _, tenant := range v.tenants {
		readers.Go(func() {
			for !stop.Load() {
				if n, err := v.readAll(tenant, box); err != nil || n != credentialsEach {
					failures.Add(1)
				}
				passes.Add(1)
			}
		})
	}
	done, err := resealAll(t.Context(), v.db, box)
	stop.Store(true)
	readers.Wait()
	require.NoError(t, err)
	require.Equal(t, resealed{resealed: 2 * (credentialsEach + 1)}, done)
	require.Positive(t, passes.Load())
	require.Zero(t, failures.Load(), "readers work on throughout")

	done, err = resealAll(t.Context(), v.db, box)
	require.NoError(t, err)
	require.Equal(t, resealed{current: 2 * (credentialsEach + 1)}, done, "a second pass changes nothing")
	alone, err := next.Drop(v.keys.Primary())
	require.NoError(t, err)
	for _, tenant := range v.tenants {
		n, err := v.readAll(tenant, v.box(alone))
		require.NoError(t, err, "the old key is not needed any more")
		require.Equal(t, credentialsEach, n)
		report, err := v.db.VerifyAudit(t.Context(), tenant)
		require.NoError(t, err)
		require.True(t, report.Intact)
		require.EqualValues(t, 4, report.Rows, "one entry for each batch that changed something")
	}
	counts, err := countSealed(t.Context(), v.db)
	require.NoError(t, err)
	require.Equal(t, map[uint32]int{next.Primary(): 2 * (credentialsEach + 1)}, counts)
	require.NotContains(t, logged.String(), password)
	encoded, err := alone.Encode(nil)
	require.NoError(t, err)
	require.NotContains(t, logged.String(), encoded)
}

// An answer that is kept for a key holds up dropping the key that sealed it.
func TestKeptAnswersCountAsSealed(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	tenant, request := v.tenants[0], "nightly|0001"
	answer, err := v.box(v.keys).Seal(tenant.String(), secret.AnswersArea, secret.AnswerField(v.user, request), []byte(password))
	require.NoError(t, err)
	v.in(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		for key, body := range map[string][]byte{request: answer, "still-running": nil} {
			if _, err := tx.Exec(ctx, `INSERT INTO core.idempotent_requests (tenant_id, account_id, key, operation, request_sha256, status, body) VALUES ($1, $2, $3, 'x', 'x', 200, $4)`,
				tenant, v.user, key, body); err != nil {
				return err
			}
		}
		return nil
	})
	const all = 2*(credentialsEach+1) + 1
	counts, err := countSealed(t.Context(), v.db)
	require.NoError(t, err)
	require.Equal(t, map[uint32]int{v.keys.Primary(): all}, counts)
	next, err := v.keys.Add(true)
	require.NoError(t, err)
	done, err := resealAll(t.Context(), v.db, v.box(next))
	require.NoError(t, err)
	require.Equal(t, resealed{resealed: all}, done)
	alone, err := next.Drop(v.keys.Primary())
	require.NoError(t, err)
	v.in(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		row, err := q.GetIdempotentRequest(ctx, tx, tenant, v.user, request)
		require.NoError(t, err)
		plain, err := v.box(alone).Open(tenant.String(), secret.AnswersArea, secret.AnswerField(v.user, request), row.Body)
		require.Equal(t, password, string(plain))
		return err
	})
}

// lockedBuffer is written to by many.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A ciphertext in another tenant's row, one of a key that is gone and one that
// was replaced meanwhile stay as they are.
func TestSealingAnewLeavesWhatItCannotOpen(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	own, foreign := v.tenants[0], v.tenants[1]
	strange, err := secret.GenerateKeyset()
	require.NoError(t, err)
	lost, err := secret.New(strange)
	require.NoError(t, err)
	gone, err := lost.Seal(own.String(), v.hidden.String(), "field-001", []byte(password))
	require.NoError(t, err)
	stolen, err := v.box(v.keys).Seal(foreign.String(), v.hidden.String(), "field-000", []byte(password))
	require.NoError(t, err)
	v.in(own, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		for field, text := range map[string][]byte{"field-000": stolen, "field-001": gone} {
			if err := q.SaveCredential(ctx, tx, db.SaveCredentialParams{TenantID: own, IntegrationID: v.hidden, Field: field, Ciphertext: text}); err != nil {
				return err
			}
		}
		return nil
	})
	next, err := v.keys.Add(true)
	require.NoError(t, err)
	done, err := resealAll(t.Context(), v.db, v.box(next))
	require.NoError(t, err)
	require.Equal(t, resealed{resealed: 2*(credentialsEach+1) - 2, lost: 2}, done)

	counts, err := countSealed(t.Context(), v.db)
	require.NoError(t, err)
	require.Equal(t, map[uint32]int{next.Primary(): 2*(credentialsEach+1) - 2, v.keys.Primary(): 1, lost.Primary(): 1}, counts)
	var out strings.Builder
	require.Equal(t, 1, printStatus(next, counts, &out))
	require.Regexp(t, fmt.Sprintf(`(?m)^%d +not in the keyset`, lost.Primary()), out.String())

	v.in(own, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		n, err := q.ReplaceCredential(ctx, tx, db.ReplaceCredentialParams{TenantID: own, IntegrationID: v.hidden, Field: "field-001", Seen: stolen, Fresh: []byte("x")})
		require.Zero(t, n, "what was replaced meanwhile is left alone")
		return err
	})
}

func TestSecretsCommand(t *testing.T) {
	v := newVault(t)
	clear, err := v.keys.Encode(nil)
	require.NoError(t, err)
	t.Setenv("OPTRIA_SECRET_KEYSET", clear)
	t.Setenv("OPTRIA_SECRET_KEK_URI", "")
	for name, args := range map[string][]string{
		"nothing": nil, "no such": {"burn"}, "two at once": {"rotate", "--standby", "--promote"}, "reseal and more": {"rotate", "--reseal", "--standby"},
		"drop nothing": {"drop"}, "drop the primary key": {"drop", "--key", fmt.Sprint(v.keys.Primary())}, "drop another": {"drop", "--key", "7"}, "promote the only": {"rotate", "--promote"},
	} {
		require.Error(t, runSecrets(t.Context(), args), name)
	}
	require.NoError(t, runSecrets(t.Context(), []string{"rotate"}))
	require.NoError(t, runSecrets(t.Context(), []string{"rotate", "--standby"}))
	var out, advice strings.Builder
	require.NoError(t, printKeyset(v.keys, nil, &out, &advice))
	require.Equal(t, clear+"\n", out.String(), "standard output holds the keyset alone")
	require.NotContains(t, advice.String(), clear)
	t.Setenv("OPTRIA_SECRET_KEK_URI", "pigeon://loft")
	require.ErrorContains(t, runSecrets(t.Context(), []string{"status"}), "OPTRIA_SECRET_KEK_URI")
	t.Setenv("OPTRIA_SECRET_KEK_URI", "")
	t.Setenv("OPTRIA_SECRET_KEYSET", "")
	require.ErrorContains(t, runSecrets(t.Context(), []string{"status"}), "OPTRIA_SECRET_KEYSET")
}
