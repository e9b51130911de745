package activities

import (
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/optimize/dispatch"
)

// How work orders and alerts become visits. A visit leaves an hour of a shift
// for the road.
const (
	visitHours      = 7.0
	mostCrew        = 6
	orderLevel      = 1
	inspectionHours = 1.5
	inspectionLevel = 2
	severe          = 4 // severity from which an alert is looked at within a day
	leastPriority   = 1 // SAR per hour
	workdayStart    = 7 * time.Hour
)

// emergency is the kind of a work request that the calendar does not hold up.
const emergency = "emergency"

// jobs lists the work of the horizon: requests, then orders, then alerts about
// assets that nobody is sent to otherwise. Orders with a technician are the
// plan in force.
func (s *service) jobs(r request) ([]dispatch.Job, []dispatch.Stop) {
	var jobs []dispatch.Job
	var published []dispatch.Stop
	visited := map[uuid.UUID]bool{}
	covered := func(id uuid.UUID) (db.Asset, bool) {
		a, ok := s.assetOf(id)
		return a, ok && r.constraints.Covers(a.SiteID, a.ID)
	}
	for _, w := range s.requests {
		if a, ok := covered(w.AssetID); ok {
			jobs = append(jobs, s.requested(w, a, r.now))
			visited[a.ID] = true
		}
	}
	for _, w := range s.orders {
		if a, ok := covered(w.AssetID); ok {
			visits, stops := s.ordered(w, a, r.now)
			jobs, published = append(jobs, visits...), append(published, stops...)
			visited[a.ID] = true
		}
	}
	for _, x := range s.alerts {
		if x.AssetID == nil || visited[*x.AssetID] {
			continue
		}
		a, ok := covered(*x.AssetID)
		if skill := s.skillOf(a); ok && skill != "" {
			jobs = append(jobs, s.inspection(x, a, skill, r.now))
		}
	}
	return jobs, published
}

// requested is the job of a work request. An overdue one keeps its time of day
// on the first day of the horizon.
func (s *service) requested(w db.ListOpenWorkRequestsRow, a db.Asset, now time.Time) dispatch.Job {
	earliest, latest := w.Earliest.In(s.origin.Location()), w.Latest.In(s.origin.Location())
	if latest.Before(s.origin) {
		y, m, d := earliest.Date()
		late := int(math.Round(s.origin.Sub(time.Date(y, m, d, 0, 0, 0, 0, s.origin.Location())).Hours() / 24))
		earliest, latest = earliest.AddDate(0, 0, late), latest.AddDate(0, 0, late)
	}
	job := s.job("request:"+w.ID.String(), a, w.TitleEn)
	job.Skills = []dispatch.Skill{{ID: skillID(w.SkillCode), Level: int(w.SkillLevel)}}
	job.CrewSize, job.Duration = int(w.CrewSize), w.Hours*60
	job.Windows = []dispatch.Span{{From: math.Max(0, s.minute(earliest)), To: s.length()}}
	due := s.minute(latest)
	job.Due, job.PrioritySAR = &due, s.lossPerHour(a, now)
	job.Exempt = []string{string(calendar.OutageBan)} // a repair is no planned outage
	if w.Kind == emergency {
		job.Exempt = append(job.Exempt, string(calendar.Midday), string(calendar.FridayPrayer))
		if cost, ok := s.priced(a.ID); ok {
			job.PrioritySAR = math.Max(job.PrioritySAR, cost.LossPerHour)
		}
	}
	return job
}

// ordered splits a work order into visits, one per working day from its start,
// one after the other; those beyond the horizon are left out. An overdue order
// begins on the first day.
func (s *service) ordered(w db.ListDispatchOrdersRow, a db.Asset, now time.Time) (visits []dispatch.Job, published []dispatch.Stop) {
	skill := s.skillOf(a)
	first := max(0, dayOf(s.horizon.start, w.StartOn))
	last := max(first, dayOf(s.horizon.start, w.DueOn))
	days := s.workdays(first, last)
	if skill == "" || w.CrewHours <= 0 || len(days) == 0 {
		return nil, nil
	}
	crew := min(max(1, int(math.Ceil(w.CrewHours/(visitHours*float64(len(days)))))), mostCrew, max(1, s.qualified(skill)))
	left := w.CrewHours / float64(crew)
	for k, day := range days {
		if left <= 0 {
			break
		}
		job := s.job(fmt.Sprintf("order:%s/%d", w.ID, k+1), a, w.TitleEn)
		job.Skills = []dispatch.Skill{{ID: skillID(skill), Level: orderLevel}}
		job.CrewSize, job.Duration = crew, math.Min(left, visitHours)*60
		left -= visitHours
		due := s.minute(s.at(day+1, 0))
		job.Windows, job.Due = []dispatch.Span{{From: s.minute(s.at(day, 0)), To: s.length()}}, &due
		job.PrioritySAR = s.lossPerHour(a, now)
		if cost, ok := s.priced(a.ID); !ok || cost.PlannedHours == 0 || w.Status == orderInProgress {
			job.Exempt = []string{string(calendar.OutageBan)} // takes nothing out, or is out already
		}
		if k > 0 {
			job.After = []string{visits[k-1].ID}
		}
		visits = append(visits, job)
		if w.TechnicianID != nil {
			published = append(published, dispatch.Stop{TechnicianID: w.TechnicianID.String(), JobID: job.ID, Start: s.minute(s.at(day, workdayStart))})
		}
	}
	return visits, published
}

// workdays lists the working days of the horizon from first to last, or the
// first one after when there is none between.
func (s *service) workdays(first, last int) []int {
	var days []int
	for d := first; d < s.horizon.days && (d <= last || len(days) == 0); d++ {
		if s.horizon.working[d] {
			days = append(days, d)
		}
	}
	return days
}

// qualified is the number of technicians with a skill.
func (s *service) qualified(skill string) int {
	n := 0
	for _, m := range s.staff {
		for _, x := range s.skillsOf(m) {
			if m.HomeSiteID != nil && x.ID == skillID(skill) && x.Level >= orderLevel {
				n++
			}
		}
	}
	return n
}

// inspection is a look at an asset with an open alert: within a day when it is
// severe, within three otherwise.
func (s *service) inspection(x db.ListInspectionAlertsRow, a db.Asset, skill string, now time.Time) dispatch.Job {
	job := s.job("alert:"+x.ID.String(), a, "")
	job.Skills = []dispatch.Skill{{ID: skillID(skill), Level: inspectionLevel}}
	job.CrewSize, job.Duration = 1, inspectionHours*60
	days := 3
	if x.Severity >= severe {
		days = 1
	}
	due := math.Max(s.minute(x.RaisedAt.AddDate(0, 0, days)), s.minute(s.at(1, 0)))
	job.Due, job.PrioritySAR = &due, s.lossPerHour(a, now)
	job.Exempt = []string{string(calendar.OutageBan)}
	return job
}

func (s *service) job(id string, a db.Asset, title string) dispatch.Job {
	return dispatch.Job{ID: id, AssetID: a.ID.String(), SiteID: a.SiteID.String(), Title: title, Outdoor: a.Outdoor}
}

// lossPerHour is what an hour of waiting costs: the hazard of the asset at its
// age, with the evidence of its score, times the cost of a failure.
func (s *service) lossPerHour(a db.Asset, now time.Time) float64 {
	cost, ok := s.priced(a.ID)
	if !ok {
		return leastPriority
	}
	hazard := hazardPerHour(weibullOf(a), ageAt(a, s.horizon.start))
	return math.Max(leastPriority, hazard*s.evidence(a.ID, now)*cost.FailureTotal())
}
