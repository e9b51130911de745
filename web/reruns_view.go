package web

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/web/evidence"
)

// shownSources is how many assets the page of a run's evidence lists.
const shownSources = 60

// snapshotView is the page of a run's evidence.
type snapshotView struct {
	ID, Title, Problem           string
	At, From, To                 time.Time
	Kept, Finished, CanRun, Open bool
	Seed                         int64
	Budget                       string
	ScoresAsOf                   time.Time
	HasScores                    bool
	Profile, Zone                string
	DaysOff                      int
	Build, Exact                 string
	Hashes                       []hashView
	Presets                      []presetEvidence
	Assets                       []sourceView
	MoreAssets                   int
	Crews                        []crewView
	Reruns                       []rerunView
}

// hashView is a hash with what it is of.
type hashView struct{ ID, Label, Value string }

// presetEvidence is one alternative with how it came about.
type presetEvidence struct {
	Name, Ended, Tone, Output, Key string
	Total, Gap                     float64
	HasGap, Resumed                bool
	Threads                        int
	Iterations                     int64
}

// sourceView is one asset as it stood.
type sourceView struct {
	Tag, Name string
	Costs     []versionView
	ScoreAt   time.Time
	Scored    bool
	Trusted   bool
}

// versionView is the version of a cost model of one kind.
type versionView struct {
	Kind    string
	Version int
}

type crewView struct {
	Skill, Name string
	People      int
}

func newSnapshotView(p Page, x snapshotRows) (snapshotView, error) {
	run := x.run
	v := snapshotView{
		ID: run.ID.String(), Title: run.Title, Problem: problemTitle(p, run.Problem), At: run.RequestedAt, From: run.WindowStart,
		To: run.WindowStart.AddDate(0, 0, int(run.WindowDays)-1), Finished: run.State == "done", Kept: x.manifest != nil,
	}
	if run.FinishedAt != nil {
		v.At = *run.FinishedAt
	}
	for _, row := range x.reruns {
		one, err := newRerunView(p, x, row)
		if err != nil {
			return v, err
		}
		v.Open = v.Open || one.Open
		v.Reruns = append(v.Reruns, one)
	}
	if x.manifest == nil {
		return v, nil
	}
	m := *x.manifest
	v.Seed, v.Budget = m.Seed, p.Loc().Span(time.Duration(m.WorkSeconds*float64(time.Second)))
	if v.HasScores = m.ScoresAsOf != nil; v.HasScores {
		v.ScoresAsOf = *m.ScoresAsOf
	}
	v.Profile, v.Zone, v.DaysOff = x.sources.Calendar.Profile, x.sources.Calendar.TimeZone, len(x.sources.Calendar.DaysOff)
	v.Build, v.Exact = m.Build.String(), m.Exact.Name+" "+m.Exact.Version
	v.Hashes = []hashView{
		{"hash-manifest", p.T("evidence.hash.manifest"), manifest.Hex(run.ManifestSha256)}, {"hash-input", p.T("evidence.hash.input"), m.Input},
		{"hash-sources", p.T("evidence.hash.sources"), m.Sources}, {"hash-exact", p.T("evidence.hash.exact"), m.Exact.SHA256},
	}
	v.Presets = evidenceOfPresets(p, m, x.scenarios)
	v.addSources(p, x.sources)
	return v, nil
}

// endTones maps what ended a search to the look of its mark.
var endTones = map[manifest.Ended]string{manifest.EndedGap: "ok", manifest.EndedBudget: "ok", manifest.EndedStopped: "warn", manifest.EndedClock: "warn"}

func evidenceOfPresets(p Page, m manifest.Manifest, scenarios []db.OptimizationScenario) []presetEvidence {
	var list []presetEvidence
	for _, x := range m.Presets {
		one := presetEvidence{
			Key: x.Preset, Name: presetName(p, x.Preset), Ended: p.T("evidence.ended." + string(x.Ended)), Tone: endTones[x.Ended], Output: x.Output,
			Resumed: x.Start != "", Threads: x.Threads, Iterations: x.Iterations,
		}
		if one.HasGap = x.Gap != nil; one.HasGap {
			one.Gap = *x.Gap
		}
		for _, sc := range scenarios {
			if sc.Preset == x.Preset {
				one.Total = sc.TotalCost
			}
		}
		list = append(list, one)
	}
	return list
}

func (v *snapshotView) addSources(p Page, s manifest.Sources) {
	for _, a := range s.Assets {
		one := sourceView{Tag: a.Tag, Name: localName(p.Lang, a.NameAR, a.NameEN), Scored: a.ScoreAt != nil, Trusted: a.Trusted}
		if one.Scored {
			one.ScoreAt = *a.ScoreAt
		}
		for kind, version := range a.Costs {
			one.Costs = append(one.Costs, versionView{p.T("evidence.cost." + kind), version})
		}
		slices.SortFunc(one.Costs, func(a, b versionView) int { return cmp.Compare(a.Kind, b.Kind) })
		v.Assets = append(v.Assets, one)
	}
	slices.SortFunc(v.Assets, func(a, b sourceView) int { return cmp.Compare(a.Tag, b.Tag) })
	if n := len(v.Assets); n > shownSources {
		v.Assets, v.MoreAssets = v.Assets[:shownSources], n-shownSources
	}
	for _, c := range s.Crews {
		v.Crews = append(v.Crews, crewView{c.Code, localName(p.Lang, c.NameAR, c.NameEN), c.People})
	}
}

// rerunView is one repetition.
type rerunView struct {
	ID, By, State, StateLabel, Verdict, Tone, Icon, Note, Failure string
	At                                                            time.Time
	Open, SameBuild                                               bool
	Build                                                         string
	Presets                                                       []comparedView
	Since                                                         *sinceView
}

// comparedView is one preset of a repetition.
type comparedView struct {
	Name, Is, Label, Tone, Icon string
	Identical                   bool
	Total                       float64
	HasDifference               bool
	Moved                       []movedView
	MoreMoved, Touched          int
}

// movedView is one decision that differs.
type movedView struct{ Name, Was, Is string }

// sinceView is what has changed in the plant since a run.
type sinceView struct {
	Failure      string
	Changes      []changeView
	More         int
	NothingMoved bool
}

// changeView is one change, worded.
type changeView struct {
	Subject, What, Was, Is, Kind string
	IsTag                        bool
}

var rerunStates = map[string]string{"requested": "plan", "running": "run", "done": "done", "failed": "fail"}

func newRerunView(p Page, x snapshotRows, row db.ListRerunsRow) (rerunView, error) {
	v := rerunView{
		ID: row.ID.String(), By: localName(p.Lang, row.RequestedAr, row.RequestedEn), At: row.RequestedAt, State: rerunStates[row.State],
		StateLabel: p.T("evidence.state." + row.State), Build: row.Build, Open: row.State == "requested" || row.State == "running",
	}
	if row.State == "failed" {
		v.Failure = p.T(cmp.Or(row.ErrorKey, "workflows.internal"))
		return v, nil
	}
	if row.State != "done" {
		return v, nil
	}
	report, err := evidence.Report(row.Result)
	if err != nil {
		return v, err
	}
	v.SameBuild = report.Was == report.Is
	v.judge(p, report)
	for _, preset := range x.order(report) {
		v.Presets = append(v.Presets, newComparedView(p, x, preset, report.Presets[preset]))
	}
	if report.Since != nil {
		v.Since = newSinceView(p, *report.Since)
	}
	return v, nil
}

// order lists the presets of a report in the order of the run.
func (x snapshotRows) order(r manifest.Report) []string {
	var list []string
	if x.manifest == nil {
		return list
	}
	for _, p := range x.manifest.Presets {
		if _, there := r.Presets[p.Preset]; there {
			list = append(list, p.Preset)
		}
	}
	return list
}

// judge says in a word what a repetition came to.
func (v *rerunView) judge(p Page, r manifest.Report) {
	repeatable := true
	for _, x := range r.Presets {
		repeatable = repeatable && x.Repeatable()
	}
	switch {
	case r.Identical():
		v.Verdict, v.Tone, v.Icon, v.Note = p.T("evidence.identical"), "ok", "badge-check", p.T("evidence.identical.text")
	case !repeatable:
		v.Verdict, v.Tone, v.Icon, v.Note = p.T("evidence.unrepeatable"), "warn", "clock", p.T("evidence.unrepeatable.text")
	case v.SameBuild:
		v.Verdict, v.Tone, v.Icon, v.Note = p.T("evidence.differs"), "bad", "triangle-alert", p.T("evidence.differs.text")
	default:
		v.Verdict, v.Tone, v.Icon, v.Note = p.T("evidence.differs"), "warn", "triangle-alert", p.T("evidence.differs.build")
	}
}

func newComparedView(p Page, x snapshotRows, preset string, c manifest.Compared) comparedView {
	v := comparedView{Name: presetName(p, preset), Is: c.Is, Identical: c.Identical, Label: p.T("evidence.identical"), Tone: "ok", Icon: "check"}
	if c.Identical {
		return v
	}
	v.Label, v.Tone, v.Icon = p.T("evidence.differs"), "bad", "triangle-alert"
	if !c.Repeatable() {
		v.Label, v.Tone, v.Icon = p.T("evidence.ended."+string(worse(c))), "warn", "clock"
	}
	if c.Difference == nil {
		return v
	}
	v.HasDifference, v.Total, v.Touched = true, c.Difference.Total, c.Difference.Touched
	for _, m := range c.Difference.Moved {
		v.Moved = append(v.Moved, movedView{cmp.Or(m.Name, m.Subject), decisionWords(p, x, m.Was), decisionWords(p, x, m.Is)})
	}
	v.MoreMoved = c.Difference.Count - len(v.Moved)
	return v
}

// worse is what keeps a pair of searches from being repeatable.
func worse(c manifest.Compared) manifest.Ended {
	if !c.Ended.Repeatable() {
		return c.Ended
	}
	return c.AgainEnded
}

// decisionWords names a decision with the day on which it begins.
func decisionWords(p Page, x snapshotRows, d *manifest.Placement) string {
	if d == nil {
		return p.T("evidence.nothing")
	}
	text := p.T("evidence.verdict." + d.Verdict)
	if d.Start < 0 {
		return text
	}
	if x.run.Problem == "maintenance_prioritization" || x.run.Problem == "maintenance_deferral_cost" {
		return text + " · " + p.Loc().Date(x.run.WindowStart.AddDate(0, 0, int(d.Start)))
	}
	return text + " · " + p.T("evidence.period", "N", p.Loc().Num(d.Start, 1))
}

func newSinceView(p Page, s manifest.Since) *sinceView {
	if s.ErrorKey != "" {
		return &sinceView{Failure: p.T(s.ErrorKey)}
	}
	v := &sinceView{More: s.Count + s.Records - len(s.Changes) - len(s.Sources)}
	for _, c := range slices.Concat(s.Changes, s.Sources) {
		v.Changes = append(v.Changes, newChangeView(p, s.Names, c))
	}
	v.NothingMoved = len(v.Changes) == 0
	return v
}

// newChangeView words a change: the last part of its path that has a name is
// what it is about, the keys behind it say what of it.
func newChangeView(p Page, names map[string]string, c manifest.Change) changeView {
	v := changeView{Kind: "changed", Was: plainValue(p, c.Was), Is: plainValue(p, c.Is)}
	switch {
	case c.Was == nil:
		v.Kind = "added"
	case c.Is == nil:
		v.Kind = "removed"
	}
	at := -1
	for i, part := range c.Path {
		if name, named := names[part]; named {
			v.Subject, v.IsTag, at = name, true, i
		}
	}
	for i, part := range c.Path {
		if _, named := names[part]; i == at || named {
			continue
		}
		if key := "evidence.field." + part; p.Loc().Has(key) {
			part = p.T(key)
		}
		if v.What != "" {
			v.What += " · "
		}
		v.What += part
	}
	return v
}

// plainValue prints a value that is one word; a larger one is only named by
// its path.
func plainValue(p Page, raw json.RawMessage) string {
	var number float64
	var text string
	var truth bool
	switch {
	case raw == nil:
		return ""
	case json.Unmarshal(raw, &number) == nil:
		return p.Loc().Num(number, 3)
	case json.Unmarshal(raw, &text) == nil && len(text) <= 40:
		return text
	case json.Unmarshal(raw, &truth) == nil:
		return p.T(map[bool]string{true: "yes", false: "no"}[truth])
	}
	return ""
}
