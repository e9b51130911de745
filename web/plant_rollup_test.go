package web

import (
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
)

// plantAsset is an asset with a score.
func plantAsset(site, unit uuid.UUID, group string, p, loss float64, trusted bool) db.PlantAssetsRow {
	now, health, index, level, anomaly := time.Now(), 100*(1-p), 40.0, int16(3), false
	return db.PlantAssetsRow{SiteID: site, UnitID: unit, ID: uuid.New(), GroupID: group, ScoredAt: &now, HealthScore: &health, FailureProbability30: &p,
		ProductionRiskSar: &loss, ProductionRiskIndex: &index, RiskLevel: &level, Trusted: &trusted, AnomalyFlag: &anomaly}
}

func TestThePlantRollsUp(t *testing.T) {
	t.Parallel()
	site, unit, other := uuid.New(), uuid.New(), uuid.New()
	two, three := int32(2), int32(3)
	groups := map[string]db.RedundancyGroup{"pumps": {MaxOut: 1, Needed: &two, Installed: &three}, "trains": {MaxOut: 1}}
	rows := []db.PlantAssetsRow{
		plantAsset(site, unit, "pumps", .1, 100, true), plantAsset(site, unit, "pumps", .2, 200, true), plantAsset(site, unit, "pumps", .3, 300, false),
		plantAsset(site, unit, "trains", .5, 50, true), plantAsset(site, other, "trains", .4, 40, true), plantAsset(site, other, "", .01, 10, true),
		{SiteID: site, UnitID: other, ID: uuid.New()},
	}
	sites := rollUpPlant(rows, groups, scoring.DefaultSettings())
	require.Len(t, sites, 1)
	require.Len(t, sites[0].units, 2)
	require.InDelta(t, 700, sites[0].ExpectedLoss, 1e-9, "losses add up")
	require.InDelta(t, 650, sites[0].units[0].ExpectedLoss, 1e-9)

	// Two of three pumps must run: out when two or three fail.
	pumps := .1*.2*.7 + .1*.8*.3 + .9*.2*.3 + .1*.2*.3
	require.InDelta(t, 1-(1-pumps)*(1-.5), sites[0].units[0].POutage, 1e-12, "the unit needs its own train")
	require.InDelta(t, 1-(1-.4)*(1-.01), sites[0].units[1].POutage, 1e-12)
	require.InDelta(t, 1-(1-pumps)*(1-.5*.4)*(1-.01), sites[0].POutage, 1e-12, "the site only one of the two")

	require.Equal(t, rolledUp{Assets: 7, Greyed: 1, Unscored: 1, GroupScore: sites[0].GroupScore}, sites[0].rolledUp)
	require.Equal(t, 1, sites[0].units[0].Greyed)
}

func TestAssetsThatAreNotModelledCountAsRunning(t *testing.T) {
	t.Parallel()
	site, unit := uuid.New(), uuid.New()
	three, four := int32(3), int32(4)
	groups := map[string]db.RedundancyGroup{"motors": {MaxOut: 1, Needed: &three, Installed: &four}}
	sites := rollUpPlant([]db.PlantAssetsRow{plantAsset(site, unit, "motors", .9, 10, true)}, groups, scoring.DefaultSettings())
	require.Zero(t, sites[0].POutage, "three others are installed")
	require.InDelta(t, 10, sites[0].ExpectedLoss, 1e-9)
	require.Empty(t, rollUpPlant(nil, nil, scoring.DefaultSettings()))
	unscored := rollUpPlant([]db.PlantAssetsRow{{SiteID: site, UnitID: unit}}, nil, scoring.DefaultSettings())
	require.False(t, math.IsNaN(unscored[0].Health))
	require.Equal(t, 1, unscored[0].Unscored)
}
