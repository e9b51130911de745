package router

// pool collects the routes of accepted solutions: per shift and set of jobs
// the cheapest order. The exact solver recombines them.
type pool struct {
	*model
	keys    []uint64 // one random word per job and shift
	index   map[uint64]int32
	columns []column
}

// column is one route of the pool. Routes with linked jobs stay out: their
// starts depend on other routes.
type column struct {
	shift  int32
	cost   float64
	visits []int32
}

// maxColumns bounds the pool; when it is full the older half goes.
const maxColumns = 60000

func newPool(m *model) *pool {
	p := &pool{model: m, index: map[uint64]int32{}}
	x := uint64(0x9e3779b97f4a7c15)
	for range int(m.n) + 1 + len(m.Shifts) {
		x += 0x9e3779b97f4a7c15 // SplitMix64
		z := (x ^ x>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		p.keys = append(p.keys, z^z>>31)
	}
	return p
}

// addTouched adds the routes that the present move has changed.
func (p *pool) addTouched(s *search) {
	for _, u := range s.undo {
		r := s.routes[u.shift]
		p.add(u.shift, r.cost, r.visits)
	}
}

func (p *pool) add(shift int32, cost float64, visits []int32) {
	if len(visits) == 0 {
		return
	}
	key := p.keys[int(p.n)+1+int(shift)]
	for _, j := range visits {
		if j < p.n {
			if p.linked[j] {
				return
			}
			key ^= p.keys[j]
		}
	}
	if k, known := p.index[key]; known {
		if c := &p.columns[k]; cost < c.cost {
			c.cost, c.visits = cost, append(c.visits[:0], visits...)
		}
		return
	}
	if len(p.columns) >= maxColumns {
		p.halve()
	}
	p.index[key] = int32(len(p.columns))
	p.columns = append(p.columns, column{shift, cost, append([]int32(nil), visits...)})
}

// halve forgets the older half.
func (p *pool) halve() {
	half := len(p.columns) / 2
	p.columns = append(p.columns[:0], p.columns[half:]...)
	for key, k := range p.index {
		if k -= int32(half); k < 0 {
			delete(p.index, key)
		} else {
			p.index[key] = k
		}
	}
}
