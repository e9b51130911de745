package optimize

import "math"

// Comparison is what one plan costs more than another, term by term, and
// which decisions differ. Money is SAR; every number is other minus base.
type Comparison struct {
	Total   float64  `json:"total"`
	Risk    float64  `json:"risk"`
	Terms   []Term   `json:"terms"`
	Figures []Figure `json:"figures"`
	Changed []Change `json:"changed"`
	Same    int      `json:"same"`  // decisions that both plans share
	Exact   bool     `json:"exact"` // both plans are optimal, so the difference is too
}

// Change is one decision that differs. Base or Other is nil where one of the
// plans does not know the subject. Periods counts those in which the profiles
// of the subject differ in state or load, so a decision may start and end
// alike and differ between.
type Change struct {
	Subject string `json:"subject"`
	Base    *Line  `json:"base,omitempty"`
	Other   *Line  `json:"other,omitempty"`
	Periods int    `json:"periods,omitempty"`
}

// Compare sets two views of one problem side by side. Terms and figures that
// only one of them has count as 0 in the other.
func Compare(base, other View) Comparison {
	c := Comparison{
		Total: other.Total - base.Total, Risk: other.Risk - base.Risk,
		Exact: base.Certificate.Status == StatusOptimal && other.Certificate.Status == StatusOptimal,
	}
	terms := map[string]float64{}
	for _, t := range base.Terms {
		terms[t.Key] = -t.Money
	}
	for _, t := range other.Terms {
		c.Terms = append(c.Terms, Term{t.Key, terms[t.Key] + t.Money})
		delete(terms, t.Key)
	}
	for _, t := range base.Terms {
		if money, left := terms[t.Key]; left {
			c.Terms = append(c.Terms, Term{t.Key, money})
		}
	}
	c.compareFigures(base.Figures, other.Figures)
	c.compareLines(base.Lines, other.Lines, differing(base.Profiles, other.Profiles))
	return c
}

func (c *Comparison) compareFigures(base, other []Figure) {
	values := map[string]float64{}
	for _, f := range base {
		values[f.Key] = f.Value
	}
	for _, f := range other {
		c.Figures = append(c.Figures, Figure{Key: f.Key, Value: f.Value - values[f.Key], Unit: f.Unit})
	}
}

// differing counts, by subject, the periods in which profiles of two plans
// differ; a subject without a profile in both is left out.
func differing(base, other []Profile) map[string]int {
	before, periods := map[string]*Profile{}, map[string]int{}
	for i := range base {
		before[base[i].Subject] = &base[i]
	}
	for i := range other {
		o := &other[i]
		b := before[o.Subject]
		if b == nil {
			continue
		}
		for t := range max(len(b.Load), len(o.Load)) {
			if !b.same(o, t) {
				periods[o.Subject]++
			}
		}
	}
	return periods
}

// loadTolerance is the difference of load, relative to the maximum, that is
// rounding and no decision.
const loadTolerance = 1e-6

// same says whether two profiles agree in a period.
func (p *Profile) same(o *Profile, t int) bool {
	if t >= min(len(p.Load), len(p.On)) || t >= min(len(o.Load), len(o.On)) {
		return false
	}
	return p.On[t] == o.On[t] && math.Abs(p.Load[t]-o.Load[t]) <= loadTolerance*math.Max(1, o.Maximum)
}

func (c *Comparison) compareLines(base, other []Line, periods map[string]int) {
	before := map[string]*Line{}
	for i := range base {
		before[base[i].Subject] = &base[i]
	}
	for i := range other {
		o := &other[i]
		b := before[o.Subject]
		delete(before, o.Subject)
		if b != nil && sameDecision(b, o) && periods[o.Subject] == 0 {
			c.Same++
			continue
		}
		c.Changed = append(c.Changed, Change{Subject: o.Subject, Base: b, Other: o, Periods: periods[o.Subject]})
	}
	for i := range base {
		if b, left := before[base[i].Subject]; left {
			c.Changed = append(c.Changed, Change{Subject: b.Subject, Base: b})
		}
	}
}

func sameDecision(a, b *Line) bool {
	return a.Verdict == b.Verdict && a.Start == b.Start && a.End == b.End && a.Resource == b.Resource
}
