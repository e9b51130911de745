package cli

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// snapshots makes rows in which a worn tool fails, and leaves the labels out of
// the second table.
func snapshots() (train, test string) {
	var a, b strings.Builder
	a.WriteString("UDI,Type,Air_temperature,Process_temperature,Rotational_speed,Torque,Tool_wear,Machine.failure,TWF,HDF,PWF,OSF\n")
	b.WriteString("UDI,Type,Air_temperature,Process_temperature,Rotational_speed,Torque,Tool_wear\n")
	for i := range 400 {
		wear, worn := (i*37)%250, 0
		if wear > 200 {
			worn = 1
		}
		row := fmt.Sprintf("%d,M,%d,310,1500,%d,%d", i, 298+i%3, 40+i%7, wear)
		fmt.Fprintf(&a, "%s,%d,%d,0,0,0\n", row, worn, worn)
		fmt.Fprintln(&b, row)
	}
	return a.String(), b.String()
}

func TestFailureModesOfSnapshots(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	labelled, plain := filepath.Join(dir, "train.csv"), filepath.Join(dir, "test.csv")
	train, test := snapshots()
	require.NoError(t, os.WriteFile(labelled, []byte(train), 0o600))
	require.NoError(t, os.WriteFile(plain, []byte(test), 0o600))

	var out, failed bytes.Buffer
	require.Equal(t, exitOK, Score([]string{"failure", "--format", "ai4i", "--train", labelled, "--test", plain, "-o", "-"}, nil, &out, &failed), failed.String())
	rows, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 401)
	for i, row := range rows[1:] {
		p, err := strconv.ParseFloat(row[1], 64)
		require.NoError(t, err)
		require.Equal(t, (i*37)%250 > 200, p > 0.5, "row %v", row)
		if p > 0.5 {
			require.Equal(t, []string{"TWF", "Tool_wear"}, []string{row[2], row[4]})
		}
	}

	require.Equal(t, exitFailure, Score([]string{"failure", "--format", "ai4i", "--train", plain, "--test", plain, "-o", "-"}, nil, &out, &failed))
	require.Contains(t, failed.String(), "no labels")
	require.Equal(t, exitUsage, Score([]string{"failure", "--train", labelled}, nil, &out, &failed))
}
