// Package cnaim rates the health, the probability of failure and the monetised
// risk of electrical equipment by the Common Network Asset Indices Methodology
// of the distribution network operators of Great Britain (DNO CNAIM, version
// 2.1, Ofgem 2021): transformers and switchgear from 6.6 to 132 kV.
//
// Ages and lives are in years, probabilities per year, costs in pounds sterling
// at 2020/21 prices. A health score runs from 0.5 (new) to 10 today and up to
// 15 in a forecast; 5.5 marks the end of the expected life.
//
// Two places depart from a reading of the printed method. The probability of
// failure follows the curve over the whole range of health instead of being
// held constant below a score of 4, so that a young asset is told from a
// middle-aged one. And a test that was never made changes nothing: its factor is
// 1, its cap 10 and its collar 0.5.
package cnaim

// Limits of the health score.
const (
	healthNew      = 0.5  // of a new asset, and the least score
	healthOfAge    = 5.5  // at the end of the expected life; age alone leads no further
	healthMost     = 10.0 // today
	healthForecast = 15.0 // in a forecast
)

// Currency is the currency of every cost, at 2020/21 prices.
const Currency = "GBP"

// Types returns the names of the equipment that can be rated, as the asset
// register of the methodology spells them.
func Types() []string {
	out := make([]string, 0, len(data().types))
	for _, t := range data().types {
		out = append(out, t.name)
	}
	return out
}
