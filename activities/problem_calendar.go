package activities

import (
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
)

// horizon is the window of a run in days of the tenant's calendar.
type horizon struct {
	start   time.Time // midnight UTC of day 0
	days    int
	working []bool
	share   []float64 // of a full shift that is worked on each day, 0 on days off
}

// newHorizon asks the calendar about every day. Shortened days, as in Ramadan,
// count for the share of the longest day of the window that they last.
func newHorizon(cal *calendar.Calendar, start time.Time, days int) horizon {
	h := horizon{start: start, days: days, working: make([]bool, days), share: make([]float64, days)}
	longest := 0.0
	y, m, d := start.Date()
	for i := range days {
		noon := time.Date(y, m, d+i, 12, 0, 0, 0, cal.Location())
		h.working[i] = cal.IsWorkday(noon, "")
		for _, span := range cal.WorkingHours(noon) {
			h.share[i] += span.Duration().Hours()
		}
		longest = max(longest, h.share[i])
	}
	for i := range h.share {
		switch {
		case !h.working[i]:
			h.share[i] = 0
		case longest > 0:
			h.share[i] /= longest
		}
	}
	return h
}

// embargoWindows returns where an embargo meets the horizon. One that recurs
// yearly is tried in every year that the horizon touches, and in the one
// before, because it may reach over New Year.
func (h horizon) embargoWindows(e db.Embargo) []maintenance.Window {
	var windows []maintenance.Window
	add := func(from, to time.Time) {
		first, last := dayOf(h.start, from), dayOf(h.start, to)
		if last >= 0 && first < h.days {
			windows = append(windows, maintenance.Window{From: max(first, 0), To: min(last, h.days-1)})
		}
	}
	if !e.RecursYearly {
		add(e.FromDay, e.ToDay)
		return windows
	}
	end := h.start.AddDate(0, 0, h.days)
	for year := h.start.Year() - 1; year <= end.Year(); year++ {
		shift := year - e.FromDay.Year()
		add(e.FromDay.AddDate(shift, 0, 0), e.ToDay.AddDate(shift, 0, 0))
	}
	return windows
}
