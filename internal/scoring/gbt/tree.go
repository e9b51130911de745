package gbt

import "math"

const maxDepth = 32

// node is a split when right > 0, else a leaf. Children stand behind their
// parent: the left one directly, the right one at index right.
type node struct {
	column      uint16
	missingLeft bool
	right       int32
	limit       float64 // values up to the limit go left
	value       float64 // of a leaf, learning rate included
	cover       float64 // number of sampled training rows that came here
}

type tree struct{ nodes []node }

func (t *tree) predict(row []float64) float64 {
	at := int32(0)
	for {
		n := &t.nodes[at]
		if n.right == 0 {
			return n.value
		}
		if n.goesLeft(row) {
			at++
		} else {
			at = n.right
		}
	}
}

func (n *node) goesLeft(row []float64) bool {
	if int(n.column) >= len(row) {
		return n.missingLeft
	}
	v := row[n.column]
	return v <= n.limit || (n.missingLeft && math.IsNaN(v))
}

// mean returns the mean of the leaves below at, weighted by their covers.
func (t *tree) mean(at int32) float64 {
	n := &t.nodes[at]
	if n.right == 0 {
		return n.value
	}
	left, right := &t.nodes[at+1], &t.nodes[n.right]
	return (left.cover*t.mean(at+1) + right.cover*t.mean(n.right)) / n.cover
}

// expected returns the mean raw prediction that the covers imply.
func (m *Model) expected() float64 {
	sum := m.initial
	for i := range m.trees {
		sum += m.trees[i].mean(0)
	}
	return sum
}
