package simulate

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

var epoch = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func settings(fault *Fault) Settings {
	level := 2.6
	return Settings{
		Flavour: OPCUA, Endpoint: "opc.tcp://sim:4840/test", Seed: 7, Epoch: epoch, HistoryPeriodSeconds: 1800, Fault: fault,
		Points: []Point{
			{Tag: "A.VIB", Path: "S/A", Name: "vib", Asset: "A", Unit: "mm/s", Low: 1, High: 2.8, Level: &level, Ramp: &Ramp{Rise: 2.5, Days: 19}},
			{Tag: "A.TEMP", Path: "S/A", Name: "temp", Asset: "A", Unit: "degC", Low: 50, High: 75},
			{Tag: "A.GAS", Path: "S/A", Name: "gas", Asset: "A", Unit: "ppm", Low: 5, High: 40, PeriodSeconds: day},
		},
	}
}

func poll(t *testing.T, c *SimulatedConnector, since, until time.Time, tags ...string) connector.Batch {
	t.Helper()
	batch, err := c.Poll(t.Context(), connector.PollRequest{Tags: tags, Since: since, Until: until})
	require.NoError(t, err)
	return batch
}

func TestHealthySignalsStayInTheirBand(t *testing.T) {
	t.Parallel()
	bands := []struct{ low, high float64 }{{1, 2.8}, {-0.5, 1.8}, {0, 1}, {16, 22}, {330, 410}, {0.03, 0.1}, {-40, 40}}
	for seed := range int64(40) {
		for _, band := range bands {
			g := NewGenerator(Point{Tag: "T", Asset: "A", Low: band.low, High: band.high}, seed, epoch)
			low, high := math.Inf(1), math.Inf(-1)
			for i := range int64(14 * 48) {
				v := g.AtUnix(epoch.Unix() + i*1800)
				low, high = min(low, v), max(high, v)
			}
			require.GreaterOrEqual(t, low, band.low, "seed %d", seed)
			require.LessOrEqual(t, high, band.high, "seed %d", seed)
			require.Greater(t, high-low, 0.25*(band.high-band.low), "a dead signal is no signal, seed %d", seed)
		}
	}
}

func TestNoiseIsCorrelatedAndLoadIsShared(t *testing.T) {
	t.Parallel()
	series := func(p Point, lag int64) []float64 {
		g := NewGenerator(p, 3, epoch)
		values := make([]float64, 2000)
		for i := range values {
			values[i] = g.AtUnix(epoch.Unix() + (int64(i)+lag)*600)
		}
		return values
	}
	a := Point{Tag: "X", Asset: "A", Low: 0, High: 10, LoadGain: 0.6}
	b := Point{Tag: "Y", Asset: "A", Low: 20, High: 50, LoadGain: 0.6}
	other := Point{Tag: "Z", Asset: "B", Low: 0, High: 10, LoadGain: -0.6}
	require.Greater(t, correlation(series(a, 0), series(a, 1)), 0.85, "neighbouring samples")
	require.Greater(t, correlation(series(a, 0), series(b, 0)), 0.6, "points of one asset")
	require.Less(t, correlation(series(a, 0), series(other, 0)), 0.0, "opposite gain")
}

func correlation(x, y []float64) float64 {
	n := float64(len(x))
	var sx, sy, sxx, syy, sxy float64
	for i := range x {
		sx, sy = sx+x[i], sy+y[i]
		sxx, syy, sxy = sxx+x[i]*x[i], syy+y[i]*y[i], sxy+x[i]*y[i]
	}
	return (n*sxy - sx*sy) / math.Sqrt((n*sxx-sx*sx)*(n*syy-sy*sy))
}

func TestEpisodeReachesItsEndAtTheEpoch(t *testing.T) {
	t.Parallel()
	g := NewGenerator(settings(nil).Points[0], 7, epoch)
	around := func(days float64) float64 {
		var sum float64
		for i := range int64(97) {
			sum += g.AtUnix(epoch.Unix() + int64(days*day) + (i-48)*900)
		}
		return sum / 97
	}
	require.InDelta(t, 2.6, around(-40), 0.25)
	require.InDelta(t, 2.6, around(-20), 0.25)
	require.InDelta(t, 5.1, around(0), 0.3)
	require.Greater(t, around(10), around(0)+0.3, "it creeps on")
	require.Less(t, around(400), 7.5, "and saturates")
	previous := around(-19)
	for d := -17.0; d <= 20; d += 2 {
		now := around(d)
		require.Greater(t, now, previous-0.25, "day %g", d)
		previous = now
	}
}

func TestCounterAndSteps(t *testing.T) {
	t.Parallel()
	level := 1000.0
	g := NewGenerator(Point{Tag: "C", Asset: "A", Low: 0, High: 24000, Level: &level, Counter: true, PerDay: 12,
		Ramp: &Ramp{Rise: 90, Days: 9, Steps: 9}}, 1, epoch)
	require.InDelta(t, 1090, g.At(epoch), 0.1)
	require.InDelta(t, 1000-120, g.At(epoch.AddDate(0, 0, -10)), 0.1)
	last := math.Inf(-1)
	for i := range int64(1000) {
		v := g.AtUnix(epoch.Unix() - 12*day + i*1800)
		require.GreaterOrEqual(t, v, last, "a counter never falls")
		last = v
	}
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	c := New(settings(nil))
	require.Len(t, poll(t, c, epoch.Add(-time.Hour), epoch, "A.TEMP").Readings, 60)
	require.Len(t, poll(t, c, epoch.AddDate(0, 0, -10), epoch, "A.GAS").Readings, 10)
	batch, err := c.Backfill(t.Context(), connector.PollRequest{Tags: []string{"A.TEMP"}, Since: epoch.Add(-24 * time.Hour), Until: epoch})
	require.NoError(t, err)
	require.Len(t, batch.Readings, 48, "history at its own period")
	live := poll(t, c, epoch.Add(-24*time.Hour), epoch, "A.TEMP").Readings
	require.Equal(t, live[len(live)-1], batch.Readings[47], "thinned, not averaged")
	batch, err = c.Backfill(t.Context(), connector.PollRequest{Tags: []string{"A.TEMP"}, Since: epoch.Add(-24 * time.Hour), Until: epoch, Period: 90 * time.Second})
	require.NoError(t, err)
	require.Len(t, batch.Readings, 24*30, "rounded up to a multiple of the sampling")
}

func TestDeadSubscriptionHealsWithItsReadings(t *testing.T) {
	t.Parallel()
	start := epoch.Add(-3 * time.Hour)
	c := New(settings(&Fault{Kind: FaultDeadSubscription, Tags: []string{"A.VIB"}, StartUnix: start.Unix(), DurationSeconds: 1800, EverySeconds: day}))
	silent := poll(t, c, start, start.Add(20*time.Minute), "A.VIB", "A.TEMP")
	require.Len(t, only(silent, "A.VIB"), 0)
	require.Len(t, only(silent, "A.TEMP"), 20)
	require.Empty(t, silent.Notices)

	healed := poll(t, c, start.Add(20*time.Minute), start.Add(40*time.Minute), "A.VIB", "A.TEMP")
	require.Len(t, only(healed, "A.VIB"), 41, "the 30 silent minutes and those after")
	require.Equal(t, start, only(healed, "A.VIB")[0].Time)
	require.Equal(t, []connector.Notice{{Time: start.Add(30 * time.Minute), Key: connector.NoticeResubscribed, Tags: []string{"A.VIB"}}}, healed.Notices)

	archive, err := c.Backfill(t.Context(), connector.PollRequest{Tags: []string{"A.VIB"}, Since: start, Until: start.Add(20 * time.Minute), Period: time.Minute})
	require.NoError(t, err)
	require.Len(t, archive.Readings, 20, "the archive was never silent")

	var all []connector.Reading
	for since := start.Add(-time.Hour); since.Before(epoch.AddDate(0, 0, 2)); since = since.Add(7 * time.Minute) {
		all = append(all, poll(t, c, since, since.Add(7*time.Minute), "A.VIB").Readings...)
	}
	require.Greater(t, len(all), 3000)
	for i := 1; i < len(all); i++ {
		require.Equal(t, time.Minute, all[i].Time.Sub(all[i-1].Time), "no gap, no duplicate at %s", all[i].Time)
	}
}

func only(batch connector.Batch, tag string) []connector.Reading {
	var kept []connector.Reading
	for _, r := range batch.Readings {
		if r.ExternalTag == tag {
			kept = append(kept, r)
		}
	}
	return kept
}

func TestLateFeed(t *testing.T) {
	t.Parallel()
	c := New(settings(&Fault{Kind: FaultLateFeed, Tags: []string{"A.GAS"}, LagSeconds: 9 * day}))
	readings := poll(t, c, epoch.AddDate(0, 0, -3), epoch, "A.GAS").Readings
	require.Len(t, readings, 3)
	age := epoch.Sub(readings[2].Time)
	require.GreaterOrEqual(t, age, 9*24*time.Hour)
	require.Less(t, age, 10*24*time.Hour)
	request := connector.PollRequest{Tags: []string{"A.GAS"}, Since: epoch.AddDate(0, 0, -30), Until: epoch.AddDate(0, 0, -12), AsOf: epoch}
	archive, err := c.Backfill(t.Context(), request)
	require.NoError(t, err)
	require.Len(t, archive.Readings, 18, "an old window is complete as of today")
}

func TestWrongUnit(t *testing.T) {
	t.Parallel()
	truth := New(settings(nil))
	c := New(settings(&Fault{Kind: FaultWrongUnit, Tags: []string{"A.TEMP"}, StartUnix: epoch.Unix(), Factor: 14.5, Unit: "psi"}))
	before := poll(t, c, epoch.Add(-5*time.Minute), epoch.Add(-time.Minute), "A.TEMP").Readings
	require.Equal(t, poll(t, truth, epoch.Add(-5*time.Minute), epoch.Add(-time.Minute), "A.TEMP").Readings, before)
	after := poll(t, c, epoch, epoch.Add(time.Minute), "A.TEMP").Readings
	require.Len(t, after, 1)
	require.Equal(t, "psi", after[0].Unit)
	require.InDelta(t, 14.5*poll(t, truth, epoch, epoch.Add(time.Minute), "A.TEMP").Readings[0].Value, after[0].Value, 1e-9)
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	c := New(settings(&Fault{Kind: FaultUnreachable, StartUnix: epoch.Unix(), DurationSeconds: 600}))
	c.now = func() time.Time { return epoch.Add(time.Minute) }
	_, err := c.Poll(t.Context(), connector.PollRequest{Tags: []string{"A.VIB"}, Since: epoch, Until: epoch.Add(time.Minute)})
	require.Equal(t, fault.Unavailable, fault.CodeOf(err))
	steps := c.Test(t.Context())
	require.Len(t, steps, 2)
	require.Equal(t, connector.StepTCP, steps[1].Name)
	require.Equal(t, connector.KeyUnreachable, steps[1].Code)
	require.Len(t, poll(t, c, epoch, epoch.Add(11*time.Minute), "A.VIB").Readings, 11, "nothing is lost once it answers")
}

func TestSettingsSurviveStorage(t *testing.T) {
	t.Parallel()
	want := settings(&Fault{Kind: FaultLateFeed, Tags: []string{"A.GAS"}, LagSeconds: 60})
	config, err := want.Config()
	require.NoError(t, err)
	require.Empty(t, Spec().Validate(config))
	opened, err := connector.Open(Kind, config, connector.Secrets{"password": "x"}, nil)
	require.NoError(t, err)
	require.Equal(t, want, opened.(*SimulatedConnector).settings)
}

func TestBadPointsAndFaultsAreRefused(t *testing.T) {
	t.Parallel()
	change := func(mutate func(*Settings)) map[string]string {
		s := settings(&Fault{Kind: FaultLateFeed, LagSeconds: 60})
		mutate(&s)
		config, err := s.Config()
		require.NoError(t, err)
		return Spec().Validate(config)
	}
	cases := map[string]struct {
		field  string
		mutate func(*Settings)
	}{
		"band upside down": {"points", func(s *Settings) { s.Points[0].Low, s.Points[0].High = 2, 1 }},
		"tag twice":        {"points", func(s *Settings) { s.Points[1].Tag = s.Points[0].Tag }},
		"tag empty":        {"points", func(s *Settings) { s.Points[1].Tag = "" }},
		"ramp of no days":  {"points", func(s *Settings) { s.Points[0].Ramp = &Ramp{Rise: 1} }},
		"gain over one":    {"points", func(s *Settings) { s.Points[0].LoadGain = 1.5 }},
		"ramp, no epoch":   {"epoch", func(s *Settings) { s.Epoch = time.Time{} }},
		"unknown fault":    {"fault", func(s *Settings) { s.Fault.Kind = "gremlin" }},
		"lag of nothing":   {"fault", func(s *Settings) { s.Fault.LagSeconds = 0 }},
		"window repeats into itself": {"fault", func(s *Settings) {
			s.Fault = &Fault{Kind: FaultUnreachable, DurationSeconds: 60, EverySeconds: 30}
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, change(c.mutate), c.field)
		})
	}
	config := connector.Config{"flavour": "opcua", "endpoint": "x", "fault": map[string]any{"kind": "late_feed", "surprise": 1.0}}
	require.Contains(t, Spec().Validate(config), "fault")
}
