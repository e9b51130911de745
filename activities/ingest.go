package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// States of a sync, as stored in integration_syncs.
const (
	SyncOK      = "ok"
	SyncPartial = "partial"
	SyncFailed  = "failed"
)

// Ingest reads plant systems: it polls, streams, fills gaps and lists trees.
type Ingest struct {
	deps  Deps
	pace  pace
	gate  *gate
	slots *slots
}

func newIngest(d Deps) *Ingest {
	return &Ingest{deps: d, pace: standardPace, gate: newGate(storesAtOnce, storesPerTenant), slots: newSlots(streamsPerTenant)}
}

// pace is how fast the engine turns. Tests turn it faster.
type pace struct {
	turn     time.Duration // of polling or filling before others may have the slot
	stream   time.Duration // of one streaming activity
	pulse    time.Duration // between two looks at the row of a streamed integration
	record   time.Duration // between two sync records of a stream
	firstTry time.Duration // pause after the first failure of a stream
	lastTry  time.Duration // longest pause while the circuit is closed
	opening  time.Duration // until the first batch of a session
	silence  time.Duration // between two batches of a session
	storing  time.Duration // a batch may wait for the database
	settle   time.Duration // after which a source's archive is complete
}

var standardPace = pace{
	turn: 10 * time.Second, stream: 6 * time.Hour, pulse: 3 * time.Second, record: time.Minute,
	firstTry: 500 * time.Millisecond, lastTry: 10 * time.Second, opening: 2 * time.Minute, silence: 3 * connector.SignOfLife,
	storing: 20 * time.Second, settle: 5 * time.Second,
}

// IntegrationRef names an integration.
type IntegrationRef struct {
	TenantID      uuid.UUID
	IntegrationID uuid.UUID
}

// PollResult says what a poll wrote. Rejected counts readings that were stored
// as bad or refused for their time. More holds when the source has further
// readings, Streams when the source is to be followed by StreamIntegration.
type PollResult struct {
	Written, Rejected int64
	Status            string
	More              bool
	Streams           bool
}

// PollIntegration reads what arrived at an integration since its watermark,
// batch by batch until it has caught up or its turn is over. Each batch is one
// transaction that stores the readings, moves the watermark and records the
// sync, so a crash repeats at most the reading of a batch and never its effect.
// While the circuit is open nothing is asked of the source.
func (a *Ingest) PollIntegration(ctx context.Context, ref IntegrationRef) (PollResult, error) {
	result := PollResult{Status: SyncOK}
	t, err := a.load(ctx, ref)
	if err != nil {
		return result, err
	}
	if t.integration.State != "active" || circuitOf(t.integration).holds(time.Now()) {
		return result, nil
	}
	opened, err := a.open(t)
	if err != nil {
		return result, err
	}
	defer opened.Close()
	a.startDue(ctx, t, opened)
	if err := a.halfOpen(ctx, t.integration); err != nil {
		return result, err
	}
	err = beating(ctx, func(ctx context.Context) error { return a.read(ctx, t, opened, &result) })
	return result, err
}

// read uses every way in which a source gives what it has.
func (a *Ingest) read(ctx context.Context, t *target, opened connector.Connector, result *PollResult) error {
	deadline := time.Now().Add(a.pace.turn)
	reads := false
	if receiver, ok := opened.(connector.Receiver); ok {
		reads = true
		if err := a.receive(ctx, t, receiver, deadline, result); err != nil {
			return err
		}
	}
	if readsRecords(opened) {
		reads = true
		records, err := a.syncRecords(ctx, t, opened, deadline)
		result.More = result.More || records.More
		if records.Refused > 0 {
			result.Status = SyncPartial
		}
		if err != nil {
			return err
		}
	}
	if _, ok := opened.(connector.Subscriber); ok {
		result.Streams = len(t.tags) > 0
		return nil
	}
	if poller, ok := opened.(connector.Poller); ok {
		return a.poll(ctx, t, poller, deadline, result)
	}
	if !reads {
		return fault.New(fault.Invalid, KeyCannotPoll).With("kind", t.integration.Kind)
	}
	return nil
}

func (a *Ingest) receive(ctx context.Context, t *target, receiver connector.Receiver, deadline time.Time, result *PollResult) error {
	inbox, err := a.processInbox(ctx, t, receiver, deadline)
	result.Written += inbox.Written
	result.Rejected += inbox.Rejected
	result.More = result.More || inbox.More
	if inbox.Failed > 0 {
		result.Status = SyncPartial
	}
	return err
}

// startDue starts what is due beside reading: the filling of gaps and the daily
// listing of the tree. What cannot be started now is due again in a minute.
func (a *Ingest) startDue(ctx context.Context, t *target, opened connector.Connector) {
	tenant, id := t.integration.TenantID, t.integration.ID
	if t.pulse.Gaps {
		if err := a.deps.Starter.StartBackfill(ctx, tenant, id); err != nil {
			activity.GetLogger(ctx).Warn("filling of gaps not started", "integration", id, "error", err)
		}
	}
	if _, ok := opened.(connector.Browser); ok && t.pulse.Undiscovered {
		if err := a.deps.Starter.Discover(ctx, tenant, id); err != nil {
			activity.GetLogger(ctx).Warn("listing of the tree not started", "integration", id, "error", err)
		}
	}
}

// storing runs work that stores readings. It first waits for its turn, so that
// the flood of one tenant does not use up the database for the others.
func (a *Ingest) storing(ctx context.Context, tenant uuid.UUID, work db.Work) error {
	leave, err := a.gate.enter(ctx, tenant)
	if err != nil {
		return fmt.Errorf("wait for a turn to store: %w", err)
	}
	defer leave()
	return a.deps.DB.InTenant(ctx, tenant, work)
}

// watchSilence raises an alert when a source answers but none of its signals
// has a fresh reading, and clears it when one has.
func watchSilence(ctx context.Context, tx pgx.Tx, q *db.Queries, i db.Integration) error {
	now := time.Now().UTC()
	seen, err := q.IntegrationFreshness(ctx, tx, now, i.TenantID, i.ID)
	if err != nil {
		return fmt.Errorf("look for fresh readings: %w", err)
	}
	silent := seen.Signals > 0 && seen.Fresh == 0
	detail := map[string]any{"reason": "stale", "signals": seen.Signals, "stale": seen.Signals - seen.Fresh}
	_, err = settleAlerts(ctx, tx, q, i.TenantID, now, silence(i.ID, silent, detail))
	return err
}

func silence(integration uuid.UUID, holds bool, detail map[string]any) alert {
	return alert{kind: AlertConnectorSilent, about: integration, integration: &integration, holds: holds, severity: 3, detail: detail}
}
