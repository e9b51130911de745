package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/secret"
)

// freshPassword is a random password with its hash.
type freshPassword struct{ plain, hash string }

// newPassword makes a password of 125 random bits in five groups, which can
// be read out and typed.
func newPassword() (freshPassword, error) {
	t := rand.Text()
	plain := t[:5] + "-" + t[5:10] + "-" + t[10:15] + "-" + t[15:20] + "-" + t[20:25]
	hash, err := argon2id.CreateHash(plain, argon2id.DefaultParams)
	if err != nil {
		return freshPassword{}, fmt.Errorf("hash password: %w", err)
	}
	return freshPassword{plain, hash}, nil
}

// sealCredential keeps a password for one showing to whoever made it, and
// erases older ones that nobody has seen.
func (s *Server) sealCredential(ctx context.Context, tx pgx.Tx, r *http.Request, q *db.Queries, tenant, user uuid.UUID, plain string) (uuid.UUID, error) {
	by := access.From(r.Context()).UserID
	if _, err := q.VoidOneTimeCredentials(ctx, tx, by, tenant, user); err != nil {
		return uuid.Nil, err
	}
	sealed, err := s.Box.Seal(tenant.String(), secret.OneTimeArea, user.String(), []byte(plain))
	if err != nil {
		return uuid.Nil, err
	}
	return q.CreateOneTimeCredential(ctx, tx, db.CreateOneTimeCredentialParams{TenantID: tenant, UserID: user, Ciphertext: sealed, CreatedBy: by})
}

// resetPassword gives an account a new one-time password, which ends its
// sessions. allowed refuses accounts to which the caller may not do that.
func (s *Server) resetPassword(r *http.Request, tenant, user uuid.UUID, allowed func(db.User) error) (credential uuid.UUID, err error) {
	fresh, err := newPassword()
	if err != nil {
		return uuid.Nil, err
	}
	err = s.DB.InTenant(r.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		u, err := q.GetUser(ctx, tx, tenant, user)
		if err != nil {
			return err
		}
		if err := allowed(u); err != nil {
			return err
		}
		_, err = q.SetUserPassword(ctx, tx, db.SetUserPasswordParams{PasswordHash: fresh.hash, MustChangePassword: true, TenantID: tenant, ID: user})
		if err != nil {
			return err
		}
		if credential, err = s.sealCredential(ctx, tx, r, q, tenant, user, fresh.plain); err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "user.credential_issued", ObjectType: "user", ObjectID: user.String()})
	})
	return credential, err
}

// credentialView is the Data of users/credentials. State is waiting, shown or
// gone; only shown has a password.
type credentialView struct {
	State, Name, Email, Password, LoginURL, Action, Back string
	At                                                   time.Time
	By                                                   string
}

// credential reads what is known of a one-time credential without opening it.
// Only the person who issued it may see it.
func (s *Server) credential(r *http.Request, tenant uuid.UUID) (db.GetOneTimeCredentialRow, error) {
	var c db.GetOneTimeCredentialRow
	id, err := pathID(r, "cid")
	if err != nil {
		return c, err
	}
	err = s.DB.InTenant(r.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		c, err = q.GetOneTimeCredential(ctx, tx, tenant, id)
		return err
	})
	if fault.CodeOf(err) == fault.NotFound || (err == nil && c.CreatedBy != access.From(r.Context()).UserID) {
		return c, fault.New(fault.NotFound, "error.404.text")
	}
	return c, err
}

// reveal opens a credential once. It answers NotFound when it was shown before.
func (s *Server) reveal(r *http.Request, tenant, credential uuid.UUID) (string, error) {
	var plain []byte
	err := s.DB.InTenant(r.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		row, err := q.RevealOneTimeCredential(ctx, tx, access.From(r.Context()).UserID, tenant, credential)
		if err != nil {
			return err
		}
		if plain, err = s.Box.Open(tenant.String(), secret.OneTimeArea, row.UserID.String(), row.Ciphertext); err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "user.credential_revealed", ObjectType: "user", ObjectID: row.UserID.String()})
	})
	return string(plain), err
}

// loginURL is where the person will sign in.
func (s *Server) loginURL(r *http.Request) string {
	if s.Config.BaseURL != nil {
		return s.Config.BaseURL.JoinPath("login").String()
	}
	return "http://" + r.Host + "/login"
}

// credentialPage prints the page of a credential in one of its three states.
func (s *Server) credentialPage(w http.ResponseWriter, r *http.Request, tenant uuid.UUID, c db.GetOneTimeCredentialRow, base string, open bool) error {
	p, err := s.page(r, "users.credential.title")
	if err != nil {
		return err
	}
	v := credentialView{State: "waiting", Name: localName(p.Lang, c.NameAr, c.NameEn), Email: c.Email, LoginURL: s.loginURL(r),
		Action: base + "/credentials/" + c.ID.String(), Back: base}
	if open && c.RevealedAt == nil {
		switch v.Password, err = s.reveal(r, tenant, c.ID); {
		case err == nil:
			v.State, v.Action = "shown", v.Action+"/handed"
		case fault.CodeOf(err) != fault.NotFound:
			return err
		default: // another tab was faster
			if c, err = s.credential(r, tenant); err != nil {
				return err
			}
		}
	}
	if c.RevealedAt != nil {
		v.State, v.At, v.By = "gone", *c.RevealedAt, localName(p.Lang, accountOf(r).user.NameAr, accountOf(r).user.NameEn)
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "users/credentials", p)
	return nil
}

func (s *Server) showTenantCredential(w http.ResponseWriter, r *http.Request) error {
	return s.tenantCredential(w, r, false)
}

func (s *Server) revealTenantCredential(w http.ResponseWriter, r *http.Request) error {
	return s.tenantCredential(w, r, true)
}

func (s *Server) tenantCredential(w http.ResponseWriter, r *http.Request, open bool) error {
	t, err := s.customer(r)
	if err != nil {
		return err
	}
	c, err := s.credential(r, t.ID)
	if err != nil {
		return err
	}
	return s.credentialPage(w, r, t.ID, c, "/tenants/"+t.ID.String(), open)
}

// handTenantCredential records that the credential reached its person.
func (s *Server) handTenantCredential(w http.ResponseWriter, r *http.Request) error {
	t, err := s.customer(r)
	if err != nil {
		return err
	}
	return s.handed(w, r, t.ID, "/tenants/"+t.ID.String())
}

func (s *Server) handed(w http.ResponseWriter, r *http.Request, tenant uuid.UUID, target string) error {
	c, err := s.credential(r, tenant)
	if err != nil {
		return err
	}
	if r.PostFormValue("handed_over") == "" || c.RevealedAt == nil {
		return fault.New(fault.Invalid, "users.credential.tick")
	}
	err = s.auditTenant(r, tenant, db.Entry{Action: "user.credential_handed", ObjectType: "user", ObjectID: c.UserID.String()})
	if err != nil {
		return err
	}
	return s.redirect(w, r, target, "users.credential.done")
}

func (s *Server) showUserCredential(w http.ResponseWriter, r *http.Request) error {
	return s.userCredential(w, r, false)
}

func (s *Server) revealUserCredential(w http.ResponseWriter, r *http.Request) error {
	return s.userCredential(w, r, true)
}

func (s *Server) userCredential(w http.ResponseWriter, r *http.Request, open bool) error {
	user, err := pathID(r, "id")
	if err != nil {
		return err
	}
	tenant := access.From(r.Context()).TenantID
	c, err := s.credential(r, tenant)
	if err != nil {
		return err
	}
	if c.UserID != user {
		return fault.New(fault.NotFound, "error.404.text")
	}
	return s.credentialPage(w, r, tenant, c, "/users/"+user.String(), open)
}

func (s *Server) handUserCredential(w http.ResponseWriter, r *http.Request) error {
	user, err := pathID(r, "id")
	if err != nil {
		return err
	}
	return s.handed(w, r, access.From(r.Context()).TenantID, "/users/"+user.String())
}
