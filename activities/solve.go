package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
)

// stopGrace lets a search that a stop catches at its very start find a plan.
const stopGrace = 2 * time.Second

// SolveInput is one preset of a run to search for.
type SolveInput struct {
	RunRef
	Preset  string
	Primary bool // the run row follows this search, and it prices the bottlenecks
	Sharing int  // searches of this run at the same time
}

// checkpoint is what a search heartbeats: its best whole plan so far, of the
// type that the problem starts from.
type checkpoint struct {
	Plan json.RawMessage `json:",omitempty"`
}

// known reports whether there is a plan to start from.
func (c checkpoint) known() bool { return len(c.Plan) > 0 && string(c.Plan) != "null" }

// search is one running activity.
type search struct {
	a       *Optimization
	in      SolveInput
	problem optimize.Problem
	started time.Time

	mu    sync.Mutex
	best  checkpoint
	from  checkpoint // what a resumed attempt started from
	last  optimize.Progress
	lost  error // why the last plan cannot be heartbeat
	dirty bool
	asked bool // a stop was seen

	attempt int32
}

// SolvePlan searches the best plan of one preset within the time limit of the
// run and keeps it as a draft beside the run. It is done at most once: a
// repeated call finds the draft. Every second it heartbeats, writes the
// progress and looks whether a stop was requested, which keeps the best plan.
func (a *Optimization) SolvePlan(ctx context.Context, in SolveInput) error {
	run, err := a.loadRun(ctx, in.RunRef)
	if err != nil {
		return err
	}
	done, err := draftsOf(run)
	if _, ok := done[in.Preset]; ok || err != nil {
		return err
	}
	problem, err := problemOf(run)
	if err != nil {
		return err
	}
	return a.search(ctx, run, in, problem)
}

// search finds the plan and keeps it.
func (a *Optimization) search(ctx context.Context, run db.OptimizationRun, in SolveInput, problem optimize.Problem) error {
	input, err := problem.Weigh(run.Input, in.Preset)
	if err != nil {
		return fmt.Errorf("weigh %s: %w", in.Preset, err)
	}
	s := &search{a: a, in: in, problem: problem, started: time.Now()}
	if err := s.resume(ctx); err != nil {
		return err
	}
	made, certificate, err := s.solve(ctx, input, run)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("solve %s: %w", in.Preset, err)
	}
	return s.keep(ctx, made, certificate)
}

func (a *Optimization) loadRun(ctx context.Context, ref RunRef) (db.OptimizationRun, error) {
	var run db.OptimizationRun
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		run, err = q.LoadRun(ctx, tx, ref.TenantID, ref.RunID)
		return err
	})
	if err != nil {
		return run, fmt.Errorf("load run: %w", err)
	}
	if run.State != RunRunning {
		return run, fault.New(fault.Conflict, KeyRunEnded)
	}
	return run, nil
}

// resume takes up the plan that the last attempt heartbeat and notes a
// repeated attempt in the course of the run.
func (s *search) resume(ctx context.Context) error {
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &s.best); err != nil {
			return fmt.Errorf("read heartbeat: %w", err)
		}
	}
	attempt := activity.GetInfo(ctx).Attempt
	s.from, s.attempt = s.best, attempt
	detail, err := json.Marshal(map[string]any{"attempt": attempt, "resumed": s.best.known()})
	if err != nil {
		return err
	}
	return s.a.deps.DB.InTenant(ctx, s.in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.NoteRunAttempt(ctx, tx, attempt, s.in.TenantID, s.in.RunID); err != nil {
			return fmt.Errorf("note attempt: %w", err)
		}
		if attempt == 1 {
			return nil
		}
		return addEvent(ctx, tx, q, s.in.RunRef, db.AddRunEventParams{Stage: stageSolve, Kind: eventAttempt, Scenario: s.in.Preset, Detail: detail})
	})
}

// solve searches from the plan of the last attempt, if there was one, while a
// companion reports on it.
func (s *search) solve(ctx context.Context, input json.RawMessage, run db.OptimizationRun) (draft, optimize.Certificate, error) {
	searching, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	var companion sync.WaitGroup
	companion.Go(func() { s.accompany(ctx, stop, ended) })
	defer func() { close(ended); companion.Wait(); stop() }()

	made := draft{
		Threads: max(1, s.a.deps.SolverThreads/max(1, s.in.Sharing)), Attempt: s.attempt,
		Prices: s.in.Primary && run.BasedOn == nil, // a what-if is itself the price of a decision, and is waited for
	}
	if s.from.known() {
		var err error
		if input, err = s.problem.Start(input, s.from.Plan); err != nil {
			return made, optimize.Certificate{}, fmt.Errorf("start from the last plan: %w", err)
		}
		made.Start = s.from.Plan
	}
	opt := budgetOf(time.Duration(run.TimeLimitSeconds)*time.Second, run.Seed, made.Threads, made.Prices)
	opt.OnPlan = s.remember
	result, how, err := searched(searching, s.problem, input, opt, s.report)
	made.Output, made.Ended = result.Output, how
	return made, result.Certificate, err
}

// remember keeps a whole plan for the next heartbeat: from then on a crash
// costs time but never that plan.
func (s *search) remember(plan any) {
	encoded, err := json.Marshal(plan)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost = err; err == nil {
		s.best = checkpoint{Plan: encoded}
	}
}

// report takes the engine's progress; it is called often and must be quick.
// While it prices bottlenecks it solves other problems, whose figures do not
// belong to this plan.
func (s *search) report(p optimize.Progress) {
	if p.Phase == optimize.PhasePrices {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.BoundKnown && (!p.BoundKnown || p.Bound < s.last.Bound) {
		p.Bound, p.BoundKnown = s.last.Bound, true // a bound once proven stays proven
	}
	if s.last.HasIncumbent && (!p.HasIncumbent || p.Incumbent > s.last.Incumbent) {
		p.Incumbent, p.HasIncumbent = s.last.Incumbent, true
	}
	s.dirty = s.dirty || p.Incumbent != s.last.Incumbent || p.Bound != s.last.Bound || p.HasIncumbent != s.last.HasIncumbent || p.BoundKnown != s.last.BoundKnown
	s.last = p
}

// accompany heartbeats, writes the progress and watches for a stop, once a
// second until the search has ended.
func (s *search) accompany(ctx context.Context, stop context.CancelFunc, ended <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ctx.Done():
			stop()
			return
		case <-tick.C:
		}
		s.mu.Lock()
		best, lost := s.best, s.lost
		s.mu.Unlock()
		activity.RecordHeartbeat(ctx, best)
		if lost != nil {
			activity.GetLogger(ctx).Warn("plan not heartbeat", "error", lost)
		}
		if err := s.tell(ctx); err != nil && ctx.Err() == nil {
			activity.GetLogger(ctx).Warn("progress not written", "error", err)
		}
		if s.asked && time.Since(s.started) >= stopGrace {
			stop()
		}
	}
}

// tell writes the progress if it changed and reads the stop flag, in one
// transaction.
func (s *search) tell(ctx context.Context) error {
	s.mu.Lock()
	p, dirty := s.last, s.dirty
	s.dirty = false
	s.mu.Unlock()
	return s.a.deps.DB.InTenant(ctx, s.in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if s.asked, err = q.RunStopRequested(ctx, tx, s.in.TenantID, s.in.RunID); err != nil || !dirty {
			return err
		}
		return s.writeProgress(ctx, tx, q, p)
	})
}

func (s *search) writeProgress(ctx context.Context, tx pgx.Tx, q *db.Queries, p optimize.Progress) error {
	incumbent, bound, gap := figures(p)
	if s.in.Primary {
		_, err := q.NoteRunProgress(ctx, tx, db.NoteRunProgressParams{
			TenantID: s.in.TenantID, ID: s.in.RunID, Incumbent: incumbent, Bound: bound, Gap: gap,
		})
		if err != nil {
			return fmt.Errorf("write progress: %w", err)
		}
	}
	return addEvent(ctx, tx, q, s.in.RunRef, db.AddRunEventParams{
		Stage: stageSolve, Kind: eventProgress, Scenario: s.in.Preset, ElapsedSeconds: time.Since(s.started).Seconds(),
		Incumbent: incumbent, Bound: bound, Gap: gap,
	})
}

// figures returns what is known of a search; the gap needs both ends.
func figures(p optimize.Progress) (incumbent, bound, gap *float64) {
	if p.HasIncumbent {
		incumbent = &p.Incumbent
	}
	if p.BoundKnown {
		bound = &p.Bound
	}
	if p.HasIncumbent && p.BoundKnown {
		g := optimize.Gap(p.Incumbent, p.Bound)
		gap = &g
	}
	return incumbent, bound, gap
}

// keep stores the plan as a draft with the last point of its progress.
func (s *search) keep(ctx context.Context, made draft, c optimize.Certificate) error {
	encoded, err := json.Marshal(made)
	if err != nil {
		return fmt.Errorf("encode draft: %w", err)
	}
	final := optimize.Progress{Incumbent: c.Objective, HasIncumbent: true, Bound: c.Bound, BoundKnown: c.BoundKnown}
	err = s.a.deps.DB.InTenant(ctx, s.in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		kept, err := q.StoreRunDraft(ctx, tx, db.StoreRunDraftParams{TenantID: s.in.TenantID, ID: s.in.RunID, Preset: s.in.Preset, Draft: encoded})
		if err != nil {
			return err
		}
		if kept == 0 {
			return fault.New(fault.Conflict, KeyRunEnded)
		}
		return s.writeProgress(ctx, tx, q, final)
	})
	if err != nil {
		return fmt.Errorf("keep draft: %w", err)
	}
	return nil
}
