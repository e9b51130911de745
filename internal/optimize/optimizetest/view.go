package optimizetest

import (
	"math"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/optimize"
)

// described: the specification is complete and its words exist.
func (s *suite) described(t *testing.T) {
	spec := s.problem.Spec()
	words := catalog(t)
	require.NotEmpty(t, spec.Name)
	require.Positive(t, spec.MaxDays)
	require.Regexp(t, `^optimize\.[a-z]+\.title$`, spec.TitleKey)
	require.Regexp(t, `^optimize\.[a-z]+\.summary$`, spec.SummaryKey)
	words.has(t, spec.TitleKey)
	words.has(t, spec.SummaryKey)
	defaults := 0
	for _, o := range spec.Objectives {
		words.has(t, o.TextKey)
		if o.Default {
			defaults++
		}
	}
	require.Equal(t, 1, defaults, "one objective is the default")
	names := map[string]bool{}
	for _, f := range spec.Constraints {
		words.has(t, f.LabelKey)
		require.False(t, names[f.Name], "field %s twice", f.Name)
		names[f.Name] = true
		require.Contains(t, []optimize.FieldType{optimize.FieldNumber, optimize.FieldInteger, optimize.FieldBool, optimize.FieldDate}, f.Type, f.Name)
	}
	for _, part := range spec.Shows {
		require.Contains(t, []optimize.Part{optimize.PartGantt, optimize.PartRoutes, optimize.PartCurves, optimize.PartProfiles, optimize.PartFrontier}, part)
	}
}

// vocabulary looks message keys up; the catalog refuses to load a key that
// one of the languages lacks.
type vocabulary struct{ *i18n.Catalog }

func catalog(t *testing.T) vocabulary {
	t.Helper()
	c, err := i18n.New()
	require.NoError(t, err)
	return vocabulary{c}
}

func (v vocabulary) has(t *testing.T, key string) {
	t.Helper()
	require.True(t, v.Has(key), "no message %q", key)
}

// view: the numbers of a view agree with each other, every key has words, and
// every tab has something to show.
func (s *suite) view(t *testing.T) {
	v := s.viewOf(t, s.input, s.best)
	require.Equal(t, s.best.Certificate, v.Certificate)
	require.Positive(t, v.Periods)
	require.Positive(t, v.PeriodHours)
	require.Regexp(t, regexp.MustCompile(`^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$`), v.Start)
	s.terms(t, v)
	subjects := map[string]bool{}
	for _, l := range v.Lines {
		require.False(t, subjects[l.Subject], "subject %s twice", l.Subject)
		subjects[l.Subject] = true
		checkLine(t, v, l)
	}
	series(t, v)
	prices(t, v)
	for _, part := range s.problem.Spec().Shows {
		require.True(t, filled(v, part), "tab %s is empty", part)
	}
	same := optimize.Compare(v, v)
	require.Empty(t, same.Changed)
	require.Equal(t, len(v.Lines), same.Same)
	require.Zero(t, same.Total)
}

func (s *suite) terms(t *testing.T, v optimize.View) {
	words := catalog(t)
	sum := 0.0
	for _, term := range v.Terms {
		words.has(t, "optimize.term."+term.Key)
		sum += term.Money
	}
	require.InDelta(t, v.Total, sum, slack(v.Total), "terms do not add up")
	for k, term := range v.Baseline {
		require.Len(t, v.Baseline, len(v.Terms))
		require.Equal(t, v.Terms[k].Key, term.Key)
	}
	for _, f := range v.Figures {
		words.has(t, "optimize.figure."+f.Key)
		require.Contains(t, []string{"SAR", "h", "min", "km", "%", "MWh", ""}, f.Unit, f.Key)
	}
	for _, l := range v.Lines {
		for _, r := range l.Reasons {
			words.has(t, "runs.reason."+string(r.Code))
		}
	}
}

func checkLine(t *testing.T, v optimize.View, l optimize.Line) {
	require.NotEmpty(t, l.Subject)
	require.Contains(t, []optimize.Verdict{optimize.VerdictDo, optimize.VerdictDefer, optimize.VerdictWait, optimize.VerdictSame, optimize.VerdictRun, optimize.VerdictUnserved}, l.Verdict, l.Subject)
	require.LessOrEqual(t, len(l.Reasons), optimize.MaxReasons, l.Subject)
	require.NotEmpty(t, l.Reasons, "%s has no reason", l.Subject)
	for _, r := range l.Reasons {
		require.False(t, math.IsNaN(r.Money) || math.IsInf(r.Money, 0), l.Subject)
		require.True(t, r.P >= 0 && r.P <= 1, l.Subject)
	}
	require.True(t, l.P >= 0 && l.P <= 1, l.Subject)
	if l.Start >= 0 {
		require.GreaterOrEqual(t, l.End, l.Start, l.Subject)
		require.LessOrEqual(t, l.Start, float64(v.Periods), l.Subject)
	} else {
		require.InDelta(t, -1, l.Start, 0, l.Subject)
	}
	for _, m := range l.Moves {
		require.True(t, m.Period >= -1 && m.Period < v.Periods, l.Subject)
	}
}

func series(t *testing.T, v optimize.View) {
	for _, l := range v.Loads {
		require.Len(t, l.Used, v.Periods, l.Resource)
		require.Len(t, l.Available, v.Periods, l.Resource)
	}
	for _, c := range v.Curves {
		require.NotEmpty(t, c.X, c.Subject)
		require.Len(t, c.Y, len(c.X), c.Subject)
		for _, band := range [][]float64{c.Low, c.High} {
			require.True(t, band == nil || len(band) == len(c.X), c.Subject)
		}
		for k := range c.Low {
			require.LessOrEqual(t, c.Low[k], c.High[k]+slack(c.High[k]), c.Subject)
		}
		require.True(t, c.Closed == nil || len(c.Closed) == len(c.X), c.Subject)
	}
	for _, p := range v.Profiles {
		require.Len(t, p.On, v.Periods, p.Subject)
		require.Len(t, p.Load, v.Periods, p.Subject)
		require.True(t, p.Was == nil || len(p.Was) == v.Periods, p.Subject)
		require.LessOrEqual(t, p.Minimum, p.Maximum, p.Subject)
	}
}

// prices: one more unit of a resource never costs, releasing a pin never does.
func prices(t *testing.T, v optimize.View) {
	for _, p := range v.Prices {
		require.GreaterOrEqual(t, p.Value, -slack(v.Total), p.Subject)
	}
}

func filled(v optimize.View, part optimize.Part) bool {
	switch part {
	case optimize.PartGantt, optimize.PartRoutes:
		return len(v.Lines) > 0
	case optimize.PartCurves:
		return len(v.Curves) > 0
	case optimize.PartProfiles:
		return len(v.Profiles) > 0
	case optimize.PartFrontier:
		return len(v.Frontier) >= 5
	default:
		return false
	}
}

// holds says whether a view shows what a pin asks for.
func holds(v optimize.View, p optimize.Pin) bool {
	k := slices.IndexFunc(v.Lines, func(l optimize.Line) bool { return l.Subject == p.Subject })
	if k < 0 {
		return false
	}
	l := v.Lines[k]
	switch {
	case l.Verdict == optimize.VerdictRun:
		return holdsProfile(v, p)
	case p.Off:
		return l.Start < 0
	case p.Start != nil && math.Abs(l.Start-*p.Start) > 1e-6:
		return false
	case p.Resource != "":
		return l.Resource == p.Resource || slices.Contains(l.Crew, p.Resource)
	default:
		return p.Start != nil
	}
}

func holdsProfile(v optimize.View, p optimize.Pin) bool {
	k := slices.IndexFunc(v.Profiles, func(q optimize.Profile) bool { return q.Subject == p.Subject })
	if k < 0 {
		return false
	}
	from := 0
	if p.Start != nil {
		from = int(*p.Start)
	}
	for t := from; t < v.Periods; t++ {
		q := v.Profiles[k]
		if p.Off && q.On[t] || p.Load != nil && math.Abs(q.Load[t]-*p.Load) > 1e-6*max(1, q.Maximum) {
			return false
		}
	}
	return true
}
