package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
)

func TestFleetIndexIsLogarithmicAndBounded(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ loss, fresh, want float64 }{
		{0, 100, 0}, {100, 0, 0}, {100, 100, 0}, {50, 100, 0}, {1e3, 10, 50}, {1e6, 100, 100}, {1e9, 1, 100},
	} {
		require.InDelta(t, x.want, fleetIndex(x.loss, x.fresh), 1e-9, "%v", x)
	}
}

func TestHealthToneFollowsTheBands(t *testing.T) {
	t.Parallel()
	for score, want := range map[float64]string{100: "risk-2", 85: "risk-2", 70: "risk-2", 69.9: "risk-3", 50: "risk-3", 25: "risk-4", 24: "risk-5", 0: "risk-5"} {
		require.Equal(t, want, healthTone(score), score)
	}
}

func TestTrendBreaksWhereNothingWasMeasured(t *testing.T) {
	t.Parallel()
	p := newKit(t).Page(httptest.NewRequest(http.MethodGet, "/", nil))
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	bands := []db.Band{{Start: at, Mean: 1}, {Start: at.Add(time.Hour), Mean: 2}, {Start: at.Add(9 * time.Hour), Mean: 3}}
	warn := 4.5
	got := newTrend(p, db.Signal{NameEn: "Vibration", Unit: "degC", PeriodSeconds: 60, Warn: &warn}, bands, time.Hour)
	require.Len(t, got.Time, 4)
	require.Nil(t, got.Series[0].Values[2])
	require.InDelta(t, 3, *got.Series[0].Values[3], 0)
	require.Equal(t, "°C", got.Series[0].Unit)
	require.Len(t, got.Limits, 1)
}
