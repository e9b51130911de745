package learning_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
	"github.com/optria-iq/optria/internal/scoring/learning"
)

// situation is a case whose signal leaves its usual level by shift over the
// last three days.
func situation(n int, shift float64) learning.Case {
	rng := rand.New(rand.NewPCG(uint64(n), 3))
	at := start.AddDate(0, 0, 60+3*n)
	g := asset.Signal{ID: 1, Metric: "vib", Unit: "mm/s", NormalLow: 0, NormalHigh: 10, Warn: 20, Alarm: 30, Sense: asset.SenseHigh, Period: time.Hour}
	other := g
	other.ID, other.Metric = 2, "temp"
	in := scoring.AssetInput{AssetID: fmt.Sprint(n), AsOf: at, Life: asset.Weibull{Beta: 2, Eta: 1000}, AgeDays: 100,
		Series: []asset.Series{{Signal: g}, {Signal: other}}}
	for t := at.AddDate(0, 0, -60); !t.After(at); t = t.Add(time.Hour) {
		level := 5.0
		if at.Sub(t) < 72*time.Hour {
			level += shift
		}
		in.Series[0].Readings = append(in.Series[0].Readings, asset.Reading{Time: t, Value: level + 0.4*rng.NormFloat64()})
		in.Series[1].Readings = append(in.Series[1].Readings, asset.Reading{Time: t, Value: 5 + 0.4*rng.NormFloat64()})
	}
	return learning.Case{Input: in, At: at}
}

// judged are verdicts of engineers for whom a shift of 3.5 is ordinary and one
// of 9 is not, and quiet weeks.
func judged() []learning.Case {
	var cases []learning.Case
	for n := range 20 {
		c := situation(n, 3.5)
		if n%2 == 0 {
			c = situation(n, 9)
			c.Real = true
		}
		cases = append(cases, c)
	}
	for n := range 6 {
		c := situation(100+n, 0)
		c.Quiet = true
		cases = append(cases, c)
	}
	return cases
}

func TestLimitsFollowTheVerdicts(t *testing.T) {
	t.Parallel()
	tight := learning.Limits{Factor: 1, Materiality: 0.1}
	report, err := learning.Calibrate(t.Context(), judged(), tight)
	require.NoError(t, err)
	require.True(t, report.Verdict.Promote, "%+v", report)
	require.Greater(t, report.Candidate.Materiality, tight.Materiality)
	require.Equal(t, 1.0, report.Candidate.Recall, "what engineers confirmed is still found")
	require.Greater(t, report.Candidate.F1, report.Active.F1)
	require.Equal(t, 8, report.Candidate.Confirmed+report.Candidate.Rejected, "measured on the newer 40 %")

	again, err := learning.Calibrate(t.Context(), judged(), report.Candidate.Limits)
	require.NoError(t, err)
	require.False(t, again.Verdict.Promote, "limits are not better than themselves")
	require.Equal(t, learning.ReasonNotBetter, again.Verdict.Reason)
}

func TestTooFewVerdictsAreSaid(t *testing.T) {
	t.Parallel()
	var little *learning.TooLittleError
	all := judged()
	_, err := learning.Calibrate(t.Context(), all[:5], learning.DefaultLimits())
	require.ErrorAs(t, err, &little)
	require.Equal(t, "labels", little.What)
	for i := range all {
		all[i].Real = false
	}
	_, err = learning.Calibrate(t.Context(), all, learning.DefaultLimits())
	require.ErrorAs(t, err, &little)
	require.Equal(t, "confirmed", little.What)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = learning.Calibrate(ctx, judged(), learning.DefaultLimits())
	require.ErrorIs(t, err, context.Canceled)
}
