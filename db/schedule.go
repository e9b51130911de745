package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/recurrence"
)

// RuleOf compiles when a schedule is due, by the calendar of its tenant.
func RuleOf(ctx context.Context, tx pgx.Tx, s Schedule) (*recurrence.Rule, error) {
	calendar, err := TenantCalendar(ctx, tx, s.TenantID)
	if err != nil {
		return nil, err
	}
	var excluded []recurrence.Exclusion
	if err := json.Unmarshal(s.Exclusions, &excluded); err != nil {
		return nil, fmt.Errorf("read exclusions of schedule: %w", err)
	}
	return recurrence.New(s.Cron, s.TimeZone, excluded, calendar)
}

// Policy is how late work of the schedule is made up for.
func (s Schedule) Policy() recurrence.Policy {
	return recurrence.Policy{Overlap: s.Overlap, Window: time.Duration(s.CatchUpMinutes) * time.Minute}
}

// PausedAt reports whether the schedule rests at a moment.
func (s Schedule) PausedAt(t time.Time) bool {
	return s.Paused && (s.PausedUntil == nil || t.Before(*s.PausedUntil))
}

// StartTrigger is what the workflow engine has to know of the schedule. A pause with
// an end becomes the moment from which it starts again, so that the first due
// time after the pause is not lost.
func (s Schedule) StartTrigger() recurrence.Trigger {
	t := recurrence.Trigger{TenantID: s.TenantID, ID: s.ID, Cron: s.Cron, Zone: s.TimeZone, Window: s.Policy().Window, Note: s.PauseNote,
		Gone: s.ArchivedAt != nil || s.Trigger == recurrence.External}
	switch {
	case s.Paused && s.PausedUntil != nil:
		t.From = *s.PausedUntil
	case s.Paused:
		t.Paused = true
	}
	return t
}
