package dossier

import (
	"strconv"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/i18n"
)

// composer writes sections in one language.
type composer struct {
	*i18n.Localizer
	r Record
}

// Compose lays a record out as a document in the language of l.
func Compose(l *i18n.Localizer, r Record) Document {
	c := composer{l, r}
	d := Document{Lang: l.Lang, Title: c.T("dossier.title"), Subtitle: Free(r.Title), Footer: Free(r.Tenant) + " · " + c.T("dossier.version", "Number", strconv.Itoa(r.Version)) + " · " + LTR(r.PlanID)}
	for _, s := range []struct {
		name   string
		blocks []Block
	}{
		{"header", c.header()}, {"certificate", c.certificate()}, {"recommendations", c.lines()}, {"alternatives", c.alternatives()},
		{"pins", c.prices()}, {"trust", c.trust()}, {"comments", c.comments()},
		{"endorsements", c.decisions("dossier.endorsements.none", Endorsed, Objected)}, {"approvals", c.decisions("dossier.approvals.none", Approved, Returned)},
		{"withheld", c.withheld()}, {"release", c.release()}, {"evidence", c.evidence()}, {"audit", c.audit()}, {"verification", c.verification()},
	} {
		d.Sections = append(d.Sections, Section{s.name, c.T("dossier.section." + s.name), s.blocks})
	}
	return d
}

func paragraph(text string) Block { return Block{Paragraph: text} }

// none is a section that has nothing to say and says so.
func (c composer) none(key string) []Block { return []Block{paragraph(c.T(key))} }

// moment prints a point in time in both calendars.
func (c composer) moment(t time.Time) string { return c.Minute(t) + " (" + c.Hijri(t) + ")" }

func (c composer) optional(t *time.Time) string {
	if t == nil {
		return "–"
	}
	return c.moment(*t)
}

func (c composer) date(t time.Time) string { return c.Date(t) + " (" + c.Hijri(t) + ")" }

// facts drops what is not known.
func facts(all ...Fact) Block {
	var b Block
	for _, f := range all {
		if f.Value != "" {
			b.Facts = append(b.Facts, f)
		}
	}
	return b
}

func (c composer) header() []Block {
	r := c.r
	out := []Block{facts(
		Fact{c.T("dossier.tenant"), Free(r.Tenant) + " " + LTR(r.TenantCode)},
		Fact{c.T("dossier.plan"), Free(r.Title)},
		Fact{c.T("dossier.problem"), r.Problem},
		Fact{c.T("dossier.preset"), r.Preset},
		Fact{c.T("dossier.number"), c.Int(r.Version)},
		Fact{c.T("dossier.state"), r.State},
		Fact{c.T("dossier.window"), c.date(r.From) + " – " + c.date(r.To)},
		Fact{c.T("dossier.launched"), Free(r.LaunchedBy)},
		Fact{c.T("dossier.proposed"), Free(r.ProposedBy) + c.T("dossier.separator") + c.moment(r.ProposedAt)},
		Fact{c.T("dossier.due"), c.moment(r.DueAt)},
		Fact{c.T("dossier.decided"), c.optional(r.DecidedAt)},
		Fact{c.T("dossier.released"), c.optional(r.ReleasedAt)},
		Fact{c.T("dossier.note"), Free(r.Note)},
		Fact{c.T("dossier.plan_id"), LTR(r.PlanID)},
		Fact{c.T("dossier.run_id"), LTR(r.RunID)},
		Fact{c.T("dossier.created"), Free(r.CreatedBy) + c.T("dossier.separator") + c.moment(r.CreatedAt)},
	)}
	if r.Synthetic {
		out = append(out, paragraph(c.T("dossier.synthetic")))
	}
	return out
}

func (c composer) certificate() []Block {
	x := c.r.Certificate
	all := []Fact{{c.T("dossier.cost"), c.Money(x.Total)}, {c.T("dossier.risk"), c.Money(x.Risk)}}
	if x.BoundKnown {
		all = append(all, Fact{c.T("dossier.objective"), c.Money(x.Objective)}, Fact{c.T("dossier.bound"), c.Money(x.Bound)}, Fact{c.T("dossier.gap"), LTR(c.Pct(x.Gap, 2))})
	}
	verdict := "dossier.heuristic"
	switch {
	case x.Optimal:
		verdict = "dossier.optimal"
	case x.BoundKnown:
		verdict = "dossier.bounded"
	}
	checked := "dossier.unverified"
	if x.Verified {
		checked = "dossier.verified"
	}
	all = append(all, Fact{c.T("dossier.proof"), c.T(verdict)}, Fact{c.T("dossier.check"), c.T(checked)}, Fact{c.T("dossier.solver"), LTR(x.Solver)},
		Fact{c.T("dossier.seed"), LTR(strconv.FormatInt(x.Seed, 10))}, Fact{c.T("dossier.iterations"), LTR(strconv.FormatInt(x.Iterations, 10))})
	out := []Block{facts(all...)}
	if len(c.r.Terms) > 0 {
		t := &Table{Columns: []Column{{c.T("dossier.term"), 3, false}, {c.T("dossier.plan_cost"), 1.4, true}, {c.T("dossier.current_cost"), 1.4, true}}}
		for _, x := range c.r.Terms {
			current := "–"
			if x.Current != nil {
				current = c.Money(*x.Current)
			}
			t.Rows = append(t.Rows, Row{Cells: []string{x.Label, c.Money(x.Plan), current}})
		}
		out = append(out, Block{Table: t})
	}
	if len(c.r.Figures) > 0 {
		out = append(out, Block{Facts: c.r.Figures})
	}
	return out
}

// subject prints equipment with its tag first.
func subject(tag, name string) string {
	return strings.TrimSpace(LTR(tag) + " " + Free(name))
}

func (c composer) lines() []Block {
	if len(c.r.Lines) == 0 {
		return c.none("dossier.recommendations.none")
	}
	t := &Table{Columns: []Column{{"#", .4, true}, {c.T("dossier.equipment"), 2.4, false}, {c.T("dossier.decision"), 2, false}, {c.T("dossier.who"), 1.5, false},
		{c.T("dossier.planned_cost"), 1.4, true}, {c.T("dossier.avoided"), 1.4, true}, {c.T("dossier.chance"), .9, true}}}
	for i, l := range c.r.Lines {
		decision := l.Decision
		if l.Pinned {
			decision += c.T("dossier.separator") + c.T("dossier.pinned")
		}
		if l.Withheld {
			decision += c.T("dossier.separator") + c.T("dossier.held")
		}
		chance := "–"
		if l.Chance > 0 {
			chance = LTR(c.Pct(l.Chance, 1))
		}
		name := subject(l.Tag, l.Name)
		if l.Site != "" {
			name += c.T("dossier.separator") + Free(l.Site)
		}
		t.Rows = append(t.Rows, Row{Cells: []string{c.Int(i + 1), name, decision, Free(l.Who), c.Money(l.Cost), c.Money(l.Avoided), chance}, Note: strings.Join(l.Reasons, " • ")})
	}
	return []Block{{Table: t}}
}

func (c composer) alternatives() []Block {
	t := &Table{Columns: []Column{{c.T("dossier.preset"), 2.4, false}, {c.T("dossier.cost"), 1.5, true}, {c.T("dossier.risk"), 1.5, true}, {c.T("dossier.downtime"), 1.2, true},
		{c.T("dossier.actions"), 1, true}, {c.T("dossier.gap"), 1, true}}}
	for _, a := range c.r.Alternatives {
		name, downtime, gap := a.Name, "–", "–"
		if a.Chosen {
			name += c.T("dossier.separator") + c.T("dossier.chosen")
		}
		if a.Downtime != nil {
			downtime = c.T("dossier.hours", "Hours", LTR(c.Num(*a.Downtime, 1)))
		}
		if a.BoundKnown {
			gap = LTR(c.Pct(a.Gap, 2))
		}
		t.Rows = append(t.Rows, Row{Cells: []string{name, c.Money(a.Cost), c.Money(a.Risk), downtime, c.Int(a.Planned), gap}})
	}
	out := []Block{{Table: t}}
	v := &Table{Columns: []Column{{c.T("dossier.number"), .8, true}, {c.T("dossier.preset"), 2, false}, {c.T("dossier.state"), 1.6, false}, {c.T("dossier.proposed_at"), 3, false}}}
	for _, x := range c.r.Versions {
		v.Rows = append(v.Rows, Row{Cells: []string{c.Int(x.Number), x.Preset, x.State, c.moment(x.At)}})
	}
	out = append(out, Block{Table: v})
	if c.r.Version < 2 {
		return append(out, paragraph(c.T("dossier.first_version")))
	}
	if len(c.r.Changes) == 0 {
		return append(out, paragraph(c.T("dossier.same_version")))
	}
	d := &Table{Columns: []Column{{c.T("dossier.changed"), 2.4, false}, {c.T("dossier.before"), 2, false}, {c.T("dossier.after"), 2, false}}}
	for _, x := range c.r.Changes {
		d.Rows = append(d.Rows, Row{Cells: []string{subject(x.Tag, x.Name), x.Before, x.After}})
	}
	return append(out, Block{Table: d})
}

func (c composer) prices() []Block {
	var out []Block
	pins := &Table{Columns: []Column{{c.T("dossier.equipment"), 2.4, false}, {c.T("dossier.decision"), 2, false}}}
	for _, l := range c.r.Lines {
		if l.Pinned {
			pins.Rows = append(pins.Rows, Row{Cells: []string{subject(l.Tag, l.Name), l.Decision}})
		}
	}
	if len(pins.Rows) > 0 {
		out = append(out, Block{Table: pins})
	}
	prices := &Table{Columns: []Column{{c.T("dossier.price.of"), 2.6, false}, {c.T("dossier.price.step"), 1.6, false}, {c.T("dossier.price.worth"), 1.4, true}, {c.T("dossier.price.kind"), 1.2, false}}}
	for _, p := range c.r.Prices {
		kind, step := "dossier.price.estimate", p.Step
		if p.Exact {
			kind = "dossier.price.exact"
		}
		if p.Pin {
			step = c.T("dossier.price.pin")
		}
		prices.Rows = append(prices.Rows, Row{Cells: []string{subject(p.Tag, p.Name), step, c.Money(p.Value), c.T(kind)}})
	}
	if len(prices.Rows) > 0 {
		out = append(out, Block{Table: prices})
	}
	if len(out) == 0 {
		return c.none("dossier.pins.none")
	}
	return out
}

func (c composer) trust() []Block {
	rated, trusted := 0, 0
	t := &Table{Columns: []Column{{c.T("dossier.equipment"), 3, false}, {c.T("dossier.trust.why"), 3, false}}}
	for _, l := range c.r.Lines {
		switch {
		case !l.Rated:
		case l.Trusted:
			rated, trusted = rated+1, trusted+1
		default:
			rated++
			t.Rows = append(t.Rows, Row{Cells: []string{subject(l.Tag, l.Name), c.T("dossier.trust.not")}})
		}
	}
	if rated == 0 {
		return c.none("dossier.trust.none")
	}
	out := []Block{paragraph(c.T("dossier.trust.count", "Trusted", c.Int(trusted), "Rated", c.Int(rated)))}
	if len(t.Rows) > 0 {
		out = append(out, Block{Table: t})
	}
	return out
}
