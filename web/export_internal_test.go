package web

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Spreadsheets run text that begins with one of these signs, also after
// spaces; numbers keep their sign.
func TestCSVHoldsNoFormula(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"=1+1", "+A1", "-A1", "@SUM(A1)", " =1", "\t=1", "\r\n=cmd|' /C calc'!A0", "＝1"} {
		body, err := csvOf(exportSheet{Header: []string{"h"}, Rows: [][]any{{bad}}})
		require.NoError(t, err)
		cell := strings.TrimPrefix(strings.SplitN(string(body), "\r\n", 2)[1], `"`)
		require.True(t, strings.HasPrefix(cell, "'"), "%q becomes %q", bad, cell)
	}
	body, err := csvOf(exportSheet{Header: []string{"h"}, Rows: [][]any{{-12.5, "P-101A", nil}}})
	require.NoError(t, err)
	require.Equal(t, "\ufeffh\r\n-12.5,P-101A,\r\n", string(body))
}
