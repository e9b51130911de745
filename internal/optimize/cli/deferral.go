package cli

import (
	"context"
	"time"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/replacement/cases"
)

// solveCases answers cases of replacement theory. The objective is the sum of
// the optimal cost rates, which closed forms have confirmed to be least.
func solveCases(ctx context.Context, a arguments, data []byte, _ func(optimize.Progress)) (optimize.Certificate, []byte, error) {
	start := time.Now()
	cert := optimize.Certificate{BoundKnown: true, Status: optimize.StatusOptimal, Seed: a.options.Seed, Verified: true}
	all, list, err := cases.Read(data)
	if err != nil {
		return cert, nil, err
	}
	var answers []cases.Answer
	for _, c := range all {
		if err = ctx.Err(); err != nil {
			return cert, nil, err
		}
		answer, err := c.Solve()
		if err != nil {
			return cert, nil, err
		}
		answers = append(answers, answer)
		cert.Objective += answer.Rate()
	}
	cert.Bound = cert.Objective
	cert.Seconds = time.Since(start).Seconds()
	out, err := cases.Format(answers, list)
	return cert, out, err
}
