package db

import (
	"context"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/asset"
)

// fillHours and fillMinutes store summaries. One without a usable sample keeps
// no value.
const (
	fillHours = `
UPDATE telemetry.signal_hours h
SET mean_value = nullif(u.mean, 'NaN'), min_value = nullif(u.least, 'NaN'), max_value = nullif(u.most, 'NaN'), m2 = nullif(u.m2, 'NaN'),
  last_value = nullif(u.last, 'NaN'), first_at = u.first_at, last_at = u.last_at, samples = u.samples, bad = u.bad, quality = u.quality,
  by_minute = u.by_minute, stale = false
FROM unnest($2::bigint[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[], $9::timestamptz[], $10::timestamptz[],
  $11::int[], $12::int[], $13::smallint[], $14::boolean[])
  AS u (signal_id, hour, mean, least, most, m2, last, first_at, last_at, samples, bad, quality, by_minute)
WHERE h.tenant_id = $1 AND h.signal_id = u.signal_id AND h.hour = u.hour`

	fillMinutes = `
INSERT INTO telemetry.signal_minutes (tenant_id, signal_id, minute, mean_value, min_value, max_value, m2, last_value, first_at, last_at, samples, bad, quality)
SELECT $1, u.signal_id, u.minute, nullif(u.mean, 'NaN'), nullif(u.least, 'NaN'), nullif(u.most, 'NaN'), nullif(u.m2, 'NaN'), nullif(u.last, 'NaN'),
  u.first_at, u.last_at, u.samples, u.bad, u.quality
FROM unnest($2::bigint[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[], $9::timestamptz[], $10::timestamptz[],
  $11::int[], $12::int[], $13::smallint[])
  AS u (signal_id, minute, mean, least, most, m2, last, first_at, last_at, samples, bad, quality)
ON CONFLICT (tenant_id, signal_id, minute) DO UPDATE SET mean_value = excluded.mean_value, min_value = excluded.min_value, max_value = excluded.max_value,
  m2 = excluded.m2, last_value = excluded.last_value, first_at = excluded.first_at, last_at = excluded.last_at, samples = excluded.samples, bad = excluded.bad,
  quality = excluded.quality`
)

// fill computes the hours of the group, all of them stale, from their samples,
// and the minutes of those signals that are fast.
func (g hourGroup) fill(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, fast map[int64]bool) error {
	all, err := readSamples(ctx, tx, tenant, g.signals, g.start, g.end)
	if err != nil {
		return err
	}
	var hours, minutes summaries
	var byMinute []bool
	for _, id := range g.signals {
		samples := all[id]
		for hour := g.start; hour.Before(g.end); hour = hour.Add(time.Hour) {
			var m Moments
			n := 0
			for ; n < len(samples) && samples[n].Time.Before(hour.Add(time.Hour)); n++ {
				m.add(samples[n])
			}
			hours.add(id, hour, m)
			byMinute = append(byMinute, fast[id])
			if fast[id] {
				minutes.addMinutes(id, hour, samples[:n])
			}
			samples = samples[n:]
		}
	}
	if _, err := tx.Exec(ctx, fillHours, append(hours.args(tenant), byMinute)...); err != nil {
		return err
	}
	if len(minutes.signals) == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, fillMinutes, minutes.args(tenant)...)
	return err
}

// summaries are columns of roll-ups, one element per roll-up.
type summaries struct {
	signals                     []int64
	starts                      []time.Time
	mean, least, most, m2, last []float64
	firstAt, lastAt             []*time.Time
	samples, bad                []int32
	quality                     []int16
}

func (s *summaries) add(signal int64, start time.Time, m Moments) {
	s.signals, s.starts = append(s.signals, signal), append(s.starts, start)
	s.samples, s.bad = append(s.samples, int32(m.Count)), append(s.bad, int32(m.Bad))
	quality, first, last := m.Quality, &m.FirstAt, &m.LastAt
	if m.Count == 0 {
		m.Mean, m.Min, m.Max, m.M2, m.Last = math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()
		quality, first, last = asset.Bad, nil, nil
	}
	s.mean, s.least, s.most = append(s.mean, m.Mean), append(s.least, m.Min), append(s.most, m.Max)
	s.m2, s.last, s.quality = append(s.m2, m.M2), append(s.last, m.Last), append(s.quality, int16(quality))
	s.firstAt, s.lastAt = append(s.firstAt, first), append(s.lastAt, last)
}

func (s *summaries) addMinutes(signal int64, origin time.Time, samples []asset.Reading) {
	starts, all := momentsBy(samples, origin, time.Minute)
	for i, m := range all {
		s.add(signal, starts[i], m)
	}
}

func (s *summaries) args(tenant uuid.UUID) []any {
	return []any{tenant, s.signals, s.starts, s.mean, s.least, s.most, s.m2, s.last, s.firstAt, s.lastAt, s.samples, s.bad, s.quality}
}
