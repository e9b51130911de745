package activities

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/optria-iq/optria/internal/fault"

	"github.com/optria-iq/optria/internal/optimize"
)

func TestFaultsBecomeApplicationErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		kind  string
		final bool
		key   string
	}{
		"invalid":         {fault.New(fault.Invalid, "a.b"), TypeInvalid, true, "a.b"},
		"forbidden":       {fault.New(fault.Forbidden, "a.b"), TypeForbidden, true, "a.b"},
		"not found":       {fault.New(fault.NotFound, "a.b"), TypeNotFound, true, "a.b"},
		"conflict":        {fault.New(fault.Conflict, "a.b"), TypeConflict, true, "a.b"},
		"four eyes":       {fault.New(fault.Forbidden, KeyFourEyes), TypeFourEyes, true, KeyFourEyes},
		"already decided": {fault.New(fault.Conflict, KeyAlreadyDecided), TypeAlreadyDecided, true, KeyAlreadyDecided},
		"unavailable":     {fault.New(fault.Unavailable, "a.b"), TypeUnavailable, false, "a.b"},
		"wrapped":         {fmt.Errorf("load: %w", fault.New(fault.NotFound, "a.b")), TypeNotFound, true, "a.b"},
		"anything else":   {errors.New("broken pipe"), TypeInternal, false, KeyInternal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := applicationError(t.Context(), c.err)
			var app *temporal.ApplicationError
			require.ErrorAs(t, err, &app)
			require.Equal(t, c.kind, app.Type())
			require.Equal(t, c.final, app.NonRetryable())
		})
	}
	require.NoError(t, applicationError(t.Context(), nil))
}

func TestCancellationPassesUnchanged(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, context.Canceled, applicationError(ctx, context.Canceled))
}

func TestConflictsTravelWithTheFault(t *testing.T) {
	t.Parallel()
	cause := &optimize.InfeasibleError{Conflicts: []optimize.Conflict{{Code: optimize.ReasonBudget, Amount: 5}}}
	f := fault.Wrap(fault.Conflict, "optimize.infeasible", cause)
	args := arguments(f, fmt.Errorf("solve: %w", f))
	require.Equal(t, cause.Conflicts, args["conflicts"])
	require.Empty(t, f.Args, "the fault itself is left as it was")
}
