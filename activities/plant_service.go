package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/optimize/dispatch"
)

// service is a plant with the work that waits and the people who do it.
type service struct {
	*plant
	origin   time.Time // local midnight of day 0
	end      time.Time
	horizon  horizon
	shifts   map[uuid.UUID]calendar.Shift
	levels   map[uuid.UUID][]dispatch.Skill // by technician
	travel   map[[2]uuid.UUID]float64       // minutes
	requests []db.ListOpenWorkRequestsRow
	orders   []db.ListDispatchOrdersRow
	alerts   []db.ListInspectionAlertsRow
}

// loadService adds the open work and the people of a plant for a run.
func loadService(ctx context.Context, tx pgx.Tx, q *db.Queries, p *plant, r request) (_ *service, err error) {
	s := &service{plant: p, horizon: newHorizon(p.calendar, r.run.WindowStart, int(r.run.WindowDays)),
		shifts: map[uuid.UUID]calendar.Shift{}, levels: map[uuid.UUID][]dispatch.Skill{}, travel: map[[2]uuid.UUID]float64{}}
	y, m, d := r.run.WindowStart.Date()
	s.origin = time.Date(y, m, d, 0, 0, 0, 0, p.calendar.Location())
	s.end = time.Date(y, m, d+s.horizon.days, 0, 0, 0, 0, p.calendar.Location())
	if s.requests, err = q.ListOpenWorkRequests(ctx, tx, r.run.TenantID, s.end); err != nil {
		return nil, fmt.Errorf("load work requests: %w", err)
	}
	if s.orders, err = q.ListDispatchOrders(ctx, tx, r.run.TenantID, r.run.WindowStart.AddDate(0, 0, s.horizon.days)); err != nil {
		return nil, fmt.Errorf("load work orders: %w", err)
	}
	if s.alerts, err = q.ListInspectionAlerts(ctx, tx, r.run.TenantID); err != nil {
		return nil, fmt.Errorf("load alerts: %w", err)
	}
	return s, s.loadPeople(ctx, tx, q, r.run.TenantID)
}

func (s *service) loadPeople(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
	shifts, err := q.ListShifts(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("load shifts: %w", err)
	}
	for _, x := range shifts {
		shift := calendar.Shift{Start: calendar.Clock(x.StartMinute), Minutes: int(x.Minutes)}
		if x.DaysOn != nil && x.DaysOff != nil && x.Anchor != nil {
			shift.On, shift.Off, shift.Anchor = int(*x.DaysOn), int(*x.DaysOff), calendar.DateOf(*x.Anchor)
		}
		s.shifts[x.ID] = shift
	}
	skills, err := q.ListTechnicianSkills(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("load skills: %w", err)
	}
	for _, x := range skills {
		s.levels[x.TechnicianID] = append(s.levels[x.TechnicianID], dispatch.Skill{ID: skillID(x.Code), Level: int(x.Level)})
	}
	roads, err := q.ListTravelTimes(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("load travel times: %w", err)
	}
	for _, x := range roads {
		s.travel[[2]uuid.UUID{x.FromSiteID, x.ToSiteID}] = x.Minutes
	}
	return nil
}

// minute counts from the start of the horizon.
func (s *service) minute(t time.Time) float64 { return t.Sub(s.origin).Minutes() }

// length is the horizon in minutes.
func (s *service) length() float64 { return float64(s.horizon.days) * 24 * 60 }

// at is a local time of a day of the horizon.
func (s *service) at(day int, clock time.Duration) time.Time {
	y, m, d := s.origin.Date()
	return time.Date(y, m, d+day, 0, int(clock.Minutes()), 0, 0, s.origin.Location())
}
