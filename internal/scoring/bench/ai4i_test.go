package bench

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAI4IKeepsLabelsOutOfTheFeatures reads three kinds of rows: healthy with a
// random flag, a named failure and an unexplained one.
func TestAI4IKeepsLabelsOutOfTheFeatures(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ai4i2020.csv")
	require.NoError(t, os.WriteFile(file, []byte(
		`UDI,Product_ID,Type,Air_temperature,Process_temperature,Rotational_speed,Torque,Tool_wear,Machine.failure,TWF,HDF,PWF,OSF,RNF
1,M1,M,298.1,308.6,1551,42.8,0,0,0,0,0,0,1
2,L2,L,298.2,308.7,1408,46.3,3,1,0,1,0,0,0
3,H3,H,298.3,308.8,1409,46.4,4,1,0,0,0,0,0
`), 0o600))
	data, err := readAI4I(file)
	require.NoError(t, err)
	require.Equal(t, []float64{1, 298.1, 308.6, 1551, 42.8, 0}, data.rows[0])
	require.Equal(t, []bool{false, true, true}, data.failed)
	require.Equal(t, []bool{false, false, false, false, false}, data.modes[0])
	require.Equal(t, []bool{false, true, false, false, false}, data.modes[1])
	require.Equal(t, []bool{false, false, false, false, true}, data.modes[2])

	require.NoError(t, os.WriteFile(file, []byte("Type,Torque\nM,much\n"), 0o600))
	_, err = readAI4I(file)
	require.ErrorContains(t, err, "line 2")
	_, err = readAI4I(filepath.Join(t.TempDir(), "none.csv"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
