package wasm

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"time"
)

// Problem is a mixed-integer linear program to minimise, rows compressed:
// row i has the entries Start[i] … Start[i+1]−1 of Index and Value.
type Problem struct {
	Cost, Lower, Upper []float64
	Integer            []bool
	RowLower, RowUpper []float64
	Start, Index       []int32
	Value              []float64
	Offset             float64
	Hint               []float64 // start point, NaN where unknown; nil for none
}

// Settings are the solver's options by their HiGHS names, with hooks.
type Settings struct {
	Values      map[string]any // bool, int, float64 or string
	Step        time.Duration  // by which the solver's clock moves per look at it; 0 = real time
	Log         func(string)
	OnIncumbent func(objective float64, x []float64)
	OnProgress  func(Progress)
}

// Progress is one report of the branch and bound.
type Progress struct {
	Primal, Dual float64
	Nodes        int64
}

// Result is what the solver says. It is the caller's task to check X.
type Result struct {
	Status    string // HiGHS model status, see statusNames
	Objective float64
	Bound     float64
	Nodes     int64
	Work      time.Duration // by the solver's clock, when it moves by steps
	X         []float64
	RowDual   []float64 // of a linear program only
}

// statusNames are HiGHS's model states by number.
var statusNames = map[int32]string{
	7: "optimal", 8: "infeasible", 9: "infeasible_or_unbounded", 10: "unbounded", 11: "objective_bound",
	12: "objective_target", 13: "time_limit", 14: "iteration_limit", 16: "solution_limit", 17: "interrupted", 18: "memory_limit",
}

// The callback kinds of the C API that Solve listens to.
const (
	cbSimplex      = 1
	cbInterior     = 2
	cbImproving    = 4
	cbMIPLogging   = 5
	cbMIPInterrupt = 6
)

// Solve runs one problem in a fresh instance. Cancelling ctx stops the solver
// at its next look at the clock and returns what it has.
func (e *Engine) Solve(ctx context.Context, p *Problem, set Settings) (res *Result, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("solver: %v", r)
		}
	}()
	state := &instance{start: time.Now(), log: set.Log, step: set.Step, stopped: func() bool { return ctx.Err() != nil }}
	s, err := e.open(ctx, state)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := s.close(); err == nil && cerr != nil {
			err = cerr
		}
	}()
	h, err := s.call("Highs_create")
	if err != nil {
		return nil, err
	}
	if err = s.configure(h, set); err != nil {
		return nil, err
	}
	if err = s.load(h, p); err != nil {
		return nil, fmt.Errorf("pass model: %w", err)
	}
	if err = s.listen(h, state, set); err != nil {
		return nil, err
	}
	if _, err = s.call("Highs_run", h); err != nil {
		return nil, err
	}
	if res, err = s.read(h, p); err == nil {
		res.Work = state.work
	}
	return res, err
}

func (s *session) configure(h uint64, set Settings) error {
	values := map[string]any{"output_flag": set.Log != nil, "log_to_console": set.Log != nil, "threads": 1, "parallel": "off"}
	for k, v := range set.Values {
		values[k] = v
	}
	names := make([]string, 0, len(values))
	for k := range values {
		names = append(names, k)
	}
	sort.Strings(names)
	for _, name := range names {
		if err := s.setOption(h, name, values[name]); err != nil {
			return fmt.Errorf("option %s=%v: %w", name, values[name], err)
		}
	}
	return nil
}

func (s *session) setOption(h uint64, name string, value any) error {
	n, err := s.putString(name)
	if err != nil {
		return err
	}
	switch v := value.(type) {
	case bool:
		var b uint64
		if v {
			b = 1
		}
		return s.must("Highs_setBoolOptionValue", h, n, b)
	case int:
		return s.must("Highs_setIntOptionValue", h, n, uint64(uint32(int32(v))))
	case float64:
		return s.must("Highs_setDoubleOptionValue", h, n, math.Float64bits(v))
	case string:
		text, err := s.putString(v)
		if err != nil {
			return err
		}
		return s.must("Highs_setStringOptionValue", h, n, text)
	default:
		return fmt.Errorf("type %T", value)
	}
}

func (s *session) load(h uint64, p *Problem) error {
	kinds := make([]int32, len(p.Integer))
	anyInteger := false
	for j, b := range p.Integer {
		if b {
			kinds[j], anyInteger = 1, true
		}
	}
	arrays := [][]byte{floatBytes(p.Cost), floatBytes(p.Lower), floatBytes(p.Upper), floatBytes(p.RowLower), floatBytes(p.RowUpper),
		intBytes(p.Start), intBytes(p.Index), floatBytes(p.Value), intBytes(kinds)}
	var at [9]uint64
	for i, b := range arrays {
		var err error
		if at[i], err = s.put(b); err != nil {
			return err
		}
	}
	integrality := at[8]
	if !anyInteger {
		integrality = 0
	}
	const rowwise, minimise = 2, 1
	err := s.must("Highs_passModel", h, uint64(len(p.Cost)), uint64(len(p.RowLower)), uint64(len(p.Index)), 0, rowwise, 1, minimise,
		math.Float64bits(p.Offset), at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7], 0, 0, 0, integrality)
	if err != nil {
		return err
	}
	for _, a := range at {
		if _, err = s.call("free", a); err != nil {
			return err
		}
	}
	return s.loadHint(h, p.Hint)
}

func (s *session) loadHint(h uint64, hint []float64) error {
	var index []int32
	var value []float64
	for j, v := range hint {
		if !math.IsNaN(v) {
			index, value = append(index, int32(j)), append(value, v)
		}
	}
	if len(index) == 0 {
		return nil
	}
	pi, err := s.put(intBytes(index))
	if err != nil {
		return err
	}
	pv, err := s.put(floatBytes(value))
	if err != nil {
		return err
	}
	return s.must("Highs_setSparseSolution", h, uint64(len(index)), pi, pv)
}

// listen subscribes to progress. Offsets are those of HighsCallbackDataOut on
// wasm32: objective 32, nodes 40, primal 56, dual 64, solution 80, its size 84.
func (s *session) listen(h uint64, state *instance, set Settings) error {
	pointer, err := s.installCallback()
	if err != nil {
		return err
	}
	state.callback = func(kind int32, out, in uint32) {
		switch kind {
		case cbImproving:
			if set.OnIncumbent != nil {
				set.OnIncumbent(s.float(out+32), s.floats(uint64(s.word(out+80)), int(s.word(out+84))))
			}
		case cbMIPLogging:
			if set.OnProgress != nil {
				set.OnProgress(Progress{Primal: s.float(out + 56), Dual: s.float(out + 64), Nodes: s.long(out + 40)})
			}
		default:
			if state.stopped() {
				binary.LittleEndian.PutUint32(s.memory()[in:], 1)
			}
		}
	}
	if err := s.must("Highs_setCallback", h, pointer, 0); err != nil {
		return err
	}
	for _, kind := range []uint64{cbSimplex, cbInterior, cbImproving, cbMIPLogging, cbMIPInterrupt} {
		if err := s.must("Highs_startCallback", h, kind); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) read(h uint64, p *Problem) (*Result, error) {
	code, err := s.call("Highs_getModelStatus", h)
	if err != nil {
		return nil, err
	}
	res := &Result{Status: statusNames[int32(code)]}
	if res.Status == "" {
		res.Status = fmt.Sprintf("status_%d", int32(code))
	}
	objective, err := s.call("Highs_getObjectiveValue", h)
	if err != nil {
		return nil, err
	}
	res.Objective = math.Float64frombits(objective)
	x, err := s.alloc(8 * len(p.Cost))
	if err != nil {
		return nil, err
	}
	dual, err := s.alloc(8 * len(p.RowLower))
	if err != nil {
		return nil, err
	}
	if err = s.must("Highs_getSolution", h, x, 0, 0, dual); err != nil {
		return nil, err
	}
	res.X = s.floats(x, len(p.Cost))
	for _, integer := range p.Integer {
		if integer {
			return res, s.readBound(h, res)
		}
	}
	res.RowDual, res.Bound = s.floats(dual, len(p.RowLower)), res.Objective
	if res.Status != "optimal" {
		res.Bound = math.Inf(-1)
	}
	return res, nil
}

func (s *session) readBound(h uint64, res *Result) error {
	at, err := s.alloc(8)
	if err != nil {
		return err
	}
	name, err := s.putString("mip_dual_bound")
	if err != nil {
		return err
	}
	if err = s.must("Highs_getDoubleInfoValue", h, name, at); err != nil {
		return err
	}
	res.Bound = s.float(uint32(at))
	if name, err = s.putString("mip_node_count"); err != nil {
		return err
	}
	if err = s.must("Highs_getInt64InfoValue", h, name, at); err != nil {
		return err
	}
	res.Nodes = s.long(uint32(at))
	return nil
}
