package activities

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector/webhook"
	"github.com/optria-iq/optria/internal/outhook"
	"github.com/optria-iq/optria/internal/secret"
)

// post is a plant whose deliveries may reach this machine.
type post struct{ *plantFixture }

func newPost(t *testing.T) post {
	t.Helper()
	f := newPlant(t)
	d := f.set.deps
	d.Dialer = &net.Dialer{}
	f.set = NewSet(d)
	return post{f}
}

// deliver goes through what is due.
func (p post) deliver() (sent Sent) {
	p.t.Helper()
	p.do(&sent, p.set.Deliver.Deliver, time.Duration(0))
	return sent
}

// hook stores a webhook and returns its id and secret.
func (p post) hook(tenant uuid.UUID, url string, kinds ...string) (uuid.UUID, string) {
	p.t.Helper()
	id, text := uuid.New(), webhook.NewSecret()
	sealed, err := p.set.deps.Box.Seal(tenant.String(), id.String(), secret.SigningField, []byte(text))
	require.NoError(p.t, err)
	err = p.db.InTenant(p.t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		var by uuid.UUID
		if err := tx.QueryRow(ctx, `SELECT id FROM core.users WHERE tenant_id = $1 LIMIT 1`, tenant).Scan(&by); err != nil {
			return err
		}
		_, err := q.AddWebhook(ctx, tx, db.AddWebhookParams{TenantID: tenant, ID: id, Name: "ERP", Url: url, Kinds: kinds, Secret: sealed, CreatedBy: by})
		return err
	})
	require.NoError(p.t, err)
	return id, text
}

var errUndone = errors.New("the change failed")

// announce writes an event; with fail, the transaction is rolled back after.
func (p post) announce(tenant uuid.UUID, kind, key string, fail error, to ...uuid.UUID) {
	p.t.Helper()
	err := p.db.InTenant(p.t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return errors.Join(db.Announce(ctx, tx, db.Announcement{TenantID: tenant, Kind: kind, ObjectType: "plan", ObjectID: tenant, Key: key,
			Payload: map[string]any{"title": "week 45", "cost_sar": 4120000}, To: to}), fail)
	})
	require.ErrorIs(p.t, err, fail)
}

// due lets every waiting delivery be due, as if its pause or lease were over.
func (p post) due() {
	p.t.Helper()
	p.exec(`UPDATE core.deliveries SET next_at = now() WHERE tenant_id = $1 AND state = 'waiting'`, p.tenant)
}

// receiver is another system. Answers are given in turn, the last one for
// ever; none means 200.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	ids     []string
	bodies  [][]byte
	headers []http.Header
}

func newReceiver(t *testing.T, answers ...int) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ids, r.bodies, r.headers = append(r.ids, request.Header.Get("webhook-id")), append(r.bodies, body), append(r.headers, request.Header)
		if n := len(r.ids); len(answers) > 0 {
			w.WriteHeader(answers[min(n, len(answers))-1])
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ids
}

func TestEventsReachTheWebhooksThatWantThemOnce(t *testing.T) {
	p := newPost(t)
	wants, all, other, paused := newReceiver(t), newReceiver(t), newReceiver(t), newReceiver(t)
	_, key := p.hook(p.tenant, wants.URL, "plan.approved", "run.failed")
	p.hook(p.tenant, all.URL, "*")
	p.hook(p.tenant, other.URL, "run.finished")
	stopped, _ := p.hook(p.tenant, paused.URL, "*")
	p.exec(`UPDATE core.webhooks SET state = 'paused' WHERE tenant_id = $1 AND id = $2`, p.tenant, stopped)

	p.announce(p.tenant, "plan.approved", "undone", errUndone)
	require.Equal(t, Sent{}, p.deliver(), "what is rolled back is never announced")
	for range 2 {
		p.announce(p.tenant, "plan.approved", "approved", nil)
	}
	require.Equal(t, Sent{Routed: 1, Delivered: 2}, p.deliver())
	require.Equal(t, Sent{}, p.deliver(), "nothing is sent twice")
	require.Len(t, wants.received(), 1)
	require.Equal(t, wants.received(), all.received(), "the id is that of the event")
	require.Empty(t, other.received())
	require.Empty(t, paused.received())

	verifier, err := standardwebhooks.NewWebhook(key)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(wants.bodies[0], wants.headers[0]))
	require.Error(t, verifier.Verify(all.bodies[0], all.headers[0]), "each webhook has a secret of its own")
	var said struct {
		Type string
		Data map[string]any
	}
	require.NoError(t, json.Unmarshal(wants.bodies[0], &said))
	require.Equal(t, "plan.approved", said.Type)
	require.Equal(t, map[string]any{"title": "week 45", "cost_sar": 4.12e6, "object_type": "plan", "object_id": p.tenant.String()}, said.Data)
	require.Equal(t, 2, p.count(`SELECT count(*) FROM core.deliveries WHERE tenant_id = $1 AND state = 'delivered' AND attempts = 1 AND last_status = 200`, p.tenant))
}

func TestFormerSecretSignsUntilItsTimeIsOver(t *testing.T) {
	p := newPost(t)
	r := newReceiver(t)
	id, former := p.hook(p.tenant, r.URL, "*")
	fresh := webhook.NewSecret()
	sealed, err := p.set.deps.Box.Seal(p.tenant.String(), id.String(), secret.SigningField, []byte(fresh))
	require.NoError(t, err)
	p.exec(`UPDATE core.webhooks SET former_secret = secret, former_until = now() + interval '1 day', secret = $3 WHERE tenant_id = $1 AND id = $2`, p.tenant, id, sealed)
	p.announce(p.tenant, "plan.approved", "1", nil)
	p.deliver()
	p.exec(`UPDATE core.webhooks SET former_until = now() - interval '1 second' WHERE tenant_id = $1`, p.tenant)
	p.announce(p.tenant, "plan.approved", "2", nil)
	p.deliver()
	for i, overlap := range []bool{true, false} {
		for _, x := range []struct {
			secret string
			valid  bool
		}{{fresh, true}, {former, overlap}} {
			verifier, err := standardwebhooks.NewWebhook(x.secret)
			require.NoError(t, err)
			require.Equal(t, x.valid, verifier.Verify(r.bodies[i], r.headers[i]) == nil)
		}
	}
}

func TestFailedDeliveriesAreTriedAgainUnderTheSameID(t *testing.T) {
	p := newPost(t)
	r := newReceiver(t, 500, 503, 302, 200)
	p.hook(p.tenant, r.URL, "*")
	p.announce(p.tenant, "plan.approved", "1", nil)
	for i, status := range []int{500, 503, 302} {
		p.due()
		require.Equal(t, 1, p.deliver().Failed)
		require.Equal(t, Sent{}, p.deliver(), "not before its time")
		require.Equal(t, 1, p.count(`SELECT count(*) FROM core.deliveries WHERE tenant_id = $1 AND state = 'waiting' AND attempts = $2 AND last_status = $3 AND next_at > now()
			AND last_error LIKE 'webhooks.problem.%'`, p.tenant, i+1, status))
	}
	require.Equal(t, 3, p.count(`SELECT failures FROM core.webhooks WHERE tenant_id = $1`, p.tenant))
	p.due()
	require.Equal(t, 1, p.deliver().Delivered)
	require.Zero(t, p.count(`SELECT failures FROM core.webhooks WHERE tenant_id = $1 AND failing_since IS NULL`, p.tenant))
	require.Len(t, r.received(), 4)
	for _, id := range r.received() {
		require.Equal(t, r.received()[0], id)
	}
}

func TestAWebhookThatKeepsFailingIsToldOfThenPaused(t *testing.T) {
	p := newPost(t)
	r := newReceiver(t, 500)
	p.hook(p.tenant, r.URL, "*")
	p.announce(p.tenant, "plan.approved", "1", nil)
	told := func() int {
		return p.count(`SELECT count(*) FROM core.notifications n JOIN core.events e ON e.tenant_id = n.tenant_id AND e.id = n.event_id
			WHERE e.tenant_id = $1 AND e.kind = 'webhook.failing' AND n.user_id = $2`, p.tenant, p.people[string(access.TenantAdmin)])
	}
	for range hookAlarmAfter + 1 {
		p.due()
		p.deliver()
	}
	require.Zero(t, told(), "a receiver that was away for a moment alarms nobody")
	for range 2 {
		p.exec(`UPDATE core.webhooks SET failing_since = now() - interval '1 hour' WHERE tenant_id = $1 AND failing_since > now() - interval '1 minute'`, p.tenant)
		p.due()
		p.deliver()
	}
	require.Equal(t, 1, told(), "once")
	require.Len(t, r.received(), hookAlarmAfter+3, "a webhook is not told of its own failures")
	p.exec(`UPDATE core.webhooks SET failing_since = now() - interval '6 days' WHERE tenant_id = $1`, p.tenant)
	p.due()
	p.deliver()
	require.Equal(t, 2, told())
	require.Equal(t, 1, p.count(`SELECT count(*) FROM core.webhooks WHERE tenant_id = $1 AND state = 'paused' AND paused_note = $2`, p.tenant, problemLong))
	require.Equal(t, 1, p.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'webhook.paused'`, p.tenant))
	n := len(r.received())
	p.due()
	p.deliver()
	require.Len(t, r.received(), n, "nothing is sent while it is paused")
	p.intact()
}

func TestTheLastAttemptFailsForGood(t *testing.T) {
	p := newPost(t)
	r := newReceiver(t, 500)
	p.hook(p.tenant, r.URL, "*")
	p.announce(p.tenant, "plan.approved", "1", nil)
	for range outhook.Attempts + 2 {
		p.due()
		p.deliver()
	}
	require.Len(t, r.received(), outhook.Attempts)
	require.Equal(t, 1, p.count(`SELECT count(*) FROM core.deliveries WHERE tenant_id = $1 AND state = 'failed'`, p.tenant))
}

func TestGonePausesAtOnce(t *testing.T) {
	p := newPost(t)
	r := newReceiver(t, http.StatusGone)
	p.hook(p.tenant, r.URL, "*")
	p.announce(p.tenant, "plan.approved", "1", nil)
	p.deliver()
	require.Equal(t, 1, p.count(`SELECT count(*) FROM core.webhooks w JOIN core.deliveries d ON d.tenant_id = w.tenant_id AND d.webhook_id = w.id
		WHERE w.tenant_id = $1 AND w.state = 'paused' AND w.paused_note = $2 AND d.state = 'failed'`, p.tenant, outhook.ProblemGone))
}

// TestAKilledWorkerSendsAtLeastOnce leaves a claimed delivery behind, as a
// worker that was killed does.
func TestAKilledWorkerSendsAtLeastOnce(t *testing.T) {
	p := newPost(t)
	r := newReceiver(t)
	p.hook(p.tenant, r.URL, "*")
	p.announce(p.tenant, "plan.approved", "1", nil)
	var id string
	p.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.RouteEvents(ctx, tx, p.tenant, routePage, false); err != nil {
			return err
		}
		claimed, err := q.ClaimWebhookDeliveries(ctx, tx, db.ClaimWebhookDeliveriesParams{TenantID: p.tenant, PerWebhook: 1, PageSize: 5, LeaseSeconds: lease.Seconds()})
		require.Len(t, claimed, 1)
		id = claimed[0].EventID.String()
		return err
	})
	require.Equal(t, Sent{}, p.deliver(), "what another worker has in hand is left")
	p.due()
	require.Equal(t, Sent{Delivered: 1}, p.deliver())
	require.Equal(t, []string{id}, r.received())
}
