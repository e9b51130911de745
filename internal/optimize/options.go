package optimize

import "time"

// Options are common to every problem. The zero value solves with the
// defaults of WithDefaults.
type Options struct {
	// TimeLimit stops the run; the best plan found so far is kept.
	TimeLimit time.Duration `json:"time_limit"`
	// RelGap stops the run once (objective − bound)/|objective| is at most
	// this share. It must be in [0, 1).
	RelGap float64 `json:"rel_gap"`
	// Seed starts every random choice.
	Seed int64 `json:"seed"`
	// Threads is the number of cores a run may keep busy.
	Threads int `json:"threads"`
	// MaxIterations, when positive, replaces the clock as the budget of the
	// local search and runs the solver's stages one after the other, so that
	// the same input, seed and budget give the same plan byte for byte as long
	// as TimeLimit does not cut the run short.
	MaxIterations int64 `json:"max_iterations,omitempty"`
	// Work, when positive, is the budget of the run in the place of the clock:
	// the seconds that a reference core takes for it.
	// Every stage counts what it does (moves, prices, looks of the exact solver
	// at its clock) and turns it into time by fixed factors, so that the same
	// input, seed, thread count and budget give the same plan byte for byte with
	// the same build on the same architecture, however fast the machine, as long
	// as TimeLimit does not cut the run short. With MaxIterations as well, only
	// solves of the exact solver spend it.
	Work time.Duration `json:"work,omitempty"`
	// Solver chooses the stages: "auto" (both), "heuristic" (local search and
	// Lagrangian bound only, no child process) or "exact" (a short local
	// search, then the mixed-integer solver).
	Solver string `json:"solver,omitempty"`
	// Prices asks for the value of one more unit of every binding resource
	// and for the price of every pin. Each costs one more solve.
	Prices bool `json:"prices,omitempty"`
	// MemoryMiB caps the exact solver's memory, at most 4096.
	MemoryMiB int `json:"memory_mib,omitempty"`
	// OnPlan, when set, receives better plans while the search runs, each of
	// the type of the input's warm start, at most one a second and never two
	// at a time. Whoever keeps the last one can go on from it after a crash.
	OnPlan func(plan any) `json:"-"`
}

// The values of Options.Solver.
const (
	SolverAuto      = "auto"
	SolverHeuristic = "heuristic"
	SolverExact     = "exact"
)

// Counted says whether work is counted in place of time, so that the run can
// be repeated.
func (o Options) Counted() bool { return o.MaxIterations > 0 || o.Work > 0 }

// ByWork says whether Work is the budget of the run.
func (o Options) ByWork() bool { return o.Work > 0 }

// Budget is what the run may spend: work, or time on the clock.
func (o Options) Budget() time.Duration {
	if o.ByWork() {
		return o.Work
	}
	return o.TimeLimit
}

// WithBudget returns o with another budget of the same kind. A run that counts
// work keeps its time limit, which is only there to cut a run that hangs.
func (o Options) WithBudget(budget time.Duration) Options {
	if o.ByWork() {
		o.Work = max(budget, 1) // none left is still counted
	} else {
		o.TimeLimit = budget
	}
	return o
}

// WithDefaults returns o with 60 s, a gap of 0.01 %, two threads, both
// solvers and 1 GiB for the exact one wherever o leaves them out.
func (o Options) WithDefaults() Options {
	if o.TimeLimit <= 0 {
		o.TimeLimit = 60 * time.Second
	}
	if o.RelGap <= 0 {
		o.RelGap = 1e-4
	}
	if o.Threads <= 0 {
		o.Threads = 2
	}
	if o.Solver == "" {
		o.Solver = SolverAuto
	}
	if o.MemoryMiB <= 0 {
		o.MemoryMiB = 1024
	}
	return o
}

// Phase names the stage a run is in.
type Phase string

// The stages of a run, in the order in which they usually come.
const (
	PhaseBuild     Phase = "build"
	PhaseConstruct Phase = "construct"
	PhaseSearch    Phase = "search"
	PhaseBound     Phase = "bound"
	PhaseExact     Phase = "exact"
	PhasePrices    Phase = "prices"
	PhaseVerify    Phase = "verify"
)

// Progress is one report of a running solve; at most ten arrive per second.
// Without a plan HasIncumbent is false; without a bound BoundKnown is.
type Progress struct {
	Phase        Phase         `json:"phase"`
	Incumbent    float64       `json:"incumbent"`
	HasIncumbent bool          `json:"has_incumbent"`
	Bound        float64       `json:"bound"`
	BoundKnown   bool          `json:"bound_known"`
	Gap          float64       `json:"gap"`
	Elapsed      time.Duration `json:"elapsed"`
}

// Status says how a run ended.
type Status string

// A plan is optimal when it meets its bound to within OptimalGap; feasible
// when the asked gap or the iteration budget ended the run; time_limit when
// the clock or a cancellation did.
const (
	StatusOptimal    Status = "optimal"
	StatusFeasible   Status = "feasible"
	StatusTimeLimit  Status = "time_limit"
	StatusInfeasible Status = "infeasible"
)

// OptimalGap is the relative gap below which a plan counts as optimal.
const OptimalGap = 1e-6

// Certificate is what a plan can prove about itself. Bound is a proven lower
// bound of the objective and means nothing unless BoundKnown is set; then the
// plan is shown as "heuristic, no bound".
type Certificate struct {
	Objective  float64 `json:"objective"`
	Bound      float64 `json:"bound"`
	Gap        float64 `json:"gap"`
	BoundKnown bool    `json:"bound_known"`
	Status     Status  `json:"status"`
	Seconds    float64 `json:"seconds"`
	Seed       int64   `json:"seed"`
	Iterations int64   `json:"iterations"`
	Verified   bool    `json:"verified"`
	Solver     Solver  `json:"solver"`
}

// Solver records what produced a plan, for the audit.
type Solver struct {
	Name    string            `json:"name"`
	Version string            `json:"version"`
	Options map[string]string `json:"options,omitempty"`
}

// Gap returns (objective − bound)/|objective|, never negative.
func Gap(objective, bound float64) float64 {
	d := objective - bound
	if d <= 0 {
		return 0
	}
	a := objective
	if a < 0 {
		a = -a
	}
	if a < 1e-9 {
		return d
	}
	return d / a
}
