package prognosis

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/optria-iq/optria/internal/scoring/conformal"
	"github.com/optria-iq/optria/internal/scoring/features"
	"github.com/optria-iq/optria/internal/scoring/gbt"
	"github.com/optria-iq/optria/internal/scoring/regime"
)

// The stored form: magic with version, the JSON of snapshot, and the CRC-32
// (IEEE, little-endian) of both.
const magic = "ORUL\x01"

// snapshot is what is stored of a model. Long runs of numbers are bytes,
// little-endian.
type snapshot struct {
	Config    Config        `json:"config"`
	Scaler    *regime.Model `json:"scaler"`
	Signals   []int         `json:"signals"`
	Indices   []index       `json:"indices"`
	Joint     joint         `json:"joint"`
	Trees     []byte        `json:"trees"`
	Level     float64       `json:"level"`
	Predicted []byte        `json:"predicted"` // float64
	Actual    []byte        `json:"actual"`    // float64
	Lives     []storedLife  `json:"lives"`
}

type storedLife struct {
	Unit   string `json:"unit"`
	Left   []byte `json:"left"`   // float64
	States []byte `json:"states"` // int16
}

// MarshalBinary returns the model's stored form.
func (m *Model) MarshalBinary() ([]byte, error) {
	trees, err := m.trees.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("prognosis: store: %w", err)
	}
	predicted, actual := m.past.Pairs()
	s := snapshot{
		Config: m.config, Scaler: m.scaler, Signals: m.signals, Indices: m.indices, Joint: m.joint, Trees: trees, Level: m.level,
		Predicted: packFloats(predicted), Actual: packFloats(actual),
	}
	for _, l := range m.lives {
		s.Lives = append(s.Lives, storedLife{Unit: l.unit, Left: packFloats(l.left), States: packStates(l.states)})
	}
	body, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("prognosis: store: %w", err)
	}
	b := append([]byte(magic), body...)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b)), nil
}

// UnmarshalBinary replaces the model by a stored one. It fails, leaving the
// model as it was, on anything that MarshalBinary has not written.
func (m *Model) UnmarshalBinary(stored []byte) error {
	if len(stored) < len(magic)+4 || string(stored[:len(magic)]) != magic {
		return errors.New("prognosis: not a stored model of version 1")
	}
	sealed, sum := stored[:len(stored)-4], binary.LittleEndian.Uint32(stored[len(stored)-4:])
	if crc32.ChecksumIEEE(sealed) != sum {
		return errors.New("prognosis: the stored model is damaged, its checksum differs")
	}
	var s snapshot
	if err := json.Unmarshal(sealed[len(magic):], &s); err != nil {
		return fmt.Errorf("prognosis: stored model: %w", err)
	}
	read, err := s.model()
	if err != nil {
		return fmt.Errorf("prognosis: stored model: %w", err)
	}
	*m = *read
	return nil
}

// model checks that the parts fit each other.
func (s snapshot) model() (*Model, error) {
	m := &Model{config: s.Config, scaler: s.Scaler, signals: s.Signals, indices: s.Indices, joint: s.Joint, level: s.Level, trees: &gbt.Model{}}
	columns := len(s.Config.Signals)
	if !(s.Level > 0 && s.Level < 1) || !(s.Config.Cap > 1) {
		return nil, errors.New("the level of the interval or the cap is out of range")
	}
	if s.Scaler == nil || s.Scaler.Check(columns) != nil || len(s.Signals) == 0 {
		return nil, errors.New("the standardisation does not fit the signals")
	}
	for _, j := range s.Signals {
		if j < 0 || j >= columns {
			return nil, fmt.Errorf("signal %d is not among %d", j, columns)
		}
	}
	if err := (index(s.Joint)).check(len(s.Signals), len(s.Signals)); err != nil {
		return nil, fmt.Errorf("covariance: %w", err)
	}
	for _, x := range s.Indices {
		if err := x.check(len(s.Scaler.Centroids), len(s.Signals)); err != nil {
			return nil, err
		}
	}
	if err := m.trees.UnmarshalBinary(s.Trees); err != nil {
		return nil, err
	}
	if m.trees.Columns() != features.Count(len(m.indices)) {
		return nil, fmt.Errorf("the trees want %d features, there are %d", m.trees.Columns(), features.Count(len(m.indices)))
	}
	for _, l := range s.Lives {
		life := pastLife{unit: l.Unit, left: floats(l.Left), states: states(l.States)}
		if len(life.states) != len(life.left)*len(s.Signals) {
			return nil, fmt.Errorf("the states of life %q are incomplete", l.Unit)
		}
		m.lives = append(m.lives, life)
	}
	var err error
	m.past, err = conformal.NewLocal(floats(s.Predicted), floats(s.Actual), s.Config.Cap)
	return m, err
}

func packFloats(values []float64) []byte {
	b := make([]byte, 0, 8*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

// floats returns no numbers when the bytes do not hold whole ones.
func floats(b []byte) []float64 {
	if len(b)%8 != 0 {
		return nil
	}
	out := make([]float64, len(b)/8)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return out
}

func packStates(values []int16) []byte {
	b := make([]byte, 0, 2*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint16(b, uint16(v)) // #nosec G115 -- two's complement, read back by states
	}
	return b
}

// states returns no numbers when the bytes do not hold whole ones.
func states(b []byte) []int16 {
	if len(b)%2 != 0 {
		return nil
	}
	out := make([]int16, len(b)/2)
	for i := range out {
		out[i] = int16(binary.LittleEndian.Uint16(b[2*i:])) // #nosec G115 -- written by packStates
	}
	return out
}
