package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/web/revision"
)

// grades are the grades that the form offers, the best first.
var grades = []float64{1, 0.75, 0.5, 0.25, 0}

// inspectionLine is one inspection of the list.
type inspectionLine struct {
	At         time.Time
	Grade      float64
	Graded     bool
	Word, Tone string
	Signs      []string
	Note, By   string
}

// signField is one sign with the degree that was chosen.
type signField struct {
	Name, Label, Value string
	Degrees            []Option
}

type inspectionPage struct {
	EditHead
	Form    *editForm
	Grades  []Option
	Signs   []signField
	Rows    []inspectionLine
	Today   string
	Preview *previewView
}

func (s *Server) showInspections(w http.ResponseWriter, r *http.Request) error {
	return s.inspectionPage(w, r, http.StatusOK, nil, nil)
}

func (s *Server) inspectionPage(w http.ResponseWriter, r *http.Request, status int, f *editForm, preview *previewView) error {
	var rows []db.AssetInspectionsRow
	p, head, err := s.assetPage(r, "inspections", func(ctx context.Context, tx pgx.Tx, q *db.Queries, a db.Asset) (err error) {
		rows, err = q.AssetInspections(ctx, tx, a.TenantID, a.ID)
		return err
	})
	if err != nil {
		return err
	}
	v := inspectionPage{EditHead: head, Form: f, Preview: preview, Today: time.Now().In(riyadhZone).Format(time.DateOnly)}
	if v.Form == nil {
		v.Form = filled(map[string]string{"inspected_at": v.Today})
	}
	v.Form.show(p, "")
	for _, g := range grades {
		v.Grades = append(v.Grades, Option{plain(g), p.T("reliability.grade." + gradeName(g))})
	}
	degrees := make([]Option, len(reliability.ObservedDegrees))
	for i, d := range reliability.ObservedDegrees {
		degrees[i] = Option{d, p.T("reliability.degree." + d)}
	}
	for _, name := range reliability.ObservedSigns {
		v.Signs = append(v.Signs, signField{Name: "sign_" + name, Label: p.T("reliability.sign." + name), Value: v.Form.Values["sign_"+name], Degrees: degrees})
	}
	for _, x := range rows {
		line, err := newInspectionLine(p, x)
		if err != nil {
			return err
		}
		v.Rows = append(v.Rows, line)
	}
	p.Data = v
	s.render.Render(w, r, status, "reliability/inspections", p)
	return nil
}

// gradeName is the word for the range that a grade lies in.
func gradeName(grade float64) string {
	names := []string{"new", "good", "fair", "poor", "end"}
	for i, g := range grades {
		if grade >= g-0.125 {
			return names[i]
		}
	}
	return "end"
}

var gradeTones = map[string]string{"new": "ok", "good": "ok", "fair": "warn", "poor": "bad", "end": "bad"}

func newInspectionLine(p Page, x db.AssetInspectionsRow) (inspectionLine, error) {
	i := x.AssetInspection
	line := inspectionLine{At: i.InspectedAt, Note: i.Note, By: localName(p.Lang, x.ByAr, x.ByEn)}
	if i.Grade != nil {
		name := gradeName(*i.Grade)
		line.Graded, line.Grade, line.Word, line.Tone = true, *i.Grade, p.T("reliability.grade."+name), gradeTones[name]
	}
	var seen map[string]string
	if err := json.Unmarshal(i.Observations, &seen); err != nil {
		return line, fmt.Errorf("read observations of inspection %s: %w", i.ID, err)
	}
	for _, name := range reliability.ObservedSigns {
		if degree := seen[name]; degree != "" {
			line.Signs = append(line.Signs, p.T("reliability.sign."+name)+": "+p.T("reliability.degree."+degree))
		}
	}
	return line, nil
}

// inspection reads an inspection; signs that were not seen are left out.
func (f *editForm) inspection() reliability.Inspection {
	x := reliability.Inspection{InspectedAt: f.day("inspected_at"), Grade: f.number("grade", reliability.KeyGrade), Note: f.Values["note"], Observations: map[string]string{}}
	for _, name := range reliability.ObservedSigns {
		if degree := f.Values["sign_"+name]; degree != "" {
			x.Observations[name] = degree
		}
	}
	return x
}

func (s *Server) recordInspection(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	f := readEditForm(r)
	x := f.inspection()
	return s.submit(w, r, submission{asset: id, form: f, change: reliability.Change{Inspection: &x}, check: x.Check(time.Now()),
		save:   func(ctx context.Context, e revision.Edit) error { return revision.RecordInspection(ctx, e, x) },
		again:  func(status int, f *editForm, v *previewView) error { return s.inspectionPage(w, r, status, f, v) },
		target: "/assets/" + id.String() + "/inspections", toast: "reliability.inspection.saved"})
}
