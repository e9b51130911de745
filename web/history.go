package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/workflows"
)

func (s *Server) historyRoutes() []route {
	return []route{
		{http.MethodGet, "/runs/{id}/history", access.ViewHistory, s.showRunHistory},
		{http.MethodGet, "/plans/{id}/history", access.ViewHistory, s.showPlanHistory},
		{http.MethodGet, "/firings/{id}/history", access.ViewHistory, s.showFiringHistory},
	}
}

// historyRows is what the database knows of the course of an object.
type historyRows struct {
	title  string
	people people
	acts   []db.HistoryActsRow
}

// historyPart is one workflow to tell of. Records tells the same from the
// database, for when the engine cannot.
type historyPart struct {
	title, workflow string
	records         []historyStep
}

// showRunHistory tells how a run went.
func (s *Server) showRunHistory(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p, err := s.page(r, "history.run")
	if err != nil {
		return err
	}
	var x historyRows
	var part historyPart
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		run, err := q.LoadRun(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		x.title = run.Title
		part = historyPart{title: p.T("history.part.run"), workflow: ownWorkflow(tenant, run.WorkflowID, workflows.OptimizationID(tenant, id))}
		events, err := q.RunHistory(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		for _, e := range events {
			part.records = append(part.records, recordOfRun(p, e))
		}
		return x.load(ctx, tx, q, tenant, id, "run", "optimization_run")
	})
	if err != nil {
		return err
	}
	return s.historyPage(w, r, p, x, "/runs/"+id.String(), part)
}

// showPlanHistory tells of the approval of a plan and of its release.
func (s *Server) showPlanHistory(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p, err := s.page(r, "history.plan")
	if err != nil {
		return err
	}
	var x historyRows
	var parts []historyPart
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		plan, err := q.PlanDetail(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		x.title = plan.Title
		if err := x.load(ctx, tx, q, tenant, id, "plan"); err != nil {
			return err
		}
		decisions, err := q.PlanHistory(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		approval := historyPart{title: p.T("history.part.approval"), workflow: workflows.ApprovalID(tenant, id)}
		for _, d := range decisions {
			approval.records = append(approval.records, recordOfDecision(p, x, d))
		}
		parts = []historyPart{approval}
		if plan.Plan.ReleaseRequestedAt == nil {
			return nil
		}
		events, err := q.ReleaseHistory(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		release := historyPart{title: p.T("history.part.release"), workflow: workflows.ReleaseID(tenant, id)}
		for _, e := range events {
			release.records = append(release.records, recordOfRelease(p, x, e))
		}
		parts = append(parts, release)
		return nil
	})
	if err != nil {
		return err
	}
	return s.historyPage(w, r, p, x, "/plans/"+id.String(), parts...)
}

// showFiringHistory tells what became of one due time of a schedule.
func (s *Server) showFiringHistory(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p, err := s.page(r, "history.firing")
	if err != nil {
		return err
	}
	var x historyRows
	var part historyPart
	back := "/schedules/"
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		f, err := q.HistoryFiring(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		x.title = f.Name
		back += f.ScheduleFiring.ScheduleID.String()
		part = historyPart{title: p.T("history.part.firing"), workflow: ownWorkflow(tenant, f.ScheduleFiring.WorkflowID, ""), records: recordsOfFiring(p, f.ScheduleFiring)}
		return x.load(ctx, tx, q, tenant, id, "schedule_firing")
	})
	if err != nil {
		return err
	}
	return s.historyPage(w, r, p, x, back, part)
}

// ownWorkflow is the workflow that a row names, if its id is one of the tenant:
// every id of a workflow carries that of its tenant.
func ownWorkflow(tenant uuid.UUID, named, otherwise string) string {
	if named == "" || !strings.Contains(named, tenant.String()) {
		return otherwise
	}
	return named
}

// load reads the people of the tenant and what was done to an object.
func (x *historyRows) load(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, object uuid.UUID, kinds ...string) (err error) {
	if x.people, err = loadPeople(ctx, tx, q, tenant); err != nil {
		return err
	}
	x.acts, err = q.HistoryActs(ctx, tx, tenant, object.String(), kinds)
	return err
}

// historySection is one workflow on the page. Missing says why the engine's
// own history is not shown.
type historySection struct {
	Title, Missing, Link string
	Open, Cut            bool
	Steps                []historyStep
	Pager                Pager
}

// historyView is the Data of history/show.
type historyView struct {
	Title, Back string
	Sections    []historySection
}

// historyPageSize is how many steps of one workflow a page shows.
const historyPageSize = 100

// historyPage prints the parts, each from the engine or, when that is away or
// knows the workflow no longer, from the records of the database.
func (s *Server) historyPage(w http.ResponseWriter, r *http.Request, p Page, x historyRows, back string, parts ...historyPart) error {
	v := historyView{Title: x.title, Back: back}
	who := access.From(r.Context())
	for i, part := range parts {
		section, err := s.historySection(r.Context(), p, x, part)
		if err != nil {
			return err
		}
		if ui := s.Config.TemporalUI; ui != nil && who.Can(access.OpenTemporalUI) {
			section.Link = s.Workflows.ExecutionURL(ui, part.workflow)
		}
		if i == 0 {
			section.Steps = withActs(p, s, x, section.Steps)
		}
		section.Pager = NewPager(r.URL, historyPageSize, len(section.Steps))
		section.Steps = section.Steps[section.Pager.Offset():min(section.Pager.Offset()+historyPageSize, len(section.Steps))]
		v.Sections = append(v.Sections, section)
	}
	p.Crumbs = []Crumb{{Href: back, Label: x.title}, {Label: p.Title}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "history/show", p)
	return nil
}

func (s *Server) historySection(ctx context.Context, p Page, x historyRows, part historyPart) (historySection, error) {
	section := historySection{Title: part.title}
	if part.workflow == "" {
		section.Steps, section.Missing = part.records, p.T("history.none")
		return section, nil
	}
	told, err := s.Workflows.Timeline(ctx, part.workflow)
	switch code := fault.CodeOf(err); {
	case err == nil:
		section.Open, section.Cut = told.Open, told.Cut
		for _, step := range told.Steps {
			if shown, ok := stepOf(p, x, step); ok {
				section.Steps = append(section.Steps, shown)
			}
		}
	case code == fault.NotFound || code == fault.Unavailable:
		s.Log.WarnContext(ctx, "history from records", "workflow", part.workflow, "error", err)
		section.Steps, section.Missing = part.records, p.T("history.away")
		if code == fault.NotFound {
			section.Missing = p.T(workflows.KeyNoHistory)
		}
	default:
		return section, errors.Join(errors.New("tell history"), err)
	}
	return section, nil
}
