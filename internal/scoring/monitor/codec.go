package monitor

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"

	"github.com/optria-iq/optria/internal/scoring/aakr"
	"github.com/optria-iq/optria/internal/scoring/pca"
)

// stored is a Detector as it is written. Exactly one of Memory and Subspace is
// set.
type stored struct {
	Config            Config
	Intake            intake
	Memory            [][]float64
	Width             float64
	Linear            *pca.Model // beside Memory, may be nil
	Choice            []bool
	Subspace          *pca.Model
	Units             units
	Groups            []group
	Normal, Held, Bad int
}

// MarshalBinary writes the detector; equal detectors give equal bytes.
func (d *Detector) MarshalBinary() ([]byte, error) {
	s := stored{Config: d.config, Intake: d.intake, Units: d.units,
		Groups: d.groups, Normal: d.normal, Held: d.held, Bad: d.unusual}
	switch m := d.model.(type) {
	case *similarity:
		s.Memory, s.Width, s.Linear, s.Choice = m.memory.Memory(), m.memory.Width(), m.linear, m.choice
	case *subspace:
		s.Subspace = m.model
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(s); err != nil {
		return nil, fmt.Errorf("write detector: %w", err)
	}
	return b.Bytes(), nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (d *Detector) UnmarshalBinary(data []byte) error {
	var s stored
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&s); err != nil {
		return fmt.Errorf("read detector: %w", err)
	}
	out := Detector{config: s.Config, intake: s.Intake, units: s.Units,
		groups: s.Groups, normal: s.Normal, held: s.Held, unusual: s.Bad}
	model, err := s.model()
	if err != nil {
		return fmt.Errorf("read detector: %w", err)
	}
	out.model = model
	if err := s.check(out.model.size()); err != nil {
		return fmt.Errorf("read detector: %w", err)
	}
	out.prepare()
	*d = out
	return nil
}

// model restores the model with what is derived from it.
func (s *stored) model() (residuals, error) {
	if s.Subspace != nil {
		if err := s.Subspace.Check(); err != nil {
			return nil, err
		}
		return newSubspace(s.Subspace)
	}
	memory, err := aakr.Restore(s.Memory, s.Intake.Scale, s.Width)
	if err != nil {
		return nil, err
	}
	m := &similarity{memory: memory, scale: s.Intake.Scale, linear: s.Linear, choice: s.Choice}
	if len(m.choice) != len(m.scale) {
		return nil, errors.New("its choice of expectations does not fit its signals")
	}
	if s.Linear == nil {
		return m, nil
	}
	if err := s.Linear.Check(); err != nil {
		return nil, err
	}
	if s.Linear.Signals() != len(m.scale) || s.Linear.Lags != 0 {
		return nil, errors.New("its regression does not fit its signals")
	}
	if m.others, err = s.Linear.Others(); err != nil {
		return nil, err
	}
	return m, nil
}

// check refuses parts that do not fit together.
func (s *stored) check(size int) error {
	p := len(s.Intake.Kept)
	for _, j := range s.Intake.Kept {
		if j < 0 || j >= s.Intake.Width {
			return errors.New("it watches a signal it does not have")
		}
	}
	for _, n := range []int{len(s.Intake.Centre), len(s.Intake.Spread), len(s.Intake.Scale)} {
		if n != p || p == 0 || p > s.Intake.Width {
			return errors.New("its signals do not fit together")
		}
	}
	for _, n := range []int{len(s.Units.Level), len(s.Units.Energy), len(s.Units.Rest)} {
		if n != size {
			return errors.New("its units do not fit its model")
		}
	}
	if s.Subspace != nil && s.Subspace.Signals() != p || len(s.Groups) == 0 {
		return errors.New("its model does not fit its signals")
	}
	for _, g := range s.Groups {
		if g.From < 0 || g.From >= g.To || g.To > size || !(g.Limit > 0) {
			return fmt.Errorf("its statistic %q is out of range", g.Name)
		}
	}
	return nil
}

// Info says what a detector rests on.
type Info struct {
	Signals     []string // names as given
	Watched     []int    // columns that are watched: those with usable readings when normal
	Method      string   // "similarity" or "subspace"
	Normal      int      // rows of the normal period
	Calibration int      // held-out rows that set the limits
	Bad         int      // missing or unusable readings among them
	Limits      map[string]float64
}

// Info describes the detector.
func (d *Detector) Info() Info {
	out := Info{Signals: d.config.Signals, Watched: d.intake.Kept, Method: "similarity", Normal: d.normal,
		Calibration: d.held, Bad: d.unusual, Limits: map[string]float64{}}
	if _, ok := d.model.(*subspace); ok {
		out.Method = "subspace"
	}
	for _, g := range d.groups {
		out.Limits[g.Name] = g.Limit
	}
	return out
}
