package web

import (
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"slices"
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/web/chart"
)

// runStages are the stages of a run in their order.
var runStages = []string{"requested", "load", "scores", "solve", "verify", "save"}

// monitorRows is what the monitor reads.
type monitorRows struct {
	run       db.RunDetailRow
	progress  []db.RunProgressRow
	events    []db.RunTimelineRow
	scenarios []db.OptimizationScenario
	book      plantBook              // only of a run that failed or asks what if
	base      *db.ScenarioWithRunRow // the plan that a what-if run sets out from
}

// whatIfNote says what a run changes, and of which plan.
type whatIfNote struct {
	Changes                   []string
	BaseTitle, BasePreset, To string
}

func newWhatIfNote(p Page, x monitorRows) (*whatIfNote, error) {
	base, err := newSolvedPlan(x.base.OptimizationRun, x.base.OptimizationScenario)
	if err != nil {
		return nil, err
	}
	return &whatIfNote{forcedTexts(p, base, x.book, x.run.WhatIf), base.run.Title, presetName(p, base.scenario.Preset), resultPath(base)}, nil
}

// runView is the monitor of a run.
type runView struct {
	ID, Title, Problem, State, StateName, StateLabel, By string
	From, To, RequestedAt                                time.Time
	Days, Attempt                                        int
	Elapsed, Limit                                       string
	Open, Done, Stopping                                 bool
	Failure, FailureTitle                                string
	Conflicts                                            []template.HTML // the constraints that contradict each other
	Steps                                                []stepView
	Tracks                                               []trackView
	Events                                               []eventView
	Best, Bound, Gap                                     *float64
	CanRun, CanRecur                                     bool
	WhatIf                                               *whatIfNote
	History                                              string // address of the history, for those who may read it
}

// stepView is one stage for the part "steps".
type stepView struct{ Label, Note, State string }

// eventView is one line for the part "timeline".
type eventView struct {
	Icon, Tone string
	Text       template.HTML
	Note       string
	Time       time.Time
}

// trackView is the search of one scenario: what it found and what it proved.
type trackView struct {
	Name, Icon, Unit string
	Plot             chart.Plot
	Best, Bound, Gap *float64
	Done             bool
	Seconds          float64
}

func newRunView(p Page, x monitorRows) runView {
	run := x.run
	v := runView{
		ID: run.ID.String(), Title: run.Title, Problem: problemTitle(p, run.Problem), State: run.State, StateName: runStates[run.State],
		StateLabel: p.T("runs.state." + run.State), By: localName(p.Lang, run.RequestedAr, run.RequestedEn),
		From: run.WindowStart, To: run.WindowStart.AddDate(0, 0, int(run.WindowDays)-1), RequestedAt: run.RequestedAt,
		Days: int(run.WindowDays), Attempt: int(run.Attempt), Limit: p.Loc().Span(time.Duration(run.TimeLimitSeconds) * time.Second),
		Open: run.State == "requested" || run.State == "running", Done: run.State == "done", Stopping: run.StopRequested,
		Best: run.Incumbent, Bound: run.Bound, Gap: run.Gap,
	}
	v.Elapsed = runTime(run)
	if run.State == "failed" {
		if v.FailureTitle = p.T("runs.failed"); x.base != nil {
			v.FailureTitle = p.T("results.whatif.forbidden")
		}
		v.Failure = failureText(p, run.ErrorKey, run.ErrorDetail)
		v.Conflicts = conflictTexts(p, x.book, run.ErrorDetail)
	}
	v.Steps = stageSteps(p, run)
	v.Tracks = tracks(p, x)
	for _, e := range x.events {
		v.Events = append(v.Events, newEvent(p, e))
	}
	return v
}

// runTime prints the running time as minutes and seconds.
func runTime(run db.RunDetailRow) string {
	from, to := run.RequestedAt, time.Now()
	if run.StartedAt != nil {
		from = *run.StartedAt
	}
	if run.FinishedAt != nil {
		to = *run.FinishedAt
	}
	d := max(0, to.Sub(from)).Truncate(time.Second)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// failureText explains why a run ended without a plan.
func failureText(p Page, key string, detail json.RawMessage) string {
	if key == "" {
		return p.T("runs.failed.text")
	}
	args := map[string]any{}
	if err := json.Unmarshal(detail, &args); err != nil {
		return p.T("runs.failed.text")
	}
	return p.T(key, arguments(args)...)
}

// conflictTexts names the constraints that no plan can meet together, and by
// how much each would have to give way in the cheapest relaxation.
func conflictTexts(p Page, b plantBook, detail json.RawMessage) []template.HTML {
	var d struct {
		Conflicts []optimize.Conflict `json:"conflicts"`
	}
	if err := json.Unmarshal(detail, &d); err != nil {
		return nil // the sentence of the failure stands alone
	}
	var out []template.HTML
	for _, c := range d.Conflicts {
		line := template.HTML(template.HTMLEscapeString(p.T("runs.conflict.other"))) //nolint:gosec // escaped
		if key := "runs.conflict." + string(c.Code); p.Loc().Has(key) {
			line = template.HTML(template.HTMLEscapeString(p.T(key))) //nolint:gosec // escaped
		}
		if c.Constraint != "" {
			line += ": " + b.names.markup(p.Lang, c.Constraint)
		}
		for i, id := range c.ActionIDs {
			if i == conflictSubjects {
				line += " …"
				break
			}
			line += " · " + b.names.markup(p.Lang, id)
		}
		if c.Amount > 0 {
			line += " · " + p.Loc().HTML("results.conflict.amount", "Amount", isolate(p.Loc().Num(c.Amount, 1)))
		}
		out = append(out, line)
	}
	return out
}

// conflictSubjects bounds the jobs that are named with a conflict.
const conflictSubjects = 4

// stageSteps turns the stage of a run into the list of all stages.
func stageSteps(p Page, run db.RunDetailRow) []stepView {
	at := slices.Index(runStages, run.Stage)
	if run.State == "done" {
		at = len(runStages)
	}
	out := make([]stepView, len(runStages))
	for i, stage := range runStages {
		step := stepView{Label: p.T("runs.stage." + stage), State: "next"}
		switch {
		case i < at:
			step.State = "done"
		case i == at && run.State == "running", i == at && run.State == "requested":
			step.State = "busy"
			if run.Attempt > 1 {
				step.Note = p.T("runs.attempt", "N", p.Loc().Int(int(run.Attempt)))
			}
		case i == at && run.State == "failed":
			step.State = "fail"
		}
		out[i] = step
	}
	return out
}

// presetsOf lists the presets of a problem in its order.
func presetsOf(kind string) []string {
	problem, ok := optimize.Lookup(kind)
	if !ok {
		return nil
	}
	var out []string
	for _, o := range problem.Spec().Objectives {
		out = append(out, o.Kind)
	}
	return out
}

// tracks draws one chart per scenario, in the order of the pages.
func tracks(p Page, x monitorRows) []trackView {
	found := map[string][]db.RunProgressRow{}
	for _, e := range x.progress {
		found[e.Scenario] = append(found[e.Scenario], e)
	}
	saved := map[string]db.OptimizationScenario{}
	for _, sc := range x.scenarios {
		saved[sc.Preset] = sc
	}
	var out []trackView
	for _, preset := range presetsOf(x.run.Problem) {
		rows := found[preset]
		sc, done := saved[preset]
		if len(rows) == 0 && !done {
			continue
		}
		t := trackView{Name: presetName(p, preset), Icon: presetIcon(preset), Done: done}
		t.Plot, t.Unit = searchPlot(p, rows, sc, done)
		if done {
			t.Best, t.Bound, t.Gap, t.Seconds = &sc.Objective, sc.Bound, sc.Gap, sc.Seconds
		} else {
			last := rows[len(rows)-1]
			t.Best, t.Bound, t.Seconds = last.Incumbent, last.Bound, last.ElapsedSeconds
			t.Gap = relativeGap(last.Incumbent, last.Bound)
		}
		out = append(out, t)
	}
	return out
}

// relativeGap is the proven distance of a plan from the best possible one.
func relativeGap(best, bound *float64) *float64 {
	if best == nil || bound == nil || *best == 0 {
		return nil
	}
	g := max(0, *best-*bound) / max(1e-9, math.Abs(*best))
	return &g
}

// moneyAxis prints the ticks of a money axis in the scale that suits its
// greatest value, with decimals enough to tell them apart, and names that
// scale.
func moneyAxis(p Page, points ...[]chart.Point) (format func(float64) string, unit string) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, line := range points {
		for _, point := range line {
			if !math.IsNaN(point.Y) {
				low, high = min(low, point.Y), max(high, point.Y)
			}
		}
	}
	top, scale := max(0, math.Abs(low), math.Abs(high)), 1.0
	if math.IsInf(top, 0) {
		top = 0
	}
	for _, s := range []float64{1e3, 1e6, 1e9} {
		if top >= s {
			scale = s
		}
	}
	decimals := 2
	if step := (high - low) / scale / 5; step > 0 && step < 0.01 {
		decimals = min(6, int(math.Ceil(-math.Log10(step))))
	}
	_, unit = p.Loc().Compact(max(scale, top))
	return func(v float64) string { return p.Loc().Num(v/scale, decimals) }, unit
}

// searchPlot draws how the best plan and the bound met, and names the unit of
// its money.
func searchPlot(p Page, rows []db.RunProgressRow, sc db.OptimizationScenario, done bool) (plot chart.Plot, unit string) {
	var best, bound []chart.Point
	last := 0.0
	for _, e := range rows {
		last = max(last, e.ElapsedSeconds)
		if e.Incumbent != nil {
			best = append(best, chart.Point{X: e.ElapsedSeconds, Y: *e.Incumbent})
		}
		if e.Bound != nil {
			bound = append(bound, chart.Point{X: e.ElapsedSeconds, Y: *e.Bound})
		}
	}
	if done {
		last = max(last, sc.Seconds)
		best = append(best, chart.Point{X: last, Y: sc.Objective})
		if sc.Bound != nil {
			bound = append(bound, chart.Point{X: last, Y: *sc.Bound})
		}
	}
	if len(best)+len(bound) < 2 {
		return chart.Plot{Empty: true}, ""
	}
	format, unit := moneyAxis(p, best, bound)
	seconds := func(v float64) chart.Mark {
		return chart.Mark{At: v, Label: p.T("runs.seconds", "N", p.Loc().Num(v, 1))}
	}
	return chart.NewPlot(chart.Input{
		Dir: chart.For(p.Lang), Height: 148,
		Lines: []chart.Line{
			{Class: "ln-main", Label: p.T("runs.best"), Points: best, Step: true},
			{Class: "ln-good", Label: p.T("runs.bound"), Points: bound, Step: true},
		},
		YFormat: format,
		XTicks:  slices.Compact([]chart.Mark{seconds(0), seconds(last / 2), seconds(last)}),
		Alt:     p.T("runs.chart.alt"),
	}), unit
}

// eventDetail is the detail of a run event.
type eventDetail struct {
	Attempt  int            `json:"attempt"`
	ErrorKey string         `json:"error_key"`
	Args     map[string]any `json:"args"`
}

// newEvent words one line of the timeline.
func newEvent(p Page, e db.RunTimelineRow) eventView {
	var d eventDetail
	if err := json.Unmarshal(e.Detail, &d); err != nil {
		d = eventDetail{} // an older event without details still tells its stage
	}
	stage := e.Stage
	if slices.Contains(runStages, e.Stage) || e.Stage == "done" {
		stage = p.T("runs.stage." + e.Stage)
	}
	v := eventView{Icon: "flag", Tone: "busy", Time: e.At, Text: p.Loc().HTML("runs.event.stage", "Stage", stage)}
	attempt := p.Loc().Int(max(1, d.Attempt))
	switch e.Kind {
	case "stage":
		if e.Stage == "done" {
			v.Icon, v.Tone, v.Text = "circle-check", "ok", p.Loc().HTML("runs.event.done")
		}
	case "attempt":
		v.Icon, v.Tone = "play", "none"
		if d.Attempt > 1 {
			v.Icon, v.Tone = "refresh-cw", "warn"
		}
		v.Text = p.Loc().HTML("runs.event.attempt", "Stage", stage, "N", attempt)
	case "failure":
		v.Icon, v.Tone = "octagon-alert", "bad"
		v.Text = p.Loc().HTML("runs.event.failure", "Stage", stage, "N", attempt)
		if d.ErrorKey != "" {
			v.Note = p.T(d.ErrorKey, arguments(d.Args)...)
		}
	case "stop":
		v.Icon, v.Tone = "square", "warn"
		v.Text = p.Loc().HTML("runs.event.stop")
	}
	if e.Scenario != "" {
		v.Note = joinNotes(presetName(p, e.Scenario), v.Note)
	}
	return v
}

func joinNotes(a, b string) string {
	if b == "" {
		return a
	}
	return a + " · " + b
}
