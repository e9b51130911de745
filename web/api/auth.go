package api

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httprate"
	"github.com/jackc/pgx/v5"
	"golang.org/x/text/language"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/token"
	"github.com/optria-iq/optria/web/integration"
)

// languages in the order of preference when a caller names none.
var languages = language.NewMatcher([]language.Tag{language.English, language.Arabic})

// language puts the texts of the caller's language into the context.
func (a *API) language(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lang := i18n.English
		if _, i := language.MatchStrings(languages, r.Header.Get("Accept-Language")); i == 1 {
			lang = i18n.Arabic
		}
		w.Header().Set("Content-Language", lang)
		w.Header().Set("X-Request-Id", middleware.GetReqID(r.Context()))
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), languageKey{}, a.Catalog.Localizer(lang))))
	})
}

// noStore keeps answers out of caches: they belong to one tenant.
func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// bounded stops a body that is larger than any operation takes.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
		next.ServeHTTP(w, r)
	})
}

// bearer returns the token of a request.
func bearer(header string) string {
	scheme, raw, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(raw)
}

// byToken counts requests by the hash of the token, or by address without one.
func byToken(r *http.Request) (string, error) {
	if raw := bearer(r.Header.Get("Authorization")); raw != "" {
		return hex.EncodeToString(token.Hash(raw)), nil
	}
	return byAddress(r)
}

// byAddress counts requests by the peer's address without its port.
func byAddress(r *http.Request) (string, error) {
	return httprate.CanonicalizeIP(host(r.RemoteAddr)), nil
}

// host is the address of a peer without its port.
func host(peer string) string {
	if h, _, err := net.SplitHostPort(peer); err == nil {
		return h
	}
	return peer
}

type remoteKey struct{}

// authorize verifies the token and lets a request pass when it carries the
// capability.
func (a *API) authorize(need access.Capability) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		who, scopes, err := a.authenticate(c.Context(), bearer(c.Header("Authorization")), c.RemoteAddr())
		switch {
		case errors.Is(err, token.ErrInvalid):
			c.SetHeader("WWW-Authenticate", `Bearer realm="optria", error="invalid_token"`)
			a.write(c, newProblem(c.Context(), http.StatusUnauthorized, "api.unauthorized"))
			return
		case err != nil:
			a.write(c, a.problem(c.Context(), err))
			return
		case !permits(who, scopes, need):
			a.write(c, newProblem(c.Context(), http.StatusForbidden, "api.forbidden", "Capability", string(need)))
			return
		}
		ctx := context.WithValue(access.With(c.Context(), who), remoteKey{}, c.RemoteAddr())
		next(huma.WithContext(c, ctx))
	}
}

func (a *API) write(c huma.Context, err error) {
	var p *Problem
	if !errors.As(err, &p) {
		p = newProblem(c.Context(), http.StatusInternalServerError, "error.500.text")
	}
	c.SetHeader("Content-Type", p.ContentType(""))
	c.SetStatus(p.Status)
	if err := a.huma.Marshal(c.BodyWriter(), "application/json", p); err != nil {
		a.Log.WarnContext(c.Context(), "write problem", "error", err)
	}
}

// permits reports whether a principal holds the capability. The token of a
// person is limited by its scopes where the capability has one.
func permits(who access.Principal, scopes []string, need access.Capability) bool {
	if scope := access.ScopeFor(need); !who.Service && scope != "" && !slices.Contains(scopes, scope) {
		return false
	}
	return who.Can(need)
}

// authenticate turns a token into a principal. Every reason to refuse is
// token.ErrInvalid, an address outside the token's ranges too, so that whoever
// finds a token does not learn that it is good elsewhere; other errors are
// failures of the platform. peer is the connection's address: headers that
// claim another one are not believed.
func (a *API) authenticate(ctx context.Context, raw, peer string) (access.Principal, []string, error) {
	var who access.Principal
	if raw == "" {
		return who, nil, token.ErrInvalid
	}
	claims, err := token.Verify(a.Secret, raw)
	if err != nil {
		return who, nil, token.ErrInvalid
	}
	var row db.GetUsableAPITokenRow
	err = a.DB.InTenant(ctx, claims.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		t, err := q.GetTenant(ctx, tx, claims.Tenant)
		if err != nil {
			return err
		}
		if row, err = q.GetUsableAPIToken(ctx, tx, claims.Tenant, claims.ID); err != nil {
			return err
		}
		if t.Status != "active" || row.APIToken.UserID != claims.User || subtle.ConstantTimeCompare(row.APIToken.TokenHash, token.Hash(raw)) != 1 {
			return token.ErrInvalid
		}
		if !token.Within(row.APIToken.AddressRanges, peer) {
			a.Log.WarnContext(ctx, "token used from outside its addresses", "tenant", claims.Tenant, "token", claims.ID, "peer", peer)
			return token.ErrInvalid
		}
		_, err = q.TouchAPIToken(ctx, tx, host(peer), claims.Tenant, claims.ID)
		return err
	})
	if fault.CodeOf(err) == fault.NotFound && err != nil {
		return who, nil, token.ErrInvalid
	}
	if err != nil {
		return who, nil, err
	}
	who = access.Principal{TenantID: claims.Tenant, HomeTenant: claims.Tenant, UserID: claims.User, Name: row.Username}
	for _, role := range row.Roles {
		who.Roles = append(who.Roles, access.Role(role))
	}
	if who.Has(access.ServiceAccount) {
		who.Service, who.Scopes = true, row.APIToken.Scopes
	}
	return who, row.APIToken.Scopes, nil
}

// origin says on whose behalf the request of a context changes something.
func origin(ctx context.Context) integration.Origin {
	who := access.From(ctx)
	remote, _ := ctx.Value(remoteKey{}).(string)
	return integration.Origin{Tenant: who.TenantID, Actor: db.ActorOf(who), RequestID: middleware.GetReqID(ctx), RemoteAddr: host(remote)}
}
