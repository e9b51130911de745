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
	"github.com/optria-iq/optria/web/apitoken"
)

func (s *Server) tokenRoutes() []route {
	return []route{
		{http.MethodGet, "/tokens", access.ManageTokens, s.listTokens},
		{http.MethodPost, "/tokens", access.ManageTokens, s.createToken},
		{http.MethodGet, "/tokens/{id}/rotate", access.ManageTokens, s.showRotation},
		{http.MethodPost, "/tokens/{id}/rotate", access.ManageTokens, s.rotateToken},
		{http.MethodPost, "/tokens/{id}/revoke", access.ManageTokens, s.revokeToken},
	}
}

// tokenDays is the life in days that a new token is offered.
const tokenDays = 90

// tokenForm is a token as typed. Addresses are ranges separated by commas,
// spaces or lines.
type tokenForm struct {
	Account, Name, Days, Addresses string
	Scopes                         []string
	Errors                         map[string]string
	Accounts                       []Option
	Choices                        []roleChoice
}

// tokenView is the Data of tokens/list. Raw is the new token, on the one page
// that shows it; OldUntil is when the token that it replaces ends.
type tokenView struct {
	Groups       []tokenGroup
	Form         tokenForm
	Raw, RawName string
	RawUntil     time.Time
	OldUntil     *time.Time
	Soon         int
}

func (s *Server) tokenService() apitoken.Service { return apitoken.Service{Secret: s.Config.JWTSecret} }

func (s *Server) listTokens(w http.ResponseWriter, r *http.Request) error {
	return s.tokenPage(w, r, http.StatusOK, tokenForm{Account: r.URL.Query().Get("account"), Days: strconv.Itoa(tokenDays)}, nil, tokenView{})
}

func (s *Server) tokenPage(w http.ResponseWriter, r *http.Request, status int, f tokenForm, wrong map[string]apitoken.Problem, v tokenView) error {
	p, err := s.page(r, "tokens.title")
	if err != nil {
		return err
	}
	var rows []db.ListAPITokensRow
	var accounts []db.ListRoleHoldersRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if rows, err = q.ListAPITokens(ctx, tx, tenant); err != nil {
			return err
		}
		accounts, err = q.ListRoleHolders(ctx, tx, tenant, string(access.ServiceAccount))
		return err
	})
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	v.Groups = tokenGroups(p, rows, accounts, who.UserID, time.Now())
	for _, g := range v.Groups {
		v.Soon += g.Soon
	}
	v.Form = f.withChoices(p, accounts, who.UserID, wrong)
	p.Data = v
	s.render.Render(w, r, status, "tokens/list", p)
	return nil
}

func (f tokenForm) withChoices(p Page, accounts []db.ListRoleHoldersRow, own uuid.UUID, wrong map[string]apitoken.Problem) tokenForm {
	for _, a := range accounts {
		if a.IsActive {
			f.Accounts = append(f.Accounts, Option{a.ID.String(), a.Username})
		}
	}
	f.Accounts = append(f.Accounts, Option{own.String(), p.T("tokens.own")})
	for _, scope := range access.Scopes() {
		f.Choices = append(f.Choices, roleChoice{Value: scope, Label: p.T("tokens.scope." + scope), Checked: slices.Contains(f.Scopes, scope)})
	}
	f.Errors = tokenErrors(p, wrong)
	return f
}

// tokenErrors words what is wrong, with the value or the bound it speaks of.
func tokenErrors(p Page, wrong map[string]apitoken.Problem) map[string]string {
	out := map[string]string{}
	for field, problem := range wrong {
		out[field] = p.T(problem.Key, "Value", problem.Value, "Max", apitoken.MaxName)
	}
	return out
}

// draft reads the form; text that is no number or id is left for Check.
func (f tokenForm) draft() apitoken.Draft {
	d := apitoken.Draft{Name: f.Name, Scopes: f.Scopes, Ranges: f.Addresses}
	if days, err := strconv.Atoi(f.Days); err == nil {
		d.Days = days
	}
	if id, err := uuid.Parse(f.Account); err == nil {
		d.Account = id
	}
	return d
}

// createToken signs a token and shows it on this one answer; the database
// keeps only its hash.
func (s *Server) createToken(w http.ResponseWriter, r *http.Request) error {
	f := tokenForm{Account: r.PostFormValue("account"), Name: strings.TrimSpace(r.PostFormValue("name")), Days: strings.TrimSpace(r.PostFormValue("days")),
		Addresses: r.PostFormValue("addresses"), Scopes: r.PostForm["scopes"]}
	draft := f.draft()
	if wrong := draft.Check(); len(wrong) > 0 {
		return s.tokenPage(w, r, http.StatusUnprocessableEntity, f, wrong, tokenView{})
	}
	var issued apitoken.Issued
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, _ uuid.UUID) (err error) {
		issued, err = s.tokenService().Issue(ctx, tx, q, originOf(r), draft)
		return err
	})
	if err != nil {
		return notFound(err)
	}
	return s.newTokenPage(w, r, issued)
}

// newTokenPage shows a token that was just made.
func (s *Server) newTokenPage(w http.ResponseWriter, r *http.Request, issued apitoken.Issued) error {
	v := tokenView{Raw: issued.Raw, RawName: issued.Name, RawUntil: issued.Expires}
	if !issued.OldUntil.IsZero() {
		v.OldUntil = &issued.OldUntil
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.tokenPage(w, r, http.StatusOK, tokenForm{Days: strconv.Itoa(tokenDays)}, nil, v)
}

// revokeToken ends a token at once.
func (s *Server) revokeToken(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, _ uuid.UUID) error {
		return s.tokenService().Revoke(ctx, tx, q, originOf(r), id)
	})
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/tokens", "tokens.revoked")
}
