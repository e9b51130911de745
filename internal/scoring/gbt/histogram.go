package gbt

// cell sums the rows of one bin.
type cell struct {
	grad, hess float64
	rows       int
}

func (c *cell) add(o cell) {
	c.grad += o.grad
	c.hess += o.hess
	c.rows += o.rows
}

func (c cell) minus(o cell) cell {
	return cell{grad: c.grad - o.grad, hess: c.hess - o.hess, rows: c.rows - o.rows}
}

// histogram holds the cells of one column by bin, the last for missing values.
type histogram [missingBin + 1]cell

// fill sums the gradients of the rows into their bins, of which there are used
// before that of the missing values; grad and hess run alongside rows.
func (h *histogram) fill(used int, bins []uint8, rows []int32, grad, hess []float64) {
	clear(h[:used])
	h[missingBin] = cell{}
	grad, hess = grad[:len(rows)], hess[:len(rows)]
	for i, r := range rows {
		c := &h[bins[r]]
		c.grad += grad[i]
		c.hess += hess[i]
		c.rows++
	}
}

// keepRest turns the histogram of a parent into that of the sibling of child.
func (h *histogram) keepRest(used int, child *histogram) {
	for b := range used {
		h[b] = h[b].minus(child[b])
	}
	h[missingBin] = h[missingBin].minus(child[missingBin])
}

// split is a division of a node; gain 0 means none was found.
type split struct {
	gain        float64
	column      int
	bin         int // bins up to this one go left
	missingLeft bool
	left        cell
}

// rule limits what a split may do.
type rule struct {
	l2      float64
	minHess float64
	minRows int
}

func (r rule) allows(c cell) bool { return c.rows >= r.minRows && c.hess >= r.minHess }

func (r rule) score(c cell) float64 {
	if c.hess+r.l2 <= 0 {
		return 0
	}
	return c.grad * c.grad / (c.hess + r.l2)
}

// best returns the best split of a node with the given total by one column.
func (h *histogram) best(total cell, column, cuts int, r rule) split {
	missing := h[missingBin]
	best := split{column: column}
	floor := r.score(total) + minGain
	try := func(left cell, bin int, missingLeft bool) {
		right := total.minus(left)
		if !r.allows(left) || !r.allows(right) {
			return
		}
		if gain := r.score(left) + r.score(right) - floor; gain > best.gain {
			best = split{gain: gain, column: column, bin: bin, missingLeft: missingLeft, left: left}
		}
	}
	var left cell
	for b := range cuts {
		left.add(h[b])
		if missing.rows == 0 {
			try(left, b, left.rows*2 > total.rows)
			continue
		}
		try(left, b, false)
		with := left
		with.add(missing)
		try(with, b, true)
	}
	if missing.rows > 0 {
		left.add(h[cuts])
		try(left, cuts, false)
	}
	return best
}

// Limits that keep rounding errors from being taken for an improvement, and a
// child whose rows all have weight 0 from being taken for a leaf.
const (
	minGain      = 1e-10
	minHessShare = 1e-10 // of the hessian sum of the tree
)
