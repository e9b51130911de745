package prognosis

import (
	"math"

	"github.com/optria-iq/optria/internal/scoring/features"
)

// follower walks along a life.
type follower struct {
	m        *Model
	regime   int
	raw      []float64 // the last row standardised, all columns
	z        []float64 // its described signals
	filled   []float64 // room for those with missing ones filled in
	imputer  imputer
	levels   []float64 // its indices
	signals  *features.Life
	indices  *features.Life
	features []float64
}

func (m *Model) newFollower() *follower {
	return &follower{
		m: m, raw: make([]float64, len(m.config.Signals)), z: make([]float64, len(m.signals)),
		filled: make([]float64, len(m.signals)), imputer: imputer{cov: m.joint},
		levels: make([]float64, len(m.indices)), features: make([]float64, features.Count(len(m.indices))),
		signals: features.NewLife(len(m.signals)), indices: features.NewLife(len(m.indices)),
	}
}

func (f *follower) standardise(row []float64) {
	f.regime = f.m.scaler.Standardise(f.raw, row)
	for i, j := range f.m.signals {
		f.z[i] = f.raw[j]
	}
}

func (f *follower) add(row []float64) {
	f.standardise(row)
	filled := f.imputer.fill(f.filled, f.z)
	for k, x := range f.m.indices {
		f.levels[k] = x.value(f.regime, filled)
	}
	f.signals.Add(f.z)
	f.indices.Add(f.levels)
}

// describe returns the features at the last row, valid until the next call.
func (f *follower) describe() []float64 {
	f.indices.Describe(f.features)
	return f.features
}

// state returns the short-term mean of every described signal in quanta.
func (f *follower) state() []int16 {
	s := make([]int16, len(f.m.signals))
	for i := range s {
		if v := f.signals.Level(i); math.IsNaN(v) {
			s[i] = missing
		} else {
			s[i] = int16(math.Round(v / quantum)) // standardised values are within ±10
		}
	}
	return s
}

// parts follows what each signal adds to each index, to share out what the
// index contributes. The features of an index, but for the standard deviation,
// are the sums of the same features of its parts.
type parts struct {
	m    *Model
	row  []float64
	life *features.Life
}

func (m *Model) newParts() *parts {
	n := len(m.indices) * len(m.signals)
	return &parts{m: m, row: make([]float64, n), life: features.NewLife(n)}
}

func (p *parts) add(f *follower) {
	at := 0
	for _, x := range p.m.indices {
		for i, w := range x[f.regime] {
			p.row[at] = w * f.z[i]
			at++
		}
	}
	p.life.Add(p.row)
}

// group turns the contributions of the features into those of the signals, the
// last that of the age. What a feature of an index contributes is shared among
// the signals by the square of the same feature of their parts, so that the one
// signal that went astray is not lost among many that stayed.
func (p *parts) group(contributions []float64) []Contribution {
	n := len(p.m.signals)
	out := make([]Contribution, n+1)
	for i, j := range p.m.signals {
		out[i].Signal = p.m.config.Signals[j]
	}
	last := len(contributions) - 1
	out[n] = Contribution{Signal: AgeSignal, Value: contributions[last]}
	described := make([]float64, features.Count(len(p.row)))
	p.life.Describe(described)
	shares := make([]float64, n)
	for k, v := range contributions[:last] {
		course, feature := k/features.PerCourse, k%features.PerCourse
		for i := range shares {
			shares[i] = square(described[(course*n+i)*features.PerCourse+feature])
		}
		normalise(shares)
		for i, share := range shares {
			out[i].Value += share * v
		}
	}
	return out
}

// normalise scales the shares to a sum of 1, missing ones being 0; equal shares
// when there are none.
func normalise(shares []float64) {
	total := 0.0
	for i, v := range shares {
		if math.IsNaN(v) {
			shares[i] = 0
		}
		total += shares[i]
	}
	for i := range shares {
		if total > 0 {
			shares[i] /= total
		} else {
			shares[i] = 1 / float64(len(shares))
		}
	}
}
