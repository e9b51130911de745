package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/optria-iq/optria/internal/fault"
)

// Schema is the version of the manifest's layout.
const Schema = 1

// Message keys of what is wrong with the evidence of a run: none was kept, or
// the manifest, the input or an output no longer has its hash.
const (
	KeyNone          = "evidence.no_manifest"
	KeyChanged       = "evidence.manifest_changed"
	KeyInputChanged  = "evidence.input_changed"
	KeyOutputChanged = "evidence.output_changed"
)

// Manifest is everything that a finished run was computed from, and by hash
// what came out. It is stored as the bytes of Encode, whose SHA-256 is the
// hash of the run. Hashes are SHA-256 in lower-case hexadecimal.
type Manifest struct {
	Schema      int             `json:"schema"`
	RunID       string          `json:"run_id"`
	Problem     string          `json:"problem"`
	WindowStart string          `json:"window_start"` // date, YYYY-MM-DD
	WindowDays  int             `json:"window_days"`
	Input       string          `json:"input_sha256"`   // of the canonical input of the engine
	Sources     string          `json:"sources_sha256"` // of the canonical Sources
	Objective   json.RawMessage `json:"objective"`      // presets and weights as they were asked for
	Constraints string          `json:"constraints_sha256"`
	Seed        int64           `json:"seed"`
	WorkSeconds float64         `json:"work_seconds"` // budget of counted work per preset
	RelGap      float64         `json:"relative_gap_asked"`
	Presets     []Preset        `json:"presets"` // in the order of the request
	Solver      json.RawMessage `json:"solver"`  // of the first preset: name, version, options
	Exact       Exact           `json:"exact_solver"`
	Build       Build           `json:"build"`
	ScoresAsOf  *time.Time      `json:"scores_as_of"` // newest score that was used, null when none was
}

// Preset is one search of a run.
type Preset struct {
	Preset     string   `json:"preset"`
	Output     string   `json:"output_sha256"`          // of Outcome(output)
	Start      string   `json:"start_sha256,omitempty"` // canonical plan that a resumed attempt started from
	Iterations int64    `json:"iterations"`
	Threads    int      `json:"threads"`
	Prices     bool     `json:"prices"` // whether bottlenecks and pins were priced
	Gap        *float64 `json:"relative_gap"`
	Status     string   `json:"status"`
	Ended      Ended    `json:"ended"`
	Attempt    int      `json:"attempt"`
}

// Ended says what ended a search.
type Ended string

// A search that its budget or its gap ended can be repeated byte for byte. One
// that a person stopped or the clock cut depends on the speed of the machine.
const (
	EndedBudget  Ended = "budget"
	EndedGap     Ended = "gap"
	EndedStopped Ended = "stopped"
	EndedClock   Ended = "clock"
)

// Repeatable says whether a repetition must come to the same bytes.
func (e Ended) Repeatable() bool { return e == EndedBudget || e == EndedGap }

// Exact names the embedded exact solver.
type Exact struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"` // of its code
}

// Build is the program that computed the run.
type Build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // of the version control system, empty when unknown
	Modified bool   `json:"modified"` // the sources differed from the revision
	Go       string `json:"go"`
	Target   string `json:"target"` // operating system and architecture
}

// ThisBuild describes the running program.
func ThisBuild() Build {
	b := Build{Version: "unknown", Go: runtime.Version(), Target: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// String names a build in one line.
func (b Build) String() string {
	text := b.Version
	if b.Revision != "" {
		text += " " + b.Revision[:min(12, len(b.Revision))]
	}
	if b.Modified {
		text += "+"
	}
	return text + " " + b.Go + " " + b.Target
}

// Encode returns the bytes of a manifest and their SHA-256.
func (m Manifest) Encode() (content, hash []byte, err error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, nil, fmt.Errorf("encode manifest: %w", err)
	}
	if content, err = Canonical(raw); err != nil {
		return nil, nil, err
	}
	return content, Sum(content), nil
}

// Open reads a manifest as it is stored beside its hash. It refuses one that
// was not sealed (not_found) or that no longer has its hash (conflict).
func Open(content *string, hash []byte) (Manifest, error) {
	switch {
	case content == nil || hash == nil:
		return Manifest{}, fault.New(fault.NotFound, KeyNone)
	case !bytes.Equal(Sum([]byte(*content)), hash):
		return Manifest{}, fault.New(fault.Conflict, KeyChanged)
	}
	return Decode([]byte(*content))
}

// Decode reads the bytes of a manifest that is not sealed yet.
func Decode(content []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return m, fmt.Errorf("read manifest: %w", err)
	}
	return m, nil
}

// HoldsInput refuses an input (conflict) that is not the one of the run.
func (m Manifest) HoldsInput(input []byte) error {
	digest, err := Digest(input)
	if err != nil {
		return err
	}
	if Hex(digest) != m.Input {
		return fault.New(fault.Conflict, KeyInputChanged)
	}
	return nil
}

// HoldsOutput refuses an output (conflict) that is not what the run's search
// for a preset came to.
func (m Manifest) HoldsOutput(preset string, output []byte) error {
	outcome, err := Outcome(output)
	if err != nil {
		return err
	}
	if p, known := m.Find(preset); !known || Hex(Sum(outcome)) != p.Output {
		return fault.New(fault.Conflict, KeyOutputChanged)
	}
	return nil
}

// Find returns the search of a preset.
func (m Manifest) Find(preset string) (Preset, bool) {
	for _, p := range m.Presets {
		if p.Preset == preset {
			return p, true
		}
	}
	return Preset{}, false
}
