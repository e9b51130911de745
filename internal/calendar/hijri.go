package calendar

import (
	"time"

	"github.com/hablullah/go-hijri"
)

// HijriDate is a day of the Umm al-Qura calendar, with any manual shift of its
// month applied. Month 9 is Ramadan.
type HijriDate struct {
	Year  int
	Month int
	Day   int
}

const ramadan = 9

// toHijri converts by the Umm al-Qura table (1937 to 2077), and by the tabular
// calendar outside it so that no date is without an answer. The library's own
// weekday is wrong and is not used.
func toHijri(d Date) HijriDate {
	noon := time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC)
	if h, err := hijri.CreateUmmAlQuraDate(noon); err == nil {
		return HijriDate{Year: int(h.Year), Month: int(h.Month), Day: int(h.Day)}
	}
	h, err := hijri.CreateHijriDate(noon, hijri.Default)
	if err != nil {
		return HijriDate{} // before the Hijri era: no such date
	}
	return HijriDate{Year: int(h.Year), Month: int(h.Month), Day: int(h.Day)}
}

// monthKey identifies a Hijri month.
type monthKey struct{ year, month int }

func (k monthKey) next() monthKey {
	if k.month == 12 {
		return monthKey{k.year + 1, 1}
	}
	return monthKey{k.year, k.month + 1}
}

func (k monthKey) previous() monthKey {
	if k.month == 1 {
		return monthKey{k.year - 1, 12}
	}
	return monthKey{k.year, k.month - 1}
}

// shifted is toHijri with the starts of months moved. A month that starts
// later gives its first days to the month before, one that starts earlier
// takes them from it. Shifts are at most a few days, so at most the
// neighbouring month is concerned.
func (c *Calendar) shifted(d Date) HijriDate {
	h := toHijri(d)
	if len(c.shifts) == 0 || h.Month == 0 {
		return h
	}
	k := monthKey{h.Year, h.Month}
	start := d.AddDays(1 - h.Day).AddDays(c.shifts[k])
	if d.Before(start) {
		p := k.previous()
		begin := c.tableStart(d.AddDays(-h.Day)).AddDays(c.shifts[p])
		return HijriDate{Year: p.year, Month: p.month, Day: daysBetween(begin, d) + 1}
	}
	n := k.next()
	if ahead := c.shifts[n]; ahead < 0 {
		first := d
		for toHijri(first).Month == h.Month {
			first = first.AddDays(1)
		}
		if begin := first.AddDays(ahead); !d.Before(begin) {
			return HijriDate{Year: n.year, Month: n.month, Day: daysBetween(begin, d) + 1}
		}
	}
	return HijriDate{Year: h.Year, Month: h.Month, Day: daysBetween(start, d) + 1}
}

// Gregorian returns the day of a Hijri date, manual shifts considered; false
// when the month has no such day.
func (c *Calendar) Gregorian(h HijriDate) (Date, bool) {
	if h.Month < 1 || h.Month > 12 || h.Day < 1 || h.Year < 1 || h.Year > 9999 {
		return Date{}, false
	}
	// A mean month is 29.530589 days; the estimate is off by a few at most.
	months := 12*(h.Year-1) + h.Month - 1
	d := Date{Year: 622, Month: 7, Day: 19}.AddDays(int(29.530589*float64(months)) + h.Day - 1)
	for range searchHijri {
		at := c.shifted(d)
		if at == h {
			return d, true
		}
		months := 12*(h.Year-at.Year) + h.Month - at.Month
		step := 30*months + h.Day - at.Day
		if step == 0 { // a shift can make a month 31 days long
			step = months
		}
		d = d.AddDays(max(-searchHijri, min(step, searchHijri)))
	}
	return Date{}, false
}

// searchHijri is how many days around its estimate a Hijri date is looked for,
// and how often.
const searchHijri = 8

// tableStart is the first day of d's Hijri month by the table.
func (c *Calendar) tableStart(d Date) Date { return d.AddDays(1 - toHijri(d).Day) }

func daysBetween(a, b Date) int {
	x := time.Date(a.Year, a.Month, a.Day, 0, 0, 0, 0, time.UTC)
	y := time.Date(b.Year, b.Month, b.Day, 0, 0, 0, 0, time.UTC)
	return int(y.Sub(x) / (24 * time.Hour))
}
