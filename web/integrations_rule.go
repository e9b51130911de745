package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/unit"
	"github.com/optria-iq/optria/web/integration"
)

// ruleForm is the form of one rule.
type ruleForm struct {
	ID, Name, Action         string
	Factor, Shift, Low, High string
	Rule                     integration.Rule
	Existing, Fresh, History bool
	Explained, ExplainTone   string // how the units convert, in words
	Declared                 string // the range that the source declares
	Errors                   map[string]string
	Error                    string
	Assets, Metrics          []choiceOption
	Components               []componentGroup
	Targets                  targetView
	Live                     string
	Key                      string
}

// componentGroup lists the components of one asset.
type componentGroup struct {
	Asset   string
	Options []choiceOption
}

// ruleData is what the form of a rule offers.
type ruleData struct {
	integration db.Integration
	rules       []db.RulesOfTagsRow // of the tag, none or one
	nodes       []db.IntegrationNode
	signals     []db.FindTargetRow
}

func (s *Server) loadRule(r *http.Request, tag string, signal int64) (uuid.UUID, ruleData, error) {
	var x ruleData
	id, err := pathUUID(r, "id")
	if err != nil {
		return id, x, err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if x.integration, err = q.GetIntegration(ctx, tx, tenant, id); err != nil {
			return err
		}
		x.rules, err = q.RulesOfTags(ctx, tx, db.RulesOfTagsParams{TenantID: tenant, IntegrationID: id, Tags: []string{tag}, AsOf: time.Now()})
		if err != nil {
			return err
		}
		if x.nodes, err = q.FindNodes(ctx, tx, tenant, id, []string{tag}); err != nil || signal == 0 {
			return err
		}
		x.signals, err = q.FindTarget(ctx, tx, tenant, signal)
		return err
	})
	return id, x, err
}

// editMapping opens the form for one tag: its rule when it has one, else the
// signal that the link names, with the units converted and the range that the
// source declares.
func (s *Server) editMapping(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	tag := query.Get("tag")
	signal, err := strconv.ParseInt(query.Get("signal"), 10, 64)
	if err != nil {
		signal = 0
	}
	id, x, err := s.loadRule(r, tag, signal)
	if err != nil {
		return err
	}
	f := ruleForm{Fresh: true, History: true, Rule: integration.Rule{ExternalTag: tag, Factor: 1}}
	for _, n := range x.nodes {
		f.Rule.SourceUnit = n.Unit
	}
	for _, m := range x.rules {
		f.stored(m)
	}
	for _, t := range x.signals {
		f.choose(t, x.nodes)
	}
	return s.rulePage(w, r, http.StatusOK, id, x, f)
}

// stored fills the form with the rule that a tag has.
func (f *ruleForm) stored(m db.RulesOfTagsRow) {
	rule := m.IntegrationMapping
	f.Fresh, f.Existing, f.History = false, true, false
	f.Rule = integration.Rule{ExternalTag: f.Rule.ExternalTag, Asset: m.Tag, Component: m.ComponentEn, Metric: m.Metric, Unit: m.Unit,
		SourceUnit: rule.SourceUnit, Factor: rule.Factor, Shift: rule.Shift, Low: rule.Low, High: rule.High}
	f.print()
}

// choose points the rule at a signal: units are converted, and the range that
// the source declares becomes the range of plausible values.
func (f *ruleForm) choose(t db.FindTargetRow, nodes []db.IntegrationNode) {
	f.Rule.Asset, f.Rule.Component, f.Rule.Metric, f.Rule.Unit = t.Tag, t.ComponentEn, t.Metric, t.Unit
	f.Rule.Factor, f.Rule.Shift = 1, 0
	if c, err := unit.Between(f.Rule.SourceUnit, t.Unit); err == nil {
		f.Rule.Factor, f.Rule.Shift = c.Factor, c.Shift
	}
	for _, n := range nodes {
		f.Rule.Low, f.Rule.High = f.Rule.Bounds(n.Low, n.High)
	}
	f.print()
}

// print shows the numbers of the rule as they are typed.
func (f *ruleForm) print() {
	f.Factor, f.Shift = integration.FormatNumber(&f.Rule.Factor), integration.FormatNumber(&f.Rule.Shift)
	f.Low, f.High = integration.FormatNumber(f.Rule.Low), integration.FormatNumber(f.Rule.High)
}

// explain says in words how the unit of the source becomes that of the signal.
func (f *ruleForm) explain(p Page) {
	if f.Rule.SourceUnit == "" || f.Rule.Unit == "" {
		return
	}
	c, err := unit.Between(f.Rule.SourceUnit, f.Rule.Unit)
	switch {
	case errors.Is(err, unit.ErrDimension):
		f.ExplainTone, f.Explained = "bad", p.T(integration.KeyQuantity)
	case err != nil:
		f.ExplainTone, f.Explained = "none", p.T("integrations.rule.unit_unknown")
	case c.Identity() && !c.Assumed:
		f.ExplainTone, f.Explained = "ok", p.T("integrations.rule.same_unit")
	case c.Assumed:
		f.ExplainTone, f.Explained = "warn", p.T("integrations.rule.assumed", "From", c.From.Symbol, "To", c.To.Symbol)
	default:
		f.ExplainTone, f.Explained = "ok", p.T("integrations.rule.converted", "From", c.From.Symbol, "To", c.To.Symbol)
	}
}

func (s *Server) rulePage(w http.ResponseWriter, r *http.Request, status int, id uuid.UUID, x ruleData, f ruleForm) error {
	p, err := s.page(r, "integrations.rule.title")
	if err != nil {
		return err
	}
	base := "/integrations/" + id.String() + "/mappings"
	f.ID, f.Name, f.Action, f.Key = id.String(), x.integration.Name, base+"/rule", keyOf(f.Rule.ExternalTag)
	if len(f.Errors) > 0 {
		f.Error = p.T("integrations.error.form")
	}
	f.explain(p)
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		assets, err := q.ListAssetsPlain(ctx, tx, tenant)
		if err != nil {
			return err
		}
		components, err := q.ListComponents(ctx, tx, tenant, nil)
		if err != nil {
			return err
		}
		targets, err := q.MappingTargets(ctx, tx, tenant)
		if err != nil {
			return err
		}
		f.offer(p, assets, components, targets)
		f.Targets, err = loadTargets(ctx, tx, q, p, tenant, id, targetQuery{Tag: f.Rule.ExternalTag})
		return err
	})
	if err != nil {
		return err
	}
	for _, n := range x.nodes {
		if n.GoneAt == nil && n.Leaf {
			f.Live = base + "/live?tag="
		}
		if n.Low != nil && n.High != nil {
			f.Declared = p.Loc().Num(*n.Low, 2) + " – " + p.Loc().Num(*n.High, 2) + " " + n.Unit
		}
	}
	p.Crumbs = []Crumb{{Href: "/integrations/" + f.ID, Label: f.Name}, {Href: base, Label: p.T("integrations.mappings")}, {Label: p.Title}}
	p.Data = f
	if r.Header.Get("HX-Request") != "" && r.Method == http.MethodGet {
		s.render.RenderPart(w, r, status, "integrations/rule", "rule-pane", p)
		return nil
	}
	s.render.Render(w, r, status, "integrations/rule", p)
	return nil
}

// offer fills the lists of the form.
func (f *ruleForm) offer(p Page, assets []db.Asset, components []db.AssetComponent, targets []db.MappingTargetsRow) {
	of := map[uuid.UUID][]choiceOption{}
	for _, c := range components {
		of[c.AssetID] = append(of[c.AssetID], choiceOption{c.NameEn, localName(p.Lang, c.NameAr, c.NameEn)})
	}
	for _, a := range assets {
		if a.Tag == f.Rule.Asset && len(of[a.ID]) > 0 {
			f.Components = append(f.Components, componentGroup{a.Tag, of[a.ID]})
		}
		if len(f.Assets) < mostOffered || a.Tag == f.Rule.Asset {
			f.Assets = append(f.Assets, choiceOption{a.Tag, localName(p.Lang, a.NameAr, a.NameEn)})
		}
	}
	seen := map[string]bool{}
	for _, t := range targets {
		if !seen[t.Metric] {
			seen[t.Metric] = true
			f.Metrics = append(f.Metrics, choiceOption{t.Metric, localName(p.Lang, t.NameAr, t.NameEn)})
		}
	}
	slices.SortFunc(f.Metrics, func(a, b choiceOption) int { return cmp.Compare(a.Value, b.Value) })
}

// mostOffered bounds the assets that a field proposes; others are typed or
// chosen in the tree.
const mostOffered = 500

func (s *Server) saveMapping(w http.ResponseWriter, r *http.Request) error {
	text := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	id, x, err := s.loadRule(r, text("external_tag"), 0)
	if err != nil {
		return err
	}
	p := s.render.Page(r)
	f := ruleForm{Factor: text("factor"), Shift: text("shift"), Low: text("low"), High: text("high"), Fresh: text("fresh") == "1", Existing: text("fresh") != "1",
		History: text("history") == "on", Errors: map[string]string{},
		Rule: integration.Rule{ExternalTag: text("external_tag"), Asset: text("asset"), Component: text("component"), Metric: text("metric"),
			Unit: text("unit"), SourceUnit: text("source_unit")}}
	f.Rule.Factor, f.Rule.Shift = integration.ParseFactor(f.Factor, f.Shift)
	f.Rule.Low, f.Rule.High = integration.ParseBound(f.Low), integration.ParseBound(f.High)
	saved, problems, err := s.integrations().SaveRule(r.Context(), originOf(r), id, f.Rule, f.Fresh)
	for field, key := range problems {
		f.Errors[field] = p.T(key)
	}
	if fault.CodeOf(err) == fault.Conflict && err != nil {
		f.Errors["external_tag"], err = p.T(integration.KeyTagTaken), nil
	}
	if err != nil {
		return err
	}
	if len(f.Errors) > 0 {
		return s.rulePage(w, r, http.StatusUnprocessableEntity, id, x, f)
	}
	if saved.Created && f.History {
		if err := s.integrations().FetchHistory(r.Context(), originOf(r), id, []string{f.Rule.ExternalTag}); err != nil {
			return err
		}
	}
	return s.redirect(w, r, "/integrations/"+id.String()+"/mappings", "integrations.toast.rule_saved")
}

func (s *Server) archiveMapping(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	rule, err := pathUUID(r, "rule")
	if err != nil {
		return err
	}
	if err := s.integrations().ArchiveRule(r.Context(), originOf(r), id, rule); err != nil {
		return err
	}
	return s.redirect(w, r, "/integrations/"+id.String()+"/mappings", "integrations.toast.rule_archived")
}
