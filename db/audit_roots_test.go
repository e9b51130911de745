package db_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/auditchain"
	"github.com/optria-iq/optria/internal/dossier/seal"
)

// agedChain is a chain of six rows over four days, the second of them without
// a row: rows 1-2, none, 3-5, 6. The rows are dated and hashed as if written
// then.
func agedChain(t *testing.T) (d *db.DB, conn *pgx.Conn, tenant, other uuid.UUID, first time.Time) {
	t.Helper()
	d, url := openDatabase(t)
	conn = superuser(t, url)
	tenant, other = addTenant(t, d, "ACME"), addTenant(t, d, "OTHER")
	first = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for n := range 6 {
		require.NoError(t, appendEntry(t.Context(), d, tenant, n))
	}
	require.NoError(t, appendEntry(t.Context(), d, other, 0))
	prev := auditchain.Genesis(tenant)
	for seq, days := range []int{0, 0, 2, 2, 2, 3} {
		var r auditchain.Row
		r.TenantID, r.Seq, r.OccurredAt, r.PrevHash = tenant, int64(seq+1), first.AddDate(0, 0, days).Add(time.Duration(seq+1)*time.Hour), prev
		err := conn.QueryRow(t.Context(), `SELECT actor_id, actor_kind, actor_name, action, object_type, object_id, before_state::text, after_state::text, remote_addr, request_id
			FROM core.audit_logs WHERE tenant_id = $1 AND seq = $2`, tenant, r.Seq).Scan(&r.ActorID, &r.ActorKind, &r.ActorName, &r.Action, &r.ObjectType, &r.ObjectID, &r.Before, &r.After, &r.RemoteAddr, &r.RequestID)
		require.NoError(t, err)
		prev = r.Sum()
		_, err = conn.Exec(t.Context(), `UPDATE core.audit_logs SET occurred_at = $3, prev_hash = $4, hash = $5 WHERE tenant_id = $1 AND seq = $2`, tenant, r.Seq, r.OccurredAt, r.PrevHash, prev)
		require.NoError(t, err)
	}
	_, err := conn.Exec(t.Context(), `UPDATE core.audit_heads SET hash = $2 WHERE tenant_id = $1`, tenant, prev)
	require.NoError(t, err)
	return d, conn, tenant, other, first
}

func TestDaysAreClosedOnce(t *testing.T) {
	t.Parallel()
	d, conn, tenant, other, first := agedChain(t)
	closeAt := func(at time.Time) int {
		n, err := d.CloseAuditDays(t.Context(), tenant, at)
		require.NoError(t, err)
		return n
	}
	require.Zero(t, closeAt(first.Add(23*time.Hour)), "the day is not over")
	require.Zero(t, closeAt(first.Add(24*time.Hour+5*time.Minute)), "events of the evening may still come")
	require.Equal(t, 1, closeAt(first.Add(25*time.Hour)))
	require.Equal(t, 2, closeAt(first.Add(73*time.Hour)), "two more days")
	require.Zero(t, closeAt(first.Add(73*time.Hour)), "again changes nothing")
	rows, err := conn.Query(t.Context(), `SELECT last_seq, rows FROM core.audit_roots WHERE tenant_id = $1 ORDER BY day`, tenant)
	require.NoError(t, err)
	type root struct{ Last, Rows int64 }
	got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[root])
	require.NoError(t, err)
	require.Equal(t, []root{{2, 2}, {2, 0}, {5, 3}}, got)
	report, err := d.VerifyAudit(t.Context(), tenant)
	require.NoError(t, err)
	require.Equal(t, db.AuditReport{Rows: 6, Roots: 3, Intact: true}, report)
	report, err = d.VerifyAudit(t.Context(), other)
	require.NoError(t, err)
	require.Equal(t, db.AuditReport{Rows: 1, Intact: true}, report, "the other tenant has no roots")
	require.NoError(t, d.InTenant(t.Context(), other, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		seen, err := q.RecentAuditRoots(ctx, tx, tenant, 10)
		require.Empty(t, seen, "nor does it see those of another")
		return err
	}))
}

func TestRootsShowARewrittenChain(t *testing.T) {
	t.Parallel()
	d, conn, tenant, _, first := agedChain(t)
	_, err := d.CloseAuditDays(t.Context(), tenant, first.AddDate(0, 0, 5))
	require.NoError(t, err)
	for tamper, day := range map[string]int{
		`UPDATE core.audit_roots SET root = sha256('x') WHERE tenant_id = $1 AND day = '2026-03-03'`: 2,
		`UPDATE core.audit_roots SET last_seq = 1 WHERE tenant_id = $1 AND day = '2026-03-01'`:       0,
		`UPDATE core.audit_roots SET last_seq = 99 WHERE tenant_id = $1 AND day = '2026-03-04'`:      3,
	} {
		tx, err := conn.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), `CREATE TEMP TABLE kept ON COMMIT PRESERVE ROWS AS SELECT * FROM core.audit_roots`)
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), tamper, tenant)
		require.NoError(t, err)
		require.NoError(t, tx.Commit(t.Context()))
		report, err := d.VerifyAudit(t.Context(), tenant)
		require.NoError(t, err)
		require.Equal(t, db.BreakRoot, report.Break, tamper)
		require.Equal(t, first.AddDate(0, 0, day), report.Day, tamper)
		_, err = conn.Exec(t.Context(), `DELETE FROM core.audit_roots`)
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), `INSERT INTO core.audit_roots SELECT * FROM kept`)
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), `DROP TABLE kept`)
		require.NoError(t, err)
	}
}

func TestChainsLeaveAsSignedFiles(t *testing.T) {
	t.Parallel()
	d, conn, tenant, _, first := agedChain(t)
	_, err := d.CloseAuditDays(t.Context(), tenant, first.AddDate(0, 0, 3).Add(time.Hour))
	require.NoError(t, err)
	key, err := seal.DeriveKey(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	export := func(span db.AuditSpan) auditchain.Report {
		var b bytes.Buffer
		require.NoError(t, d.ExportAudit(t.Context(), tenant, span, auditchain.NewWriter(&b, key, first)))
		r, err := auditchain.Check(&b, seal.Keys{key.Public()})
		require.NoError(t, err)
		return r
	}
	r := export(db.AuditSpan{})
	require.Equal(t, []any{seal.Authentic, int64(6), 3, "ACME"}, []any{r.Verdict, r.Rows, r.Roots, r.Code})
	r = export(db.AuditSpan{From: first.AddDate(0, 0, 1), To: first.AddDate(0, 0, 2)})
	require.Equal(t, []any{seal.Authentic, int64(3), int64(3), 2}, []any{r.Verdict, r.FirstSeq, r.Rows, r.Roots})
	r = export(db.AuditSpan{From: first.AddDate(1, 0, 0)})
	require.Equal(t, []any{seal.Authentic, int64(0)}, []any{r.Verdict, r.Rows}, "an empty span")
	_, err = conn.Exec(t.Context(), `UPDATE core.audit_logs SET action = 'x' WHERE tenant_id = $1 AND seq = 4`, tenant)
	require.NoError(t, err)
	r = export(db.AuditSpan{})
	require.Equal(t, []any{auditchain.BreakChanged, int64(4)}, []any{r.Break, r.Seq}, "the file shows what was done to the database")
	_, err = conn.Exec(t.Context(), `DELETE FROM core.audit_logs WHERE tenant_id = $1 AND seq = 4`, tenant)
	require.NoError(t, err)
	r = export(db.AuditSpan{})
	require.Equal(t, []any{auditchain.BreakMissing, int64(4)}, []any{r.Break, r.Seq})
}
