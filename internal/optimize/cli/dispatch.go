package cli

import (
	"context"
	"errors"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/dispatch/trsp"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// solveTRSP solves an instance of technician routing that read understands.
func solveTRSP(read func([]byte) (*trsp.Instance, error)) func(context.Context, arguments, []byte, func(optimize.Progress)) (optimize.Certificate, []byte, error) {
	return func(ctx context.Context, a arguments, data []byte, report func(optimize.Progress)) (optimize.Certificate, []byte, error) {
		in, err := read(data)
		if err != nil {
			return optimize.Certificate{}, nil, err
		}
		plan, cert, err := trsp.Solve(ctx, in, a.options, report)
		if err != nil {
			return cert, nil, err
		}
		out, err := plan.Format()
		return cert, out, err
	}
}

// modelTRSP refuses --write-model: routes are found by search, and the exact
// program of an instance of this size helps nobody.
func modelTRSP(arguments, []byte) (*mip.Model, error) {
	return nil, fault.Wrap(fault.Invalid, "optimize.input.malformed", errors.New("technician routing is solved by search and has no exact model to write"))
}
