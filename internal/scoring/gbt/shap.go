package gbt

// Explanation splits one raw prediction: Base, the mean raw prediction over the
// training rows, plus all Contributions, one per column, is the raw prediction.
type Explanation struct {
	Base          float64
	Contributions []float64
}

// Explain returns the exact path-dependent Shapley values of the row's raw
// prediction (Lundberg, Erion and Lee, "Consistent individualized feature
// attribution for tree ensembles", 2018, algorithm 2). Columns that row lacks
// count as missing.
func (m *Model) Explain(row []float64) Explanation {
	e := Explanation{Base: m.base, Contributions: make([]float64, m.columns)}
	w := walker{row: row, phi: e.Contributions}
	for i := range m.trees {
		w.nodes = m.trees[i].nodes
		w.walk(0, 0, 0, step{column: noColumn, zero: 1, one: 1})
	}
	return e
}

const noColumn = -1

// step is one distinct column on the path from the root: the share of the
// subsets without it (zero) and with it (one) that flow down this way, and the
// weight of the subsets of the steps before it of one size.
type step struct {
	column    int
	zero, one float64
	weight    float64
}

type walker struct {
	nodes []node
	row   []float64
	phi   []float64
	// paths stacks one path per level of the walk; a path has at most one step
	// per level and the step of the root.
	paths [(maxDepth + 2) * (maxDepth + 3) / 2]step
}

// walk visits node at with the path of its parent, which has length steps and
// begins at from in paths, extended by next.
func (w *walker) walk(at int32, from, length int, next step) {
	start := from + length
	path := w.paths[start : start+length+1]
	copy(path, w.paths[from:start])
	extend(path, next)
	n := &w.nodes[at]
	if n.right == 0 {
		for i := 1; i < len(path); i++ {
			s := path[i]
			w.phi[s.column] += unwoundSum(path, i) * (s.one - s.zero) * n.value
		}
		return
	}
	hot, cold := at+1, n.right
	if !n.goesLeft(w.row) {
		hot, cold = cold, hot
	}
	column := int(n.column)
	before := step{zero: 1, one: 1}
	for i := 1; i < len(path); i++ {
		if path[i].column == column {
			before = path[i]
			path = unwind(path, i)
			break
		}
	}
	share := func(child int32) float64 { return before.zero * w.nodes[child].cover / n.cover }
	w.walk(hot, start, len(path), step{column: column, zero: share(hot), one: before.one})
	w.walk(cold, start, len(path), step{column: column, zero: share(cold)})
}

// extend sets the last step of the path to next and updates the weights.
func extend(path []step, next step) {
	last := len(path) - 1
	path[last] = next
	if last == 0 {
		path[last].weight = 1
		return
	}
	path[last].weight = 0
	size := float64(last + 1)
	for i := last - 1; i >= 0; i-- {
		path[i+1].weight += next.one * path[i].weight * float64(i+1) / size
		path[i].weight = next.zero * path[i].weight * float64(last-i) / size
	}
}

// unwind undoes the extension by step i and returns the path without it.
func unwind(path []step, i int) []step {
	last := len(path) - 1
	zero, one := path[i].zero, path[i].one
	carry := path[last].weight
	size := float64(last + 1)
	for j := last - 1; j >= 0; j-- {
		if one != 0 {
			kept := path[j].weight
			path[j].weight = carry * size / (float64(j+1) * one)
			carry = kept - path[j].weight*zero*float64(last-j)/size
		} else {
			path[j].weight = path[j].weight * size / (zero * float64(last-j))
		}
	}
	for j := i; j < last; j++ {
		path[j].column, path[j].zero, path[j].one = path[j+1].column, path[j+1].zero, path[j+1].one
	}
	return path[:last]
}

// unwoundSum returns the sum of the weights of the path without step i.
func unwoundSum(path []step, i int) float64 {
	last := len(path) - 1
	zero, one := path[i].zero, path[i].one
	carry, total := path[last].weight, 0.0
	size := float64(last + 1)
	for j := last - 1; j >= 0; j-- {
		if one != 0 {
			w := carry * size / (float64(j+1) * one)
			total += w
			carry = path[j].weight - w*zero*float64(last-j)/size
		} else {
			total += path[j].weight * size / (zero * float64(last-j))
		}
	}
	return total
}
