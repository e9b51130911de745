package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/calendar"
)

// TenantCalendar compiles the working calendar of a tenant: the built-in
// profile with the tenant's own changes on top.
func TenantCalendar(ctx context.Context, tx pgx.Tx, tenant uuid.UUID) (*calendar.Calendar, error) {
	q := New()
	t, err := q.GetTenant(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("load tenant: %w", err)
	}
	profile := calendar.SaudiStandard()
	profile.TimeZone = t.TimeZone
	row, err := q.GetCalendar(ctx, tx, tenant, t.CalendarProfile)
	switch {
	case errors.Is(err, pgx.ErrNoRows): // the profile as it is built in
	case err != nil:
		return nil, fmt.Errorf("load calendar: %w", err)
	default:
		if err := json.Unmarshal(row.Overrides, &profile); err != nil {
			return nil, fmt.Errorf("read calendar of tenant: %w", err)
		}
	}
	return calendar.New(profile)
}
