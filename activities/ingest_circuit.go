package activities

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
)

// States of a circuit, as stored in integrations.
const (
	circuitClosed   = "closed"
	circuitOpen     = "open"
	circuitHalfOpen = "half_open"
)

// When the circuit opens and for how long: after five failures in a row for
// half a minute, ten seconds more each time, five minutes at most. A fault that
// only a person can mend opens it at once for that long.
const (
	failuresAllowed = 5
	openAtFirst     = 30 * time.Second
	openGrowth      = 10 * time.Second
	openAtMost      = 5 * time.Minute
)

// keyBusy is the key of the fault of a poll that found another one at work.
const keyBusy = "connector.fault.busy"

// circuit keeps a source that fails from being asked all the time.
type circuit struct {
	state       string
	since       time.Time
	failures    int32 // in a row
	retryAt     *time.Time
	needsPerson bool
}

func circuitOf(i db.Integration) circuit {
	return circuit{i.Circuit, i.CircuitSince, i.Failures, i.RetryAt, i.NeedsPerson}
}

// holds reports whether the source is to be left alone at a moment.
func (c circuit) holds(now time.Time) bool {
	return c.state == circuitOpen && c.retryAt != nil && now.Before(*c.retryAt)
}

// failed is the circuit after one more failure.
func (c circuit) failed(now time.Time, needsPerson bool) circuit {
	next := circuit{state: circuitClosed, since: c.since, failures: c.failures + 1, needsPerson: needsPerson}
	pause := time.Duration(0)
	switch {
	case needsPerson:
		pause = openAtMost
	case next.failures >= failuresAllowed:
		pause = min(openAtFirst+openGrowth*time.Duration(next.failures-failuresAllowed), openAtMost)
	}
	if pause > 0 {
		at := now.Add(pause)
		next.state, next.retryAt = circuitOpen, &at
	}
	if next.state != c.state {
		next.since = now
	}
	return next
}

// halfOpen lets one attempt through an open circuit.
func (a *Ingest) halfOpen(ctx context.Context, i db.Integration) error {
	if i.Circuit != circuitOpen {
		return nil
	}
	err := a.deps.DB.InTenant(ctx, i.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return q.TryIntegration(ctx, tx, i.TenantID, i.ID)
	})
	if err != nil {
		return fmt.Errorf("half-open circuit: %w", err)
	}
	return nil
}

// PollFailure is what RecordPollFailure writes down.
type PollFailure struct {
	IntegrationRef
	StartedAt time.Time
	Cause     ErrorDetail
}

// RecordPollFailure writes a poll that failed for good to the row of the
// integration and raises the alert. The watermark stays, so the next poll that
// works fetches what was missed.
func (a *Ingest) RecordPollFailure(ctx context.Context, f PollFailure) error {
	if f.Cause.Key == keyBusy { // another poll is at work and says how it went
		return nil
	}
	return a.deps.DB.InTenant(ctx, f.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := recordFailure(ctx, tx, q, failure{
			ref: f.IntegrationRef, startedAt: f.StartedAt, key: f.Cause.Key,
			needsPerson: connector.NeedsPerson(f.Cause.Fault(nil)), record: true, alert: true,
		})
		return err
	})
}

// failure is one failed attempt to read a source.
type failure struct {
	ref         IntegrationRef
	session     *uuid.UUID // of a stream: a session that was taken over says nothing
	startedAt   time.Time
	key         string // message key
	needsPerson bool
	record      bool // in the history of syncs
	alert       bool // now, not only once the circuit is open
}

// recordFailure counts a failure and returns the circuit after it. What is not
// the source's doing, such as a database that is away, is told but not counted.
func recordFailure(ctx context.Context, tx pgx.Tx, q *db.Queries, f failure) (circuit, error) {
	tenant, id, now := f.ref.TenantID, f.ref.IntegrationID, time.Now().UTC()
	i, err := q.LoadPolledIntegration(ctx, tx, tenant, id)
	if err != nil {
		return circuit{}, fmt.Errorf("load circuit: %w", err)
	}
	c := circuitOf(i)
	if f.session != nil && (i.Session == nil || *i.Session != *f.session) {
		return c, errTakenOver
	}
	if blamesSource(f.key) {
		c = c.failed(now, f.needsPerson)
	}
	_, err = q.MarkFailed(ctx, tx, db.MarkFailedParams{TenantID: tenant, ID: id, LastError: f.key, Circuit: c.state, CircuitSince: c.since,
		Failures: c.failures, RetryAt: c.retryAt, NeedsPerson: c.needsPerson})
	if err != nil {
		return c, fmt.Errorf("mark integration: %w", err)
	}
	if f.record {
		none, err := notices(nil).encode()
		if err != nil {
			return c, err
		}
		err = q.RecordSync(ctx, tx, db.RecordSyncParams{TenantID: tenant, IntegrationID: id, StartedAt: f.startedAt, Status: SyncFailed, Error: f.key, Notices: none})
		if err != nil {
			return c, fmt.Errorf("record sync: %w", err)
		}
	}
	if !f.alert && c.state != circuitOpen {
		return c, nil
	}
	detail := map[string]any{"reason": "failed", "error_key": f.key, "failures": c.failures, "needs_person": c.needsPerson}
	_, err = settleAlerts(ctx, tx, q, tenant, now, silence(id, true, detail))
	return c, err
}

// blamesSource reports whether a failure is the source's: one that connectors
// raise, or an answer that never came.
func blamesSource(key string) bool {
	return key == KeyTimeout || strings.HasPrefix(key, "connector.") && key != KeyTooManyStreams
}
