package calendar_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/calendar"
)

// plants are calendars that differ in every rule.
func plants(t *testing.T) map[string]*calendar.Calendar {
	peak := calendar.Embargo{Site: "RFJ", Key: "summer_peak", Yearly: true, Range: calendar.Range{From: date(2020, 6, 1), To: date(2020, 9, 30)}}
	return map[string]*calendar.Calendar{
		"standard": standard(t, func(p *calendar.Profile) { p.Embargoes = []calendar.Embargo{peak} }),
		"shifted": standard(t, func(p *calendar.Profile) {
			p.Embargoes = []calendar.Embargo{peak}
			for y := 1446; y <= 1452; y++ {
				p.MonthShifts = append(p.MonthShifts, calendar.MonthShift{Year: y, Month: 9, Days: 1}, calendar.MonthShift{Year: y, Month: 10, Days: 1}, calendar.MonthShift{Year: y, Month: 12, Days: -1})
			}
		}),
		"round the clock": standard(t, func(p *calendar.Profile) {
			p.Shift = calendar.Hours{From: 0, To: 1440}
			p.Weekend = nil
		}),
		"one holiday by hand": standard(t, func(p *calendar.Profile) {
			p.Holidays = []calendar.Holiday{{Range: calendar.Range{From: date(2027, 1, 3), To: date(2027, 1, 5)}, Key: "visit"}}
		}),
	}
}

// job number k of 32 has one flag per bit.
func job(k int) calendar.Job {
	return calendar.Job{Outdoor: k&1 > 0, Emergency: k&2 > 0, Outage: k&4 > 0, Standby: k&8 > 0, Exempt: k&16 > 0}
}

// TestNoJobInAForbiddenWindow draws jobs, sites and horizons over seven years:
// no minute of an allowed span is blocked, every minute outside has a rule
// with a name, and a job placed at any start that is offered touches none.
func TestNoJobInAForbiddenWindow(t *testing.T) {
	t.Parallel()
	for name, c := range plants(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(1, 2))
			for range 120 {
				from := riyadh(2025, 1, 1, 0, 0).Add(time.Duration(rng.IntN(7*365*24*60)) * time.Minute)
				to := from.Add(time.Duration(60+rng.IntN(12*24*60)) * time.Minute)
				j, site := job(rng.IntN(32)), []string{"RFJ", "TWQ", ""}[rng.IntN(3)]
				allowed := c.Allowed(from, to, site, j)
				for range 40 {
					at := from.Add(time.Duration(rng.Int64N(int64(to.Sub(from)))))
					inside := slices.ContainsFunc(allowed, func(s calendar.Span) bool { return s.Contains(at) })
					require.Equal(t, inside, len(c.Blocked(at, site, j, false)) == 0, "%v %+v %q", at, j, site)
				}
				length := time.Duration(15+rng.IntN(9*60)) * time.Minute
				for _, s := range c.Starts(from, to, site, j, length) {
					for _, start := range []time.Time{s.From, s.From.Add(time.Duration(rng.Int64N(int64(s.Duration())))).Truncate(time.Minute), s.To.Add(-time.Minute)} {
						if start.Before(s.From) {
							continue
						}
						untouched(t, c, site, j, start, length)
					}
				}
			}
		})
	}
}

// untouched holds that a job breaks no rule, minute by minute.
func untouched(t *testing.T, c *calendar.Calendar, site string, j calendar.Job, start time.Time, length time.Duration) {
	t.Helper()
	require.Empty(t, c.Blocked(start, site, j, true), "start %v %+v", start, j)
	for _, w := range c.Forbidden(start, start.Add(length), site, j) {
		require.True(t, w.StartOnly, "%v overlaps %s from %v to %v", start, w.Kind, w.From, w.To)
	}
	for at := start; at.Before(start.Add(length)); at = at.Add(7 * time.Minute) {
		require.Empty(t, c.Blocked(at, site, j, false), "%v %+v", at, j)
	}
}

func TestForbiddenNamesEveryRule(t *testing.T) {
	t.Parallel()
	c := plants(t)["standard"]
	from, to := riyadh(2026, 6, 18, 0, 0), riyadh(2026, 6, 22, 0, 0) // Thursday to Sunday
	var lines []string
	for _, w := range c.Forbidden(from, to, "RFJ", calendar.Job{Outdoor: true, Outage: true}) {
		lines = append(lines, fmt.Sprintf("%s%s %s-%s %v", w.Kind, w.Key, w.From.Format("2 15:04"), w.To.Format("2 15:04"), w.StartOnly))
	}
	require.ElementsMatch(t, []string{
		"off_shift 18 00:00-18 07:00 false", "off_shift 18 15:00-19 00:00 false",
		"weekend 19 00:00-21 00:00 false",
		"off_shift 21 00:00-21 07:00 false", "off_shift 21 15:00-22 00:00 false",
		"midday_ban 18 12:00-18 15:00 false", "midday_ban 19 12:00-19 15:00 false", "midday_ban 20 12:00-20 15:00 false", "midday_ban 21 12:00-21 15:00 false",
		"friday_no_start 19 11:30-19 13:00 true", "embargosummer_peak 18 00:00-22 00:00 false",
	}, lines)
	require.Empty(t, c.Forbidden(from, to, "RFJ", calendar.Job{Outdoor: true, Outage: true, Emergency: true, Standby: true}))
	exempt := c.Forbidden(from, to, "", calendar.Job{Outdoor: true, Standby: true, Exempt: true})
	require.Len(t, exempt, 1)
	require.Equal(t, calendar.FridayPrayer, exempt[0].Kind)
	founding := c.Forbidden(riyadh(2027, 2, 22, 0, 0), riyadh(2027, 2, 23, 0, 0), "", calendar.Job{})
	require.Equal(t, "founding_day", founding[0].Key)
	require.Empty(t, c.Forbidden(to, from, "", calendar.Job{}), "an empty horizon")
}

// TestShiftsOfCrews follows the patterns of the profile: the day shift on
// working days, standby four days on and four off, nights past midnight.
func TestShiftsOfCrews(t *testing.T) {
	t.Parallel()
	c := standard(t)
	monday := riyadh(2026, 1, 12, 0, 0)
	week := c.Shifts(calendar.DayShift(), monday, monday.AddDate(0, 0, 7))
	require.Len(t, week, 5)
	require.True(t, week[0].From.Equal(riyadh(2026, 1, 12, 7, 0)) && week[0].To.Equal(riyadh(2026, 1, 12, 15, 0)))
	require.True(t, week[4].From.Equal(riyadh(2026, 1, 18, 7, 0)), "Sunday after the weekend")
	fast := c.Shifts(calendar.DayShift(), riyadh(2026, 2, 23, 0, 0), riyadh(2026, 2, 24, 0, 0))
	require.Len(t, fast, 1)
	require.True(t, fast[0].From.Equal(riyadh(2026, 2, 23, 10, 0)) && fast[0].Duration() == 6*time.Hour, "Ramadan")

	anchor := date(2026, 1, 10)
	day, night := c.Shifts(calendar.StandbyDay(anchor), monday, monday.AddDate(0, 0, 8)), c.Shifts(calendar.StandbyNight(anchor), monday, monday.AddDate(0, 0, 8))
	var starts []int
	for _, s := range day {
		starts = append(starts, s.From.Day())
		require.Equal(t, 12*time.Hour, s.Duration())
	}
	require.Equal(t, []int{12, 13, 18, 19}, starts)
	require.Len(t, night, 5, "the night before reaches into Monday")
	require.Equal(t, 6*time.Hour, night[0].Duration())
	before := c.Shifts(calendar.StandbyDay(date(2026, 3, 1)), monday, monday.AddDate(0, 0, 8))
	require.Len(t, before, 4, "an anchor in the future counts back")
	whole := calendar.Join(append(day, night...))
	require.Len(t, whole, 2, "days and nights of one crew meet")
}

// TestCrewAndJobMeetInAllowedTime holds Common: minutes of a shift in which a
// job is allowed.
func TestCrewAndJobMeetInAllowedTime(t *testing.T) {
	t.Parallel()
	c := standard(t)
	from, to := riyadh(2026, 7, 6, 0, 0), riyadh(2026, 7, 7, 0, 0)
	outdoor := calendar.Job{Outdoor: true, Standby: true}
	crew := c.Shifts(calendar.StandbyDay(date(2026, 7, 6)), from, to)
	got := calendar.MinutesWithin(from, calendar.Common(crew, c.Allowed(from, to, "", outdoor)))
	require.Equal(t, []calendar.Interval{{From: 360, To: 720}, {From: 900, To: 1080}}, got)
}

func TestSpansOfSets(t *testing.T) {
	t.Parallel()
	origin := riyadh(2026, 1, 1, 0, 0)
	span := func(a, b float64) calendar.Span {
		return calendar.Span{From: origin.Add(time.Duration(a * float64(time.Minute))), To: origin.Add(time.Duration(b * float64(time.Minute)))}
	}
	joined := calendar.Join([]calendar.Span{span(5, 9), span(0, 2), span(2, 3), span(7, 8), span(4, 4)})
	require.Equal(t, []calendar.Interval{{0, 3}, {5, 9}}, calendar.MinutesWithin(origin, joined))
	left := calendar.Without([]calendar.Span{span(0, 10)}, []calendar.Span{span(-3, 1), span(4, 6), span(5, 7), span(9, 20)})
	require.Equal(t, []calendar.Interval{{1, 4}, {7, 9}}, calendar.MinutesWithin(origin, left))
	require.Equal(t, []calendar.Interval{{1, 2}}, calendar.MinutesWithin(origin, []calendar.Span{span(.5, 2.5), span(3.2, 3.9)}))
	require.Equal(t, []calendar.Interval{{0, 3}, {3, 4}, {-1, 1}}, calendar.MinutesAround(origin, []calendar.Span{span(.5, 2.5), span(3.2, 3.9), span(-.5, .5)}))
}

// TestHijriRoundTrip converts every day of the Umm al-Qura table there and
// back, with and without shifted months.
func TestHijriRoundTrip(t *testing.T) {
	t.Parallel()
	for name, c := range plants(t) {
		if name != "standard" && name != "shifted" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for d := date(1937, 4, 1); d.Year < 2077; d = d.AddDays(1) {
				h := c.Hijri(time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, c.Location()))
				back, ok := c.Gregorian(h)
				require.True(t, ok, "%v", h)
				require.Equal(t, d, back, "%v", h)
			}
		})
	}
	c := standard(t)
	for _, none := range []calendar.HijriDate{{Year: 1447, Month: 13, Day: 1}, {Year: 1447, Month: 9, Day: 31}, {Year: 1447, Month: 0, Day: 1}, {}} {
		_, ok := c.Gregorian(none)
		require.False(t, ok, "%v", none)
	}
}

// TestShiftMovesFeastsAndRamadan moves the months of each year by a day either
// way: both Eids and the short days follow.
func TestShiftMovesFeastsAndRamadan(t *testing.T) {
	t.Parallel()
	table := standard(t)
	for year := 1446; year <= 1455; year++ {
		for _, by := range []int{-1, 1} {
			moved := standard(t, func(p *calendar.Profile) {
				for _, m := range []int{9, 10, 12} {
					p.MonthShifts = append(p.MonthShifts, calendar.MonthShift{Year: year, Month: m, Days: by})
				}
			})
			for _, feast := range []calendar.HijriDate{{Year: year, Month: 9, Day: 1}, {Year: year, Month: 10, Day: 1}, {Year: year, Month: 12, Day: 9}} {
				a, ok := table.Gregorian(feast)
				require.True(t, ok)
				b, ok := moved.Gregorian(feast)
				require.True(t, ok)
				require.Equal(t, a.AddDays(by), b, "%v by %d", feast, by)
			}
			fitr, _ := moved.Gregorian(calendar.HijriDate{Year: year, Month: 10, Day: 1})
			noon := time.Date(fitr.Year, fitr.Month, fitr.Day, 12, 0, 0, 0, moved.Location())
			key, off := moved.Holiday(noon)
			require.True(t, off)
			require.Equal(t, "eid_al_fitr", key)
			_, off = moved.Holiday(noon.AddDate(0, 0, -1))
			require.False(t, off, "the last day of Ramadan is no holiday")
			_, off = moved.Holiday(noon.AddDate(0, 0, 4))
			require.False(t, off)
		}
	}
}
