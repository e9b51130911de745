package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/scoring"
)

// plantOpen is how many assets a plant may have for the page to list them all;
// above it only those of the unit that the address names are listed.
const plantOpen = 300

func (s *Server) plantRoutes() []route {
	return []route{{http.MethodGet, "/plant", access.ViewResults, s.showPlant}}
}

// plantNode is a site, unit, asset or component with its rolled-up risk. Href
// opens it; More loads what is left out.
type plantNode struct {
	ID, Icon, Label, Tag, Href, More string
	Scored, Greyed, Anomaly          bool
	Note                             string
	Loss, Index, Health, POutage     float64
	Tone, HealthTone                 string
	Level                            int // of risk, of an asset
	Component, Open                  bool
	Nodes                            []plantNode
}

type plantView struct {
	Sites                    []plantNode
	Choices                  []choiceOption
	Site                     string
	Assets, Greyed, Unscored int
	Loss                     float64
}

// plantRows is what the hierarchy is made of.
type plantRows struct {
	assets     []db.PlantAssetsRow
	groups     map[string]db.RedundancyGroup
	components []db.AssetComponent
	risks      map[uuid.UUID]float64 // by component, SAR
	sites      []db.Site
}

// showPlant shows the hierarchy site, unit, asset, component with the risk of
// each level.
func (s *Server) showPlant(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "plant.title")
	if err != nil {
		return err
	}
	site, unit := optionalUUID(r.URL.Query().Get("site")), optionalUUID(r.URL.Query().Get("unit"))
	var x plantRows
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		return x.load(ctx, tx, q, tenant, site, unit)
	})
	if err != nil {
		return err
	}
	p.Data = newPlantView(p, x, site, unit)
	s.render.Render(w, r, http.StatusOK, "plant/show", p)
	return nil
}

func (x *plantRows) load(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, site, unit *uuid.UUID) (err error) {
	if x.sites, err = q.ListSites(ctx, tx, tenant); err != nil {
		return err
	}
	if x.assets, err = q.PlantAssets(ctx, tx, tenant, site); err != nil {
		return err
	}
	if x.groups, err = redundancyGroups(ctx, tx, q, tenant); err != nil {
		return err
	}
	var listed []uuid.UUID
	for _, a := range x.assets {
		if listsAssets(x.assets, unit, a.UnitID) {
			listed = append(listed, a.ID)
		}
	}
	if len(listed) == 0 {
		return nil
	}
	if x.components, err = q.ListComponents(ctx, tx, tenant, listed); err != nil {
		return err
	}
	x.risks, err = componentRisks(ctx, tx, q, tenant, listed)
	return err
}

// listsAssets reports whether the page lists the assets of a unit.
func listsAssets(all []db.PlantAssetsRow, chosen *uuid.UUID, unit uuid.UUID) bool {
	return len(all) <= plantOpen || chosen != nil && *chosen == unit
}

func redundancyGroups(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (map[string]db.RedundancyGroup, error) {
	rows, err := q.ListRedundancyGroups(ctx, tx, tenant)
	out := map[string]db.RedundancyGroup{}
	for _, g := range rows {
		out[g.ID.String()] = g
	}
	return out, err
}

func componentRisks(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, assets []uuid.UUID) (map[uuid.UUID]float64, error) {
	rows, err := q.ComponentRisks(ctx, tx, tenant, assets)
	out := map[uuid.UUID]float64{}
	for _, c := range rows {
		out[c.ComponentID] = c.LossSar
	}
	return out, err
}

func newPlantView(p Page, x plantRows, site, unit *uuid.UUID) plantView {
	var v plantView
	if site != nil {
		v.Site = site.String()
	}
	for _, s := range x.sites {
		v.Choices = append(v.Choices, choiceOption{s.ID.String(), localName(p.Lang, s.NameAr, s.NameEn)})
	}
	parts := map[uuid.UUID][]db.AssetComponent{}
	for _, c := range x.components {
		parts[c.AssetID] = append(parts[c.AssetID], c)
	}
	sites := rollUpPlant(x.assets, x.groups, scoring.DefaultSettings())
	for _, s := range sites {
		node := groupNode(p, s.rolledUp, "map-pin", localName(p.Lang, s.row.SiteAr, s.row.SiteEn))
		node.Open, node.Href = true, "/assets?site="+s.row.SiteID.String()
		for _, u := range s.units {
			first := u.assets[0]
			below := groupNode(p, u.rolledUp, "boxes", localName(p.Lang, first.UnitAr, first.UnitEn))
			if listsAssets(x.assets, unit, first.UnitID) {
				below.Open = len(sites) == 1 || unit != nil && *unit == first.UnitID
				for _, a := range u.assets {
					below.Nodes = append(below.Nodes, assetPlantNode(p, a, x.groups, parts[a.ID], x.risks))
				}
			} else {
				below.More = p.With("unit", first.UnitID.String()) + "#u-" + below.ID
			}
			node.Nodes = append(node.Nodes, below)
		}
		v.Sites = append(v.Sites, node)
		v.Assets, v.Greyed, v.Unscored, v.Loss = v.Assets+s.Assets, v.Greyed+s.Greyed, v.Unscored+s.Unscored, v.Loss+s.ExpectedLoss
	}
	return v
}

// groupNode is a site or a unit.
func groupNode(p Page, r rolledUp, icon, label string) plantNode {
	n := plantNode{ID: r.ID, Icon: icon, Label: label, Scored: r.Unscored < r.Assets, Greyed: r.Greyed > 0, Note: p.N("count.assets", r.Assets),
		Loss: r.ExpectedLoss, Index: r.Index, Health: r.Health, POutage: r.POutage, Tone: indexTone(r.Index), HealthTone: healthTone(r.Health)}
	if r.Greyed > 0 {
		n.Note += " · " + p.N("plant.greyed", r.Greyed)
	}
	if r.Unscored > 0 {
		n.Note += " · " + p.N("plant.unscored", r.Unscored)
	}
	return n
}

func assetPlantNode(p Page, a db.PlantAssetsRow, groups map[string]db.RedundancyGroup, parts []db.AssetComponent, risks map[uuid.UUID]float64) plantNode {
	n := plantNode{ID: a.ID.String(), Icon: "cog", Label: localName(p.Lang, a.NameAr, a.NameEn), Tag: a.Tag, Href: "/assets/" + a.ID.String(), Scored: a.ScoredAt != nil}
	if g, in := groups[a.GroupID]; in {
		n.Note = localName(p.Lang, g.NameAr, g.NameEn)
		if g.Needed != nil && g.Installed != nil {
			n.Note += " · " + p.T("plant.needs", "Needed", p.Loc().Int(int(*g.Needed)), "Installed", p.Loc().Int(int(*g.Installed)))
		}
	}
	if n.Scored {
		n.Greyed, n.Anomaly, n.Level = !*a.Trusted, *a.AnomalyFlag, int(*a.RiskLevel)
		n.Loss, n.Index, n.Health, n.POutage = *a.ProductionRiskSar, *a.ProductionRiskIndex, *a.HealthScore, *a.FailureProbability30
		n.Tone, n.HealthTone = indexTone(n.Index), healthTone(n.Health)
		if n.Greyed {
			n.Tone, n.HealthTone = "t-none", "t-none"
		}
	}
	n.Nodes = componentPlantNodes(p, parts, nil, risks)
	return n
}

// componentPlantNodes lists the components under a parent, each with its own;
// a parent carries the loss of its parts.
func componentPlantNodes(p Page, all []db.AssetComponent, parent *uuid.UUID, risks map[uuid.UUID]float64) []plantNode {
	var out []plantNode
	for _, c := range all {
		if !sameParent(c.ParentID, parent) {
			continue
		}
		n := plantNode{ID: c.ID.String(), Icon: "package", Label: localName(p.Lang, c.NameAr, c.NameEn), Component: true, Loss: risks[c.ID], Nodes: componentPlantNodes(p, all, &c.ID, risks)}
		for _, below := range n.Nodes {
			n.Loss += below.Loss
		}
		n.Scored = n.Loss > 0
		out = append(out, n)
	}
	return out
}

func sameParent(a, b *uuid.UUID) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// indexTone is the colour of a risk index, five equal steps.
func indexTone(index float64) string {
	tones := [...]string{"risk-1", "risk-2", "risk-3", "risk-4", "risk-5"}
	return tones[min(4, max(0, int(index/20)))]
}
