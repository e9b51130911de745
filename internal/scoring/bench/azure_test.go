package bench

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAzureFeaturesLookBackOnly adds events at and after the as-of time: no
// feature may change, and an event at that time is in the label.
func TestAzureFeaturesLookBackOnly(t *testing.T) {
	t.Parallel()
	at := time.Date(2015, 5, 1, 0, 0, 0, 0, time.UTC)
	hours := func(h ...int) []time.Time {
		out := make([]time.Time, len(h))
		for i := range h {
			out[i] = at.Add(time.Duration(h[i]) * time.Hour)
		}
		return out
	}
	machine := func(later ...int) azureMachine {
		m := azureMachine{model: 3, age: 7}
		for range azureErrors {
			m.errors = append(m.errors, append(hours(-100, -30, -6), hours(later...)...))
		}
		for range azureComponents {
			m.replaced = append(m.replaced, append(hours(-480), hours(later...)...))
			m.failures = append(m.failures, append(hours(-480), hours(later...)...))
		}
		return m
	}
	past, future := machine(), machine(0, 5, 30)
	require.Equal(t, past.features(at), future.features(at))
	require.Equal(t, []float64{3, 7, 6, 1, 3}, past.features(at)[:5])
	require.Equal(t, []float64{480, 1}, past.features(at)[17:19])
	require.Len(t, past.features(at), len(azureSignals()))
	require.True(t, math.IsNaN((azureMachine{errors: [][]time.Time{nil}}).features(at)[2]))

	days := azureDays([]azureMachine{future}, at, at.AddDate(0, 0, 1), 1)
	require.Equal(t, [][]bool{{true, true, true, true}}, days.modes)
	days = azureDays([]azureMachine{past}, at, at.AddDate(0, 0, 1), 7)
	require.Equal(t, [][]bool{{false, false, false, false}}, days.modes)
}

func TestAzureRefusesUnknownEvents(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := readAzure(dir)
	require.ErrorContains(t, err, "PdM_machines.csv")
	for name, text := range map[string]string{
		"machines": "machineID,model,age\n1,model3,18\n",
		"errors":   "datetime,machineID,errorID\n2015-01-04 06:00:00,1,error5\n2015-01-03 07:00:00,1,error5\n",
		"maint":    "datetime,machineID,comp\n",
		"failures": "datetime,machineID,failure\n2015-01-05 06:00:00,2,comp4\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "PdM_"+name+".csv"), []byte(text), 0o600))
	}
	_, err = readAzure(dir)
	require.ErrorContains(t, err, "PdM_failures.csv, line 2")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "PdM_failures.csv"), []byte("datetime,machineID,failure\n"), 0o600))
	machines, err := readAzure(dir)
	require.NoError(t, err)
	require.True(t, machines[0].errors[4][0].Before(machines[0].errors[4][1]))
}
