package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// States of a sync, as stored in integration_syncs.
const (
	SyncOK      = "ok"
	SyncPartial = "partial"
	SyncFailed  = "failed"
)

// pollBudget is how long one poll catches up before it leaves the rest to the
// next one.
const pollBudget = 2 * time.Minute

// IntegrationRef names an integration.
type IntegrationRef struct {
	TenantID      uuid.UUID
	IntegrationID uuid.UUID
}

// PollResult says what a poll wrote. Rejected counts readings that were stored
// as bad or refused for their time.
type PollResult struct {
	Written, Rejected int64
	Status            string
}

// PollFailure is what RecordPollFailure writes down.
type PollFailure struct {
	IntegrationRef
	StartedAt time.Time
	Cause     ErrorDetail
}

// target is everything a poll needs of an integration.
type target struct {
	integration db.Integration
	mappings    map[string]db.ListPolledMappingsRow
	tags        []string
	secrets     connector.Secrets
}

// PollIntegration reads what arrived at an integration since its watermark,
// batch by batch until it has caught up. Each batch is one transaction that
// stores the readings, moves the watermark and records the sync, so a crash
// repeats at most the reading of a batch and never its effect.
func (a *Ingest) PollIntegration(ctx context.Context, ref IntegrationRef) (PollResult, error) {
	t, err := a.load(ctx, ref)
	if err != nil {
		return PollResult{}, err
	}
	result := PollResult{Status: SyncOK}
	if t.integration.State != "active" || len(t.tags) == 0 {
		return result, nil
	}
	opened, err := a.open(t)
	if err != nil {
		return result, err
	}
	defer opened.Close()
	poller, ok := opened.(connector.Poller)
	if !ok {
		return result, fault.New(fault.Invalid, KeyCannotPoll).With("kind", t.integration.Kind)
	}
	deadline := time.Now().Add(pollBudget)
	for more := true; more && time.Now().Before(deadline); {
		if more, err = a.step(ctx, t, poller, &result); err != nil {
			return result, err
		}
		activity.RecordHeartbeat(ctx, result.Written)
	}
	return result, nil
}

func (a *Ingest) load(ctx context.Context, ref IntegrationRef) (*target, error) {
	t := &target{mappings: map[string]db.ListPolledMappingsRow{}, secrets: connector.Secrets{}}
	var sealed []db.ListSealedCredentialsRow
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if t.integration, err = q.LoadPolledIntegration(ctx, tx, ref.TenantID, ref.IntegrationID); err != nil {
			return err
		}
		mappings, err := q.ListPolledMappings(ctx, tx, ref.TenantID, ref.IntegrationID)
		for _, m := range mappings {
			t.mappings[m.ExternalTag] = m
			t.tags = append(t.tags, m.ExternalTag)
		}
		if err != nil {
			return err
		}
		sealed, err = q.ListSealedCredentials(ctx, tx, ref.TenantID, ref.IntegrationID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load integration: %w", err)
	}
	for _, s := range sealed {
		plain, err := a.deps.Box.Open(ref.TenantID.String(), ref.IntegrationID.String(), s.Field, s.Ciphertext)
		if err != nil {
			return nil, fmt.Errorf("open credential %s: %w", s.Field, err)
		}
		t.secrets[s.Field] = string(plain)
	}
	return t, nil
}

func (a *Ingest) open(t *target) (connector.Connector, error) {
	config := connector.Config{}
	if err := json.Unmarshal(t.integration.Config, &config); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return connector.Open(t.integration.Kind, config, t.secrets, a.deps.Dialer)
}

// step polls and stores one batch and reports whether more is waiting.
func (a *Ingest) step(ctx context.Context, t *target, poller connector.Poller, result *PollResult) (bool, error) {
	started := time.Now()
	request := connector.PollRequest{Tags: t.tags, Until: started.UTC()}
	if t.integration.Watermark != nil {
		request.Since = *t.integration.Watermark
	}
	if request.Since.After(request.Until) {
		return false, nil
	}
	batch, err := poller.Poll(ctx, request)
	if err != nil {
		return false, fmt.Errorf("poll %s: %w", t.integration.Kind, err)
	}
	rows, bad := t.convert(batch.Readings)
	stored, err := a.store(ctx, t, batch, rows, bad, started)
	if err != nil {
		return false, err
	}
	mark := batch.Watermark
	t.integration.Watermark = &mark
	result.Written += stored.New
	result.Rejected += bad + stored.Rejected
	if stored.Rejected > 0 || unknownTags(batch.Notices) {
		result.Status = SyncPartial
	}
	return batch.More, nil
}

func unknownTags(notices []connector.Notice) bool {
	for _, n := range notices {
		if n.Key == connector.NoticeUnknownTag {
			return true
		}
	}
	return false
}

// convert maps readings to signals and units. A value that is not finite, or
// whose unit is not the one that was mapped, is kept as bad: it must be
// visible that the source speaks, and never be scored.
func (t *target) convert(readings []connector.Reading) (rows []db.Row, bad int64) {
	rows = make([]db.Row, 0, len(readings))
	for _, r := range readings {
		m, ok := t.mappings[r.ExternalTag]
		if !ok {
			continue
		}
		row := db.Row{SignalID: m.SignalID, Time: r.Time, Value: r.Value*m.Factor + m.Shift, Quality: r.Quality}
		foreign := r.Unit != "" && m.SourceUnit != "" && r.Unit != m.SourceUnit
		if foreign || math.IsNaN(row.Value) || math.IsInf(row.Value, 0) {
			row.Quality = asset.Bad
		}
		if row.Quality == asset.Bad {
			bad++
		}
		rows = append(rows, row)
	}
	return rows, bad
}

// store writes one batch, its watermark and its record in one transaction. The
// watermark moves only from where this poll found it: of two polls at once one
// fails here and stores nothing.
func (a *Ingest) store(ctx context.Context, t *target, batch connector.Batch, rows []db.Row, bad int64, started time.Time) (db.Written, error) {
	var stored db.Written
	i := t.integration
	err := a.deps.DB.InTenant(ctx, i.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if stored, err = db.WriteReadings(ctx, tx, i.TenantID, rows); err != nil {
			return err
		}
		status := SyncOK
		if stored.Rejected > 0 || unknownTags(batch.Notices) {
			status = SyncPartial
		}
		moved, err := q.AdvanceWatermark(ctx, tx, db.AdvanceWatermarkParams{
			TenantID: i.TenantID, ID: i.ID, Previous: i.Watermark, Watermark: &batch.Watermark, Status: status, RowsWritten: stored.New,
		})
		if err != nil {
			return fmt.Errorf("advance watermark: %w", err)
		}
		if moved == 0 {
			return fault.New(fault.Unavailable, "connector.fault.busy")
		}
		err = q.RecordSync(ctx, tx, db.RecordSyncParams{
			TenantID: i.TenantID, IntegrationID: i.ID, StartedAt: started, Status: status, FromTs: i.Watermark, ToTs: &batch.Watermark,
			RowsWritten: stored.New, RowsBad: bad + stored.Rejected,
		})
		if err != nil {
			return fmt.Errorf("record sync: %w", err)
		}
		return a.watchSilence(ctx, tx, q, i, batch.More)
	})
	if err != nil {
		return stored, fmt.Errorf("store readings: %w", err)
	}
	return stored, nil
}

// watchSilence raises an alert when a source answers but none of its signals
// has a fresh reading, and clears it when one has. While a poll catches up
// nothing is said.
func (a *Ingest) watchSilence(ctx context.Context, tx pgx.Tx, q *db.Queries, i db.Integration, catchingUp bool) error {
	if catchingUp {
		return nil
	}
	now := time.Now().UTC()
	seen, err := q.IntegrationFreshness(ctx, tx, now, i.TenantID, i.ID)
	if err != nil {
		return fmt.Errorf("look for fresh readings: %w", err)
	}
	silent := seen.Signals > 0 && seen.Fresh == 0
	_, err = settleAlerts(ctx, tx, q, i.TenantID, now, silence(i.ID, silent, map[string]any{"reason": "stale", "signals": seen.Signals}))
	return err
}

func silence(integration uuid.UUID, holds bool, detail map[string]any) alert {
	return alert{kind: AlertConnectorSilent, about: integration, integration: &integration, holds: holds, severity: 3, detail: detail}
}

// RecordPollFailure writes a poll that failed for good to the row of the
// integration and raises the alert. The watermark stays, so the next poll that
// works fetches what was missed.
func (a *Ingest) RecordPollFailure(ctx context.Context, f PollFailure) error {
	return a.deps.DB.InTenant(ctx, f.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.MarkPollFailed(ctx, tx, f.Cause.Key, f.TenantID, f.IntegrationID); err != nil {
			return fmt.Errorf("mark integration: %w", err)
		}
		err := q.RecordSync(ctx, tx, db.RecordSyncParams{
			TenantID: f.TenantID, IntegrationID: f.IntegrationID, StartedAt: f.StartedAt, Status: SyncFailed, Error: f.Cause.Key,
		})
		if err != nil {
			return fmt.Errorf("record sync: %w", err)
		}
		detail := map[string]any{"reason": "failed", "error_key": f.Cause.Key}
		_, err = settleAlerts(ctx, tx, q, f.TenantID, time.Now().UTC(), silence(f.IntegrationID, true, detail))
		return err
	})
}
