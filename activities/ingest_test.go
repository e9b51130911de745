package activities

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

func TestConvertMapsUnitsAndMarksWhatCannotBeUsed(t *testing.T) {
	t.Parallel()
	now := time.Now()
	target := &target{mappings: map[string]db.ListPolledMappingsRow{
		"p": {ExternalTag: "p", SignalID: 7, SourceUnit: "psi", Factor: 0.0689476, Shift: 1},
	}}
	read := func(value float64, unit string, q asset.Quality) connector.Reading {
		return connector.Reading{ExternalTag: "p", Time: now, Value: value, Unit: unit, Quality: q}
	}
	low, high := -5.0, 10.0
	target.mappings["q"] = db.ListPolledMappingsRow{ExternalTag: "q", SignalID: 8, Factor: 2, Low: &low, High: &high}
	c := target.convert([]connector.Reading{
		read(100, "psi", asset.Good), read(100, "", asset.Uncertain), read(100, "bar", asset.Good),
		read(math.NaN(), "psi", asset.Good), read(math.Inf(1), "psi", asset.Good), read(1, "psi", asset.Bad),
		{ExternalTag: "unmapped", Value: 1},
		{ExternalTag: "q", Time: now, Value: 5}, {ExternalTag: "q", Time: now, Value: 5.1}, {ExternalTag: "q", Time: now, Value: -2.6},
		{ExternalTag: "q", Time: now.Add(6 * time.Minute), Value: 1}, {ExternalTag: "q", Time: now.Add(time.Minute), Value: 1},
	}, now)
	require.Len(t, c.rows, 10)
	require.EqualValues(t, 6, c.bad)
	require.EqualValues(t, 1, c.refused, "readings from the future are not kept")
	require.InDelta(t, 7.89476, c.rows[0].Value, 1e-9)
	require.EqualValues(t, 7, c.rows[0].SignalID)
	for i, want := range []asset.Quality{asset.Good, asset.Uncertain, asset.Bad, asset.Bad, asset.Bad, asset.Bad, asset.Good, asset.Bad, asset.Bad, asset.Good} {
		require.Equal(t, want, c.rows[i].Quality, i)
	}
	counts := map[string]int{}
	for _, n := range c.notices {
		counts[n.Key] = n.Count
	}
	require.Equal(t, map[string]int{NoticeForeignUnit: 1, NoticeOutOfRange: 2, NoticeFuture: 1, connector.NoticeClockSkew: 1}, counts)
}

// polled returns an integration of the plant with its signals.
func (f *plantFixture) polled() IntegrationRef {
	return IntegrationRef{TenantID: f.tenant, IntegrationID: f.id(
		`SELECT integration_id FROM core.integration_mappings WHERE tenant_id = $1 GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`, f.tenant)}
}

func TestPollStoresEachReadingOnce(t *testing.T) {
	f := newPlant(t)
	ref := f.polled()
	f.exec(`UPDATE core.integrations SET watermark = now() - interval '3 hours' WHERE tenant_id = $1 AND id = $2`, f.tenant, ref.IntegrationID)
	recent := `SELECT count(*) FROM telemetry.asset_timeseries s JOIN core.integration_mappings m ON m.tenant_id = s.tenant_id AND m.signal_id = s.signal_id
		WHERE m.tenant_id = $1 AND m.integration_id = $2`
	before := f.count(recent, f.tenant, ref.IntegrationID)

	var written int64
	var mu sync.Mutex
	var both sync.WaitGroup
	for range 2 { // two polls at once: the watermark lets one of them store
		both.Go(func() {
			value, err := f.env().ExecuteActivity(f.set.Ingest.PollIntegration, ref)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				require.Equal(t, "connector.fault.busy", DetailOf(err).Key, "%v", err)
				return
			}
			var result PollResult
			require.NoError(t, value.Get(&result))
			written += result.Written
		})
	}
	both.Wait()
	require.Positive(t, written)
	require.EqualValues(t, written, f.count(recent, f.tenant, ref.IntegrationID)-before)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.integrations WHERE tenant_id = $1 AND id = $2 AND watermark > now() - interval '1 minute'
		AND last_sync_status <> 'never' AND rows_total = $3`, f.tenant, ref.IntegrationID, written))
	require.Positive(t, f.count(`SELECT count(*) FROM core.integration_syncs WHERE tenant_id = $1 AND integration_id = $2`, f.tenant, ref.IntegrationID))
}

func TestFailedPollRaisesOneAlertAndSuccessClearsIt(t *testing.T) {
	f := newPlant(t)
	ref := f.polled()
	open := `SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND integration_id = $2 AND kind = 'connector_silent' AND closed_at IS NULL`
	failure := PollFailure{IntegrationRef: ref, StartedAt: time.Now(), Cause: ErrorDetail{Code: fault.Unavailable, Key: connector.KeyUnreachable}}
	for range 2 {
		f.do(nil, f.set.Ingest.RecordPollFailure, failure)
	}
	require.Equal(t, 1, f.count(open, f.tenant, ref.IntegrationID))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.integrations WHERE tenant_id = $1 AND id = $2 AND last_sync_status = 'failed' AND last_error = $3`,
		f.tenant, ref.IntegrationID, connector.KeyUnreachable))
	f.exec(`UPDATE core.integrations SET watermark = now() - interval '30 minutes' WHERE tenant_id = $1 AND id = $2`, f.tenant, ref.IntegrationID)
	f.do(nil, f.set.Ingest.PollIntegration, ref)
	require.Zero(t, f.count(open, f.tenant, ref.IntegrationID))
}

func TestPollRefusesWhatCannotWork(t *testing.T) {
	f := newPlant(t)
	ref := f.polled()
	f.exec(`UPDATE core.integrations SET kind = 'telepathy' WHERE tenant_id = $1 AND id = $2`, f.tenant, ref.IntegrationID)
	f.refuse(TypeNotFound, connector.KeyUnknownKind, f.set.Ingest.PollIntegration, ref)
	f.exec(`UPDATE core.integrations SET state = 'paused' WHERE tenant_id = $1 AND id = $2`, f.tenant, ref.IntegrationID)
	var result PollResult
	f.do(&result, f.set.Ingest.PollIntegration, ref)
	require.Equal(t, PollResult{Status: SyncOK}, result, "a paused integration is not opened")
}

func TestCredentialsAreOpenedForTheirIntegrationOnly(t *testing.T) {
	f := newPlant(t)
	ref := f.polled()
	sealed, err := f.set.Ingest.deps.Box.Seal(f.tenant.String(), ref.IntegrationID.String(), "password", []byte("s3cret"))
	require.NoError(t, err)
	f.exec(`INSERT INTO core.integration_credentials (tenant_id, integration_id, field, ciphertext) VALUES ($1, $2, 'password', $3)`,
		f.tenant, ref.IntegrationID, sealed)
	loaded, err := f.set.Ingest.load(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, connector.Secrets{"password": "s3cret"}, loaded.secrets)
	foreign, err := f.set.Ingest.deps.Box.Seal(f.tenant.String(), f.tenant.String(), "password", []byte("s3cret"))
	require.NoError(t, err)
	f.exec(`UPDATE core.integration_credentials SET ciphertext = $2 WHERE tenant_id = $1`, f.tenant, foreign)
	_, err = f.set.Ingest.load(t.Context(), ref)
	require.ErrorContains(t, err, "open credential")
}
