package web

import "time"

// riyadhZone is the zone in which the wizard counts days, as all dates of the
// pages are shown in it.
var riyadhZone = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Riyadh")
	if err != nil {
		return time.FixedZone("AST", 3*3600) // Riyadh keeps UTC+3 all year
	}
	return zone
}()

// dateIn returns the day of t in a zone, as midnight UTC: the form in which
// dates come from the database.
func dateIn(zone *time.Location, t time.Time) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
