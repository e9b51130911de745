package web

import (
	"context"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/approvals"
	"github.com/optria-iq/optria/workflows"
)

// decisionKinds are the decisions that a form can send.
var decisionKinds = []string{workflows.Endorsed, workflows.Objected, workflows.Approved, workflows.Returned}

// decidePlan sends a decision to the approval and shows what became of it. The
// workflow answers with the real outcome and writes row and audit itself.
func (s *Server) decidePlan(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	kind := r.PostFormValue("kind")
	if !slices.Contains(decisionKinds, kind) {
		return fault.New(fault.Invalid, "plans.error.kind")
	}
	// A plan of another tenant, and who may not decide, never reach the workflow.
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		detail, err := q.PlanDetail(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		standing, err := approvals.StandingOn(ctx, tx, detail.Plan, who)
		if err != nil {
			return err
		}
		return standing.Refusal(kind)
	})
	if err != nil {
		return err
	}
	p := s.render.Page(r)
	form := readDecisionForm(r)
	d, ok := form.decision(p, kind, who)
	if !ok {
		return s.planPage(w, r, http.StatusUnprocessableEntity, form)
	}
	if _, err = s.Workflows.Decide(r.Context(), who.TenantID, id, form.ID, d); err != nil {
		return s.refusedDecision(w, r, p, form, err)
	}
	return s.redirect(w, r, "/plans/"+id.String(), "plans.toast."+kind)
}

// decisionForm is the form of a decision as it was filled in. ID makes a
// repeated sending harmless, Content is the hash of the plan that was shown,
// Held are the recommendations to hold back.
type decisionForm struct {
	ID, Comment, Content, HoldReason     string
	Held                                 map[string]bool
	Error, CommentError, HoldReasonError string
}

func readDecisionForm(r *http.Request) decisionForm {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	f := decisionForm{ID: value("decision"), Comment: value("comment"), Content: value("content"), HoldReason: value("hold_reason"), Held: map[string]bool{}}
	if _, err := uuid.Parse(f.ID); err != nil {
		f.ID = uuid.NewString()
	}
	for _, id := range r.PostForm["hold"] {
		f.Held[id] = true
	}
	return f
}

// decision turns the form into a decision; ok is false when a field is wrong,
// which the form then says.
func (f *decisionForm) decision(p Page, kind string, who access.Principal) (d workflows.Decision, ok bool) {
	d = workflows.Decision{ActorID: who.UserID, Service: who.Service, Kind: kind, Comment: f.Comment}
	switch {
	case f.Comment == "" && (kind == workflows.Returned || kind == workflows.Objected):
		f.CommentError = p.T("plans.error.comment")
	case utf8.RuneCountInString(f.Comment) > approvals.MaxNote:
		f.CommentError = p.T("field.long")
	}
	var err error
	if d.ContentSHA256, err = hex.DecodeString(f.Content); err != nil {
		f.Error = p.T("plans.content_changed")
	}
	if kind != workflows.Approved {
		return d, f.Error == "" && f.CommentError == ""
	}
	for id := range f.Held {
		line, err := uuid.Parse(id)
		if err != nil {
			f.Error = p.T(approvals.KeyNotALine)
			continue
		}
		d.Withheld = append(d.Withheld, line)
	}
	switch d.HoldReason = f.HoldReason; {
	case len(d.Withheld) == 0:
		d.HoldReason = ""
	case f.HoldReason == "":
		f.HoldReasonError = p.T(approvals.KeyHoldReason)
	case utf8.RuneCountInString(f.HoldReason) > approvals.MaxReason:
		f.HoldReasonError = p.T("field.long")
	}
	return d, f.Error == "" && f.CommentError == "" && f.HoldReasonError == ""
}

// refusedDecision shows the page again with the reason, the comment kept.
// Trying again with the same form is safe.
func (s *Server) refusedDecision(w http.ResponseWriter, r *http.Request, p Page, form decisionForm, err error) error {
	code := fault.CodeOf(err)
	if code == fault.Internal || code == fault.NotFound {
		return err
	}
	s.Log.WarnContext(r.Context(), "decision refused", "error", err)
	form.Error = s.message(p, err)
	return s.planPage(w, r, statusOf[code], form)
}
