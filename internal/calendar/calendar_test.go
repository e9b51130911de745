package calendar_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/fault"
)

func standard(t *testing.T, change ...func(*calendar.Profile)) *calendar.Calendar {
	t.Helper()
	p := calendar.SaudiStandard()
	for _, f := range change {
		f(&p)
	}
	c, err := calendar.New(p)
	require.NoError(t, err)
	return c
}

// riyadh is a moment in Saudi Arabia, three hours ahead of UTC all year.
func riyadh(y int, m time.Month, d, hour, minute int) time.Time {
	return time.Date(y, m, d, hour, minute, 0, 0, time.FixedZone("AST", 3*3600))
}

func date(y int, m time.Month, d int) calendar.Date { return calendar.Date{Year: y, Month: m, Day: d} }

func TestHijriDates(t *testing.T) {
	t.Parallel()
	c := standard(t)
	tests := []struct {
		day  time.Time
		want calendar.HijriDate
	}{
		{riyadh(2024, 3, 11, 12, 0), calendar.HijriDate{Year: 1445, Month: 9, Day: 1}},
		{riyadh(2024, 4, 10, 12, 0), calendar.HijriDate{Year: 1445, Month: 10, Day: 1}},
		{riyadh(2025, 3, 1, 12, 0), calendar.HijriDate{Year: 1446, Month: 9, Day: 1}},
		{riyadh(2025, 6, 6, 12, 0), calendar.HijriDate{Year: 1446, Month: 12, Day: 10}},
		{riyadh(2025, 6, 26, 0, 30), calendar.HijriDate{Year: 1447, Month: 1, Day: 1}},
		{riyadh(2026, 2, 18, 23, 30), calendar.HijriDate{Year: 1447, Month: 9, Day: 1}},
	}
	for _, tc := range tests {
		t.Run(tc.day.Format(time.DateOnly), func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, c.Hijri(tc.day))
		})
	}
}

// TestHijriDaysFollowEachOther walks from before the Umm al-Qura table to
// after it, with and without shifted months: inside the table every day is the
// successor of the one before.
func TestHijriDaysFollowEachOther(t *testing.T) {
	t.Parallel()
	shifted := func(p *calendar.Profile) {
		p.MonthShifts = []calendar.MonthShift{{Year: 1446, Month: 10, Days: 1}, {Year: 1446, Month: 12, Days: -1},
			{Year: 1447, Month: 1, Days: -2}, {Year: 1447, Month: 9, Days: 1}, {Year: 1447, Month: 10, Days: 1}}
	}
	for name, c := range map[string]*calendar.Calendar{"table": standard(t), "shifted": standard(t, shifted)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			last := c.Hijri(riyadh(1937, 3, 14, 12, 0))
			for d := riyadh(1937, 3, 15, 12, 0); d.Year() < 2077; d = d.AddDate(0, 0, 1) {
				h := c.Hijri(d)
				same := h.Year == last.Year && h.Month == last.Month && h.Day == last.Day+1
				first := h.Day == 1 && last.Day >= 27 &&
					(h.Month == last.Month+1 && h.Year == last.Year || h.Month == 1 && last.Month == 12 && h.Year == last.Year+1)
				require.True(t, same || first, "%v: %v after %v", d, h, last)
				last = h
			}
		})
	}
	require.NotZero(t, standard(t).Hijri(riyadh(2090, 1, 1, 12, 0)).Year)
	require.NotZero(t, standard(t).Hijri(riyadh(1900, 1, 1, 12, 0)).Year)
}

func TestHolidays(t *testing.T) {
	t.Parallel()
	c := standard(t)
	tests := []struct {
		name string
		day  time.Time
		key  string
	}{
		{"founding day", riyadh(2027, 2, 22, 9, 0), "founding_day"},
		{"national day", riyadh(2026, 9, 23, 9, 0), "national_day"},
		{"first of Shawwal 1446", riyadh(2025, 3, 30, 9, 0), "eid_al_fitr"},
		{"fourth of Shawwal 1446", riyadh(2025, 4, 2, 9, 0), "eid_al_fitr"},
		{"fifth of Shawwal 1446", riyadh(2025, 4, 3, 9, 0), ""},
		{"Arafah 1446", riyadh(2025, 6, 5, 9, 0), "eid_al_adha"},
		{"last day of Adha 1446", riyadh(2025, 6, 8, 9, 0), "eid_al_adha"},
		{"after Adha 1446", riyadh(2025, 6, 9, 9, 0), ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			key, ok := c.Holiday(tc.day)
			require.Equal(t, tc.key, key)
			require.Equal(t, tc.key != "", ok)
		})
	}
}

func TestManualShiftMovesTheFeast(t *testing.T) {
	t.Parallel()
	c := standard(t, func(p *calendar.Profile) {
		p.MonthShifts = []calendar.MonthShift{{Year: 1446, Month: 10, Days: 1}}
	})
	require.Equal(t, calendar.HijriDate{Year: 1446, Month: 9, Day: 30}, c.Hijri(riyadh(2025, 3, 30, 9, 0)))
	require.True(t, c.IsWorkday(riyadh(2025, 3, 30, 9, 0), ""))
	require.False(t, c.IsWorkday(riyadh(2025, 4, 3, 9, 0), ""))
	key, _ := c.Holiday(riyadh(2025, 3, 31, 9, 0))
	require.Equal(t, "eid_al_fitr", key)
}

func TestWorkingHours(t *testing.T) {
	t.Parallel()
	c := standard(t)
	exempt := standard(t, func(p *calendar.Profile) { p.MiddayBan.Exempt = true })
	hours := func(from, to int, day time.Time) []calendar.Span {
		y, m, d := day.Date()
		return []calendar.Span{{From: riyadh(y, m, d, from, 0), To: riyadh(y, m, d, to, 0)}}
	}
	ordinary, ramadan, summer := riyadh(2026, 1, 12, 9, 0), riyadh(2026, 2, 23, 9, 0), riyadh(2026, 7, 6, 9, 0)
	same := func(want, got []calendar.Span) {
		require.Len(t, got, len(want))
		for i := range want {
			require.True(t, want[i].From.Equal(got[i].From) && want[i].To.Equal(got[i].To), "%v", got)
		}
	}
	same(hours(7, 15, ordinary), c.WorkingHours(ordinary))
	same(hours(10, 16, ramadan), c.WorkingHours(ramadan))
	same(hours(7, 15, summer), c.WorkingHours(summer))
	same(hours(7, 12, summer), c.OutdoorHours(summer))
	same(hours(7, 15, summer), exempt.OutdoorHours(summer))
	require.Empty(t, c.WorkingHours(riyadh(2026, 1, 16, 9, 0)), "Friday")
	require.Empty(t, c.OutdoorHours(riyadh(2026, 9, 23, 9, 0)), "National Day")
}

func TestEmbargoAndBlocked(t *testing.T) {
	t.Parallel()
	c := standard(t, func(p *calendar.Profile) {
		p.Embargoes = []calendar.Embargo{{Site: "RFJ", Key: "summer_peak",
			Range: calendar.Range{From: date(2026, 6, 1), To: date(2026, 9, 30)}}}
		p.FridayNoStart = calendar.Hours{From: 690, To: 780}
	})
	monday := riyadh(2026, 7, 6, 13, 0)
	require.False(t, c.IsWorkday(monday, "RFJ"))
	require.True(t, c.IsWorkday(monday, "TWQ"))
	require.True(t, c.IsWorkday(monday, ""))

	outdoor := calendar.Job{Outdoor: true, Outage: true}
	require.Equal(t, []calendar.Kind{calendar.Midday, calendar.OutageBan}, c.Blocked(monday, "RFJ", outdoor, true))
	require.Equal(t, []calendar.Kind{calendar.Midday}, c.Blocked(monday, "TWQ", outdoor, true))
	require.Empty(t, c.Blocked(monday, "RFJ", calendar.Job{Outdoor: true, Outage: true, Emergency: true}, true))
	require.Equal(t, []calendar.Kind{calendar.OffShift}, c.Blocked(riyadh(2026, 7, 6, 15, 0), "TWQ", calendar.Job{}, true))
	friday := riyadh(2026, 1, 16, 12, 0)
	require.Equal(t, []calendar.Kind{calendar.Weekend, calendar.FridayPrayer}, c.Blocked(friday, "", calendar.Job{}, true))
	require.Equal(t, []calendar.Kind{calendar.FridayPrayer}, c.Blocked(friday, "", calendar.Job{Standby: true}, true))
	require.Empty(t, c.Blocked(friday, "", calendar.Job{Standby: true}, false))
}

func TestYearlyEmbargo(t *testing.T) {
	t.Parallel()
	summer := standard(t, func(p *calendar.Profile) {
		p.Embargoes = []calendar.Embargo{{Site: "RFJ", Yearly: true,
			Range: calendar.Range{From: date(2020, 6, 1), To: date(2020, 9, 30)}}}
	})
	winter := standard(t, func(p *calendar.Profile) {
		p.Embargoes = []calendar.Embargo{{Site: "RFJ", Yearly: true,
			Range: calendar.Range{From: date(2020, 12, 15), To: date(2020, 1, 31)}}}
	})
	for _, year := range []int{2026, 2031} {
		for d := riyadh(year, 1, 1, 12, 0); d.Year() == year; d = d.AddDate(0, 0, 1) {
			month := d.Month()
			require.Equal(t, month >= 6 && month <= 9 || !summer.IsWorkday(d, ""), !summer.IsWorkday(d, "RFJ"), "%v", d)
			cold := month == 1 || month == 12 && d.Day() >= 15
			require.Equal(t, cold || !winter.IsWorkday(d, ""), !winter.IsWorkday(d, "RFJ"), "%v", d)
		}
	}
}

// TestNoWorkInForbiddenWindows is the property that plans rely on.
func TestNoWorkInForbiddenWindows(t *testing.T) {
	t.Parallel()
	c := standard(t)
	crew := calendar.Job{Outdoor: true}
	for d := riyadh(2025, 1, 1, 0, 0); d.Year() < 2028; d = d.AddDate(0, 0, 1) {
		for _, s := range c.OutdoorHours(d) {
			for at := s.From; at.Before(s.To); at = at.Add(30 * time.Minute) {
				require.Empty(t, c.Blocked(at, "", crew, true), "%v", at)
			}
			require.NotContains(t, []time.Weekday{time.Friday, time.Saturday}, s.From.Weekday())
		}
		for _, s := range c.WorkingHours(d) {
			want := 8 * time.Hour
			if c.Hijri(d).Month == 9 {
				want = 6 * time.Hour
			}
			require.Equal(t, want, s.Duration())
		}
	}
}

func TestAddWorkingHoursIsMonotoneAndExact(t *testing.T) {
	t.Parallel()
	zones := map[string]*calendar.Calendar{
		"Riyadh": standard(t),
		"Berlin": standard(t, func(p *calendar.Profile) { p.TimeZone = "Europe/Berlin" }),
		"nights": standard(t, func(p *calendar.Profile) { p.Shift = calendar.Hours{From: 0, To: 1440} }),
	}
	for name, c := range zones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(1, 2))
			for range 300 {
				from := riyadh(2025, 1, 1, 0, 0).Add(time.Duration(rng.IntN(700*24*60)) * time.Minute)
				d := time.Duration(rng.IntN(120*60)+1) * time.Minute
				end, err := c.AddWorkingHours(from, d)
				require.NoError(t, err)
				require.Equal(t, d, c.WorkingBetween(from, end), "from %v to %v", from, end)
				require.Zero(t, c.WorkingBetween(end, from))
				longer, err := c.AddWorkingHours(from, d+time.Minute)
				require.NoError(t, err)
				require.True(t, longer.After(end))
				later, err := c.AddWorkingHours(from.Add(17*time.Minute), d)
				require.NoError(t, err)
				require.False(t, later.Before(end))
			}
		})
	}
}

func TestAddWorkingHoursEdges(t *testing.T) {
	t.Parallel()
	c := standard(t)
	from := riyadh(2026, 1, 15, 14, 0) // Thursday, an hour before the weekend
	got, err := c.AddWorkingHours(from, 0)
	require.NoError(t, err)
	require.Equal(t, from, got)
	got, err = c.AddWorkingHours(from, 8*time.Hour)
	require.NoError(t, err)
	require.True(t, got.Equal(riyadh(2026, 1, 18, 14, 0)), "%v", got)

	idle := standard(t, func(p *calendar.Profile) {
		p.Holidays = []calendar.Holiday{{Range: calendar.Range{From: date(2020, 1, 1), To: date(2040, 1, 1)}, Key: "closed"}}
	})
	_, err = idle.AddWorkingHours(from, time.Hour)
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
}

func TestShading(t *testing.T) {
	t.Parallel()
	c := standard(t, func(p *calendar.Profile) {
		p.Embargoes = []calendar.Embargo{{Key: "peak", Range: calendar.Range{From: date(2026, 6, 18), To: date(2026, 6, 30)}}}
	})
	got := c.Shading(riyadh(2026, 6, 14, 8, 0), 7, "X") // Sunday 14 to Saturday 20 June
	kinds := map[calendar.Kind]int{}
	for _, s := range got {
		kinds[s.Kind]++
		switch s.Kind {
		case calendar.Weekend:
			require.True(t, s.From.Equal(riyadh(2026, 6, 19, 0, 0)))
			require.Equal(t, 48*time.Hour, s.Duration())
		case calendar.OutageBan:
			require.Equal(t, 72*time.Hour, s.Duration())
			require.Equal(t, "peak", s.Key)
		case calendar.Midday:
			require.Equal(t, 3*time.Hour, s.Duration())
		}
	}
	require.Equal(t, map[calendar.Kind]int{calendar.Weekend: 1, calendar.OutageBan: 1,
		calendar.Midday: 6, calendar.FridayPrayer: 1}, kinds)
	require.Empty(t, c.Shading(riyadh(2026, 6, 14, 8, 0), -3, ""))

	month := c.Shading(riyadh(2026, 2, 1, 0, 0), 60, "")
	var spell []calendar.Shade
	for _, s := range month {
		if s.Kind == calendar.RamadanHours {
			spell = append(spell, s)
		}
	}
	require.Len(t, spell, 1)
	require.InDelta(t, 29.5, spell[0].Duration().Hours()/24, 0.6)
}

func TestProfileSurvivesJSON(t *testing.T) {
	t.Parallel()
	p := calendar.SaudiStandard()
	p.Holidays = []calendar.Holiday{{Range: calendar.Range{From: date(2026, 3, 1), To: date(2026, 3, 2)}, Key: "visit"}}
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	require.Contains(t, string(raw), `"shift":{"from":"07:00","to":"15:00"}`)
	require.Contains(t, string(raw), `"from":"2026-03-01"`)
	var back calendar.Profile
	require.NoError(t, json.Unmarshal(raw, &back))
	require.Equal(t, p, back)
	require.Error(t, json.Unmarshal([]byte(`{"shift":{"from":"25:00"}}`), &back))
}

func TestBadProfilesAreRefused(t *testing.T) {
	t.Parallel()
	backwards := calendar.Range{From: date(2026, 2, 2), To: date(2026, 2, 1)}
	tests := map[string]func(*calendar.Profile){
		"time_zone":    func(p *calendar.Profile) { p.TimeZone = "Nowhere/Land" },
		"shift":        func(p *calendar.Profile) { p.Shift = calendar.Hours{From: 900, To: 420} },
		"weekend":      func(p *calendar.Profile) { p.Weekend = []time.Weekday{9} },
		"holidays":     func(p *calendar.Profile) { p.Holidays = []calendar.Holiday{{Range: backwards}} },
		"embargoes":    func(p *calendar.Profile) { p.Embargoes = []calendar.Embargo{{Range: backwards}} },
		"month_shifts": func(p *calendar.Profile) { p.MonthShifts = []calendar.MonthShift{{Year: 1447, Month: 9, Days: 9}} },
		"observances":  func(p *calendar.Profile) { p.Observances = []calendar.Observance{{Month: 13, Day: 1, Days: 1}} },
		"ramadan":      func(p *calendar.Profile) { p.Ramadan = []calendar.RamadanSpell{{Range: backwards}} },
	}
	for field, breakIt := range tests {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			p := calendar.SaudiStandard()
			breakIt(&p)
			_, err := calendar.New(p)
			var f *fault.Error
			require.ErrorAs(t, err, &f)
			require.Equal(t, fault.Invalid, f.Code)
			require.Equal(t, field, f.Args["field"])
		})
	}
}
