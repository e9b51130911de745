package cli

import (
	"context"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
	"github.com/optria-iq/optria/internal/optimize/production/pglib"
)

func solvePglib(ctx context.Context, a arguments, data []byte, report func(optimize.Progress)) (optimize.Certificate, []byte, error) {
	in, err := pglib.Read(data)
	if err != nil {
		return optimize.Certificate{}, nil, err
	}
	plan, cert, err := pglib.Solve(ctx, in, a.options, report)
	if err != nil {
		return cert, nil, err
	}
	out, err := plan.Format()
	return cert, out, err
}

func modelPglib(_ arguments, data []byte) (*mip.Model, error) {
	in, err := pglib.Read(data)
	if err != nil {
		return nil, err
	}
	return in.Model(), nil
}
