package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
)

// absences is what a polled batch changes about the tags that a source does
// not know, or does not let be read. The watermark goes on without them, so
// each is noted with the time up to which it was read, and what it missed is a
// gap once it is back.
type absences struct {
	since time.Time // up to here the tags that are lacking now were read
	gone  []string
	back  []string
}

// absences compares what a batch names with what was noted before. A tag that
// is named although some of its readings came is lacking: the rest did not.
func (t *target) absences(said []connector.Notice, since time.Time) absences {
	a := absences{since: since}
	lacking := map[string]bool{}
	for _, tag := range named(said, connector.NoticeUnknownTag, connector.NoticeRefusedTag) {
		if _, mapped := t.mappings[tag]; !mapped || lacking[tag] {
			continue
		}
		lacking[tag] = true
		if _, noted := t.absent[tag]; !noted {
			a.gone = append(a.gone, tag)
		}
	}
	for tag := range t.absent {
		if !lacking[tag] {
			a.back = append(a.back, tag)
		}
	}
	slices.Sort(a.back)
	return a
}

// write notes what has changed; nothing is written when nothing has. What was
// missed up to a moment is a gap, which only an archive can fill.
func (a absences) write(ctx context.Context, tx pgx.Tx, q *db.Queries, t *target, until time.Time, archive bool) error {
	tenant := t.integration.TenantID
	if len(a.gone) > 0 {
		if err := q.NoteAbsent(ctx, tx, tenant, t.mappingIDs(a.gone), a.since); err != nil {
			return fmt.Errorf("note absent tags: %w", err)
		}
	}
	if len(a.back) == 0 {
		return nil
	}
	since := map[time.Time][]string{}
	for _, tag := range a.back {
		since[t.absent[tag]] = append(since[t.absent[tag]], tag)
	}
	for from, tags := range since {
		if archive {
			from = from.Add(-overlap)
		}
		if err := recordTagGap(ctx, tx, q, t.integration, tags, from, until, archive); err != nil {
			return err
		}
	}
	if err := q.ForgetAbsent(ctx, tx, tenant, t.mappingIDs(a.back)); err != nil {
		return fmt.Errorf("forget absent tags: %w", err)
	}
	return nil
}

// keep takes committed absences into account.
func (a absences) keep(t *target) {
	for _, tag := range a.gone {
		t.absent[tag] = a.since
	}
	for _, tag := range a.back {
		delete(t.absent, tag)
	}
}

func (t *target) mappingIDs(tags []string) []uuid.UUID {
	ids := make([]uuid.UUID, len(tags))
	for i, tag := range tags {
		ids[i] = t.mappings[tag].ID
	}
	return ids
}

// named returns the tags of the notices of some keys.
func named(said []connector.Notice, keys ...string) (tags []string) {
	for _, n := range said {
		if slices.Contains(keys, n.Key) {
			tags = append(tags, n.Tags...)
		}
	}
	return tags
}

// recordTagGap notes that a window of single tags was not read, of thirty days
// at most. Gaps that begin at about the same time are one: to read a tag again
// costs little, and a source that stumbles leaves few gaps and not hundreds.
func recordTagGap(ctx context.Context, tx pgx.Tx, q *db.Queries, i db.Integration, tags []string, from, until time.Time, fillable bool) error {
	from = later(from, until.Add(-longestAbsence))
	if !until.After(from) {
		return nil
	}
	states, state, why := []string{fillWaiting, fillRunning, fillImpossible}, fillWaiting, ""
	if !fillable {
		states, state, why = []string{fillImpossible}, fillImpossible, KeyNoArchive
	}
	near, err := q.LockNearbyTagGap(ctx, tx, db.LockNearbyTagGapParams{TenantID: i.TenantID, IntegrationID: i.ID, States: states, FromTs: from, ToTs: until, Tags: tags})
	if err != nil {
		return fmt.Errorf("look for gaps nearby: %w", err)
	}
	if len(near) > 0 {
		err = q.WidenTagGap(ctx, tx, db.WidenTagGapParams{TenantID: i.TenantID, ID: near[0], FromTs: from, ToTs: until, Tags: tags})
	} else {
		err = q.RecordGap(ctx, tx, db.RecordGapParams{TenantID: i.TenantID, IntegrationID: i.ID, FromTs: from, ToTs: until, Tags: tags, State: state, Error: why})
	}
	if err != nil {
		return fmt.Errorf("record gap: %w", err)
	}
	return nil
}

// absent notes as a gap what some tags of a live session may have missed: since
// their last stored readings, and up to a moment. It must be called before newer
// readings are stored.
func absent(ctx context.Context, tx pgx.Tx, q *db.Queries, t *target, tags []string, until time.Time) error {
	var signals []int64
	for _, tag := range tags {
		if m, ok := t.mappings[tag]; ok {
			signals = append(signals, m.SignalID)
		}
	}
	if len(signals) == 0 {
		return nil
	}
	heard, err := q.LastHeardOf(ctx, tx, t.integration.TenantID, signals)
	if err != nil {
		return fmt.Errorf("look for the last readings: %w", err)
	}
	if heard.Unix() == 0 {
		return nil
	}
	return recordTagGap(ctx, tx, q, t.integration, tags, heard.Add(-overlap), until, true)
}
