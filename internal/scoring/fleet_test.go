package scoring_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

// wear is one day of a pump whose vibration and bearing temperature rise over
// its last weeks: left days before it fails.
func wear(rng *rand.Rand, left float64) []float64 {
	gone := max(0, 1-left/60)
	return []float64{
		1.9 + 2.2*gone*gone + 0.05*rng.NormFloat64(),
		62 + 9*gone + 0.8*rng.NormFloat64(),
		600 + 15*rng.NormFloat64(),
	}
}

// fleetOfPumps is a model learned on thirty lives of 60 to 200 days.
var fleetOfPumps = sync.OnceValues(func() (*prognosis.Model, error) {
	rng := rand.New(rand.NewPCG(12, 1))
	units := make([]prognosis.Unit, 30)
	for i := range units {
		units[i].ID = fmt.Sprintf("life-%02d", i)
		for left := 60 + rng.IntN(140); left >= 0; left-- {
			units[i].Rows = append(units[i].Rows, wear(rng, float64(left)))
		}
	}
	return prognosis.Fit(context.Background(), units, prognosis.Config{
		Signals: []string{"vib", "brg_temp", "flow"}, Cap: 60, Trees: 60, Seed: 1})
})

// worn is a pump at an age with left days to live, and its daily rows.
func worn(t *testing.T, seed uint64, age int, left float64) scoring.AssetInput {
	t.Helper()
	m, err := fleetOfPumps()
	require.NoError(t, err)
	in := pump(newPlant(seed).series(pumpSignals()))
	in.Prognosis, in.PrognosisVersion, in.AgeDays = m, "7", float64(age)
	rng := rand.New(rand.NewPCG(seed, 9))
	for d := range age {
		in.LifeRows = append(in.LifeRows, wear(rng, left+float64(age-1-d)))
	}
	return in
}

func TestFleetModelPredictsAndExplains(t *testing.T) {
	t.Parallel()
	in := worn(t, 3, 120, 20)
	in.Modes = in.Modes[1:2] // vibration alone, which the fleet model sees
	s := scoring.Score(in)
	requireSound(t, s)
	p, err := in.Prognosis.Predict(in.LifeRows)
	require.NoError(t, err)
	require.False(t, p.BeyondCap)
	require.Equal(t, scoring.ModelFleetRUL, s.RUL.ModelID)
	require.Equal(t, scoring.ModelFleetFailure, s.Failure.ModelID)
	require.Equal(t, "7", s.RUL.ModelVersion)
	require.Equal(t, in.Prognosis.CalibrationSize(), s.RUL.CalibrationSize)
	require.InDelta(t, 20, s.RUL.Value, 8)
	require.InDelta(t, p.Remaining, s.RUL.Value, 1e-6, "no other mode, nothing beyond the cap")
	require.InDelta(t, p.Lo, s.RUL.Lo, 1e-6)
	require.InDelta(t, p.Hi, s.RUL.Hi, 1e-6)
	for _, h := range []float64{7, 30} {
		got := map[float64]scoring.Estimate{7: s.Failure.P7, 30: s.Failure.P30}[h]
		require.InDelta(t, p.FailureWithin(h), got.Value, 1e-9)
		require.Less(t, got.Lo, got.Hi)
	}
	require.Greater(t, s.Failure.P30.Value, 0.6)
	requireSum(t, s.RUL)
	top, days := "", 0.0
	for _, c := range s.RUL.Contributions {
		if c.Part == scoring.PartSignal && c.Days < days {
			top, days = c.Signal, c.Days
		}
	}
	require.Contains(t, []string{"vib", "brg_temp"}, top)
	require.Len(t, s.RUL.Similar, 5)
	for _, l := range s.RUL.Similar {
		require.Contains(t, l.LifeID, "life-")
		require.InDelta(t, 20, l.Remaining, 15)
	}
}

// requireSum checks that the parts add up to the value.
func requireSum(t *testing.T, r scoring.RUL) {
	t.Helper()
	sum := r.Base
	for _, c := range r.Contributions {
		sum += c.Days
	}
	require.InDelta(t, r.Value, sum, 1e-9)
}

// TestOtherModesAndLaterDaysComeFromTheLife joins both models in closed form.
func TestOtherModesAndLaterDaysComeFromTheLife(t *testing.T) {
	t.Parallel()
	in := worn(t, 4, 60, 250) // as good as new
	s := scoring.Score(in)
	requireSound(t, s)
	requireSum(t, s.RUL)
	p, err := in.Prognosis.Predict(in.LifeRows)
	require.NoError(t, err)
	require.True(t, p.BeyondCap)
	h := func(d float64) float64 { return math.Pow((60+d)/900, 2) - math.Pow(60/900.0, 2) }
	rate := func(occurrence float64) float64 { return math.Pow(10, (occurrence-10)/3) }
	// Of the modes only VIB shows in a signal of the fleet model.
	others := (rate(5) + rate(2)) / (2*rate(5) + rate(2))
	want := func(d float64) float64 {
		near := min(d, 60)
		return 1 - (1-p.FailureWithin(near))*math.Exp(-others*h(near)-(h(d)-h(near)))
	}
	require.InDelta(t, want(30), s.Failure.P30.Value, 1e-9)
	require.InDelta(t, want(90), s.Failure.P90.Value, 1e-9)
	require.Greater(t, s.RUL.Value, 60.0)
	require.InDelta(t, 0.5, want(s.RUL.Value), 1e-6)
	require.Less(t, s.RUL.Lo, s.RUL.Value)
	year := in
	year.HorizonDays = 365
	require.InDelta(t, want(365), scoring.Score(year).Failure.Value, 1e-9)
	require.InDelta(t, -math.Log1p(-want(30))/h(30), s.Failure.HazardRatio, 1e-6)
}

func TestFleetHazardGoesToTheDrivingMode(t *testing.T) {
	t.Parallel()
	in := worn(t, 5, 120, 12)
	in.Modes = append(in.Modes, asset.FailureMode{ID: "m4", Code: "FLW", Metric: "flow", Severity: 6, Occurrence: 5})
	s := scoring.Score(in)
	requireSound(t, s)
	share := map[string]float64{}
	for _, m := range s.Failure.Modes {
		share[m.Code] = m.Share
	}
	require.Greater(t, share["VIB"], 0.6, "%v", share)
	require.Greater(t, share["VIB"], 5*share["FLW"])
	require.Equal(t, "VIB", s.Failure.Modes[0].Code)
}

// TestEvidenceOutsideTheFleetModelCounts raises a signal that it does not read.
func TestEvidenceOutsideTheFleetModelCounts(t *testing.T) {
	t.Parallel()
	quiet := scoring.Score(worn(t, 6, 100, 250))
	in := worn(t, 6, 100, 250)
	in.Series = newPlant(6).series(pumpSignals(), ramp{"seal_p", 10.2, 20})
	loud := scoring.Score(in)
	require.Equal(t, "seal_p", loud.Failure.Evidence.Signal)
	require.Greater(t, loud.Failure.P30.Value, 1.5*quiet.Failure.P30.Value)
	require.Equal(t, "ELP", loud.Failure.Modes[0].Code)
	in.Series = newPlant(6).series(pumpSignals(), ramp{"vib", 6.5, 20})
	seen := scoring.Score(in)
	require.Equal(t, "vib", seen.Failure.Evidence.Signal)
	require.InDelta(t, quiet.Failure.P30.Value, seen.Failure.P30.Value, 1e-9, "its rows say that it has long to live")
}

// TestLifeRowsComeFromTheReadings takes the days since the renewal from the
// window where it reaches back so far.
func TestLifeRowsComeFromTheReadings(t *testing.T) {
	t.Parallel()
	in := worn(t, 7, 80, 25)
	rows := in.LifeRows
	given := scoring.Score(in).RUL
	in.LifeRows = nil
	for j, metric := range []int{0, 1, 3} {
		r := in.Series[metric].Readings
		for i := range r {
			if back := int(asOf.Sub(r[i].Time).Hours() / 24); back < 80 {
				r[i].Value = rows[79-back][j] + 0.001*math.Sin(float64(i))
			}
		}
	}
	s := scoring.Score(in)
	requireSound(t, s)
	require.Equal(t, scoring.ModelFleetRUL, s.RUL.ModelID)
	require.InDelta(t, given.Value, s.RUL.Value, 1.5)
}

func TestFleetModelIsLeftAsideForAReason(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(in *scoring.AssetInput)
		code   scoring.Code
		detail string
	}{
		"signal lost":   {func(in *scoring.AssetInput) { in.Series[1].Readings = nil }, scoring.CodeFleetSignals, "brg_temp"},
		"young":         {func(in *scoring.AssetInput) { in.LifeRows = in.LifeRows[:10] }, scoring.CodeFleetLife, ""},
		"window short":  {func(in *scoring.AssetInput) { in.LifeRows, in.AgeDays = nil, 300 }, scoring.CodeFleetLife, ""},
		"other columns": {func(in *scoring.AssetInput) { in.LifeRows[3] = []float64{1} }, scoring.CodeFleetSignals, "row 4"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := worn(t, 8, 100, 20)
			tc.change(&in)
			s := scoring.Score(in)
			requireSound(t, s)
			requireSum(t, s.RUL)
			require.Equal(t, scoring.ModelRUL, s.RUL.ModelID)
			require.Equal(t, scoring.Version, s.RUL.ModelVersion)
			require.Empty(t, s.RUL.Similar)
			i := indexOf(s.RUL.Reasons, tc.code)
			require.GreaterOrEqual(t, i, 0)
			require.Contains(t, s.RUL.Reasons[i].Detail, tc.detail)
			in.Prognosis = nil
			require.Equal(t, scoring.Score(in).Failure.P30, s.Failure.P30)
		})
	}
	in := worn(t, 8, 100, 20)
	for i := range in.Series {
		in.Series[i].Readings = nil
	}
	s := scoring.Score(in)
	require.False(t, s.Trusted)
	require.Equal(t, scoring.ModelRUL, s.RUL.ModelID)
}

// TestHostileLifeRowsStaySound puts every kind of bad number into the rows.
func TestHostileLifeRowsStaySound(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	for range 40 {
		in := worn(t, 9, 60, 30)
		for _, row := range in.LifeRows {
			if rng.IntN(3) == 0 {
				row[rng.IntN(3)] = hostile(rng)
			}
		}
		s := scoring.Score(in)
		requireSound(t, s)
		requireSum(t, s.RUL)
	}
}

func TestFleetScoreIsDeterministic(t *testing.T) {
	t.Parallel()
	in := worn(t, 3, 120, 20)
	first, err := json.Marshal(scoring.Score(in))
	require.NoError(t, err)
	raw, err := in.Prognosis.MarshalBinary()
	require.NoError(t, err)
	in.Prognosis = new(prognosis.Model)
	require.NoError(t, in.Prognosis.UnmarshalBinary(raw))
	in.AsOf = in.AsOf.In(time.UTC)
	next, err := json.Marshal(scoring.Score(in))
	require.NoError(t, err)
	require.Equal(t, string(first), string(next))
}
