package activities

import (
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/deferral"
)

// How well the numbers of a planning life are known, relative to each: its
// scale is believed to ±20 % with a confidence of 90 %, the others are the
// usual spread of a fit to few failures.
const (
	spreadScale    = deferral.PlanningSpread
	spreadShape    = 0.1
	spreadEvidence = 0.25
)

// deferral turns the plant into the question what waiting with each planned
// job costs. Assets without a price and jobs that have begun are left out.
func (p *plant) deferral(r request) (deferral.Input, error) {
	h := newHorizon(p.calendar, r.run.WindowStart, int(r.run.WindowDays))
	in := deferral.Input{
		StartDate: h.start.Format(time.DateOnly), Days: h.days, WorkingDay: h.working,
		Weights: optimize.Weights{Cost: r.weight("weight_cost"), Risk: r.weight("weight_risk")},
	}
	if percent, ok := r.constraints.Value(r.spec, "confidence"); ok {
		in.Band.Confidence = percent / 100
	}
	in.Band.Materiality, _ = r.constraints.Value(r.spec, "materiality_sar") // left empty: nothing counts as no difference
	baseline := p.baseline(h)
	for _, a := range p.assets {
		if !r.constraints.Covers(a.SiteID, a.ID) || p.begun(a.ID) {
			continue
		}
		action, ok := p.deferralAction(a, h, r.now)
		if !ok {
			continue
		}
		if day, planned := baseline[a.ID]; planned {
			action.BaselineDay = &day
		}
		in.Actions = append(in.Actions, action)
	}
	if len(in.Actions) == 0 {
		return in, fault.New(fault.Invalid, KeyNoAssets)
	}
	for _, e := range p.embargoes {
		site := ""
		if e.SiteID != nil {
			site = e.SiteID.String()
		}
		for _, w := range h.embargoWindows(e) {
			in.Embargoes = append(in.Embargoes, deferral.Embargo{ID: e.ID.String(), SiteID: site, Window: deferral.Window(w)})
		}
	}
	return in, nil
}

// deferralAction is the planned job of one asset. Its failure modes share the
// life of the asset, which is what the plant knows.
func (p *plant) deferralAction(a db.Asset, h horizon, now time.Time) (deferral.Action, bool) {
	cost, ok := p.priced(a.ID)
	if !ok || cost.PlannedTotal() <= 0 {
		return deferral.Action{}, false
	}
	life := deferral.Mode{Weibull: weibullOf(a), FailureCost: cost.FailureTotal(), Evidence: p.evidence(a.ID, now)}
	life.EtaSE, life.BetaSE = spreadScale*life.Weibull.Eta, spreadShape*life.Weibull.Beta
	if life.Evidence != 1 {
		life.EvidenceSE = spreadEvidence * life.Evidence
	}
	action := deferral.Action{
		ID: a.ID.String(), AssetID: a.ID.String(), Tag: a.Tag, SiteID: a.SiteID.String(), Title: a.NameEn,
		Modes: []deferral.Mode{life}, AgeDays: ageAt(a, h.start), PlannedCost: cost.PlannedTotal(),
		WorkHours: a.CrewHours, OutageHours: cost.PlannedHours,
	}
	if a.Restoration < 1 && action.Wears() {
		action.Restoration = &a.Restoration
	}
	return action, true
}
