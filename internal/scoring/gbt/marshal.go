package gbt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// The stored form, little-endian: magic with version, loss (1 byte), columns
// (u16), initial (f64), number of trees (u32); per tree the number of nodes
// (u32) and the nodes; at the end the CRC-32 (IEEE) of all before it. A node is
// a flag byte, its cover (f64) and, for a leaf, its value (f64) or, for a split,
// its column (u16), right child (u32) and limit (f64).
const magic = "OGBT\x01"

const (
	flagSplit       = 1
	flagMissingLeft = 2
)

// MarshalBinary returns the model's stored form.
func (m *Model) MarshalBinary() ([]byte, error) {
	le := binary.LittleEndian
	f64 := func(b []byte, v float64) []byte { return le.AppendUint64(b, math.Float64bits(v)) }
	b := append([]byte(magic), byte(m.loss))
	b = le.AppendUint16(b, uint16(m.columns)) // #nosec G115 -- checked by Fit
	b = f64(b, m.initial)
	b = le.AppendUint32(b, uint32(len(m.trees))) // #nosec G115 -- checked by Fit
	for _, t := range m.trees {
		b = le.AppendUint32(b, uint32(len(t.nodes))) // #nosec G115 -- trees have few nodes
		for _, n := range t.nodes {
			if n.right == 0 {
				b = f64(f64(append(b, 0), n.cover), n.value)
				continue
			}
			flag := byte(flagSplit)
			if n.missingLeft {
				flag |= flagMissingLeft
			}
			b = le.AppendUint16(f64(append(b, flag), n.cover), n.column)
			b = f64(le.AppendUint32(b, uint32(n.right)), n.limit) // #nosec G115 -- not negative
		}
	}
	return seal(b), nil
}

// seal appends the checksum.
func seal(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// UnmarshalBinary replaces the model by a stored one. It fails, leaving the
// model as it was, on anything that MarshalBinary has not written.
func (m *Model) UnmarshalBinary(stored []byte) error {
	if len(stored) < len(magic)+4 || string(stored[:len(magic)]) != magic {
		return errors.New("boosted trees: not a stored model of version 1")
	}
	body, sum := stored[:len(stored)-4], binary.LittleEndian.Uint32(stored[len(stored)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return errors.New("boosted trees: the stored model is damaged, its checksum differs")
	}
	r := reader{rest: body[len(magic):]}
	read := Model{loss: Loss(r.u8()), columns: int(r.u16()), initial: r.f64()}
	trees := int(r.u32())
	if r.failed || read.loss > Logistic || read.columns == 0 || !finite(read.initial) || trees > len(r.rest) {
		return errors.New("boosted trees: the stored model has a wrong header")
	}
	for i := range trees {
		t, err := r.tree(read.columns)
		if err != nil {
			return fmt.Errorf("boosted trees: stored tree %d: %w", i+1, err)
		}
		read.trees = append(read.trees, t)
	}
	if len(r.rest) > 0 {
		return errors.New("boosted trees: the stored model has bytes behind its end")
	}
	read.base = read.expected()
	*m = read
	return nil
}

// reader takes values off the front; after the first that is missing it is
// failed and yields zeros.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) take(n int) []byte {
	if r.failed || len(r.rest) < n {
		r.failed = true
		return make([]byte, n)
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) u8() byte     { return r.take(1)[0] }
func (r *reader) u16() uint16  { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32  { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) f64() float64 { return math.Float64frombits(binary.LittleEndian.Uint64(r.take(8))) }

const leafBytes = 17

func (r *reader) tree(columns int) (tree, error) {
	n := int(r.u32())
	if r.failed || n < 1 || n > len(r.rest)/leafBytes {
		return tree{}, errors.New("wrong number of nodes")
	}
	t := tree{nodes: make([]node, n)}
	for i := range t.nodes {
		flag, cover := r.u8(), r.f64()
		at := node{cover: cover}
		if flag&flagSplit != 0 {
			at.missingLeft = flag&flagMissingLeft != 0
			at.column, at.right, at.limit = r.u16(), int32(r.u32()&math.MaxInt32), r.f64() // #nosec G115 -- masked
		} else {
			at.value = r.f64()
		}
		if r.failed || !(cover > 0) || !finite(cover) || !finite(at.value) || math.IsNaN(at.limit) || int(at.column) >= columns {
			return tree{}, fmt.Errorf("node %d is malformed", i)
		}
		t.nodes[i] = at
	}
	if end, ok := t.check(0, 0); !ok || end != n {
		return tree{}, errors.New("the nodes do not form one tree")
	}
	return t, nil
}

// check walks the subtree at node at and returns the index behind it; false
// when its children are not laid out one behind the other or are too deep.
func (t *tree) check(at, depth int) (end int, ok bool) {
	if at >= len(t.nodes) || depth > maxDepth {
		return 0, false
	}
	n := t.nodes[at]
	if n.right == 0 {
		return at + 1, true
	}
	middle, ok := t.check(at+1, depth+1)
	if !ok || middle != int(n.right) {
		return 0, false
	}
	return t.check(middle, depth+1)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
