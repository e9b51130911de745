package monitor

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// State is what a Detector carries from row to row; it can be stored as JSON.
type State struct {
	Level  []float64    `json:"level"`  // smoothed residual per component
	Energy []float64    `json:"energy"` // smoothed squared residual per component
	Blame  []float64    `json:"blame"`  // smoothed parts of the energy per signal
	Window [][]*float64 `json:"window"` // the last rows, null for a missing reading
	Score  float64      `json:"score"`
	On     bool         `json:"on"`
	Rows   int          `json:"rows"`   // rows judged
	Bad    int          `json:"bad"`    // missing or unusable readings among them
	Silent int          `json:"silent"` // rows without a usable reading
}

// Result is the judgement of one row.
type Result struct {
	Score     float64   // largest statistic over its limit: an alarm begins above 1
	Alarm     bool      // with hysteresis
	Statistic string    // the one that decides the score
	Expected  []float64 // per signal in its unit; NaN for one that is not watched
	Share     []float64 // of each signal in that statistic; they sum to 1, or are 0
	Bad       int       // missing or unusable readings of the watched signals
}

// Start returns the state before the first row.
func (d *Detector) Start() *State {
	return &State{
		Level:  make([]float64, d.model.size()),
		Energy: slices.Clone(d.units.Rest),
	}
}

// Score judges rows in ascending time from a fresh start.
func (d *Detector) Score(rows [][]float64) ([]Result, error) { return d.Continue(d.Start(), rows) }

// Continue judges further rows and moves the state on. Row by row it gives the
// same results as all at once. A row without one usable reading changes
// nothing but the counts and repeats the last judgement.
func (d *Detector) Continue(s *State, rows [][]float64) ([]Result, error) {
	if len(s.Level) != d.model.size() || len(s.Energy) != d.model.size() {
		return nil, fmt.Errorf("score rows: the state is of another detector")
	}
	if err := sameWidth(rows, d.intake.Width, 0); err != nil {
		return nil, fmt.Errorf("score rows: %w", err)
	}
	out := make([]Result, len(rows))
	for i, r := range rows {
		out[i] = d.judge(s, r)
	}
	return out, nil
}

func (d *Detector) judge(s *State, raw []float64) Result {
	row, bad := d.intake.admit(raw)
	s.Rows++
	s.Bad += bad
	if bad == len(row) {
		s.Silent++
		return Result{Score: s.Score, Alarm: s.On, Bad: bad,
			Expected: fullOf(math.NaN(), d.intake.Width), Share: make([]float64, d.intake.Width)}
	}
	s.push(row, d.model.window())
	components, expected := make([]float64, d.model.size()), make([]float64, len(row))
	d.model.residual(components, expected, s.window(d.model.window()))
	d.smooth(s, components)
	r := Result{Bad: bad}
	worst := d.worst(s, &r)
	s.Score = r.Score
	s.On = r.Score > 1 || s.On && r.Score >= d.config.Leave
	r.Alarm = s.On
	r.Expected = d.spread(expected, math.NaN())
	r.Share = d.spread(d.share(s, worst), 0)
	return r
}

// smooth moves the smoothed values on by one row. A component that cannot be
// told keeps its value; the square of a wild one is limited.
func (d *Detector) smooth(s *State, components []float64) {
	weight := d.config.Smoothing
	for k, v := range components {
		if math.IsNaN(v) {
			continue
		}
		s.Level[k] += weight * (v - s.Level[k])
		s.Energy[k] += weight * (min(v*v, mostUnit*d.units.Energy[k]) - s.Energy[k])
	}
}

// worst sets score and statistic of r and returns the group that decides.
func (d *Detector) worst(s *State, r *Result) group {
	best := d.groups[0]
	for _, g := range d.groups {
		if v := d.statistic(g, s.Level, s.Energy) / g.Limit; v > r.Score {
			r.Score, r.Statistic, best = v, g.Name, g
		}
	}
	return best
}

// share returns the parts of the kept signals in a statistic: reconstruction
// contributions to T² and SPE, else the squared scaled residuals of the
// signals.
func (d *Detector) share(s *State, g group) []float64 {
	parts := make([]float64, len(d.intake.Kept))
	if g.blame != nil {
		g.blame.parts(parts, s.Level)
	} else {
		for j := range parts {
			parts[j] = d.scaled(g, d.model.signals()+j, s.Level, s.Energy)
		}
	}
	if total := floats.Sum(parts); total > 0 {
		floats.Scale(1/total, parts)
	}
	return parts
}

// spread puts values of the kept signals into the columns of a raw row.
func (d *Detector) spread(kept []float64, other float64) []float64 {
	out := fullOf(other, d.intake.Width)
	for k, j := range d.intake.Kept {
		out[j] = kept[k]
	}
	return out
}

func fullOf(v float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// push appends a row and forgets those before the window.
func (s *State) push(row []float64, window int) {
	kept := make([]*float64, len(row))
	for j, v := range row {
		if !math.IsNaN(v) {
			kept[j] = &v
		}
	}
	s.Window = append(s.Window, kept)
	s.Window = slices.Clone(s.Window[max(len(s.Window)-window, 0):])
}

// window returns the last rows, NaN for a missing reading, the oldest one
// repeated in front while there are too few.
func (s *State) window(size int) [][]float64 {
	rows := make([][]float64, len(s.Window))
	for i, kept := range s.Window {
		rows[i] = fullOf(math.NaN(), len(kept))
		for j, v := range kept {
			if v != nil {
				rows[i][j] = *v
			}
		}
	}
	return padded(rows, size)
}
