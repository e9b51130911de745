package all

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
	"github.com/optria-iq/optria/internal/optimize/optimizetest"
)

func TestMain(m *testing.M) {
	if mip.ChildMain() {
		return
	}
	os.Exit(m.Run())
}

// The fixtures of a problem titled "optimize.NAME.title" lie in the folder
// NAME/testdata/conformance beside this one.
func TestEveryProblemKeepsTheContract(t *testing.T) {
	t.Parallel()
	specs := optimize.Specs()
	require.NotEmpty(t, specs)
	for _, spec := range specs {
		name := strings.TrimSuffix(strings.TrimPrefix(spec.TitleKey, "optimize."), ".title")
		t.Run(spec.Kind, func(t *testing.T) {
			t.Parallel()
			optimizetest.Run(t, spec.Kind, filepath.Join("..", name, "testdata", "conformance"))
		})
	}
}
