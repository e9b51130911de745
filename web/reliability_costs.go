package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/web/revision"
)

// costVersion is one version of a cost model. State is planned, current, past
// or superseded: a version that was replaced before it took effect.
type costVersion struct {
	Version         int32
	From, MadeAt    time.Time
	By, State, Tone string
	Amounts         []costAmount
}

// costAmount is one number of a version; Unit is money, hours or share.
type costAmount struct {
	Label, Unit string
	Value       float64
	Changed     bool // against the version before
}

// costField is one input of a form.
type costField struct{ Name, Label, Value, Error, Suffix string }

// costCard is one kind of cost model with its form and history.
type costCard struct {
	Kind, Title, Text, Seen string
	From, FromError         string
	Fields                  []costField
	Stale                   bool
	History                 []costVersion
}

type costPage struct {
	EditHead
	Cards                      []costCard
	FailureTotal, PlannedTotal float64
	Priced                     bool
	Today                      string
	Preview                    *previewView
	Previewed                  string // kind of the form that was previewed
}

func (s *Server) showCosts(w http.ResponseWriter, r *http.Request) error {
	return s.costPage(w, r, http.StatusOK, "", nil, nil)
}

// costPage prints the cost models; f is the posted form of one kind.
func (s *Server) costPage(w http.ResponseWriter, r *http.Request, status int, kind string, f *editForm, preview *previewView) error {
	var all []db.CostVersionsRow
	p, head, err := s.assetPage(r, "costs", func(ctx context.Context, tx pgx.Tx, q *db.Queries, a db.Asset) (err error) {
		all, err = q.CostVersions(ctx, tx, a.TenantID, a.ID)
		return err
	})
	if err != nil {
		return err
	}
	now := time.Now()
	v := costPage{EditHead: head, Today: now.In(riyadhZone).Format(time.DateOnly), Preview: preview, Previewed: kind}
	for _, k := range reliability.CostKinds {
		var form *editForm
		if k == kind {
			form = f
		}
		v.Cards = append(v.Cards, newCostCard(p, k, all, form, now))
	}
	v.FailureTotal, v.PlannedTotal, v.Priced = costTotals(all, now)
	p.Data = v
	s.render.Render(w, r, status, "reliability/costs", p)
	return nil
}

// inForce returns the version of a kind that counts at a moment.
func inForce(all []db.CostVersionsRow, kind string, now time.Time) (db.CostModel, bool) {
	i := slices.IndexFunc(all, func(x db.CostVersionsRow) bool {
		return x.CostModel.Kind == kind && !x.CostModel.EffectiveFrom.After(now)
	})
	if i < 0 {
		return db.CostModel{}, false
	}
	return all[i].CostModel, true
}

// costTotals are the costs of a failure and of a planned job, as engines add
// them up.
func costTotals(all []db.CostVersionsRow, now time.Time) (failure, planned float64, priced bool) {
	f, ok := inForce(all, db.CostFailure, now)
	m, also := inForce(all, db.CostMaintenance, now)
	c := db.CostOf([]db.CostModel{f, m})
	return c.FailureTotal(), c.PlannedTotal(), ok && also
}

func newCostCard(p Page, kind string, all []db.CostVersionsRow, f *editForm, now time.Time) costCard {
	c := costCard{Kind: kind, Title: p.T("reliability.cost." + kind), Text: p.T("reliability.cost." + kind + ".text")}
	var newest db.CostModel
	for i, x := range all {
		if x.CostModel.Kind != kind {
			continue
		}
		if newest.Version == 0 {
			newest = x.CostModel
		}
		var before *db.CostModel
		if i+1 < len(all) && all[i+1].CostModel.Kind == kind {
			before = &all[i+1].CostModel
		}
		c.History = append(c.History, newCostVersion(p, x, before, all, now))
	}
	if f == nil {
		f = filled(costValues(newest, now))
	}
	f.show(p, revision.CostVersion(newest.Version))
	c.Seen, c.Stale, c.From, c.FromError = f.Seen, f.Stale, f.Values["effective_from"], f.Errors["effective_from"]
	for _, name := range reliability.CostFields(kind) {
		c.Fields = append(c.Fields, costField{Name: name, Label: p.T("reliability.cost.field." + name), Value: f.Values[name], Error: f.Errors[name],
			Suffix: p.T("reliability.cost.unit." + costUnit(name))})
	}
	return c
}

func costUnit(field string) string {
	switch field {
	case "outage_hours":
		return "hours"
	case "planned_factor":
		return "share"
	}
	return "money"
}

// costNumber is a number of a cost model by the name of its field.
func costNumber(m db.CostModel, field string) float64 {
	return map[string]float64{"direct_cost": m.DirectCost, "outage_hours": m.OutageHours, "loss_per_hour": m.LossPerHour, "planned_factor": m.PlannedFactor,
		"safety_env_cost": m.SafetyEnvCost, "energy_cost_per_hour": m.EnergyCostPerHour}[field]
}

func costValues(m db.CostModel, now time.Time) map[string]string {
	values := map[string]string{"effective_from": now.In(riyadhZone).Format(time.DateOnly)}
	for _, name := range reliability.CostFields(reliability.CostFailure) {
		values[name] = plain(costNumber(m, name))
	}
	values["planned_factor"], values["energy_cost_per_hour"] = rounded(100*m.PlannedFactor, 4), plain(m.EnergyCostPerHour)
	return values
}

func newCostVersion(p Page, x db.CostVersionsRow, before *db.CostModel, all []db.CostVersionsRow, now time.Time) costVersion {
	m := x.CostModel
	v := costVersion{Version: m.Version, From: m.EffectiveFrom, MadeAt: m.CreatedAt, By: localName(p.Lang, x.ByAr, x.ByEn), State: "past", Tone: "none"}
	current, _ := inForce(all, m.Kind, now)
	overtaken := slices.ContainsFunc(all, func(o db.CostVersionsRow) bool {
		return o.CostModel.Kind == m.Kind && o.CostModel.Version > m.Version && !o.CostModel.EffectiveFrom.After(m.EffectiveFrom)
	})
	switch {
	case m.ID == current.ID:
		v.State, v.Tone = "current", "ok"
	case overtaken:
		v.State = "superseded"
	case m.EffectiveFrom.After(now):
		v.State, v.Tone = "planned", "busy"
	}
	for _, name := range reliability.CostFields(m.Kind) {
		v.Amounts = append(v.Amounts, costAmount{Label: p.T("reliability.cost.field." + name), Unit: costUnit(name), Value: costNumber(m, name),
			Changed: before != nil && costNumber(*before, name) != costNumber(m, name)})
	}
	return v
}

// cost reads a cost model; the share is typed in per cent.
func (f *editForm) cost(kind string) reliability.Cost {
	c := reliability.Cost{Kind: kind, EffectiveFrom: f.day("effective_from"), PlannedFactor: 1}
	for _, name := range reliability.CostFields(kind) {
		key := reliability.KeyMoney
		switch costUnit(name) {
		case "hours":
			key = reliability.KeyHours
		case "share":
			key = reliability.KeyShare
		}
		v := f.number(name, key)
		switch name {
		case "direct_cost":
			c.DirectCost = v
		case "outage_hours":
			c.OutageHours = v
		case "loss_per_hour":
			c.LossPerHour = v
		case "planned_factor":
			c.PlannedFactor = v / 100
		case "safety_env_cost":
			c.SafetyEnvCost = v
		case "energy_cost_per_hour":
			c.EnergyCostPerHour = v
		}
	}
	return c
}

func (s *Server) saveCost(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	f := readEditForm(r)
	kind := strings.TrimSpace(f.Values["kind"])
	c := f.cost(kind)
	return s.submit(w, r, submission{asset: id, form: f, change: reliability.Change{Cost: &c}, check: c.Check(reliability.DayOf(time.Now())),
		save:   func(ctx context.Context, e revision.Edit) error { return revision.AddCost(ctx, e, c) },
		again:  func(status int, f *editForm, v *previewView) error { return s.costPage(w, r, status, kind, f, v) },
		target: "/assets/" + id.String() + "/costs", toast: "reliability.cost.saved"})
}
