package activities

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/internal/runs"
)

func previewProblem() (optimize.Problem, error) {
	problem, ok := optimize.Lookup(maintenance.Kind)
	if !ok {
		return nil, fault.New(fault.Invalid, KeyProblem).With("problem", maintenance.Kind)
	}
	return problem, nil
}

// previewRequest is the run that the form of the problem offers unchanged:
// from tomorrow, every asset, the defaults of all fields.
func previewRequest(tenant db.Tenant, at time.Time) (request, error) {
	problem, err := previewProblem()
	if err != nil {
		return request{}, err
	}
	zone, err := time.LoadLocation(tenant.TimeZone)
	if err != nil {
		return request{}, fmt.Errorf("load time zone %s: %w", tenant.TimeZone, err)
	}
	y, m, d := at.In(zone).Date()
	r := request{
		run:     db.OptimizationRun{TenantID: tenant.ID, Problem: maintenance.Kind, WindowStart: time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC), WindowDays: previewDays},
		problem: problem, spec: problem.Spec(), objective: runs.Objective{Presets: []string{optimize.PresetBalanced}}, now: at,
	}
	for _, f := range r.spec.Constraints {
		if !f.Optional && !f.Weight {
			r.constraints.Set(f.Name, f.Default)
		}
	}
	return r, nil
}

// encoded builds the maintenance problem of the plant.
func (p *plant) encoded(r request) (json.RawMessage, error) {
	in, err := p.maintenance(r)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode input: %w", err)
	}
	return raw, nil
}

// score replaces the newest score of an asset.
func (p *plant) score(id uuid.UUID, f reliability.Figures) {
	p.scores[id] = db.ListPlanningScoresRow{AssetID: id, AsOf: f.AsOf, EvidenceFactor: f.EvidenceFactor, Trusted: f.Trusted, FailureProbability30: f.P30}
}

// revise has the plant as an edit would leave it.
func (p *plant) revise(in EditInput) {
	if l := in.Change.Life; l != nil {
		for i := range p.assets {
			if p.assets[i].ID == in.AssetID {
				p.assets[i] = withLife(p.assets[i], *l, in.At)
			}
		}
	}
	if c := in.Change.Cost; c != nil {
		p.costs[in.AssetID] = withCost(p.costs[in.AssetID], in.AssetID, *c)
	}
}

// revise has the input of a score as an edit would leave it. costs are the
// models in force.
func (s *scoredAsset) revise(in EditInput, costs []db.CostModel) {
	if l := in.Change.Life; l != nil {
		s.row = withLife(s.row, *l, in.At)
		s.input.Life, s.input.AgeDays = weibullOf(s.row), ageAt(s.row, s.input.AsOf)
	}
	if c := in.Change.Cost; c != nil {
		s.input.Cost = db.CostOf(withCost(costs, in.AssetID, *c))
	}
	if m := in.Change.Mode; m != nil {
		s.input.Modes = withMode(s.input.Modes, *m)
	}
	if x := in.Change.Inspection; x != nil {
		s.input.Inspection = &x.Grade
	}
	if e := in.Change.Equipment; e != nil {
		s.input.Electrical = e
	}
}

// withLife is an asset whose life is edited. An age that is given counts from
// the beginning of the day, as it is stored.
func withLife(a db.Asset, l reliability.Life, at time.Time) db.Asset {
	a.WeibullBeta, a.WeibullEtaDays = l.Beta, l.EtaDays
	if l.AgeDays != nil {
		a.AgeDays, a.AgeAsOf = *l.AgeDays, reliability.DayOf(at)
	}
	return a
}

// withCost are the cost models of an asset with one kind replaced. A version
// that takes effect later is shown as if it were in force.
func withCost(models []db.CostModel, id uuid.UUID, c reliability.Cost) []db.CostModel {
	kept := slices.DeleteFunc(slices.Clone(models), func(m db.CostModel) bool { return m.Kind == c.Kind })
	return append(kept, db.CostModel{
		AssetID: id, Kind: c.Kind, EffectiveFrom: c.EffectiveFrom, DirectCost: c.DirectCost, OutageHours: c.OutageHours, LossPerHour: c.LossPerHour,
		PlannedFactor: c.PlannedFactor, SafetyEnvCost: c.SafetyEnvCost, EnergyCostPerHour: c.EnergyCostPerHour,
	})
}

// withMode are failure modes with one replaced or added.
func withMode(modes []asset.FailureMode, m reliability.Mode) []asset.FailureMode {
	out := slices.Clone(modes)
	fresh := asset.FailureMode{ID: m.ID.String(), Code: m.Code, Metric: m.Metric, Severity: m.Severity, Occurrence: m.Occurrence, Detectability: m.Detectability}
	if i := slices.IndexFunc(out, func(x asset.FailureMode) bool { return x.ID == fresh.ID }); i >= 0 {
		out[i] = fresh
		return out
	}
	return append(out, fresh)
}
