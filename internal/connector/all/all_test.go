package all

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/connector/simulate"
)

func TestEveryConnectorKeepsTheContract(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	fixtures := map[string]connectortest.Fixture{
		"mqtt":      mqttFixture(t),
		"opcua":     opcuaFixture(t),
		"oracleeam": oracleFixture(t),
		"piwebapi":  piFixture(t),
		"sap":       sapFixture(t),
		"sql":       sqlFixture(t),
		"rest":      restFixture(t, until),
		"webhook":   webhookFixture(until),
		"file":      fileFixture(until),
		simulate.Kind: {
			Config: connector.Config{"flavour": "opcua", "endpoint": "opc.tcp://sim:4840/example"},
			Tags:   []string{"SIM.P001.VIB", "SIM.P001.FLOW"},
			Since:  until.Add(-3 * time.Hour),
			Until:  until,
		},
	}
	specs := connector.Specs()
	require.NotEmpty(t, specs)
	for _, spec := range specs {
		fixture, ok := fixtures[spec.Kind]
		require.True(t, ok, "kind %q has no fixture: add one here", spec.Kind)
		t.Run(spec.Kind, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, spec.Kind, fixture)
		})
	}
}
