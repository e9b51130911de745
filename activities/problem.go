package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/fault"
	_ "github.com/optria-iq/optria/internal/optimize/all" // registers the engines that runs call
	"github.com/optria-iq/optria/internal/optimize/deferral"
	"github.com/optria-iq/optria/internal/optimize/dispatch"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/optimize/production"
	"github.com/optria-iq/optria/internal/runs"
)

// scoresUsable is how old a score may be and still count as evidence; older
// ones leave the asset to its age, as an untrusted score does.
const scoresUsable = 24 * time.Hour

// LoadedProblem is what the workflow needs to know of a built problem.
type LoadedProblem struct {
	Presets []string
	Limit   time.Duration // of the search for one preset
}

// plant is everything in the database that shapes a maintenance problem.
type plant struct {
	tenant    db.Tenant
	calendar  *calendar.Calendar
	sites     []db.Site
	assets    []db.Asset
	costs     map[uuid.UUID][]db.CostModel
	scores    map[uuid.UUID]db.ListPlanningScoresRow
	skills    []db.Skill
	crews     []db.ListCrewsRow
	staff     []db.ListTechniciansRow
	resources []db.SharedResource
	needs     []db.ListAssetResourceNeedsRow
	groups    []db.RedundancyGroup
	members   []db.ListRedundancyMembersRow
	embargoes []db.Embargo
	planned   []db.ListPlannedStartsRow
}

// builder turns the plant into the input of one problem, as a value of the
// engine's input type. A plant that lacks what the problem plans with is an
// invalid request that says what to add.
type builder func(ctx context.Context, tx pgx.Tx, q *db.Queries, p *plant, r request) (any, error)

// builders are the ways from the database to an input, by problem.
var builders = map[string]builder{
	maintenance.Kind: fromPlant((*plant).maintenance),
	deferral.Kind:    fromPlant((*plant).deferral),
	production.Kind:  buildProduction,
	dispatch.Kind:    buildDispatch,
}

// fromPlant is a builder that needs the plant alone.
func fromPlant[In any](build func(p *plant, r request) (In, error)) builder {
	return func(_ context.Context, _ pgx.Tx, _ *db.Queries, p *plant, r request) (any, error) { return build(p, r) }
}

// LoadProblem builds the problem of a run from the database as it is now, or
// from the scenario that a what-if is based on, stores it with its digest in
// the row, and moves the run to solving. The stored input is the evidence
// behind the plan and what verification starts from.
func (a *Optimization) LoadProblem(ctx context.Context, ref RunRef) (LoadedProblem, error) {
	var loaded LoadedProblem
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if err := enterStage(ctx, tx, q, ref, stageScores); err != nil {
			return err
		}
		run, err := q.LoadRun(ctx, tx, ref.TenantID, ref.RunID)
		if err != nil {
			return err
		}
		r, err := readRequest(run)
		if err != nil {
			return err
		}
		loaded = LoadedProblem{Presets: r.objective.Presets, Limit: time.Duration(run.TimeLimitSeconds) * time.Second}
		p, err := loadPlant(ctx, tx, q, r.run.TenantID)
		if err != nil {
			return err
		}
		input, err := buildInput(ctx, tx, q, p, r)
		if err != nil {
			return err
		}
		return storeInput(ctx, tx, q, p, r, input)
	})
	if err != nil {
		return loaded, fmt.Errorf("load problem: %w", err)
	}
	return loaded, nil
}

func buildInput(ctx context.Context, tx pgx.Tx, q *db.Queries, p *plant, r request) (json.RawMessage, error) {
	if r.run.BasedOn != nil {
		return whatIfInput(ctx, tx, q, r)
	}
	build, ok := builders[r.run.Problem]
	if !ok {
		return nil, fault.New(fault.Invalid, KeyProblem).With("problem", r.run.Problem)
	}
	in, err := build(ctx, tx, q, p, r)
	if err != nil {
		return nil, err
	}
	input, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode input: %w", err)
	}
	return runs.Force(r.run.Problem, input, r.constraints.Pins)
}

func loadPlant(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (*plant, error) {
	p := &plant{costs: map[uuid.UUID][]db.CostModel{}, scores: map[uuid.UUID]db.ListPlanningScoresRow{}}
	steps := []struct {
		what string
		load func() error
	}{
		{"tenant", func() (err error) { p.tenant, err = q.GetTenant(ctx, tx, tenant); return }},
		{"calendar", func() (err error) { p.calendar, err = db.TenantCalendar(ctx, tx, p.tenant.ID); return }},
		{"sites", func() (err error) { p.sites, err = q.ListSites(ctx, tx, tenant); return }},
		{"assets", func() (err error) { p.assets, err = q.ListAssetsPlain(ctx, tx, tenant); return }},
		{"skills", func() (err error) { p.skills, err = q.ListSkills(ctx, tx, tenant); return }},
		{"crews", func() (err error) { p.crews, err = q.ListCrews(ctx, tx, tenant); return }},
		{"technicians", func() (err error) { p.staff, err = q.ListTechnicians(ctx, tx, tenant); return }},
		{"resources", func() (err error) { p.resources, err = q.ListSharedResources(ctx, tx, tenant); return }},
		{"needs", func() (err error) { p.needs, err = q.ListAssetResourceNeeds(ctx, tx, tenant); return }},
		{"groups", func() (err error) { p.groups, err = q.ListRedundancyGroups(ctx, tx, tenant); return }},
		{"members", func() (err error) { p.members, err = q.ListRedundancyMembers(ctx, tx, tenant); return }},
		{"embargoes", func() (err error) { p.embargoes, err = q.ListEmbargoes(ctx, tx, tenant); return }},
		{"current plan", func() (err error) { p.planned, err = q.ListPlannedStarts(ctx, tx, tenant); return }},
		{"cost models", func() error {
			models, err := q.ListCostModels(ctx, tx, tenant, []uuid.UUID{})
			p.costs = groupBy(models, func(m db.CostModel) uuid.UUID { return m.AssetID })
			return err
		}},
		{"scores", func() error {
			scores, err := q.ListPlanningScores(ctx, tx, tenant)
			for _, s := range scores {
				p.scores[s.AssetID] = s
			}
			return err
		}},
	}
	for _, s := range steps {
		if err := s.load(); err != nil {
			return nil, fmt.Errorf("load %s: %w", s.what, err)
		}
	}
	return p, nil
}
