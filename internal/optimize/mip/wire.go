package mip

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// The largest counts a child accepts, far above what fits its memory.
const (
	maxWireColumns = 1 << 27
	maxWireEntries = 1 << 30
)

// encode writes the model as little-endian arrays behind a header of counts:
// columns, rows, entries, hint values.
func (m *Model) encode(w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<20)
	kinds := make([]uint8, len(m.Integer))
	for j, integer := range m.Integer {
		if integer {
			kinds[j] = 1
		}
	}
	header := []int64{int64(m.Columns()), int64(m.Rows()), int64(len(m.Index)), int64(len(m.Hint))}
	for _, part := range []any{header, m.Offset, m.Cost, m.Lower, m.Upper, kinds, m.RowLower, m.RowUpper, m.RowStart, m.Index, m.Value, m.Hint} {
		if err := binary.Write(b, binary.LittleEndian, part); err != nil {
			return fmt.Errorf("send model: %w", err)
		}
	}
	return b.Flush()
}

// decode reads what encode wrote.
func decode(r io.Reader) (*Model, error) {
	header := make([]int64, 4)
	if err := binary.Read(r, binary.LittleEndian, header); err != nil {
		return nil, fmt.Errorf("receive model: %w", err)
	}
	n, rows, entries, hint := header[0], header[1], header[2], header[3]
	if n < 0 || n > maxWireColumns || rows < 0 || rows > maxWireColumns || entries < 0 || entries > maxWireEntries || (hint != 0 && hint != n) {
		return nil, fmt.Errorf("receive model: header %v out of range", header)
	}
	m := &Model{
		Cost: make([]float64, n), Lower: make([]float64, n), Upper: make([]float64, n), Integer: make([]bool, n),
		RowLower: make([]float64, rows), RowUpper: make([]float64, rows), RowStart: make([]int32, rows+1),
		Index: make([]int32, entries), Value: make([]float64, entries), Hint: make([]float64, hint),
	}
	kinds := make([]uint8, n)
	for _, part := range []any{&m.Offset, m.Cost, m.Lower, m.Upper, kinds, m.RowLower, m.RowUpper, m.RowStart, m.Index, m.Value, m.Hint} {
		if err := binary.Read(r, binary.LittleEndian, part); err != nil {
			return nil, fmt.Errorf("receive model: %w", err)
		}
	}
	for j, k := range kinds {
		m.Integer[j] = k != 0
	}
	return m, nil
}
