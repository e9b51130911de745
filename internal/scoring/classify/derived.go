package classify

import (
	"fmt"
	"math"
)

// Operation makes a physical feature of two signals.
type Operation string

// The operations: power is a product of torque and speed, strain one of torque
// and wear, a heat flow is driven by a difference, efficiency is a ratio.
const (
	Product    Operation = "product"
	Ratio      Operation = "ratio"
	Difference Operation = "difference"
)

// Derived is a feature of the signals in columns A and B.
type Derived struct {
	Name string    `json:"name"`
	Of   Operation `json:"of"`
	A    int       `json:"a"`
	B    int       `json:"b"`
}

func (d Derived) check(signals int) error {
	if d.A < 0 || d.A >= signals || d.B < 0 || d.B >= signals {
		return fmt.Errorf("feature %q is made of columns %d and %d, there are %d", d.Name, d.A, d.B, signals)
	}
	switch d.Of {
	case Product, Ratio, Difference:
		return nil
	}
	return fmt.Errorf("feature %q is a %q, must be product, ratio or difference", d.Name, d.Of)
}

// value returns the feature of a row, NaN when it cannot be computed.
func (d Derived) value(row []float64) float64 {
	a, b := row[d.A], row[d.B]
	v := a - b
	switch d.Of {
	case Product:
		v = a * b
	case Ratio:
		v = a / b
	}
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

// features returns the signals followed by what is derived from them. Missing
// and infinite signals become NaN.
func (c Config) features(row []float64) []float64 {
	out := make([]float64, 0, len(c.Signals)+len(c.Derived))
	for i := range c.Signals {
		v := math.NaN()
		if i < len(row) && !math.IsInf(row[i], 0) {
			v = row[i]
		}
		out = append(out, v)
	}
	for _, d := range c.Derived {
		out = append(out, d.value(out))
	}
	return out
}
