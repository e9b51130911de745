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

// commentView is one comment as it is shown.
type commentView struct {
	By, Role, Body string
	At             time.Time
}

// thread is what was said of one line, or of the whole when ID is empty.
type thread struct {
	ID, Subject string
	Items       []commentView
}

// commentsView is the comments of a scenario with the form for another one. On
// is the line that the form is about, empty for the whole.
type commentsView struct {
	Scenario, Plan, On, Body, Error string
	Threads                         []thread
	Subjects                        []choiceOption
	Count                           int
	CanAdd                          bool
}

// newCommentsView groups comments by line, the whole first.
func newCommentsView(p Page, x solvedPlan, b plantBook, lines []db.ListPlanLinesRow, comments []db.ListPlanCommentsRow, who access.Principal) commentsView {
	v := commentsView{Scenario: x.scenario.ID.String(), On: p.URL.Query().Get("on"), Count: len(comments), CanAdd: who.Can(access.CommentPlans)}
	grouped := map[string][]commentView{}
	for _, c := range comments {
		on := ""
		if c.RecommendationID != nil {
			on = c.RecommendationID.String()
		}
		item := commentView{By: localName(p.Lang, c.NameAr, c.NameEn), Body: c.Body, At: c.CreatedAt}
		if len(c.Roles) > 0 {
			item.Role = p.T("role." + c.Roles[0])
		}
		grouped[on] = append(grouped[on], item)
	}
	if whole := grouped[""]; len(whole) > 0 {
		v.Threads = append(v.Threads, thread{Subject: p.T("plans.comments.whole"), Items: whole})
	}
	for _, l := range lines {
		id, subject := l.ID.String(), b.subject(p.Lang, lineOf(x, l.AssetID.String())).Short()
		v.Subjects = append(v.Subjects, choiceOption{id, subject})
		if items := grouped[id]; len(items) > 0 {
			v.Threads = append(v.Threads, thread{id, subject, items})
		}
	}
	return v
}

// scenarioTalk is the page of comments on a scenario, before and after it is
// put forward.
type scenarioTalk struct {
	Title, PresetName, Results string
	Talk                       commentsView
}

func (s *Server) showComments(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	return s.commentsPage(w, r, http.StatusOK, id, commentsView{})
}

// commentsPage prints the comments of a scenario with the form as it was
// filled in.
func (s *Server) commentsPage(w http.ResponseWriter, r *http.Request, status int, scenario uuid.UUID, form commentsView) error {
	p, err := s.page(r, "plans.comments")
	if err != nil {
		return err
	}
	var row db.ScenarioWithRunRow
	var lines []db.ListPlanLinesRow
	var comments []db.ListPlanCommentsRow
	var book plantBook
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if row, err = q.ScenarioWithRun(ctx, tx, tenant, scenario); err != nil {
			return err
		}
		if lines, err = q.ListPlanLines(ctx, tx, nil, tenant, scenario); err != nil {
			return err
		}
		if comments, err = q.ListPlanComments(ctx, tx, tenant, scenario); err != nil {
			return err
		}
		book, err = loadPlantBook(ctx, tx, q, tenant)
		return err
	})
	if err != nil {
		return err
	}
	x, err := newSolvedPlan(row.OptimizationRun, row.OptimizationScenario)
	if err != nil {
		return err
	}
	v := scenarioTalk{Title: x.run.Title, PresetName: presetName(p, x.scenario.Preset), Results: resultPath(x),
		Talk: newCommentsView(p, x, book, lines, comments, access.From(r.Context()))}
	if form.Error != "" {
		v.Talk.On, v.Talk.Body, v.Talk.Error, v.Talk.Plan = form.On, form.Body, form.Error, form.Plan
	}
	p.Crumbs = []Crumb{{Href: "/scenarios", Label: p.T("scenarios.title")}, {Href: v.Results, Label: v.Title}, {Label: p.Title}}
	p.Data = v
	s.render.Render(w, r, status, "plans/comments", p)
	return nil
}

// addComment stores a comment on a scenario or one of its lines and leads back
// to where it was written.
func (s *Server) addComment(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	form := commentsView{On: strings.TrimSpace(r.PostFormValue("on")), Body: r.PostFormValue("body"), Plan: strings.TrimSpace(r.PostFormValue("plan_id"))}
	target := "/scenarios/" + id.String() + "/comments"
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		if _, err := q.ScenarioWithRun(ctx, tx, tenant, id); err != nil {
			return err
		}
		c := approvals.Comment{Scenario: id, Body: form.Body}
		var err error
		if c.Recommendation, err = optionalID(form.On); err != nil {
			return err
		}
		if c.Plan, err = optionalID(form.Plan); err != nil {
			return err
		}
		if c.Plan != nil {
			plan, err := q.PlanDetail(ctx, tx, tenant, *c.Plan)
			if err != nil {
				return err
			}
			if plan.Plan.ScenarioID != id {
				return fault.New(fault.Invalid, approvals.KeyNotALine)
			}
			target = "/plans/" + form.Plan
		}
		_, err = c.Record(ctx, approvals.Act{Tx: tx, Q: q, Origin: originOf(r), Who: access.From(ctx)})
		return err
	})
	if err != nil && fault.CodeOf(err) == fault.Invalid {
		form.Error = s.message(s.render.Page(r), err)
		return s.commentsPage(w, r, http.StatusUnprocessableEntity, id, form)
	}
	if err != nil {
		return err
	}
	return s.redirect(w, r, target+"#comments", "plans.comments.added")
}

// optionalID reads an id that may be left empty.
func optionalID(text string) (*uuid.UUID, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // nothing was chosen
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "field.choice", err)
	}
	return &id, nil
}
