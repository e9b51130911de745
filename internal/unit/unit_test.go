package unit

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Values from NIST Special Publication 811 and the definitions of the units.
func TestConversions(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		from, to    string
		value, want float64
	}{
		{"degF", "degC", 212, 100}, {"DEG. C", "K", 25, 298.15}, {"psi", "bar", 100, 6.894757293168}, {"m3/h", "l/s", 3.6, 1}, {"in/s", "mm/s", 1, 25.4},
		{"psig", "bara", 0, 1.01325}, {"bara", "barg", 1.01325, 0}, {"kg/cm2", "kPa", 1, 98.0665}, {"gpm", "m3/h", 1, 0.2271247}, {"bpd", "m3/d", 1, 0.158987294928},
		{"KG", "TO", 1500, 1.5}, {"HR", "MIN", 2, 120}, {"mil p-p", "um p-p", 1, 25.4}, {"lbs", "kg", 1, 0.45359237}, {"%", "1", 50, 0.5}, {"uS/cm", "mS/cm", 1500, 1.5},
		{"م³/س", "MQH", 5, 5}, {"بار", "kPa", 2, 200}, {"µm", "mm", 1500, 1.5}, {"mg/L", "kg/m³", 1000, 1},
	} {
		c, err := Between(x.from, x.to)
		require.NoError(t, err, "%s to %s", x.from, x.to)
		require.InDelta(t, x.want, c.apply(x.value), 1e-6*math.Max(1, math.Abs(x.want)), "%s to %s", x.from, x.to)
	}
}

func TestConversionsAreRefused(t *testing.T) {
	t.Parallel()
	for _, x := range [][2]string{{"degC", "bar"}, {"m3/h", "t/h"}, {"Nm3/h", "m3/h"}, {"um p-p", "um"}, {"mm/s", "mm"}} {
		_, err := Between(x[0], x[1])
		require.ErrorIs(t, err, ErrDimension, x)
	}
	_, err := Between("furlong", "m")
	require.ErrorIs(t, err, ErrUnknown)
	require.True(t, Same("furlong", "furlong"), "the same spelling is the same unit")
}

// A pressure without a reference counts as the other side does, and says so.
func TestUnstatedPressure(t *testing.T) {
	t.Parallel()
	c, err := Between("psi", "barg")
	require.NoError(t, err)
	require.True(t, c.Assumed)
	require.Zero(t, c.Shift)
	c, err = Between("psig", "barg")
	require.NoError(t, err)
	require.False(t, c.Assumed)
}

func TestLookupKeepsCaseWhereItMatters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"mW": "", "MW": "MW", "Mvar": "Mvar", "ms": "ms", "MWH": "MWh", "mwh": "MWh", "BAR": "bar", "Psi": "psi", "c": "C", "deg c": "°C", "RPM": "rpm", " % ": "%"} {
		u, ok := Lookup(text)
		if want == "" {
			require.NotEqual(t, "W", u.Symbol, text)
			continue
		}
		require.True(t, ok, text)
		require.Equal(t, want, u.Symbol, text)
	}
}

// Every pair within a dimension converts there and back, and a code is unique.
func TestTableIsSound(t *testing.T) {
	t.Parallel()
	codes, symbols := map[string]bool{}, map[string]bool{}
	for _, a := range table {
		require.False(t, symbols[a.Symbol], a.Symbol)
		symbols[a.Symbol] = true
		if a.Code != "" {
			require.False(t, codes[a.Code], a.Code)
			codes[a.Code] = true
		}
		for _, b := range table {
			there, err := Convert(a, b)
			if a.Dimension != b.Dimension {
				require.ErrorIs(t, err, ErrDimension)
				continue
			}
			require.NoError(t, err)
			back, err := Convert(b, a)
			require.NoError(t, err)
			require.InEpsilon(t, 42, back.apply(there.apply(42)), 1e-6, "%s and %s", a.Symbol, b.Symbol)
		}
	}
	for symbol := range aliases {
		require.True(t, symbols[symbol], "aliases of %q, which is no unit", symbol)
	}
}

// The units of the demonstration plants are all known.
func TestDemonstrationUnits(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"degC", "%", "barg", "bar", "um p-p", "mm/s", "ppm", "m³", "mbar", "bbl", "MWh", "uS/cm", "s", "mm", "mV", "m3/h", "A", "t/h",
		"psi", "nC", "ms", "m3/d", "kWh/m3", "kV", "h", "dB", "PTB", "Nm3/h", "NTU", "Mscf", "1/d", "-"} {
		_, ok := Lookup(text)
		require.True(t, ok, text)
	}
}

func FuzzLookup(f *testing.F) {
	for _, text := range []string{"degC", "m³/h", "\x00", "بار", "----", "%%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if u, ok := Lookup(text); ok {
			c, err := Between(text, u.Symbol)
			require.NoError(t, err)
			require.True(t, c.Identity())
		}
	})
}

// apply converts one value, as the historian does.
func (c Conversion) apply(v float64) float64 { return v*c.Factor + c.Shift }
