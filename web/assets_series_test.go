package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
)

func TestTimelineBreaksWhereNothingWasMeasured(t *testing.T) {
	t.Parallel()
	p := newKit(t).Page(httptest.NewRequest(http.MethodGet, "/", nil))
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	warn := 4.5
	x := seriesRows{
		signal:   db.Signal{NameEn: "Vibration", Unit: "degC", PeriodSeconds: 60, Warn: &warn, Sense: "lo"},
		bands:    []db.Band{{Start: at, Mean: 1, Max: 7}, {Start: at.Add(time.Hour), Mean: 2}, {Start: at.Add(9 * time.Hour), Mean: 3}},
		expected: []db.ExpectedValuesRow{{AsOf: at.Add(20 * time.Minute), Expected: 1.5}, {AsOf: at.Add(5 * time.Hour), Expected: 1.6}},
		episodes: []episode{{Began: at, Ended: at.Add(time.Hour), Peak: 3}},
	}
	got := newTimeline(p, x, window{from: at, to: at.Add(10 * time.Hour), step: time.Hour})
	require.Len(t, got.Time, 5, "three measured, one gap, one that only a score speaks of")
	require.IsIncreasing(t, got.Time)
	require.Equal(t, []string{"mean", "low", "high", "expected"}, []string{got.Series[0].Kind, got.Series[1].Kind, got.Series[2].Kind, got.Series[3].Kind})
	require.Nil(t, got.Series[0].Values[2])
	require.InDelta(t, 3, *got.Series[0].Values[4], 0)
	require.InDelta(t, 7, *got.Series[2].Values[0], 0, "a peak stays visible")
	require.InDelta(t, 1.5, *got.Series[3].Values[0], 0, "the score of twenty past belongs to the hour")
	require.Equal(t, "°C", got.Series[0].Unit)
	require.Len(t, got.Limits, 1)
	require.True(t, got.Limits[0].Low)
	require.Len(t, got.Spans, 1)
	require.Empty(t, got.Spans[0].Href, "no alert was raised")
	require.Nil(t, got.Index)
}

func TestWindowsHaveBoundedSteps(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 10, 7, 31, 0, time.UTC)
	for name, step := range map[string]time.Duration{"24h": 2 * time.Minute, "7d": 15 * time.Minute, "30d": time.Hour, "90d": 3 * time.Hour, "1y": 12 * time.Hour, "": 15 * time.Minute} {
		w := windowOf(url.Values{"range": {name}}, now)
		require.Equal(t, step, w.step, name)
		require.False(t, w.to.Before(now), name)
		require.LessOrEqual(t, w.to.Sub(w.from)/w.step, time.Duration(seriesPoints+1), name)
	}
	zoom := func(from, to time.Time) window {
		return windowOf(url.Values{"from": {strconv.FormatInt(from.Unix(), 10)}, "to": {strconv.FormatInt(to.Unix(), 10)}, "range": {"1y"}}, now)
	}
	w := zoom(now.Add(-3*time.Hour), now.Add(-time.Hour))
	require.Equal(t, time.Minute, w.step)
	require.WithinDuration(t, now.Add(-3*time.Hour), w.from, time.Minute)
	require.GreaterOrEqual(t, zoom(now.Add(-time.Second), now).to.Sub(zoom(now.Add(-time.Second), now).from), shortestWindow)
	require.LessOrEqual(t, zoom(now.AddDate(-30, 0, 0), now).to.Sub(zoom(now.AddDate(-30, 0, 0), now).from), longestWindow+2*oneDay)
	for _, bad := range []url.Values{{"from": {"9"}, "to": {"3"}}, {"from": {"-5"}, "to": {"3"}}, {"from": {"1"}, "to": {"99999999999999"}}, {"from": {"x"}}} {
		require.Equal(t, 15*time.Minute, windowOf(bad, now).step, bad)
	}
}

func TestEpisodesFindTheirAlerts(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	rows := []db.AnomalyEpisodesRow{{Began: at.Add(48 * time.Hour), Ended: at.Add(60 * time.Hour), Peak: 2}, {Began: at, Ended: at.Add(6 * time.Hour), Peak: 4}}
	first, lonely := uuid.New(), uuid.New()
	got, err := joinEpisodes(rows, []db.AnomalyAlertsRow{
		{ID: first, State: "confirmed", RaisedAt: at.Add(time.Hour), EndedAt: at.Add(8 * time.Hour), Detail: []byte(`{}`)},
		{ID: lonely, State: "false", RaisedAt: at.AddDate(0, 0, 20), EndedAt: at.AddDate(0, 0, 22), Detail: []byte(`{"index":3.5}`)},
	})
	require.NoError(t, err)
	require.Len(t, got, 3)
	require.InDelta(t, 3.5, got[0].Peak, 0, "the newest first, whatever it comes from")
	require.Equal(t, "/alerts/"+lonely.String(), got[0].href())
	require.Empty(t, got[1].href())
	require.Equal(t, "/alerts/"+first.String(), got[2].href())
	_, err = joinEpisodes(nil, []db.AnomalyAlertsRow{{Detail: []byte(`[`)}})
	require.Error(t, err)
}

func TestTheStepsOfALifeAddUp(t *testing.T) {
	t.Parallel()
	p := newKit(t).Page(httptest.NewRequest(http.MethodGet, "/?lang=en", nil))
	id := uuid.New()
	r := scoring.RUL{Base: 200, CapDays: 730}
	for i := range 12 {
		r.Contributions = append(r.Contributions, scoring.Contribution{Signal: "s" + strconv.Itoa(i), Days: float64(i-9) * 3.25})
	}
	r.Contributions = append(r.Contributions, scoring.Contribution{Days: 4})
	r.Value = r.Base
	for _, c := range r.Contributions {
		r.Value += c.Days
	}
	steps := lifeFlow(p, id, r, signalBook{{id, "s0"}: "Vibration"})
	require.Len(t, steps, lifeSteps+3, "base, the greatest, the rest, the result")
	require.Equal(t, "Vibration", steps[1].Label, "the greatest first")
	sum := 0.0
	for _, s := range steps[:len(steps)-1] {
		sum += s.Value
	}
	require.InDelta(t, r.Value, sum, 1e-9)
	require.True(t, steps[len(steps)-1].Total)
}
