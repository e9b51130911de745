package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/approvals"
)

// proposalForm is a proposal as it was filled in. Left are the recommendations
// that are not put forward.
type proposalForm struct {
	Preset, Note, LeftReason, Follows string
	Left                              map[string]bool
	Error                             string
}

// planProposal is the page that puts a scenario forward.
type planProposal struct {
	Run, Title, Preset, PresetName, Scenario string
	Form                                     proposalForm
	Jobs                                     []jobRow
	Follows                                  []choiceOption
	DueAt                                    time.Time
	Left                                     string // working time until due
	Deciders                                 []string
	Endorsement                              bool // must come first
	Total, Risk                              float64
	Certificate                              certificate
}

// jobRow is one job of a plan that can be left out or held back.
type jobRow struct {
	subjectName
	ID, Verdict string
	Start       *time.Time
	Cost, Value float64
	Held        bool
}

// proposePlan puts a scenario forward for approval. A run has at most one plan
// under way; after a return the next proposal is a new version of it.
func (s *Server) proposePlan(w http.ResponseWriter, r *http.Request) error {
	run, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	f := readProposalForm(r)
	var id uuid.UUID
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, _ uuid.UUID) error {
		proposal, err := f.proposal(run)
		if err != nil {
			return err
		}
		id, err = proposal.Record(ctx, approvals.Act{Tx: tx, Q: q, Origin: originOf(r), Who: access.From(ctx)})
		return err
	})
	if err != nil && fault.CodeOf(err) == fault.Invalid {
		f.Error = s.message(s.render.Page(r), err)
		return s.proposalPage(w, r, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	toast := "plans.proposed"
	if err := s.Workflows.StartApproval(r.Context(), access.From(r.Context()).TenantID, id); err != nil {
		if fault.CodeOf(err) != fault.Unavailable {
			return err
		}
		toast = "plans.queued"
	}
	return s.redirect(w, r, "/plans/"+id.String(), toast)
}

func readProposalForm(r *http.Request) proposalForm {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	f := proposalForm{Preset: value("scenario"), Note: value("note"), LeftReason: value("left_reason"), Follows: value("follows"), Left: map[string]bool{}}
	for _, id := range r.PostForm["leave"] {
		f.Left[id] = true
	}
	return f
}

// proposal reads the ids of the form.
func (f proposalForm) proposal(run uuid.UUID) (approvals.Proposal, error) {
	p := approvals.Proposal{Run: run, Preset: f.Preset, Note: f.Note, LeftReason: f.LeftReason}
	for text := range f.Left {
		id, err := uuid.Parse(text)
		if err != nil {
			return p, fault.Wrap(fault.Invalid, approvals.KeyNotALine, err)
		}
		p.Left = append(p.Left, id)
	}
	if f.Follows != "" {
		id, err := uuid.Parse(f.Follows)
		if err != nil {
			return p, fault.Wrap(fault.Invalid, approvals.KeyNotFollowed, err)
		}
		p.Follows = &id
	}
	return p, nil
}

func (s *Server) showProposal(w http.ResponseWriter, r *http.Request) error {
	return s.proposalPage(w, r, http.StatusOK, proposalForm{Preset: r.URL.Query().Get("scenario"), Left: map[string]bool{}})
}

// proposalPage prints the proposal as it was filled in, with who must act by
// when.
func (s *Server) proposalPage(w http.ResponseWriter, r *http.Request, status int, f proposalForm) error {
	p, err := s.page(r, "runs.propose.title")
	if err != nil {
		return err
	}
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	x, err := s.loadResults(r, id, f.Preset)
	if err != nil {
		return err
	}
	switch {
	case len(x.all) == 0:
		return fault.New(fault.Conflict, approvals.KeyRunOpen)
	case !x.plan().spec.Executable:
		return fault.New(fault.Conflict, approvals.KeyNotExecutable)
	}
	plan := x.plan()
	if open := openPlan(p, x.plans, plan.scenario.ID); open != nil { // already put forward
		return s.redirect(w, r, "/plans/"+open.ID, "")
	}
	f.Preset = plan.scenario.Preset
	v := planProposal{Run: id.String(), Title: x.run.Title, Preset: f.Preset, PresetName: presetName(p, f.Preset), Scenario: plan.scenario.ID.String(), Form: f,
		Total: plan.view.Total, Risk: plan.view.Risk, Certificate: newCertificate(plan.view.Certificate)}
	if err := s.loadProposal(r, p, x, &v); err != nil {
		return err
	}
	p.Crumbs = []Crumb{{Href: "/scenarios", Label: p.T("scenarios.title")}, {Href: resultPath(plan), Label: v.Title}, {Label: p.Title}}
	p.Data = v
	s.render.Render(w, r, status, "plans/propose", p)
	return nil
}

// loadProposal reads the jobs of a scenario, who may approve it and the plans
// that it may follow.
func (s *Server) loadProposal(r *http.Request, p Page, x resultRows, v *planProposal) error {
	return s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		plan := x.plan()
		lines, err := q.ListPlanLines(ctx, tx, nil, tenant, plan.scenario.ID)
		if err != nil {
			return err
		}
		v.Jobs = jobRows(p, plan, x.book, lines, v.Form.Left)
		now := time.Now()
		if v.DueAt, err = approvals.Due(ctx, tx, q, tenant, now); err != nil {
			return err
		}
		v.Left = workingLeft(p, x.book.days, now, v.DueAt)
		rules, err := q.GetGovernance(ctx, tx, tenant)
		if err != nil {
			return err
		}
		v.Endorsement = rules.RequireEndorsement
		if v.Deciders, err = deciderNames(ctx, tx, p, db.Plan{TenantID: tenant, LaunchedBy: x.run.RequestedBy, ProposedBy: access.From(ctx).UserID}); err != nil {
			return err
		}
		if len(x.plans) > 0 {
			return nil // the next version of the run's own plan
		}
		ended, err := q.ListOpenEndedPlans(ctx, tx, tenant, x.run.Problem)
		for _, e := range ended {
			if v.Form.Follows == "" && x.run.BasedOn != nil && e.ScenarioID == *x.run.BasedOn {
				v.Form.Follows = e.ID.String()
			}
			v.Follows = append(v.Follows, choiceOption{e.ID.String(), p.T("plans.follows.one", "Title", e.Title, "N", p.Loc().Num(e.Version))})
		}
		return err
	})
}

// jobRows lists the jobs of a plan in the order of their rank; what the
// proposer has left out is not offered again.
func jobRows(p Page, x solvedPlan, b plantBook, lines []db.ListPlanLinesRow, chosen map[string]bool) []jobRow {
	byAsset := map[string]db.ListPlanLinesRow{}
	for _, l := range lines {
		if l.Decision == "do" && l.Stage == "" {
			byAsset[l.AssetID.String()] = l
		}
	}
	var out []jobRow
	for _, l := range x.view.Lines {
		line, ok := byAsset[l.AssetID]
		if !ok {
			continue
		}
		row := jobRow{subjectName: b.subject(p.Lang, l), ID: line.ID.String(), Verdict: verdictChip(p, x, l).Label, Cost: l.PlannedCost, Value: l.Value}
		row.Held = chosen[row.ID]
		if begins(l) {
			start := x.time.at(l.Start)
			row.Start = &start
		}
		out = append(out, row)
	}
	return out
}

// deciderNames names those who may approve a plan, deputies with whom they
// stand in for.
func deciderNames(ctx context.Context, tx pgx.Tx, p Page, plan db.Plan) ([]string, error) {
	deciders, err := db.Deciders(ctx, tx, plan)
	var out []string
	for _, x := range deciders {
		name := localName(p.Lang, x.NameAr, x.NameEn)
		if x.For != nil {
			name = p.T("plans.decider.deputy", "Deputy", name, "Name", localName(p.Lang, x.For.NameAr, x.For.NameEn))
		}
		out = append(out, name)
	}
	return out, err
}
