package scoring

import (
	"math"
	"slices"
	"strings"
)

// conversion says what a value of the displayed unit looks like when the
// source sends another unit: sent = factor × right + offset.
type conversion struct {
	name           string
	factor, offset float64
}

// confusions lists, by displayed unit, the units that sources are known to
// send instead.
var confusions = map[string][]conversion{
	"bar":   {{"psi", 14.5038, 0}, {"kPa", 100, 0}, {"MPa", 0.1, 0}, {"mbar", 1000, 0}, {"Pa", 1e5, 0}},
	"mbar":  {{"bar", 0.001, 0}, {"psi", 0.0145038, 0}, {"kPa", 0.1, 0}, {"Pa", 100, 0}},
	"kpa":   {{"psi", 0.145038, 0}, {"bar", 0.01, 0}, {"MPa", 0.001, 0}},
	"psi":   {{"bar", 0.0689476, 0}, {"kPa", 6.89476, 0}},
	"degc":  {{"degF", 1.8, 32}, {"K", 1, 273.15}},
	"degf":  {{"degC", 1 / 1.8, -32 / 1.8}},
	"mm/s":  {{"in/s", 1 / 25.4, 0}, {"m/s", 0.001, 0}},
	"um":    {{"mil", 1 / 25.4, 0}, {"mm", 0.001, 0}},
	"mm":    {{"in", 1 / 25.4, 0}, {"um", 1000, 0}},
	"m3/h":  {{"gpm", 4.40287, 0}, {"L/s", 1 / 3.6, 0}, {"m3/d", 24, 0}},
	"m3/d":  {{"m3/h", 1.0 / 24, 0}},
	"%":     {{"fraction", 0.01, 0}},
	"kv":    {{"V", 1000, 0}},
	"a":     {{"mA", 1000, 0}, {"kA", 0.001, 0}},
	"ms":    {{"s", 0.001, 0}},
	"s":     {{"ms", 1000, 0}},
	"us/cm": {{"mS/cm", 0.001, 0}},
	"mv":    {{"V", 0.001, 0}},
}

// unitKey reduces a displayed unit to its key in confusions: case, gauge
// suffix and qualifiers ("um p-p", "% of baseline") do not matter.
func unitKey(unit string) string {
	key := strings.ToLower(strings.TrimSpace(unit))
	key = strings.NewReplacer("°", "deg", "µ", "u", "μ", "u", "³", "3").Replace(key)
	key, _, _ = strings.Cut(key, " ")
	switch key {
	case "barg", "bara":
		return "bar"
	case "psig", "psia":
		return "psi"
	case "c":
		return "degc"
	case "f":
		return "degf"
	case "nm3/h":
		return "m3/h"
	}
	return key
}

// checkUnit suspects a wrong unit when the present level lies outside all of
// the signal's limits, a known conversion would put it back into the normal
// band, and no reading was seen on the way there: equipment passes through
// the values in between, a change of unit does not. Without limits the bulk of
// the earlier readings stands in for the band.
func (c *channel) checkUnit() {
	known := confusions[unitKey(c.signal.Unit)]
	now, enough := c.present()
	if len(known) == 0 || !enough {
		return
	}
	low, high := c.signal.NormalLow, c.signal.NormalHigh
	lo, hi, ok := span(c.signal)
	if !ok {
		if low, high, ok = c.usual(); !ok {
			return
		}
		lo, hi = low, high
	}
	margin, slack := 0.25*max(high-low, 0), 0.1*(high-low)
	if now >= lo-margin && now <= hi+margin {
		return
	}
	for _, k := range known {
		right := (now - k.offset) / k.factor
		if right < low-slack || right > high+slack {
			continue
		}
		if c.travelled(lo, hi, now) {
			return
		}
		c.trust.Reasons = append(c.trust.Reasons,
			Reason{Code: CodeWrongUnit, Signal: c.signal.Metric, Value: k.factor, Limit: right, Detail: k.name})
		return
	}
}

// usual is the range of the bulk of the readings before the latest.
func (c *channel) usual() (lo, hi float64, ok bool) {
	earlier := channel{samples: c.samples[:max(len(c.samples)-recentCount, 0)]}
	if len(earlier.samples) < recentCount {
		return 0, 0, false
	}
	v := earlier.some()
	slices.Sort(v)
	lo, hi = v[len(v)/10], v[len(v)-1-len(v)/10]
	reach := hi - lo // the rest of the usual values lies about as far out again
	return lo - reach/2, hi + reach/2, reach > 0
}

// present is the level of the latest readings. When the source has marked all
// of them bad, their values still show a change of unit.
func (c *channel) present() (float64, bool) {
	latest := int64(math.MinInt64)
	if n := len(c.samples); n > 0 {
		latest = c.samples[n-1].at
	}
	var bad []float64
	for _, x := range c.refused {
		if x.at > latest {
			bad = append(bad, x.value)
		}
	}
	const few = 3
	if len(bad) >= few {
		return median(bad[max(len(bad)-recentCount, 0):]), true
	}
	return median(c.recent()), len(c.samples) >= few
}

// travelled reports whether readings lie between the limits and the present
// level, leaving the outer sixth on both sides to noise.
func (c *channel) travelled(lo, hi, now float64) bool {
	from := hi
	if now < lo {
		from = lo
	}
	a, b := from+(now-from)/6, now-(now-from)/6
	a, b = min(a, b), max(a, b)
	n := 0
	for _, x := range c.samples {
		if x.value > a && x.value < b {
			n++
		}
	}
	return float64(n) > math.Max(2, 0.005*float64(len(c.samples)))
}
