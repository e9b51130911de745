package optimize

import (
	"fmt"

	"github.com/optria-iq/optria/internal/fault"
)

// Invalid is the fault of an input whose field makes no sense: it names the
// field and says what is wanted instead.
func Invalid(field, reason string) error {
	return fault.Wrap(fault.Invalid, "optimize.input.invalid", fmt.Errorf("%s: %s", field, reason)).With("field", field).With("reason", reason)
}
