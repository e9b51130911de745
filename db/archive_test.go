package db_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
)

// archived is a database with a day of two tenants that was packed and then
// archived, and what alpha reads of it.
type archived struct {
	*testing.T
	d    *db.DB
	conn *pgx.Conn
	day  time.Time
	dir  string
	want []asset.Reading
}

func archive(t *testing.T, d *db.DB, before time.Time, dir string) (files []db.Archived, skipped []db.Skipped) {
	t.Helper()
	require.NoError(t, d.Archive(t.Context(), before, dir, func(a db.Archived) { files = append(files, a) }, func(s db.Skipped) { skipped = append(skipped, s) }))
	return files, skipped
}

func newArchived(t *testing.T) archived {
	t.Helper()
	d, conn := twoTenants(t)
	a := archived{T: t, d: d, conn: conn, day: time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -20), dir: t.TempDir()}
	write(t, d, alpha, irregular(alphaSignal, a.day, 12_000)...)
	write(t, d, beta, irregular(betaSignal, a.day, 10)...)
	a.want = a.read()
	packDay(t, d, alpha, a.day)
	files, skipped := archive(t, d, a.day.AddDate(0, 0, 1), a.dir)
	require.Empty(t, files)
	require.Equal(t, []db.Skipped{{Partition: "asset_timeseries_" + a.day.Format("20060102"), Key: "historian.skipped.open", Tenant: beta}}, skipped)
	packDay(t, d, beta, a.day)
	files, skipped = archive(t, d, a.day.AddDate(0, 0, 1), a.dir)
	require.Empty(t, skipped)
	require.Len(t, files, 2)
	require.Equal(t, alpha, files[0].Tenant)
	require.EqualValues(t, 12_000, files[0].Rows)
	require.EqualValues(t, 10, files[1].Rows)
	require.NotContains(t, files[0].File, beta.String())
	files, _ = archive(t, d, a.day.AddDate(0, 0, 1), a.dir)
	require.Empty(t, files, "what is archived is archived once")
	require.Zero(t, a.rows())
	require.Equal(t, a.want, a.read(), "the packed form serves")
	return a
}

func (a archived) read() []asset.Reading {
	a.Helper()
	return local(read(a.T, a.d, alpha, alphaSignal, a.day, a.day.AddDate(0, 0, 1)))
}

// rows counts the rows of the day that are in view.
func (a archived) rows() (n int) {
	a.Helper()
	require.NoError(a, a.conn.QueryRow(a.Context(), `SELECT count(*) FROM telemetry.asset_timeseries WHERE ts >= $1 AND ts < $2`, a.day, a.day.AddDate(0, 0, 1)).Scan(&n))
	return n
}

func (a archived) restore() []db.Restored {
	a.Helper()
	all, err := a.d.Restore(a.Context(), a.day, a.dir)
	require.NoError(a, err)
	return all
}

func (a archived) exec(sql string, args ...any) {
	a.Helper()
	_, err := a.conn.Exec(a.Context(), sql, args...)
	require.NoError(a, err)
}

func TestArchivedPartitionIsAttachedAgain(t *testing.T) {
	t.Parallel()
	a := newArchived(t)
	name := "detached_" + a.day.Format("20060102") + "_1"
	require.Equal(t, []db.Restored{{Partition: name, Attached: true, Rows: 12_010}}, a.restore())
	require.Equal(t, 12_010, a.rows())
	require.Equal(t, a.want, a.read())
	require.EqualValues(t, 12_000, packDay(t, a.d, alpha, a.day))
	require.EqualValues(t, 10, packDay(t, a.d, beta, a.day))
	files, _ := archive(t, a.d, a.day.AddDate(0, 0, 1), a.dir)
	require.Len(t, files, 2, "and can leave again")
}

// Readings for a day whose partition has left get a new one and are merged.
func TestLateReadingsForAnArchivedDay(t *testing.T) {
	t.Parallel()
	a := newArchived(t)
	write(t, a.d, alpha, db.Row{SignalID: alphaSignal, Time: a.day.Add(time.Microsecond), Value: 77}, db.Row{SignalID: alphaSignal, Time: a.want[5].Time, Value: 78})
	all := a.read()
	require.Len(t, all, len(a.want)+1)
	require.Equal(t, a.want[5:], all[6:], "what came first stays")
	restored := a.restore()
	require.False(t, restored[0].Attached)
	require.EqualValues(t, 12_009, restored[0].Rows)
	require.EqualValues(t, 12_001, packDay(t, a.d, alpha, a.day))
	require.Equal(t, all, a.read())
	require.EqualValues(t, 10, packDay(t, a.d, beta, a.day))
	files, _ := archive(t, a.d, a.day.AddDate(0, 0, 1), a.dir)
	require.Len(t, files, 4, "the second partition, and the first one again")
}

func TestArchiveIsRestoredFromItsFiles(t *testing.T) {
	t.Parallel()
	a := newArchived(t)
	a.exec(`DROP TABLE ts_part.detached_` + a.day.Format("20060102") + `_1`) // as a database administrator may
	a.exec(`DELETE FROM telemetry.signal_days WHERE day = $1`, a.day)
	a.exec(`UPDATE telemetry.historian_days SET packed_at = NULL WHERE day = $1`, a.day)
	require.Empty(t, a.read())
	require.EqualValues(t, 12_010, a.restore()[0].Rows)
	require.Equal(t, a.want, a.read(), "every value, time and quality")
}

func TestDamagedArchiveIsRefused(t *testing.T) {
	t.Parallel()
	a := newArchived(t)
	name := "detached_" + a.day.Format("20060102") + "_1"
	a.exec(`UPDATE ts_part.`+name+` SET value = value + 1 WHERE tenant_id = $1 AND signal_id = $2 AND ts = $3`, alpha, alphaSignal, a.want[9].Time)
	_, err := a.d.Restore(t.Context(), a.day, a.dir)
	require.Equal(t, fault.Invalid, fault.CodeOf(err), "a changed table")
	a.exec(`DROP TABLE ts_part.` + name)
	file := filepath.Join(a.dir, alpha.String(), name+".parquet")
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	content[len(content)/2] ^= 1
	require.NoError(t, os.WriteFile(file, content, 0o600))
	_, err = a.d.Restore(t.Context(), a.day, a.dir)
	require.Equal(t, fault.Invalid, fault.CodeOf(err), "a changed file")
	require.Zero(t, a.rows())
	_, err = a.d.Restore(t.Context(), a.day.AddDate(0, 0, 1), a.dir)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
}

func TestStateOfTheHistorian(t *testing.T) {
	t.Parallel()
	a := newArchived(t)
	s, err := a.d.HistorianState(t.Context())
	require.NoError(t, err)
	states := map[string]int{}
	for _, p := range s.Partitions {
		states[p.State]++
	}
	require.Equal(t, 1, states[db.PartitionDetached])
	require.NotZero(t, states[db.PartitionAttached])
	require.Positive(t, s.PackedBytes)
	require.Len(t, s.Packed, 2)
	require.EqualValues(t, 12_001, s.Packed[0].Samples, "with the one of the fixture")
	require.EqualValues(t, 2, s.Packed[0].Archived)
}
