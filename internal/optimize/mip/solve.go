package mip

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Options steer one solve.
type Options struct {
	TimeLimit time.Duration // 0 = none
	// Counted makes runs repeat exactly: the solver's clock stands still and
	// moves on by a fixed step whenever the solver looks at it, so TimeLimit is
	// the time that a reference core takes for the same work, roughly. Only the
	// embedded solver has such a clock, so it is the one that runs.
	Counted   bool
	RelGap    float64 // stop at this relative gap; 0 = solve to proof
	AbsGap    float64
	Seed      int
	MaxNodes  int           // 0 = no limit; with it and no time limit runs repeat exactly
	MemoryMiB int           // cap of the solver's memory, 0 = 1024
	Grace     time.Duration // between asking the child to stop and killing it, 0 = 3 s
	// Embedded keeps to the embedded solver where there is a native one, too.
	Embedded bool
	// Extra are further HiGHS options by name: bool, int, float64 or string.
	Extra map[string]any
}

// Status is the solver's verdict.
type Status string

// The states that callers tell apart; others are passed through by HiGHS's
// own names.
const (
	Optimal    Status = "optimal"
	Infeasible Status = "infeasible"
	Unbounded  Status = "unbounded"
	TimeLimit  Status = "time_limit"
	Killed     Status = "killed" // stopped the hard way; the best incumbent is kept
)

// Event is an improving point or a report of bounds. X is set for points
// only and has passed Check.
type Event struct {
	X         []float64
	Objective float64
	Bound     float64 // −Inf when unknown
	Nodes     int64
	Elapsed   time.Duration
}

// Result is what is known at the end. X is nil when no point was found; a
// non-nil X has passed Check and Objective is recomputed from it.
type Result struct {
	Status    Status
	X         []float64
	Objective float64
	Bound     float64 // proven lower bound, −Inf when unknown
	Nodes     int64
	RowDual   []float64         // of linear programs solved to optimality by the embedded solver
	Solver    string            // name and version of what ran
	Options   map[string]string // the solver's options by their HiGHS names
	Elapsed   time.Duration
	Work      time.Duration // by the solver's own clock, when it is counted
}

// Solve minimises m. It reports improving points and bounds to on, which may
// be nil and is called from one goroutine. Cancelling ctx asks the solver to
// stop and, after the grace period, kills it; the best point so far is
// returned without an error.
func Solve(ctx context.Context, m *Model, o Options, on func(Event)) (*Result, error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	if o.MemoryMiB <= 0 {
		o.MemoryMiB = 1024
	}
	if o.Grace <= 0 {
		o.Grace = 3 * time.Second
	}
	c := &collector{model: m, on: on, start: time.Now(), best: &Result{Objective: math.Inf(1), Bound: math.Inf(-1), Options: map[string]string{}}}
	for name, v := range o.values() {
		c.best.Options[name] = fmt.Sprint(v)
	}
	c.best.Options["memory_mib"] = fmt.Sprint(o.MemoryMiB)
	c.best.Options["counted"] = fmt.Sprint(o.Counted)
	if m.Columns() == 0 {
		return c.nothing(), nil
	}
	var err error
	if binary := Native(); binary != "" && !o.Embedded && !o.Counted {
		err = solveNative(ctx, binary, m, o, c)
	} else {
		err = solveChild(ctx, m, o, c)
	}
	c.best.Elapsed = time.Since(c.start)
	return c.best, err
}

// Native returns the path of the native solver that OPTRIA_HIGHS or the PATH
// names, or "".
func Native() string {
	if path := os.Getenv("OPTRIA_HIGHS"); path != "" {
		return path
	}
	path, err := exec.LookPath("highs")
	if err != nil {
		return ""
	}
	return path
}

// cacheDir returns where compiled code is kept: OPTRIA_CACHE_DIR, else a
// folder of the user's cache, else none.
func cacheDir() string {
	if dir := os.Getenv("OPTRIA_CACHE_DIR"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "optria")
}

// boundSlack is the relative width by which a reported bound is lowered, so
// that the solver's feasibility tolerance cannot lift it above the optimum.
const boundSlack = 1e-7

// collector keeps the best checked point and the best bound.
type collector struct {
	model *Model
	on    func(Event)
	start time.Time
	best  *Result
}

// nothing decides a model without columns, which HiGHS leaves undecided: its
// rows are 0.
func (c *collector) nothing() *Result {
	c.best.Status, c.best.Solver = Infeasible, "no columns"
	if x := []float64{}; c.model.Check(x) == nil {
		c.best.Status, c.best.X, c.best.Objective, c.best.Bound = Optimal, x, c.model.Offset, c.model.Offset
	}
	return c.best
}

func (c *collector) point(x []float64) error {
	x = c.model.rounded(x)
	if err := c.model.Check(x); err != nil {
		return fmt.Errorf("solver's point: %w", err)
	}
	objective := c.model.Objective(x)
	if objective >= c.best.Objective {
		return nil
	}
	c.best.X, c.best.Objective = x, objective
	c.emit(Event{X: x})
	return nil
}

func (c *collector) bound(b float64, nodes int64) {
	if math.IsNaN(b) || math.IsInf(b, 0) {
		return
	}
	c.best.Nodes = max(c.best.Nodes, nodes)
	if b -= boundSlack * math.Max(1, math.Abs(b)); b > c.best.Bound {
		c.best.Bound = b
	}
	c.emit(Event{})
}

func (c *collector) emit(e Event) {
	if c.on == nil {
		return
	}
	e.Objective, e.Bound, e.Nodes, e.Elapsed = c.best.Objective, c.best.Bound, c.best.Nodes, time.Since(c.start)
	c.on(e)
}
