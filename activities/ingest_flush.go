package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
)

// recordApart is the shortest time between the sync records of sessions that
// come and go.
const recordApart = 10 * time.Second

// flush is one batch on its way into the database.
type flush struct {
	converted
	watermark time.Time // zero when the batch says none
	back      []string  // tags that the source knows again
	lost      []string  // tags of which the source's queue has dropped values
	now       time.Time
	stored    db.Written
	sum       tally // of the sync record, this batch included
	recorded  bool
}

// tally is what a stream has stored since its last sync record.
type tally struct {
	started time.Time
	from    *time.Time // the watermark then, nil at the beginning of a session
	rows    int64
	written int64
	bad     int64
	refused int64
	notices notices
}

// plus is the tally with one more batch.
func (t tally) plus(f *flush) tally {
	said := slices.Clone(t.notices)
	for i := range said {
		said[i].Tags = slices.Clone(said[i].Tags)
	}
	t.notices = said
	t.notices.join(f.notices)
	t.rows += int64(len(f.rows))
	t.written += f.stored.New
	t.bad += f.bad
	t.refused += f.refused + f.stored.Rejected
	if t.from == nil && !f.watermark.IsZero() {
		t.from = &f.watermark
	}
	return t
}

func (t tally) record(ctx context.Context, tx pgx.Tx, q *db.Queries, i db.Integration, to *time.Time, status string) error {
	said, err := t.notices.encode()
	if err != nil {
		return err
	}
	err = q.RecordSync(ctx, tx, db.RecordSyncParams{
		TenantID: i.TenantID, IntegrationID: i.ID, StartedAt: t.started, Status: status, FromTs: t.from, ToTs: to,
		RowsWritten: t.written, RowsBad: t.bad + t.refused, Notices: said,
	})
	if err != nil {
		return fmt.Errorf("record sync: %w", err)
	}
	return nil
}

// write stores a batch and everything that goes with it. The first one of a
// session notes what was missed since the last.
func (n *session) write(ctx context.Context, tx pgx.Tx, q *db.Queries, f *flush) (err error) {
	i, first := n.t.integration, !n.isUp()
	if err := n.holes(ctx, tx, q, f); err != nil {
		return err
	}
	if f.stored, err = db.WriteReadings(ctx, tx, i.TenantID, f.rows); err != nil {
		return err
	}
	if first {
		if err := missed(ctx, tx, q, i, f.watermark, n.archive); err != nil {
			return err
		}
	}
	f.sum = n.tally.plus(f)
	status := n.status(f)
	moved, err := q.AdvanceStream(ctx, tx, db.AdvanceStreamParams{TenantID: i.TenantID, ID: i.ID, Session: n.stream.session,
		Watermark: known(f.watermark), Status: status, RowsWritten: f.stored.New, Since: &f.now})
	if err != nil {
		return fmt.Errorf("advance stream: %w", err)
	}
	if moved == 0 {
		return errTakenOver
	}
	f.recorded = n.isDue(f.now, first)
	if !f.recorded {
		return nil
	}
	if err := f.sum.record(ctx, tx, q, i, known(f.watermark), status); err != nil {
		return err
	}
	return watchSilence(ctx, tx, q, i)
}

// holes notes what single tags have missed within the session, as far as the
// source has an archive of it.
func (n *session) holes(ctx context.Context, tx pgx.Tx, q *db.Queries, f *flush) error {
	if !n.archive || f.watermark.IsZero() {
		return nil
	}
	// It happened after the watermark, by a clock that may differ from ours.
	until := later(f.watermark.Add(n.pace.settle), f.now)
	for _, tags := range [][]string{f.back, f.lost} {
		if err := absent(ctx, tx, q, n.t, tags, until); err != nil {
			return err
		}
	}
	return nil
}

// isDue reports whether a sync record is to be written: at the beginning of a
// session, unless sessions come and go, and about every minute.
func (n *session) isDue(now time.Time, first bool) bool {
	if first {
		return now.Sub(n.recorded) >= min(recordApart, n.pace.record)
	}
	return now.Sub(n.tally.started) >= n.pace.record
}

// status is that of the sync record which f belongs to. A tag that the source
// lacks makes every sync of the session partial.
func (n *session) status(f *flush) string {
	if n.partial || f.sum.notices.lack() {
		return SyncPartial
	}
	return statusOf(f.sum.rows, f.sum.bad, f.sum.refused, f.sum.notices)
}

func known(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// keep takes a committed batch into account.
func (n *session) keep(f *flush) {
	n.up.Store(true)
	n.partial = n.partial || f.sum.notices.lack()
	n.written.Add(f.stored.New)
	n.refused.Add(f.bad + f.refused + f.stored.Rejected)
	n.tally = f.sum
	if !f.watermark.IsZero() {
		n.reached = f.watermark
	}
	if f.recorded {
		n.recorded = f.now
		n.tally = tally{started: f.now, from: known(n.reached)}
	}
}

// finish ends the session: nothing that still comes is stored, and what was
// stored since the last sync record is recorded.
func (n *session) finish(live context.Context) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.over = true
	if n.tally.rows == 0 && n.tally.refused == 0 && len(n.tally.notices) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(live), leaveWithin)
	defer cancel()
	f := flush{sum: n.tally}
	err := n.deps.DB.InTenant(ctx, n.ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return n.tally.record(ctx, tx, q, n.t.integration, known(n.reached), n.status(&f))
	})
	if err != nil { // the readings are stored; only their count in the history of syncs is lost
		activity.GetLogger(live).Warn("sync of a stream not recorded", "integration", n.ref.IntegrationID, "error", err)
		return
	}
	n.recorded = time.Now()
}
