package importer_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/importer"
	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/dataset"
	"github.com/optria-iq/optria/internal/testkit"
)

func open(t *testing.T) (*db.DB, uuid.UUID) {
	t.Helper()
	url := testkit.Database(t, testkit.Template{Key: "importer", Build: db.Prepare})
	d, err := db.Open(t.Context(), url, db.Config{})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	tenant, err := seed.EnsurePlatform(t.Context(), d)
	require.NoError(t, err)
	return d, tenant
}

func load(t *testing.T, d *db.DB, tenant uuid.UUID, file string) (dataset.Report, importer.Result) {
	t.Helper()
	data, err := os.Open(file)
	require.NoError(t, err)
	defer data.Close()
	im := importer.New(d, tenant, db.SystemActor("test"), filepath.Base(file))
	start := time.Now().UTC().AddDate(0, 0, -380).Truncate(24 * time.Hour)
	report, err := dataset.ReadCMAPSS(t.Context(), data, dataset.CMAPSS{Prefix: "FD", Start: start}, dataset.DefaultLimits(),
		func(r dataset.Record) error { return im.Add(t.Context(), r) })
	require.NoError(t, err)
	result, err := im.Close(t.Context())
	require.NoError(t, err)
	return report, result
}

// sample is a small file of our own in the C-MAPSS form.
const sample = "../../internal/dataset/testdata/synthetic_cmapss.txt"

func TestImportTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	d, tenant := open(t)
	report, first := load(t, d, tenant, sample)
	require.Positive(t, first.Assets)
	require.Equal(t, first.Assets*24, first.Signals)
	require.EqualValues(t, report.Records, first.Written)
	_, second := load(t, d, tenant, sample)
	require.Equal(t, importer.Result{}, second, "the same file adds nothing")
	chain, err := d.VerifyAudit(t.Context(), tenant)
	require.NoError(t, err)
	require.True(t, chain.Intact)
	require.EqualValues(t, 2, chain.Rows)
}

// TestImportPublicTurbofans loads the training set FD001 of NASA's C-MAPSS
// data: 100 engines, 20,631 cycles, 24 measurements each.
func TestImportPublicTurbofans(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("OPTRIA_BENCH_DATA")
	if dir == "" {
		t.Skip("OPTRIA_BENCH_DATA does not name the folder of public benchmark data")
	}
	d, tenant := open(t)
	report, result := load(t, d, tenant, filepath.Join(dir, "ai", "cmapss", "train_FD001.txt"))
	require.Zero(t, report.BadRows)
	require.Equal(t, importer.Result{Assets: 100, Signals: 2400, Written: 20631 * 24}, result)
	err := d.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		assets, err := q.ListAssetsPlain(ctx, tx, tenant)
		require.Len(t, assets, 100)
		return err
	})
	require.NoError(t, err)
}
