package web

import (
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
)

// demoRequestPage is how many requests one page lists.
const demoRequestPage = 50

// demoRequestView is one request from the landing page.
type demoRequestView struct {
	Name, Organization, Email, Message string
	At                                 time.Time
}

// showDemoRequests lists what visitors of the landing page asked for.
func (s *Server) showDemoRequests(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "demo.requests.title")
	if err != nil {
		return err
	}
	var rows []db.DemoRequest
	err = s.DB.Platform(r.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = q.ListDemoRequests(ctx, tx, demoRequestPage, 0)
		return err
	})
	if err != nil {
		return err
	}
	views := make([]demoRequestView, len(rows))
	for i, x := range rows {
		views[i] = demoRequestView{x.Name, x.Organization, x.Email, x.Message, x.CreatedAt}
	}
	p.Data = views
	s.render.Render(w, r, http.StatusOK, "tenants/requests", p)
	return nil
}
