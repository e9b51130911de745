package web

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// Bounds of a username; the database has the same.
const (
	minUsername = 2
	maxUsername = 64
)

var username = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$`)

// userForm is an account as typed. ID is chosen with the empty form, so that
// a form sent twice makes one account.
type userForm struct {
	ID, Email, Username, NameAr, NameEn, Language string
	Roles                                         []string
	Service                                       bool
	Errors                                        map[string]string
	Choices                                       []roleChoice
	Languages                                     []Option
}

// roleChoice is one role that an admin may give.
type roleChoice struct {
	Value, Label, Text string
	Checked            bool
}

func (s *Server) newUser(w http.ResponseWriter, r *http.Request) error {
	f := userForm{ID: uuid.NewString(), Language: "ar", Service: r.URL.Query().Get("kind") == kindService}
	return s.userFormPage(w, r, http.StatusOK, f, nil)
}

func (s *Server) userFormPage(w http.ResponseWriter, r *http.Request, status int, f userForm, keys map[string]string) error {
	title := "users.new"
	if f.Service {
		title = "users.new.service"
	}
	p, err := s.page(r, title)
	if err != nil {
		return err
	}
	p.Crumbs = []Crumb{{Href: "/users", Label: p.T("users.title")}, {Label: p.Title}}
	p.Data = f.withChoices(p, keys)
	s.render.Render(w, r, status, "users/new", p)
	return nil
}

func readUserForm(r *http.Request) userForm {
	text := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	return userForm{ID: text("id"), Email: strings.ToLower(text("email")), Username: text("username"), NameAr: text("name_ar"), NameEn: text("name_en"),
		Language: text("language"), Roles: postedRoles(r), Service: text("kind") == kindService}
}

// postedRoles keeps what a form sent in the order of the matrix, each once;
// a value that is not a role for people is kept last, for check to refuse.
func postedRoles(r *http.Request) []string {
	_ = r.PostFormValue("roles") // parses the form
	posted := r.PostForm["roles"]
	var out []string
	for _, role := range access.TenantRoles() {
		if slices.Contains(posted, string(role)) {
			out = append(out, string(role))
		}
	}
	for _, v := range posted {
		if !slices.Contains(out, v) {
			return append(out, v)
		}
	}
	return out
}

// check returns the message key of every field that is wrong.
func (f userForm) check() map[string]string {
	keys := map[string]string{}
	checkText(keys, "name_ar", f.NameAr, 1, maxName)
	checkText(keys, "name_en", f.NameEn, 1, maxName)
	if f.Language != "ar" && f.Language != "en" {
		keys["language"] = "field.choice"
	}
	if !username.MatchString(f.Username) {
		keys["username"] = "users.username.wrong"
	}
	if _, err := uuid.Parse(f.ID); err != nil {
		keys["username"] = "tenants.form.stale"
	}
	if f.Service {
		return keys
	}
	checkEmail(keys, "email", f.Email)
	if key := checkRoles(f.Roles); key != "" {
		keys["roles"] = key
	}
	return keys
}

func checkRoles(roles []string) string {
	if len(roles) == 0 {
		return "users.roles.none"
	}
	for _, role := range roles {
		if !slices.Contains(access.TenantRoles(), access.Role(role)) {
			return "field.choice"
		}
	}
	return ""
}

func (f userForm) withChoices(p Page, keys map[string]string) userForm {
	f.Errors = translated(p, keys)
	for _, role := range access.TenantRoles() {
		f.Choices = append(f.Choices, roleChoice{Value: string(role), Label: p.T("role." + string(role)), Text: p.T("users.role." + string(role)),
			Checked: slices.Contains(f.Roles, string(role))})
	}
	f.Languages = languages()
	return f
}

// languages names each language in itself.
func languages() []Option { return []Option{{"ar", "العربية"}, {"en", "English"}} }

// createUser makes an account. A person gets a one-time password that the
// admin sees once; a service account has none and acts with tokens.
func (s *Server) createUser(w http.ResponseWriter, r *http.Request) error {
	f := readUserForm(r)
	tenant := access.From(r.Context()).TenantID
	if f.Service {
		f.Roles, f.Email = []string{string(access.ServiceAccount)}, serviceEmail(f.Username)
	}
	keys := f.check()
	if len(keys) == 0 && !f.Service {
		taken, err := s.emailTaken(r.Context(), f.Email, tenant)
		if err != nil {
			return err
		}
		if taken {
			keys["email"] = "users.email.taken"
		}
	}
	if len(keys) > 0 {
		return s.userFormPage(w, r, http.StatusUnprocessableEntity, f, keys)
	}
	credential, err := s.insertUser(r, f)
	if key := duplicateField(err); key != nil {
		return s.userFormPage(w, r, http.StatusUnprocessableEntity, f, key)
	}
	if err != nil {
		return err
	}
	target := "/users/" + f.ID
	if f.Service {
		return s.redirect(w, r, target, "users.created")
	}
	if err := s.addLogin(r.Context(), f.Email, tenant, uuid.MustParse(f.ID)); err != nil {
		return err
	}
	if credential != uuid.Nil {
		target += "/credentials/" + credential.String()
	}
	return s.redirect(w, r, target, "users.created")
}

// serviceEmail stands where the database wants an address; nobody signs in
// with it.
func serviceEmail(name string) string { return strings.ToLower(name) + "@service.invalid" }

// duplicateField tells which field holds a value that another account has.
func duplicateField(err error) map[string]string {
	var f *fault.Error
	if !errors.As(err, &f) || f.Key != "db.duplicate" {
		return nil
	}
	if constraint, _ := f.Args["constraint"].(string); strings.Contains(constraint, "email") {
		return map[string]string{"email": "users.email.here"}
	}
	return map[string]string{"username": "users.username.taken"}
}

// insertUser writes the account, its sealed password and the audit entry. An
// account that an earlier attempt made is left as it is.
func (s *Server) insertUser(r *http.Request, f userForm) (credential uuid.UUID, err error) {
	var hash *string
	var fresh freshPassword
	if !f.Service {
		if fresh, err = newPassword(); err != nil {
			return uuid.Nil, err
		}
		hash = &fresh.hash
	}
	id := uuid.MustParse(f.ID)
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		u, err := q.GetUser(ctx, tx, tenant, id)
		switch {
		case err == nil && u.Email != f.Email:
			return fault.New(fault.Conflict, "tenants.form.stale")
		case err == nil:
			credential, err = q.FindOpenCredential(ctx, tx, tenant, id)
			if fault.CodeOf(db.Fault(err)) == fault.NotFound {
				return nil
			}
			return err
		case fault.CodeOf(db.Fault(err)) != fault.NotFound:
			return err
		}
		_, err = q.CreateUser(ctx, tx, db.CreateUserParams{TenantID: tenant, ID: id, Email: f.Email, Username: f.Username, NameAr: f.NameAr, NameEn: f.NameEn,
			PasswordHash: hash, Roles: f.Roles, MustChangePassword: !f.Service, Language: f.Language})
		if err != nil {
			return err
		}
		if !f.Service {
			if credential, err = s.sealCredential(ctx, tx, r, q, tenant, id, fresh.plain); err != nil {
				return err
			}
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "user.created", ObjectType: "user", ObjectID: f.ID, After: map[string]any{
			"email": f.Email, "username": f.Username, "name_ar": f.NameAr, "name_en": f.NameEn, "roles": f.Roles}})
	})
	return credential, err
}
