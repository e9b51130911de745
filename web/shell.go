package web

import (
	"context"
	"net"
	"net/http"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/i18n"
)

// keyToast carries the key of one message across a redirect, keyToastText a
// message with its figures.
const (
	keyToast     = "toast"
	keyToastText = "toast_text"
)

// page returns the base of a page inside the application: navigation, person,
// tenants and toasts. The handler sets Data and Crumbs.
func (s *Server) page(r *http.Request, titleKey string) (Page, error) {
	ctx := r.Context()
	p, who, acc := s.render.Page(r), access.From(ctx), accountOf(r)
	p.Title = p.T(titleKey)
	p.Nav = navigation(who, r.URL.Path)
	p.User = &User{Name: localName(p.Lang, acc.user.NameAr, acc.user.NameEn), Email: acc.user.Email, Role: p.T("role." + acc.user.Roles[0])}
	if key := s.sessions.PopString(ctx, keyToast); key != "" {
		p.Toasts = append(p.Toasts, Toast{Tone: "ok", Title: p.T(key)})
	}
	if text := s.sessions.PopString(ctx, keyToastText); text != "" {
		p.Toasts = append(p.Toasts, Toast{Tone: "ok", Title: text})
	}
	var tenant db.Tenant
	err := s.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if tenant, err = q.GetTenant(ctx, tx, who.TenantID); err != nil {
			return err
		}
		if p.CanSearch = who.Can(access.ViewResults); p.CanSearch {
			n, err := q.CountOpenAlerts(ctx, tx, who.TenantID)
			if p.Alerts = int(n); err != nil {
				return err
			}
		}
		n, err := q.CountUnread(ctx, tx, who.TenantID, who.UserID)
		p.Unread = int(n)
		return err
	})
	if err != nil {
		return p, err
	}
	p.Synthetic = tenant.Synthetic
	current := Tenant{ID: tenant.ID.String(), Name: localName(p.Lang, tenant.NameAr, tenant.NameEn), Code: tenant.Code, Current: true}
	p.Tenant = &current
	if acc.breakGlass != nil {
		p.Break = &BreakGlass{Tenant: current.Name, Reason: acc.breakGlass.Reason, Until: acc.breakGlass.ExpiresAt}
	}
	p.Tenants, err = s.switcher(ctx, p, acc.user.Email, who.TenantID)
	return p, err
}

// switcher lists the tenants in which the person has an account.
func (s *Server) switcher(ctx context.Context, p Page, email string, current uuid.UUID) ([]Tenant, error) {
	logins, err := s.logins(ctx, email)
	if err != nil {
		return nil, err
	}
	var out []Tenant
	for _, l := range logins {
		out = append(out, Tenant{ID: l.TenantID.String(), Name: localName(p.Lang, l.NameAr, l.NameEn), Code: l.Code, Current: l.TenantID == current})
	}
	return out, nil
}

// redirect leads on after a form, with a toast on the next page.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, target, toastKey string) error {
	if toastKey != "" {
		s.sessions.Put(r.Context(), keyToast, toastKey)
	}
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", target)
		return nil
	}
	http.Redirect(w, r, target, http.StatusSeeOther) // #nosec G710 -- targets are built by handlers, not taken from the request
	return nil
}

// redirectSaying is redirect with a toast that was worded already.
func (s *Server) redirectSaying(w http.ResponseWriter, r *http.Request, target, text string) error {
	s.sessions.Put(r.Context(), keyToastText, text)
	return s.redirect(w, r, target, "")
}

// inTenant runs work in the tenant of the request's principal.
func (s *Server) inTenant(r *http.Request, work func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error) error {
	tenant := access.From(r.Context()).TenantID
	return s.DB.InTenant(r.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return work(ctx, tx, q, tenant)
	})
}

// audit writes an entry into a tenant's chain with the request's origin.
func (s *Server) audit(ctx context.Context, tx pgx.Tx, r *http.Request, tenant uuid.UUID, e db.Entry) error {
	e.TenantID = tenant
	if e.Actor.Kind == "" {
		e.Actor = db.ActorOf(access.From(r.Context()))
	}
	e.RequestID = middleware.GetReqID(r.Context())
	e.RemoteAddr = remoteAddress(r)
	return db.AppendAudit(ctx, tx, e)
}

// remoteAddress is the address of the connection's peer without its port.
// Behind a proxy the proxy has to pass the client on as the peer.
func remoteAddress(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// localName picks the name in the page's language.
func localName(lang, ar, en string) string {
	if (lang == i18n.English && en != "") || ar == "" {
		return en
	}
	return ar
}
