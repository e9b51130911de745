package reliability_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/reliability"
)

func TestChecksNameTheField(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	nan, old := math.NaN(), -1.0
	known := uuid.New()
	for name, c := range map[string]struct {
		got  reliability.Mistakes
		want []string
	}{
		"good life":     {reliability.Life{Beta: 2, EtaDays: 100}.Check(), nil},
		"bad life":      {reliability.Life{Beta: nan, EtaDays: math.Inf(1), AgeDays: &old}.Check(), []string{"beta", "eta_days", "age_days"}},
		"good mode":     {reliability.Mode{Code: "VIB", NameAr: "ا", NameEn: "a", Metric: "vib", Severity: 1, Occurrence: 10, Detectability: 5}.Check(reliability.ModeScope{Metrics: []string{"vib"}}), nil},
		"bad mode":      {reliability.Mode{Code: "v", Metric: "x", ComponentID: &known, Severity: 0, Occurrence: 11, Detectability: -1}.Check(reliability.ModeScope{}), []string{"code", "name_ar", "name_en", "metric", "component_id", "severity", "occurrence", "detectability"}},
		"good cost":     {reliability.Cost{Kind: "failure", EffectiveFrom: now, DirectCost: 1, PlannedFactor: 1}.Check(now), nil},
		"bad cost":      {reliability.Cost{Kind: "energy", EffectiveFrom: now.AddDate(0, 0, -1), DirectCost: 5, EnergyCostPerHour: nan, OutageHours: -1, PlannedFactor: 2}.Check(now), []string{"effective_from", "direct_cost", "energy_cost_per_hour", "outage_hours", "planned_factor"}},
		"good ended":    {reliability.CompletedLife{EndedAt: now, LifeDays: 1, EndedBy: "failure", ModeID: &known}.Check([]uuid.UUID{known}, now), nil},
		"bad ended":     {reliability.CompletedLife{EndedAt: now.Add(time.Hour), LifeDays: 0, EndedBy: "", ModeID: &known}.Check(nil, now), []string{"ended_at", "life_days", "ended_by", "mode_id"}},
		"good look":     {reliability.Inspection{InspectedAt: now, Grade: 0.5, Observations: map[string]string{"wear": "slight"}}.Check(now), nil},
		"bad look":      {reliability.Inspection{Grade: 1.1, Observations: map[string]string{"wear": "a lot"}}.Check(now), []string{"inspected_at", "grade", "observations"}},
		"unknown sight": {reliability.Inspection{InspectedAt: now, Observations: map[string]string{"ghosts": "slight"}}.Check(now), []string{"observations"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var fields []string
			for field := range c.got {
				fields = append(fields, field)
			}
			require.ElementsMatch(t, c.want, fields)
		})
	}
}

// TestProposal fits lives with a known answer: those of the published oracle
// data are held by the survival package, so here the exponential-like case is
// checked against its closed form at β = 1 and the comparison at the maximum.
func TestProposal(t *testing.T) {
	t.Parallel()
	h := reliability.History{Failures: []float64{120, 260, 390, 510, 700, 940}, Censored: []float64{300, 800}}
	p, err := reliability.Propose(h, asset.Weibull{Beta: 1, Eta: 670})
	require.NoError(t, err)
	require.Equal(t, 6, p.Failures)
	require.Equal(t, 2, p.Censored)
	// At β = 1 the log-likelihood is −r ln η − Σt/η.
	require.InDelta(t, -6*math.Log(670)-4020.0/670, p.PresentLogLik, 1e-9)
	require.Greater(t, p.LogLik, p.PresentLogLik)
	require.True(t, p.PresentSupported)
	require.Less(t, p.BetaRange.Lo, p.Beta)
	require.Greater(t, p.BetaRange.Hi, p.Beta)
	require.Less(t, p.B10Days, p.EtaDays)

	same, err := reliability.Propose(h, asset.Weibull{Beta: p.Beta, Eta: p.EtaDays})
	require.NoError(t, err)
	require.InDelta(t, same.LogLik, same.PresentLogLik, 1e-9)
	far, err := reliability.Propose(h, asset.Weibull{Beta: 5, Eta: 100})
	require.NoError(t, err)
	require.False(t, far.PresentSupported)

	_, err = reliability.Propose(reliability.History{Failures: []float64{100, 200}}, asset.Weibull{Beta: 1, Eta: 1})
	require.ErrorIs(t, err, reliability.ErrTooFewFailures)
	_, err = reliability.Propose(reliability.History{Failures: []float64{100, 100.1, 99.9, 100}}, asset.Weibull{Beta: 1, Eta: 1})
	require.ErrorIs(t, err, reliability.ErrAlike)
}

func TestCompare(t *testing.T) {
	t.Parallel()
	a, b, c, gone := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	do := func(id uuid.UUID, day, value float64) optimize.Line {
		return optimize.Line{AssetID: id.String(), Verdict: optimize.VerdictDo, Start: day, Value: value, Moves: []optimize.Move{{Period: 3, Delta: 1}, {Period: -1, Delta: 77}}}
	}
	wait := func(id uuid.UUID) optimize.Line {
		return optimize.Line{AssetID: id.String(), Verdict: optimize.VerdictDefer, Start: -1}
	}
	before := optimize.View{Start: "2026-03-01", Periods: 30, Total: 100, Lines: []optimize.Line{do(b, 2, 50), do(c, 4, 40), wait(a), do(gone, 9, 5)}}
	after := optimize.View{Start: "2026-03-01", Periods: 30, Total: 130, Lines: []optimize.Line{do(a, 1, 60), do(b, 2, 50), do(c, 5, 40)}}
	p, err := reliability.Compare(a, before, after)
	require.NoError(t, err)
	require.Equal(t, 100.0, p.CostBefore)
	require.Equal(t, 130.0, p.CostAfter)
	require.False(t, p.OwnBefore.Do)
	require.Equal(t, reliability.Advice{Do: true, StartDay: 1, Rank: 1, AtStake: 60, DeferCost: 77}, *p.OwnAfter)
	var order []uuid.UUID
	moved := map[uuid.UUID]bool{}
	for _, d := range p.Differences {
		order = append(order, d.AssetID)
		moved[d.AssetID] = d.Moved()
	}
	require.Equal(t, []uuid.UUID{a, b, c, gone}, order, "the edited asset, then by what is at stake")
	require.Equal(t, map[uuid.UUID]bool{a: true, b: false, c: true, gone: true}, moved)

	same, err := reliability.Compare(a, after, after)
	require.NoError(t, err)
	require.Empty(t, same.Differences)
	_, err = reliability.Compare(a, optimize.View{Lines: []optimize.Line{{AssetID: "no id"}}}, after)
	require.Error(t, err)
}
