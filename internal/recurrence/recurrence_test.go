package recurrence_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/recurrence"
)

const riyadh = "Asia/Riyadh"

func saudi(t *testing.T, change ...func(*calendar.Profile)) *calendar.Calendar {
	t.Helper()
	p := calendar.SaudiStandard()
	for _, f := range change {
		f(&p)
	}
	c, err := calendar.New(p)
	require.NoError(t, err)
	return c
}

func rule(t *testing.T, cron, zone string, excluded ...recurrence.Exclusion) *recurrence.Rule {
	t.Helper()
	r, err := recurrence.New(cron, zone, excluded, saudi(t))
	require.NoError(t, err)
	return r
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return v
}

func texts(times []time.Time) []string {
	out := make([]string, len(times))
	for i, x := range times {
		out[i] = x.Format("2006-01-02 15:04 -0700")
	}
	return out
}

func TestNext(t *testing.T) {
	t.Parallel()
	daily := rule(t, "0 5 * * *", riyadh)
	require.Equal(t, []string{"2026-11-30 05:00 +0300", "2026-12-01 05:00 +0300"}, texts(daily.Next(at(t, "2026-11-29T02:00:00Z"), 2)))
	weekly := rule(t, "0 4 * * SUN", riyadh)
	require.Equal(t, []string{"2026-12-06 04:00 +0300"}, texts(weekly.Next(at(t, "2026-11-30T00:00:00Z"), 1)))
	require.True(t, weekly.Due(at(t, "2026-12-06T01:00:00Z")))
	require.False(t, weekly.Due(at(t, "2026-12-06T01:01:00Z")))
	require.False(t, weekly.Due(at(t, "2026-12-07T01:00:00Z")))
	monthly := rule(t, "30 23 31 * *", "UTC")
	require.Equal(t, []string{"2026-12-31 23:30 +0000", "2027-01-31 23:30 +0000", "2027-03-31 23:30 +0000"}, texts(monthly.Next(at(t, "2026-12-01T00:00:00Z"), 3)))
}

func TestBetweenKeepsTheNewest(t *testing.T) {
	t.Parallel()
	hourly := rule(t, "0 * * * *", "UTC")
	from, until := at(t, "2026-11-30T00:00:00Z"), at(t, "2026-11-30T10:00:00Z")
	require.Len(t, hourly.Between(from, until, 100), 10, "the start is left out, the end is not")
	require.Equal(t, []string{"2026-11-30 09:00 +0000", "2026-11-30 10:00 +0000"}, texts(hourly.Between(from, until, 2)))
	require.Empty(t, hourly.Between(until, from, 5))
}

func TestExclusions(t *testing.T) {
	t.Parallel()
	eid := rule(t, "0 5 * * *", riyadh, recurrence.Exclusion{Holiday: "eid_al_fitr"})
	// 1 Shawwal 1446 is 30 March 2025; the feast is excluded for four days.
	require.Equal(t, []string{"2025-03-29 05:00 +0300", "2025-04-03 05:00 +0300"}, texts(eid.Next(at(t, "2025-03-28T12:00:00Z"), 2)))
	require.False(t, eid.Due(at(t, "2025-03-31T02:00:00Z")))

	sighted, err := recurrence.New("0 5 * * *", riyadh, []recurrence.Exclusion{{Holiday: "eid_al_fitr"}}, saudi(t, func(p *calendar.Profile) {
		p.MonthShifts = []calendar.MonthShift{{Year: 1446, Month: 10, Days: 1}}
	}))
	require.NoError(t, err)
	require.Equal(t, []string{"2025-03-30 05:00 +0300", "2025-04-04 05:00 +0300"}, texts(sighted.Next(at(t, "2025-03-29T12:00:00Z"), 2)), "the moon was sighted a day later")

	week := rule(t, "0 5 * * *", riyadh, recurrence.Exclusion{Period: recurrence.Weekend})
	require.Equal(t, []string{"2026-12-03 05:00 +0300", "2026-12-06 05:00 +0300"}, texts(week.Next(at(t, "2026-12-02T12:00:00Z"), 2)))

	ramadan := rule(t, "0 5 * * *", riyadh, recurrence.Exclusion{Period: recurrence.Ramadan})
	require.Equal(t, []string{"2025-02-28 05:00 +0300", "2025-03-30 05:00 +0300"}, texts(ramadan.Next(at(t, "2025-02-27T12:00:00Z"), 2)))

	from, to := calendar.Date{Year: 2026, Month: 12, Day: 2}, calendar.Date{Year: 2026, Month: 12, Day: 4}
	shut := rule(t, "0 5 * * *", riyadh, recurrence.Exclusion{From: &from, To: &to})
	require.Equal(t, []string{"2026-12-01 05:00 +0300", "2026-12-05 05:00 +0300"}, texts(shut.Next(at(t, "2026-11-30T12:00:00Z"), 2)))

	var stored []recurrence.Exclusion
	require.NoError(t, json.Unmarshal([]byte(`[{"holiday":"eid_al_adha"},{"period":"ramadan"},{"from":"2026-12-02","to":"2026-12-04"}]`), &stored))
	require.Equal(t, []recurrence.Exclusion{{Holiday: "eid_al_adha"}, {Period: "ramadan"}, {From: &from, To: &to}}, stored)
}

func TestSummerTime(t *testing.T) {
	t.Parallel()
	const berlin = "Europe/Berlin" // clocks go forward on 28 March 2027 at 02:00, back on 31 October 2027 at 03:00
	nightly := rule(t, "30 2 * * *", berlin)
	require.Equal(t, []string{"2027-03-27 02:30 +0100", "2027-03-29 02:30 +0200"}, texts(nightly.Next(at(t, "2027-03-26T12:00:00Z"), 2)), "02:30 does not exist on the 28th")
	autumn := nightly.Next(at(t, "2027-10-30T12:00:00Z"), 2)
	require.Equal(t, []string{"2027-10-31 02:30 +0200", "2027-11-01 02:30 +0100"}, texts(autumn), "02:30 comes twice and counts once")
	require.False(t, nightly.Due(at(t, "2027-10-31T01:30:00Z")))
	hourly := rule(t, "0 * * * *", berlin)
	day := hourly.Between(at(t, "2027-10-30T22:00:00Z"), at(t, "2027-10-31T23:00:00Z"), 50)
	require.Len(t, day, 25, "the day has 25 hours")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	early, late := calendar.Date{Year: 2026, Month: 1, Day: 1}, calendar.Date{Year: 2026, Month: 1, Day: 9}
	for _, tc := range []struct {
		name, cron, zone, key string
		excluded              []recurrence.Exclusion
	}{
		{"empty", "", riyadh, recurrence.KeyFields, nil},
		{"four fields", "0 5 * *", riyadh, recurrence.KeyFields, nil},
		{"six fields", "0 0 5 * * *", riyadh, recurrence.KeyFields, nil},
		{"words", "@daily 5 * * *", riyadh, recurrence.KeySyntax, nil},
		{"question mark", "0 5 ? * *", riyadh, recurrence.KeySyntax, nil},
		{"hour 25", "0 25 * * *", riyadh, recurrence.KeySyntax, nil},
		{"backwards", "0 9-5 * * *", riyadh, recurrence.KeySyntax, nil},
		{"day and weekday", "0 5 1 * 1", riyadh, recurrence.KeyBothDays, nil},
		{"30 February", "0 5 30 2 *", riyadh, recurrence.KeyNever, nil},
		{"every minute", "* * * * *", riyadh, recurrence.KeyTooOften, nil},
		{"every four minutes", "*/4 * * * *", riyadh, recurrence.KeyTooOften, nil},
		{"across midnight", "0,58 0,23 * * *", riyadh, recurrence.KeyTooOften, nil},
		{"no zone", "0 5 * * *", "", recurrence.KeyZone, nil},
		{"zone of the machine", "0 5 * * *", "Local", recurrence.KeyZone, nil},
		{"unknown zone", "0 5 * * *", "Mars/Olympus", recurrence.KeyZone, nil},
		{"empty exclusion", "0 5 * * *", riyadh, recurrence.KeyExclusion, []recurrence.Exclusion{{}}},
		{"unknown period", "0 5 * * *", riyadh, recurrence.KeyExclusion, []recurrence.Exclusion{{Period: "summer"}}},
		{"two in one", "0 5 * * *", riyadh, recurrence.KeyExclusion, []recurrence.Exclusion{{Period: "ramadan", Holiday: "eid_al_fitr"}}},
		{"open range", "0 5 * * *", riyadh, recurrence.KeyExclusion, []recurrence.Exclusion{{From: &early}}},
		{"backward range", "0 5 * * *", riyadh, recurrence.KeyRange, []recurrence.Exclusion{{From: &late, To: &early}}},
		{"too many", "0 5 * * *", riyadh, recurrence.KeyExclusion, slices.Repeat([]recurrence.Exclusion{{Period: "ramadan"}}, 41)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := recurrence.New(tc.cron, tc.zone, tc.excluded, saudi(t))
			var f *fault.Error
			require.True(t, errors.As(err, &f), "%v", err)
			require.Equal(t, fault.Invalid, f.Code)
			require.Equal(t, tc.key, f.Key)
		})
	}
	_, err := recurrence.New("*/5 * * * *", riyadh, nil, nil)
	require.NoError(t, err, "every five minutes is allowed")
}

func TestARuleThatExcludesEverythingEnds(t *testing.T) {
	t.Parallel()
	fridays := rule(t, "0 5 * * 5", riyadh, recurrence.Exclusion{Period: recurrence.Weekend})
	require.Empty(t, fridays.Next(at(t, "2026-12-01T00:00:00Z"), 5))
}

func TestJudge(t *testing.T) {
	t.Parallel()
	hourly := rule(t, "0 * * * *", "UTC")
	now := at(t, "2026-11-30T12:10:00Z")
	verdicts := func(overlap string, window time.Duration) (run, joined, late int) {
		p := recurrence.Policy{Overlap: overlap, Window: window}
		for _, due := range hourly.Between(now.Add(-10*time.Hour), now, 100) {
			switch p.Judge(hourly, due, now) {
			case recurrence.Run:
				run++
			case recurrence.Joined:
				joined++
			case recurrence.TooLate:
				late++
			}
		}
		return run, joined, late
	}
	run, joined, late := verdicts(recurrence.Skip, 6*time.Hour)
	require.Equal(t, []int{1, 5, 4}, []int{run, joined, late}, "the newest stands for all within the window")
	run, joined, late = verdicts(recurrence.AllowAll, 6*time.Hour)
	require.Equal(t, []int{6, 0, 4}, []int{run, joined, late})
	run, joined, late = verdicts(recurrence.BufferOne, 5*time.Minute)
	require.Equal(t, []int{0, 0, 10}, []int{run, joined, late})
	p := recurrence.Policy{Overlap: recurrence.Skip, Window: time.Hour}
	require.Equal(t, recurrence.Run, p.Judge(hourly, now.Add(-time.Minute), now.Add(-time.Minute)))
}

func TestFirstDay(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation(riyadh)
	require.NoError(t, err)
	due := at(t, "2026-12-01T22:30:00Z") // Wednesday 2 December in Riyadh
	for _, tc := range []struct{ rule, want string }{
		{recurrence.StartSameDay, "2026-12-02"}, {recurrence.StartNextDay, "2026-12-03"}, {recurrence.StartNextWeek, "2026-12-06"},
	} {
		first, err := recurrence.Request{Start: tc.rule}.First(due, due, zone)
		require.NoError(t, err)
		require.Equal(t, tc.want, first.Format(time.DateOnly), tc.rule)
	}
	first, err := recurrence.Request{Start: recurrence.StartSameDay}.First(due, due.AddDate(0, 0, 9), zone)
	require.NoError(t, err)
	require.Equal(t, "2026-12-11", first.Format(time.DateOnly), "what is made up for plans from today")
	_, err = recurrence.Request{Start: "yesterday"}.First(due, due, zone)
	require.Error(t, err)
}

func TestBuild(t *testing.T) {
	t.Parallel()
	require.Equal(t, "30 4 * * *", recurrence.Build(recurrence.Daily, 4*60+30, nil, 0))
	require.Equal(t, "0 4 * * 0,2", recurrence.Build(recurrence.Weekly, 4*60, []int{2, 0, 2}, 0))
	require.Equal(t, "0 4 15 * *", recurrence.Build(recurrence.Monthly, 4*60, nil, 15))
	require.Empty(t, recurrence.Build(recurrence.Weekly, 0, nil, 0))
	require.Empty(t, recurrence.Build(recurrence.Weekly, 0, []int{7}, 0))
	require.Empty(t, recurrence.Build(recurrence.Monthly, 0, nil, 32))
	require.Empty(t, recurrence.Build(recurrence.Daily, 24*60, nil, 0))
	require.Empty(t, recurrence.Build("yearly", 0, nil, 0))
}

func TestAfterHoliday(t *testing.T) {
	t.Parallel()
	end, ok := recurrence.AfterHoliday(saudi(t), "eid_al_fitr", at(t, "2025-03-01T12:00:00Z"))
	require.True(t, ok)
	require.Equal(t, "2025-04-03 00:00 +0300", end.Format("2006-01-02 15:04 -0700"))
	_, ok = recurrence.AfterHoliday(saudi(t), "no such day", at(t, "2025-03-01T12:00:00Z"))
	require.False(t, ok)
}

// TestHolidaysAreThoseOfTheCalendar takes what every calendar knows and what
// one has of its own; a rule that was stored with another goes on.
func TestHolidaysAreThoseOfTheCalendar(t *testing.T) {
	t.Parallel()
	own := saudi(t, func(p *calendar.Profile) {
		p.Holidays = append(p.Holidays, calendar.Holiday{Range: calendar.Range{From: calendar.Date{Year: 2027, Month: 1, Day: 3}, To: calendar.Date{Year: 2027, Month: 1, Day: 3}}, Key: "plant_day"})
	})
	for _, key := range append(recurrence.Holidays(), "plant_day") {
		require.NoError(t, recurrence.CheckHolidays([]recurrence.Exclusion{{Period: recurrence.Ramadan}, {Holiday: key}}, own), key)
	}
	for _, key := range []string{"plant_day", "Eid", "eid_al_fitr ", "؟"} {
		wrong := []recurrence.Exclusion{{Holiday: "national_day"}, {Holiday: key}}
		var f *fault.Error
		require.ErrorAs(t, recurrence.CheckHolidays(wrong, saudi(t)), &f, key)
		require.Equal(t, recurrence.KeyHoliday, f.Key)
		require.Equal(t, map[string]any{"Value": key, "Known": "eid_al_adha, eid_al_fitr, founding_day, national_day"}, f.Args)
		_, err := recurrence.New("0 5 * * *", riyadh, wrong, saudi(t))
		require.NoError(t, err)
	}
}
