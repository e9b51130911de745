package activities

import (
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
)

// The kinds of cost models.
const (
	costFailure     = "failure"
	costMaintenance = "maintenance"
	costEnergy      = "energy"
)

// costOf joins the cost models of one asset. The loss per hour is that of a
// failure; a maintenance model names it only when there is no failure model.
func costOf(models []db.CostModel) asset.CostModel {
	var c asset.CostModel
	for _, m := range models {
		switch m.Kind {
		case costFailure:
			c.FailureCost, c.FailureHours, c.SafetyEnvCost = m.DirectCost, m.OutageHours, m.SafetyEnvCost
			c.LossPerHour = m.LossPerHour
		case costMaintenance:
			c.PlannedCost, c.PlannedHours, c.PlannedFactor = m.DirectCost, m.OutageHours, m.PlannedFactor
			if c.LossPerHour == 0 {
				c.LossPerHour = m.LossPerHour
			}
		case costEnergy:
			c.EnergyCostHour = m.EnergyCostPerHour
		}
	}
	return c
}

// ageAt returns the effective age of an asset in days at an instant.
func ageAt(a db.Asset, at time.Time) float64 {
	return max(0, a.AgeDays+at.Sub(a.AgeAsOf).Hours()/24)
}

// groupBy sorts rows into lists by key, keeping their order.
func groupBy[K comparable, V any](rows []V, key func(V) K) map[K][]V {
	groups := map[K][]V{}
	for _, r := range rows {
		groups[key(r)] = append(groups[key(r)], r)
	}
	return groups
}
