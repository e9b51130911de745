package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	_ "github.com/optria-iq/optria/internal/optimize/all" // the engines that can run
	"github.com/optria-iq/optria/internal/optimize/maintenance"
)

// problemCard is one problem of the wizard. Soon says that its engine is not
// part of this release.
type problemCard struct {
	Kind, Icon, Title, Text string
	Checked, Soon, Denied   bool
}

// siteField is one site of the wizard with its limit on downtime.
type siteField struct {
	ID, Name, Code, Cap, Err string
	Checked                  bool
}

type wizard struct {
	Form       scenarioForm
	Problems   []problemCard
	Sites      []siteField
	Objectives []objectiveCard
	Errors     map[string]string
	Error      string
	Limits     []choiceOption
	Budget     optimize.Field
	Weight     optimize.Field
	MinDate    string
	Preflight  preflight
}

// objectiveCard is one preset that every run computes.
type objectiveCard struct{ Icon, Title, Text string }

// problemTitle names a problem: by its own words when its engine is there.
func problemTitle(p Page, kind string) string {
	if problem, ok := optimize.Lookup(kind); ok {
		return p.T(problem.Spec().TitleKey)
	}
	return p.T("scenarios.problem." + kind)
}

func (s *Server) newScenario(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "scenarios.new")
	if err != nil {
		return err
	}
	return s.wizardPage(w, r, http.StatusOK, p, newScenarioForm(p, time.Now()), nil)
}

// wizardPage prints the wizard; errs maps fields to translated messages.
func (s *Server) wizardPage(w http.ResponseWriter, r *http.Request, status int, p Page, f scenarioForm, errs map[string]string) error {
	problem, ok := optimize.Lookup(maintenance.Kind)
	if !ok {
		return fault.New(fault.Unavailable, "error.503.text")
	}
	spec := problem.Spec()
	v := wizard{Form: f, Errors: errs, Problems: problemCards(p, access.From(r.Context()), f.Problem), Limits: limitOptions(p),
		Budget: specField(spec, "budget_sar"), Weight: specField(spec, "weight_risk"), MinDate: dateIn(riyadhZone, time.Now()).Format(time.DateOnly)}
	if len(errs) > 0 {
		v.Error = p.T("scenarios.errors")
	}
	for _, o := range spec.Objectives {
		if o.Kind != maintenance.PresetCustom {
			v.Objectives = append(v.Objectives, objectiveCard{presetIcons[o.Kind], p.T(o.TextKey), p.T("scenarios.objective." + o.Kind)})
		}
	}
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		sites, err := q.ListSites(ctx, tx, tenant)
		if err != nil {
			return err
		}
		for _, x := range sites {
			id := x.ID.String()
			v.Sites = append(v.Sites, siteField{id, localName(p.Lang, x.NameAr, x.NameEn), x.Code, f.Caps[id], errs["cap_"+id], f.Sites[id]})
		}
		v.Preflight, err = loadPreflight(ctx, tx, q, tenant, p)
		return err
	})
	if err != nil {
		return err
	}
	p.Crumbs = []Crumb{{Href: "/scenarios", Label: p.T("scenarios.title")}, {Label: p.Title}}
	p.Data = v
	s.render.Render(w, r, status, "scenarios/new", p)
	return nil
}

func problemCards(p Page, who access.Principal, chosen string) []problemCard {
	var out []problemCard
	for _, x := range problemKinds {
		card := problemCard{Kind: x.kind, Icon: x.icon, Title: problemTitle(p, x.kind), Checked: x.kind == chosen, Denied: !who.Can(x.capability)}
		if problem, ok := optimize.Lookup(x.kind); ok && x.kind == maintenance.Kind {
			card.Text = p.T(problem.Spec().SummaryKey)
		} else {
			card.Text, card.Soon = p.T("scenarios.problem."+x.kind+".text"), true
		}
		out = append(out, card)
	}
	return out
}

// requestScenario records the request and starts its workflow. The key that
// the form carries makes a second sending lead to the first run.
func (s *Server) requestScenario(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "scenarios.new")
	if err != nil {
		return err
	}
	form := readScenarioForm(r)
	var sites []db.Site
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		sites, err = q.ListSites(ctx, tx, tenant)
		return err
	})
	if err != nil {
		return err
	}
	request, errs := form.request(p, sites, time.Now())
	if len(errs) > 0 {
		return s.wizardPage(w, r, http.StatusUnprocessableEntity, p, form, errs)
	}
	id, err := s.recordRun(r, request)
	if err != nil {
		return err
	}
	toast := "scenarios.started"
	switch err := s.Workflows.StartOptimization(r.Context(), access.From(r.Context()).TenantID, id); {
	case fault.CodeOf(err) == fault.Unavailable && err != nil:
		toast = "scenarios.queued"
	case err != nil:
		return err
	}
	return s.redirect(w, r, "/runs/"+id.String(), toast)
}

// recordRun writes the request with its audit entry, or finds the run that the
// same form already made.
func (s *Server) recordRun(r *http.Request, x scenarioRequest) (uuid.UUID, error) {
	objective, err := json.Marshal(x.Objective)
	if err != nil {
		return uuid.Nil, err
	}
	constraints, err := json.Marshal(x.Constraints)
	if err != nil {
		return uuid.Nil, err
	}
	var id uuid.UUID
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		who := access.From(ctx)
		id, err = q.RequestRun(ctx, tx, db.RequestRunParams{TenantID: tenant, Problem: x.Problem, Title: x.Title, RequestedBy: who.UserID,
			IdempotencyKey: x.Key, Objective: objective, Constraints: constraints, WindowStart: x.Start, WindowDays: int32(x.Days), //nolint:gosec // bounded by the form
			TimeLimitSeconds: int32(x.Limit)}) //nolint:gosec // bounded by the form
		if errors.Is(err, pgx.ErrNoRows) {
			id, err = q.RunOfKey(ctx, tx, tenant, x.Key, who.UserID)
			return err
		}
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "run.requested", ObjectType: "run", ObjectID: id.String(),
			After: map[string]any{"title": x.Title, "problem": x.Problem, "window_start": x.Start.Format(time.DateOnly), "window_days": x.Days,
				"objective": x.Objective, "constraints": x.Constraints}})
	})
	return id, err
}
