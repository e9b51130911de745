package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize/dispatch"
)

const (
	ownLevel       = 3       // of the trade of the crew, unless the skills say otherwise
	unreachable    = 24 * 60 // minutes on a road that nobody has measured: longer than any shift
	overtimeFactor = 1.5     // pay of an hour beyond the shift
)

func buildDispatch(ctx context.Context, tx pgx.Tx, q *db.Queries, p *plant, r request) (any, error) {
	s, err := loadService(ctx, tx, q, p, r)
	if err != nil {
		return nil, err
	}
	return s.dispatch(r)
}

// dispatch turns the open work into the question who does which job when.
func (s *service) dispatch(r request) (dispatch.Input, error) {
	in := dispatch.Input{
		StartDate: s.horizon.start.Format(time.DateOnly), Days: s.horizon.days, Technicians: s.technicians(), Closures: s.closures(),
		Weights: dispatch.Weights{Unserved: r.weight("weight_unserved"), Lateness: r.weight("weight_lateness"), Travel: r.weight("weight_travel"),
			Overtime: r.weight("weight_overtime"), Stability: r.weight("weight_stability")},
	}
	in.ChangeSAR, _ = r.constraints.Value(r.spec, "change_sar") // left empty: a change costs nothing
	for _, site := range s.sites {
		in.Sites = append(in.Sites, site.ID.String())
		in.Travel = append(in.Travel, s.roads(site.ID))
	}
	in.Jobs, in.Published = s.jobs(r)
	switch {
	case len(in.Technicians) == 0:
		return in, fault.New(fault.Invalid, KeyNoTechnicians)
	case len(in.Jobs) == 0:
		return in, fault.New(fault.Invalid, KeyNoJobs)
	}
	return in, nil
}

// roads are the minutes from a site to every site.
func (s *service) roads(from uuid.UUID) []float64 {
	row := make([]float64, len(s.sites))
	for i, to := range s.sites {
		minutes, known := s.travel[[2]uuid.UUID{from, to.ID}]
		switch {
		case known:
			row[i] = minutes
		case to.ID != from:
			row[i] = unreachable
		}
	}
	return row
}

// technicians lists those who have a home and a shift in the horizon.
func (s *service) technicians() []dispatch.Technician {
	var out []dispatch.Technician
	for _, m := range s.staff {
		if m.HomeSiteID == nil {
			continue
		}
		t := dispatch.Technician{ID: m.ID.String(), SiteID: m.HomeSiteID.String(), Skills: s.skillsOf(m), CostPerHour: m.CostSarPerHour,
			MaxOvertime: m.OvertimeHours * 60, OvertimeFactor: overtimeFactor}
		for _, x := range calendar.MinutesWithin(s.origin, s.duty(m)) {
			t.Shifts = append(t.Shifts, dispatch.Span{From: float64(x.From), To: float64(x.To)})
		}
		if len(t.Shifts) > 0 && len(t.Skills) > 0 {
			out = append(out, t)
		}
	}
	return out
}

// skillsOf are the skills of a technician: those recorded, and the trade of
// the crew.
func (s *service) skillsOf(m db.ListTechniciansRow) []dispatch.Skill {
	skills := slices.Clone(s.levels[m.ID])
	for _, k := range s.skills {
		if id := skillID(k.Code); k.ID == m.SkillID && !slices.ContainsFunc(skills, func(x dispatch.Skill) bool { return x.ID == id }) {
			skills = append(skills, dispatch.Skill{ID: id, Level: ownLevel})
		}
	}
	return skills
}

// duty is when a technician works: by the shift, or the hours of the calendar.
func (s *service) duty(m db.ListTechniciansRow) []calendar.Span {
	if m.ShiftID != nil {
		if shift, ok := s.shifts[*m.ShiftID]; ok {
			return s.calendar.Shifts(shift, s.origin, s.end)
		}
	}
	var spans []calendar.Span
	for day := range s.horizon.days {
		spans = append(spans, s.calendar.WorkingHours(s.at(day, 12*time.Hour))...)
	}
	return spans
}

// closures are when the calendar and the embargoes forbid work at a site.
// Whether people are there is a matter of their shifts.
func (s *service) closures() []dispatch.Closure {
	var out []dispatch.Closure
	for _, site := range s.sites {
		id := site.ID.String()
		job := calendar.Job{Outdoor: true, Outage: true, Standby: true, Exempt: site.MiddayBanExempt}
		for i, w := range s.calendar.Forbidden(s.origin, s.end, id, job) {
			for _, x := range calendar.MinutesAround(s.origin, []calendar.Span{w.Span}) {
				out = append(out, dispatch.Closure{ID: fmt.Sprintf("%s@%s/%d", w.Kind, site.Code, i), Kind: string(w.Kind), SiteID: id,
					From: float64(x.From), To: float64(x.To), Outdoor: w.Kind == calendar.Midday, NoStart: w.StartOnly})
			}
		}
		for _, e := range s.embargoes {
			if e.SiteID != nil && *e.SiteID != site.ID {
				continue
			}
			for _, w := range s.horizon.embargoWindows(e) {
				out = append(out, dispatch.Closure{ID: e.ID.String(), Kind: string(calendar.OutageBan), SiteID: id,
					From: s.minute(s.at(w.From, 0)), To: s.minute(s.at(w.To+1, 0))})
			}
		}
	}
	return out
}
