package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/web/revision"
)

// reliabilityRoutes are the pages on which engineers edit what the score of an
// asset rests on.
func (s *Server) reliabilityRoutes() []route {
	return []route{
		{http.MethodGet, "/assets/{id}/modes", access.ViewResults, s.listModes},
		{http.MethodGet, "/assets/{id}/modes/new", access.EditAssets, s.newMode},
		{http.MethodPost, "/assets/{id}/modes", access.EditAssets, s.addMode},
		{http.MethodGet, "/assets/{id}/modes/{mode}", access.EditAssets, s.editMode},
		{http.MethodPost, "/assets/{id}/modes/{mode}", access.EditAssets, s.saveMode},
		{http.MethodPost, "/assets/{id}/modes/{mode}/archive", access.EditAssets, s.archiveMode},
		{http.MethodGet, "/assets/{id}/life", access.ViewResults, s.showLife},
		{http.MethodPost, "/assets/{id}/life", access.EditAssets, s.saveLife},
		{http.MethodPost, "/assets/{id}/lives", access.EditAssets, s.recordLife},
		{http.MethodPost, "/assets/{id}/equipment", access.EditAssets, s.saveEquipment},
		{http.MethodGet, "/assets/{id}/costs", access.ViewResults, s.showCosts},
		{http.MethodPost, "/assets/{id}/costs", access.EditCostModels, s.saveCost},
		{http.MethodGet, "/assets/{id}/inspections", access.ViewResults, s.showInspections},
		{http.MethodPost, "/assets/{id}/inspections", access.EditAssets, s.recordInspection},
	}
}

// EditHead is the head of the pages around one asset.
type EditHead struct {
	ID, Tag, Name, Place string
	Tabs                 []tabView
	CanEdit, CanPrice    bool
}

// editTabs are the pages in their order.
var editTabs = []string{"modes", "life", "costs", "inspections"}

// assetHead names the asset of a page and opens its trail.
func assetHead(r *http.Request, p *Page, a db.GetAssetRow, tab string) EditHead {
	who, x := access.From(r.Context()), a.Asset
	h := EditHead{ID: x.ID.String(), Tag: x.Tag, Name: localName(p.Lang, x.NameAr, x.NameEn), CanEdit: who.Can(access.EditAssets), CanPrice: who.Can(access.EditCostModels),
		Place: localName(p.Lang, a.SiteNameAr, a.SiteNameEn) + " · " + localName(p.Lang, a.UnitNameAr, a.UnitNameEn)}
	for _, name := range editTabs {
		h.Tabs = append(h.Tabs, tabView{Href: "/assets/" + h.ID + "/" + name, Label: p.T("reliability." + name), Active: name == tab})
	}
	p.Title = p.T("reliability."+tab) + " · " + x.Tag
	p.Crumbs = []Crumb{{Href: "/assets", Label: p.T("nav.assets")}, {Href: "/assets/" + h.ID, Label: x.Tag, Tag: true}, {Label: p.T("reliability." + tab)}}
	return h
}

// assetPage opens a page around the asset that the address names; load reads
// what the page shows in the same transaction.
func (s *Server) assetPage(r *http.Request, tab string, load func(ctx context.Context, tx pgx.Tx, q *db.Queries, a db.Asset) error) (Page, EditHead, error) {
	id, err := pathUUID(r, "id")
	if err != nil {
		return Page{}, EditHead{}, err
	}
	p, err := s.page(r, "reliability."+tab)
	if err != nil {
		return p, EditHead{}, err
	}
	var a db.GetAssetRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if a, err = q.GetAsset(ctx, tx, tenant, id); err != nil {
			return err
		}
		return load(ctx, tx, q, a.Asset)
	})
	if err != nil {
		return p, EditHead{}, notFound(err)
	}
	return p, assetHead(r, &p, a, tab), nil
}

// submission is a form that edits an asset: what it proposes, how it is saved,
// and the page that shows it again.
type submission struct {
	asset  uuid.UUID
	form   *editForm
	change reliability.Change
	check  reliability.Mistakes
	save   func(ctx context.Context, e revision.Edit) error
	again  func(status int, f *editForm, v *previewView) error
	target string
	toast  string
}

// submit previews or saves. A form that is refused, or that somebody else has
// overtaken, is shown again with everything that was typed.
func (s *Server) submit(w http.ResponseWriter, r *http.Request, x submission) error {
	f := x.form
	if f.Do == doEdit {
		return x.again(http.StatusOK, f, nil)
	}
	if f.refuse(x.check); len(f.keys) > 0 {
		return x.again(http.StatusUnprocessableEntity, f, nil)
	}
	if f.Do == doPreview {
		v, err := s.preview(r, x.asset, x.change)
		if err != nil {
			return err
		}
		return x.again(http.StatusOK, f, v)
	}
	err := s.revise(r, x.asset, f.Seen, x.save)
	var invalid *revision.Invalid
	var known *fault.Error
	switch {
	case errors.As(err, &invalid):
		f.refuse(invalid.Mistakes)
		return x.again(http.StatusUnprocessableEntity, f, nil)
	case errors.As(err, &known) && known.Key == revision.KeyStale:
		f.Stale = true
		return x.again(http.StatusConflict, f, nil)
	case err != nil:
		return notFound(err)
	}
	return s.redirect(w, r, x.target, x.toast)
}

// revise runs one change of an asset in a transaction.
func (s *Server) revise(r *http.Request, asset uuid.UUID, seen string, change func(ctx context.Context, e revision.Edit) error) error {
	return s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, _ uuid.UUID) error {
		return change(ctx, revision.Edit{Tx: tx, Q: q, Origin: originOf(r), Asset: asset, Now: time.Now(), Seen: seen})
	})
}
