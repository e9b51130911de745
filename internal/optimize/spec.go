// Package optimize is the door to the optimization problems: what they are
// called, which numbers a form asks for, and how a run is started, followed
// and certified. Each problem lives in a package of its own and registers
// itself; package all imports them. Nothing here knows the database, the web
// tier or the workflows.
package optimize

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"sync"

	"github.com/optria-iq/optria/internal/optimize/mip"
)

// Problem is one optimization problem with its inputs and outputs as JSON, so
// that storage, workflows and pages need not know its types.
type Problem interface {
	// Spec describes the problem for a form and a result page.
	Spec() Spec
	// Solve returns the best plan found before the limits of opt. Cancelling
	// ctx ends the search and keeps the best plan. It fails when the input is
	// invalid or infeasible, or when no plan passed the verifier.
	Solve(ctx context.Context, input json.RawMessage, opt Options, report func(Progress)) (Result, error)
	// Verify recomputes feasibility and cost of an output from the input with
	// code that the solver does not use.
	Verify(input, output json.RawMessage) error
	// Weigh returns the input weighed by one of the presets of the
	// specification; the weights of preset custom are those in the input.
	Weigh(input json.RawMessage, preset string) (json.RawMessage, error)
	// Plan returns the plain decisions of an output, of the type that
	// Options.OnPlan hands out.
	Plan(output json.RawMessage) (json.RawMessage, error)
	// Start returns the input with a plan as its warm start. Decisions that no
	// longer fit are left out when it is solved.
	Start(input, plan json.RawMessage) (json.RawMessage, error)
	// Force returns the input with one decision pinned in place of an earlier
	// pin of the same subject: the question "what if" or "why not". An unknown
	// subject is an invalid input.
	Force(input json.RawMessage, pin Pin) (json.RawMessage, error)
	// View returns what is shown of a verified output.
	View(input, output json.RawMessage) (View, error)
	// Model returns the exact model of an input, for use elsewhere.
	Model(input json.RawMessage) (*mip.Model, error)
}

// Result is a verified output with its certificate.
type Result struct {
	Certificate Certificate
	Output      json.RawMessage
}

// Spec describes a problem. Message keys are resolved by internal/i18n.
type Spec struct {
	Kind        string      `json:"kind"`        // stable identifier, stored with each run
	Name        string      `json:"name"`        // the specification's name of the problem
	TitleKey    string      `json:"title_key"`   // short name for people
	SummaryKey  string      `json:"summary_key"` // one sentence on what it decides
	Objectives  []Objective `json:"objectives"`
	Constraints []Field     `json:"constraints"`
	MaxDays     int         `json:"max_days"` // longest horizon
	// Shows lists the parts of a View that a result page has a tab for, in
	// their order.
	Shows []Part `json:"shows"`
	// Executable says that lines are jobs on assets which a plan can release
	// as work orders.
	Executable bool `json:"executable"`
}

// Part names a part of a View.
type Part string

// The parts of a View that have a tab of their own; every result also has a
// table and a summary.
const (
	PartGantt    Part = "gantt"    // lines over time with loads
	PartRoutes   Part = "routes"   // lines per technician
	PartCurves   Part = "curves"   // cost against time per subject
	PartProfiles Part = "profiles" // load of units over time
	PartFrontier Part = "frontier" // cost against risk
)

// Objective is one preset of the weights.
type Objective struct {
	Kind    string `json:"kind"`
	TextKey string `json:"text_key"`
	Default bool   `json:"default"`
}

// FieldType tells a form which control to show.
type FieldType string

// The controls of a form.
const (
	FieldNumber  FieldType = "number"
	FieldInteger FieldType = "integer"
	FieldBool    FieldType = "bool"
	FieldDate    FieldType = "date"
)

// Field is one number a form asks for. Min, Max and Default are in Unit. An
// optional field may be left empty.
type Field struct {
	Name     string    `json:"name"`
	LabelKey string    `json:"label_key"`
	Type     FieldType `json:"type"`
	Unit     string    `json:"unit,omitempty"`
	Min      float64   `json:"min"`
	Max      float64   `json:"max"`
	Default  float64   `json:"default"`
	Optional bool      `json:"optional"`
	PerSite  bool      `json:"per_site"` // one value per site
	Weight   bool      `json:"weight"`   // a weight of preset custom, not a constraint
}

var registry = struct {
	sync.RWMutex
	byKind map[string]Problem
}{byKind: map[string]Problem{}}

// Register adds a problem; it is called from the problem's init function and
// panics when two problems claim one kind.
func Register(p Problem) {
	registry.Lock()
	defer registry.Unlock()
	kind := p.Spec().Kind
	if _, taken := registry.byKind[kind]; taken {
		panic(fmt.Sprintf("optimize: problem %q registered twice", kind))
	}
	registry.byKind[kind] = p
}

// Lookup returns the problem of a kind.
func Lookup(kind string) (Problem, bool) {
	registry.RLock()
	defer registry.RUnlock()
	p, ok := registry.byKind[kind]
	return p, ok
}

// Specs lists the registered problems ordered by kind.
func Specs() []Spec {
	registry.RLock()
	defer registry.RUnlock()
	specs := make([]Spec, 0, len(registry.byKind))
	for _, p := range registry.byKind {
		specs = append(specs, p.Spec())
	}
	sort.Slice(specs, func(i, j int) bool { return specs[i].Kind < specs[j].Kind })
	return specs
}
