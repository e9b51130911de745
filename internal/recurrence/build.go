package recurrence

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/optria-iq/optria/internal/calendar"
)

// Rhythms of the builder.
const (
	Daily   = "daily"
	Weekly  = "weekly"
	Monthly = "monthly"
)

// Rhythms lists the rhythms of the builder.
func Rhythms() []string { return []string{Daily, Weekly, Monthly} }

// Build writes the cron expression of a rhythm at a time of day: weekly on the
// given days (0 is Sunday), monthly on a day of the month. What cannot be built
// is an empty text.
func Build(rhythm string, at calendar.Clock, weekdays []int, monthDay int) string {
	if at < 0 || at >= 24*60 {
		return ""
	}
	clock := fmt.Sprintf("%d %d", int(at)%60, int(at)/60)
	switch rhythm {
	case Daily:
		return clock + " * * *"
	case Weekly:
		days := slices.Compact(slices.Sorted(slices.Values(weekdays)))
		if len(days) == 0 || days[0] < 0 || days[len(days)-1] > 6 {
			return ""
		}
		names := make([]string, len(days))
		for i, d := range days {
			names[i] = strconv.Itoa(d)
		}
		return clock + " * * " + strings.Join(names, ",")
	case Monthly:
		if monthDay < 1 || monthDay > 31 {
			return ""
		}
		return clock + " " + strconv.Itoa(monthDay) + " * *"
	}
	return ""
}
