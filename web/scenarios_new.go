package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	_ "github.com/optria-iq/optria/internal/optimize/all" // the engines that can run
	"github.com/optria-iq/optria/internal/runs"
)

// problemCard is one problem of the wizard with everything it asks for.
type problemCard struct {
	Kind, Icon, Title, Text string
	Checked, Denied         bool
	MaxDays                 int
	Presets                 []presetView
	Weights, Fields         []fieldView
	PerSite                 []siteFields
	Custom                  string // input that asks for the user's own weights; empty when the problem has none
}

// presetView is one objective that a run can compute.
type presetView struct {
	Input, Icon, Title, Text string
	Checked, Custom          bool
}

// fieldView is one field of a problem's form.
type fieldView struct {
	Input, Label, Type, Unit, Value, Err string
	Min, Max, Step                       string
	Checked                              bool
}

// siteFields is one field that is asked for every site.
type siteFields struct {
	Label string
	Sites []fieldView
}

// pickView is a site or an asset that can be chosen.
type pickView struct {
	ID, Name, Tag string
	Checked       bool
}

type wizard struct {
	Form      scenarioForm
	Problems  []problemCard
	Sites     []pickView
	Assets    []assetGroup
	AnyAsset  bool
	Errors    map[string]string
	Error     string
	Limits    []choiceOption
	MinDate   string
	Preflight preflight
	Pins      []pickView // decisions of an earlier run that are held fixed again
}

// assetGroup is the assets of one site.
type assetGroup struct {
	Site   string
	Assets []pickView
}

// problemTitle names a problem; one that this build does not have keeps its
// identifier.
func problemTitle(p Page, kind string) string {
	if problem, ok := optimize.Lookup(kind); ok {
		return p.T(problem.Spec().TitleKey)
	}
	return kind
}

// newScenario opens the wizard on the problem that the address names, or on
// the first that the person may run.
func (s *Server) newScenario(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "scenarios.new")
	if err != nil {
		return err
	}
	if again := r.URL.Query().Get("again"); again != "" {
		form, err := s.formAgain(r, again)
		if err != nil {
			return err
		}
		if slices.Contains(runnable(access.From(r.Context())), form.Problem) {
			return s.wizardPage(w, r, http.StatusOK, p, form, nil)
		}
	}
	kind := r.URL.Query().Get("problem")
	if !slices.Contains(runnable(access.From(r.Context())), kind) {
		kind = ""
	}
	for _, k := range runnable(access.From(r.Context())) {
		if kind == "" {
			kind = k
		}
	}
	return s.wizardPage(w, r, http.StatusOK, p, newScenarioForm(time.Now(), kind), nil)
}

// runnable lists the problems that somebody may run, in the order of the
// wizard.
func runnable(who access.Principal) []string {
	var out []string
	for _, x := range problemKinds {
		if _, ok := optimize.Lookup(x.kind); ok && mayRun(who, x.kind) {
			out = append(out, x.kind)
		}
	}
	return out
}

// wizardPage prints the wizard; errs maps inputs to translated messages.
func (s *Server) wizardPage(w http.ResponseWriter, r *http.Request, status int, p Page, f scenarioForm, errs map[string]string) error {
	v := wizard{Form: f, Errors: errs, Limits: limitOptions(p), MinDate: dateIn(riyadhZone, time.Now()).Format(time.DateOnly), AnyAsset: len(f.Assets) > 0}
	if len(errs) > 0 {
		v.Error = p.T("scenarios.errors")
	}
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		sites, err := q.ListSites(ctx, tx, tenant)
		if err != nil {
			return err
		}
		assets, err := q.PlanAssets(ctx, tx, tenant)
		if err != nil {
			return err
		}
		for _, x := range sites {
			v.Sites = append(v.Sites, pickView{ID: x.ID.String(), Name: localName(p.Lang, x.NameAr, x.NameEn), Checked: f.Sites[x.ID.String()]})
			v.Assets = append(v.Assets, assetsOf(p, x, assets, f))
		}
		v.Pins = f.pinChoices(p, assets)
		v.Problems = problemCards(p, access.From(r.Context()), f, v.Sites, errs)
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

func assetsOf(p Page, site db.Site, assets []db.PlanAssetsRow, f scenarioForm) assetGroup {
	g := assetGroup{Site: localName(p.Lang, site.NameAr, site.NameEn)}
	for _, a := range assets {
		if a.SiteID == site.ID && a.ArchivedAt == nil {
			g.Assets = append(g.Assets, pickView{a.ID.String(), localName(p.Lang, a.NameAr, a.NameEn), a.Tag, f.Assets[a.ID.String()]})
		}
	}
	return g
}

// problemCards lists the problems with their fields as the form was filled in.
func problemCards(p Page, who access.Principal, f scenarioForm, sites []pickView, errs map[string]string) []problemCard {
	allowed := runnable(who)
	var out []problemCard
	for _, x := range problemKinds {
		problem, ok := optimize.Lookup(x.kind)
		if !ok {
			continue
		}
		spec := problem.Spec()
		card := problemCard{Kind: x.kind, Icon: x.icon, Title: p.T(spec.TitleKey), Text: p.T(spec.SummaryKey), Checked: x.kind == f.Problem,
			Denied: !slices.Contains(allowed, x.kind), MaxDays: min(spec.MaxDays, runs.MaxAhead)}
		for _, o := range spec.Objectives {
			input := inputName(x.kind, "preset", o.Kind)
			preset := presetView{Input: input, Icon: presetIcon(o.Kind), Title: p.T(o.TextKey), Checked: f.Flags[input], Custom: o.Kind == runs.PresetCustom}
			if key := "scenarios.objective." + o.Kind; p.Loc().Has(key) {
				preset.Text = wordFor(p, key, x.kind)
			}
			card.Presets = append(card.Presets, preset)
		}
		for _, field := range spec.Constraints {
			card.add(p, f, field, sites, errs)
		}
		out = append(out, card)
	}
	return out
}

// add puts a field where the form shows it.
func (c *problemCard) add(p Page, f scenarioForm, field optimize.Field, sites []pickView, errs map[string]string) {
	switch {
	case field.PerSite:
		group := siteFields{Label: p.T(field.LabelKey)}
		for _, site := range sites {
			group.Sites = append(group.Sites, newFieldView(f, field, inputName(c.Kind, field.Name, site.ID), site.Name, p, errs))
		}
		c.PerSite = append(c.PerSite, group)
	case field.Weight:
		c.Weights = append(c.Weights, newFieldView(f, field, inputName(c.Kind, field.Name, ""), p.T(field.LabelKey), p, errs))
	default:
		c.Fields = append(c.Fields, newFieldView(f, field, inputName(c.Kind, field.Name, ""), p.T(field.LabelKey), p, errs))
	}
}

func newFieldView(f scenarioForm, field optimize.Field, input, label string, p Page, errs map[string]string) fieldView {
	v := fieldView{Input: input, Label: label, Type: string(field.Type), Unit: unitOf(p, field.Unit), Value: f.Values[input], Err: errs[input], Checked: f.Flags[input], Step: "any"}
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	if field.Type == optimize.FieldNumber || field.Type == optimize.FieldInteger {
		v.Min, v.Max = number(field.Min), number(field.Max)
	}
	if field.Type == optimize.FieldInteger {
		v.Step = "1"
	}
	return v
}

// requestScenario records the request and starts its workflow. The key that
// the form carries makes a second sending lead to the first run.
func (s *Server) requestScenario(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "scenarios.new")
	if err != nil {
		return err
	}
	form := readScenarioForm(r)
	var scope runs.Scope
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, tenant uuid.UUID) (err error) {
		scope, err = db.RunScope(ctx, tx, tenant, dateIn(riyadhZone, time.Now()))
		return err
	})
	if err != nil {
		return err
	}
	request, errs := form.check(p, scope, access.From(r.Context()))
	if len(errs) > 0 {
		return s.wizardPage(w, r, http.StatusUnprocessableEntity, p, form, errs)
	}
	id, err := s.recordRun(r, form.Key, request)
	if err != nil {
		return err
	}
	return s.startRun(w, r, id)
}

// startRun starts the workflow of a recorded run and leads to its monitor.
// While the workflow engine is away the run waits to be taken up.
func (s *Server) startRun(w http.ResponseWriter, r *http.Request, id uuid.UUID) error {
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
func (s *Server) recordRun(r *http.Request, key string, x runs.Checked) (uuid.UUID, error) {
	var id uuid.UUID
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		who := access.From(ctx)
		id, err = q.RequestRun(ctx, tx, db.RequestRunParams{TenantID: tenant, Problem: x.Problem, Title: x.Title, RequestedBy: who.UserID,
			IdempotencyKey: key, Objective: x.Objective, Constraints: x.Constraints, WindowStart: x.Start, WindowDays: int32(x.Days), //nolint:gosec // bounded by the rules
			TimeLimitSeconds: int32(x.Limit), Channel: "web"}) //nolint:gosec // bounded by the rules
		if errors.Is(err, pgx.ErrNoRows) {
			id, err = q.RunOfKey(ctx, tx, tenant, key, who.UserID)
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
