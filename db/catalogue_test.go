package db_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/testkit"
)

// platformTables hold no tenant's business data and have rules of their own.
var platformTables = []string{"core.tenants", "core.login_directory", "core.sessions", "core.demo_requests"}

// names runs a query that returns one text column and must find nothing wrong.
func names(t *testing.T, conn *pgx.Conn, sql string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return found
}

// businessTables lists the tables of the four schemas but the platform's.
func businessTables(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	return names(t, conn, `SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname IN ('core', 'telemetry', 'ai', 'optimization') AND c.relkind IN ('r', 'p')
		  AND NOT n.nspname || '.' || c.relname = ANY ($1) ORDER BY 1`, platformTables)
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	conn := superuser(t, testkit.Database(t, migrated))
	tables := businessTables(t, conn)
	require.Greater(t, len(tables), 35)
	checks := map[string]string{
		"row security is enabled, forced and has the tenant policy": `
			SELECT c.oid::regclass::text FROM pg_class c WHERE c.oid = ANY ($1::regclass[]) AND NOT (c.relrowsecurity AND c.relforcerowsecurity
			  AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant_isolation' AND p.polcmd = '*'
			    AND p.polroles = ARRAY['optria_app'::regrole::oid]
			    AND pg_get_expr(p.polqual, p.polrelid) LIKE '(tenant_id = ( SELECT core.current_tenant()%'
			    AND pg_get_expr(p.polwithcheck, p.polrelid) LIKE '(tenant_id = ( SELECT core.current_tenant()%'))`,
		"no second policy widens the first": `
			SELECT p.polrelid::regclass || ' ' || p.polname FROM pg_policy p WHERE p.polrelid = ANY ($1::regclass[]) AND p.polname <> 'tenant_isolation'`,
		"every key starts with tenant_id": `
			SELECT x.indexrelid::regclass::text FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
			WHERE x.indrelid = ANY ($1::regclass[]) AND x.indisunique AND a.attname <> 'tenant_id'`,
		"every table has a primary key": `
			SELECT t::text FROM unnest($1::regclass[]) t WHERE NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = t AND x.indisprimary)`,
		"every reference carries tenant_id and deletes nothing": `
			SELECT k.conname FROM pg_constraint k
			JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
			JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
			WHERE k.contype = 'f' AND k.conrelid = ANY ($1::regclass[])
			  AND (a.attname <> 'tenant_id' OR k.confdeltype <> 'a' OR k.confupdtype <> 'a'
			    OR f.attname <> CASE WHEN k.confrelid = 'core.tenants'::regclass THEN 'id' ELSE 'tenant_id' END)`,
		"tenant_id is a uuid that is never null": `
			SELECT t::text FROM unnest($1::regclass[]) t WHERE NOT EXISTS (SELECT FROM pg_attribute a
			  WHERE a.attrelid = t AND a.attname = 'tenant_id' AND a.atttypid = 'uuid'::regtype AND a.attnotnull)`,
		"everything belongs to the owner": `
			SELECT c.oid::regclass::text FROM pg_class c WHERE c.oid = ANY ($1::regclass[]) AND c.relowner <> 'optria_owner'::regrole`,
		"the platform role and the public hold nothing": `
			SELECT t::text FROM unnest($1::regclass[]) t, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p
			WHERE has_table_privilege('optria_platform', t, p)`,
		"the application may not truncate, refer to or watch a table": `
			SELECT t::text FROM unnest($1::regclass[]) t, unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) p WHERE has_table_privilege('optria_app', t, p)`,
	}
	for name, sql := range checks {
		require.Empty(t, names(t, conn, sql, tables), name)
	}
}

func TestClosedDoors(t *testing.T) {
	t.Parallel()
	conn := superuser(t, testkit.Database(t, migrated))
	checks := map[string]string{
		"partitions are out of reach": `
			SELECT r FROM unnest(ARRAY['optria_app', 'optria_platform']) r, unnest(ARRAY['USAGE', 'CREATE']) p WHERE has_schema_privilege(r, 'ts_part', p)`,
		"no role creates objects in the schemas": `
			SELECT r || s FROM unnest(ARRAY['optria_app', 'optria_platform']) r, unnest(ARRAY['core', 'telemetry', 'ai', 'optimization']) s WHERE has_schema_privilege(r, s, 'CREATE')`,
		"no role is powerful": `
			SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'optria\_%' AND (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb)`,
		"only partitions are made with the owner's rights": `
			SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
			WHERE n.nspname IN ('core', 'telemetry', 'ai', 'optimization') AND p.prosecdef AND p.proname <> 'ensure_partitions'`,
		"no view looks past row security": `
			SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname IN ('core', 'telemetry', 'ai', 'optimization')
			  AND (c.relkind = 'm' OR (c.relkind = 'v' AND NOT coalesce(c.reloptions @> ARRAY['security_invoker=true'], false)))`,
	}
	for name, sql := range checks {
		require.Empty(t, names(t, conn, sql), name)
	}
}

func TestAppendOnlyTables(t *testing.T) {
	t.Parallel()
	conn := superuser(t, testkit.Database(t, migrated))
	for _, table := range []string{
		"core.audit_logs", "telemetry.asset_timeseries", "optimization.optimization_cost_models", "optimization.optimization_recommendations",
		"optimization.plan_decisions", "optimization.run_events", "core.integration_syncs",
	} {
		for _, privilege := range []string{"UPDATE", "DELETE"} {
			var held bool
			require.NoError(t, conn.QueryRow(t.Context(), `SELECT has_table_privilege('optria_app', $1::regclass, $2)`, table, privilege).Scan(&held))
			require.False(t, held, "%s on %s", privilege, table)
		}
	}
}

// Row security would catch a query that forgets the tenant; the predicate is
// what makes it use the right index and what lets tenants be distributed.
func TestEveryQueryNamesTheTenant(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../queries/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	heading := regexp.MustCompile(`(?m)^-- name: (\w+)`)
	comment := regexp.MustCompile(`(?m)^--.*$`)
	withoutTenant := map[string]bool{"EnsurePartitions": true}
	for _, file := range files {
		if filepath.Base(file) == "platform.sql" {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		starts := heading.FindAllSubmatchIndex(text, -1)
		for i, at := range starts {
			end := len(text)
			if i+1 < len(starts) {
				end = starts[i+1][0]
			}
			name := string(text[at[2]:at[3]])
			body := comment.ReplaceAllString(string(text[at[0]:end]), "")
			require.True(t, withoutTenant[name] || strings.Contains(body, "tenant_id"), "%s: %s", file, name)
		}
	}
}

// The setting is no privilege: whoever can set it chooses the tenant. So only
// this package may, and only migrations and tenant.go mention it.
func TestOnlyThisPackageNamesTheTenant(t *testing.T) {
	t.Parallel()
	setting := regexp.MustCompile(`(?i)app\.tenant_id|\bSET\s+(LOCAL\s+|SESSION\s+)?(ROLE|AUTHORIZATION)\b`)
	comments := regexp.MustCompile(`(?m)^\s*(//|--).*$`)
	allowed := map[string]bool{"db/tenant.go": true, "db/migrate.go": true, "db/migrations/00001_foundation.sql": true}
	root := os.DirFS("..")
	searched := 0
	require.NoError(t, fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == "bin") {
			return fs.SkipDir
		}
		source := strings.HasSuffix(path, ".sql") || strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go")
		if entry.IsDir() || !source || allowed[path] {
			return nil
		}
		searched++
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		require.NotRegexp(t, setting, comments.ReplaceAllString(string(text), ""), path)
		return nil
	}))
	require.Greater(t, searched, 20)
}
