package router

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"
)

// branching is a depth-first search for the best combination of columns: at
// each node the job with the fewest columns left gets one of them, or stays
// unserved. A node is cut when the bound plus the keys of its columns reaches
// the best cost known.
type branching struct {
	*partition
	list    []int32   // kept columns by key
	key     []float64 // per kept column
	of      [][]int32 // kept columns per job, by key
	skip    []float64 // key of leaving a job unserved
	covered []bool
	used    []int32 // routes per class
	chosen  []int32
	idle    []int32 // jobs left unserved
	best    []int32
	cost    float64
	nodes   int
	ctx     context.Context
	until   time.Time
	stopped bool
}

// branching keeps the columns that a better solution could use.
func (p *partition) branching(key []float64) *branching {
	b := &branching{
		partition: p, of: make([][]int32, p.n), covered: make([]bool, p.n), used: make([]int32, len(p.room)),
		cost: p.upper, skip: make([]float64, p.n),
	}
	order := make([]int32, 0, len(key))
	for c := range key {
		if p.lower+key[c] < p.upper-leastGain {
			order = append(order, int32(c))
		}
	}
	slices.SortFunc(order, func(x, y int32) int { return cmp.Or(cmp.Compare(key[x], key[y]), cmp.Compare(x, y)) })
	for _, c := range order[:min(len(order), maxKept)] {
		for _, j := range p.columns[c].visits {
			if j < p.n {
				b.of[j] = append(b.of[j], int32(len(b.list)))
			}
		}
		b.list, b.key = append(b.list, c), append(b.key, key[c])
	}
	for j := range b.skip {
		b.skip[j] = math.Max(0, p.Jobs[j].Unserved-p.dual[j])
	}
	return b
}

func (b *branching) run(ctx context.Context, until time.Time) {
	b.ctx, b.until = ctx, until
	b.descend(b.lower)
}

// descend explores one node; bound is a lower bound of its solutions.
func (b *branching) descend(bound float64) {
	b.work += int64(b.n)
	if b.nodes++; b.nodes >= maxNodes || b.spent() || (b.nodes%256 == 0 && (b.ctx.Err() != nil || !time.Now().Before(b.until))) {
		b.stopped = true
		return
	}
	job, options := b.tightest(bound)
	if job == -1 {
		b.leaf()
		return
	}
	for _, k := range options {
		if bound+b.key[k] >= b.cost-leastGain {
			break
		}
		b.mark(k, true)
		b.descend(bound + b.key[k])
		b.mark(k, false)
		if b.stopped {
			return
		}
	}
	if job >= 0 && bound+b.skip[job] < b.cost-leastGain {
		b.covered[job] = true
		b.idle = append(b.idle, job)
		b.descend(bound + b.skip[job])
		b.idle = b.idle[:len(b.idle)-1]
		b.covered[job] = false
	}
}

// tightest is the open job with the fewest columns that still fit, with these
// columns; −1 when no job is open.
func (b *branching) tightest(bound float64) (int32, []int32) {
	job, fewest := int32(-1), math.MaxInt
	for j := range b.n {
		if b.covered[j] {
			continue
		}
		count := 0
		for _, k := range b.of[j] {
			if bound+b.key[k] >= b.cost-leastGain || count >= fewest {
				break
			}
			if b.fits(k) {
				count++
			}
		}
		if count < fewest {
			job, fewest = j, count
			if count == 0 {
				break
			}
		}
	}
	if job < 0 {
		return job, nil
	}
	options := make([]int32, 0, fewest)
	for _, k := range b.of[job] {
		if bound+b.key[k] >= b.cost-leastGain {
			break
		}
		if b.fits(k) {
			options = append(options, k)
		}
	}
	return job, options
}

func (b *branching) fits(k int32) bool {
	col := &b.columns[b.list[k]]
	class := b.class[col.shift]
	if b.used[class] >= b.room[class] {
		return false
	}
	for _, j := range col.visits {
		if j < b.n && b.covered[j] {
			return false
		}
	}
	return true
}

func (b *branching) mark(k int32, on bool) {
	col := &b.columns[b.list[k]]
	for _, j := range col.visits {
		if j < b.n {
			b.covered[j] = on
		}
	}
	if on {
		b.used[b.class[col.shift]]++
		b.chosen = append(b.chosen, k)
	} else {
		b.used[b.class[col.shift]]--
		b.chosen = b.chosen[:len(b.chosen)-1]
	}
}

// leaf keeps the combination when it is the best so far.
func (b *branching) leaf() {
	cost := 0.0
	for _, k := range b.chosen {
		cost += b.columns[b.list[k]].cost
	}
	for _, j := range b.idle {
		cost += b.Jobs[j].Unserved
	}
	if cost < b.cost-leastGain {
		b.cost = cost
		b.best = append(b.best[:0], b.chosen...)
	}
}

// solution gives the chosen columns to shifts of their classes; nil when
// nothing better was found.
func (b *branching) solution() *snapshot {
	if len(b.best) == 0 {
		return nil
	}
	n := len(b.Shifts)
	out := &snapshot{cost: b.cost, visits: make([][]int32, n), costs: make([]float64, n), version: make([]uint64, n), frozen: make([]float64, b.n)}
	for j := range out.frozen {
		out.frozen[j] = math.NaN()
	}
	for _, k := range b.best {
		col := &b.columns[b.list[k]]
		for s := range b.Shifts {
			if b.class[s] == b.class[col.shift] && out.visits[s] == nil {
				out.visits[s], out.costs[s] = slices.Clone(col.visits), col.cost
				break
			}
		}
	}
	return out
}
