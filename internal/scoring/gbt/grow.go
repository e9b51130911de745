package gbt

import (
	"math"
	"math/rand/v2"
)

// grower holds the buffers that all trees of a fit share.
type grower struct {
	data       *binned
	c          Config
	rule       rule
	grad, hess []float64 // by row
	sampled    []int32   // rows of the present tree, grouped by leaf
	spare      []int32
	nodeGrad   []float64 // gradients of the rows of the node being summed
	nodeHess   []float64
	columns    []int // columns of the present tree, ascending
	pool       [][]histogram
}

// leaf is a node that may still be split. Its rows are sampled[from:to].
type leaf struct {
	at, depth int
	from, to  int
	total     cell
	cells     []histogram // one per column of the tree; nil once given up
	best      split
}

// sketch is a tree in the order of its growth; children are indices.
type sketch struct {
	split       split
	left, right int // 0 = leaf
	total       cell
}

func newGrower(data *binned, c Config) *grower {
	return &grower{
		data: data, c: c, rule: rule{l2: c.L2, minRows: c.MinRows},
		grad: make([]float64, data.rows), hess: make([]float64, data.rows),
		sampled: make([]int32, 0, data.rows), spare: make([]int32, data.rows),
		nodeGrad: make([]float64, data.rows), nodeHess: make([]float64, data.rows),
	}
}

// grow learns tree number t from the present gradients: leaf by leaf, the one
// with the largest gain first.
func (g *grower) grow(t int) tree {
	g.sample(t)
	root := &leaf{to: len(g.sampled), cells: g.take()}
	for _, r := range g.sampled {
		root.total.add(cell{grad: g.grad[r], hess: g.hess[r], rows: 1})
	}
	g.rule.minHess = minHessShare * root.total.hess
	g.gather(root)
	g.search(root, nil)
	drawn := []sketch{{total: root.total}}
	open := []*leaf{root}
	for len(open) < g.c.MaxLeaves {
		next := 0
		for i, l := range open {
			if l.best.gain > open[next].best.gain {
				next = i
			}
		}
		if open[next].best.gain <= 0 {
			break
		}
		parent := open[next]
		left, right := g.divide(parent, len(drawn))
		drawn[parent.at].split, drawn[parent.at].left, drawn[parent.at].right = parent.best, left.at, right.at
		drawn = append(drawn, sketch{total: left.total}, sketch{total: right.total})
		open[next] = left
		open = append(open, right)
	}
	for _, l := range open {
		g.release(l)
	}
	var out tree
	g.finish(&out, drawn, 0)
	return out
}

// sample draws the rows and columns of tree t.
func (g *grower) sample(t int) {
	rng := rand.New(rand.NewPCG(g.c.Seed, uint64(t)+1)) // #nosec G404,G115 -- seeded sampling, not cryptography
	g.sampled = g.sampled[:0]
	for i := range g.data.rows {
		if g.c.RowShare >= 1 || rng.Float64() < g.c.RowShare {
			g.sampled = append(g.sampled, int32(i)) // #nosec G115 -- row counts are below 2³¹
		}
	}
	all := len(g.data.bins)
	keep := all
	if g.c.ColumnShare < 1 {
		keep = max(1, int(math.Round(float64(all)*g.c.ColumnShare)))
	}
	g.columns = g.columns[:0]
	for j := range all {
		if rng.IntN(all-j) < keep-len(g.columns) {
			g.columns = append(g.columns, j)
		}
	}
}

// gather copies the gradients of a leaf's rows into one run of memory.
func (g *grower) gather(l *leaf) {
	for i, r := range g.sampled[l.from:l.to] {
		g.nodeGrad[i], g.nodeHess[i] = g.grad[r], g.hess[r]
	}
}

// search fills the histograms of l and finds its best split; when a sibling is
// given, its histograms hold those of the parent and become its own.
func (g *grower) search(l, sibling *leaf) {
	both := sibling != nil && g.divisible(sibling)
	if !both && !g.divisible(l) {
		return
	}
	rows := g.sampled[l.from:l.to]
	own, others := make([]split, len(g.columns)), make([]split, len(g.columns))
	inParallel(len(g.columns), (len(rows)+2*maxBins)*len(g.columns), func(k int) {
		j := g.columns[k]
		h, cuts := &l.cells[k], len(g.data.cuts[j])
		h.fill(cuts+1, g.data.bins[j], rows, g.nodeGrad, g.nodeHess)
		if g.divisible(l) {
			own[k] = h.best(l.total, j, cuts, g.rule)
		}
		if both {
			o := &sibling.cells[k]
			o.keepRest(cuts+1, h)
			others[k] = o.best(sibling.total, j, cuts, g.rule)
		}
	})
	l.best = choose(own)
	if both {
		sibling.best = choose(others)
	}
}

// divisible tells whether a leaf may be split at all.
func (g *grower) divisible(l *leaf) bool {
	return l.depth < g.c.MaxDepth && l.total.rows >= 2*g.c.MinRows
}

// choose returns the best of the columns' splits, the first among equals.
func choose(of []split) (best split) {
	for _, s := range of {
		if s.gain > best.gain {
			best = s
		}
	}
	return best
}

// divide splits a leaf into two that get the node numbers at and at+1.
func (g *grower) divide(l *leaf, at int) (left, right *leaf) {
	s := l.best
	bins := g.data.bins[s.column]
	to, spare := l.from, 0
	for _, r := range g.sampled[l.from:l.to] {
		b := bins[r]
		if (b == missingBin && s.missingLeft) || (b != missingBin && int(b) <= s.bin) {
			g.sampled[to] = r
			to++
		} else {
			g.spare[spare] = r
			spare++
		}
	}
	copy(g.sampled[to:l.to], g.spare[:spare])
	left = &leaf{at: at, depth: l.depth + 1, from: l.from, to: to, total: s.left}
	right = &leaf{at: at + 1, depth: l.depth + 1, from: to, to: l.to, total: l.total.minus(s.left)}
	small, large := left, right
	if left.total.rows > right.total.rows {
		small, large = right, left
	}
	small.cells, large.cells = g.take(), l.cells
	l.cells = nil
	g.gather(small)
	g.search(small, large)
	return left, right
}

func (g *grower) take() []histogram {
	if n := len(g.pool); n > 0 {
		h := g.pool[n-1]
		g.pool = g.pool[:n-1]
		return h
	}
	return make([]histogram, len(g.columns))
}

func (g *grower) release(l *leaf) {
	g.pool = append(g.pool, l.cells)
	l.cells = nil
}

// finish writes the sketch from node at on into t, left subtree first.
func (g *grower) finish(t *tree, drawn []sketch, at int) {
	s := drawn[at]
	i := len(t.nodes)
	t.nodes = append(t.nodes, node{cover: float64(s.total.rows)})
	if s.left == 0 {
		if d := s.total.hess + g.c.L2; d > 0 {
			t.nodes[i].value = -g.c.LearningRate * s.total.grad / d
		}
		return
	}
	n := &t.nodes[i]
	n.column, n.missingLeft = uint16(s.split.column), s.split.missingLeft // #nosec G115 -- checked by checkData
	n.limit = math.Inf(1)                                                 // every value left, missing ones right
	if cuts := g.data.cuts[s.split.column]; s.split.bin < len(cuts) {
		n.limit = cuts[s.split.bin]
	}
	g.finish(t, drawn, s.left)
	right := len(t.nodes)
	g.finish(t, drawn, s.right)
	t.nodes[i].right = int32(right) // #nosec G115 -- trees have few nodes
}

// advance adds the tree's predictions to the raw predictions of all rows.
func advance(raw []float64, rows [][]float64, t *tree) {
	const block = 2048
	blocks := (len(raw) + block - 1) / block
	inParallel(blocks, len(raw)*8, func(k int) {
		for i := k * block; i < min((k+1)*block, len(raw)); i++ {
			raw[i] += t.predict(rows[i])
		}
	})
}
