// Package unit knows the engineering units that plants use: their codes of
// UNECE Recommendation 20, the spellings found in control systems, historians
// and maintenance systems, and how to convert between units of one dimension.
// A conversion is linear: target = source × factor + shift.
package unit

import (
	"errors"
	"fmt"
	"strings"
)

// Unit is one unit of measure. A value in the base unit of its dimension is
// value × Factor + Offset; the base units are those of the SI.
type Unit struct {
	Code      string // UNECE Rec 20 common code, empty where there is none
	Symbol    string // as the product shows it
	Dimension Dimension
	Factor    float64
	Offset    float64
	Reference Reference
}

// Dimension is the physical quantity that a unit measures. Units convert
// within one dimension only.
type Dimension string

// Reference says from which pressure a pressure counts.
type Reference string

// Pressures count from vacuum, from the atmosphere, or the unit does not say,
// in which case it is taken to count as the other side of a conversion does.
const (
	Unstated Reference = ""
	Absolute Reference = "absolute"
	Gauge    Reference = "gauge"
)

// atmosphere is the standard atmosphere in pascal, ISO 2533.
const atmosphere = 101325

// Faults of a conversion.
var (
	ErrUnknown   = errors.New("unit is not known")
	ErrDimension = errors.New("units measure different quantities")
)

// Conversion turns a value of one unit into another: value × Factor + Shift.
type Conversion struct {
	From, To Unit
	Factor   float64
	Shift    float64
	// Assumed says that one of two pressures does not state its reference and
	// was taken to have that of the other.
	Assumed bool
}

// Identity reports whether the conversion changes nothing.
func (c Conversion) Identity() bool { return c.Factor == 1 && c.Shift == 0 }

// Lookup finds a unit by its code, its symbol or a spelling in use. Case is
// ignored where no other unit differs by case alone.
func Lookup(text string) (Unit, bool) {
	key := normal(text)
	if i, ok := exact[key]; ok {
		return table[i], true
	}
	i, ok := folded[strings.ToLower(key)]
	if !ok || i < 0 {
		return Unit{}, false
	}
	return table[i], true
}

// Between returns the conversion from one unit to another, each given in any
// spelling. It fails with ErrUnknown or ErrDimension.
func Between(from, to string) (Conversion, error) {
	a, ok := Lookup(from)
	if !ok {
		return Conversion{}, fmt.Errorf("%w: %q", ErrUnknown, from)
	}
	b, ok := Lookup(to)
	if !ok {
		return Conversion{}, fmt.Errorf("%w: %q", ErrUnknown, to)
	}
	return Convert(a, b)
}

// Convert returns the conversion between two units of one dimension.
func Convert(from, to Unit) (Conversion, error) {
	c := Conversion{From: from, To: to}
	if from.Dimension != to.Dimension {
		return c, fmt.Errorf("%w: %s is %s, %s is %s", ErrDimension, from.Symbol, from.Dimension, to.Symbol, to.Dimension)
	}
	offset := from.Offset - to.Offset
	switch {
	case from.Reference == to.Reference:
	case from.Reference == Unstated, to.Reference == Unstated:
		c.Assumed = true
	case from.Reference == Gauge:
		offset += atmosphere
	default:
		offset -= atmosphere
	}
	if from.Factor == to.Factor {
		c.Factor = 1
	} else {
		c.Factor = rounded(from.Factor / to.Factor)
	}
	c.Shift = rounded(offset / to.Factor)
	return c, nil
}

// Same reports whether two spellings mean the same unit. Spellings that are
// not known are the same only when they are equal.
func Same(a, b string) bool {
	x, okX := Lookup(a)
	y, okY := Lookup(b)
	if !okX || !okY {
		return normal(a) == normal(b)
	}
	return x == y
}
