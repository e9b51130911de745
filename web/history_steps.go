package web

import (
	"encoding/json"
	"html/template"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/workflows"
)

// historyStep is one line of a history. Took is how long it lasted, Cause why
// an attempt failed, Who acted.
type historyStep struct {
	Icon, Tone, State, Who, Took, Cause, Note string
	Text                                      template.HTML
	At                                        time.Time
	Attempts                                  int
	Next                                      *time.Time
	actor                                     uuid.UUID
	act                                       string // action of the audit log that tells the same
}

// sameAct is how far an update and the audit entry that it leads to may be
// apart.
const sameAct = 30 * time.Second

// stepLooks gives every state its icon and tone.
var stepLooks = map[workflows.StepState][2]string{
	workflows.StateWaiting: {"clock", "wait"}, workflows.StateRunning: {"loader", "busy"}, workflows.StateDone: {"circle-check", "ok"},
	workflows.StateFailed: {"octagon-alert", "bad"}, workflows.StateTimedOut: {"timer", "bad"}, workflows.StateCancelled: {"ban", "none"},
	workflows.StateRefused: {"circle-x", "warn"}, workflows.StateContinued: {"refresh-cw", "none"},
}

// stepOf words a step of the engine. A workflow that goes on as a new run is
// the engine's own business and is left out.
func stepOf(p Page, x historyRows, step workflows.Step) (historyStep, bool) {
	if step.State == workflows.StateContinued {
		return historyStep{}, false
	}
	look := stepLooks[step.State]
	v := historyStep{Icon: look[0], Tone: look[1], State: p.T("history.state." + string(step.State)), At: step.At, Attempts: step.Attempts,
		Next: step.NextAttempt, Text: escaped(stepTitle(p, step))}
	if step.Kind == workflows.StepTimer && step.State == workflows.StateCancelled {
		v.State = p.T("history.timer.ended")
	}
	if step.Kind == workflows.StepStart || step.Kind == workflows.StepEnd || step.Kind == workflows.StepSignal || step.Kind == workflows.StepCancel {
		v.State = ""
	}
	if step.Ended != nil {
		from := step.At
		if step.Started != nil && step.Attempts <= 1 {
			from = *step.Started
		}
		v.Took = tookText(p, step.Ended.Sub(from))
	}
	if step.Cause != nil {
		v.Cause = causeText(p, step)
	}
	if step.Line > 0 {
		v.Note = p.T("history.line", "N", p.Loc().Int(step.Line))
	}
	if step.Actor != nil {
		v.actor, v.Who = *step.Actor, x.people.name(p, *step.Actor)
		v.act = actOf(step)
	}
	return v, true
}

// actOf names the action of the audit log that an update leads to.
func actOf(step workflows.Step) string {
	switch step.Name {
	case workflows.UpdateDecide:
		return "plan." + step.Detail
	case workflows.UpdateResolve:
		return "release." + step.Detail
	}
	return ""
}

// stepTitle says in words what a step is.
func stepTitle(p Page, step workflows.Step) string {
	switch step.Kind {
	case workflows.StepActivity:
		title := worded(p, "history.step.", step.Name, "history.step.other")
		if step.Detail != "" {
			title += ": " + presetName(p, step.Detail)
		}
		return title
	case workflows.StepTimer:
		return p.T("history.timer", "Span", p.Loc().Span(step.Wait))
	case workflows.StepUpdate:
		if step.Detail != "" {
			return worded(p, "history.act.", step.Detail, "history.update")
		}
		return worded(p, "history.update.", step.Name, "history.update")
	case workflows.StepChild:
		return worded(p, "history.child.", step.Name, "history.child")
	case workflows.StepEnd:
		return p.T("history.end." + string(step.State))
	}
	return p.T("history." + string(step.Kind))
}

// worded is the text of a name, or a general one when the name has none.
func worded(p Page, prefix, name, general string) string {
	if key := prefix + name; p.Loc().Has(key) {
		return p.T(key)
	}
	return p.T(general)
}

// causeText words why an attempt failed. Reasons that nobody gave words to are
// an internal failure for the reader; their cause is in the log.
func causeText(p Page, step workflows.Step) string {
	text := p.T("workflows.internal")
	if p.Loc().Has(step.Cause.Key) {
		text = p.T(step.Cause.Key, arguments(step.Cause.Args)...)
	}
	if step.State == workflows.StateDone || step.NextAttempt != nil || step.State == workflows.StateRunning {
		return p.T("history.cause.before", "Reason", text)
	}
	return text
}

// tookText prints a duration: tenths of a second while it is short.
func tookText(p Page, d time.Duration) string {
	if d < 10*time.Second {
		return p.T("history.seconds", "N", p.Loc().Num(max(0, d.Seconds()), 1))
	}
	return p.Loc().Span(d)
}

func escaped(text string) template.HTML {
	return template.HTML(template.HTMLEscapeString(text)) //nolint:gosec // escaped
}

// withActs puts what people did among the steps, in order of time. An act that
// a step of the same person already tells is not told twice.
func withActs(p Page, s *Server, x historyRows, steps []historyStep) []historyStep {
	for _, a := range x.acts {
		if a.ActorID == nil || (a.ActorKind != string(db.ActorUser) && a.ActorKind != string(db.ActorService)) {
			continue
		}
		told := slices.ContainsFunc(steps, func(step historyStep) bool {
			return step.actor == *a.ActorID && step.act == a.Action && a.OccurredAt.Sub(step.At).Abs() < sameAct
		})
		if told {
			continue
		}
		steps = append(steps, historyStep{Icon: actorIcons[a.ActorKind], Tone: "busy", Text: escaped(s.actionName(p, a.Action)), Who: x.people.name(p, *a.ActorID), At: a.OccurredAt})
	}
	slices.SortStableFunc(steps, func(a, b historyStep) int { return a.At.Compare(b.At) })
	return steps
}

// recordOfRun words an event that a run wrote about itself.
func recordOfRun(p Page, e db.RunHistoryRow) historyStep {
	v := newEvent(p, db.RunTimelineRow(e))
	return historyStep{Icon: v.Icon, Tone: v.Tone, Text: v.Text, Note: v.Note, At: v.Time}
}

// recordOfDecision words a decision on a plan.
func recordOfDecision(p Page, x historyRows, d db.PlanHistoryRow) historyStep {
	v := historyStep{Icon: "user-check", Tone: "busy", Text: escaped(worded(p, "history.act.", d.Kind, "history.update")), Who: x.people.name(p, d.ActorID), At: d.DecidedAt, actor: d.ActorID, act: "plan." + d.Kind}
	if d.OnBehalfOf != nil {
		v.Note = p.T("history.behalf", "Name", x.people.name(p, *d.OnBehalfOf))
	}
	return v
}

// recordOfRelease words an event of a release.
func recordOfRelease(p Page, x historyRows, e db.ReleaseHistoryRow) historyStep {
	v := historyStep{Icon: "send", Tone: "busy", Text: escaped(worded(p, "history.release.", e.Kind, "history.release")), At: e.At}
	if e.Line != nil {
		v.Note = p.T("history.line", "N", p.Loc().Int(int(*e.Line)))
	}
	var detail struct {
		Key string `json:"error_key"`
	}
	if json.Unmarshal(e.Detail, &detail) == nil && detail.Key != "" && p.Loc().Has(detail.Key) {
		v.Icon, v.Tone, v.Cause = "octagon-alert", "bad", p.T(detail.Key)
	}
	if e.ActorID != nil {
		v.Who, v.actor = x.people.name(p, *e.ActorID), *e.ActorID
	}
	return v
}

// recordsOfFiring words what the row of a due time knows.
func recordsOfFiring(p Page, f db.ScheduleFiring) []historyStep {
	out := []historyStep{{Icon: "calendar-clock", Tone: "busy", Text: escaped(worded(p, "history.cause.", f.Cause, "history.firing.due")), At: f.DueAt}}
	if f.StartedAt != nil {
		out = append(out, historyStep{Icon: "play", Tone: "busy", Text: escaped(p.T("history.start")), At: *f.StartedAt})
	}
	look, tone := "circle-check", "ok"
	if f.State != "done" && f.State != "started" {
		look, tone = "octagon-alert", "bad"
	}
	end := historyStep{Icon: look, Tone: tone, Text: escaped(worded(p, "history.firing.", f.State, "history.end.done")), At: f.DueAt}
	if f.FinishedAt != nil {
		end.At = *f.FinishedAt
	}
	if f.ErrorKey != "" && p.Loc().Has(f.ErrorKey) {
		end.Cause = failureText(p, f.ErrorKey, f.ErrorDetail)
	}
	if f.State == "started" {
		return out
	}
	return append(out, end)
}
