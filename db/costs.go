package db

import "github.com/optria-iq/optria/internal/asset"

// Kinds of cost models, as optimization_cost_models names them.
const (
	CostFailure     = "failure"
	CostMaintenance = "maintenance"
	CostEnergy      = "energy"
)

// CostOf joins the cost models of one asset. The loss per hour is that of a
// failure; a maintenance model names it only when there is no failure model.
func CostOf(models []CostModel) asset.CostModel {
	var c asset.CostModel
	for _, m := range models {
		switch m.Kind {
		case CostFailure:
			c.FailureCost, c.FailureHours, c.SafetyEnvCost = m.DirectCost, m.OutageHours, m.SafetyEnvCost
			if m.LossPerHour > 0 {
				c.LossPerHour = m.LossPerHour
			}
		case CostMaintenance:
			c.PlannedCost, c.PlannedHours, c.PlannedFactor = m.DirectCost, m.OutageHours, m.PlannedFactor
			if c.LossPerHour == 0 {
				c.LossPerHour = m.LossPerHour
			}
		case CostEnergy:
			c.EnergyCostHour = m.EnergyCostPerHour
		}
	}
	return c
}
