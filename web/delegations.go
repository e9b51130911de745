package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/approvals"
)

// delegationForm is a delegation as it was filled in. Days are those of the
// tenant's time zone; the last one counts whole.
type delegationForm struct {
	From, To, Starts, Ends, Reason string
	Errors                         map[string]string
}

// delegationRow is one line of the list.
type delegationRow struct {
	ID, From, To, State, StateLabel, Reason string
	Starts, Ends                            time.Time
	Open                                    bool
}

// delegationView is the page of delegations.
type delegationView struct {
	Tabs     []tabView
	Rows     []delegationRow
	Form     delegationForm
	From, To []choiceOption
	Others   bool // may give the approvals of others away
	Today    string
}

func (s *Server) showDelegations(w http.ResponseWriter, r *http.Request) error {
	return s.delegationPage(w, r, http.StatusOK, nil)
}

// delegationPage lists delegations beside the form, as it was filled in or
// empty. Who does not manage governance sees their own.
func (s *Server) delegationPage(w http.ResponseWriter, r *http.Request, status int, form *delegationForm) error {
	p, err := s.page(r, "delegations.title")
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	v := delegationView{Tabs: governanceTabs(p, who, true), Others: who.Can(access.ManageGovernance)}
	var about *uuid.UUID
	if !v.Others {
		about = &who.UserID
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		rows, err := q.ListDelegations(ctx, tx, tenant, about)
		if err != nil {
			return err
		}
		for _, x := range rows {
			v.Rows = append(v.Rows, newDelegationRow(p, x))
		}
		people, err := q.ListPeople(ctx, tx, tenant)
		if err != nil {
			return err
		}
		v.offer(p, who, people)
		days, err := db.TenantCalendar(ctx, tx, tenant)
		if err != nil {
			return err
		}
		today := time.Now().In(days.Location())
		v.Today = today.Format(time.DateOnly)
		v.Form = delegationForm{From: who.UserID.String(), Starts: v.Today, Ends: today.AddDate(0, 0, 6).Format(time.DateOnly)}
		return nil
	})
	if err != nil {
		return err
	}
	if form != nil {
		v.Form = *form
	}
	p.Data = v
	s.render.Render(w, r, status, "governance/delegations", p)
	return nil
}

// offer lists who can be chosen: approvers to stand in for, and people with
// more than the role of viewer to stand in.
func (v *delegationView) offer(p Page, who access.Principal, people []db.ListPeopleRow) {
	for _, x := range people {
		option := choiceOption{x.ID.String(), localName(p.Lang, x.NameAr, x.NameEn)}
		if access.AnyAllows(x.Roles, access.ApprovePlan) && (v.Others || x.ID == who.UserID) {
			v.From = append(v.From, option)
		}
		if access.AnyAllows(x.Roles, access.CommentPlans) {
			v.To = append(v.To, option)
		}
	}
}

func newDelegationRow(p Page, x db.ListDelegationsRow) delegationRow {
	row := delegationRow{ID: x.ID.String(), From: localName(p.Lang, x.FromAr, x.FromEn), To: localName(p.Lang, x.ToAr, x.ToEn), Reason: x.Reason,
		Starts: x.StartsAt, Ends: x.EndsAt, Open: x.Open}
	state := "over"
	row.State = "cancel"
	switch {
	case x.RevokedAt != nil:
		state, row.State = "revoked", "cancel"
	case x.Active:
		state, row.State = "active", "done"
	case x.Open:
		state, row.State = "ahead", "plan"
	}
	row.StateLabel = p.T("delegations.state." + state)
	return row
}

// delegation reads the form in a time zone.
func (f *delegationForm) delegation(p Page, zone *time.Location) approvals.Delegation {
	person := func(field, text string) uuid.UUID {
		id, err := uuid.Parse(text)
		if err != nil {
			f.Errors[field] = p.T("delegations.error." + field)
		}
		return id
	}
	day := func(field, text string) time.Time {
		at, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil {
			f.Errors[field] = p.T("delegations.error." + field)
		}
		return at
	}
	d := approvals.Delegation{From: person("from", f.From), To: person("to", f.To), Starts: day("starts", f.Starts), Reason: f.Reason}
	if ends := day("ends", f.Ends); f.Errors["ends"] == "" {
		d.Ends = ends.AddDate(0, 0, 1)
	}
	return d
}

// addDelegation stores a delegation; what is wrong comes back beside its field.
func (s *Server) addDelegation(w http.ResponseWriter, r *http.Request) error {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	f := delegationForm{From: value("from"), To: value("to"), Starts: value("starts"), Ends: value("ends"), Reason: value("reason"), Errors: map[string]string{}}
	p := s.render.Page(r)
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		days, err := db.TenantCalendar(ctx, tx, tenant)
		if err != nil {
			return err
		}
		d := f.delegation(p, days.Location())
		if len(f.Errors) > 0 {
			return nil
		}
		_, err = d.Record(ctx, approvals.Act{Tx: tx, Q: q, Origin: originOf(r), Who: access.From(ctx)})
		return err
	})
	var wrong approvals.Mistakes
	if errors.As(err, &wrong) {
		for field, key := range wrong {
			f.Errors[field] = p.T(key)
		}
	} else if err != nil {
		return err
	}
	if len(f.Errors) > 0 {
		return s.delegationPage(w, r, http.StatusUnprocessableEntity, &f)
	}
	return s.redirect(w, r, "/delegations", "delegations.created")
}

func (s *Server) revokeDelegation(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, _ uuid.UUID) error {
		return approvals.Revoke(ctx, approvals.Act{Tx: tx, Q: q, Origin: originOf(r), Who: access.From(ctx)}, id)
	})
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/delegations", "delegations.revoked")
}
