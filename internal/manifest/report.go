package manifest

import (
	"encoding/json"
	"slices"
)

// Report is what the repetition of a run came to.
type Report struct {
	Presets map[string]Compared `json:"presets"`
	Was     Built               `json:"was"` // what computed the run
	Is      Built               `json:"is"`  // what repeated it
	Since   *Since              `json:"since,omitempty"`
}

// Built is a program and its exact solver.
type Built struct {
	Build Build `json:"build"`
	Exact Exact `json:"exact_solver"`
}

// Compared is one preset of a run beside its repetition.
type Compared struct {
	Was        string      `json:"was_sha256"`
	Is         string      `json:"is_sha256"`
	Identical  bool        `json:"identical"`
	Ended      Ended       `json:"ended"`       // of the run's search
	AgainEnded Ended       `json:"again_ended"` // of its repetition
	Difference *Difference `json:"difference,omitempty"`
}

// Repeatable says whether both searches were ended by their work alone, so
// that they must come to the same bytes.
func (c Compared) Repeatable() bool { return c.Ended.Repeatable() && c.AgainEnded.Repeatable() }

// Difference is how a repetition differs: what it costs more, decisions that
// moved, and fields of the output where no decision did.
type Difference struct {
	Total   float64  `json:"total"` // SAR, repetition minus run
	Moved   []Moved  `json:"moved"`
	Count   int      `json:"count"` // of all moved decisions; Moved holds the first
	Fields  []Change `json:"fields,omitempty"`
	Touched int      `json:"touched"` // fields that differ in all
}

// Moved is one decision in the run and in its repetition; nil where it is
// missing.
type Moved struct {
	Subject string     `json:"subject"`
	Name    string     `json:"name"`
	Was     *Placement `json:"was,omitempty"`
	Is      *Placement `json:"is,omitempty"`
}

// Placement is what a plan does with a subject.
type Placement struct {
	Verdict  string  `json:"verdict"`
	Start    float64 `json:"start"` // period, −1 = none
	Resource string  `json:"resource,omitempty"`
}

// Since is what has changed since a run: its input against the one that would
// be loaded now, and the records behind both. ErrorKey says why there would be
// none.
type Since struct {
	Changes  []Change          `json:"changes"`
	Count    int               `json:"count"`
	Sources  []Change          `json:"sources"`
	Records  int               `json:"records"` // changes of sources in all
	Names    map[string]string `json:"names"`   // of the ids in the paths
	ErrorKey string            `json:"error_key,omitempty"`
}

// Identical says whether every preset came out the same.
func (r Report) Identical() bool {
	for _, p := range r.Presets {
		if !p.Identical {
			return false
		}
	}
	return len(r.Presets) > 0
}

// labels are the keys that hold a readable name beside an identity, the first
// that is there counts.
var labels = []string{"tag", "name", "title"}

// Names collects, from documents, what their objects with an identity are
// called.
func Names(documents ...[]byte) (map[string]string, error) {
	names := map[string]string{}
	for _, d := range documents {
		var tree any
		if err := json.Unmarshal(d, &tree); err != nil {
			return nil, err
		}
		collect(tree, "", names)
	}
	return names, nil
}

// collect walks a document. An object is called by its own identity, or by
// the key that it stands under.
func collect(node any, under string, names map[string]string) {
	switch v := node.(type) {
	case []any:
		for _, x := range v {
			collect(x, "", names)
		}
	case map[string]any:
		ids := []string{under}
		for _, key := range identities {
			if id, ok := v[key].(string); ok {
				ids = append(ids, id)
			}
		}
		i := slices.IndexFunc(labels, func(key string) bool { text, ok := v[key].(string); return ok && text != "" })
		for _, id := range ids {
			if _, known := names[id]; i >= 0 && id != "" && !known {
				names[id], _ = v[labels[i]].(string)
			}
		}
		for key, x := range v {
			collect(x, key, names)
		}
	}
}
