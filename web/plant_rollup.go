package web

import (
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
)

// rolledUp is what a site or a unit amounts to by the scores of its assets,
// how many those are, and how many of them count by age only or not at all.
type rolledUp struct {
	scoring.GroupScore
	Assets, Greyed, Unscored int
}

// plantSite is a site with its units, each with its assets in order.
type plantSite struct {
	rolledUp
	row   db.PlantAssetsRow // of any asset, for the names
	units []plantUnit
}

type plantUnit struct {
	rolledUp
	assets []db.PlantAssetsRow
}

// rollUpPlant combines the newest scores of assets, sorted by site and unit,
// into units and sites. Losses add up, because the cost models are net of
// redundancy. A unit is out when a redundancy group inside it falls short, or
// any other asset of its own is out; a site by the groups of all its units, so
// that two trains in two units back each other up.
func rollUpPlant(rows []db.PlantAssetsRow, groups map[string]db.RedundancyGroup, set scoring.Settings) []plantSite {
	var sites []plantSite
	for _, ofSite := range chunks(rows, func(x db.PlantAssetsRow) uuid.UUID { return x.SiteID }) {
		site := plantSite{row: ofSite[0]}
		members := groupSizes(ofSite)
		var parts []scoring.GroupScore
		for _, ofUnit := range chunks(ofSite, func(x db.PlantAssetsRow) uuid.UUID { return x.UnitID }) {
			unit := plantUnit{assets: ofUnit}
			inside := groupSizes(ofUnit)
			unit.GroupScore = scoring.RollUpSite(ofUnit[0].UnitID.String(), blocks(ofUnit, func(group string) int {
				if inside[group] < members[group] {
					return 0 // its backup is elsewhere
				}
				return spare(groups[group], inside[group])
			}, set), set)
			for _, x := range ofUnit {
				unit.count(x)
			}
			parts, site.units = append(parts, unit.GroupScore), append(site.units, unit)
		}
		for _, x := range ofSite {
			site.count(x)
		}
		site.GroupScore = scoring.RollUpSite(site.row.SiteID.String(), parts, set)
		site.POutage = scoring.RollUpSite("", blocks(ofSite, func(group string) int { return spare(groups[group], members[group]) }, set), set).POutage
		sites = append(sites, site)
	}
	return sites
}

// groupSizes counts the members of every redundancy group.
func groupSizes(rows []db.PlantAssetsRow) map[string]int {
	out := map[string]int{}
	for _, x := range rows {
		out[x.GroupID]++
	}
	return out
}

func (u *rolledUp) count(x db.PlantAssetsRow) {
	u.Assets++
	switch {
	case x.ScoredAt == nil:
		u.Unscored++
	case !*x.Trusted:
		u.Greyed++
	}
}

// spare is how many members of a group may fail before production is lost:
// what is installed beyond the need, or max_out where nobody has said.
func spare(g db.RedundancyGroup, members int) int {
	if g.Needed != nil && g.Installed != nil {
		return int(*g.Installed - *g.Needed)
	}
	return min(int(g.MaxOut), members-1)
}

// blocks are the parts of a unit or site that all have to work: the groups,
// and every asset without one. Assets without a score are left out.
func blocks(rows []db.PlantAssetsRow, spareOf func(group string) int, set scoring.Settings) []scoring.GroupScore {
	var out []scoring.GroupScore
	add := func(id string, need int, members []scoring.Member) {
		g := scoring.RollUpUnit(scoring.Unit{ID: id, Required: max(1, need), Members: members, NetLoss: true}, set)
		if need < 1 {
			g.POutage = 0 // enough others are installed
		}
		out = append(out, g)
	}
	groups := map[string][]scoring.Member{}
	for _, x := range rows {
		if x.ScoredAt == nil {
			continue
		}
		m := scoring.Member{AssetID: x.ID.String(), PFail: *x.FailureProbability30, Health: *x.HealthScore, NetRisk: *x.ProductionRiskSar}
		if x.GroupID == "" {
			add(m.AssetID, 1, []scoring.Member{m})
			continue
		}
		groups[x.GroupID] = append(groups[x.GroupID], m)
	}
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		add(id, len(groups[id])-spareOf(id), groups[id])
	}
	return out
}

// chunks splits rows into runs of equal keys.
func chunks[R any, K comparable](rows []R, key func(R) K) [][]R {
	var out [][]R
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && key(rows[to]) == key(rows[from]) {
			to++
		}
		out, from = append(out, rows[from:to]), to
	}
	return out
}
