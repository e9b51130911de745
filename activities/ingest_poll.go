package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// poll reads batch by batch until the source has been read up to now or the
// turn is over.
func (a *Ingest) poll(ctx context.Context, t *target, poller connector.Poller, deadline time.Time, result *PollResult) error {
	if len(t.tags) == 0 {
		return nil
	}
	for more := true; more; {
		if !time.Now().Before(deadline) {
			result.More = true
			return nil
		}
		var err error
		if more, err = a.step(ctx, t, poller, result); err != nil {
			return err
		}
		activity.RecordHeartbeat(ctx, result.Written)
	}
	return nil
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
	since, _, err := request.Window()
	if err != nil {
		return false, fmt.Errorf("window of a poll: %w", err)
	}
	_, archive := poller.(connector.Backfiller)
	p := polled{batch: batch, converted: t.convert(batch.Readings, started), absences: t.absences(batch.Notices, since), archive: archive,
		started: started, until: request.Until}
	p.notices.take(batch.Notices)
	if err := a.store(ctx, t, &p); err != nil {
		return false, err
	}
	p.keep(t)
	mark := batch.Watermark
	t.integration.Watermark = &mark
	result.Written += p.stored.New
	result.Rejected += p.rejected()
	if p.status == SyncPartial {
		result.Status = SyncPartial
	}
	return batch.More, nil
}

// polled is one batch of a poll on its way into the database.
type polled struct {
	converted
	absences
	batch   connector.Batch
	archive bool // the source can fill gaps
	started time.Time
	until   time.Time // end of the window asked for
	stored  db.Written
	status  string
}

func (p *polled) rejected() int64 { return p.bad + p.refused + p.stored.Rejected }

// store writes one batch, its watermark and its record in one transaction. The
// watermark moves only from where this poll found it: of two polls at once one
// fails here and stores nothing.
func (a *Ingest) store(ctx context.Context, t *target, p *polled) error {
	i := t.integration
	err := a.storing(ctx, i.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if p.stored, err = db.WriteReadings(ctx, tx, i.TenantID, p.rows); err != nil {
			return err
		}
		p.status = statusOf(int64(len(p.rows)), p.bad, p.refused+p.stored.Rejected, p.notices)
		if err := lostArchive(ctx, tx, q, t, p); err != nil {
			return err
		}
		if err := p.absences.write(ctx, tx, q, t, p.until, p.archive); err != nil {
			return err
		}
		moved, err := q.AdvanceWatermark(ctx, tx, db.AdvanceWatermarkParams{
			TenantID: i.TenantID, ID: i.ID, Previous: i.Watermark, Watermark: &p.batch.Watermark, Status: p.status, RowsWritten: p.stored.New,
		})
		if err != nil {
			return fmt.Errorf("advance watermark: %w", err)
		}
		if moved == 0 {
			return fault.New(fault.Unavailable, keyBusy)
		}
		if err := p.record(ctx, tx, q, i); err != nil {
			return err
		}
		if p.batch.More { // while a poll catches up nothing is said of silence
			return nil
		}
		return watchSilence(ctx, tx, q, i)
	})
	if err != nil {
		return fmt.Errorf("store readings: %w", err)
	}
	return nil
}

func (p *polled) record(ctx context.Context, tx pgx.Tx, q *db.Queries, i db.Integration) error {
	said, err := p.notices.encode()
	if err != nil {
		return err
	}
	err = q.RecordSync(ctx, tx, db.RecordSyncParams{
		TenantID: i.TenantID, IntegrationID: i.ID, StartedAt: p.started, Status: p.status, FromTs: i.Watermark, ToTs: &p.batch.Watermark,
		RowsWritten: p.stored.New, RowsBad: p.rejected(), Notices: said,
	})
	if err != nil {
		return fmt.Errorf("record sync: %w", err)
	}
	return nil
}
