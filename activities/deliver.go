package activities

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/mail"
	"github.com/optria-iq/optria/internal/outhook"
)

// How deliveries share what there is. A receiver that does not answer costs
// its own webhook's places and, in the worst case, its tenant's; other tenants
// have theirs.
const (
	lookEvery  = 3 * time.Second  // between two looks for work
	routePage  = 200              // events routed in one transaction
	perTenant  = 8                // deliveries of a tenant under way
	perWebhook = 2                // of these to one webhook
	mailAtOnce = 3                // and by e-mail
	lease      = 90 * time.Second // a claimed delivery is due again after; longer than any attempt
)

// Mailing is how e-mail leaves: the server, the texts, and the address that
// links lead to.
type Mailing struct {
	Server  mail.Settings
	Catalog *i18n.Catalog
	BaseURL *url.URL
}

// Deliver sends events to webhooks and by e-mail.
type Deliver struct {
	deps  Deps
	hooks *outhook.Sender
}

func newDeliver(d Deps) *Deliver { return &Deliver{d, outhook.NewSender(d.Dialer)} }

// Sent counts what a turn did.
type Sent struct{ Routed, Delivered, Failed int }

// Deliver looks for new events and due deliveries of every tenant, again and
// again, until the turn has passed since it was scheduled, and waits for what
// is under way. A turn of zero goes through what is due and ends. Every
// attempt is claimed before it is made, so a repetition sends nothing that
// another worker has in hand.
func (a *Deliver) Deliver(ctx context.Context, turn time.Duration) (Sent, error) {
	var end time.Time
	if turn > 0 {
		end = activity.GetInfo(ctx).ScheduledTime.Add(turn)
	}
	r := &round{Deliver: a, end: end, stop: activity.GetWorkerStopChannel(ctx), serving: map[uuid.UUID]bool{}}
	for {
		activity.RecordHeartbeat(ctx)
		if err := r.look(ctx); err != nil {
			r.group.Wait()
			return r.sent, err
		}
		if r.end.IsZero() || r.over(ctx) {
			break
		}
		select {
		case <-ctx.Done():
		case <-r.stop:
		case <-time.After(lookEvery):
		}
	}
	r.group.Wait()
	if r.stopping() {
		return r.sent, errStopping
	}
	return r.sent, ctx.Err()
}

// round is one turn.
type round struct {
	*Deliver
	end     time.Time // zero: until nothing is due
	stop    <-chan struct{}
	group   sync.WaitGroup
	mu      sync.Mutex // guards the rest
	serving map[uuid.UUID]bool
	sent    Sent
}

// over reports whether nothing new is begun.
func (r *round) over(ctx context.Context) bool {
	return ctx.Err() != nil || r.stopping() || (!r.end.IsZero() && time.Now().After(r.end))
}

// stopping reports whether the worker is told to stop.
func (r *round) stopping() bool {
	select {
	case <-r.stop:
		return true
	default:
		return false
	}
}

// look starts to serve every tenant that has work and is not being served.
// For an idle tenant it is one indexed query.
func (r *round) look(ctx context.Context) error {
	tenants, err := activeTenants(ctx, r.deps.DB)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		if r.busy(t.ID) {
			continue
		}
		waiting := false
		err := r.deps.DB.InTenant(ctx, t.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
			waiting, err = q.DeliveryWork(ctx, tx, t.ID, r.deps.Mail != nil)
			return err
		})
		switch {
		case err != nil:
			activity.GetLogger(ctx).Warn("deliveries not looked for", "tenant", t.Code, "error", err)
		case waiting:
			r.begin(ctx, t)
		}
	}
	return nil
}

func (r *round) busy(tenant uuid.UUID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.serving[tenant]
}

func (r *round) begin(ctx context.Context, t db.Tenant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serving[t.ID] = true
	r.group.Go(func() {
		s := &counter{round: r, tenant: t, hooks: map[uuid.UUID]int{}, done: make(chan uuid.UUID, perTenant+mailAtOnce)}
		s.serve(ctx)
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.serving, t.ID)
	})
}

func (r *round) count(add Sent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent.Routed += add.Routed
	r.sent.Delivered += add.Delivered
	r.sent.Failed += add.Failed
}

// counter works for one tenant. Only its own goroutine reads and writes it;
// attempts report on done, with the webhook or nil for an e-mail.
type counter struct {
	*round
	tenant db.Tenant
	hooks  map[uuid.UUID]int // under way, by webhook
	mails  int
	done   chan uuid.UUID
}

// serve claims and sends until nothing is due or the turn is over, and waits
// for what is under way.
func (s *counter) serve(ctx context.Context) {
	for {
		begun := 0
		if !s.over(ctx) {
			var err error
			if begun, err = s.claim(ctx); err != nil {
				activity.GetLogger(ctx).Warn("deliveries not claimed", "tenant", s.tenant.Code, "error", err)
			}
		}
		if begun > 0 {
			continue
		}
		if s.underWay() == 0 {
			return
		}
		select {
		case hook := <-s.done:
			s.release(hook)
		case <-time.After(lookEvery):
		}
	}
}

func (s *counter) underWay() int {
	n := s.mails
	for _, k := range s.hooks {
		n += k
	}
	return n
}

func (s *counter) release(hook uuid.UUID) {
	if hook == uuid.Nil {
		s.mails--
		return
	}
	if s.hooks[hook]--; s.hooks[hook] == 0 {
		delete(s.hooks, hook)
	}
}

// claim routes new events and begins what may begin; it returns how much it
// found to do.
func (s *counter) claim(ctx context.Context) (int, error) {
	var busy []uuid.UUID
	for hook, n := range s.hooks {
		if n >= perWebhook {
			busy = append(busy, hook)
		}
	}
	room, letters := perTenant-(s.underWay()-s.mails), 0
	if s.deps.Mail != nil {
		letters = mailAtOnce - s.mails
	}
	var routed int64
	var hooks []db.ClaimWebhookDeliveriesRow
	var mails []db.ClaimMailDeliveriesRow
	err := s.deps.DB.InTenant(ctx, s.tenant.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if routed, err = q.RouteEvents(ctx, tx, s.tenant.ID, routePage, s.deps.Mail != nil); err != nil {
			return fmt.Errorf("route events: %w", err)
		}
		if room > 0 {
			hooks, err = q.ClaimWebhookDeliveries(ctx, tx, db.ClaimWebhookDeliveriesParams{TenantID: s.tenant.ID, Busy: busy, PerWebhook: 1,
				PageSize: int32(room), LeaseSeconds: lease.Seconds()}) //nolint:gosec // a small constant
		}
		if err == nil && letters > 0 {
			mails, err = q.ClaimMailDeliveries(ctx, tx, lease.Seconds(), s.tenant.ID, int32(letters)) //nolint:gosec // a small constant
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	s.count(Sent{Routed: int(routed)})
	for _, d := range hooks {
		s.hooks[d.WebhookID]++
		s.run(d.WebhookID, func() { s.sendHook(ctx, s.tenant.ID, d) })
	}
	for _, d := range mails {
		s.mails++
		s.run(uuid.Nil, func() { s.sendMail(ctx, s.tenant, d) })
	}
	return int(routed) + len(hooks) + len(mails), nil
}

func (s *counter) run(hook uuid.UUID, attempt func()) {
	s.group.Go(func() {
		attempt()
		s.done <- hook
	})
}
