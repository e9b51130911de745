package demo

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLivesEndWhereTheNextBegins(t *testing.T) {
	t.Parallel()
	failed, planned := 0, 0
	for _, tenant := range load(t).Tenants {
		for _, a := range tenant.Assets {
			lives := tenant.Lives(a, epoch)
			require.NotEmpty(t, lives, a.Tag)
			require.Equal(t, lives, tenant.Lives(a, epoch), "the same lives every time")
			end := epoch.Add(-days(a.EffectiveAgeDays))
			for _, l := range lives {
				require.WithinDuration(t, end, l.EndedAt, time.Second, a.Tag)
				require.Greater(t, l.Days, 0.05*a.Weibull.Eta, a.Tag)
				end = l.EndedAt.Add(-days(l.Days))
				if l.Failed {
					failed++
					require.NotEmpty(t, l.Mode.Code)
				} else {
					planned++
					require.Less(t, l.Days, l.would)
				}
			}
		}
	}
	require.Greater(t, failed, 2*planned)
	require.Greater(t, planned, 15)
}

func TestMembranesWearOutBeforeTheyFail(t *testing.T) {
	t.Parallel()
	tenant, ok := load(t).Tenant("WATER_DEMO")
	require.True(t, ok)
	a, ok := tenant.Asset("SHQ-RO-03")
	require.True(t, ok)
	until := epoch.AddDate(0, 0, -90)
	past := tenant.Past(a, epoch, until)
	require.Greater(t, len(past), 5*365*len(a.Signals)/2)
	days := map[string]map[time.Time]Day{}
	for _, d := range past {
		require.True(t, d.Min <= d.Mean && d.Mean <= d.Max && !math.IsNaN(d.Mean))
		require.True(t, d.Start.Before(until))
		if days[d.Signal.Metric] == nil {
			days[d.Signal.Metric] = map[time.Time]Day{}
		}
		days[d.Signal.Metric][d.Start] = d
	}
	seen := 0
	for _, l := range tenant.Lives(a, epoch) {
		if !l.Failed {
			continue
		}
		last := l.EndedAt.Truncate(24 * time.Hour)
		if last.After(l.EndedAt.Add(-time.Hour)) { // it saw too little of that day
			last = last.AddDate(0, 0, -1)
		}
		s, ok := a.Signal(l.Mode.Metric)
		require.True(t, ok)
		d, ok := days[s.Metric][last]
		if !ok {
			continue
		}
		seen++
		healthy := (s.NormalLow + s.NormalHigh) / 2
		require.Greater(t, (d.Mean-healthy)/(s.Alarm-healthy), 0.6, "%s shows %s at the end", s.Metric, l.Mode.Code)
	}
	require.Greater(t, seen, 3)
	other, ok := tenant.Asset("SHQ-HP-01")
	require.True(t, ok)
	require.Empty(t, tenant.Past(other, epoch, until), "no telemetry of other classes")
}
