package ai4i_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/ai4i"
)

const head = "UDI,Product_ID,Type,Air_temperature,Process_temperature,Rotational_speed,Torque,Tool_wear"

// TestLabelsAreNoSignals reads three kinds of rows: healthy with a random flag,
// a named failure and an unexplained one.
func TestLabelsAreNoSignals(t *testing.T) {
	t.Parallel()
	data, err := ai4i.Read(strings.NewReader(head + `,Machine.failure,TWF,HDF,PWF,OSF,RNF
1,M1,M,298.1,308.6,1551,42.8,0,0,0,0,0,0,1
2,L2,L,298.2,308.7,1408,46.3,3,1,0,1,0,0,0
3,H3,H,298.3,308.8,1409,46.4,4,1,0,0,0,0,0
`))
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2", "3"}, data.IDs)
	require.Equal(t, []float64{1, 298.1, 308.6, 1551, 42.8, 0}, data.Rows[0])
	require.Equal(t, []bool{false, true, true}, data.Failed)
	require.Equal(t, [][]bool{{false, false, false, false, false}, {false, true, false, false, false}, {false, false, false, false, true}}, data.Modes)
}

func TestUnlabelledAndBrokenTables(t *testing.T) {
	t.Parallel()
	data, err := ai4i.Read(strings.NewReader(head + "\n7,M1,M,298.1,308.6,1551,42.8,0\n"))
	require.NoError(t, err)
	require.Len(t, data.Rows, 1)
	require.Nil(t, data.Failed)
	for want, text := range map[string]string{
		"head":               "",
		"no column Type":     "UDI,Torque\n1,2\n",
		"not complete":       head + ",Machine.failure\n",
		"line 2: column Tor": head + "\n7,M1,M,298.1,308.6,1551,much,0\n",
		"line 3: column Typ": head + "\n7,M1,M,298.1,308.6,1551,1,0\n8,M1,X,298.1,308.6,1551,1,0\n",
	} {
		_, err := ai4i.Read(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
}
