package scoring

import (
	"math"
	"slices"
)

const (
	trendDays  = 14 // daily levels the trend is taken over
	leastTrend = 5  // of them must be known
)

// trend continues the signal that drives the evidence on a straight line to
// its alarm limit. It returns nil unless the daily levels of the last two
// weeks move towards the limit clearly, that is with the lower end of the
// slope's 90 % interval above zero.
func (a *Assessment) trend(st []standing, ev Evidence) *Trend {
	i := slices.IndexFunc(st, func(s standing) bool { return s.channel.signal.Metric == ev.Signal })
	if ev.Signal == "" || i < 0 {
		return nil
	}
	s := st[i]
	slope, half, ok := slopePerDay(s.channel.daily())
	if !ok {
		return nil
	}
	for _, d := range s.channel.sides {
		towards := d.dir * slope
		left := d.dir * (d.alarm - s.actual)
		if towards-half <= 0 {
			continue
		}
		days := func(rate float64) float64 { return min(max(left, 0)/rate, a.set.RULCapDays) }
		return &Trend{Signal: ev.Signal, PerDay: slope, Limit: d.alarm,
			Days: Estimate{Value: days(towards), Lo: days(towards + half), Hi: days(towards - half)}}
	}
	return nil
}

// point is a level at a time in days.
type point struct{ day, level float64 }

// daily returns the medians of the last trendDays days, counted back from the
// latest reading so that no day is cut short.
func (c *channel) daily() []point {
	if len(c.samples) == 0 {
		return nil
	}
	end := c.samples[len(c.samples)-1].at
	days := make([][]float64, trendDays)
	for _, x := range c.samples {
		if back := (end - x.at) / dayMillis; back < trendDays {
			days[back] = append(days[back], x.value)
		}
	}
	var out []point
	for back, values := range days {
		if len(values) > 0 {
			out = append(out, point{day: -float64(back), level: median(values)})
		}
	}
	return out
}

// slopePerDay is the least-squares slope with the half-width of its 90 %
// interval.
func slopePerDay(p []point) (slope, half float64, ok bool) {
	n := float64(len(p))
	if n < leastTrend {
		return 0, 0, false
	}
	var x, y float64
	for _, q := range p {
		x += q.day / n
		y += q.level / n
	}
	var xx, xy float64
	for _, q := range p {
		xx += (q.day - x) * (q.day - x)
		xy += (q.day - x) * (q.level - y)
	}
	slope = xy / xx
	var rest float64
	for _, q := range p {
		e := q.level - y - slope*(q.day-x)
		rest += e * e
	}
	// 1.8 is Student's 95 % quantile for the usual number of days, rounded up.
	const student = 1.8
	half = student * math.Sqrt(rest/(n-2)/xx)
	return slope, half, finite(slope) && finite(half)
}
