package scoring

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// Assessment is an asset's input after cleaning and learning: what the five
// functions of the specification start from. It holds no readings after AsOf.
type Assessment struct {
	Trust Trust

	in       AssetInput
	set      Settings
	channels []channel
	frame    frame
	base     comparison
	refused  []Reason // why a stored baseline or the operating point cannot be used
	life     life
	now      []standing // the usable signals, the most conspicuous first
	fleet    *fleet     // what the fleet model says, nil without one
	unasked  []Reason   // why the fleet model was not asked
}

// Assess cleans the readings, decides which signals can be trusted and compares
// them with the asset's baseline: the stored one, or one learned from the
// window. It accepts any input: what is unusable is named in Trust and left
// out.
func Assess(in AssetInput) *Assessment {
	a := prepare(in)
	a.base = a.reference()
	a.life = lifeOf(in)
	a.Trust.Reasons = append(a.Trust.Reasons, a.life.caveats...)
	a.now = a.standings()
	a.fleet, a.unasked = a.consult()
	return a
}

// prepare cleans the readings and lays the usable signals side by side.
func prepare(in AssetInput) *Assessment {
	a := &Assessment{in: in, set: in.settings()}
	a.channels = make([]channel, 0, len(in.Series))
	for _, s := range in.Series {
		c := clean(s, in, a.set.WindowDays)
		c.counter = c.isCounter()
		c.judge(in.AsOf)
		a.channels = append(a.channels, c)
	}
	a.Trust = trustOf(a.channels, a.set.CoverageThreshold)
	a.frame = newFrame(a.channels)
	return a
}

// reference compares the asset with its stored baseline where that fits, else
// with the earliest part of the window.
func (a *Assessment) reference() comparison {
	if b := a.in.Baseline; b != nil {
		unfit := b.unfit(a.frame, a.channels)
		if len(unfit) == 0 {
			return a.compare(b, 0)
		}
		a.refused = append(a.refused, Reason{Code: CodeBaseline, Detail: strings.Join(unfit, ", ")})
	}
	n := int(float64(len(a.frame.rows)) * baselineShare)
	b, first, ok := a.learn(min(n, baselineRows))
	if !ok {
		return comparison{Baseline: b, set: a.set}
	}
	return a.compare(b, first)
}

// provenance fills what all outputs share.
func (a *Assessment) provenance(model string) Provenance {
	p := Provenance{
		AsOf: a.in.AsOf, ModelID: model, ModelVersion: Version,
		Coverage: a.Trust.Coverage, Confidence: a.confidence(),
	}
	if a.base.ok {
		p.TrainFrom, p.TrainTo = a.base.From, a.base.To
		p.CalibrationSize = len(a.base.scores)
	}
	return p
}

// confidence is coverage, lowered by uncertain readings (by half at most) and
// by a short baseline or an unfamiliar operating point (by half at most). Age-only scores get 0.3, or 0.15 when
// even the life is a prior.
func (a *Assessment) confidence() float64 {
	if !a.Trust.Trusted {
		if a.life.prior {
			return 0.15
		}
		return 0.3
	}
	uncertain, used := 0, 0
	for _, s := range a.Trust.Signals {
		uncertain += s.Rows.Uncertain
		used += s.Rows.Used
	}
	doubt := float64(uncertain) / float64(max(used, 1))
	learned := 0.0
	if a.base.ok {
		learned = min(float64(a.base.Rows)/200, 1)
	}
	if a.base.unfamiliar() > 0 {
		learned /= 2
	}
	return a.Trust.Coverage * (1 - 0.5*doubt) * (0.5 + 0.5*learned)
}

// standing is one usable signal as it stands now.
type standing struct {
	channel  *channel
	expected float64
	actual   float64
	index    float64 // residual over its limit; 0 when not compared
	noise    float64 // half-width of the actual value, own units
	column   int     // in the baseline, −1 when not compared
	times    float64 // scatter over that when healthy
	scatter  float64 // the same over its limit
	severity float64
	byLimit  bool      // beyond a warning limit
	ahead    bool      // a counter ahead of its own rate
	since    time.Time // of byLimit or ahead
}

// standings describes all usable signals now, the most conspicuous first.
func (a *Assessment) standings() []standing {
	var out []standing
	compared := map[int]int{}
	for j, i := range a.frame.channels {
		compared[i] = j
	}
	for i := range a.channels {
		c := &a.channels[i]
		if !c.trust.OK {
			continue
		}
		s := standing{channel: c, actual: c.level(), expected: c.typical(), column: -1}
		s.severity = severityOf(c.sides, s.actual)
		if s.byLimit = s.severity >= 0.5; s.byLimit {
			s.since = c.beyondSince()
		}
		if c.counter {
			a.compareCounter(&s)
		}
		if j, ok := compared[i]; ok && a.base.ok {
			a.measure(&s, j)
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(x, y standing) int {
		return cmp.Or(cmp.Compare(y.weight(), x.weight()),
			cmp.Compare(x.channel.signal.Metric, y.channel.signal.Metric))
	})
	return out
}

// measure adds what the baseline says about column j of the last row.
func (a *Assessment) measure(s *standing, j int) {
	b := &a.base
	last, col := len(b.smooth)-1, &b.columns[j]
	if col.operating {
		return
	}
	spread := col.spread[b.regime[last]]
	s.column = j
	s.index = b.index(last, j)
	s.expected = s.actual - b.smooth[last][j]*spread
	s.noise = b.limit * col.scale * spread / a.set.AnomalyFactor
	s.times, s.scatter = b.noisier(last, j)
	if s.index <= anomalyEdge {
		return
	}
	for _, d := range s.channel.sides {
		s.severity = max(s.severity, d.severityFrom(s.actual, s.expected))
	}
}

// weight ranks signals: the largest of residual index, scatter over its limit
// and twice the severity (1 at the warning limit), so that the scales meet at
// their limits.
func (s standing) weight() float64 { return max(s.index, 2*s.severity, s.scatter) }

// typical is the middle of the normal band, the expectation when nothing was
// learned; without a band, the median of the history.
func (c *channel) typical() float64 {
	if mid := (c.signal.NormalLow + c.signal.NormalHigh) / 2; usable(mid) && c.signal.NormalHigh > c.signal.NormalLow {
		return mid
	}
	return median(c.some())
}

// contributors turns standings into shares that add up to 1; weights are
// squared so that the conspicuous signals stand out from noise.
func contributors(in []standing) []Contributor {
	total := 0.0
	for _, s := range in {
		total += s.weight() * s.weight()
	}
	out := make([]Contributor, 0, len(in))
	for _, s := range in {
		c := Contributor{Signal: s.channel.signal.Metric, Unit: s.channel.signal.Unit,
			Expected: s.expected, Actual: s.actual}
		if total > 0 && !math.IsInf(total, 0) {
			c.Share = s.weight() * s.weight() / total
		}
		out = append(out, c)
	}
	return out
}
