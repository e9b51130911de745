package all

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/testkit"
)

// opcuaFixture starts an OPC UA server of another stack, with one minute of
// history.
func opcuaFixture(t *testing.T) connectortest.Fixture {
	t.Helper()
	port := testkit.FreePort(t)
	testkit.Node(t, "opcua.mjs", fmt.Sprintf("PORT=%d", port), "PKI="+filepath.Join(t.TempDir(), "pki"), "HISTORY=60")
	until := time.Now().UTC().Truncate(time.Second)
	return connectortest.Fixture{
		Config: connector.Config{
			"endpoint": fmt.Sprintf("opc.tcp://127.0.0.1:%d/plant", port), "security_policy": "None", "security_mode": "None",
			"root_node": "nsu=urn:test:plant;s=Plant",
		},
		Dialer: &net.Dialer{},
		Tags:   []string{"nsu=urn:test:plant;s=Pump1/Flow", "nsu=urn:test:plant;s=Pump2/Vibration"},
		Since:  until.Add(-40 * time.Second),
		Until:  until,
	}
}
