package dossier

import (
	"slices"
	"strconv"
)

// who is a person with their role.
func (c composer) who(name, role string) string {
	if role == "" {
		return Free(name)
	}
	return Free(name) + c.T("dossier.separator") + role
}

func (c composer) comments() []Block {
	if len(c.r.Comments) == 0 {
		return c.none("dossier.comments.none")
	}
	t := &Table{Columns: []Column{{c.T("dossier.by"), 2, false}, {c.T("dossier.at"), 2.2, false}, {c.T("dossier.about"), 1.4, false}}}
	for _, x := range c.r.Comments {
		about := LTR(x.About)
		if about == "" {
			about = c.T("dossier.whole_plan")
		}
		t.Rows = append(t.Rows, Row{Cells: []string{c.who(x.By, x.Role), c.moment(x.At), about}, Note: Free(x.Text)})
	}
	return []Block{{Table: t}}
}

func (c composer) decisions(none string, kinds ...DecisionKind) []Block {
	t := &Table{Columns: []Column{{c.T("dossier.decision"), 1.3, false}, {c.T("dossier.by"), 2, false}, {c.T("dossier.behalf"), 1.5, false}, {c.T("dossier.at"), 2.2, false}}}
	for _, x := range c.r.Decisions {
		if !slices.Contains(kinds, x.Kind) {
			continue
		}
		behalf := "–"
		if x.OnBehalfOf != "" {
			behalf = Free(x.OnBehalfOf)
		}
		t.Rows = append(t.Rows, Row{Cells: []string{x.Label, c.who(x.By, x.Role), behalf, c.moment(x.At)}, Note: Free(x.Text)})
	}
	if len(t.Rows) == 0 {
		return c.none(none)
	}
	return []Block{{Table: t}}
}

func (c composer) withheld() []Block {
	if len(c.r.Withheld) == 0 {
		return c.none("dossier.withheld.none")
	}
	t := &Table{Columns: []Column{{c.T("dossier.equipment"), 2.2, false}, {c.T("dossier.stage"), 1.4, false}, {c.T("dossier.by"), 1.6, false}, {c.T("dossier.at"), 2.2, false}}}
	for _, x := range c.r.Withheld {
		t.Rows = append(t.Rows, Row{Cells: []string{subject(x.Tag, x.Name), x.Stage, Free(x.By), c.moment(x.At)}, Note: Free(x.Reason)})
	}
	return []Block{{Table: t}}
}

func (c composer) release() []Block {
	r := c.r.Release
	if r == nil {
		return c.none("dossier.release.none")
	}
	target := c.T("dossier.release.product")
	if r.Integration != "" {
		target = Free(r.Integration)
	}
	t := &Table{Columns: []Column{{"#", .4, true}, {c.T("dossier.equipment"), 1.5, false}, {c.T("dossier.action"), 1.2, false}, {c.T("dossier.state"), 1.2, false},
		{c.T("dossier.order"), 1.5, false}, {c.T("dossier.start"), 1.2, false}, {c.T("dossier.end"), 1.2, false}}}
	for _, l := range r.Lines {
		order := LTR(l.External)
		if order == "" {
			order = "–"
		}
		note := LTR(l.Key)
		if l.Reason != "" {
			note += c.T("dossier.separator") + Free(l.Reason)
		}
		t.Rows = append(t.Rows, Row{Cells: []string{c.Int(l.Number), LTR(l.Tag), l.Action, l.State, order, c.Minute(l.Start), c.Minute(l.End)}, Note: note})
	}
	return []Block{facts(Fact{c.T("dossier.state"), r.State}, Fact{c.T("dossier.release.by"), Free(r.By) + c.T("dossier.separator") + c.moment(r.RequestedAt)},
		Fact{c.T("dossier.release.target"), target}, Fact{c.T("dossier.release.finished"), c.optional(r.FinishedAt)}), {Table: t}}
}

func (c composer) evidence() []Block {
	e := c.r.Evidence
	known := func(hash string) string {
		if hash == "" {
			return c.T("dossier.unknown")
		}
		return LTR(hash)
	}
	return []Block{paragraph(c.T("dossier.evidence.text")), facts(
		Fact{c.T("dossier.content"), known(e.Content)}, Fact{c.T("dossier.manifest"), known(e.Manifest)}, Fact{c.T("dossier.input"), known(e.Input)},
		Fact{c.T("dossier.output"), known(e.Output)}, Fact{c.T("dossier.build"), known(e.Build)})}
}

func (c composer) audit() []Block {
	if len(c.r.Audit) == 0 {
		return c.none("dossier.audit.none")
	}
	t := &Table{Columns: []Column{{c.T("dossier.seq"), .8, true}, {c.T("dossier.at"), 2.2, false}, {c.T("dossier.actor"), 1.8, false}, {c.T("dossier.event"), 2.2, false}}}
	for _, x := range c.r.Audit {
		note := LTR(x.Hash) + "\n" + c.T("dossier.audit.open")
		if x.Root != "" {
			note = LTR(x.Hash) + "\n" + c.T("dossier.audit.root", "Day", LTR(x.Day), "Root", LTR(x.Root))
		}
		t.Rows = append(t.Rows, Row{Cells: []string{LTR(strconv.FormatInt(x.Seq, 10)), c.moment(x.At), Free(x.Actor), x.Action}, Note: note})
	}
	out := []Block{paragraph(c.T("dossier.audit.text")), {Table: t}}
	if c.r.AuditCut {
		out = append(out, paragraph(c.T("dossier.audit.cut", "Shown", c.Int(len(c.r.Audit)))))
	}
	return out
}

func (c composer) verification() []Block {
	return []Block{paragraph(c.T("dossier.verification.text")), facts(
		Fact{c.T("dossier.verification.page"), LTR(c.r.VerifyURL)},
		Fact{c.T("dossier.verification.command"), LTR("optria verify FILE --key " + c.r.PublicKey)},
		Fact{c.T("dossier.key_id"), LTR(c.r.KeyID)}, Fact{c.T("dossier.key"), LTR(c.r.PublicKey)})}
}
