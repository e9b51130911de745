package scoring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/optria-iq/optria/internal/scoring/pca"
	"github.com/optria-iq/optria/internal/scoring/regime"
)

// A stored baseline is its magic with the version of the format, the fields in
// order with little-endian numbers, and a checksum. Lists are preceded by their
// length; the memory and the scores, which are most of it, are float32.
const (
	baselineMagic = "OBL\x01"
	mostColumns   = 1000
	mostText      = 200
)

// ErrBadBaseline says that bytes are not a stored baseline, or one of another
// version.
var ErrBadBaseline = errors.New("not a stored baseline")

// MarshalBinary returns the baseline for storage. It never fails for one made
// by LearnBaseline.
func (b *Baseline) MarshalBinary() ([]byte, error) {
	if len(b.columns) == 0 || len(b.columns) != len(b.Signals) {
		return nil, fmt.Errorf("store baseline: %w: %d signals, %d columns", ErrBadBaseline, len(b.Signals), len(b.columns))
	}
	w := writer{out: []byte(baselineMagic)}
	w.int(b.From.UnixMilli())
	w.int(b.To.UnixMilli())
	w.int(int64(b.Rows))
	w.floats(b.width, b.apart, b.shift)
	w.int(int64(len(b.columns)))
	w.int(int64(b.regimes.count()))
	for j, c := range b.columns {
		w.text(b.Signals[j])
		w.text(c.unit)
		w.flag(c.operating)
		w.floats(c.level, c.scale, c.noise)
		w.floats(c.centre...)
		w.floats(c.spread...)
	}
	if m := b.regimes.model; m != nil {
		w.floats(m.Centre...)
		w.floats(m.Scale...)
		for _, c := range m.Centroids {
			w.floats(c...)
		}
	}
	w.int(int64(len(b.memory)))
	for _, v := range b.memory {
		w.singles(v)
	}
	w.int(int64(len(b.scores)))
	w.singles(b.scores)
	w.subspace(b.together)
	return binary.LittleEndian.AppendUint32(w.out, crc32.ChecksumIEEE(w.out)), nil
}

// UnmarshalBinary reads what MarshalBinary wrote. Anything else fails with
// ErrBadBaseline and leaves the baseline as it was.
func (b *Baseline) UnmarshalBinary(data []byte) error {
	n := len(data) - 4
	if n < len(baselineMagic) || string(data[:len(baselineMagic)]) != baselineMagic {
		return fmt.Errorf("read baseline: %w: no header of this version", ErrBadBaseline)
	}
	if crc32.ChecksumIEEE(data[:n]) != binary.LittleEndian.Uint32(data[n:]) {
		return fmt.Errorf("read baseline: %w: checksum does not match", ErrBadBaseline)
	}
	r := reader{in: data[len(baselineMagic):n]}
	next := r.baseline()
	if len(r.in) > 0 {
		r.fail("bytes left over")
	}
	if r.err != nil {
		return fmt.Errorf("read baseline: %w", r.err)
	}
	*b = *next
	return nil
}

// baseline reads all fields in the order they were written.
func (r *reader) baseline() *Baseline {
	b := &Baseline{From: time.UnixMilli(r.int(math.MinInt64, math.MaxInt64)).UTC(),
		To: time.UnixMilli(r.int(math.MinInt64, math.MaxInt64)).UTC()}
	b.Rows = int(r.int(1, math.MaxInt32))
	b.width, b.apart, b.shift = r.positive(), r.float(), r.float()
	p, k := int(r.int(1, mostColumns)), int(r.int(1, mostColumns))
	for range p {
		if r.err != nil {
			return b
		}
		b.Signals = append(b.Signals, r.text())
		c := column{unit: r.text(), operating: r.flag(), level: r.float(), scale: r.positive(), noise: r.float()}
		for range k {
			c.centre = append(c.centre, r.float())
		}
		for range k {
			c.spread = append(c.spread, r.positive())
		}
		b.columns = append(b.columns, c)
	}
	if k > 1 {
		b.regimes.model = r.regimes(b.operatingColumns(), k)
	}
	rows := int(r.int(1, mostMemory))
	for range rows {
		b.memory = append(b.memory, r.singles(p))
	}
	b.scores = r.singles(int(r.int(1, mostScores)))
	if r.flag() {
		b.together = r.subspace(b.judged())
	}
	return b
}

// regimes reads the operating points that regimes are told by.
func (r *reader) regimes(operating []int, k int) *regime.Model {
	if len(operating) == 0 {
		r.fail("regimes without operating variables")
	}
	m := &regime.Model{Operating: operating}
	for range operating {
		m.Centre = append(m.Centre, r.float())
	}
	for range operating {
		m.Scale = append(m.Scale, r.positive())
	}
	for range k {
		centroid := make([]float64, 0, len(operating))
		for range operating {
			centroid = append(centroid, r.float())
		}
		m.Centroids = append(m.Centroids, centroid)
	}
	return m
}

func (w *writer) subspace(s *subspace) {
	w.flag(s != nil)
	if s == nil {
		return
	}
	w.int(int64(s.model.Components))
	for _, v := range append([][]float64{s.model.Mean, s.model.Scale, s.model.Values}, s.model.Loadings...) {
		w.singles(v)
	}
	w.int(int64(len(s.t2)))
	w.singles(s.t2)
	w.singles(s.spe)
}

// subspace reads directions for the given columns.
func (r *reader) subspace(columns []int) *subspace {
	p := len(columns)
	m := &pca.Model{Components: int(r.int(1, int64(p)))}
	m.Mean, m.Scale, m.Values = r.singles(p), r.singles(p), r.singles(p)
	for i := range m.Scale {
		if !(m.Scale[i] > 0) || !(m.Values[i] > 0) {
			r.fail("not a positive number")
		}
	}
	for range p {
		m.Loadings = append(m.Loadings, r.singles(p))
	}
	s := &subspace{model: m, columns: columns}
	n := int(r.int(1, mostScores))
	s.t2, s.spe = r.singles(n), r.singles(n)
	return s
}
