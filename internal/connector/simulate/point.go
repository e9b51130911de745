package simulate

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/optria-iq/optria/internal/connector"
)

// Point is one tag of the simulated source: the signal behind it and how it
// behaves.
type Point struct {
	Tag  string `json:"tag"`
	Path string `json:"path,omitempty"` // folders from the root, separated by '/'
	Name string `json:"name,omitempty"`
	// Asset keys the load that the points of one asset share.
	Asset string  `json:"asset"`
	Unit  string  `json:"unit,omitempty"`
	Low   float64 `json:"low"`  // the band kept while healthy
	High  float64 `json:"high"` // greater than Low
	// PeriodSeconds is the time between samples; zero means 60.
	PeriodSeconds int64 `json:"period_seconds,omitempty"`
	// LoadGain is the share, -1 to 1, of the healthy movement that follows the
	// load; the rest is noise. Zero lets the simulator choose.
	LoadGain float64 `json:"load_gain,omitempty"`
	// Level replaces the middle of the band, for signals with a story.
	Level *float64 `json:"level,omitempty"`
	// Counter makes the point a running total without load and noise, rising
	// by PerDay and standing at its level at the epoch.
	Counter bool    `json:"counter,omitempty"`
	PerDay  float64 `json:"per_day,omitempty"`
	Ramp    *Ramp   `json:"ramp,omitempty"`
}

// Ramp is a scripted degradation: the value moves by Rise during the Days
// before the epoch and creeps on afterwards.
type Ramp struct {
	Rise  float64 `json:"rise"` // may be negative
	Days  float64 `json:"days"`
	Steps int     `json:"steps,omitempty"` // more than 0: in equal jumps
}

// FaultKind names a deliberate fault of the connection.
type FaultKind string

// The faults. Within its window, FaultUnreachable refuses every call;
// FaultDeadSubscription withholds the tags and delivers them when it heals;
// FaultLateFeed delivers every sample late; FaultWrongUnit reports the tags in
// another unit.
const (
	FaultUnreachable      FaultKind = "unreachable"
	FaultDeadSubscription FaultKind = "dead_subscription"
	FaultLateFeed         FaultKind = "late_feed"
	FaultWrongUnit        FaultKind = "wrong_unit"
)

// Fault describes a deliberate fault. Instants are seconds since 1970.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// Tags are those affected; FaultUnreachable affects the whole source.
	Tags []string `json:"tags,omitempty"`
	// StartUnix and DurationSeconds bound the first window of FaultUnreachable
	// and FaultDeadSubscription; EverySeconds repeats it. FaultWrongUnit starts
	// at StartUnix and stays.
	StartUnix       int64 `json:"start_unix,omitempty"`
	DurationSeconds int64 `json:"duration_seconds,omitempty"`
	EverySeconds    int64 `json:"every_seconds,omitempty"`
	// LagSeconds is the delay of FaultLateFeed.
	LagSeconds int64 `json:"lag_seconds,omitempty"`
	// Factor and Unit are the conversion of FaultWrongUnit.
	Factor float64 `json:"factor,omitempty"`
	Unit   string  `json:"unit,omitempty"`
}

// window returns the fault window that contains a second, or the next one.
func (f *Fault) window(second int64) (start, end int64, inside bool) {
	start = f.StartUnix
	if f.EverySeconds > 0 && second >= start {
		start += floorDiv(second-start, f.EverySeconds) * f.EverySeconds
	}
	end = start + f.DurationSeconds
	if second >= end && f.EverySeconds > 0 {
		return start + f.EverySeconds, end + f.EverySeconds, false
	}
	return start, end, second >= start && second < end
}

// Message keys of errors inside points and fault.
const (
	errPoints = "connector.simulated.error.points"
	errFault  = "connector.simulated.error.fault"
	// maxPoints bounds the configuration of one simulated source.
	maxPoints = 5000
	// maxPeriod bounds the time between samples, seconds.
	maxPeriod = 31 * day
)

// check is the part of the validation that looks into points and fault.
func check(config connector.Config) map[string]string {
	var settings Settings
	if err := config.Decode(&settings); err != nil {
		withoutFault := maps.Clone(config)
		delete(withoutFault, "fault")
		if withoutFault.Decode(&Settings{}) == nil {
			return map[string]string{"fault": errFault}
		}
		return map[string]string{"points": errPoints}
	}
	if !soundPoints(settings.Points) {
		return map[string]string{"points": errPoints}
	}
	scripted := func(p Point) bool { return p.Ramp != nil || p.Counter }
	if settings.Epoch.IsZero() && slices.ContainsFunc(settings.Points, scripted) {
		return map[string]string{"epoch": connector.ErrRequired}
	}
	if settings.Fault != nil && !settings.Fault.sound() {
		return map[string]string{"fault": errFault}
	}
	return nil
}

func soundPoints(points []Point) bool {
	if len(points) > maxPoints {
		return false
	}
	seen := make(map[string]bool, len(points))
	for _, p := range points {
		band := p.Low < p.High && !math.IsInf(p.High-p.Low, 0)
		if p.Tag == "" || seen[p.Tag] || !band || p.PeriodSeconds < 0 || p.PeriodSeconds > maxPeriod || math.Abs(p.LoadGain) > 1 {
			return false
		}
		if p.Ramp != nil && (p.Ramp.Days <= 0 || p.Ramp.Steps < 0) {
			return false
		}
		seen[p.Tag] = true
	}
	return true
}

func (f *Fault) sound() bool {
	switch f.Kind {
	case FaultUnreachable, FaultDeadSubscription:
		return f.DurationSeconds > 0 && (f.EverySeconds == 0 || f.EverySeconds > f.DurationSeconds)
	case FaultLateFeed:
		return f.LagSeconds > 0
	case FaultWrongUnit:
		return f.Factor > 0 && f.Unit != ""
	default:
		return false
	}
}

func toConfig(settings Settings) (connector.Config, error) {
	raw, err := json.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("encode simulation: %w", err)
	}
	var config connector.Config
	if err := json.Unmarshal(raw, &config); err != nil {
		return nil, fmt.Errorf("decode simulation: %w", err)
	}
	return config, nil
}

// examplePump is what a simulation without points shows: one pump whose bands
// are ordinary for a process pump.
func examplePump() []Point {
	const pump = "SIM-P-001"
	return []Point{
		{Tag: "SIM.P001.VIB", Path: pump, Name: "vib", Asset: pump, Unit: "mm/s", Low: 1.0, High: 2.8},
		{Tag: "SIM.P001.BRG.TEMP", Path: pump, Name: "brg_temp", Asset: pump, Unit: "degC", Low: 50, High: 75},
		{Tag: "SIM.P001.FLOW", Path: pump, Name: "flow", Asset: pump, Unit: "m3/h", Low: 520, High: 680, LoadGain: 0.8},
		{Tag: "SIM.P001.DISCH.P", Path: pump, Name: "disch_p", Asset: pump, Unit: "barg", Low: 38, High: 44, LoadGain: -0.6},
	}
}
