package activities

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
)

// hanging answers only when open is closed, or its caller has gone.
func hanging(t *testing.T, open <-chan struct{}) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-open:
		case <-r.Context().Done():
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestASlowReceiverHoldsUpNobody: receivers that answer only after those of
// another webhook and of another tenant have been told. Were deliveries made
// one after the other, the slow ones would time out.
func TestASlowReceiverHoldsUpNobody(t *testing.T) {
	p := newPost(t)
	neighbour := uuid.New()
	require.NoError(t, p.db.Platform(t.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.CreateTenant(ctx, tx, db.CreateTenantParams{ID: neighbour, Code: "NEIGHBOUR", Kind: "customer", NameAr: "الجار", NameEn: "Neighbour", Industry: "water",
			CalendarProfile: "SA-STD", TimeZone: "Asia/Riyadh", Currency: "SAR", Settings: []byte("{}")})
		return err
	}))
	require.NoError(t, p.db.InTenant(t.Context(), neighbour, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, `INSERT INTO core.users (tenant_id, email, username, name_ar, name_en, roles) VALUES ($1, 'n@neighbour.example', 'neighbour', 'ن', 'N', '{tenant_admin}')`, neighbour)
		return err
	}))
	open := make(chan struct{})
	var told sync.WaitGroup
	told.Add(2)
	quick := func() string {
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told.Done() }))
		t.Cleanup(server.Close)
		return server.URL
	}
	slow := hanging(t, open)
	p.hook(p.tenant, slow, "plan.returned")
	p.hook(p.tenant, hanging(t, open), "plan.returned")
	p.hook(p.tenant, quick(), "plan.approved")
	p.hook(neighbour, quick(), "plan.approved")
	for i := range 6 {
		p.announce(p.tenant, "plan.returned", fmt.Sprint("slow ", i), nil)
	}
	p.announce(p.tenant, "plan.approved", "quick", nil)
	p.announce(neighbour, "plan.approved", "quick", nil)
	go func() { told.Wait(); close(open) }()
	require.Equal(t, Sent{Routed: 8, Delivered: 14}, p.deliver())
	require.Zero(t, p.count(`SELECT count(*) FROM core.deliveries WHERE tenant_id = $1 AND (attempts > 1 OR state <> 'delivered')`, p.tenant))
}

// TestOnlyWhatCanBeSentIsWork has due deliveries of a paused webhook and an
// e-mail.
func TestOnlyWhatCanBeSentIsWork(t *testing.T) {
	p := newPost(t)
	work := func(mail bool) (waiting bool) {
		p.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
			waiting, err = q.DeliveryWork(ctx, tx, p.tenant, mail)
			return err
		})
		return waiting
	}
	p.exec(`UPDATE core.events SET routed_at = now() WHERE tenant_id = $1 AND routed_at IS NULL`, p.tenant)
	require.False(t, work(true))
	hook, _ := p.hook(p.tenant, newReceiver(t).URL, "plan.approved")
	p.announce(p.tenant, "plan.approved", "first", nil)
	require.True(t, work(false), "an event to route")
	p.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.RouteEvents(ctx, tx, p.tenant, routePage, false)
		return err
	})
	require.True(t, work(false), "a delivery that is due")
	p.exec(`UPDATE core.webhooks SET state = 'paused' WHERE tenant_id = $1 AND id = $2`, p.tenant, hook)
	require.False(t, work(true), "nobody claims it")
	p.exec(`INSERT INTO core.deliveries (tenant_id, event_id, user_id) SELECT tenant_id, event_id, $2 FROM core.deliveries WHERE tenant_id = $1`, p.tenant, p.people["tenant_admin"])
	require.False(t, work(false), "without a server no e-mail is sent")
	require.True(t, work(true))
}
