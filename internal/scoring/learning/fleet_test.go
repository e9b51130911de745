package learning_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/learning"
	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

var start = time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)

// fleet draws lives one after the other on three assets. Wear shows in the
// first signal during the last 45 days of those that failed; gain is how
// clearly, and the second signal means nothing.
func fleet(seed uint64, lives int, gain float64) learning.Fleet {
	rng := rand.New(rand.NewPCG(seed, 9))
	f := learning.Fleet{Class: "PMP", Signals: []string{"dp", "temp"}}
	began := []time.Time{start, start.AddDate(0, 0, 20), start.AddDate(0, 0, 50)}
	for i := range lives {
		days := 60 + rng.IntN(80)
		a := i % len(began)
		l := learning.Life{ID: fmt.Sprintf("%d-%02d", seed, i), Asset: fmt.Sprint("P-", a), Start: began[a], Days: float64(days), Failed: i%6 != 5}
		began[a] = began[a].AddDate(0, 0, days)
		l.End = began[a]
		for d := range days {
			wear := max(0, 1-float64(days-1-d)/45)
			if !l.Failed {
				wear = 0
			}
			l.Rows = append(l.Rows, []float64{1 + gain*math.Pow(wear, 1.5) + 0.05*rng.NormFloat64(), 30 + rng.NormFloat64()})
		}
		f.Lives = append(f.Lives, l)
	}
	return f
}

func train(t *testing.T, f learning.Fleet) learning.Contender {
	t.Helper()
	c, err := trained(t.Context(), f)
	require.NoError(t, err)
	return c
}

func trained(ctx context.Context, f learning.Fleet) (learning.Contender, error) {
	model, memory, err := learning.Train(ctx, f)
	return learning.Contender{Model: model, Memory: memory}, err
}

const someLives = 26

// telling and silent are fleets whose wear shows and does not show, with the
// models learned from them; training takes seconds, so tests share them.
var (
	telling      = fleet(1, someLives, 1)
	silent       = fleet(1, someLives, 0)
	learnTelling = sync.OnceValues(func() (learning.Contender, error) { return trained(context.Background(), telling) })
	learnSilent  = sync.OnceValues(func() (learning.Contender, error) { return trained(context.Background(), silent) })
)

func contenders(t *testing.T) (good, bad learning.Contender) {
	t.Helper()
	good, err := learnTelling()
	require.NoError(t, err)
	bad, err = learnSilent()
	require.NoError(t, err)
	return good, bad
}

func contest(t *testing.T, f learning.Fleet, candidate learning.Contender, active *learning.Contender) learning.Report {
	t.Helper()
	report, err := learning.Contest(t.Context(), f, candidate, active)
	require.NoError(t, err)
	return report
}

func TestFirstModelMustBeatTheWeibullLife(t *testing.T) {
	t.Parallel()
	good, bad := contenders(t)
	report := contest(t, telling, good, nil)
	require.True(t, report.Verdict.Promote, "%+v", report.Verdict)
	require.Equal(t, learning.ReasonBeatsBaseline, report.Verdict.Reason)
	require.Less(t, report.Candidate.RMSECapped, 0.8*report.Baseline.RMSE)
	require.Equal(t, len(good.Memory.Held), report.Candidate.Lives)
	require.NotEmpty(t, report.Scatter)

	report = contest(t, silent, bad, nil)
	require.False(t, report.Verdict.Promote, "signals that say nothing do not beat the age: %+v", report.Verdict)
}

func TestOnlyABetterModelTakesOver(t *testing.T) {
	t.Parallel()
	good, bad := contenders(t)
	report := contest(t, telling, bad, &good)
	require.False(t, report.Verdict.Promote)
	require.NotNil(t, report.Active)
	report = contest(t, telling, good, &bad)
	require.True(t, report.Verdict.Promote, "%+v", report.Verdict)
	require.Equal(t, learning.ReasonBeatsActive, report.Verdict.Reason)
	report = contest(t, telling, good, &good)
	require.Equal(t, learning.ReasonNotBetter, report.Verdict.Reason, "the same model is not better than itself")
}

func TestHeldOutLivesAreNeverLearnedFrom(t *testing.T) {
	t.Parallel()
	good, _ := contenders(t)
	before, err := good.Model.MarshalBinary()
	require.NoError(t, err)
	f := fleet(1, someLives, 1)
	d, err := f.Divide()
	require.NoError(t, err)
	held := map[string]bool{}
	for _, l := range d.Held {
		held[l.ID] = true
		for _, past := range d.Train {
			require.False(t, past.End.After(l.End), "what ended later is not learned from")
		}
	}
	for i, l := range f.Lives {
		if held[l.ID] {
			for d := range l.Rows {
				f.Lives[i].Rows[d] = []float64{1e6, -1e6}
			}
		}
	}
	after, err := train(t, f).Model.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, before, after, "the same bytes whatever the held-out lives say")
}

func TestTooFewLivesAreSaid(t *testing.T) {
	t.Parallel()
	var little *learning.TooLittleError
	_, _, err := learning.Train(t.Context(), fleet(5, 7, 1))
	require.ErrorAs(t, err, &little)
	require.Equal(t, learning.TooLittleError{What: "lives", Have: 6, Need: learning.LeastLives}, *little)

	dark := fleet(5, someLives, 1)
	for i := range dark.Lives {
		for d := range dark.Lives[i].Rows {
			dark.Lives[i].Rows[d] = []float64{math.NaN(), math.NaN()}
		}
	}
	_, _, err = learning.Train(t.Context(), dark)
	require.ErrorAs(t, err, &little)
	require.Zero(t, little.Have, "lives without readings teach nothing")

	good, knowing := contenders(t)
	for _, l := range telling.Lives {
		knowing.Memory.Lives = append(knowing.Memory.Lives, l.ID)
	}
	_, err = learning.Contest(t.Context(), telling, good, &knowing)
	require.ErrorAs(t, err, &little)
	require.Equal(t, "held_out", little.What, "no fair comparison on lives that one of them knows")
}

// month returns what a fleet measured during the month in which its first
// held-out life ended.
func month(t *testing.T, f learning.Fleet) (rows [][]float64) {
	t.Helper()
	d, err := f.Divide()
	require.NoError(t, err)
	from := d.Held[0].End.AddDate(0, 0, -30)
	for _, l := range f.Lives {
		for i, row := range l.Rows {
			if day := l.Start.AddDate(0, 0, i); !day.Before(from) && day.Before(d.Held[0].End) {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

func TestDriftOfAFleet(t *testing.T) {
	t.Parallel()
	good, _ := contenders(t)
	recent := month(t, telling)
	found, err := good.Memory.Reference.Check(recent)
	require.NoError(t, err)
	require.False(t, found.Alarm, "%+v", found)
	moved := make([][]float64, len(recent))
	for i, row := range recent {
		moved[i] = []float64{row[0], row[1] + 15}
	}
	found, err = good.Memory.Reference.Check(moved)
	require.NoError(t, err)
	require.True(t, found.Alarm)
	require.Equal(t, "temp", found.Features[0].Name)

	residual, err := good.Memory.Residual(t.Context(), good.Model, fleet(8, 12, 1).Lives)
	require.NoError(t, err)
	require.False(t, residual.Alarm, "%+v", residual)
	residual, err = good.Memory.Residual(t.Context(), good.Model, fleet(9, 24, 0).Lives)
	require.NoError(t, err)
	require.True(t, residual.Alarm, "failures without the learned signs: %+v", residual)
}

func TestTrainingStopsWhenAsked(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := learning.Train(ctx, telling)
	require.ErrorIs(t, err, context.Canceled)
	_, err = learning.Contest(ctx, telling, learning.Contender{Model: &prognosis.Model{}}, nil)
	require.ErrorIs(t, err, context.Canceled)
}

func TestKinds(t *testing.T) {
	t.Parallel()
	family, class, err := learning.Parse(learning.RUL("ROT"))
	require.NoError(t, err)
	require.Equal(t, []string{learning.FamilyRUL, "ROT"}, []string{family, class})
	for _, kind := range []string{"", "rul", "rul:", "asset_score", "anomaly:x"} {
		_, _, err := learning.Parse(kind)
		require.ErrorIs(t, err, learning.ErrKind, kind)
	}
}
