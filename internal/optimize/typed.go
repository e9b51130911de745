package optimize

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// Engine is a problem stated in Go types: In is its input, Out its verified
// output with everything a page shows, and Plan its plain decisions, which
// start another search. The methods are those of Problem.
type Engine[In, Out, Plan any] interface {
	Spec() Spec
	Solve(ctx context.Context, in In, opt Options, report func(Progress)) (Out, error)
	Certificate(out Out) Certificate
	Verify(in In, out Out) error
	Weigh(in In, preset string) (In, error)
	Plan(out Out) Plan
	Start(in In, plan Plan) In
	Force(in In, pin Pin) (In, error)
	View(in In, out Out) (View, error)
	Model(in In) (*mip.Model, error)
}

// Adapt turns an engine into a problem of the registry.
func Adapt[In, Out, Plan any](e Engine[In, Out, Plan]) Problem { return adapter[In, Out, Plan]{e} }

type adapter[In, Out, Plan any] struct{ engine Engine[In, Out, Plan] }

// Spec implements Problem.
func (a adapter[In, Out, Plan]) Spec() Spec { return a.engine.Spec() }

// Solve implements Problem.
func (a adapter[In, Out, Plan]) Solve(ctx context.Context, input json.RawMessage, opt Options, report func(Progress)) (Result, error) {
	in, err := decodeInput[In](input)
	if err != nil {
		return Result{}, err
	}
	out, err := a.engine.Solve(ctx, in, opt, report)
	if err != nil {
		return Result{}, err
	}
	raw, err := encode(out, "plan")
	return Result{Certificate: a.engine.Certificate(out), Output: raw}, err
}

// Verify implements Problem.
func (a adapter[In, Out, Plan]) Verify(input, output json.RawMessage) error {
	in, err := decodeInput[In](input)
	if err != nil {
		return err
	}
	out, err := decode[Out](output, "output")
	if err != nil {
		return err
	}
	return a.engine.Verify(in, out)
}

// Weigh implements Problem.
func (a adapter[In, Out, Plan]) Weigh(input json.RawMessage, preset string) (json.RawMessage, error) {
	return change(input, func(in In) (In, error) { return a.engine.Weigh(in, preset) })
}

// Plan implements Problem.
func (a adapter[In, Out, Plan]) Plan(output json.RawMessage) (json.RawMessage, error) {
	out, err := decode[Out](output, "output")
	if err != nil {
		return nil, err
	}
	return encode(a.engine.Plan(out), "plan")
}

// Start implements Problem.
func (a adapter[In, Out, Plan]) Start(input, plan json.RawMessage) (json.RawMessage, error) {
	p, err := decode[Plan](plan, "plan")
	if err != nil {
		return nil, err
	}
	return change(input, func(in In) (In, error) { return a.engine.Start(in, p), nil })
}

// Force implements Problem.
func (a adapter[In, Out, Plan]) Force(input json.RawMessage, pin Pin) (json.RawMessage, error) {
	return change(input, func(in In) (In, error) { return a.engine.Force(in, pin) })
}

// View implements Problem.
func (a adapter[In, Out, Plan]) View(input, output json.RawMessage) (View, error) {
	in, err := decodeInput[In](input)
	if err != nil {
		return View{}, err
	}
	out, err := decode[Out](output, "output")
	if err != nil {
		return View{}, err
	}
	return a.engine.View(in, out)
}

// Model implements Problem.
func (a adapter[In, Out, Plan]) Model(input json.RawMessage) (*mip.Model, error) {
	in, err := decodeInput[In](input)
	if err != nil {
		return nil, err
	}
	return a.engine.Model(in)
}

// change decodes an input, changes it and encodes it again.
func change[In any](input json.RawMessage, f func(In) (In, error)) (json.RawMessage, error) {
	in, err := decodeInput[In](input)
	if err != nil {
		return nil, err
	}
	if in, err = f(in); err != nil {
		return nil, err
	}
	return encode(in, "input")
}

// decodeInput reads an input that may come from outside.
func decodeInput[T any](raw json.RawMessage) (T, error) {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fault.Wrap(fault.Invalid, "optimize.input.malformed", err)
	}
	return v, nil
}

func decode[T any](raw json.RawMessage, what string) (T, error) {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("read %s: %w", what, err)
	}
	return v, nil
}

func encode(v any, what string) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", what, err)
	}
	return raw, nil
}
