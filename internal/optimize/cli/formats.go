package cli

import (
	"context"
	"fmt"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	_ "github.com/optria-iq/optria/internal/optimize/all" // registers the problems of the optria format
	"github.com/optria-iq/optria/internal/optimize/dispatch/trsp"
	"github.com/optria-iq/optria/internal/optimize/maintenance/roadef"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// format solves instances of one kind of file and returns the plan as it is
// written to -o.
type format struct {
	solve func(ctx context.Context, a arguments, data []byte, report func(optimize.Progress)) (optimize.Certificate, []byte, error)
	model func(a arguments, data []byte) (*mip.Model, error)
}

// formats are the values of --format.
var formats = map[string]*format{
	"roadef2020": {solveRoadef, modelRoadef},
	"pglib-uc":   {solvePglib, modelPglib},
	"deferral":   {solveCases, nil},
	"optria":     {solveOptria, modelOptria},
	"trsp":       {solveTRSP(trsp.Read), modelTRSP},
	"trsp-real":  {solveTRSP(trsp.ReadReal), modelTRSP},
}

func solveRoadef(ctx context.Context, a arguments, data []byte, report func(optimize.Progress)) (optimize.Certificate, []byte, error) {
	in, err := roadef.Read(data)
	if err != nil {
		return optimize.Certificate{}, nil, err
	}
	plan, cert, err := roadef.Solve(ctx, in, a.options, report)
	return cert, plan.Format(), err
}

func modelRoadef(_ arguments, data []byte) (*mip.Model, error) {
	in, err := roadef.Read(data)
	if err != nil {
		return nil, err
	}
	return in.Model(), nil
}

func solveOptria(ctx context.Context, a arguments, data []byte, report func(optimize.Progress)) (optimize.Certificate, []byte, error) {
	p, err := a.lookup()
	if err != nil {
		return optimize.Certificate{}, nil, err
	}
	res, err := p.Solve(ctx, data, a.options, report)
	return res.Certificate, res.Output, err
}

func modelOptria(a arguments, data []byte) (*mip.Model, error) {
	p, err := a.lookup()
	if err != nil {
		return nil, err
	}
	return p.Model(data)
}

// lookup finds the problem that --problem names.
func (a arguments) lookup() (optimize.Problem, error) {
	p, ok := optimize.Lookup(a.problem)
	if !ok {
		return nil, fault.Wrap(fault.Invalid, "optimize.input.malformed", fmt.Errorf("unknown problem %q", a.problem))
	}
	return p, nil
}
