package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
)

// States of a backfill, as stored in integration_backfills.
const (
	fillWaiting    = "waiting"
	fillRunning    = "running"
	fillFailed     = "failed"
	fillImpossible = "impossible"
)

// KeyNoArchive says that a gap cannot be filled, because the source keeps no
// archive that could be read.
const KeyNoArchive = "connector.fault.no_archive"

// overlap is how far before the end of what was read a gap begins, because a
// source may have stored late what it measured before. oldestGap bounds a gap
// by what the historian takes, and pollGap is the shortest window that a poll
// may leave unread without a word.
const (
	overlap   = 10 * time.Second
	oldestGap = 399 * 24 * time.Hour
	pollGap   = 3 * time.Minute

	longestAbsence = 30 * 24 * time.Hour // of single tags, that is noted and filled by itself
)

// recordGap notes that a window was not read. A gap close to one that is not
// filled yet widens it, so that a source that comes and goes leaves one gap and
// not hundreds. What the source cannot give again is noted as impossible.
func recordGap(ctx context.Context, tx pgx.Tx, q *db.Queries, i db.Integration, from, to time.Time, fillable bool) error {
	from = later(from, to.Add(-oldestGap))
	if !to.After(from) {
		return nil
	}
	states, state, why := []string{fillWaiting, fillRunning}, fillWaiting, ""
	if !fillable {
		states, state, why = []string{fillImpossible}, fillImpossible, KeyNoArchive
	}
	near, err := q.LockNearbyGap(ctx, tx, db.LockNearbyGapParams{TenantID: i.TenantID, IntegrationID: i.ID, States: states, FromTs: from, ToTs: to})
	if err != nil {
		return fmt.Errorf("look for gaps nearby: %w", err)
	}
	if len(near) > 0 {
		err = q.WidenGap(ctx, tx, db.WidenGapParams{TenantID: i.TenantID, ID: near[0].ID, FromTs: from, ToTs: to})
	} else {
		err = q.RecordGap(ctx, tx, db.RecordGapParams{TenantID: i.TenantID, IntegrationID: i.ID, FromTs: from, ToTs: to, State: state, Error: why})
	}
	if err != nil {
		return fmt.Errorf("record gap: %w", err)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// missed is the hole between the end of what was read and the moment from
// which on a session misses nothing.
func missed(ctx context.Context, tx pgx.Tx, q *db.Queries, i db.Integration, up time.Time, archive bool) error {
	if i.Watermark == nil || !up.After(*i.Watermark) {
		return nil
	}
	if archive {
		return recordGap(ctx, tx, q, i, i.Watermark.Add(-overlap), up, true)
	}
	// Shorter than the time between two signs of life it is no proof of a gap.
	if up.Sub(*i.Watermark) <= connector.SignOfLife {
		return nil
	}
	return recordGap(ctx, tx, q, i, *i.Watermark, up, false)
}

// lostArchive notes what a poll after an outage could not read, because the
// source keeps no archive of some tags. A short window loses nothing.
func lostArchive(ctx context.Context, tx pgx.Tx, q *db.Queries, t *target, p *polled) error {
	i := t.integration
	if i.Watermark == nil || !p.batch.Watermark.After(*i.Watermark) || p.until.Sub(*i.Watermark) < pollGap || !p.notices.has(connector.NoticeNoHistory) {
		return nil
	}
	tags := named(p.batch.Notices, connector.NoticeNoHistory)
	if len(tags) == 0 || len(tags) >= len(t.tags) {
		return recordGap(ctx, tx, q, i, *i.Watermark, p.batch.Watermark, false)
	}
	err := q.RecordGap(ctx, tx, db.RecordGapParams{TenantID: i.TenantID, IntegrationID: i.ID, FromTs: *i.Watermark, ToTs: p.batch.Watermark,
		Tags: tags, State: fillImpossible, Error: KeyNoArchive})
	if err != nil {
		return fmt.Errorf("record gap: %w", err)
	}
	return nil
}

// refused returns the tags of which a source gives nothing although it knows
// them.
func refused(page connector.Batch) (tags []string) {
	given := map[string]bool{}
	for _, r := range page.Readings {
		given[r.ExternalTag] = true
	}
	return slices.DeleteFunc(named(page.Notices, connector.NoticeRefusedTag), func(tag string) bool { return given[tag] })
}
