package scoring_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// episode is a scripted degradation on an asset with the given signals.
type episode struct {
	name    string
	signals []asset.Signal
	ramps   []ramp
	top     string
}

func episodes() []episode {
	hi, lo := asset.SenseHigh, asset.SenseLow
	gas := []asset.Signal{
		signal("exh_spread", "degC", 10, 35, 45, 60, hi), signal("exh_temp", "degC", 520, 580, 600, 620, hi),
		signal("vib_brg1", "mm/s", 1.5, 4.5, 7.1, 12.7, hi), signal("filter_dp", "mbar", 4, 9, 12, 16, hi),
		signal("cdp", "barg", 11, 12.5, 10.5, 10, lo), signal("heat_rate_dev", "%", 0, 2.5, 4, 6, hi),
		signal("wheelspace", "degC", 330, 410, 430, 450, hi), signal("starts_eq", "h", 0, 24000, 22000, 24000, hi),
	}
	separator := []asset.Signal{
		signal("pressure", "barg", 9.5, 10.8, 11.5, 12.5, hi), signal("temp", "degC", 45, 62, 68, 75, hi),
		signal("oil_level", "%", 40, 60, 70, 80, hi), signal("dp_demister", "mbar", 5, 25, 40, 60, hi),
		signal("water_cut", "%", 0.5, 4, 6, 10, hi),
	}
	compressor := []asset.Signal{
		signal("vib_de", "um p-p", 15, 40, 60, 85, hi), signal("vib_nde", "um p-p", 15, 40, 60, 85, hi),
		signal("thrust_temp", "degC", 65, 90, 105, 115, hi), signal("poly_eff", "%", 76, 82, 73, 70, lo),
		signal("dgs_vent", "Nm3/h", 2, 6, 9, 12, hi), signal("lo_press", "barg", 1.6, 2.2, 1.4, 1.2, lo),
		signal("surge_margin", "%", 12, 30, 10, 6, lo),
	}
	cooler := []asset.Signal{signal("approach", "degC", 8, 16, 20, 25, hi),
		signal("fan_vib", "mm/s", 1.5, 5, 7.5, 11, hi), signal("outlet_temp", "degC", 45, 60, 66, 72, hi)}
	transformer := []asset.Signal{
		signal("h2", "ppm", 5, 80, 100, 200, hi), signal("c2h2", "ppm", 0, 1, 2, 10, hi),
		signal("c2h4", "ppm", 5, 40, 60, 120, hi), signal("top_oil", "degC", 45, 80, 90, 100, hi),
		signal("hotspot", "degC", 60, 98, 110, 120, hi), signal("moisture", "ppm", 5, 18, 25, 35, hi),
		signal("load", "%", 40, 85, 95, 110, hi),
	}
	membrane := []asset.Signal{
		signal("ndp", "bar", 0.8, 1.5, 1.7, 2, hi), signal("npf", "% of baseline", 92, 104, 90, 85, lo),
		signal("perm_cond", "uS/cm", 250, 480, 600, 800, hi), signal("feed_p", "bar", 56, 66, 69, 72, hi),
		signal("recovery", "%", 40, 44, 46, 48, hi), signal("sdi", "-", 1.5, 3, 4, 5, hi),
		signal("feed_temp", "degC", 22, 35, 37, 39, hi), signal("orp", "mV", 150, 250, 300, 350, hi),
	}
	hpPump := []asset.Signal{
		signal("disch_p", "bar", 58, 68, 71, 74, hi), signal("vib", "mm/s", 1, 2.8, 4.5, 7.1, hi),
		signal("brg_temp", "degC", 50, 75, 85, 95, hi), signal("sec", "kWh/m3", 2, 2.5, 2.7, 3, hi),
		signal("vfd_temp", "degC", 45, 70, 80, 90, hi),
	}
	return []episode{
		{"process pump vibration", pumpSignals(), []ramp{{"vib", 5.1, 19}, {"brg_temp", 73.5, 19}}, "vib"},
		{"separator demister", separator, []ramp{{"dp_demister", 51, 20}}, "dp_demister"},
		{"compressor dry gas seal", compressor, []ramp{{"dgs_vent", 9.6, 33}, {"poly_eff", 76.9, 33}}, "dgs_vent"},
		{"air cooler fouling", cooler, []ramp{{"approach", 21, 30}}, "approach"},
		{"gas turbine exhaust spread", gas, []ramp{{"exh_spread", 47, 25}}, "exh_spread"},
		{"transformer ethylene", transformer, []ramp{{"c2h4", 88, 60}, {"top_oil", 68.5, 60}}, "c2h4"},
		{"gas turbine starts", gas, []ramp{{"starts_eq", 22500, 20}}, "starts_eq"},
		{"membrane biofouling", membrane, []ramp{{"ndp", 1.9, 24}}, "ndp"},
		{"high-pressure pump vibration", hpPump, []ramp{{"vib", 4.9, 21}}, "vib"},
		{"transformer moisture", transformer, []ramp{{"moisture", 29, 40}}, "moisture"},
	}
}

func TestScriptedDegradationsAreFound(t *testing.T) {
	t.Parallel()
	for i, e := range episodes() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(4) {
				in := pump(newPlant(100*uint64(i)+seed).series(e.signals, e.ramps...))
				s := scoring.Score(in)
				require.True(t, s.Trusted, "%+v", s.Trust.Reasons)
				require.True(t, s.Anomaly.Flag, "seed %d index %v", seed, s.Anomaly.Value)
				require.Equal(t, e.top, s.Anomaly.Contributors[0].Signal)
				require.Equal(t, e.top, s.Failure.Evidence.Signal)
				require.Greater(t, s.Failure.Evidence.Multiplier.Value, 2.0)
				require.Less(t, s.Anomaly.Since, asOf)
				require.Greater(t, s.Failure.Value, s.Failure.AgeOnly)
			}
		})
	}
}

// TestDegradationIsFoundEarly checks the gain over plain limits: at half the
// way to its end, when every signal is still inside its warning limit, most
// episodes are already flagged.
func TestDegradationIsFoundEarly(t *testing.T) {
	t.Parallel()
	found := 0
	for i, e := range episodes() {
		in := pump(newPlant(uint64(500+i)).series(e.signals, e.ramps...))
		in.AsOf = asOf.AddDate(0, 0, -int(e.ramps[0].days/2))
		if scoring.Score(in).Anomaly.Flag {
			found++
		}
	}
	t.Logf("flagged at half way: %d of 10", found)
	require.GreaterOrEqual(t, found, 8)
}

// TestHealthyAssetsStayQuiet judges healthy assets by their window and by a
// baseline that was stored a month after the start.
func TestHealthyAssetsStayQuiet(t *testing.T) {
	t.Parallel()
	alarms, total := map[bool]int{}, 0
	for i, e := range episodes() {
		for seed := range uint64(10) {
			in := pump(newPlant(1000 + uint64(i)*100 + seed).series(e.signals))
			total++
			for _, kept := range []bool{false, true} {
				if kept {
					in.Baseline = learned(t, in.Series)
				}
				s := scoring.Score(in)
				require.True(t, s.Trusted)
				if s.Anomaly.Flag {
					alarms[kept]++
					t.Logf("%s seed %d stored %v: %+v", e.name, seed, kept, s.Anomaly.Reasons)
					continue
				}
				require.Less(t, s.Failure.Evidence.Multiplier.Value, 1.5)
			}
		}
	}
	t.Logf("false alarms: %d and %d of %d", alarms[false], alarms[true], total)
	require.LessOrEqual(t, float64(alarms[false])/float64(total), 0.02)
	require.LessOrEqual(t, float64(alarms[true])/float64(total), 0.02)
}
