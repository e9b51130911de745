package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/calendar"
)

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

// tenantCalendar compiles the working calendar of a tenant: the built-in
// profile with the tenant's own changes on top.
func tenantCalendar(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (*calendar.Calendar, error) {
	t, err := q.GetTenant(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	profile := calendar.SaudiStandard()
	profile.TimeZone = t.TimeZone
	row, err := q.GetCalendar(ctx, tx, tenant, t.CalendarProfile)
	switch {
	case errors.Is(err, pgx.ErrNoRows): // the profile as it is built in
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(row.Overrides, &profile); err != nil {
			return nil, fmt.Errorf("read calendar of tenant: %w", err)
		}
	}
	return calendar.New(profile)
}
