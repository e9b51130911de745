// Package trsp reads, solves and writes the instances of the technician
// routing and scheduling problem (Pillac, Guéret and Medaglia 2013): jobs that
// need a skill, tools and spare parts, technicians who carry some of them and
// may fetch the rest at a central depot, one window per job, and the total
// working time to be minimised. Instances have either coordinates (Euclidean
// travel) or a matrix of travel times.
package trsp

import (
	"fmt"
	"math"

	"github.com/optria-iq/optria/internal/optimize"
)

// Stop is a row of the instance: the depot (row 0), a technician's home with
// the shift, or a job with its window.
type Stop struct {
	X, Y     float64
	From, To float64 // shift of a technician, allowed starts of a job
	Service  float64
	Skills   []int
	Tools    []int
	Parts    []int
}

// Instance has Stops[0] as the depot, then the technicians, then the jobs.
type Instance struct {
	Name        string
	Technicians int
	Skills      int
	Tools       int
	Parts       int
	Stops       []Stop
	Times       [][]float64 // travel times by stop; nil means Euclidean
}

// Jobs is the number of jobs.
func (in *Instance) Jobs() int { return len(in.Stops) - 1 - in.Technicians }

// Travel is the time between two stops.
func (in *Instance) Travel(a, b int) float64 {
	if in.Times != nil {
		return in.Times[a][b]
	}
	return math.Hypot(in.Stops[a].X-in.Stops[b].X, in.Stops[a].Y-in.Stops[b].Y)
}

// validate checks what the reader could not see line by line.
func (in *Instance) validate() error {
	if in.Jobs() < 0 {
		return optimize.Invalid("CREW COUNT", fmt.Sprintf("%d technicians, but only %d rows follow the depot", in.Technicians, len(in.Stops)-1))
	}
	for k := range in.Stops {
		if err := in.validateStop(k); err != nil {
			return err
		}
	}
	return nil
}

func (in *Instance) validateStop(k int) error {
	s, field := &in.Stops[k], fmt.Sprintf("row %d", k)
	if s.To < s.From {
		return optimize.Invalid(field+" TWE", "is before TWS")
	}
	if s.Service < 0 {
		return optimize.Invalid(field+" Serv", "want at least 0")
	}
	for _, list := range []struct {
		name   string
		values []int
		limit  int
	}{{"SKILLS", s.Skills, in.Skills}, {"TOOLS", s.Tools, in.Tools}} {
		for _, v := range list.values {
			if v < 0 || v >= list.limit {
				return optimize.Invalid(field+" "+list.name, fmt.Sprintf("names %d, known are 0 to %d", v, list.limit-1))
			}
		}
	}
	if len(s.Parts) != 0 && len(s.Parts) != in.Parts {
		return optimize.Invalid(field+" SPARE PARTS", fmt.Sprintf("want %d numbers, have %d", in.Parts, len(s.Parts)))
	}
	for _, v := range s.Parts {
		if v < 0 {
			return optimize.Invalid(field+" SPARE PARTS", "want at least 0")
		}
	}
	return nil
}
