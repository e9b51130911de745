package dispatch

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
)

// The largest instance that is accepted.
const (
	maxDays        = 90
	maxSites       = 3000
	maxTechnicians = 2000
	maxJobs        = 20000
	maxShifts      = 10000 // of all technicians
	maxPairs       = 20e6  // jobs times shifts
	maxTools       = 64    // kinds that jobs ask for
	maxCrew        = 16
	minutesPerDay  = 24 * 60
	maxMoney       = 1e12
)

// Validate returns a fault naming the first field that makes no sense.
func (in *Input) Validate() error {
	if _, err := time.Parse(time.DateOnly, in.StartDate); err != nil {
		return optimize.Invalid("start_date", "want YYYY-MM-DD")
	}
	if in.Days < 1 || in.Days > maxDays {
		return optimize.Invalid("days", fmt.Sprintf("want 1 to %d", maxDays))
	}
	for _, check := range []func() error{in.validateWeights, in.validateTravel, in.validateTechnicians, in.validateJobs, in.validateOrder, in.validateClosures, in.validatePins} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// amount says whether v is a sane sum or time: finite and at least 0.
func amount(v float64) bool { return v >= 0 && v <= maxMoney }

func (in *Input) horizon() float64 { return float64(in.Days) * minutesPerDay }

func (in *Input) validateWeights() error {
	if in.Weights.Preset != "" && !slices.Contains(optimize.Presets, in.Weights.Preset) {
		return optimize.Invalid("weights.preset", fmt.Sprintf("unknown preset %q", in.Weights.Preset))
	}
	w := in.Weights.values()
	for _, n := range []struct {
		name  string
		value float64
	}{{"unserved", w.Unserved}, {"lateness", w.Lateness}, {"travel", w.Travel}, {"overtime", w.Overtime}, {"stability", w.Stability}} {
		if !(n.value >= 0 && n.value <= 1e6) {
			return optimize.Invalid("weights."+n.name, "want 0 to 1,000,000")
		}
	}
	if w.Unserved == 0 {
		return optimize.Invalid("weights.unserved", "want more than 0, or nobody would be sent")
	}
	if !amount(in.ChangeSAR) {
		return optimize.Invalid("change_sar", "want at least 0")
	}
	return nil
}

func (in *Input) validateTravel() error {
	if len(in.Sites) == 0 || len(in.Sites) > maxSites {
		return optimize.Invalid("sites", fmt.Sprintf("want 1 to %d", maxSites))
	}
	seen := map[string]bool{}
	for k, id := range in.Sites {
		if id == "" || seen[id] {
			return optimize.Invalid(fmt.Sprintf("sites[%d]", k), "missing or used twice")
		}
		seen[id] = true
	}
	if len(in.Travel) != len(in.Sites) {
		return optimize.Invalid("travel", fmt.Sprintf("want %d rows", len(in.Sites)))
	}
	for a, row := range in.Travel {
		if len(row) != len(in.Sites) {
			return optimize.Invalid(fmt.Sprintf("travel[%d]", a), fmt.Sprintf("want %d minutes", len(in.Sites)))
		}
		for b, t := range row {
			if !(t >= 0 && t <= maxDays*minutesPerDay) {
				return optimize.Invalid(fmt.Sprintf("travel[%d][%d]", a, b), "want minutes of at least 0")
			}
		}
	}
	if in.StoreSiteID != "" && !seen[in.StoreSiteID] {
		return optimize.Invalid("store_site_id", fmt.Sprintf("unknown site %q", in.StoreSiteID))
	}
	return nil
}

func (in *Input) validateTechnicians() error {
	if len(in.Technicians) > maxTechnicians {
		return optimize.Invalid("technicians", fmt.Sprintf("at most %d", maxTechnicians))
	}
	seen, shifts := map[string]bool{}, 0
	for k := range in.Technicians {
		t, field := &in.Technicians[k], fmt.Sprintf("technicians[%d]", k)
		switch {
		case t.ID == "" || seen[t.ID]:
			return optimize.Invalid(field+".id", "missing or used twice")
		case !slices.Contains(in.Sites, t.SiteID):
			return optimize.Invalid(field+".site_id", fmt.Sprintf("unknown site %q", t.SiteID))
		case !amount(t.CostPerHour):
			return optimize.Invalid(field+".cost_per_hour", "want at least 0")
		case !(t.MaxOvertime >= 0 && t.MaxOvertime <= minutesPerDay):
			return optimize.Invalid(field+".max_overtime", "want 0 to 1440 minutes")
		case !(t.OvertimeFactor >= 0 && t.OvertimeFactor <= 100):
			return optimize.Invalid(field+".overtime_factor", "want 0 to 100")
		}
		seen[t.ID] = true
		if err := in.validateSpans(field+".shifts", t.Shifts); err != nil {
			return err
		}
		if err := in.validateSpans(field+".absences", t.Absences); err != nil {
			return err
		}
		if err := validateGear(field, t.Skills, t.Parts); err != nil {
			return err
		}
		shifts += len(t.Shifts) + len(t.Absences)
	}
	if shifts > maxShifts {
		return optimize.Invalid("technicians", fmt.Sprintf("%d shifts and absences, at most %d", shifts, maxShifts))
	}
	if float64(shifts)*float64(len(in.Jobs)) > maxPairs {
		return optimize.Invalid("jobs", fmt.Sprintf("%d jobs times %d shifts are too many pairs, at most %g", len(in.Jobs), shifts, maxPairs))
	}
	return nil
}

// validateSpans wants spans in the horizon, ascending and apart.
func (in *Input) validateSpans(field string, spans []Span) error {
	for k, s := range spans {
		switch {
		case !(s.From >= 0 && s.From <= s.To && s.To <= in.horizon()):
			return optimize.Invalid(fmt.Sprintf("%s[%d]", field, k), fmt.Sprintf("want 0 ≤ from ≤ to ≤ %g", in.horizon()))
		case k > 0 && s.From < spans[k-1].To:
			return optimize.Invalid(fmt.Sprintf("%s[%d]", field, k), "starts before the one before it ends")
		}
	}
	return nil
}

func validateGear(field string, skills []Skill, parts []Stock) error {
	for k, s := range skills {
		if s.ID == "" || s.Level < 0 || s.Level > 1000 {
			return optimize.Invalid(fmt.Sprintf("%s.skills[%d]", field, k), "want an id and a level from 0 to 1000")
		}
	}
	for k, p := range parts {
		if p.Part == "" || p.Units < 0 || p.Units > math.MaxInt32 {
			return optimize.Invalid(fmt.Sprintf("%s.parts[%d]", field, k), "want a part and at least 0 units")
		}
	}
	return nil
}

func (in *Input) validateJobs() error {
	if len(in.Jobs) > maxJobs {
		return optimize.Invalid("jobs", fmt.Sprintf("at most %d", maxJobs))
	}
	seen, tools := map[string]bool{}, map[string]bool{}
	for k := range in.Jobs {
		j, field := &in.Jobs[k], fmt.Sprintf("jobs[%d]", k)
		switch {
		case j.ID == "" || seen[j.ID]:
			return optimize.Invalid(field+".id", "missing or used twice")
		case !slices.Contains(in.Sites, j.SiteID):
			return optimize.Invalid(field+".site_id", fmt.Sprintf("unknown site %q", j.SiteID))
		case j.CrewSize < 0 || j.CrewSize > maxCrew:
			return optimize.Invalid(field+".crew_size", fmt.Sprintf("want 0 to %d", maxCrew))
		case !(j.Duration >= 0 && j.Duration <= in.horizon()):
			return optimize.Invalid(field+".duration", "want minutes of at least 0 within the horizon")
		case j.Due != nil && !(math.Abs(*j.Due) <= maxMoney):
			return optimize.Invalid(field+".due", "want a number of minutes")
		case !amount(j.PrioritySAR):
			return optimize.Invalid(field+".priority_sar", "want at least 0")
		case !amount(j.UnservedSAR):
			return optimize.Invalid(field+".unserved_sar", "want at least 0")
		}
		seen[j.ID] = true
		if err := in.validateSpans(field+".windows", j.Windows); err != nil {
			return err
		}
		if err := validateGear(field, j.Skills, j.Parts); err != nil {
			return err
		}
		for _, tool := range j.Tools {
			tools[tool] = true
		}
	}
	if len(tools) > maxTools {
		return optimize.Invalid("jobs", fmt.Sprintf("ask for %d kinds of tools, at most %d", len(tools), maxTools))
	}
	return nil
}

// validateOrder wants known predecessors without a circle.
func (in *Input) validateOrder() error {
	index := in.jobIndex()
	state := make([]int8, len(in.Jobs)) // 1 on the path, 2 done
	var visit func(k int) error
	visit = func(k int) error {
		state[k] = 1
		for n, id := range in.Jobs[k].After {
			field := fmt.Sprintf("jobs[%d].after[%d]", k, n)
			p, known := index[id]
			switch {
			case !known:
				return optimize.Invalid(field, fmt.Sprintf("unknown job %q", id))
			case state[p] == 1:
				return optimize.Invalid(field, fmt.Sprintf("job %q waits for itself", id))
			case state[p] == 0:
				if err := visit(p); err != nil {
					return err
				}
			}
		}
		state[k] = 2
		return nil
	}
	for k := range in.Jobs {
		if state[k] == 0 {
			if err := visit(k); err != nil {
				return err
			}
		}
	}
	return nil
}

func (in *Input) jobIndex() map[string]int {
	index := make(map[string]int, len(in.Jobs))
	for k := range in.Jobs {
		index[in.Jobs[k].ID] = k
	}
	return index
}

func (in *Input) technicianIndex() map[string]int {
	index := make(map[string]int, len(in.Technicians))
	for k := range in.Technicians {
		index[in.Technicians[k].ID] = k
	}
	return index
}

func (in *Input) validateClosures() error {
	for k, c := range in.Closures {
		switch field := fmt.Sprintf("closures[%d]", k); {
		case !(math.Abs(c.From) <= maxMoney && c.From <= c.To && c.To <= maxMoney):
			return optimize.Invalid(field, "want from ≤ to")
		case c.SiteID != "" && !slices.Contains(in.Sites, c.SiteID):
			return optimize.Invalid(field+".site_id", fmt.Sprintf("unknown site %q", c.SiteID))
		}
	}
	return nil
}

func (in *Input) validatePins() error {
	jobs, technicians := in.jobIndex(), in.technicianIndex()
	pinned := map[string]bool{}
	for k, p := range in.Pins {
		field := fmt.Sprintf("pins[%d]", k)
		_, knownJob := jobs[p.JobID]
		_, knownTechnician := technicians[p.TechnicianID]
		switch {
		case !knownJob || pinned[p.JobID]:
			return optimize.Invalid(field+".job_id", "unknown job or pinned twice")
		case p.TechnicianID != "" && !knownTechnician:
			return optimize.Invalid(field+".technician_id", fmt.Sprintf("unknown technician %q", p.TechnicianID))
		case p.Day != nil && (*p.Day < 0 || *p.Day >= in.Days):
			return optimize.Invalid(field+".day", fmt.Sprintf("want 0 to %d", in.Days-1))
		case p.Start != nil && !(*p.Start >= 0 && *p.Start <= in.horizon()):
			return optimize.Invalid(field+".start", fmt.Sprintf("want 0 to %g minutes", in.horizon()))
		case p.Unserved && (p.TechnicianID != "" || p.Day != nil || p.Start != nil):
			return optimize.Invalid(field+".unserved", "excludes a technician, a day and a start")
		}
		pinned[p.JobID] = true
	}
	return nil
}
