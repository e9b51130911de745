package activities

import (
	"math"
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

// The source's clock: how far it may be ahead of ours before that is said, and
// before its readings are not kept. A reading from the future would hide every
// newer one as the latest value until its time has come.
const (
	skewNoticed  = 2 * time.Second
	skewRefused  = 5 * time.Minute
	futureCounts = time.Minute // a watermark is never further ahead than this
)

// Keys of the notices that the engine adds to those of connectors; each is a
// message key.
const (
	NoticeOutOfRange  = "connector.notice.out_of_range"
	NoticeForeignUnit = "connector.notice.foreign_unit"
	NoticeFuture      = "connector.notice.future"
)

// converted is a batch in signals and units.
type converted struct {
	rows    []db.Row
	bad     int64 // of the rows, those of bad quality
	refused int64 // readings that are not kept, because they are from the future
	notices notices
}

// convert maps readings to signals and units. A value that is not finite, whose
// unit is not the one that was mapped or that lies outside of its range is kept
// as bad: it must be visible that the source speaks, and never be scored. What
// is more than five minutes ahead of now is not kept.
func (t *target) convert(readings []connector.Reading, now time.Time) converted {
	c := converted{rows: make([]db.Row, 0, len(readings))}
	latest := now.Add(skewRefused)
	var ahead time.Time
	for i := range readings {
		r := &readings[i]
		m, ok := t.mappings[r.ExternalTag]
		if !ok {
			continue
		}
		if r.Time.After(latest) {
			c.refused++
			c.notices.count(now, NoticeFuture, r.ExternalTag)
			continue
		}
		if r.Time.After(ahead) {
			ahead = r.Time
		}
		row := db.Row{SignalID: m.SignalID, Time: r.Time, Value: r.Value*m.Factor + m.Shift, Quality: r.Quality}
		if key := objection(r, m, row.Value); key != "" {
			row.Quality = asset.Bad
			c.notices.count(now, key, r.ExternalTag)
		} else if math.IsNaN(row.Value) || math.IsInf(row.Value, 0) {
			row.Quality = asset.Bad
		}
		if row.Quality == asset.Bad {
			c.bad++
		}
		c.rows = append(c.rows, row)
	}
	if ahead.After(now.Add(skewNoticed)) {
		c.notices.count(now, connector.NoticeClockSkew)
	}
	return c
}

// objection names what is wrong with a reading that the source calls usable.
func objection(r *connector.Reading, m db.ListPolledMappingsRow, value float64) string {
	switch {
	case r.Quality == asset.Bad:
		return ""
	case r.Unit != "" && m.SourceUnit != "" && r.Unit != m.SourceUnit:
		return NoticeForeignUnit
	case m.Low != nil && value < *m.Low, m.High != nil && value > *m.High:
		return NoticeOutOfRange
	}
	return ""
}

// bounded keeps a watermark from running ahead with a source's clock: what is
// ahead of us has not been read yet.
func bounded(watermark, now time.Time) time.Time {
	if watermark.After(now.Add(futureCounts)) {
		return now
	}
	return watermark
}
