package optimize

// The presets of weights that every problem offers; TextKeys of their names
// are "optimize.objective." and the preset.
const (
	PresetCheapest   = "cheapest"
	PresetBalanced   = "balanced"
	PresetLowestRisk = "lowest_risk"
	PresetCustom     = "custom"
)

// Presets lists the presets in the order in which forms offer them.
var Presets = []string{PresetCheapest, PresetBalanced, PresetLowestRisk, PresetCustom}

// Weights turns the terms of a plan into one objective of cost and risk. A
// preset other than custom replaces Cost and Risk.
type Weights struct {
	Preset string  `json:"preset"`
	Cost   float64 `json:"cost,omitempty"` // on every term but failures
	Risk   float64 `json:"risk,omitempty"` // on the expected cost of failures
}

// Values returns the weights on cost and on risk. Cheapest is the least
// expected cost in SAR; balanced and lowest risk count each riyal of expected
// failure cost 1.5 and 4 times.
func (w Weights) Values() (cost, risk float64) {
	switch w.Preset {
	case PresetBalanced:
		return 1, 1.5
	case PresetLowestRisk:
		return 1, 4
	case PresetCustom:
		return w.Cost, w.Risk
	default:
		return 1, 1
	}
}
