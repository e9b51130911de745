package calendar

import (
	"cmp"
	"slices"
	"time"
)

// Shade is a stretch of a Gantt chart to be marked. Whole days run from
// midnight to midnight; the midday ban and the Friday window are hours within
// a day. Key names the holiday or embargo.
type Shade struct {
	Span
	Kind Kind
	Key  string
}

// maxShadingDays bounds what one chart may ask for.
const maxShadingDays = 1100

// Shading returns what to mark in the days from from's day on: weekends,
// holidays, Ramadan, embargoes of the site (adjoining days joined), the midday
// ban and the Friday window (day by day), ordered by start and kind.
func (c *Calendar) Shading(from time.Time, days int, site string) []Shade {
	first := c.day(from)
	var out []Shade
	open := map[Kind]int{} // the shade that the previous day left open
	for i := range min(max(days, 0), maxShadingDays) {
		d := first.AddDays(i)
		whole := c.wholeDay(d, site)
		next := map[Kind]int{}
		for _, s := range whole {
			if at, ok := open[s.Kind]; ok && out[at].Key == s.Key {
				out[at].To = s.To
				next[s.Kind] = at
				continue
			}
			next[s.Kind] = len(out)
			out = append(out, s)
		}
		open = next
		out = append(out, c.partDay(d)...)
	}
	slices.SortStableFunc(out, func(a, b Shade) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// wholeDay lists the shades that cover all of d, at most one of a kind.
func (c *Calendar) wholeDay(d Date, site string) []Shade {
	day := Span{From: c.at(d, 0), To: c.at(d.AddDays(1), 0)}
	var out []Shade
	if c.weekend[d.Weekday()] {
		out = append(out, Shade{Span: day, Kind: Weekend})
	}
	if key, off := c.holiday(d); off {
		out = append(out, Shade{Span: day, Kind: DayOff, Key: key})
	}
	if _, short := c.shift(d); short {
		out = append(out, Shade{Span: day, Kind: RamadanHours})
	}
	if key, banned := c.embargo(d, site); banned {
		out = append(out, Shade{Span: day, Kind: OutageBan, Key: key})
	}
	return out
}

// partDay lists the shades of a few hours.
func (c *Calendar) partDay(d Date) []Shade {
	var out []Shade
	if c.banned(d) {
		for _, s := range c.spans(d, c.profile.MiddayBan.Hours) {
			out = append(out, Shade{Span: s, Kind: Midday})
		}
	}
	if d.Weekday() == time.Friday {
		for _, s := range c.spans(d, c.profile.FridayNoStart) {
			out = append(out, Shade{Span: s, Kind: FridayPrayer})
		}
	}
	return out
}
