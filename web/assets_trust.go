package web

import (
	"html/template"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/scoring"
)

// trustView says how far the data carries the score.
type trustView struct {
	Coverage                            float64
	Fresh, Stale, Bad, Total            int
	FreshShare, StaleFrom, StaleShare   float64
	BadFrom, BadShare                   float64
	FreshNames, StaleNames, BadFindings []trustLine
	Reasons                             []template.HTML
}

// trustLine is one signal with the findings about its data.
type trustLine struct {
	Name string
	Text []template.HTML
}

// newTrustView sorts the signals into fresh, stale and bad.
func newTrustView(p Page, id uuid.UUID, t scoring.Trust, names signalBook) trustView {
	v := trustView{Coverage: t.Coverage, Total: len(t.Signals)}
	for _, s := range t.Signals {
		line := trustLine{Name: names.name(id, s.Signal)}
		stale := false
		for _, r := range s.Reasons {
			line.Text = append(line.Text, findingText(p, r, ""))
			stale = stale || r.Code == scoring.CodeStale || r.Code == scoring.CodeMissing
		}
		switch {
		case s.OK:
			v.Fresh++
			v.FreshNames = append(v.FreshNames, line)
		case stale:
			v.Stale++
			v.StaleNames = append(v.StaleNames, line)
		default:
			v.Bad++
			v.BadFindings = append(v.BadFindings, line)
		}
	}
	if v.Total > 0 {
		v.FreshShare, v.StaleShare, v.BadShare = 100*float64(v.Fresh)/float64(v.Total), 100*float64(v.Stale)/float64(v.Total), 100*float64(v.Bad)/float64(v.Total)
		v.StaleFrom, v.BadFrom = v.FreshShare, v.FreshShare+v.StaleShare
		if p.RTL() {
			v.StaleFrom, v.BadFrom = v.BadShare, 0
		}
	}
	for _, r := range t.Reasons {
		v.Reasons = append(v.Reasons, findingText(p, r, ""))
	}
	return v
}
