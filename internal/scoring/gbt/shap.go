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

// inverse holds 1/n: the inner loops divide by nothing but path lengths.
var inverse = func() (t [maxDepth + 3]float64) {
	for n := 1; n < len(t); n++ {
		t[n] = 1 / float64(n)
	}
	return t
}()

// extend sets the last step of the path to next and updates the weights.
func extend(path []step, next step) {
	last := len(path) - 1
	path[last] = next
	if last == 0 {
		path[last].weight = 1
		return
	}
	path[last].weight = 0
	one, zero := next.one*inverse[last+1], next.zero*inverse[last+1]
	for i := last - 1; i >= 0; i-- {
		w := path[i].weight
		path[i+1].weight += one * w * float64(i+1)
		path[i].weight = zero * w * float64(last-i)
	}
}

// unwind undoes the extension by step i and returns the path without it.
func unwind(path []step, i int) []step {
	last := len(path) - 1
	u := newUnwinder(path, i)
	for j := last - 1; j >= 0; j-- {
		path[j].weight = u.next(path[j].weight, j)
	}
	for j := i; j < last; j++ {
		path[j].column, path[j].zero, path[j].one = path[j+1].column, path[j+1].zero, path[j+1].one
	}
	return path[:last]
}

// unwoundSum returns the sum of the weights of the path without step i.
func unwoundSum(path []step, i int) float64 {
	u, total := newUnwinder(path, i), 0.0
	for j := len(path) - 2; j >= 0; j-- {
		total += u.next(path[j].weight, j)
	}
	return total
}

// unwinder yields the weights of a path without one of its steps, from the last
// to the first. The share of subsets that flow down with a column known is 0 or
// 1, so that the general formula falls into two.
type unwinder struct {
	hot      bool
	last     int
	carry    float64 // weight times path length still to be explained
	zero     float64 // share without the column, by path length
	coldSize float64 // path length over that share
}

func newUnwinder(path []step, i int) unwinder {
	last := len(path) - 1
	size := float64(last + 1)
	s := path[i]
	if s.one != 0 {
		return unwinder{hot: true, last: last, carry: path[last].weight * size, zero: s.zero}
	}
	return unwinder{last: last, coldSize: size / s.zero}
}

// next returns the unwound weight of step j, which had the weight w.
func (u *unwinder) next(w float64, j int) float64 {
	if !u.hot {
		return w * u.coldSize * inverse[u.last-j]
	}
	unwound := u.carry * inverse[j+1]
	u.carry = w*float64(u.last+1) - unwound*u.zero*float64(u.last-j)
	return unwound
}
