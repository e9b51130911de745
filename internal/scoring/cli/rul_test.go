package cli_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// turbofans writes lives in the C-MAPSS format that wear out at different rates;
// when cut, each ends half-way through its wear.
func turbofans(t *testing.T, units int, seed uint64, cut bool) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for u := range units {
		length := 40 + rng.IntN(20)
		for c := range length {
			if cut && c > length/2 {
				break
			}
			fmt.Fprintf(&b, "%d %d %.4f %.4f 100", u+1, c+1, 0.001*rng.NormFloat64(), 0.0002*rng.NormFloat64())
			for s := range 21 {
				wear := math.Pow(float64(c)/float64(length), 2) * float64(s%3) * 5
				fmt.Fprintf(&b, " %.3f", 500+wear+rng.NormFloat64())
			}
			b.WriteString("  \n")
		}
	}
	path := filepath.Join(t.TempDir(), "lives.txt")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

func TestRemainingLifeOfTurbofans(t *testing.T) {
	t.Parallel()
	train, test := turbofans(t, 6, 1, false), turbofans(t, 4, 2, true)
	out := filepath.Join(t.TempDir(), "predictions.csv")
	code, _, errs := run("", "rul", "--train", train, "--test", test, "--seed", "3", "-o", out)
	require.Zero(t, code, errs)
	written, err := os.ReadFile(out)
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(string(written))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"unit", "rul", "lo90", "hi90", "p10", "p20", "p30", "p50"}, rows[0])
	require.Len(t, rows, 5)
	for u, row := range rows[1:] {
		require.Equal(t, strconv.Itoa(u+1), row[0])
		v := make([]float64, len(row))
		for i := range row {
			v[i], err = strconv.ParseFloat(row[i], 64)
			require.NoError(t, err)
		}
		require.True(t, v[2] <= v[1] && v[1] <= v[3], row)
		require.True(t, 0 <= v[4] && v[4] <= v[5] && v[5] <= v[6] && v[6] <= v[7] && v[7] <= 1, row)
	}
	code, again, _ := run("", "rul", "--train", train, "--test", test, "--seed", "3", "-o", "-")
	require.Zero(t, code)
	require.Equal(t, string(written), again)
}

func TestRemainingLifeOfBadFiles(t *testing.T) {
	t.Parallel()
	good := turbofans(t, 5, 1, false)
	bad := filepath.Join(t.TempDir(), "bad.txt")
	require.NoError(t, os.WriteFile(bad, []byte("1 1 0 0\n"), 0o600))
	few := turbofans(t, 2, 1, false)
	tests := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no files", nil, 2, "--train FILE --test FILE"},
		{"no output", []string{"--train", good, "--test", good}, 2, "-o predictions.csv"},
		{"columns", []string{"--train", good, "--test", bad, "-o", "-"}, 1, "bad.txt: line 1: 4 columns, expected 26"},
		{"missing", []string{"--train", bad + "x", "--test", good, "-o", "-"}, 1, "read training lives"},
		{"few lives", []string{"--train", few, "--test", good, "-o", "-"}, 1, "2 lives that ran to failure, at least 5"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := run("", append([]string{"rul"}, tc.args...)...)
			require.Equal(t, tc.code, code)
			require.Empty(t, out)
			require.Contains(t, errs, tc.says)
		})
	}
}
