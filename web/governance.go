package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/approval"
)

// Bounds of the rules, as the columns hold them.
const (
	mostDecisionHours = 400
	mostExpiryDays    = 365
	mostMaterial      = 1e12
)

func (s *Server) governanceRoutes() []route {
	return []route{
		{http.MethodGet, "/governance", access.ManageGovernance, s.showGovernance},
		{http.MethodPost, "/governance", access.ManageGovernance, s.saveGovernance},
		{http.MethodGet, "/delegations", access.ApprovePlan, s.showDelegations},
		{http.MethodPost, "/delegations", access.ApprovePlan, s.addDelegation},
		{http.MethodPost, "/delegations/{id}/revoke", access.ApprovePlan, s.revokeDelegation},
	}
}

// governanceForm is the rules as they were filled in.
type governanceForm struct {
	DecisionHours, ReminderHours, ExpiryDays, MaterialChange, EscalateTo string
	RequireEndorsement                                                   bool
	Errors                                                               map[string]string
}

// governanceView is the page of rules. Example are the moments of a plan that
// is proposed now.
type governanceView struct {
	Tabs      []tabView
	Form      governanceForm
	People    []choiceOption
	Example   approval.Deadlines
	UpdatedAt *time.Time
	UpdatedBy string
}

// governanceTabs lead between rules and delegations.
func governanceTabs(p Page, who access.Principal, delegations bool) []tabView {
	if !who.Can(access.ManageGovernance) {
		return nil
	}
	return []tabView{{"/governance", p.T("governance.rules"), !delegations, 0}, {"/delegations", p.T("delegations.title"), delegations, 0}}
}

func (s *Server) showGovernance(w http.ResponseWriter, r *http.Request) error {
	return s.governancePage(w, r, http.StatusOK, nil)
}

// governancePage prints the rules, or the form as it was filled in.
func (s *Server) governancePage(w http.ResponseWriter, r *http.Request, status int, form *governanceForm) error {
	p, err := s.page(r, "governance.title")
	if err != nil {
		return err
	}
	v := governanceView{Tabs: governanceTabs(p, access.From(r.Context()), false)}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		rules, err := q.GetGovernance(ctx, tx, tenant)
		if err != nil {
			return err
		}
		v.Form = governanceFormOf(rules)
		v.UpdatedAt, v.UpdatedBy = rules.UpdatedAt, localName(p.Lang, rules.UpdatedAr, rules.UpdatedEn)
		people, err := q.ListPeople(ctx, tx, tenant)
		if err != nil {
			return err
		}
		for _, x := range people {
			v.People = append(v.People, choiceOption{x.ID.String(), localName(p.Lang, x.NameAr, x.NameEn)})
		}
		days, err := db.TenantCalendar(ctx, tx, tenant)
		if err != nil {
			return err
		}
		now := time.Now()
		example := rules.Rules()
		due, err := example.Due(days, now)
		v.Example = example.Deadlines(days, now, due)
		return err
	})
	if err != nil {
		return err
	}
	if form != nil {
		v.Form = *form
	}
	p.Data = v
	s.render.Render(w, r, status, "governance/rules", p)
	return nil
}

func governanceFormOf(g db.GetGovernanceRow) governanceForm {
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	f := governanceForm{DecisionHours: number(g.DecisionHours), ReminderHours: number(g.ReminderHours), ExpiryDays: strconv.Itoa(int(g.ExpiryDays)),
		MaterialChange: number(g.MaterialChangeSar), RequireEndorsement: g.RequireEndorsement}
	if g.EscalateTo != nil {
		f.EscalateTo = g.EscalateTo.String()
	}
	return f
}

func readGovernanceForm(r *http.Request) governanceForm {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	return governanceForm{DecisionHours: value("decision_hours"), ReminderHours: value("reminder_hours"), ExpiryDays: value("expiry_days"),
		MaterialChange: value("material_change"), EscalateTo: value("escalate_to"), RequireEndorsement: value("require_endorsement") == "on",
		Errors: map[string]string{}}
}

// rules reads the form; Errors says what is wrong, by field.
func (f *governanceForm) rules(p Page, people []db.ListPeopleRow) db.SaveGovernanceParams {
	number := func(field, text string, ok func(float64) bool) float64 {
		v, err := strconv.ParseFloat(digits.Replace(text), 64)
		switch {
		case err != nil:
			f.Errors[field] = p.T("governance.error.number")
		case !ok(v): // NaN is in no range
			f.Errors[field] = p.T("governance.error." + field)
		}
		return v
	}
	g := db.SaveGovernanceParams{RequireEndorsement: f.RequireEndorsement}
	g.DecisionHours = number("decision_hours", f.DecisionHours, func(v float64) bool { return v >= 1 && v <= mostDecisionHours })
	g.ReminderHours = number("reminder_hours", f.ReminderHours, func(v float64) bool { return v >= 0 && v <= mostDecisionHours && v < g.DecisionHours })
	days := number("expiry_days", f.ExpiryDays, func(v float64) bool { return v >= 1 && v <= mostExpiryDays && v == float64(int32(v)) })
	g.MaterialChangeSar = number("material_change", f.MaterialChange, func(v float64) bool { return v >= 0 && v <= mostMaterial })
	if f.Errors["expiry_days"] == "" {
		g.ExpiryDays = int32(days)
	}
	if f.EscalateTo == "" {
		return g
	}
	id, err := uuid.Parse(f.EscalateTo)
	if err != nil || !slices.ContainsFunc(people, func(x db.ListPeopleRow) bool { return x.ID == id }) {
		f.Errors["escalate_to"] = p.T("governance.error.person")
		return g
	}
	g.EscalateTo = &id
	return g
}

// saveGovernance stores the rules; what is wrong comes back beside its field.
func (s *Server) saveGovernance(w http.ResponseWriter, r *http.Request) error {
	f := readGovernanceForm(r)
	p := s.render.Page(r)
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		people, err := q.ListPeople(ctx, tx, tenant)
		if err != nil {
			return err
		}
		before, err := q.GetGovernance(ctx, tx, tenant)
		if err != nil {
			return err
		}
		g := f.rules(p, people)
		if len(f.Errors) > 0 {
			return nil
		}
		g.TenantID, g.UpdatedBy = tenant, access.From(ctx).UserID
		if err := q.SaveGovernance(ctx, tx, g); err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "governance.changed", ObjectType: "tenant", ObjectID: tenant.String(),
			Before: rulesEntry(before.DecisionHours, before.ReminderHours, before.ExpiryDays, before.RequireEndorsement, before.EscalateTo, before.MaterialChangeSar),
			After:  rulesEntry(g.DecisionHours, g.ReminderHours, g.ExpiryDays, g.RequireEndorsement, g.EscalateTo, g.MaterialChangeSar)})
	})
	if err != nil {
		return err
	}
	if len(f.Errors) > 0 {
		return s.governancePage(w, r, http.StatusUnprocessableEntity, &f)
	}
	return s.redirect(w, r, "/governance", "governance.saved")
}

func rulesEntry(decision, reminder float64, expiry int32, endorsement bool, escalate *uuid.UUID, material float64) map[string]any {
	return map[string]any{"decision_hours": decision, "reminder_hours": reminder, "expiry_days": expiry, "require_endorsement": endorsement,
		"escalate_to": escalate, "material_change_sar": material}
}
