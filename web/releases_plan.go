package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/release"
	"github.com/optria-iq/optria/web/approvals"
	"github.com/optria-iq/optria/workflows"
)

// releasePlanView is the page on which the target of a release is chosen and
// seen in a dry run.
type releasePlanView struct {
	ID, Title, Target, TargetName string
	Jobs                          int
	Open                          bool // the plan may be released
	Targets                       []choiceOption
	Error                         string // of the dry run, translated
	System, OrderType             string
	AsOf                          *time.Time
	Counts                        []releaseCount
	Conflicts                     int
	Rows                          []dryRunRow
}

// releaseCount is one figure above the lines.
type releaseCount struct {
	Label, Icon, Tone string
	N                 int
}

// dryRunRow is what one line would become.
type dryRunRow struct {
	AssetID, Tag, Name    string
	Action, Icon, Tone    string
	TwinID, OrderID, Mend string
	From, To              time.Time
	FormerFrom, FormerTo  *time.Time
	Live                  bool
}

// releaseLooks gives each action its mark, in the order of the figures.
var releaseLooks = []struct{ action, icon, tone string }{
	{release.Create, "plus", "ok"}, {release.Move, "arrow-right", "warn"}, {release.Keep, "check", "none"}, {release.Conflict, "octagon-alert", "bad"},
}

// showReleasePlan shows where a plan can be released to and, for a maintenance
// system, what would happen there line by line.
func (s *Server) showReleasePlan(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p, err := s.page(r, "releases.plan")
	if err != nil {
		return err
	}
	v := releasePlanView{ID: id.String(), Target: r.URL.Query().Get("integration")}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		plan, err := q.PlanDetail(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		v.Title, v.Open = plan.Title, plan.Plan.State == "approved" && plan.Plan.ReleaseRequestedAt == nil
		jobs, err := q.CountReleasableLines(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		v.Jobs = int(jobs)
		targets, err := approvals.Targets(ctx, tx, q, tenant)
		v.Targets = append(v.Targets, choiceOption{Value: "", Label: p.T("releases.target.none")})
		for _, t := range targets {
			v.Targets = append(v.Targets, choiceOption{Value: t.ID.String(), Label: t.Name})
			if t.ID.String() == v.Target {
				v.TargetName = t.Name
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if v.TargetName == "" {
		v.Target = ""
	}
	if v.Target != "" && v.Open {
		if err := s.dryRun(r, p, id, &v); err != nil {
			return err
		}
	}
	p.Title = p.T("releases.plan")
	p.Crumbs = []Crumb{{Href: "/plans", Label: p.T("plans.title")}, {Href: "/plans/" + v.ID, Label: v.Title}, {Label: p.Title}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "releases/plan", p)
	return nil
}

// dryRun asks what the release would do. A system that does not answer is said
// on the page.
func (s *Server) dryRun(r *http.Request, p Page, plan uuid.UUID, v *releasePlanView) error {
	target, err := uuid.Parse(v.Target)
	if err != nil {
		return fault.New(fault.Invalid, approvals.KeyNoTarget)
	}
	run, err := s.Workflows.PreviewRelease(r.Context(), access.From(r.Context()).TenantID, plan, target)
	var known *fault.Error
	switch {
	case errors.As(err, &known) && known.Code != fault.Internal:
		s.Log.WarnContext(r.Context(), "dry run", "error", err, "plan", plan)
		v.Error = s.message(p, err)
		return nil
	case err != nil:
		return err
	}
	v.System, v.OrderType, v.AsOf = run.System, run.OrderType, run.AsOf
	counts := map[string]int{}
	for _, l := range run.Lines {
		counts[l.Action]++
		v.Rows = append(v.Rows, newDryRunRow(p, l))
	}
	v.Conflicts = counts[release.Conflict]
	for _, look := range releaseLooks {
		v.Counts = append(v.Counts, releaseCount{Label: p.T("releases.count." + look.action), Icon: look.icon, Tone: look.tone, N: counts[look.action]})
	}
	return nil
}

func newDryRunRow(p Page, l workflows.DryRunLine) dryRunRow {
	row := dryRunRow{AssetID: l.AssetID.String(), Tag: l.Tag, Name: localName(p.Lang, l.NameAr, l.NameEn), TwinID: l.TwinID, OrderID: l.OrderID,
		From: l.Start, To: l.End, Live: l.Live, Action: p.T("releases.action." + l.Action)}
	for _, look := range releaseLooks {
		if look.action == l.Action {
			row.Icon, row.Tone = look.icon, look.tone
		}
	}
	if !l.FormerStart.IsZero() {
		row.FormerFrom, row.FormerTo = &l.FormerStart, &l.FormerEnd
	}
	if l.Fault != "" {
		row.Mend = p.T(l.Fault, "tag", l.Tag, "record", l.TwinID, "order", l.OrderID, "count", l.Candidates)
	}
	return row
}
