package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// A filling that fails is tried again ever later, and given up after fillTries
// failures in a row without one page in between: about half an hour. An outage
// that was given up is tried again every hour for thirty days, so that an archive
// that answers again heals it. While the circuit of the source is open a filling
// waits and that does not count.
const (
	fillTries  = 10
	fillPause  = 5 * time.Second
	fillLonger = 5 * time.Minute
	fillRest   = 30 * time.Second
	pageWithin = 2 * time.Minute // the source may take for a page
)

// FillResult says whether there is more to fill, and what to wait before.
type FillResult struct {
	Written int64
	More    bool
	Wait    time.Duration
}

// FillGaps fills the open gaps of an integration from the archive of its
// source, page by page, until none is left or its turn is over. Each page is
// one transaction that stores the readings and says how far the filling has
// come, so a crash repeats at most the reading of a page. It works with a
// session of its own and never touches the watermark of live reading.
func (a *Ingest) FillGaps(ctx context.Context, ref IntegrationRef) (FillResult, error) {
	var result FillResult
	t, err := a.load(ctx, ref)
	if err != nil || t.integration.State != "active" {
		return result, err
	}
	if circuitOf(t.integration).state == circuitOpen {
		return FillResult{More: t.pulse.Gaps, Wait: fillRest}, nil
	}
	gap, found, err := a.nextGap(ctx, ref)
	if err != nil || !found {
		return result, err
	}
	result.More = true
	opened, err := a.open(t)
	if err != nil {
		return a.failFilling(ctx, gap, err, result)
	}
	defer opened.Close()
	archive, ok := opened.(connector.Backfiller)
	if !ok {
		return result, a.giveUp(ctx, gap, fillImpossible, KeyNoArchive)
	}
	if early := time.Until(gap.ToTs.Add(a.pace.settle)); early > 0 {
		result.Wait = early
		return result, nil
	}
	err = beating(ctx, func(ctx context.Context) (err error) {
		result, err = a.fill(ctx, t, gap, archive, result)
		return err
	})
	return result, err
}

// fill reads pages of one gap until its turn is over.
func (a *Ingest) fill(ctx context.Context, t *target, gap db.IntegrationBackfill, archive connector.Backfiller, result FillResult) (FillResult, error) {
	tags := t.tags
	if gap.Tags != nil {
		tags = slices.DeleteFunc(slices.Clone(gap.Tags), func(tag string) bool { _, mapped := t.mappings[tag]; return !mapped })
	}
	for deadline := time.Now().Add(a.pace.turn); time.Now().Before(deadline); {
		batch := connector.Batch{Watermark: gap.ToTs}
		if len(tags) > 0 {
			var err error
			if batch, err = page(ctx, archive, gap, tags); err != nil {
				return a.failFilling(ctx, gap, err, result)
			}
		}
		if none := named(batch.Notices, connector.NoticeNoHistory); len(none) > 0 && len(none) >= len(tags) {
			return result, a.giveUp(ctx, gap, fillImpossible, KeyNoArchive)
		}
		written, moved, err := a.storePage(ctx, t, &gap, batch)
		result.Written += written
		if err != nil || !moved || !batch.More {
			return result, err
		}
		activity.RecordHeartbeat(ctx, result.Written)
	}
	return result, nil
}

// page reads one page of a gap.
func page(ctx context.Context, archive connector.Backfiller, gap db.IntegrationBackfill, tags []string) (connector.Batch, error) {
	limited, cancel := context.WithTimeout(ctx, pageWithin)
	defer cancel()
	batch, err := archive.Backfill(limited, connector.PollRequest{Tags: tags, Since: gap.ReachedTs, Until: gap.ToTs, AsOf: time.Now().UTC()})
	switch {
	case err != nil && limited.Err() != nil && ctx.Err() == nil:
		return batch, fault.Wrap(fault.Unavailable, KeyTimeout, err)
	case err != nil:
		return batch, err
	case batch.More && !batch.Watermark.After(gap.ReachedTs):
		return batch, connector.Failed(connector.KeyProtocol, errors.New("the archive pages without end"))
	case len(refused(batch)) >= len(tags):
		return batch, connector.Failed(connector.KeySourceError, errors.New("the source refuses to read the archive of every tag"))
	}
	return batch, nil
}

// storePage stores one page. What the source refuses to read of single tags is
// a gap of its own, to be tried again. It reports false when the gap was widened or ended
// meanwhile; the next turn then sees the gap as it is.
func (a *Ingest) storePage(ctx context.Context, t *target, gap *db.IntegrationBackfill, batch connector.Batch) (written int64, moved bool, err error) {
	reached := batch.Watermark
	if !batch.More {
		reached = gap.ToTs
	}
	page := t.convert(batch.Readings, time.Now().UTC())
	err = a.storing(ctx, gap.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		written, moved = 0, false
		stored, err := db.WriteReadings(ctx, tx, gap.TenantID, page.rows)
		if err != nil {
			return err
		}
		n, err := q.AdvanceBackfill(ctx, tx, db.AdvanceBackfillParams{TenantID: gap.TenantID, ID: gap.ID, Previous: gap.ReachedTs,
			ReachedTs: reached, Tags: int32(len(gap.Tags)), RowsWritten: stored.New}) // #nosec G115 -- as many as are mapped
		if err != nil {
			return fmt.Errorf("advance filling: %w", err)
		}
		written, moved = stored.New, n > 0
		if tags := refused(batch); len(tags) > 0 && moved && !batch.More {
			if err := q.RecordGap(ctx, tx, db.RecordGapParams{TenantID: gap.TenantID, IntegrationID: gap.IntegrationID, FromTs: gap.FromTs, ToTs: gap.ToTs,
				Tags: tags, State: fillWaiting}); err != nil {
				return fmt.Errorf("record gap: %w", err)
			}
		}
		return q.CountFilled(ctx, tx, stored.New, gap.TenantID, gap.IntegrationID)
	})
	if err != nil {
		return 0, false, fmt.Errorf("store page: %w", err)
	}
	gap.ReachedTs = reached
	return written, moved, nil
}

func (a *Ingest) nextGap(ctx context.Context, ref IntegrationRef) (gap db.IntegrationBackfill, found bool, err error) {
	err = a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		next, err := q.NextBackfill(ctx, tx, ref.TenantID, ref.IntegrationID, time.Now().Add(-a.pace.settle))
		if len(next) > 0 {
			gap, found = next[0], true
		}
		return err
	})
	if err != nil {
		return gap, false, fmt.Errorf("look for a gap: %w", err)
	}
	return gap, found, nil
}

// failFilling notes why a page did not come. The end of this activity is not
// the source's doing.
func (a *Ingest) failFilling(ctx context.Context, gap db.IntegrationBackfill, cause error, result FillResult) (FillResult, error) {
	if ctx.Err() != nil {
		return result, ctx.Err()
	}
	activity.GetLogger(ctx).Info("filling of a gap failed", "integration", gap.IntegrationID, "cause", cause)
	state := fillWaiting
	if gap.Attempts+1 >= fillTries {
		state = fillFailed
	}
	result.Wait = min(fillPause<<min(gap.Attempts, 10), fillLonger)
	if connector.NeedsPerson(cause) {
		result.Wait = fillLonger
	}
	return result, a.giveUp(ctx, gap, state, connector.MessageKey(cause))
}

func (a *Ingest) giveUp(ctx context.Context, gap db.IntegrationBackfill, state, key string) error {
	err := a.deps.DB.InTenant(ctx, gap.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return q.FailBackfill(ctx, tx, db.FailBackfillParams{TenantID: gap.TenantID, ID: gap.ID, State: state, Error: key})
	})
	if err != nil {
		return fmt.Errorf("note end of filling: %w", err)
	}
	return nil
}
