package web

import (
	"github.com/optria-iq/optria/internal/scoring"
)

// treeAssets is how many assets of a unit the tree of an asset shows.
const treeAssets = 60

// treeNode is one node of the part "tree". Loss is the rolled-up expected loss
// in SAR, of an asset in Tip beside its level; Greyed says that some of it rests
// on age only.
type treeNode struct {
	Icon, Label, Tag, Href string
	Tip                    string
	Count, Level           int
	Open, Current          bool
	HasLoss, Greyed        bool
	Loss                   float64
	Nodes                  []treeNode
}

// assetTree places the asset: site, unit, its neighbours and its components,
// each with the loss that is expected of it.
func assetTree(p Page, x assetRows) []treeNode {
	a := x.asset.Asset
	site := treeNode{Icon: "map-pin", Label: localName(p.Lang, x.asset.SiteNameAr, x.asset.SiteNameEn), Open: true}
	for _, s := range rollUpPlant(x.plant, x.groups, scoring.DefaultSettings()) {
		site.rolled(s.rolledUp)
		for _, u := range s.units {
			if u.assets[0].UnitID == a.UnitID {
				site.Nodes = append(site.Nodes, unitTree(p, x, u))
			}
		}
	}
	return []treeNode{site}
}

func (n *treeNode) rolled(r rolledUp) {
	n.Count, n.Loss, n.HasLoss, n.Greyed = r.Assets, r.ExpectedLoss, r.Unscored < r.Assets, r.Greyed > 0
}

// unitTree lists the assets of the unit; the page's own asset is open.
func unitTree(p Page, x assetRows, u plantUnit) treeNode {
	unit := treeNode{Icon: "boxes", Label: localName(p.Lang, x.asset.UnitNameAr, x.asset.UnitNameEn), Open: true}
	unit.rolled(u.rolledUp)
	for i, n := range u.assets {
		current := n.ID == x.asset.Asset.ID
		if i >= treeAssets && !current {
			continue
		}
		node := treeNode{Icon: "cog", Tag: n.Tag, Href: "/assets/" + n.ID.String(), HasLoss: n.ScoredAt != nil}
		if node.HasLoss {
			node.Level, node.Loss, node.Greyed = int(*n.RiskLevel), *n.ProductionRiskSar, !*n.Trusted
			node.Tip = p.T("risk."+p.Loc().Int(node.Level)) + " · " + p.Loc().MoneyCompact(node.Loss)
		}
		if current {
			node.Current, node.Open = true, true
			node.Nodes = componentNodes(p, componentPlantNodes(p, x.components, nil, x.parts))
		}
		unit.Nodes = append(unit.Nodes, node)
	}
	return unit
}

// componentNodes shows components as nodes of the tree.
func componentNodes(p Page, parts []plantNode) []treeNode {
	var out []treeNode
	for _, c := range parts {
		out = append(out, treeNode{Icon: c.Icon, Label: c.Label, Open: true, HasLoss: c.Scored, Loss: c.Loss, Nodes: componentNodes(p, c.Nodes)})
	}
	return out
}
