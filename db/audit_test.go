package db_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// appendEntry adds one entry with every field filled.
func appendEntry(ctx context.Context, d *db.DB, tenant uuid.UUID, n int) error {
	return d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return db.AppendAudit(ctx, tx, db.Entry{
			TenantID: tenant, Actor: db.ActorOf(access.Principal{UserID: tenant, Name: "مهندس"}),
			Action: "plan.approved", ObjectType: "plan", ObjectID: fmt.Sprint(n),
			Before: map[string]any{"state": "proposed", "b": 1, "a": nil}, After: struct{ State string }{"approved <&>"},
			RemoteAddr: "192.0.2.1", RequestID: "r-1",
		})
	})
}

// auditChain opens a database in which two tenants have chains of five rows.
func auditChain(t *testing.T) (*db.DB, *pgx.Conn, uuid.UUID) {
	t.Helper()
	d, url := openDatabase(t)
	tenant, other := addTenant(t, d, "ACME"), addTenant(t, d, "OTHER")
	for n := range 5 {
		require.NoError(t, appendEntry(t.Context(), d, tenant, n))
		require.NoError(t, appendEntry(t.Context(), d, other, n))
	}
	return d, superuser(t, url), tenant
}

func TestAuditChainNamesTheFirstBrokenLink(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		tamper string
		seq    int64
		kind   db.BreakKind
	}{
		"time":              {`UPDATE core.audit_logs SET occurred_at = occurred_at + interval '1 microsecond' WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"actor":             {`UPDATE core.audit_logs SET actor_id = gen_random_uuid() WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"actor removed":     {`UPDATE core.audit_logs SET actor_id = NULL WHERE tenant_id = $1 AND seq = 1`, 1, db.BreakChanged},
		"actor kind":        {`UPDATE core.audit_logs SET actor_kind = 'system' WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"actor name":        {`UPDATE core.audit_logs SET actor_name = 'x' WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"action":            {`UPDATE core.audit_logs SET action = 'x' WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"object type":       {`UPDATE core.audit_logs SET object_type = 'x' WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"object":            {`UPDATE core.audit_logs SET object_id = 'x' WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"text moved over":   {`UPDATE core.audit_logs SET object_type = object_type || 'x', object_id = '' WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"before":            {`UPDATE core.audit_logs SET before_state = '{}' WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"before as jsonb":   {`UPDATE core.audit_logs SET before_state = before_state::jsonb::json WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"after removed":     {`UPDATE core.audit_logs SET after_state = NULL WHERE tenant_id = $1 AND seq = 5`, 5, db.BreakChanged},
		"address":           {`UPDATE core.audit_logs SET remote_addr = '' WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"request":           {`UPDATE core.audit_logs SET request_id = '' WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"previous hash":     {`UPDATE core.audit_logs SET prev_hash = hash WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"hash":              {`UPDATE core.audit_logs SET hash = prev_hash WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakChanged},
		"number":            {`UPDATE core.audit_logs SET seq = 9 WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakMissing},
		"first deleted":     {`DELETE FROM core.audit_logs WHERE tenant_id = $1 AND seq = 1`, 1, db.BreakMissing},
		"one deleted":       {`DELETE FROM core.audit_logs WHERE tenant_id = $1 AND seq = 3`, 3, db.BreakMissing},
		"last deleted":      {`DELETE FROM core.audit_logs WHERE tenant_id = $1 AND seq = 5`, 5, db.BreakMissing},
		"all deleted":       {`DELETE FROM core.audit_logs WHERE tenant_id = $1`, 1, db.BreakMissing},
		"two swapped":       {`UPDATE core.audit_logs SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE tenant_id = $1 AND seq IN (2, 3)`, 2, db.BreakMissing},
		"row of other":      {`UPDATE core.audit_logs a SET prev_hash = b.prev_hash, hash = b.hash FROM core.audit_logs b WHERE a.tenant_id = $1 AND a.seq = 2 AND b.seq = 2 AND b.tenant_id <> $1`, 2, db.BreakChanged},
		"head moved back":   {`UPDATE core.audit_heads h SET seq = 4, hash = a.hash FROM core.audit_logs a WHERE h.tenant_id = $1 AND a.tenant_id = $1 AND a.seq = 3`, 4, db.BreakHead},
		"head with no rows": {`UPDATE core.audit_heads SET hash = '' WHERE tenant_id = $1`, 5, db.BreakHead},
	}
	d, conn, tenant := auditChain(t)
	_, err := conn.Exec(t.Context(), `ALTER TABLE core.audit_logs DROP CONSTRAINT audit_logs_seq_check`)
	require.NoError(t, err)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			saved := dump(t, conn, tenant)
			tag, err := conn.Exec(t.Context(), c.tamper, tenant)
			require.NoError(t, err)
			require.Positive(t, tag.RowsAffected())
			if name == "two swapped" {
				_, err = conn.Exec(t.Context(), `UPDATE core.audit_logs SET seq = -seq WHERE tenant_id = $1 AND seq < 0`, tenant)
				require.NoError(t, err)
				c.kind = db.BreakChanged
			}
			report, err := d.VerifyAudit(t.Context(), tenant)
			require.NoError(t, err)
			require.Equal(t, db.AuditReport{Rows: report.Rows, BrokenSeq: c.seq, Break: c.kind}, report)
			saved()
			report, err = d.VerifyAudit(t.Context(), tenant)
			require.NoError(t, err)
			require.Equal(t, db.AuditReport{Rows: 5, Intact: true}, report)
		})
	}
}

// dump saves a chain and returns a function that puts it back.
func dump(t *testing.T, conn *pgx.Conn, tenant uuid.UUID) (restore func()) {
	t.Helper()
	_, err := conn.Exec(t.Context(), `DROP TABLE IF EXISTS saved_logs, saved_heads`)
	require.NoError(t, err)
	for _, table := range []string{"logs", "heads"} {
		_, err := conn.Exec(t.Context(), `CREATE TEMP TABLE saved_`+table+` AS SELECT * FROM core.audit_`+table)
		require.NoError(t, err)
	}
	return func() {
		for _, table := range []string{"logs", "heads"} {
			_, err := conn.Exec(t.Context(), `DELETE FROM core.audit_`+table)
			require.NoError(t, err)
			_, err = conn.Exec(t.Context(), `INSERT INTO core.audit_`+table+` SELECT * FROM saved_`+table)
			require.NoError(t, err)
		}
	}
}

// Somebody who rewrites a row together with its hash still breaks the next.
func TestAuditChainCatchesARehashedRow(t *testing.T) {
	t.Parallel()
	d, conn, tenant := auditChain(t)
	forged, err := openSecondChain(t, tenant)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `DELETE FROM core.audit_logs WHERE tenant_id = $1 AND seq = 1`, tenant)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `INSERT INTO core.audit_logs SELECT * FROM json_populate_record(NULL::core.audit_logs, $1)`, forged)
	require.NoError(t, err)
	report, err := d.VerifyAudit(t.Context(), tenant)
	require.NoError(t, err)
	require.Equal(t, db.AuditReport{Rows: 1, BrokenSeq: 2, Break: db.BreakLink}, report)
}

// openSecondChain writes a valid first row of the tenant in another database
// and returns it as JSON.
func openSecondChain(t *testing.T, tenant uuid.UUID) (string, error) {
	t.Helper()
	d, url := openDatabase(t)
	conn := superuser(t, url)
	_, err := conn.Exec(t.Context(), `INSERT INTO core.tenants (id, code, name_ar, name_en, industry) VALUES ($1, 'ACME', 'x', 'x', 'power')`, tenant)
	require.NoError(t, err)
	require.NoError(t, appendEntry(t.Context(), d, tenant, 99))
	var row string
	err = conn.QueryRow(t.Context(), `SELECT row_to_json(a)::text FROM core.audit_logs a WHERE tenant_id = $1`, tenant).Scan(&row)
	return row, err
}

func TestAuditOfAnEmptyChain(t *testing.T) {
	t.Parallel()
	d, _ := openDatabase(t)
	report, err := d.VerifyAudit(t.Context(), addTenant(t, d, "ACME"))
	require.NoError(t, err)
	require.Equal(t, db.AuditReport{Intact: true}, report)
}

func TestConcurrentAppendsKeepOneChain(t *testing.T) {
	t.Parallel()
	d, _ := openDatabase(t)
	tenant := addTenant(t, d, "ACME")
	var writers errgroup.Group
	for n := range 40 {
		writers.Go(func() error { return appendEntry(t.Context(), d, tenant, n) })
	}
	require.NoError(t, writers.Wait())
	report, err := d.VerifyAudit(t.Context(), tenant)
	require.NoError(t, err)
	require.Equal(t, db.AuditReport{Rows: 40, Intact: true}, report)
}

func TestApplicationCannotRewriteTheAuditLog(t *testing.T) {
	t.Parallel()
	d, _, tenant := auditChain(t)
	for _, sql := range []string{
		`UPDATE core.audit_logs SET actor_name = 'x'`, `DELETE FROM core.audit_logs`, `TRUNCATE core.audit_logs`,
		`DELETE FROM core.audit_heads`, `ALTER TABLE core.audit_logs DISABLE ROW LEVEL SECURITY`,
	} {
		err := d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			_, err := tx.Exec(ctx, sql)
			return err
		})
		require.Equal(t, fault.Forbidden, fault.CodeOf(err), sql)
	}
}

func TestAuditFiltersAndPages(t *testing.T) {
	t.Parallel()
	d, _, tenant := auditChain(t)
	require.NoError(t, d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		first, err := q.ListAuditLogs(ctx, tx, db.ListAuditLogsParams{TenantID: tenant, PageSize: 3})
		require.NoError(t, err)
		require.Equal(t, []int64{5, 4, 3}, []int64{first[0].Seq, first[1].Seq, first[2].Seq})
		rest, err := q.ListAuditLogs(ctx, tx, db.ListAuditLogsParams{TenantID: tenant, PageSize: 3, BeforeSeq: 3, ActorID: &tenant, Action: "plan.approved"})
		require.NoError(t, err)
		require.Len(t, rest, 2)
		require.Equal(t, `{"a":null,"b":1,"state":"proposed"}`, string(rest[0].BeforeState))
		none, err := q.ListAuditLogs(ctx, tx, db.ListAuditLogsParams{TenantID: tenant, PageSize: 3, ObjectID: "nothing"})
		require.NoError(t, err)
		require.Empty(t, none)
		return nil
	}))
}
