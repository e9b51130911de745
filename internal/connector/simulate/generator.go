package simulate

import (
	"math"
	"time"
)

// Generator computes the value of one point at any instant. It keeps no state
// between calls, so any window can be computed at any time, in any order and
// in parallel, and always gives the same numbers.
type Generator struct {
	level, span         float64
	loadGain, noiseGain float64
	floored             bool
	seed                uint64
	load                loadProfile
	epoch               int64
	perSecond           float64 // rise of a counter
	counter             bool
	ramp                Ramp
	resolution          float64
}

const (
	day  = 24 * 3600
	hour = 3600
	// localOffset shifts to Arabia Standard Time, which has no summer time.
	localOffset = 3 * hour
	// bandShare is how far load and noise together move a healthy signal
	// from the middle of its band; the rest is kept as margin.
	bandShare = 0.80
	// scriptedShare is the same for a signal with a scripted level, small
	// enough for the story's numbers to be readable in the trend.
	scriptedShare = 0.22
)

// NewGenerator prepares the generator of a point for a seed and an epoch, the
// instant at which scripted episodes reach the end of their story.
func NewGenerator(point Point, seed int64, epoch time.Time) *Generator {
	base := mix(uint64(seed))
	key := hashText(base, point.Tag)
	g := &Generator{
		span:      (point.High - point.Low) / 2,
		level:     (point.High + point.Low) / 2,
		floored:   point.Low >= 0,
		seed:      key,
		load:      newLoadProfile(hashText(base, point.Asset)),
		epoch:     epoch.Unix(),
		counter:   point.Counter,
		perSecond: point.PerDay / day,
	}
	share := bandShare
	g.level += 0.12 * g.span * unit(mix(key^1))
	if point.Level != nil {
		g.level = *point.Level
		share = scriptedShare
	}
	if point.Ramp != nil {
		g.ramp = *point.Ramp
	}
	gain := point.LoadGain
	if gain == 0 {
		gain = 0.35 + 0.15*unit(mix(key^2))
	}
	g.loadGain, g.noiseGain = share*gain, share*(1-math.Abs(gain))
	// Four digits below the width of the band: what a transmitter resolves.
	g.resolution = math.Pow(10, 4-math.Ceil(math.Log10(math.Max(2*g.span, 1e-6))))
	return g
}

// At returns the value at an instant, in the unit of the point.
func (g *Generator) At(instant time.Time) float64 { return g.AtUnix(instant.Unix()) }

// AtUnix is At for an instant in seconds since 1970, for generating in bulk.
func (g *Generator) AtUnix(second int64) float64 {
	value := g.level
	if g.counter {
		value += g.perSecond * float64(second-g.epoch)
	} else {
		noise := 0.55*lattice(g.seed, second, 6*hour) + 0.30*lattice(g.seed+1, second, hour) + 0.15*white(g.seed+2, second)
		value += g.span * (g.loadGain*g.load.at(second) + g.noiseGain*noise)
	}
	if g.ramp.Days > 0 {
		value += g.ramp.Rise * g.progress(second)
	}
	if g.floored && value < 0 {
		value = 0
	}
	return math.Round(value*g.resolution) / g.resolution
}

// progress is the share of an episode's rise reached: 0 before it starts, 1 at
// the epoch, then creeping towards 1.8 so that a demonstration wound forward
// sees the damage grow. Damage accelerates, hence the exponent.
func (g *Generator) progress(second int64) float64 {
	x := 1 + float64(second-g.epoch)/(g.ramp.Days*day)
	switch {
	case x <= 0:
		return 0
	case x > 1:
		x = 1 + 0.8*(1-math.Exp(-0.9*(x-1)))
	default:
		x = math.Pow(x, 1.6)
	}
	if g.ramp.Steps > 0 {
		return math.Floor(x*float64(g.ramp.Steps)+1e-9) / float64(g.ramp.Steps)
	}
	return x
}

// loadProfile is the slow load of an asset in [-1, 1], common to its points:
// a daily cycle with its minimum before dawn, a dip on the Friday-Saturday
// weekend, and a drift over days.
type loadProfile struct {
	seed  uint64
	shift int64 // seconds by which the daily cycle is late
}

func newLoadProfile(key uint64) loadProfile {
	return loadProfile{seed: key, shift: int64(1.5 * hour * unit(mix(key^3)))}
}

func (l loadProfile) at(second int64) float64 {
	local := second + localOffset - l.shift
	daily := -math.Cos(2 * math.Pi * (float64(floorMod(local, day))/day - 4.0/24))
	// 1 January 1970 was a Thursday, so day 0 of this week is Thursday.
	weekend := 0.0
	if weekday := floorMod(floorDiv(local, day), 7); weekday == 1 || weekday == 2 {
		weekend = 1
	}
	return 0.50*daily + 0.35*lattice(l.seed, second, 2*day) - 0.15*weekend
}

// lattice is smooth noise in [-1, 1]: hashed values on a grid of the given
// width, joined by a smooth step. Neighbouring samples correlate like an
// autoregressive series, yet nothing has to be remembered.
func lattice(seed uint64, second, width int64) float64 {
	cell := floorDiv(second, width)
	x := float64(second-cell*width) / float64(width)
	a, b := white(seed, cell), white(seed, cell+1)
	return a + (b-a)*x*x*(3-2*x)
}

// white is independent noise in [-1, 1) for each index.
func white(seed uint64, index int64) float64 {
	return unit(mix(seed ^ uint64(index)*0x9e3779b97f4a7c15))
}

// unit maps a hash to [-1, 1).
func unit(h uint64) float64 { return float64(h>>11)/(1<<52) - 1 }

// mix is the finaliser of the SplitMix64 generator (Steele, Lea, Flood 2014).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// hashText is 64-bit FNV-1a from a starting state.
func hashText(state uint64, text string) uint64 {
	h := state ^ 0xcbf29ce484222325
	for i := 0; i < len(text); i++ {
		h = (h ^ uint64(text[i])) * 0x100000001b3
	}
	return mix(h)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
