package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
)

// Break-glass: how long a platform owner may read one tenant, how grave the
// alert to its admins is (1 to 5), and how long the reason has to be.
const (
	glassMinutes  = 30
	glassSeverity = 3
	minReason     = 10
	maxReason     = 500
)

// enterByBreakGlass lets a platform owner read one tenant for half an hour.
// The tenant is told by an alert and both audit chains record it.
func (s *Server) enterByBreakGlass(w http.ResponseWriter, r *http.Request) error {
	t, err := s.customer(r)
	if err != nil {
		return err
	}
	reason := strings.TrimSpace(r.PostFormValue("reason"))
	if n := utf8.RuneCountInString(reason); n < minReason || n > maxReason {
		return s.tenantPage(w, r, http.StatusUnprocessableEntity, t, formOf(t), nil, map[string]string{"reason": "tenants.glass.reason.wrong"})
	}
	who := access.From(r.Context())
	entry := db.Entry{Action: "break_glass.granted", ObjectType: "tenant", ObjectID: t.ID.String()}
	err = s.DB.InTenant(r.Context(), t.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.EndBreakGlass(ctx, tx, t.ID, who.UserID); err != nil {
			return err
		}
		g, err := q.GrantBreakGlass(ctx, tx, db.GrantBreakGlassParams{TenantID: t.ID, ActorID: who.UserID, ActorName: who.Name, Reason: reason, Minutes: glassMinutes})
		if err != nil {
			return err
		}
		detail, err := json.Marshal(map[string]any{"actor": g.ActorName, "reason": g.Reason, "until": g.ExpiresAt.UTC().Format(time.RFC3339)})
		if err != nil {
			return err
		}
		err = q.RaiseNotice(ctx, tx, db.RaiseNoticeParams{TenantID: t.ID, Kind: "break_glass", Severity: glassSeverity, DedupeKey: "break_glass:" + g.ID.String(), Detail: detail})
		if err != nil {
			return err
		}
		entry.After = map[string]any{"grant": g.ID, "reason": g.Reason, "expires_at": g.ExpiresAt}
		return s.audit(ctx, tx, r, t.ID, entry)
	})
	if err != nil {
		return err
	}
	if err := s.auditPlatform(r, entry); err != nil {
		return err
	}
	if err := s.sessions.RenewToken(r.Context()); err != nil {
		return err
	}
	s.sessions.Put(r.Context(), keyTenant, t.ID.String())
	return s.redirect(w, r, "/dashboard", "")
}

// endBreakGlass leads a platform owner back before the half hour is over.
func (s *Server) endBreakGlass(w http.ResponseWriter, r *http.Request) error {
	who := access.From(r.Context())
	if !who.BreakGlass {
		if who.Can(access.EnterTenant) { // it has run out meanwhile
			return s.redirect(w, r, "/tenants", "")
		}
		return fault.New(fault.Forbidden, "error.403.text")
	}
	entry := db.Entry{Action: "break_glass.ended", ObjectType: "tenant", ObjectID: who.TenantID.String()}
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		if _, err := q.EndBreakGlass(ctx, tx, tenant, who.UserID); err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, entry)
	})
	if err != nil {
		return err
	}
	if err := s.auditPlatform(r, entry); err != nil {
		return err
	}
	s.sessions.Remove(r.Context(), keyTenant)
	return s.redirect(w, r, "/tenants/"+who.TenantID.String(), "tenants.glass.ended")
}
