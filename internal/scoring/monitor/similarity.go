package monitor

import (
	"math"

	"github.com/optria-iq/optria/internal/scoring/aakr"
	"github.com/optria-iq/optria/internal/scoring/pca"
)

// muchBetter is the share of the memory's squared residual that the regression
// on the other signals must stay below to be preferred.
const muchBetter = 0.8

// similarity has one component per signal: reading less expectation. What a
// signal is expected to read comes from the memory or, where signals follow
// each other in straight lines closely enough, from the other signals.
type similarity struct {
	memory *aakr.Model
	scale  []float64
	linear *pca.Model // nil when the rows are too few for it
	others *pca.Others
	choice []bool // per signal: expected from the others
}

func newSimilarity(rows [][]float64, scale []float64) (*similarity, error) {
	memory, err := aakr.Fit(rows, scale, memorySize)
	if err != nil {
		return nil, err
	}
	s := &similarity{memory: memory, scale: scale, choice: make([]bool, len(scale))}
	if len(scale) < 2 || len(rows) < rowsPerVector*len(scale) {
		return s, nil
	}
	if s.linear, err = pca.Fit(rows, pca.Config{Explained: 1}); err != nil {
		return nil, err
	}
	if s.others, err = s.linear.Others(); err != nil {
		return nil, err
	}
	return s, nil
}

// choosing returns a copy with every signal expected from the others, or none.
func (s *similarity) choosing(others bool) *similarity {
	out := *s
	out.choice = make([]bool, len(s.scale))
	for j := range out.choice {
		out.choice[j] = others && s.linear != nil
	}
	return &out
}

func (s *similarity) window() int  { return 1 }
func (s *similarity) size() int    { return len(s.scale) }
func (s *similarity) signals() int { return 0 }

func (s *similarity) residual(dst, expected []float64, window [][]float64) {
	row := window[0]
	s.memory.Reconstruct(expected, row)
	if s.linear != nil {
		s.expectFromOthers(expected, row)
	}
	for j, v := range row {
		dst[j] = within((v-expected[j])/s.scale[j], furthest)
	}
}

// expectFromOthers replaces the expectations of the chosen signals. A missing
// reading is taken for what the memory expects.
func (s *similarity) expectFromOthers(expected, row []float64) {
	filled, predicted, unused := make([]float64, len(row)), make([]float64, len(row)), make([]float64, len(row))
	for j, v := range row {
		if filled[j] = v; math.IsNaN(v) {
			filled[j] = expected[j]
		}
	}
	s.linear.Standardise(filled, filled)
	for j, v := range filled {
		filled[j] = within(v, furthest)
	}
	s.others.Predict(predicted, unused, filled)
	for j, chosen := range s.choice {
		if chosen {
			expected[j] = s.linear.Mean[j] + s.linear.Scale[j]*predicted[j]
		}
	}
}

func (s *similarity) groups() []group {
	return []group{
		{Name: Level, To: len(s.scale), Largest: true},
		{Name: Noise, To: len(s.scale), Largest: true, Energy: true},
	}
}

func (s *similarity) blame(group, []float64) *blame { return nil }

// choose decides per signal which expectation left less on held-out rows, and
// returns the choice with the residuals that follow from it. byMemory and
// byOthers are the residuals of the same blocks.
func choose(byMemory, byOthers [][][]float64) (choice []bool, held [][][]float64) {
	memory, others := meanSquares(byMemory), meanSquares(byOthers)
	choice = make([]bool, len(memory))
	for j := range choice {
		choice[j] = others[j] < muchBetter*memory[j]
	}
	for b, block := range byMemory {
		for i, row := range block {
			for j, chosen := range choice {
				if chosen {
					row[j] = byOthers[b][i][j]
				}
			}
		}
		held = append(held, block)
	}
	return choice, held
}
