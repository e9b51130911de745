package notice

import (
	"html/template"
	"strings"

	"github.com/optria-iq/optria/internal/i18n"
)

// maxWords bounds what a sentence quotes of a payload, in characters.
const maxWords = 300

// objects are the kinds of objects that sentences can name.
var objects = map[string]string{
	"plan": "/plans/", "run": "/runs/", "schedule": "/schedules/", "work_order": "/work-orders/", "report": "/reports/", "webhook": "/webhooks/", "api_token": "/tokens",
}

// pathOf is the page of the object that an event is about.
func pathOf(e Event) string {
	path, known := objects[e.ObjectType]
	if !known || !strings.HasSuffix(path, "/") {
		return path
	}
	return path + e.ObjectID.String()
}

// subjects name the object: by title or name, by number or tag, by both, or
// with the general word for its kind.
func subjects(l *i18n.Localizer, objectType string, f fields) (plain string, marked template.HTML) {
	own := f.Name
	if l.Lang == i18n.Arabic && f.NameAr != "" {
		own = f.NameAr
	}
	first, second := f.Title, own
	if objectType == "work_order" { // its title is that of the plan
		first, second = own, f.Title
	}
	name := bounded(first)
	if name == "" {
		name = bounded(second)
	}
	id := bounded(f.Number)
	if id == "" {
		id = bounded(f.Tag)
	}
	if name == "" && id == "" {
		if _, known := objects[objectType]; !known {
			objectType = "other"
		}
		general := l.T("notifications.object." + objectType)
		return general, template.HTML(template.HTMLEscapeString(general)) //nolint:gosec // escaped
	}
	var plains, htmls []string
	if id != "" {
		plains = append(plains, "\u2066"+id+"\u2069")
		htmls = append(htmls, `<bdi dir="ltr" class="tag">`+template.HTMLEscapeString(id)+`</bdi>`)
	}
	if name != "" {
		plains = append(plains, l.T("notifications.quoted", "Name", unicodeIsolate(name)))
		htmls = append(htmls, string(l.HTML("notifications.quoted", "Name", isolate(name))))
	}
	return strings.Join(plains, " "), template.HTML(strings.Join(htmls, " ")) //nolint:gosec // both parts are escaped
}

// isolate keeps a name of any direction from turning the sentence round it.
func isolate(s string) template.HTML {
	return template.HTML("<bdi>" + template.HTMLEscapeString(s) + "</bdi>") //nolint:gosec // escaped
}

func unicodeIsolate(s string) string { return "\u2068" + s + "\u2069" }

// bounded makes one short line of what a payload says.
func bounded(s string) string {
	line := []rune(strings.Join(strings.Fields(s), " "))
	if len(line) > maxWords {
		return string(line[:maxWords-1]) + "…"
	}
	return string(line)
}
