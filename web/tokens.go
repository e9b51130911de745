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
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/token"
)

func (s *Server) tokenRoutes() []route {
	return []route{
		{http.MethodGet, "/tokens", access.ManageTokens, s.listTokens},
		{http.MethodPost, "/tokens", access.ManageTokens, s.createToken},
		{http.MethodPost, "/tokens/{id}/revoke", access.ManageTokens, s.revokeToken},
	}
}

// Bounds of a token's name and life in days.
const (
	maxTokenName  = 100
	maxTokenDays  = 365
	tokenDays     = 90
	tokenSoonDays = 7 // before its end a token is shown as ending soon
)

// tokenRow is one line of the list. State is live, soon, expired or revoked.
type tokenRow struct {
	ID, Name, Account, AccountID, State, Tone, Icon, Label string
	Scopes                                                 []string
	CreatedAt, ExpiresAt                                   time.Time
	LastUsed                                               *time.Time
	Usable                                                 bool
}

// tokenForm is a token as typed.
type tokenForm struct {
	Account, Name, Days string
	Scopes              []string
	Errors              map[string]string
	Accounts            []Option
	Choices             []roleChoice
}

// tokenView is the Data of tokens/list. Raw is the new token, on the one page
// that shows it.
type tokenView struct {
	Rows         []tokenRow
	Form         tokenForm
	Raw, RawName string
	RawUntil     time.Time
	Open         bool
}

func (s *Server) listTokens(w http.ResponseWriter, r *http.Request) error {
	return s.tokenPage(w, r, http.StatusOK, tokenForm{Account: r.URL.Query().Get("account"), Days: strconv.Itoa(tokenDays)}, nil, tokenView{Open: r.URL.Query().Get("account") != ""})
}

func (s *Server) tokenPage(w http.ResponseWriter, r *http.Request, status int, f tokenForm, keys map[string]string, v tokenView) error {
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
	for _, x := range rows {
		v.Rows = append(v.Rows, newTokenRow(p, x, time.Now()))
	}
	for _, a := range accounts {
		if a.IsActive {
			f.Accounts = append(f.Accounts, Option{a.ID.String(), a.Username})
		}
	}
	f.Accounts = append(f.Accounts, Option{access.From(r.Context()).UserID.String(), p.T("tokens.own")})
	for _, scope := range access.Scopes() {
		f.Choices = append(f.Choices, roleChoice{Value: scope, Label: p.T("tokens.scope." + scope), Checked: slices.Contains(f.Scopes, scope)})
	}
	f.Errors = translated(p, keys)
	v.Form = f
	p.Data = v
	s.render.Render(w, r, status, "tokens/list", p)
	return nil
}

func newTokenRow(p Page, x db.ListAPITokensRow, now time.Time) tokenRow {
	row := tokenRow{ID: x.ID.String(), Name: x.Name, Account: x.Username, AccountID: x.UserID.String(), Scopes: x.Scopes, CreatedAt: x.CreatedAt,
		ExpiresAt: x.ExpiresAt, LastUsed: x.LastUsedAt, State: "live", Tone: "ok", Icon: "circle-check", Usable: true}
	switch {
	case x.RevokedAt != nil:
		row.State, row.Tone, row.Icon, row.Usable = "revoked", "none", "ban", false
	case !x.ExpiresAt.After(now):
		row.State, row.Tone, row.Icon, row.Usable = "expired", "none", "clock", false
	case x.ExpiresAt.Before(now.AddDate(0, 0, tokenSoonDays)):
		row.State, row.Tone, row.Icon = "soon", "warn", "hourglass"
	}
	row.Label = p.T("tokens.state." + row.State)
	return row
}

// check returns the message key of every field that is wrong and the life of
// the token in days.
func (f tokenForm) check() (map[string]string, int) {
	keys := map[string]string{}
	checkText(keys, "name", f.Name, 1, maxTokenName)
	days, err := strconv.Atoi(f.Days)
	if err != nil || days < 1 || days > maxTokenDays {
		keys["days"] = "tokens.days.wrong"
	}
	if len(f.Scopes) == 0 {
		keys["scopes"] = "tokens.scopes.none"
	}
	for _, scope := range f.Scopes {
		if !slices.Contains(access.Scopes(), scope) {
			keys["scopes"] = "field.choice"
		}
	}
	if _, err := uuid.Parse(f.Account); err != nil {
		keys["account"] = "field.choice"
	}
	return keys, days
}

// createToken signs a token and shows it on this one answer; the database
// keeps only its hash.
func (s *Server) createToken(w http.ResponseWriter, r *http.Request) error {
	f := tokenForm{Account: r.PostFormValue("account"), Name: strings.TrimSpace(r.PostFormValue("name")), Days: strings.TrimSpace(r.PostFormValue("days")), Scopes: r.PostForm["scopes"]}
	slices.Sort(f.Scopes)
	f.Scopes = slices.Compact(f.Scopes)
	keys, days := f.check()
	if len(keys) > 0 {
		return s.tokenPage(w, r, http.StatusUnprocessableEntity, f, keys, tokenView{Open: true})
	}
	who := access.From(r.Context())
	c := token.Claims{ID: uuid.New(), Tenant: who.TenantID, User: uuid.MustParse(f.Account), Scopes: f.Scopes, Expires: time.Now().AddDate(0, 0, days).Truncate(time.Second)}
	raw, hash, err := token.Issue(s.Config.JWTSecret, c)
	if err != nil {
		return err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		u, err := q.GetUser(ctx, tx, tenant, c.User)
		if err != nil {
			return err
		}
		// A token for another person would let its maker act in that person's name.
		if !u.IsActive || u.ArchivedAt != nil || (u.ID != who.UserID && !slices.Contains(u.Roles, string(access.ServiceAccount))) {
			return fault.New(fault.NotFound, "error.404.text")
		}
		_, err = q.CreateAPIToken(ctx, tx, db.CreateAPITokenParams{TenantID: tenant, ID: c.ID, UserID: c.User, Name: f.Name, Scopes: f.Scopes, TokenHash: hash,
			CreatedBy: who.UserID, ExpiresAt: c.Expires})
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "api_token.created", ObjectType: "api_token", ObjectID: c.ID.String(),
			After: map[string]any{"name": f.Name, "account": u.Username, "scopes": f.Scopes, "expires_at": c.Expires.UTC()}})
	})
	if err != nil {
		return notFound(err)
	}
	return s.tokenPage(w, r, http.StatusOK, tokenForm{Days: strconv.Itoa(tokenDays)}, nil, tokenView{Raw: raw, RawName: f.Name, RawUntil: c.Expires})
}

// revokeToken ends a token at once.
func (s *Server) revokeToken(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		n, err := q.RevokeAPIToken(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "error.404.text")
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "api_token.revoked", ObjectType: "api_token", ObjectID: id.String(), After: map[string]bool{"revoked": true}})
	})
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/tokens", "tokens.revoked")
}
