// Package notice words events for people: a title, a sentence and the page of
// the object, from the kind and the payload of an event. What a payload lacks
// is left out, and a kind without words of its own gets general ones, so that
// every event can be read.
package notice

import (
	"encoding/json"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/i18n"
)

// kinds lists every kind of event with its picture and tone, in the order in
// which settings show them.
var kinds = []struct{ name, icon, tone string }{
	{"plan.proposed", "clipboard-check", "wait"}, {"plan.endorsed", "badge-check", "ok"}, {"plan.objected", "message-square", "warn"},
	{"plan.approved", "circle-check", "ok"}, {"plan.returned", "undo-2", "warn"}, {"plan.reminder", "hourglass", "wait"},
	{"plan.escalated", "siren", "bad"}, {"plan.expired", "calendar-x", "bad"}, {"plan.released", "send", "ok"},
	{"release.stuck", "octagon-alert", "bad"}, {"release.done", "check-check", "ok"}, {"release.undone", "undo-2", "warn"}, {"order.drift", "git-compare", "warn"},
	{"run.finished", "circle-check", "ok"}, {"run.failed", "circle-x", "bad"},
	{"schedule.missed", "calendar-x", "bad"}, {"schedule.failing", "triangle-alert", "bad"}, {"schedule.paused", "circle-pause", "warn"},
	{"token.expiring", "key-round", "warn"}, {"token.expired", "key-round", "bad"},
	{"report.ready", "file-check", "ok"}, {"work_order.done", "wrench", "ok"}, {"webhook.failing", "webhook", "bad"},
}

// Test is the kind of the event that is sent to try a webhook. Nobody is
// notified of it.
const Test = "webhook.test"

// Kinds lists the kinds that people can be notified of and webhooks can ask for.
func Kinds() []string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = k.name
	}
	return out
}

// dues are the sentences that say what the due time of an event means; other
// kinds carry it for receivers only.
var dues = map[string]string{
	"plan.proposed": "notifications.due", "plan.endorsed": "notifications.due", "plan.objected": "notifications.due", "plan.reminder": "notifications.due",
	"plan.escalated": "notifications.due", "schedule.missed": "notifications.was_due",
}

// Areas lists the first parts of the kinds, each once.
func Areas() []string {
	var out []string
	for _, k := range kinds {
		if area := AreaOf(k.name); !slices.Contains(out, area) {
			out = append(out, area)
		}
	}
	return out
}

// AreaOf is the first part of a kind.
func AreaOf(kind string) string {
	area, _, _ := strings.Cut(kind, ".")
	return area
}

// Event is what words are found for.
type Event struct {
	Kind, ObjectType string
	ObjectID         uuid.UUID
	Payload          json.RawMessage
}

// Words are an event in one language. HTML is escaped and isolates names and
// tags from the direction of the sentence; Plain says the same with the
// isolating characters of Unicode.
type Words struct {
	Title, Plain, Icon, Tone string
	HTML                     template.HTML
	Path                     string // page of the object, such as /plans/…; empty when there is none
}

// fields are those of a payload that sentences can say. Others are for
// receivers of webhooks.
type fields struct {
	Title, Name, NameAr, Number, Tag, Reason, DueAt string
	ReasonArgs                                      map[string]any // what the message of a reason speaks of
	Schedules                                       []string       // names of those that an expiring token serves
}

// Render words an event.
func Render(l *i18n.Localizer, e Event) Words {
	w := Words{Title: l.T("notifications.kind.other"), Icon: "info", Tone: "none", Path: pathOf(e)}
	known := slices.IndexFunc(kinds, func(k struct{ name, icon, tone string }) bool { return k.name == e.Kind })
	text := "notifications.text.other"
	if known >= 0 {
		w.Title, w.Icon, w.Tone = l.T("notifications.kind."+e.Kind), kinds[known].icon, kinds[known].tone
		text = "notifications.text." + e.Kind
	} else if e.Kind == Test {
		w.Title, text = l.T("notifications.kind."+Test), "notifications.text."+Test
	}
	f := read(e.Payload)
	plain, marked := subjects(l, e.ObjectType, f)
	parts := []part{{text, "Subject", plain, marked}}
	if due, err := time.Parse(time.RFC3339, f.DueAt); err == nil && dues[e.Kind] != "" {
		moment := l.Minute(due)
		parts = append(parts, part{dues[e.Kind], "Due", moment, template.HTML(template.HTMLEscapeString(moment))}) //nolint:gosec // escaped
	}
	if names := bounded(strings.Join(f.Schedules, l.T("notifications.separator"))); names != "" {
		parts = append(parts, part{"notifications.schedules", "Names", unicodeIsolate(names), isolate(names)})
	}
	if reason := bounded(f.Reason); reason != "" {
		said := reason
		if l.Has(reason) { // the product gives reasons as the keys of messages
			said = bounded(l.T(reason, f.ReasonArgs))
		}
		parts = append(parts, part{"notifications.reason", "Reason", unicodeIsolate(said), isolate(said)})
	}
	var plains, htmls []string
	for _, p := range parts {
		plains = append(plains, l.T(p.key, p.name, p.plain))
		htmls = append(htmls, string(l.HTML(p.key, p.name, p.marked)))
	}
	w.Plain, w.HTML = strings.Join(plains, " "), template.HTML(strings.Join(htmls, " ")) //nolint:gosec // every part is escaped by the catalog
	return w
}

// part is one sentence with its argument in both forms.
type part struct {
	key, name, plain string
	marked           template.HTML
}

// read takes what it can of a payload; a field of an unexpected type costs
// that field alone.
func read(payload json.RawMessage) fields {
	var all map[string]json.RawMessage
	if json.Unmarshal(payload, &all) != nil {
		return fields{}
	}
	text := func(name string) string {
		var s string
		if json.Unmarshal(all[name], &s) != nil {
			return ""
		}
		return s
	}
	f := fields{Title: text("title"), Name: text("name"), NameAr: text("name_ar"), Tag: text("tag"), Reason: text("reason"), DueAt: text("due_at")}
	if json.Unmarshal(all["reason_args"], &f.ReasonArgs) != nil {
		f.ReasonArgs = nil // the reason is said without them
	}
	var schedules []struct{ Name string }
	if json.Unmarshal(all["schedules"], &schedules) == nil {
		for _, s := range schedules {
			f.Schedules = append(f.Schedules, s.Name)
		}
	}
	if f.Number = text("number"); f.Number == "" {
		var n json.Number
		if json.Unmarshal(all["number"], &n) == nil {
			f.Number = n.String()
		}
	}
	return f
}
