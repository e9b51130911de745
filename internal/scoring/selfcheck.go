package scoring

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/optria-iq/optria/internal/asset"
)

// SelfCheck scores an asset known by its life alone and compares the failure
// probability with its closed form, the conditional Weibull
// 1 − exp((a/η)^β − ((a+30)/η)^β). It says whether the AI service works at all.
func SelfCheck(context.Context) error {
	life, age := asset.Weibull{Beta: 2, Eta: 1000}, 500.0
	s := Score(AssetInput{
		AssetID: "self-check", AsOf: time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC), Life: life, AgeDays: age,
		Cost: asset.CostModel{FailureCost: 100_000, FailureHours: 24, LossPerHour: 1000},
	})
	hazard := func(a float64) float64 { return math.Pow(a/life.Eta, life.Beta) }
	want := -math.Expm1(hazard(age) - hazard(age+30))
	if got := s.Failure.P30.Value; math.Abs(got-want) > 1e-9 {
		return fmt.Errorf("failure probability is %v, expected %v", got, want)
	}
	if s.Trusted {
		return fmt.Errorf("an asset without signals was trusted")
	}
	return nil
}
