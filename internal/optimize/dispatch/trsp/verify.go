package trsp

import (
	"fmt"
	"math"
)

// Route is the work of one technician: stops in order of visit, 0 for the
// depot, technicians counted from 1 as in the file. Jobs are the visits
// without the depot.
type Route struct {
	Technician int   `json:"technician"`
	Visits     []int `json:"visits"`
	Jobs       []int `json:"jobs"`
}

// Plan is a set of routes with the jobs that none serves.
type Plan struct {
	Routes   []Route `json:"routes"`
	Unserved []int   `json:"unserved"`
}

// tolerance is how far, in the file's unit of time, a window may be missed.
const tolerance = 1e-6

// Verify recomputes the total working time of a plan from the instance alone,
// with code that the solver does not use. It fails on the first broken rule.
func Verify(in *Instance, plan Plan) (float64, error) {
	total := 0.0
	seen := make([]bool, len(in.Stops))
	busy := make([]bool, in.Technicians+1)
	mark := func(v int) error {
		if v <= in.Technicians || v >= len(in.Stops) {
			return fmt.Errorf("stop %d is not a job", v)
		}
		if seen[v] {
			return fmt.Errorf("job %d is decided twice", v)
		}
		seen[v] = true
		return nil
	}
	for _, r := range plan.Routes {
		if r.Technician < 1 || r.Technician > in.Technicians || busy[r.Technician] {
			return 0, fmt.Errorf("technician %d is unknown or has two routes", r.Technician)
		}
		busy[r.Technician] = true
		for _, v := range r.Visits {
			if v == 0 {
				continue
			}
			if err := mark(v); err != nil {
				return 0, err
			}
		}
		if err := verifyEquipment(in, r); err != nil {
			return 0, err
		}
		worked, err := verifyTimes(in, r)
		if err != nil {
			return 0, err
		}
		total += worked
	}
	for _, v := range plan.Unserved {
		if err := mark(v); err != nil {
			return 0, err
		}
	}
	for v := in.Technicians + 1; v < len(in.Stops); v++ {
		if !seen[v] {
			return 0, fmt.Errorf("job %d is neither served nor listed as unserved", v)
		}
	}
	return total, nil
}

// verifyEquipment checks skills, and tools and parts up to the depot.
func verifyEquipment(in *Instance, r Route) error {
	who := in.Stops[r.Technician]
	parts := make([]int, in.Parts)
	copy(parts, who.Parts)
	for _, v := range r.Visits {
		if v == 0 {
			parts = nil
			continue
		}
		job := in.Stops[v]
		if !subset(job.Skills, who.Skills) {
			return fmt.Errorf("technician %d lacks a skill for job %d", r.Technician, v)
		}
		if parts == nil && in.Parts+in.Tools > 0 {
			continue
		}
		if !subset(job.Tools, who.Tools) {
			return fmt.Errorf("technician %d lacks a tool for job %d", r.Technician, v)
		}
		for k, units := range job.Parts {
			if parts[k] -= units; parts[k] < 0 {
				return fmt.Errorf("technician %d lacks part %d for job %d", r.Technician, k, v)
			}
		}
	}
	return nil
}

func subset(need, have []int) bool {
	for _, n := range need {
		found := false
		for _, h := range have {
			found = found || h == n
		}
		if !found {
			return false
		}
	}
	return true
}

// verifyTimes walks the route as early as possible, then backwards from the
// earliest arrival home for the latest departure that still achieves it.
// Arriving later never shortens the day, because the latest departure follows
// the arrival at most minute by minute.
func verifyTimes(in *Instance, r Route) (float64, error) {
	if len(r.Visits) == 0 {
		return 0, nil
	}
	home := in.Stops[r.Technician]
	clock, at := home.From, r.Technician
	for _, v := range r.Visits {
		clock = math.Max(clock+in.Travel(at, v), in.Stops[v].From)
		if clock > in.Stops[v].To+tolerance {
			return 0, fmt.Errorf("technician %d reaches stop %d at %.4f, after %.4f", r.Technician, v, clock, in.Stops[v].To)
		}
		clock, at = clock+in.Stops[v].Service, v
	}
	clock += in.Travel(at, r.Technician)
	if clock > home.To+tolerance {
		return 0, fmt.Errorf("technician %d is home at %.4f, after %.4f", r.Technician, clock, home.To)
	}
	back, at := clock, r.Technician
	for k := len(r.Visits) - 1; k >= 0; k-- {
		v := r.Visits[k]
		back = math.Min(back-in.Travel(v, at)-in.Stops[v].Service, in.Stops[v].To)
		at = v
	}
	return clock - (back - in.Travel(r.Technician, at)), nil
}
