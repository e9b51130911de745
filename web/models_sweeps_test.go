package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// swept gives a tenant a quiet sweep, one that refused readings and could not
// score two assets, and one that runs. It returns the asset whose readings were
// refused.
func (f *fixture) swept(code string) (refused db.Asset) {
	f.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	f.within(code, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		assets, err := q.ListAssetsPlain(ctx, tx, tenant)
		require.NoError(f, err)
		refused = assets[0]
		eventful, err := json.Marshal(db.SweepDetail{
			Rejected: []db.SweepRejected{{Tag: refused.Tag, Metric: "vib_rms", NotFinite: 3, Absurd: 40}, {Tag: "GONE-1", Metric: "temp", Bad: 7, Duplicate: 2}},
			Failed:   []db.SweepFailed{{Tag: assets[1].Tag, Error: "no usable life model: shape of zero"}}, Failures: 2,
		})
		require.NoError(f, err)
		for i, sweep := range []db.EndSweepParams{
			{State: "done", AssetsScored: 4, Detail: []byte(`{"rejected": [], "failed": [], "failures": 0}`)},
			{State: "failed", AssetsScored: 17, AssetsGreyed: 5, RowsRejected: 1052, Detail: eventful},
			{},
		} {
			begin := db.BeginSweepParams{TenantID: tenant, ID: uuid.New(), AsOf: now.Add(time.Duration(i-3) * time.Hour), AssetsTotal: 24, AssetsSkipped: 3}
			if err := q.BeginSweep(ctx, tx, begin); err != nil {
				return err
			}
			if sweep.State != "" {
				sweep.TenantID, sweep.ID = tenant, begin.ID
				if _, err := q.EndSweep(ctx, tx, sweep); err != nil {
					return err
				}
			}
			started, finished := begin.AsOf, begin.AsOf.Add(3*time.Minute)
			if _, err := tx.Exec(ctx, `UPDATE ai.scoring_sweeps SET started_at = $3, finished_at = CASE WHEN state <> 'running' THEN $4::timestamptz END
				WHERE tenant_id = $1 AND id = $2`, tenant, begin.ID, started, finished); err != nil {
				return err
			}
		}
		return nil
	})
	return refused
}

func TestSweepsPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	viewer := f.as("WATER_DEMO", access.Viewer)
	status, body := f.get(viewer, "/models/sweeps?lang=en")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "No scoring sweep yet")
	_, body = f.get(viewer, "/models?lang=en")
	require.Contains(t, body, `href="/models/sweeps"`, "the page can be reached")

	refused := f.swept("WATER_DEMO")
	status, body = f.get(viewer, "/models/sweeps?lang=en")
	require.Equal(t, http.StatusOK, status)
	for _, want := range []string{"Cut short", "Running", "Done", "3 min", "1,052", "2 signals with refused readings", "2 assets could not be scored", "and 1 more that is not named",
		"no usable life model: shape of zero", `href="/assets/` + refused.ID.String() + `"`, "vib_rms", "not finite", "impossible", "marked bad by the source", "doubled", "GONE-1"} {
		require.Contains(t, body, want)
	}
	require.Equal(t, 2, strings.Count(body, "<details class=\"mt-3"), "a quiet sweep and a running one open nothing")
	require.Less(t, strings.Index(body, "Running"), strings.Index(body, "Cut short"), "newest first")
	_, body = f.get(viewer, "/models/sweeps?lang=ar")
	require.Empty(t, untranslated.FindAllString(body, -1))
	require.Contains(t, body, "إشارتان بقراءات مرفوضة")
}

func TestSweepsByTheAPI(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	refused := f.swept("WATER_DEMO")
	token, _ := f.issue("WATER_DEMO", access.ServiceAccount, time.Now().Add(time.Hour), "read:results")
	status, body, _ := f.call(token, http.MethodGet, "/sweeps", nil)
	require.Equal(t, http.StatusOK, status)
	raw, err := json.Marshal(body["items"])
	require.NoError(t, err)
	var sweeps []struct {
		State        string
		AssetsScored int   `json:"assets_scored"`
		RowsRejected int64 `json:"rows_rejected"`
		Detail       db.SweepDetail
		FinishedAt   *time.Time `json:"finished_at"`
	}
	require.NoError(t, json.Unmarshal(raw, &sweeps))
	require.Len(t, sweeps, 3)
	require.Equal(t, "running", sweeps[0].State)
	require.Nil(t, sweeps[0].FinishedAt)
	require.Equal(t, "failed", sweeps[1].State)
	require.Equal(t, 17, sweeps[1].AssetsScored)
	require.EqualValues(t, 1052, sweeps[1].RowsRejected)
	require.Equal(t, refused.Tag, sweeps[1].Detail.Rejected[0].Tag)
	require.Equal(t, 40, sweeps[1].Detail.Rejected[0].Absurd)
	require.Equal(t, 2, sweeps[1].Detail.Failures)

	other, _ := f.issue("POWER_DEMO", access.ServiceAccount, time.Now().Add(time.Hour), "read:results")
	status, body, _ = f.call(other, http.MethodGet, "/sweeps", nil)
	require.Equal(t, http.StatusOK, status)
	require.Empty(t, body["items"], "another tenant's sweeps are not seen")
}
