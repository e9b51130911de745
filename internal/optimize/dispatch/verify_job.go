package dispatch

import (
	"errors"
	"fmt"
	"math"
)

// verifyJob checks one job's crew, windows, closures, order and pin, and adds
// what it costs.
func verifyJob(in Input, j Job, crews map[string][]Stop, jobs map[string]Job, published []verifiedShift, sum *Terms) error {
	crew := crews[j.ID]
	if err := verifyPin(in, j, crew); err != nil {
		return err
	}
	if len(crew) == 0 {
		risk := j.UnservedSAR
		if risk == 0 {
			risk = math.Max(leastUnserved, j.PrioritySAR*float64(in.Days)*24)
		}
		sum.Unserved += risk
		return nil
	}
	size := j.CrewSize
	if size == 0 {
		size = 1
	}
	if len(crew) != size {
		return fmt.Errorf("has a crew of %d, wants %d", len(crew), size)
	}
	start := crew[0].Start
	for a := range crew {
		if math.Abs(crew[a].Start-start) > verifySlack {
			return errors.New("its crew does not start together")
		}
		for b := range a {
			if crew[a].TechnicianID == crew[b].TechnicianID {
				return fmt.Errorf("technician %s is sent twice", crew[a].TechnicianID)
			}
		}
	}
	if err := verifyStart(in, j, start); err != nil {
		return err
	}
	for _, id := range j.After {
		before := crews[id]
		if len(before) == 0 || before[0].Start+jobs[id].Duration > start+verifySlack {
			return fmt.Errorf("starts at %g, before job %s has ended", start, id)
		}
	}
	if j.Due != nil && start > *j.Due {
		sum.Lateness += j.PrioritySAR * (start - *j.Due) / 60
	}
	sum.Stability += in.ChangeSAR * verifyMoved(in, crew, published) / float64(size)
	return nil
}

// verifyStart checks the windows and that the job is never in progress in a
// closure.
func verifyStart(in Input, j Job, start float64) error {
	end := start + j.Duration
	inside := len(j.Windows) == 0 && start >= -verifySlack && start <= float64(in.Days)*24*60+verifySlack
	for _, w := range j.Windows {
		inside = inside || (start >= w.From-verifySlack && start <= w.To+verifySlack)
	}
	if !inside {
		return fmt.Errorf("starts at %g, outside its windows", start)
	}
	for _, c := range in.Closures {
		exempt := c.SiteID != "" && c.SiteID != j.SiteID || c.Outdoor && !j.Outdoor
		for _, kind := range j.Exempt {
			exempt = exempt || kind == c.Kind
		}
		if exempt || c.From >= c.To {
			continue
		}
		if c.NoStart && start >= c.From && start < c.To-verifySlack {
			return fmt.Errorf("starts at %g, within closure %s", start, c.ID)
		}
		if !c.NoStart && start < c.To-verifySlack && end > c.From+verifySlack {
			return fmt.Errorf("is in progress from %g to %g, within closure %s", start, end, c.ID)
		}
	}
	return nil
}

func verifyPin(in Input, j Job, crew []Stop) error {
	for _, p := range in.Pins {
		if p.JobID != j.ID {
			continue
		}
		if p.Unserved != (len(crew) == 0) {
			return errors.New("leaves its pin: served or not")
		}
		here := p.TechnicianID == ""
		for _, s := range crew {
			here = here || s.TechnicianID == p.TechnicianID
			if p.Start != nil && math.Abs(s.Start-*p.Start) > verifySlack {
				return fmt.Errorf("leaves its pin: starts at %g, not %g", s.Start, *p.Start)
			}
			if p.Day != nil && (s.Start < float64(*p.Day)*24*60 || s.Start >= float64(*p.Day+1)*24*60) {
				return fmt.Errorf("leaves its pin: starts at %g, not on day %d", s.Start, *p.Day)
			}
		}
		if !here && len(crew) > 0 {
			return fmt.Errorf("leaves its pin: technician %s is not sent", p.TechnicianID)
		}
	}
	return nil
}

// verifiedShift is where the published plan has a job: a technician and the
// number of a piece of working time.
type verifiedShift struct {
	technician string
	piece      int
}

// verifyPublished lists where the published plan has each job.
func verifyPublished(in Input) map[string][]verifiedShift {
	byID := map[string]Technician{}
	for _, t := range in.Technicians {
		byID[t.ID] = t
	}
	out := map[string][]verifiedShift{}
	for _, was := range in.Published {
		if t, known := byID[was.TechnicianID]; known {
			out[was.JobID] = append(out[was.JobID], verifiedShift{t.ID, verifyShiftOf(t, was.Start)})
		}
	}
	return out
}

// verifyMoved counts the crew whose technician or shift is not the published
// one.
func verifyMoved(in Input, crew []Stop, published []verifiedShift) float64 {
	moved := 0
	for _, s := range crew {
		kept := len(published) == 0
		for _, was := range published {
			if was.technician != s.TechnicianID {
				continue
			}
			for _, t := range in.Technicians {
				kept = kept || t.ID == s.TechnicianID && was.piece >= 0 && was.piece == verifyShiftOf(t, s.Start)
			}
		}
		if !kept {
			moved++
		}
	}
	return float64(moved)
}

// verifyShiftOf is the number of the piece of working time, overtime
// included, in which a moment falls, −1 for none.
func verifyShiftOf(t Technician, at float64) int {
	pieces := verifyPieces(t)
	for n, p := range pieces {
		limit := p.To + t.MaxOvertime
		if n+1 < len(pieces) {
			limit = math.Min(limit, pieces[n+1].From)
		}
		for _, a := range t.Absences {
			if a.From >= p.To {
				limit = math.Min(limit, a.From)
			}
		}
		if at >= p.From && at <= limit {
			return n
		}
	}
	return -1
}
