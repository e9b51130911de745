package optimize

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
// plans does not know the subject.
type Change struct {
	Subject string `json:"subject"`
	Base    *Line  `json:"base,omitempty"`
	Other   *Line  `json:"other,omitempty"`
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
	c.compareLines(base.Lines, other.Lines)
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

func (c *Comparison) compareLines(base, other []Line) {
	before := map[string]*Line{}
	for i := range base {
		before[base[i].Subject] = &base[i]
	}
	for i := range other {
		o := &other[i]
		b := before[o.Subject]
		delete(before, o.Subject)
		if b != nil && sameDecision(b, o) {
			c.Same++
			continue
		}
		c.Changed = append(c.Changed, Change{Subject: o.Subject, Base: b, Other: o})
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
