package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/apitoken"
)

// rotationView is the Data of tokens/rotate. Blocked says why the token cannot
// be replaced; it is empty when it can.
type rotationView struct {
	ID, Name, Account, Days, Overlap string
	Blocked                          string
	Scopes, Ranges, Schedules        []string
	ExpiresAt                        time.Time
	LastUsed                         *time.Time
	LastAddress                      string
	Overlaps                         []Option
	Errors                           map[string]string
}

func (s *Server) showRotation(w http.ResponseWriter, r *http.Request) error {
	return s.rotationPage(w, r, http.StatusOK, "", strconv.Itoa(apitoken.MaxOverlap), nil)
}

// rotationPage prints the form with what was typed. No days stand for the life
// that the token was made with.
func (s *Server) rotationPage(w http.ResponseWriter, r *http.Request, status int, days, overlap string, wrong map[string]apitoken.Problem) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p, err := s.page(r, "tokens.rotate")
	if err != nil {
		return err
	}
	var x db.GetAPITokenRow
	var schedules []db.ListSchedulesOfTokenRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if x, err = q.GetAPIToken(ctx, tx, tenant, id); err != nil {
			return err
		}
		schedules, err = q.ListSchedulesOfToken(ctx, tx, tenant, &id, x.APIToken.UserID)
		return err
	})
	if err != nil {
		return err
	}
	v := newRotationView(p, x, schedules, access.From(r.Context()).UserID)
	v.Overlap, v.Errors = overlap, tokenErrors(p, wrong)
	if days != "" {
		v.Days = days
	}
	p.Crumbs = []Crumb{{Href: "/tokens", Label: p.T("tokens.title")}, {Label: v.Name}}
	p.Data = v
	s.render.Render(w, r, status, "tokens/rotate", p)
	return nil
}

func newRotationView(p Page, x db.GetAPITokenRow, schedules []db.ListSchedulesOfTokenRow, own uuid.UUID) rotationView {
	t := x.APIToken
	life := int(t.ExpiresAt.Sub(t.CreatedAt).Round(24*time.Hour) / (24 * time.Hour))
	v := rotationView{ID: t.ID.String(), Name: t.Name, Account: x.Username, Scopes: t.Scopes, Ranges: t.AddressRanges, ExpiresAt: t.ExpiresAt,
		LastUsed: t.LastUsedAt, LastAddress: t.LastUsedAddress, Days: strconv.Itoa(min(max(life, 1), apitoken.MaxDays))}
	v.Overlaps = []Option{{"0", p.T("tokens.overlap.none")}}
	for n := 1; n <= apitoken.MaxOverlap; n++ {
		v.Overlaps = append(v.Overlaps, Option{strconv.Itoa(n), p.N("tokens.overlap.days", n)})
	}
	for _, schedule := range schedules {
		v.Schedules = append(v.Schedules, schedule.Name)
	}
	if key := apitoken.StandingOf(x).Blocked(own); key != "" {
		v.Blocked = p.T(key)
	}
	return v
}

// rotateToken makes the token that takes another one's place and shows it.
func (s *Server) rotateToken(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	days, overlap := strings.TrimSpace(r.PostFormValue("days")), strings.TrimSpace(r.PostFormValue("overlap"))
	rotation := apitoken.Rotation{Days: -1, Overlap: -1} // what is no number is refused by Check
	if n, err := strconv.Atoi(days); err == nil && n > 0 {
		rotation.Days = n
	}
	if n, err := strconv.Atoi(overlap); err == nil {
		rotation.Overlap = n
	}
	if wrong := rotation.Check(); len(wrong) > 0 {
		return s.rotationPage(w, r, http.StatusUnprocessableEntity, days, overlap, wrong)
	}
	var issued apitoken.Issued
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, _ uuid.UUID) (err error) {
		issued, err = s.tokenService().Rotate(ctx, tx, q, originOf(r), id, rotation)
		return err
	})
	if err != nil {
		return notFound(err)
	}
	return s.newTokenPage(w, r, issued)
}
