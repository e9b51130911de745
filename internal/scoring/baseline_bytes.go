package scoring

import (
	"encoding/binary"
	"fmt"
	"math"
)

// writer appends numbers in the format of a stored baseline.
type writer struct{ out []byte }

func (w *writer) int(v int64) { w.out = binary.AppendVarint(w.out, v) }

func (w *writer) flag(v bool) {
	if v {
		w.int(1)
		return
	}
	w.int(0)
}

func (w *writer) text(s string) {
	w.int(int64(len(s)))
	w.out = append(w.out, s...)
}

func (w *writer) floats(v ...float64) {
	for _, x := range v {
		w.out = binary.LittleEndian.AppendUint64(w.out, math.Float64bits(x))
	}
}

func (w *writer) singles(v []float64) {
	for _, x := range v {
		w.out = binary.LittleEndian.AppendUint32(w.out, math.Float32bits(float32(x)))
	}
}

// reader takes numbers off the front of in. After the first error it returns
// zeros; lengths are checked against what is left before memory is taken.
type reader struct {
	in  []byte
	err error
}

func (r *reader) fail(why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrBadBaseline, why)
	}
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n > len(r.in) {
		r.fail("too short")
		return nil
	}
	out := r.in[:n]
	r.in = r.in[n:]
	return out
}

func (r *reader) int(least, most int64) int64 {
	v, n := binary.Varint(r.in)
	if r.err != nil || n <= 0 || v < least || v > most {
		r.fail("number out of range")
		return 0
	}
	r.in = r.in[n:]
	return v
}

func (r *reader) flag() bool { return r.int(0, 1) == 1 }

func (r *reader) text() string { return string(r.take(int(r.int(0, mostText)))) }

// float reads a number that can be computed with.
func (r *reader) float() float64 {
	raw := r.take(8)
	if raw == nil {
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(raw))
	if !usable(v) {
		r.fail("not a usable number")
	}
	return v
}

// positive reads a number above zero.
func (r *reader) positive() float64 {
	v := r.float()
	if v <= 0 {
		r.fail("not a positive number")
	}
	return v
}

func (r *reader) singles(n int) []float64 {
	raw := r.take(4 * n)
	if raw == nil {
		return nil
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
		if !usable(out[i]) {
			r.fail("not a usable number")
		}
	}
	return out
}
