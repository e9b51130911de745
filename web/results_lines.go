package web

import (
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/optimize"
)

// chipView is one mark with its tone.
type chipView struct{ Tone, Icon, Label string }

// lineRow is one decision in a table.
type lineRow struct {
	subjectName
	Rank                         int
	Why                          string // address of the explanation
	Verdict                      chipView
	Acts, Pinned                 bool
	Start                        *time.Time
	Who                          string
	Value, PFail, Cost, Expected float64
	Rated, Trusted               bool   // whether the asset's score counts, and whether it was trusted
	Held, Comments               string // on a plan: why the line is not carried out, and where it is commented
	Said                         int    // comments on the line
}

// lineTable is a page of decisions with the columns that the problem fills.
type lineTable struct {
	Rows                      []lineRow
	Daily                     bool
	HasStart, HasWho, HasRisk bool
	HasTrust                  bool
	Who                       string // what the resource of a decision is
}

// trustOf maps assets to whether their score was trusted when planned.
func trustOf(rows []db.ScenarioTrustRow) map[uuid.UUID]bool {
	out := map[uuid.UUID]bool{}
	for _, r := range rows {
		out[r.AssetID] = r.Trusted
	}
	return out
}

// newLineTable lists one page of the decisions of a plan.
func newLineTable(p Page, x solvedPlan, b plantBook, trust map[uuid.UUID]bool, pager Pager) lineTable {
	t := lineTable{Daily: x.time.daily(), Who: wordFor(p, "results.column.resource", x.run.Problem)}
	for _, l := range x.view.Lines {
		t.HasStart = t.HasStart || begins(l)
		t.HasWho = t.HasWho || l.Resource != "" && !x.spec.Executable
		t.HasRisk = t.HasRisk || l.P > 0
	}
	for i, l := range pageOf(x.view.Lines, pager) {
		row := newLineRow(p, x, b, l)
		row.Rank = pager.Offset() + i + 1
		if id, err := uuid.Parse(l.AssetID); err == nil {
			row.Trusted, row.Rated = trust[id]
		}
		t.HasTrust = t.HasTrust || row.Rated
		t.Rows = append(t.Rows, row)
	}
	return t
}

func newLineRow(p Page, x solvedPlan, b plantBook, l optimize.Line) lineRow {
	row := lineRow{
		subjectName: b.subject(p.Lang, l), Why: whyPath(x, l.Subject), Verdict: verdictChip(p, x, l), Pinned: l.Pinned,
		Acts: l.Verdict != optimize.VerdictDefer && l.Verdict != optimize.VerdictUnserved, Who: crewNames(p, b, l),
		Value: l.Value, PFail: l.P, Cost: l.PlannedCost, Expected: l.ExpectedCost,
	}
	if begins(l) {
		start := x.time.at(l.Start)
		row.Start = &start
	}
	return row
}

// begins reports whether a decision has a start: what can wait has a last day
// instead, which its verdict names.
func begins(l optimize.Line) bool { return l.Start >= 0 && l.Verdict == optimize.VerdictDo }

// whyPath is the address that explains a decision.
func whyPath(x solvedPlan, subject string) string {
	q := url.Values{"scenario": {x.scenario.Preset}, "subject": {subject}}
	return "/runs/" + x.run.ID.String() + "/why?" + q.Encode()
}

// crewNames lists everybody who is sent, or the skill.
func crewNames(p Page, b plantBook, l optimize.Line) string {
	if len(l.Crew) < 2 {
		if l.Resource == "" {
			return ""
		}
		return b.names.plain(p.Lang, l.Resource)
	}
	names := make([]string, len(l.Crew))
	for i, id := range l.Crew {
		names[i] = b.names.plain(p.Lang, id)
	}
	return strings.Join(names, p.T("results.and"))
}

// verdictChip sums a decision up in one mark.
func verdictChip(p Page, x solvedPlan, l optimize.Line) chipView {
	on := func(key string) string { return p.T(key, "Date", x.time.moment(p, l.Start)) }
	switch l.Verdict {
	case optimize.VerdictDefer:
		return chipView{"none", "hourglass", p.T("results.verdict.defer")}
	case optimize.VerdictUnserved:
		return chipView{"bad", "circle-slash", p.T("results.verdict.unserved")}
	case optimize.VerdictRun:
		return chipView{"busy", "gauge", p.T("results.verdict.run")}
	case optimize.VerdictWait:
		if l.Start >= float64(x.time.periods) {
			return chipView{"ok", "hourglass", p.T("results.verdict.defer")}
		}
		return chipView{"ok", "calendar-check", on("results.verdict.wait")}
	case optimize.VerdictSame:
		if l.Start < 0 || l.Start >= float64(x.time.periods) {
			return chipView{"warn", "scale", p.T("results.verdict.same.all")}
		}
		return chipView{"warn", "scale", on("results.verdict.same")}
	}
	if l.Start*x.time.hours < 24 && x.time.daily() {
		return chipView{"bad", "flame", p.T("results.verdict.now")}
	}
	return chipView{"busy", "wrench", on("results.verdict.do")}
}

// siteRank is the value that a plan protects at one site.
type siteRank struct {
	Name              string
	Value, Left       float64
	Planned, Deferred int
}

// siteRanks adds the decisions up by site, in the order of their value.
func siteRanks(p Page, x solvedPlan, b plantBook) []siteRank {
	at := map[string]int{}
	var out []siteRank
	for _, l := range x.view.Lines {
		if l.SiteID == "" {
			continue
		}
		i, seen := at[l.SiteID]
		if !seen {
			i = len(out)
			at[l.SiteID] = i
			out = append(out, siteRank{Name: b.names.plain(p.Lang, l.SiteID)})
		}
		out[i].Value += l.Value
		out[i].Left += math.Max(0, l.ExpectedCost-l.PlannedCost)
		if l.Verdict == optimize.VerdictDefer || l.Verdict == optimize.VerdictUnserved {
			out[i].Deferred++
		} else {
			out[i].Planned++
		}
	}
	return out
}
