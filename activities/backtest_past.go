package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/backtest"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
)

// How a decision of the past is searched: by local search with a budget of
// iterations, so that the same past gives the same decision.
const (
	backtestIterations = 4000
	backtestLimit      = 30 * time.Second
)

// past is the plant with what is recorded of its past. Crews, resources,
// calendars and redundancy are those of today: their changes are not recorded.
type past struct {
	plant    *plant
	request  request
	facts    backtest.Facts
	step     int                          // days from one decision to the next
	costs    map[uuid.UUID][]db.CostModel // every version
	scoresAt func(ctx context.Context, at time.Time) ([]db.ListPastScoresRow, error)
}

func loadPast(ctx context.Context, tx pgx.Tx, q *db.Queries, row db.Backtest) (*past, error) {
	plant, err := loadPlant(ctx, tx, q, row.TenantID)
	if err != nil {
		return nil, err
	}
	plant.planned = nil // today's work orders are no part of the past
	p := &past{plant: plant, step: int(row.StepDays)}
	if p.request, err = previewRequest(plant.tenant, row.FromDay); err != nil {
		return nil, err
	}
	p.request.run.WindowDays, p.request.run.Seed = row.HorizonDays, row.Seed
	costs, err := q.ListCostHistory(ctx, tx, row.TenantID)
	if err != nil {
		return nil, fmt.Errorf("list cost models: %w", err)
	}
	p.costs = groupBy(costs, func(m db.CostModel) uuid.UUID { return m.AssetID })
	p.facts, err = loadFacts(ctx, tx, q, plant.assets, row.TenantID)
	return p, err
}

// loadFacts reads the ended lives of the assets and the edits of their planning
// lives. An asset without an ended life began as old as it was first said to be.
func loadFacts(ctx context.Context, tx pgx.Tx, q *db.Queries, assets []db.Asset, tenant uuid.UUID) (backtest.Facts, error) {
	f := backtest.Facts{Began: map[string]time.Time{}}
	endings, err := q.ListEndings(ctx, tx, tenant)
	if err != nil {
		return f, fmt.Errorf("list lives: %w", err)
	}
	ended := map[string]bool{}
	for _, e := range endings {
		id := e.AssetID.String()
		ended[id] = true
		f.Endings = append(f.Endings, backtest.Ending{AssetID: id, Class: e.ClassCode, Ended: e.EndedAt.UTC(), Days: e.LifeDays, Failed: e.Failed, Known: e.KnownAt.UTC()})
	}
	for _, a := range assets {
		if !ended[a.ID.String()] {
			f.Began[a.ID.String()] = beganAt(a.AgeAsOf, a.AgeDays)
		}
	}
	changes, err := q.ListLifeChanges(ctx, tx, tenant)
	if err != nil {
		return f, fmt.Errorf("list edits of lives: %w", err)
	}
	seen := map[string]bool{}
	for _, c := range changes {
		var before struct {
			Beta    float64   `json:"beta"`
			EtaDays float64   `json:"eta_days"`
			AgeDays float64   `json:"age_days"`
			AgeAsOf time.Time `json:"age_as_of"`
		}
		if err := json.Unmarshal(c.BeforeState, &before); err != nil {
			return f, fmt.Errorf("read edit of life %s: %w", c.ObjectID, err)
		}
		f.Changes = append(f.Changes, backtest.Change{AssetID: c.ObjectID, At: c.OccurredAt, Before: asset.Weibull{Beta: before.Beta, Eta: before.EtaDays}})
		if _, none := f.Began[c.ObjectID]; none && !seen[c.ObjectID] {
			f.Began[c.ObjectID] = beganAt(before.AgeAsOf, before.AgeDays)
		}
		seen[c.ObjectID] = true
	}
	return f, nil
}

func beganAt(asOf time.Time, ageDays float64) time.Time {
	return asOf.UTC().Add(-time.Duration(ageDays * 24 * float64(time.Hour)))
}

// origins are the moments of decision: the midnight, UTC, that begins every
// so many days of the period.
func (p *past) origins(row db.Backtest) []time.Time {
	var out []time.Time
	for at := row.FromDay; at.Before(row.ToDay); at = at.AddDate(0, 0, int(row.StepDays)) {
		out = append(out, at)
	}
	return out
}

// decide plans the jobs as of an origin from what was known then, and keeps
// those that begin before the next decision. Jobs that earlier decisions would
// have carried out have renewed their asset. cut says that the clock ended the
// search.
func (p *past) decide(ctx context.Context, at time.Time, made decisions) (plan backtest.Plan, cut bool, err error) {
	plan = backtest.Plan{Made: at}
	then, err := p.asOf(ctx, at, made.Plans)
	if err != nil {
		return plan, false, err
	}
	r := p.request
	r.run.WindowStart, r.now = at, at
	input, err := then.encoded(r)
	if fault.CodeOf(err) == fault.Invalid { // nothing to plan yet
		return plan, false, nil
	}
	if err != nil {
		return plan, false, err
	}
	output, cut, err := p.solve(ctx, input)
	if err != nil {
		return plan, cut, err
	}
	for _, d := range output.Schedule {
		if !d.Deferred && d.StartDay < p.step { // the next decision replaces the others
			plan.Jobs = append(plan.Jobs, then.job(d, at))
		}
	}
	return plan, cut, nil
}

func (p *past) solve(ctx context.Context, input json.RawMessage) (maintenance.Output, bool, error) {
	var output maintenance.Output
	input, err := p.request.problem.Weigh(input, optimize.PresetBalanced)
	if err != nil {
		return output, false, err
	}
	budget := optimize.Options{TimeLimit: backtestLimit, Seed: p.request.run.Seed, Threads: 1, MaxIterations: backtestIterations, Solver: "heuristic"}
	started := time.Now()
	result, err := p.request.problem.Solve(ctx, input, budget, func(optimize.Progress) {})
	if err != nil {
		return output, false, err
	}
	if ctx.Err() != nil {
		return output, false, ctx.Err()
	}
	if err := p.request.problem.Verify(input, result.Output); err != nil {
		return output, false, fault.Wrap(fault.Conflict, KeyNotVerified, err).With("preset", optimize.PresetBalanced)
	}
	return output, time.Since(started) >= backtestLimit, json.Unmarshal(result.Output, &output)
}

// job is a decision to act, with what was known when it was made.
func (p *plant) job(d maintenance.Decision, at time.Time) backtest.Job {
	id := uuid.MustParse(d.AssetID)
	cost, _ := p.priced(id)
	j := backtest.Job{AssetID: d.AssetID, Start: at.AddDate(0, 0, d.StartDay), FailureCost: cost.FailureTotal(), PlannedCost: cost.PlannedTotal()}
	s, ok := p.scores[id]
	j.WithEvidence = ok && usable(s, at)
	for _, a := range p.assets {
		if a.ID == id {
			j.RenewedLife = weibullOf(a)
		}
	}
	return j
}

// asOf is the plant as it was known at a moment: assets with their age and
// planning life of then, the costs that stood, the scores that were there.
// Assets whose life had not begun, as far as is known, are left out, and so
// are those that an earlier plan has renewed in the life that ran then: a life
// is judged by its first job.
func (p *past) asOf(ctx context.Context, at time.Time, made []backtest.Plan) (*plant, error) {
	then := *p.plant
	then.assets = nil
	then.costs, then.scores = map[uuid.UUID][]db.CostModel{}, map[uuid.UUID]db.ListPlanningScoresRow{}
	for _, a := range p.plant.assets {
		id := a.ID.String()
		age, known := p.facts.AgeAt(id, at)
		if !known || renewedSince(made, id, at.Add(-time.Duration(age*24*float64(time.Hour))), at) {
			continue
		}
		life := p.facts.FittedLife(id, a.ClassCode, weibullOf(a), at)
		a.WeibullBeta, a.WeibullEtaDays, a.AgeDays, a.AgeAsOf = life.Beta, life.Eta, age, at
		then.assets = append(then.assets, a)
		then.costs[a.ID] = costsAt(p.costs[a.ID], at)
	}
	scores, err := p.scoresAt(ctx, at)
	if err != nil {
		return nil, err
	}
	for _, s := range scores {
		then.scores[s.AssetID] = db.ListPlanningScoresRow(s)
	}
	return &then, nil
}

// renewedSince reports whether a job on the asset would have been begun since
// its life began: one of a plan that no later plan had replaced by its start.
func renewedSince(made []backtest.Plan, id string, began, at time.Time) bool {
	for i, plan := range made {
		next := at
		if i+1 < len(made) {
			next = made[i+1].Made
		}
		for _, j := range plan.Jobs {
			if j.AssetID == id && !plan.Made.Before(began) && j.Start.Before(next) {
				return true
			}
		}
	}
	return false
}

// costsAt returns the versions that stood at a moment: of every kind the
// newest that was in force and entered by then. The first version stands for
// the time before it.
func costsAt(versions []db.CostModel, at time.Time) []db.CostModel {
	standing := map[string]db.CostModel{}
	for _, m := range versions { // by kind and version
		if _, any := standing[m.Kind]; !any || (!m.EffectiveFrom.After(at) && !m.CreatedAt.After(at)) {
			standing[m.Kind] = m
		}
	}
	var out []db.CostModel
	for _, kind := range slices.Sorted(maps.Keys(standing)) {
		out = append(out, standing[kind])
	}
	return out
}

// judge gives every life its verdict and adds them up.
func (p *past) judge(row db.Backtest, made decisions) backtest.Result {
	var ids []string
	for _, a := range p.plant.assets {
		ids = append(ids, a.ID.String())
	}
	slices.Sort(ids)
	period := backtest.Period{From: row.FromDay, To: row.ToDay, HorizonDays: int(row.HorizonDays)}
	cases := backtest.Judge(period, p.facts.Lives(ids), made.Plans, func(id string, at time.Time) backtest.Costs {
		cost := db.CostOf(costsAt(p.costs[uuid.MustParse(id)], at))
		return backtest.Costs{Failure: cost.FailureTotal(), Planned: cost.PlannedTotal()}
	})
	return backtest.Result{Summary: backtest.Summarize(cases, row.Seed), Cases: cases, Origins: len(made.Plans), Assets: len(ids), Cut: made.Cut}
}
