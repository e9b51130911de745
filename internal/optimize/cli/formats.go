package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	_ "github.com/optria-iq/optria/internal/optimize/all" // registers the problems of the optria format
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/optimize/maintenance/roadef"
)

// format solves instances of one kind of file and returns the plan as it is
// written to -o.
type format struct {
	solve      func(ctx context.Context, a arguments, data []byte, report func(optimize.Progress)) (optimize.Certificate, []byte, error)
	writeModel func(a arguments, data []byte, w io.Writer) error
}

// formats are the values of --format.
var formats = map[string]*format{
	"roadef2020": {solveRoadef, writeRoadef},
	"optria":     {solveOptria, writeOptria},
}

func solveRoadef(ctx context.Context, a arguments, data []byte, report func(optimize.Progress)) (optimize.Certificate, []byte, error) {
	in, err := roadef.Read(data)
	if err != nil {
		return optimize.Certificate{}, nil, err
	}
	plan, cert, err := roadef.Solve(ctx, in, a.options, report)
	return cert, plan.Format(), err
}

func writeRoadef(_ arguments, data []byte, w io.Writer) error {
	in, err := roadef.Read(data)
	if err != nil {
		return err
	}
	return in.WriteModel(w)
}

func solveOptria(ctx context.Context, a arguments, data []byte, report func(optimize.Progress)) (optimize.Certificate, []byte, error) {
	p, ok := optimize.Lookup(a.problem)
	if !ok {
		return optimize.Certificate{}, nil, fault.Wrap(fault.Invalid, "optimize.input.malformed", fmt.Errorf("unknown problem %q", a.problem))
	}
	res, err := p.Solve(ctx, data, a.options, report)
	return res.Certificate, res.Output, err
}

func writeOptria(a arguments, data []byte, w io.Writer) error {
	if a.problem != maintenance.Kind {
		return fault.Wrap(fault.Invalid, "optimize.input.malformed", errors.New("--write-model knows the maintenance problem only"))
	}
	var in maintenance.Input
	if err := json.Unmarshal(data, &in); err != nil {
		return fault.Wrap(fault.Invalid, "optimize.input.malformed", err)
	}
	return maintenance.WriteModel(w, in)
}
