package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/web/integration"
)

// targetsShown bounds the assets of one answer.
const targetsShown = 100

// targetQuery is what the reader asked to see of the tree of signals: a unit,
// an asset, or what a search finds; nothing for the sites. Tag is the external
// tag that a signal is chosen for, empty when none is.
type targetQuery struct {
	Search, Tag string
	Unit, Asset *uuid.UUID
}

// targetView is a part of the tree site, unit, asset, component, signal.
type targetView struct {
	ID, Tag, Search string
	Sites           []targetSite
	Assets          []targetAsset
	Components      []targetComponent
	More            bool // there are more assets than are shown
}

type targetSite struct {
	Name  string
	Units []targetUnit
}

type targetUnit struct {
	ID, Name string
	Assets   int
}

type targetAsset struct {
	ID, Tag, Name string
	Signals, Fed  int
}

type targetComponent struct {
	Name    string // empty for the asset as a whole
	Signals []targetSignal
}

type targetSignal struct {
	ID                 int64
	Metric, Name, Unit string
	Rules              int
}

// listTargets prints a part of the tree of signals.
func (s *Server) listTargets(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	query := r.URL.Query()
	x := targetQuery{Search: strings.TrimSpace(query.Get("q")), Tag: query.Get("tag")}
	for name, into := range map[string]**uuid.UUID{"unit": &x.Unit, "asset": &x.Asset} {
		if known, err := uuid.Parse(query.Get(name)); err == nil {
			*into = &known
		}
	}
	p := s.render.Page(r)
	var v targetView
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		if _, err := q.GetIntegration(ctx, tx, tenant, id); err != nil {
			return err
		}
		v, err = loadTargets(ctx, tx, q, p, tenant, id, x)
		return err
	})
	if err != nil {
		return err
	}
	p.Data = v
	s.render.RenderPart(w, r, http.StatusOK, "integrations/mappings", "target-part", p)
	return nil
}

func loadTargets(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant, id uuid.UUID, x targetQuery) (targetView, error) {
	v := targetView{ID: id.String(), Tag: x.Tag, Search: x.Search}
	switch {
	case x.Asset != nil:
		found, err := q.TargetSignals(ctx, tx, tenant, *x.Asset)
		v.addSignals(p, found)
		return v, err
	case x.Unit != nil, x.Search != "":
		found, err := q.TargetAssets(ctx, tx, db.TargetAssetsParams{TenantID: tenant, UnitID: x.Unit, Pattern: integration.Pattern(x.Search), PageSize: targetsShown + 1})
		v.More = len(found) > targetsShown
		for _, a := range found[:min(len(found), targetsShown)] {
			v.Assets = append(v.Assets, targetAsset{a.ID.String(), a.Tag, localName(p.Lang, a.NameAr, a.NameEn), int(a.Signals), int(a.Fed)})
		}
		return v, err
	}
	found, err := q.TargetUnits(ctx, tx, tenant)
	for _, u := range found {
		name := localName(p.Lang, u.SiteAr, u.SiteEn)
		if len(v.Sites) == 0 || v.Sites[len(v.Sites)-1].Name != name {
			v.Sites = append(v.Sites, targetSite{Name: name})
		}
		site := &v.Sites[len(v.Sites)-1]
		site.Units = append(site.Units, targetUnit{u.ID.String(), localName(p.Lang, u.NameAr, u.NameEn), int(u.Assets)})
	}
	return v, err
}

// addSignals groups the signals of an asset by component.
func (v *targetView) addSignals(p Page, found []db.TargetSignalsRow) {
	for _, s := range found {
		name := localName(p.Lang, s.ComponentAr, s.ComponentEn)
		if len(v.Components) == 0 || v.Components[len(v.Components)-1].Name != name {
			v.Components = append(v.Components, targetComponent{Name: name})
		}
		c := &v.Components[len(v.Components)-1]
		c.Signals = append(c.Signals, targetSignal{s.ID, s.Metric, localName(p.Lang, s.NameAr, s.NameEn), s.Unit, int(s.Rules)})
	}
}
