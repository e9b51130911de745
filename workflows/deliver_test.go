package workflows

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector/webhook"
	"github.com/optria-iq/optria/internal/secret"
)

// TestDeliveriesGoOnWithAnotherWorker sends events through the schedule, stops
// the worker in the middle of a turn and sends on with another one.
func TestDeliveriesGoOnWithAnotherWorker(t *testing.T) {
	p := newPlatform(t)
	p.halt()
	keyset, err := secret.GenerateKeyset()
	require.NoError(t, err)
	box, err := secret.New(keyset)
	require.NoError(t, err)
	p.set = activities.NewSet(activities.Deps{DB: p.db, Box: box, Starter: p.client, SolverThreads: 1, Dialer: &net.Dialer{}})
	p.work()

	id, signing := uuid.New(), webhook.NewSecret()
	verifier, err := standardwebhooks.NewWebhook(signing)
	require.NoError(t, err)
	var mu sync.Mutex
	seen := map[string]int{}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || verifier.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		seen[r.Header.Get("webhook-id")]++
	}))
	t.Cleanup(receiver.Close)
	sealed, err := box.Seal(p.tenant.String(), id.String(), secret.SigningField, []byte(signing))
	require.NoError(t, err)
	p.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.AddWebhook(ctx, tx, db.AddWebhookParams{TenantID: p.tenant, ID: id, Name: "ERP", Url: receiver.URL, Kinds: []string{"*"}, Secret: sealed, CreatedBy: p.people["tenant_admin"]})
		return err
	})
	announce := func(key string) {
		p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			return db.Announce(ctx, tx, db.Announcement{TenantID: p.tenant, Kind: "plan.approved", ObjectType: "plan", ObjectID: p.tenant, Key: key})
		})
	}
	arrived := func(n int) func() bool {
		return func() bool {
			return p.count(`SELECT count(*) FROM core.deliveries WHERE tenant_id = $1 AND webhook_id = $2 AND state = 'delivered'`, p.tenant, id) == n
		}
	}
	announce("before")
	for range 2 { // creating and updating give the same
		require.NoError(t, p.client.EnsureDeliverySchedule(t.Context()))
	}
	p.eventually(arrived(1), "the first event arrives")
	p.halt()
	announce("meanwhile")
	p.work()
	p.eventually(arrived(2), "what happened while no worker ran arrives")
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, seen, 2)
	p.recordPrefix("deliveries", DeliveriesID)
}
