package activities

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
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

// LoadProblem builds the problem of a run from the database as it is now,
// stores it with its digest in the row, and moves the run to solving. The
// stored input is the evidence behind the plan and what verification starts
// from.
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
		if run.Problem != maintenance.Kind {
			return fault.New(fault.Invalid, KeyProblem).With("problem", run.Problem)
		}
		objective, constraints, err := parseRequest(run.Objective, run.Constraints)
		if err != nil {
			return err
		}
		loaded = LoadedProblem{Presets: objective.Presets, Limit: time.Duration(run.TimeLimitSeconds) * time.Second}
		p, err := loadPlant(ctx, tx, q, ref.TenantID)
		if err != nil {
			return err
		}
		in, err := p.problem(run, objective, constraints, time.Now())
		if err != nil {
			return err
		}
		return storeInput(ctx, tx, q, ref, in)
	})
	if err != nil {
		return loaded, fmt.Errorf("load problem: %w", err)
	}
	return loaded, nil
}

func storeInput(ctx context.Context, tx pgx.Tx, q *db.Queries, ref RunRef, in maintenance.Input) error {
	encoded, digest, err := encodeInput(in)
	if err != nil {
		return err
	}
	stored, err := q.StoreRunInput(ctx, tx, db.StoreRunInputParams{TenantID: ref.TenantID, ID: ref.RunID, Input: encoded, InputSha256: digest})
	if err != nil {
		return fmt.Errorf("store input: %w", err)
	}
	if stored == 0 {
		return fault.New(fault.Conflict, KeyRunEnded)
	}
	return addEvent(ctx, tx, q, ref, db.AddRunEventParams{Stage: stageSolve, Kind: eventStage})
}

// encodeInput returns the input as JSON with its SHA-256. PostgreSQL reorders
// the keys of jsonb, so the digest is always taken of this encoding.
func encodeInput(in maintenance.Input) (json.RawMessage, []byte, error) {
	encoded, err := json.Marshal(in)
	if err != nil {
		return nil, nil, fmt.Errorf("encode input: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return encoded, sum[:], nil
}

func loadPlant(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (*plant, error) {
	p := &plant{costs: map[uuid.UUID][]db.CostModel{}, scores: map[uuid.UUID]db.ListPlanningScoresRow{}}
	steps := []struct {
		what string
		load func() error
	}{
		{"tenant", func() (err error) { p.tenant, err = q.GetTenant(ctx, tx, tenant); return }},
		{"calendar", func() (err error) { p.calendar, err = loadCalendar(ctx, tx, q, p.tenant); return }},
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
