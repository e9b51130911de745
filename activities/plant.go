package activities

import (
	"time"

	"github.com/optria-iq/optria/db"
)

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
