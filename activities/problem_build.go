package activities

import (
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/runs"
)

// skillID and resourceID are the ids of resources in a problem. The prefix
// keeps a skill and a skid of the same code apart.
func skillID(code string) string    { return "skill:" + code }
func resourceID(code string) string { return "resource:" + code }

// maintenance turns the plant into the input of a run. Assets without a priced
// failure or a priced job are left out: nothing can be said about them.
func (p *plant) maintenance(r request) (maintenance.Input, error) {
	c := r.constraints
	h := newHorizon(p.calendar, r.run.WindowStart, int(r.run.WindowDays))
	in := maintenance.Input{
		StartDate: h.start.Format(time.DateOnly), Days: h.days, WorkingDay: h.working, BudgetSAR: c.BudgetSAR,
		Weights: optimize.Weights{Cost: r.weight("weight_cost"), Risk: r.weight("weight_risk")},
	}
	skills, baseline := p.skillHours(h), p.baseline(h)
	in.Resources = p.problemResources(h, skills)
	for _, a := range p.assets {
		if !c.Covers(a.SiteID, a.ID) || p.begun(a.ID) {
			continue
		}
		if action, ok := p.action(a, h, skills, r.now); ok {
			if day, planned := baseline[a.ID]; planned {
				action.BaselineDay = &day
			}
			in.Actions = append(in.Actions, action)
		}
	}
	if len(in.Actions) == 0 {
		return in, fault.New(fault.Invalid, KeyNoAssets)
	}
	p.addNeeds(in.Actions)
	in.Groups = p.problemGroups(in.Actions, c.OneTrainOut)
	in.Embargoes = p.problemEmbargoes(h, in.Actions)
	in.DowntimeCaps = downtimeCaps(c, in.Actions)
	return in, nil
}

// orderInProgress is the status of a work order that people work on.
const orderInProgress = "in_progress"

// begun reports whether work on the asset is in progress: what has begun is
// not planned again.
func (p *plant) begun(id uuid.UUID) bool {
	return slices.ContainsFunc(p.planned, func(w db.ListPlannedStartsRow) bool { return w.AssetID == id && w.Status == orderInProgress })
}

// skillHours returns the productive hours per skill and day: technicians ×
// hours of their crew × productive share × share of a full day.
func (p *plant) skillHours(h horizon) map[string][]float64 {
	heads := map[uuid.UUID]float64{}
	for _, t := range p.staff {
		heads[t.CrewID]++
	}
	hours := map[string][]float64{}
	for _, s := range p.skills {
		hours[s.Code] = make([]float64, h.days)
	}
	for _, c := range p.crews {
		for d := range h.days {
			hours[c.SkillCode][d] += heads[c.ID] * c.HoursPerDay * c.ProductiveShare * h.share[d]
		}
	}
	return hours
}

func (p *plant) problemResources(h horizon, skills map[string][]float64) []maintenance.Resource {
	var out []maintenance.Resource
	for _, s := range p.skills {
		r := maintenance.Resource{ID: skillID(s.Code), Name: s.NameEn, Unit: "h", Available: skills[s.Code]}
		// One more technician is what a planner can ask for.
		if i := slices.IndexFunc(p.crews, func(c db.ListCrewsRow) bool { return c.SkillID == s.ID }); i >= 0 {
			r.PriceStep = p.crews[i].HoursPerDay * p.crews[i].ProductiveShare
		}
		out = append(out, r)
	}
	for _, s := range p.resources {
		r := maintenance.Resource{ID: resourceID(s.Code), Name: s.NameEn, Unit: "pcs", Available: make([]float64, h.days), PriceStep: 1}
		for d := range r.Available {
			r.Available[d] = s.UnitsAvailable
		}
		out = append(out, r)
	}
	return out
}

// action is the renewal of one asset. Its evidence is that of a trusted, fresh
// score; otherwise the asset is planned by age alone.
func (p *plant) action(a db.Asset, h horizon, skills map[string][]float64, now time.Time) (maintenance.Action, bool) {
	cost, ok := p.priced(a.ID)
	if !ok {
		return maintenance.Action{}, false
	}
	action := maintenance.Action{
		ID: a.ID.String(), AssetID: a.ID.String(), Tag: a.Tag, SiteID: a.SiteID.String(), UnitID: a.UnitID.String(), Title: a.NameEn,
		PlannedCost: cost.PlannedCost, OutageHours: cost.PlannedHours, LossPerHour: cost.LossPerHour, PlannedFactor: cost.PlannedFactor,
		FailureTotal: cost.FailureTotal(),
		Weibull:      weibullOf(a), AgeDays: ageAt(a, h.start), Evidence: p.evidence(a.ID, now),
		DurationDays: max(1, int(math.Ceil(cost.PlannedHours/24))),
	}
	if code := p.skillOf(a); code != "" && a.CrewHours > 0 {
		action.Skill, action.SkillHours = skillID(code), a.CrewHours
		// A crew can only do so much a day: a long job takes more days.
		if most := slices.Max(skills[code]); most > 0 {
			action.DurationDays = max(action.DurationDays, int(math.Ceil(a.CrewHours/most)))
		}
	}
	return action, true
}

// priced returns the costs of an asset; ok is false when its failure or its
// planned job has no price.
func (p *plant) priced(id uuid.UUID) (cost asset.CostModel, ok bool) {
	models := p.costs[id]
	known := func(kind string) bool {
		return slices.ContainsFunc(models, func(m db.CostModel) bool { return m.Kind == kind })
	}
	return db.CostOf(models), known(db.CostFailure) && known(db.CostMaintenance)
}

func weibullOf(a db.Asset) asset.Weibull {
	return asset.Weibull{Beta: a.WeibullBeta, Eta: a.WeibullEtaDays}
}

// evidence is what the newest score multiplies the hazard of an asset by, 1
// when there is none that is trusted and fresh.
func (p *plant) evidence(id uuid.UUID, now time.Time) float64 {
	if s, ok := p.scores[id]; ok && usable(s, now) {
		return s.EvidenceFactor
	}
	return 1
}

func usable(s db.ListPlanningScoresRow, now time.Time) bool {
	return s.Trusted && now.Sub(s.AsOf) <= scoresUsable
}

func (p *plant) skillOf(a db.Asset) string {
	if a.SkillID == nil {
		return ""
	}
	for _, s := range p.skills {
		if s.ID == *a.SkillID {
			return s.Code
		}
	}
	return ""
}

func (p *plant) addNeeds(actions []maintenance.Action) {
	at := indexByAsset(actions)
	for _, n := range p.needs {
		if i, ok := at[n.AssetID.String()]; ok {
			actions[i].Uses = append(actions[i].Uses, maintenance.Use{Resource: resourceID(n.Code), Units: n.Units})
		}
	}
}

// baseline maps assets to the day on which the current plan, the open work
// orders, has their job; an overdue order is due at once.
func (p *plant) baseline(h horizon) map[uuid.UUID]int {
	days := map[uuid.UUID]int{}
	for _, w := range p.planned {
		if day := max(0, dayOf(h.start, w.StartOn)); day < h.days {
			days[w.AssetID] = day
		}
	}
	return days
}

// problemGroups returns the redundancy groups and the site limits that can
// bind: those with more members among the actions than may be out.
func (p *plant) problemGroups(actions []maintenance.Action, oneOut bool) []maintenance.Group {
	at := indexByAsset(actions)
	members := map[uuid.UUID][]string{}
	for _, m := range p.members {
		if _, ok := at[m.AssetID.String()]; ok {
			members[m.GroupID] = append(members[m.GroupID], m.AssetID.String())
		}
	}
	var out []maintenance.Group
	add := func(id uuid.UUID, assets []string, most int) {
		if len(assets) > most {
			out = append(out, maintenance.Group{ID: id.String(), Members: assets, MaxOut: most})
		}
	}
	for _, g := range p.groups {
		most := int(g.MaxOut)
		if oneOut {
			most = 1
		}
		add(g.ID, members[g.ID], most)
	}
	for _, s := range p.sites {
		if s.MaxOut == nil {
			continue
		}
		var assets []string
		for _, a := range actions {
			if a.SiteID == s.ID.String() {
				assets = append(assets, a.AssetID)
			}
		}
		add(s.ID, assets, int(*s.MaxOut))
	}
	return out
}

// problemEmbargoes spreads embargoes over their sites; one without a site
// holds for every site of the problem.
func (p *plant) problemEmbargoes(h horizon, actions []maintenance.Action) []maintenance.Embargo {
	var out []maintenance.Embargo
	for _, e := range p.embargoes {
		sites := sitesOf(actions)
		if e.SiteID != nil {
			sites = []string{e.SiteID.String()}
		}
		for _, w := range h.embargoWindows(e) {
			for _, site := range sites {
				out = append(out, maintenance.Embargo{ID: e.ID.String(), SiteID: site, Window: w})
			}
		}
	}
	return out
}

func downtimeCaps(c runs.Constraints, actions []maintenance.Action) []maintenance.DowntimeCap {
	var out []maintenance.DowntimeCap
	for _, site := range sitesOf(actions) {
		if hours, ok := c.DowntimeCaps[uuid.MustParse(site)]; ok {
			out = append(out, maintenance.DowntimeCap{SiteID: site, Hours: hours})
		}
	}
	return out
}

func indexByAsset(actions []maintenance.Action) map[string]int {
	at := make(map[string]int, len(actions))
	for i, a := range actions {
		at[a.AssetID] = i
	}
	return at
}

// sitesOf lists the sites of the actions, each once, in a stable order.
func sitesOf(actions []maintenance.Action) []string {
	var sites []string
	for _, a := range actions {
		sites = append(sites, a.SiteID)
	}
	slices.Sort(sites)
	return slices.Compact(sites)
}
