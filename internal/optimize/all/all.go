// Package all registers every optimization problem of the product.
package all

import (
	// Each import registers one problem.
	_ "github.com/optria-iq/optria/internal/optimize/deferral"
	_ "github.com/optria-iq/optria/internal/optimize/dispatch"
	_ "github.com/optria-iq/optria/internal/optimize/maintenance"
	_ "github.com/optria-iq/optria/internal/optimize/production"
)
