package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/asset"
)

// userRoutes are those of people, their rights and the tokens of service
// accounts.
func (s *Server) userRoutes() []route {
	return slices.Concat([]route{
		{http.MethodGet, "/users", access.ManageUsers, s.listUsers},
		{http.MethodGet, "/users/new", access.ManageUsers, s.newUser},
		{http.MethodPost, "/users/new", access.ManageUsers, s.createUser},
		{http.MethodGet, "/users/{id}", access.ManageUsers, s.showUser},
		{http.MethodPost, "/users/{id}", access.ManageUsers, s.updateUser},
		{http.MethodPost, "/users/{id}/roles", access.ManageUsers, s.setUserRoles},
		{http.MethodPost, "/users/{id}/active", access.ManageUsers, s.setUserActive},
		{http.MethodPost, "/users/{id}/unlock", access.ManageUsers, s.unlockUser},
		{http.MethodPost, "/users/{id}/archive", access.ManageUsers, s.archiveUser},
		{http.MethodPost, "/users/{id}/password", access.ManageUsers, s.renewUserPassword},
		{http.MethodGet, "/users/{id}/credentials/{cid}", access.ManageUsers, s.showUserCredential},
		{http.MethodPost, "/users/{id}/credentials/{cid}", access.ManageUsers, s.revealUserCredential},
		{http.MethodPost, "/users/{id}/credentials/{cid}/handed", access.ManageUsers, s.handUserCredential},
	}, s.accessRoutes(), s.tokenRoutes(), s.accountRoutes())
}

// roleChip is one role of an account.
type roleChip struct{ Value, Label string }

// userRow is one line of the list and the head of an account's page.
type userRow struct {
	ID, Name, Email, Username, Search string
	Roles                             []roleChip
	Service, Active, Archived, Locked bool
	Waiting                           bool // holds a one-time password
	Self                              bool
	Duty                              bool           // may propose and approve
	State                             map[string]any // a chip
	LastLogin, LockedUntil            *time.Time
	CreatedAt                         time.Time
}

type userList struct {
	Rows                        []userRow
	Kind, Search                string
	Tabs                        []tabItem
	Filtered, SoleAdmin, Duties bool
}

// tabItem is one entry of the tabs part.
type tabItem struct {
	Href, Label string
	Active      bool
	Count       int
}

// Kinds of accounts, as tabs of the list.
const (
	kindPeople   = "people"
	kindService  = "service"
	kindArchived = "archived"
)

func (s *Server) listUsers(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "users.title")
	if err != nil {
		return err
	}
	var rows []db.ListUsersRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		rows, err = q.ListUsers(ctx, tx, tenant, true)
		return err
	})
	if err != nil {
		return err
	}
	v := userList{Kind: r.URL.Query().Get("kind"), Search: bounded(r.URL.Query().Get("q"), maxTyped)}
	if v.Kind != kindService && v.Kind != kindArchived {
		v.Kind = kindPeople
	}
	v.Filtered = v.Search != ""
	counts, admins := map[string]int{}, 0
	for _, x := range rows {
		u := newUserRow(p, x, access.From(r.Context()).UserID)
		kind := u.kind()
		counts[kind]++
		if kind == kindPeople && u.Active && slices.Contains(x.Roles, string(access.TenantAdmin)) {
			admins++
		}
		v.Duties = v.Duties || (kind == kindPeople && u.Duty)
		if kind == v.Kind && strings.Contains(u.Search, asset.Fold(v.Search)) {
			v.Rows = append(v.Rows, u)
		}
	}
	v.SoleAdmin = admins == 1
	for _, kind := range []string{kindPeople, kindService, kindArchived} {
		v.Tabs = append(v.Tabs, tabItem{Href: "/users?kind=" + kind, Label: p.T("users.kind." + kind), Active: kind == v.Kind, Count: counts[kind]})
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "users/list", p)
	return nil
}

func newUserRow(p Page, x db.ListUsersRow, self uuid.UUID) userRow {
	u := userRow{ID: x.ID.String(), Name: localName(p.Lang, x.NameAr, x.NameEn), Email: x.Email, Username: x.Username,
		Search:  asset.Fold(x.NameAr + " " + x.NameEn + " " + x.Email + " " + x.Username),
		Service: slices.Contains(x.Roles, string(access.ServiceAccount)), Active: x.IsActive, Archived: x.ArchivedAt != nil,
		Locked: x.LockedUntil != nil && x.LockedUntil.After(time.Now()), LockedUntil: x.LockedUntil, Waiting: x.MustChangePassword, Self: x.ID == self,
		Duty: conflictOfDuty(x.Roles), LastLogin: x.LastLoginAt, CreatedAt: x.CreatedAt}
	for _, role := range x.Roles {
		u.Roles = append(u.Roles, roleChip{role, p.T("role." + role)})
	}
	u.State = u.state(p)
	return u
}

// state is the mark of an account: the gravest thing that is true of it.
func (u userRow) state(p Page) map[string]any {
	tone, icon, key := "ok", "circle-check", "on"
	switch {
	case u.Archived:
		tone, icon, key = "none", "archive", "archived"
	case !u.Active:
		tone, icon, key = "none", "circle-pause", "off"
	case u.Locked:
		tone, icon, key = "bad", "lock", "locked"
	case u.Waiting:
		tone, icon, key = "wait", "hourglass", "waiting"
	}
	return map[string]any{"tone": tone, "icon": icon, "label": p.T("users.state." + key)}
}

func (u userRow) kind() string {
	switch {
	case u.Archived:
		return kindArchived
	case u.Service:
		return kindService
	}
	return kindPeople
}

// conflictOfDuty reports whether somebody both prepares plans as an engineer
// and approves them as an admin. It is allowed, and shown: nobody approves a
// plan of their own, so such a person may leave plans without an approver.
func conflictOfDuty(roles []string) bool {
	return slices.Contains(roles, string(access.OptimizationEng)) && slices.Contains(roles, string(access.TenantAdmin))
}
