package web

import (
	"fmt"
	"html"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// exportSheet is one table of an exported plan. Cells are text, numbers,
// times or nil.
type exportSheet struct {
	Part, Name string
	Header     []string
	Rows       [][]any
}

// exportLinks offers the workbook and the tables of a plan.
func exportLinks(p Page, x solvedPlan) []tabView {
	base := "/runs/" + x.run.ID.String() + "/export?scenario=" + x.scenario.Preset
	out := []tabView{{Href: base + "&format=xlsx", Label: p.T("results.export.xlsx")}}
	for _, part := range exportParts(x) {
		out = append(out, tabView{Href: base + "&format=csv&part=" + part, Label: p.T("results.export.csv", "Part", p.T("results.export."+part))})
	}
	return out
}

// exportParts lists the tables that a plan has.
func exportParts(x solvedPlan) []string {
	parts := []string{"lines", "terms"}
	if len(x.view.Loads) > 0 {
		parts = append(parts, "loads")
	}
	if len(x.view.Profiles) > 0 {
		parts = append(parts, "profiles")
	}
	return parts
}

// exportPlan answers a plan as a workbook, or one of its tables as CSV.
func (s *Server) exportPlan(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	query := r.URL.Query()
	x, err := s.loadWhy(r, id, query.Get("scenario"))
	if err != nil {
		return err
	}
	p := s.render.Page(r)
	sheets := exportSheets(p, x)
	name := fileName(x.plan)
	switch query.Get("format") {
	case "xlsx", "":
		body, err := workbook(p, sheets)
		if err != nil {
			return err
		}
		return sendFile(w, name+".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body)
	case "csv":
		i := slices.IndexFunc(sheets, func(sh exportSheet) bool { return sh.Part == query.Get("part") })
		if i < 0 {
			return fault.New(fault.NotFound, "error.404.text")
		}
		body, err := csvOf(sheets[i])
		if err != nil {
			return err
		}
		return sendFile(w, name+"-"+sheets[i].Part+".csv", "text/csv; charset=utf-8", body)
	}
	return fault.New(fault.NotFound, "error.404.text")
}

// fileName names a download by the start of the horizon and the preset; titles
// may hold what file systems refuse.
func fileName(x solvedPlan) string {
	return fmt.Sprintf("optria-%s-%s-%s", x.run.Problem, x.scenario.Preset, x.time.at(0).Format(time.DateOnly))
}

func sendFile(w http.ResponseWriter, name, kind string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	if _, err := w.Write(body); err != nil { // #nosec G705 -- sent as an attachment of its own type
		return fmt.Errorf("send %s: %w", name, err)
	}
	return nil
}

// exportSheets builds the tables of a plan in the language of the page.
func exportSheets(p Page, x whyRows) []exportSheet {
	out := []exportSheet{linesSheet(p, x), termsSheet(p, x.plan)}
	if len(x.plan.view.Loads) > 0 {
		out = append(out, loadsSheet(p, x))
	}
	if len(x.plan.view.Profiles) > 0 {
		out = append(out, profilesSheet(p, x))
	}
	for i := range out {
		out[i].Name = p.T("results.export." + out[i].Part)
	}
	return out
}

func headers(p Page, names ...string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = p.T("results.column." + name)
	}
	return out
}

func linesSheet(p Page, x whyRows) exportSheet {
	sheet := exportSheet{Part: "lines", Header: headers(p, "rank", "tag", "name", "job", "site", "decision", "resource", "start", "end", "was", "hours", "travel",
		"planned_cost", "expected_cost", "value", "probability", "pinned", "reasons")}
	plan := x.plan
	for i, l := range plan.view.Lines {
		name := x.book.subject(p.Lang, l)
		var start, end, was any
		if l.Start >= 0 {
			start = plan.time.at(l.Start)
		}
		if l.End >= 0 {
			end = plan.time.at(l.End)
		}
		if l.Was != nil {
			was = plan.time.at(*l.Was)
		}
		pinned := p.T("results.no")
		if l.Pinned {
			pinned = p.T("results.yes")
		}
		sheet.Rows = append(sheet.Rows, []any{i + 1, name.Tag, name.Name, name.Title, name.Site, verdictChip(p, plan, l).Label, crewNames(p, x.book, l),
			start, end, was, l.Hours, l.TravelHours, l.PlannedCost, l.ExpectedCost, l.Value, l.P, pinned, reasonsText(p, x, l)})
	}
	return sheet
}

// reasonsText joins the reasons of a decision without their markup.
func reasonsText(p Page, x whyRows, l optimize.Line) string {
	var out []string
	for _, reason := range l.Reasons {
		marked := string(reasonText(p, x.book.names, x.plan.time, reason).Text)
		out = append(out, html.UnescapeString(markup.ReplaceAllString(marked, "")))
	}
	return strings.Join(out, " | ")
}

// markup matches the tags that isolate numbers and names on a page.
var markup = regexp.MustCompile(`<[^>]*>`)

func termsSheet(p Page, x solvedPlan) exportSheet {
	sheet := exportSheet{Part: "terms", Header: headers(p, "term", "plan", "current", "unit")}
	current := map[string]float64{}
	for _, t := range x.view.Baseline {
		current[t.Key] = t.Money
	}
	for _, t := range x.view.Terms {
		row := []any{wordOf(p, "optimize.term.", t.Key), t.Money, nil, p.Loc().Currency()}
		if len(x.view.Baseline) > 0 {
			row[2] = current[t.Key]
		}
		sheet.Rows = append(sheet.Rows, row)
	}
	for _, f := range x.view.Figures {
		sheet.Rows = append(sheet.Rows, []any{wordOf(p, "optimize.figure.", f.Key), f.Value, nil, unitOf(p, f.Unit)})
	}
	return sheet
}

func loadsSheet(p Page, x whyRows) exportSheet {
	sheet := exportSheet{Part: "loads", Header: headers(p, "resource", "start", "used", "available", "unit")}
	for _, l := range x.plan.view.Loads {
		unit := l.Unit
		if unit == "" {
			unit = "h"
		}
		for i, used := range l.Used {
			sheet.Rows = append(sheet.Rows, []any{x.book.names.plain(p.Lang, l.Resource), x.plan.time.at(float64(i)), used, l.Available[i], unitOf(p, unit)})
		}
	}
	return sheet
}

func profilesSheet(p Page, x whyRows) exportSheet {
	sheet := exportSheet{Part: "profiles", Header: headers(p, "tag", "start", "on", "load", "was_load", "minimum", "maximum", "unit")}
	for _, u := range x.plan.view.Profiles {
		name := x.book.subject(p.Lang, optimize.Line{Subject: u.Subject, AssetID: u.AssetID})
		for i, load := range u.Load {
			on, was := p.T("results.no"), any(nil)
			if len(u.On) > i && u.On[i] {
				on = p.T("results.yes")
			}
			if len(u.Was) > i {
				was = u.Was[i]
			}
			sheet.Rows = append(sheet.Rows, []any{name.Short(), x.plan.time.at(float64(i)), on, load, was, u.Minimum, u.Maximum, unitOf(p, u.Unit)})
		}
	}
	return sheet
}
