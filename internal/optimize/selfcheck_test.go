package optimize_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

func TestMain(m *testing.M) {
	if mip.ChildMain() {
		return
	}
	os.Exit(m.Run())
}

func TestSelfCheck(t *testing.T) {
	t.Parallel()
	require.NoError(t, optimize.SelfCheck(t.Context()))
}
