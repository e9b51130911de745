package scoring_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/scoring"
)

// demoInput is a demo asset on the day of its story: half-hourly history and a
// fine tail, as a sweep reads it.
func demoInput(t *demo.Tenant, a *demo.Asset, epoch time.Time) scoring.AssetInput {
	in := scoring.AssetInput{AssetID: a.Tag, AsOf: epoch, Life: a.Weibull, AgeDays: a.EffectiveAgeDays, Cost: a.Cost}
	recent := epoch.Add(-2 * time.Hour)
	for _, s := range a.Signals {
		r := t.SignalHistory(nil, s, epoch.AddDate(0, 0, -90), recent, epoch, 30*time.Minute)
		r = t.SignalHistory(r, s, recent, epoch, epoch, time.Second)
		in.Series = append(in.Series, asset.Series{Signal: s.Signal, Readings: r})
	}
	return in
}

// TestDemoPlantsAreReadRight scores every asset of the three demo plants: each
// scripted degradation is found on its signal, by the window and by a stored
// baseline, nothing else is, and both deliberate data faults are named.
func TestDemoPlantsAreReadRight(t *testing.T) {
	t.Parallel()
	content, err := demo.Load()
	require.NoError(t, err)
	epoch := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	episodes := 0
	for _, tenant := range content.Tenants {
		for _, a := range tenant.Assets {
			in := demoInput(tenant, a, epoch)
			s := scoring.Score(in)
			requireSound(t, s)
			require.Equal(t, a.Tag != "RFJ-XF11", s.Trusted, "%s: its laboratory is late", a.Tag)
			require.Equal(t, a.Episode != nil, s.Anomaly.Flag, "%s: %+v", a.Tag, s.Anomaly.Reasons)
			if a.Tag == "SHQ-RO-02" {
				require.Contains(t, codes(s.Trust.Reasons), scoring.CodeWrongUnit)
			}
			if in.Baseline, err = scoring.LearnBaseline(in); s.Trusted {
				require.NoError(t, err)
				require.Equal(t, a.Episode != nil, scoring.Score(in).Anomaly.Flag, "%s with a stored baseline", a.Tag)
			}
			if a.Episode != nil {
				episodes++
				require.Equal(t, a.Episode.Metric, s.Anomaly.Contributors[0].Signal, a.Tag)
			}
		}
	}
	require.Equal(t, 10, episodes)
}
