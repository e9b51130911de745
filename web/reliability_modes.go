package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/web/revision"
)

// keyMark is what is said of a rating that is no number from 1 to 10.
const keyMark = reliability.KeyRating

// modeLine is one failure mode of the list.
type modeLine struct {
	ID, Code, Name, OtherName, Component, Detection, Signal string
	S, O, D, RPN                                            int
}

type modeList struct {
	EditHead
	Rows []modeLine
}

// listModes shows the FMECA of an asset, the highest risk priority first.
func (s *Server) listModes(w http.ResponseWriter, r *http.Request) error {
	var modes []db.AssetFailureMode
	var b assetBook
	p, head, err := s.assetPage(r, "modes", func(ctx context.Context, tx pgx.Tx, q *db.Queries, a db.Asset) (err error) {
		if modes, err = q.ListFailureModes(ctx, tx, a.TenantID, []uuid.UUID{a.ID}); err != nil {
			return err
		}
		b, err = loadAssetBook(ctx, tx, q, a)
		return err
	})
	if err != nil {
		return err
	}
	v := modeList{EditHead: head}
	for _, m := range modes {
		v.Rows = append(v.Rows, newModeLine(p, m, b))
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "reliability/modes", p)
	return nil
}

func newModeLine(p Page, m db.AssetFailureMode, b assetBook) modeLine {
	line := modeLine{ID: m.ID.String(), Code: m.Code, Name: localName(p.Lang, m.NameAr, m.NameEn), OtherName: localName(p.Loc().Other, m.NameAr, m.NameEn),
		Detection: m.Detection, Signal: b.signal(p, m.Metric), S: int(m.Severity), O: int(m.Occurrence), D: int(m.Detectability), RPN: int(m.Rpn)}
	if m.ComponentID != nil {
		line.Component = b.component(p, *m.ComponentID)
	}
	return line
}

// assetBook names the components and signals of an asset.
type assetBook struct {
	components []db.AssetComponent
	signals    []db.Signal
}

func loadAssetBook(ctx context.Context, tx pgx.Tx, q *db.Queries, a db.Asset) (b assetBook, err error) {
	if b.components, err = q.ListComponents(ctx, tx, a.TenantID, []uuid.UUID{a.ID}); err != nil {
		return b, err
	}
	b.signals, err = q.ListSignals(ctx, tx, a.TenantID, []uuid.UUID{a.ID})
	return b, err
}

func (b assetBook) component(p Page, id uuid.UUID) string {
	for _, c := range b.components {
		if c.ID == id {
			return localName(p.Lang, c.NameAr, c.NameEn)
		}
	}
	return ""
}

// signal names a metric; one without a signal keeps its identifier.
func (b assetBook) signal(p Page, metric string) string {
	for _, g := range b.signals {
		if g.Metric == metric {
			return localName(p.Lang, g.NameAr, g.NameEn)
		}
	}
	return metric
}

// modePage is the Data of reliability/mode.
type modePage struct {
	EditHead
	Mode                                          string // id, empty for a new one
	Form                                          *editForm
	Codes, Components, Signals                    []Option
	Severity, Occurrence, Detectability, PriorRPN int
	Saved                                         *modeLine // shown beside a form that somebody has overtaken
	Preview                                       *previewView
}

func (s *Server) newMode(w http.ResponseWriter, r *http.Request) error {
	f := filled(map[string]string{"id": uuid.NewString(), "severity": "5", "occurrence": "3", "detectability": "5"})
	return s.modePage(w, r, http.StatusOK, nil, f, nil)
}

func (s *Server) editMode(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "mode")
	if err != nil {
		return err
	}
	return s.modePage(w, r, http.StatusOK, &id, nil, nil)
}

// modePage prints the form of a failure mode; without a form it shows the mode
// as it is stored.
func (s *Server) modePage(w http.ResponseWriter, r *http.Request, status int, id *uuid.UUID, f *editForm, preview *previewView) error {
	var stored db.AssetFailureMode
	var b assetBook
	p, head, err := s.assetPage(r, "modes", func(ctx context.Context, tx pgx.Tx, q *db.Queries, a db.Asset) (err error) {
		if id != nil {
			if stored, err = q.GetFailureMode(ctx, tx, a.TenantID, a.ID, *id); err != nil {
				return err
			}
		}
		b, err = loadAssetBook(ctx, tx, q, a)
		return err
	})
	if err != nil {
		return err
	}
	v := modePage{EditHead: head, Form: f, Preview: preview}
	crumb := p.T("reliability.mode.new")
	if id != nil {
		v.Mode, crumb, v.PriorRPN = id.String(), stored.Code, int(stored.Rpn)
		if v.Form == nil {
			v.Form = filled(modeValues(stored))
		}
		if v.Form.Stale {
			line := newModeLine(p, stored, b)
			v.Saved = &line
		}
		v.Form.show(p, revision.ModeVersion(stored))
	} else {
		v.Form.show(p, "")
	}
	p.Crumbs = append(p.Crumbs[:2], Crumb{Href: "/assets/" + head.ID + "/modes", Label: p.T("reliability.modes")}, Crumb{Label: crumb, Tag: id != nil})
	v.addChoices(p, b)
	p.Data = v
	s.render.Render(w, r, status, "reliability/mode", p)
	return nil
}

// addChoices fills the lists of the form; ratings that are no numbers count as
// zero while they are typed.
func (v *modePage) addChoices(p Page, b assetBook) {
	for _, code := range reliability.FailureModeCodes {
		v.Codes = append(v.Codes, Option{code, p.T("reliability.iso." + code)})
	}
	for _, c := range b.components {
		v.Components = append(v.Components, Option{c.ID.String(), localName(p.Lang, c.NameAr, c.NameEn)})
	}
	for _, g := range b.signals {
		v.Signals = append(v.Signals, Option{g.Metric, localName(p.Lang, g.NameAr, g.NameEn)})
	}
	for name, into := range map[string]*int{"severity": &v.Severity, "occurrence": &v.Occurrence, "detectability": &v.Detectability} {
		if n, err := strconv.Atoi(v.Form.Values[name]); err == nil && n >= 0 && n <= 10 {
			*into = n
		}
	}
}

func modeValues(m db.AssetFailureMode) map[string]string {
	values := map[string]string{"id": m.ID.String(), "code": m.Code, "name_ar": m.NameAr, "name_en": m.NameEn, "detection": m.Detection, "metric": m.Metric,
		"severity": strconv.Itoa(int(m.Severity)), "occurrence": strconv.Itoa(int(m.Occurrence)), "detectability": strconv.Itoa(int(m.Detectability))}
	if m.ComponentID != nil {
		values["component_id"] = m.ComponentID.String()
	}
	return values
}

// mode reads a failure mode.
func (f *editForm) mode(id uuid.UUID) reliability.Mode {
	return reliability.Mode{ID: id, ComponentID: f.id("component_id"), Code: strings.ToUpper(f.Values["code"]), NameAr: f.Values["name_ar"], NameEn: f.Values["name_en"],
		Detection: f.Values["detection"], Metric: f.Values["metric"],
		Severity: f.whole("severity", keyMark), Occurrence: f.whole("occurrence", keyMark), Detectability: f.whole("detectability", keyMark)}
}

func (s *Server) addMode(w http.ResponseWriter, r *http.Request) error {
	f := readEditForm(r)
	id, err := uuid.Parse(f.Values["id"])
	if err != nil {
		id = uuid.New()
		f.Values["id"] = id.String()
	}
	return s.submitMode(w, r, f, id, nil, revision.AddMode)
}

func (s *Server) saveMode(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "mode")
	if err != nil {
		return err
	}
	return s.submitMode(w, r, readEditForm(r), id, &id, revision.SetMode)
}

// submitMode takes a form of a mode; stored is nil for a new one.
func (s *Server) submitMode(w http.ResponseWriter, r *http.Request, f *editForm, id uuid.UUID, stored *uuid.UUID, save func(context.Context, revision.Edit, reliability.Mode) error) error {
	asset, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	m := f.mode(id)
	scope, err := s.modeScope(r, asset)
	if err != nil {
		return err
	}
	return s.submit(w, r, submission{asset: asset, form: f, change: reliability.Change{Mode: &m}, check: m.Check(scope),
		save:   func(ctx context.Context, e revision.Edit) error { return save(ctx, e, m) },
		again:  func(status int, f *editForm, v *previewView) error { return s.modePage(w, r, status, stored, f, v) },
		target: "/assets/" + asset.String() + "/modes", toast: "reliability.mode.saved"})
}

func (s *Server) modeScope(r *http.Request, asset uuid.UUID) (scope reliability.ModeScope, err error) {
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if _, err = q.GetAsset(ctx, tx, tenant, asset); err != nil {
			return err
		}
		scope, err = revision.Scope(ctx, tx, q, tenant, asset)
		return err
	})
	return scope, notFound(err)
}

// archiveMode takes a failure mode out of the list.
func (s *Server) archiveMode(w http.ResponseWriter, r *http.Request) error {
	asset, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	id, err := pathUUID(r, "mode")
	if err != nil {
		return err
	}
	err = s.revise(r, asset, r.PostFormValue("seen"), func(ctx context.Context, e revision.Edit) error { return revision.ArchiveMode(ctx, e, id) })
	if err != nil {
		return notFound(err)
	}
	return s.redirect(w, r, "/assets/"+asset.String()+"/modes", "reliability.mode.archived")
}
