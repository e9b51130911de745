package web

import (
	"context"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/dossier"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/web/evidence"
)

// dossierBuilder reads the record of a plan in one language.
type dossierBuilder struct {
	*Server
	Page
	tenant, plan uuid.UUID
	author       string

	detail db.PlanDetailRow
	run    db.OptimizationRun
	rows   []db.OptimizationScenario // of the run
	proof  *manifest.Manifest        // nil when the run is older than manifests are
	solved solvedPlan
	book   plantBook
	tags   map[uuid.UUID]db.ListPlanSubjectsRow // equipment by recommendation
	held   map[string]bool                      // withheld assets
	trust  map[uuid.UUID]bool
}

// read collects the record, and the number of the last event of the audit
// chain that it knows of.
func (b *dossierBuilder) read(ctx context.Context, tx pgx.Tx, q *db.Queries) (dossier.Record, int64, error) {
	head, err := q.GetAuditHead(ctx, tx, b.tenant)
	if err != nil && fault.CodeOf(db.Fault(err)) != fault.NotFound {
		return dossier.Record{}, 0, fmt.Errorf("read audit head: %w", err)
	}
	if err := b.load(ctx, tx, q); err != nil {
		return dossier.Record{}, 0, err
	}
	tenant, err := q.GetTenant(ctx, tx, b.tenant)
	if err != nil {
		return dossier.Record{}, 0, fmt.Errorf("read tenant: %w", err)
	}
	r := b.head(tenant)
	if r.Alternatives, err = b.alternatives(); err != nil {
		return r, 0, err
	}
	for _, step := range []func(context.Context, pgx.Tx, *db.Queries, *dossier.Record) error{
		b.readVoices, b.readWithheld, b.readVersions, b.readRelease,
	} {
		if err := step(ctx, tx, q, &r); err != nil {
			return r, 0, err
		}
	}
	r.Lines, r.Evidence = b.lines(), b.evidence()
	return r, head.Seq, b.readEvents(ctx, tx, q, head.Seq, &r)
}

// load reads the plan and its run. What no longer has the hashes that the
// dossier prints beside it is refused.
func (b *dossierBuilder) load(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
	if b.detail, err = q.PlanDetail(ctx, tx, b.tenant, b.plan); err != nil {
		return err
	}
	if b.run, err = q.LoadRun(ctx, tx, b.tenant, b.detail.Plan.RunID); err != nil {
		return fmt.Errorf("read run of plan: %w", err)
	}
	if b.rows, err = q.RunScenarios(ctx, tx, b.tenant, b.run.ID); err != nil {
		return fmt.Errorf("read scenarios: %w", err)
	}
	if b.proof, err = evidence.Held(b.run, slices.Concat(b.rows, []db.OptimizationScenario{b.detail.OptimizationScenario})); err != nil {
		return fmt.Errorf("run %s: %w", b.run.ID, err)
	}
	if b.book, err = loadPlantBook(ctx, tx, q, b.tenant); err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	trust, err := q.ScenarioTrust(ctx, tx, b.tenant, b.detail.Plan.ScenarioID)
	if err != nil {
		return fmt.Errorf("read trust: %w", err)
	}
	b.trust = trustOf(trust)
	subjects, err := q.ListPlanSubjects(ctx, tx, b.tenant, b.detail.Plan.ScenarioID)
	if err != nil {
		return fmt.Errorf("read equipment of plan: %w", err)
	}
	b.tags = map[uuid.UUID]db.ListPlanSubjectsRow{}
	for _, x := range subjects {
		b.tags[x.ID] = x
	}
	b.solved, err = newSolvedPlan(b.run, b.detail.OptimizationScenario)
	return err
}

func (b *dossierBuilder) name(ar, en string) string { return localName(b.Lang, ar, en) }

func (b *dossierBuilder) head(tenant db.Tenant) dossier.Record {
	d, plan, view := b.detail, b.detail.Plan, b.solved.view
	r := dossier.Record{
		Tenant: b.name(tenant.NameAr, tenant.NameEn), TenantCode: tenant.Code, Synthetic: tenant.Synthetic, PlanID: plan.ID.String(), RunID: plan.RunID.String(),
		Title: d.Title, Problem: problemTitle(b.Page, b.run.Problem), Preset: presetName(b.Page, d.OptimizationScenario.Preset), Version: int(plan.Version),
		State: b.T("plans.state." + lifecycle(plan.State, plan.Lifecycle)), LaunchedBy: b.name(d.LaunchedAr, d.LaunchedEn), ProposedBy: b.name(d.ProposedAr, d.ProposedEn),
		ReleasedBy: b.name(d.ReleasedAr, d.ReleasedEn), CreatedBy: b.author, Note: plan.Note, From: b.solved.time.at(0), To: b.solved.time.last(),
		ProposedAt: plan.ProposedAt, DueAt: plan.DueAt, DecidedAt: plan.DecidedAt, ReleasedAt: plan.ReleasedAt, CreatedAt: time.Now().UTC().Truncate(time.Second),
	}
	c := view.Certificate
	r.Certificate = dossier.Certificate{Total: view.Total, Risk: view.Risk, Objective: c.Objective, Bound: c.Bound, Gap: c.Gap, BoundKnown: c.BoundKnown,
		Optimal: c.Status == optimize.StatusOptimal, Verified: c.Verified, Solver: joinWords(c.Solver.Name, c.Solver.Version), Seed: c.Seed, Iterations: c.Iterations}
	current := map[string]float64{}
	for _, t := range view.Baseline {
		current[t.Key] = t.Money
	}
	for _, t := range view.Terms {
		term := dossier.Term{Label: wordOf(b.Page, "optimize.term.", t.Key), Plan: t.Money}
		if money, known := current[t.Key]; known {
			term.Current = &money
		}
		r.Terms = append(r.Terms, term)
	}
	for _, f := range figureViews(b.Page, view.Figures) {
		value := dossier.LTR(b.Loc().Num(f.Value, 1)) + " " + f.Unit
		if f.Money {
			value = b.Loc().Money(f.Value)
		}
		r.Figures = append(r.Figures, dossier.Fact{Label: f.Label, Value: strings.TrimSpace(value)})
	}
	for _, x := range view.Prices {
		r.Prices = append(r.Prices, b.price(x))
	}
	return r
}

// price names what a price is of: a resource, or a decision that is pinned.
func (b *dossierBuilder) price(x optimize.Price) dossier.Price {
	out := dossier.Price{Name: b.book.names.plain(b.Lang, x.Subject), Pin: x.Pin, Value: x.Value, Exact: x.Exact,
		Step: dossier.LTR(b.Loc().Num(x.Step, 1)) + " " + unitOf(b.Page, x.Unit)}
	if l, ok := b.solved.line(x.Subject); ok {
		s := b.book.subject(b.Lang, l)
		out.Tag, out.Name = s.Tag, s.label()
	}
	return out
}

// label is the name of a subject beside its tag.
func (s subjectName) label() string {
	if s.Title != "" {
		return s.Title
	}
	return s.Name
}

func (b *dossierBuilder) lines() []dossier.Line {
	var out []dossier.Line
	why := whyRows{plan: b.solved, book: b.book, trust: b.trust}
	for _, l := range b.solved.view.Lines {
		s := b.book.subject(b.Lang, l)
		x := dossier.Line{Tag: s.Tag, Name: s.label(), Site: s.Site, Decision: verdictChip(b.Page, b.solved, l).Label, Who: crewNames(b.Page, b.book, l),
			Cost: l.PlannedCost, Expected: l.ExpectedCost, Avoided: l.Value, Chance: l.P, Pinned: l.Pinned, Withheld: b.held[l.AssetID]}
		if id, err := uuid.Parse(l.AssetID); err == nil {
			x.Trusted, x.Rated = b.trust[id]
		}
		for _, reason := range l.Reasons {
			x.Reasons = append(x.Reasons, isolated(string(reasonText(b.Page, why.book.names, b.solved.time, reason).Text)))
		}
		out = append(out, x)
	}
	return out
}

// Markup of a text on a page, for isolated.
var (
	unitMarkup  = regexp.MustCompile(`<span class="unit">([^<]*)</span>`)
	openMarkup  = regexp.MustCompile(`<(?:span|bdi)[^>]*>`)
	closeMarkup = regexp.MustCompile(`</(?:span|bdi)>`)
)

// isolated turns the markup that isolates numbers and tags on a page into the
// isolates of plain text.
func isolated(marked string) string {
	marked = unitMarkup.ReplaceAllString(marked, "$1")
	marked = closeMarkup.ReplaceAllString(openMarkup.ReplaceAllString(marked, "\u2066"), "\u2069")
	return html.UnescapeString(markup.ReplaceAllString(marked, ""))
}

// readVoices reads comments and decisions.
func (b *dossierBuilder) readVoices(ctx context.Context, tx pgx.Tx, q *db.Queries, r *dossier.Record) error {
	comments, err := q.ListPlanComments(ctx, tx, b.tenant, b.detail.Plan.ScenarioID)
	if err != nil {
		return fmt.Errorf("read comments: %w", err)
	}
	for _, x := range comments {
		c := dossier.Comment{By: b.name(x.NameAr, x.NameEn), Role: b.role(x.Roles), Text: x.Body, At: x.CreatedAt}
		if x.RecommendationID != nil {
			c.About = b.tags[*x.RecommendationID].Tag
		}
		r.Comments = append(r.Comments, c)
	}
	decisions, err := q.PlanDecisionsPage(ctx, tx, b.tenant, b.plan)
	if err != nil {
		return fmt.Errorf("read decisions: %w", err)
	}
	for _, x := range decisions {
		r.Decisions = append(r.Decisions, dossier.Decision{Kind: dossier.DecisionKind(x.Kind), Label: b.T("plans.decided." + x.Kind), By: b.name(x.NameAr, x.NameEn),
			Role: b.role(x.Roles), OnBehalfOf: b.name(x.BehalfAr, x.BehalfEn), Text: x.Comment, At: x.DecidedAt})
	}
	return nil
}

func (b *dossierBuilder) role(roles []string) string {
	if len(roles) == 0 {
		return ""
	}
	return b.T("role." + roles[0])
}

func (b *dossierBuilder) readWithheld(ctx context.Context, tx pgx.Tx, q *db.Queries, r *dossier.Record) error {
	rows, err := q.ListWithheld(ctx, tx, b.tenant, b.plan)
	if err != nil {
		return fmt.Errorf("read withheld lines: %w", err)
	}
	b.held = map[string]bool{}
	for _, x := range rows {
		s := b.tags[x.RecommendationID]
		b.held[s.AssetID.String()] = true
		r.Withheld = append(r.Withheld, dossier.Withheld{Tag: s.Tag, Name: b.name(s.NameAr, s.NameEn), Stage: b.T("dossier.stage." + x.Stage), Reason: x.Reason,
			By: b.name(x.NameAr, x.NameEn), At: x.WithheldAt})
	}
	return nil
}

// evidence is the hashes of the plan and its run.
func (b *dossierBuilder) evidence() dossier.Evidence {
	e := dossier.Evidence{Input: manifest.Hex(b.run.InputSha256), Content: manifest.Hex(b.detail.Plan.ContentSha256)}
	if b.proof != nil {
		chosen, _ := b.proof.Find(b.detail.OptimizationScenario.Preset)
		e.Manifest, e.Build, e.Output = manifest.Hex(b.run.ManifestSha256), b.proof.Build.String(), chosen.Output
	}
	return e
}
