package dispatch

import (
	"fmt"
	"math"
	"sort"
)

// The verifier shares no code with the solver: it replays the stops of a plan
// against the raw input and adds up what they cost. Its plainness is the
// point.

// verifySlack is how far a time, in minutes, or a cost, relative, may be off.
const verifySlack = 1e-5

// VerifyOutput checks a whole output: that its stops are a plan, that every
// number shown agrees with it, and that the certificate does.
func VerifyOutput(in Input, out Output) error {
	if err := in.Validate(); err != nil {
		return err
	}
	var stops []Stop
	for _, r := range out.Routes {
		for _, leg := range r.Stops {
			stops = append(stops, Stop{TechnicianID: r.TechnicianID, JobID: leg.JobID, Start: leg.Start})
		}
	}
	terms, crews, err := verifyPlan(in, stops)
	if err != nil {
		return err
	}
	for _, pair := range [][2]float64{
		{terms.Unserved, out.Objective.Unserved}, {terms.Lateness, out.Objective.Lateness}, {terms.Travel, out.Objective.Travel},
		{terms.Overtime, out.Objective.Overtime}, {terms.Stability, out.Objective.Stability}, {terms.Total, out.Objective.Total},
		{terms.Weighted, out.Objective.Weighted}, {terms.Weighted, out.Certificate.Objective},
	} {
		if !near(pair[0], pair[1]) {
			return fmt.Errorf("plan costs %.6f, output says %.6f", pair[0], pair[1])
		}
	}
	if out.Certificate.BoundKnown && out.Certificate.Bound > terms.Weighted+verifySlack*math.Max(1, terms.Weighted) {
		return fmt.Errorf("bound %.6f exceeds the cost %.6f", out.Certificate.Bound, terms.Weighted)
	}
	return verifyDecisions(in, out, crews)
}

func near(a, b float64) bool { return math.Abs(a-b) <= verifySlack*math.Max(1, math.Abs(a)) }

func verifyDecisions(in Input, out Output, crews map[string][]Stop) error {
	if len(out.Decisions) != len(in.Jobs) {
		return fmt.Errorf("output has %d decisions for %d jobs", len(out.Decisions), len(in.Jobs))
	}
	for k, d := range out.Decisions {
		crew := crews[in.Jobs[k].ID]
		switch {
		case d.JobID != in.Jobs[k].ID:
			return fmt.Errorf("decision %d is on job %s, want %s", k, d.JobID, in.Jobs[k].ID)
		case d.Unserved != (len(crew) == 0) || len(d.Technicians) != len(crew):
			return fmt.Errorf("decision on job %s does not agree with the routes", d.JobID)
		case d.Unserved && (d.Start != -1 || d.End != -1):
			return fmt.Errorf("job %s is unserved but has a start", d.JobID)
		case !d.Unserved && (!near(d.Start, crew[0].Start) || !near(d.End, crew[0].Start+in.Jobs[k].Duration)):
			return fmt.Errorf("job %s starts at %g, its decision says %g", d.JobID, crew[0].Start, d.Start)
		}
	}
	return nil
}

// verifyPlan replays a plan and returns its terms and the crew of each job.
func verifyPlan(in Input, stops []Stop) (Terms, map[string][]Stop, error) {
	var sum Terms
	jobs := map[string]Job{}
	for _, j := range in.Jobs {
		jobs[j.ID] = j
	}
	byTechnician, crews := map[string][]Stop{}, map[string][]Stop{}
	for _, s := range stops {
		byTechnician[s.TechnicianID] = append(byTechnician[s.TechnicianID], s)
		if s.JobID == "" {
			continue
		}
		if _, known := jobs[s.JobID]; !known {
			return sum, nil, fmt.Errorf("plan names the unknown job %s", s.JobID)
		}
		crews[s.JobID] = append(crews[s.JobID], s)
	}
	for _, t := range in.Technicians {
		travel, overtime, err := verifyTechnician(in, t, byTechnician[t.ID], jobs)
		if err != nil {
			return sum, nil, fmt.Errorf("technician %s: %w", t.ID, err)
		}
		sum.Travel += travel / 60 * t.CostPerHour
		sum.Overtime += overtime / 60 * t.CostPerHour * t.OvertimeFactor
		delete(byTechnician, t.ID)
	}
	for id := range byTechnician {
		return sum, nil, fmt.Errorf("plan names the unknown technician %s", id)
	}
	published := verifyPublished(in)
	for _, j := range in.Jobs {
		if err := verifyJob(in, j, crews, jobs, published[j.ID], &sum); err != nil {
			return sum, nil, fmt.Errorf("job %s: %w", j.ID, err)
		}
	}
	sum.Total = sum.Unserved + sum.Lateness + sum.Travel + sum.Overtime + sum.Stability
	w := in.Weights.values()
	sum.Weighted = w.Unserved*sum.Unserved + w.Lateness*sum.Lateness + w.Travel*sum.Travel + w.Overtime*sum.Overtime + w.Stability*sum.Stability
	return sum, crews, nil
}

// verifyTechnician walks one technician's stops shift by shift.
func verifyTechnician(in Input, t Technician, stops []Stop, jobs map[string]Job) (travel, overtime float64, err error) {
	sort.SliceStable(stops, func(a, b int) bool { return stops[a].Start < stops[b].Start })
	place := map[string]int{}
	for k, id := range in.Sites {
		place[id] = k
	}
	pieces := verifyPieces(t)
	used := 0
	for n, piece := range pieces {
		limit := piece.To + t.MaxOvertime
		if n+1 < len(pieces) {
			limit = math.Min(limit, pieces[n+1].From)
		}
		for _, a := range t.Absences {
			if a.From >= piece.To {
				limit = math.Min(limit, a.From)
			}
		}
		clock, at := piece.From, place[t.SiteID]
		parts, fetched, first := map[string]int{}, false, used
		for _, s := range t.Parts {
			parts[s.Part] += s.Units
		}
		for used < len(stops) && stops[used].Start <= limit && (n+1 == len(pieces) || stops[used].Start < pieces[n+1].From) {
			s := stops[used]
			used++
			site, stay := in.StoreSiteID, 0.0
			if s.JobID == "" {
				if site == "" {
					return 0, 0, fmt.Errorf("there is no store to visit at %g", s.Start)
				}
				fetched = true
			} else {
				j := jobs[s.JobID]
				site, stay = j.SiteID, j.Duration
				if err = verifyGear(t, j, parts, fetched); err != nil {
					return 0, 0, fmt.Errorf("job %s: %w", s.JobID, err)
				}
			}
			way := in.Travel[at][place[site]]
			if clock+way > s.Start+verifySlack {
				return 0, 0, fmt.Errorf("is at stop %q at %g, cannot be before %g", s.JobID, s.Start, clock+way)
			}
			travel += way
			clock, at = s.Start+stay, place[site]
		}
		if used > first {
			way := in.Travel[at][place[t.SiteID]]
			travel += way
			if clock+way > limit+verifySlack {
				return 0, 0, fmt.Errorf("is home at %g, after %g", clock+way, limit)
			}
			overtime += math.Max(0, clock+way-piece.To)
		}
	}
	if used < len(stops) {
		return 0, 0, fmt.Errorf("stop %q at %g is outside every shift", stops[used].JobID, stops[used].Start)
	}
	return travel, overtime, nil
}

// verifyPieces cuts the absences out of the shifts by walking their edges.
func verifyPieces(t Technician) []Span {
	var pieces []Span
	for _, s := range t.Shifts {
		from := s.From
		for _, a := range t.Absences {
			if a.To <= from || a.From >= s.To {
				continue
			}
			if a.From > from {
				pieces = append(pieces, Span{from, a.From})
			}
			from = a.To
		}
		if from < s.To || (from == s.From && s.From == s.To) {
			pieces = append(pieces, Span{from, s.To})
		}
	}
	return pieces
}

// verifyGear checks skills, and tools and parts up to the store.
func verifyGear(t Technician, j Job, parts map[string]int, fetched bool) error {
	for _, need := range j.Skills {
		best := -1
		for _, s := range t.Skills {
			if s.ID == need.ID && s.Level > best {
				best = s.Level
			}
		}
		if best < need.Level {
			return fmt.Errorf("lacks skill %s at level %d", need.ID, need.Level)
		}
	}
	if fetched {
		return nil
	}
	for _, tool := range j.Tools {
		found := false
		for _, have := range t.Tools {
			found = found || have == tool
		}
		if !found {
			return fmt.Errorf("lacks tool %s", tool)
		}
	}
	for _, p := range j.Parts {
		if parts[p.Part] -= p.Units; parts[p.Part] < 0 {
			return fmt.Errorf("lacks part %s", p.Part)
		}
	}
	return nil
}
