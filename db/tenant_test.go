package db_test

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/testkit"
)

// addTenant registers a customer and returns its id.
func addTenant(t *testing.T, d *db.DB, code string) uuid.UUID {
	t.Helper()
	id := uuid.New()
	require.NoError(t, d.Platform(t.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.CreateTenant(ctx, tx, db.CreateTenantParams{
			ID: id, Code: code, Kind: "customer", NameAr: "شركة", NameEn: code, Industry: "power",
			CalendarProfile: "SA-STD", TimeZone: "Asia/Riyadh", Currency: "SAR", Settings: []byte(`{}`),
		})
		return err
	}))
	return id
}

func addUser(t *testing.T, d *db.DB, tenant uuid.UUID, name string) uuid.UUID {
	t.Helper()
	id := uuid.New()
	require.NoError(t, d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.CreateUser(ctx, tx, db.CreateUserParams{
			TenantID: tenant, ID: id, Email: name + "@example.com", Username: name, NameAr: "اسم", NameEn: name,
			Roles: []string{"viewer"}, Language: "ar",
		})
		return err
	}))
	return id
}

func TestRolesWorkForEveryLogin(t *testing.T) {
	t.Parallel()
	plain := testkit.Database(t, migrated)
	_, err := superuser(t, plain).Exec(t.Context(), `CREATE ROLE plain_login LOGIN NOINHERIT; GRANT optria_owner, optria_app, optria_platform TO plain_login`)
	require.NoError(t, err)
	asPlain, err := testkit.As(plain, "plain_login")
	require.NoError(t, err)
	for login, url := range map[string]string{"superuser": testkit.Database(t, migrated), "plain member": asPlain} {
		t.Run(login, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, db.Bootstrap(t.Context(), url))
			applied, err := db.Migrate(t.Context(), url)
			require.NoError(t, err)
			require.Zero(t, applied, "the template is migrated already")
			d, err := db.Open(t.Context(), url, db.Config{})
			require.NoError(t, err)
			t.Cleanup(d.Close)
			tenant := addTenant(t, d, "ACME")
			addUser(t, d, tenant, "first")
			require.NoError(t, d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
				var role, setting, zone string
				err := tx.QueryRow(ctx, `SELECT current_user, current_setting('app.tenant_id'), current_setting('timezone')`).Scan(&role, &setting, &zone)
				require.NoError(t, err)
				require.Equal(t, []string{"optria_app", tenant.String(), "UTC"}, []string{role, setting, zone})
				users, err := q.ListUsers(ctx, tx, tenant, true)
				require.NoError(t, err)
				require.Len(t, users, 1)
				return nil
			}))
		})
	}
}

func TestReadingAsOfOneMoment(t *testing.T) {
	t.Parallel()
	d, _ := openDatabase(t)
	tenant := addTenant(t, d, "ACME")
	addUser(t, d, tenant, "first")
	require.NoError(t, d.InTenantAsOf(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		before, err := q.ListUsers(ctx, tx, tenant, true)
		require.NoError(t, err)
		addUser(t, d, tenant, "second")
		after, err := q.ListUsers(ctx, tx, tenant, true)
		require.Equal(t, before, after, "what others commit meanwhile does not show")
		return err
	}))
	err := d.InTenantAsOf(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, "UPDATE core.users SET name_en = 'Other'")
		return err
	})
	require.ErrorContains(t, err, "read-only")
}

// A plain login that may create roles and owns its database needs no superuser
// to bring up an empty database, also when several processes start at once.
func TestMigrationFromNothing(t *testing.T) {
	t.Parallel()
	url := testkit.Database(t, testkit.Template{Key: "empty"})
	su := superuser(t, url)
	_, err := su.Exec(t.Context(), `CREATE ROLE installer LOGIN CREATEROLE NOINHERIT`)
	require.NoError(t, err)
	_, err = su.Exec(t.Context(), `ALTER DATABASE `+pgx.Identifier{su.Config().Database}.Sanitize()+` OWNER TO installer; ALTER SCHEMA public OWNER TO installer`)
	require.NoError(t, err)
	url, err = testkit.As(url, "installer")
	require.NoError(t, err)
	var starters errgroup.Group
	var applied atomic.Int64
	for range 4 {
		starters.Go(func() error {
			if err := db.Bootstrap(t.Context(), url); err != nil {
				return err
			}
			n, err := db.Migrate(t.Context(), url)
			applied.Add(int64(n))
			return err
		})
	}
	require.NoError(t, starters.Wait())
	files, err := fs.Glob(db.Migrations(), "*.sql")
	require.NoError(t, err)
	require.EqualValues(t, len(files), applied.Load(), "every migration is applied once")
	d, err := db.Open(t.Context(), url, db.Config{})
	require.NoError(t, err)
	defer d.Close()
	pending, err := d.Pending(t.Context())
	require.NoError(t, err)
	require.False(t, pending)
	addUser(t, d, addTenant(t, d, "ACME"), "first")
}

func TestPendingMigrations(t *testing.T) {
	t.Parallel()
	url := testkit.Database(t, testkit.Template{Key: "bootstrapped", Build: db.Bootstrap})
	d, err := db.Open(t.Context(), url, db.Config{})
	require.NoError(t, err)
	defer d.Close()
	pending, err := d.Pending(t.Context())
	require.NoError(t, err)
	require.True(t, pending, "nothing is applied yet")
	require.NoError(t, db.Prepare(t.Context(), url))
	_, err = superuser(t, url).Exec(t.Context(), `DELETE FROM public.schema_migrations WHERE version_id = (SELECT max(version_id) FROM public.schema_migrations)`)
	require.NoError(t, err)
	pending, err = d.Pending(t.Context())
	require.NoError(t, err)
	require.True(t, pending, "the newest is missing")
}

func TestNilTenantIsRefused(t *testing.T) {
	t.Parallel()
	d, _ := openDatabase(t)
	err := d.InTenant(t.Context(), uuid.Nil, func(context.Context, pgx.Tx, *db.Queries) error { return nil })
	require.Equal(t, fault.Forbidden, fault.CodeOf(err))
}

func TestErrorRollsBackAndConnectionComesBack(t *testing.T) {
	t.Parallel()
	d, _ := openDatabase(t)
	tenant := addTenant(t, d, "ACME")
	stop := errors.New("stop")
	for range 20 { // more often than the pool has connections
		err := d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
			require.NoError(t, q.UpsertSkill(ctx, tx, db.UpsertSkillParams{TenantID: tenant, ID: uuid.New(), Code: "x", NameAr: "x", NameEn: "x"}))
			return stop
		})
		require.ErrorIs(t, err, stop)
	}
	require.NoError(t, d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		skills, err := q.ListSkills(ctx, tx, tenant)
		require.NoError(t, err)
		require.Empty(t, skills)
		return nil
	}))
}

func TestDeadConnectionIsReplacedOnce(t *testing.T) {
	t.Parallel()
	d, name := openDatabase(t)
	tenant := addTenant(t, d, "ACME")
	su := superuser(t, name)
	_, err := su.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	require.NoError(t, err)
	ran := 0
	require.NoError(t, d.InTenant(t.Context(), tenant, func(context.Context, pgx.Tx, *db.Queries) error { ran++; return nil }))
	require.Equal(t, 1, ran)
}
