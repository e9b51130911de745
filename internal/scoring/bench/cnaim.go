package bench

import (
	"context"
	"fmt"
	"math"

	"github.com/optria-iq/optria/internal/scoring/cnaim"
)

// measureCNAIM scores the worked cases of the methodology. They need no file:
// the calibration tables are part of the product.
func measureCNAIM(context.Context, string, uint64) ([]Row, error) {
	transformer, err := cnaim.Score(cnaim.Equipment{Type: "132kV Transformer (GM)", YearOfManufacture: 1980, Age: 43})
	if err != nil {
		return nil, fmt.Errorf("132 kV transformer: %w", err)
	}
	coast, altitude := 5.0, 100.0 // a location factor of 1.1 on a life of 60 years
	coastal, err := cnaim.Score(cnaim.Equipment{
		Type: "33kV Transformer (GM)", YearOfManufacture: 1970, Age: 40,
		DistanceFromCoastKM: &coast, AltitudeM: &altitude, CorrosionCategory: 3,
	})
	if err != nil {
		return nil, fmt.Errorf("33 kV transformer: %w", err)
	}
	life := coastal.Components[0]
	worst := 0.0
	for _, pair := range [][2]float64{
		{transformer.PoF, 0.012446}, {transformer.Health, 3.931585},
		{life.ExpectedLife, 54.545454}, {life.AgeingRate, 0.0439614133}, {life.InitialHealth, 2.90173651},
	} {
		worst = max(worst, math.Abs(pair[0]-pair[1]))
	}
	return []Row{{
		Set: "CNAIM", Metric: "worked cases: error", Value: worst,
		Goal: Goal{Must: 1e-4, Aim: 1e-6, Lower: true}, Note: "health, PoF, life, ageing rate of two transformers",
	}}, nil
}
