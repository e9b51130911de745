package db_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
)

// TestCostsJoinInAnyOrder takes the loss of the failure model, and that of the
// maintenance model only where the failure model names none.
func TestCostsJoinInAnyOrder(t *testing.T) {
	t.Parallel()
	models := []db.CostModel{
		{Kind: db.CostMaintenance, DirectCost: 10, OutageHours: 2, LossPerHour: 7, PlannedFactor: 0.5},
		{Kind: db.CostEnergy, EnergyCostPerHour: 3},
		{Kind: db.CostFailure, DirectCost: 100, OutageHours: 4, LossPerHour: 20, SafetyEnvCost: 5},
	}
	for range 2 {
		c := db.CostOf(models)
		require.InDelta(t, 185, c.FailureTotal(), 1e-9)
		require.InDelta(t, 30, c.PlannedTotal(), 1e-9)
		require.InDelta(t, 3, c.EnergyCostHour, 1e-9)
		slices.Reverse(models)
	}
	models[2].LossPerHour = 0
	require.InDelta(t, 133, db.CostOf(models).FailureTotal(), 1e-9)
}
