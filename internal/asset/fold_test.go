package asset_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
)

func TestSearchFindsHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	text := asset.SearchText("RML-P-401A", "مضخّة التصدير أ", "Export pump A")
	for _, word := range []string{"مضخة", "مضخه", "التصدير ا", "rml-p", "EXPORT", " pump "} {
		require.True(t, strings.Contains(text, asset.Fold(word)), word)
	}
	require.False(t, strings.Contains(text, asset.Fold("ضاغط")))
}
