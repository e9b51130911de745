package cli

import (
	"context"
	"errors"
	"io"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/dispatch/trsp"
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

// writeNoModel refuses --write-model for problems that have no exact program.
func writeNoModel(arguments, []byte, io.Writer) error {
	return fault.Wrap(fault.Invalid, "optimize.input.malformed", errors.New("technician routing is solved by search and has no exact model to write"))
}
