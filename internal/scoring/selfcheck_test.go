package scoring_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring"
)

func TestSelfCheck(t *testing.T) {
	t.Parallel()
	require.NoError(t, scoring.SelfCheck(t.Context()))
}
