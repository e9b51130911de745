package cmapss_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/cmapss"
)

func line(unit, cycle string) string { return unit + " " + cycle + strings.Repeat(" 0.5", 24) + "  \n" }

func TestReadsLives(t *testing.T) {
	t.Parallel()
	lives, err := cmapss.Read(strings.NewReader(line("3", "1") + line("3", "2") + "\n" + line("1", "1")))
	require.NoError(t, err)
	require.Len(t, lives, 2)
	require.Equal(t, "3", lives[0].Unit)
	require.Len(t, lives[0].Rows, 2)
	require.Len(t, lives[0].Rows[0], len(cmapss.Columns()))
	require.Equal(t, "s21", cmapss.Columns()[23])

	lives, err = cmapss.Read(strings.NewReader("1 1 NaN" + strings.Repeat(" 1", 23)))
	require.NoError(t, err)
	require.True(t, math.IsNaN(lives[0].Rows[0][0]))
}

func TestNamesTheLineAndWhatIsWrong(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, says string }{
		{"empty", "", "expected 26 columns"},
		{"short", line("1", "1") + "1 2 3\n", "line 2: 3 columns, expected 26"},
		{"comma", strings.ReplaceAll(line("1", "1"), " ", ","), "line 1: 1 columns, expected 26"},
		{"word", "1 1 0 0 100 x" + strings.Repeat(" 1", 20), `line 1: column 6 (s1): "x" is not a finite number`},
		{"infinite", "1 1 Inf" + strings.Repeat(" 1", 23), "column 3 (setting1)"},
		{"unit", line("a", "1"), `column 1 (unit): "a"`},
		{"cycle", line("1", "1.5"), `column 2 (cycle): "1.5"`},
		{"gap", line("1", "1") + line("1", "3"), "line 2: cycle 3 of unit 1 where cycle 2 was expected"},
		{"late start", line("1", "2"), "cycle 2 of unit 1 where cycle 1"},
		{"scattered", line("1", "1") + line("2", "1") + line("1", "1"), "line 3: unit 1 again"},
		{"long line", strings.Repeat("1 ", 1<<17), "after line 0"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := cmapss.Read(strings.NewReader(tc.text))
			require.ErrorContains(t, err, tc.says)
		})
	}
}
