package classify

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/optria-iq/optria/internal/scoring/gbt"
)

// stored is a model as it is kept.
type stored struct {
	Config Config       `json:"config"`
	Modes  []storedMode `json:"modes"`
}

type storedMode struct {
	Boosters [][]byte `json:"boosters"`
	Scale    platt    `json:"scale"`
	Share    float64  `json:"share"`
}

// MarshalBinary returns the model for storage.
func (m *Model) MarshalBinary() ([]byte, error) {
	out := stored{Config: m.config}
	for _, k := range m.modes {
		s := storedMode{Scale: k.scale, Share: k.share}
		for _, b := range k.boosters {
			raw, err := b.MarshalBinary()
			if err != nil {
				return nil, fmt.Errorf("store booster: %w", err)
			}
			s.Boosters = append(s.Boosters, raw)
		}
		out.Modes = append(out.Modes, s)
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("store classifier: %w", err)
	}
	return raw, nil
}

// UnmarshalBinary restores a model that MarshalBinary has stored. It refuses
// bytes whose parts do not fit together.
func (m *Model) UnmarshalBinary(raw []byte) error {
	var in stored
	if err := json.Unmarshal(raw, &in); err != nil {
		return fmt.Errorf("restore classifier: %w", err)
	}
	if len(in.Modes) != len(in.Config.Modes) || len(in.Config.Signals) == 0 {
		return errors.New("restore classifier: modes or signals are missing")
	}
	for _, d := range in.Config.Derived {
		if err := d.check(len(in.Config.Signals)); err != nil {
			return fmt.Errorf("restore classifier: %w", err)
		}
	}
	restored := Model{config: in.Config}
	for i, s := range in.Modes {
		k, err := s.restore(len(in.Config.Signals) + len(in.Config.Derived))
		if err != nil {
			return fmt.Errorf("restore classifier of %s: %w", in.Config.Modes[i], err)
		}
		restored.modes = append(restored.modes, k)
	}
	*m = restored
	return nil
}

func (s storedMode) restore(columns int) (mode, error) {
	k := mode{scale: s.Scale, share: s.Share}
	if !(s.Share >= 0 && s.Share <= 1) || math.IsNaN(s.Scale.Slope+s.Scale.Offset) {
		return mode{}, errors.New("a probability is out of range")
	}
	for _, raw := range s.Boosters {
		b := &gbt.Model{}
		if err := b.UnmarshalBinary(raw); err != nil {
			return mode{}, err
		}
		if b.Columns() != columns {
			return mode{}, fmt.Errorf("a booster has %d columns, must have %d", b.Columns(), columns)
		}
		k.boosters = append(k.boosters, b)
	}
	return k, nil
}
