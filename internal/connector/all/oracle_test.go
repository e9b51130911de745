package all

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/connector/oracleeam/oracleeamtest"
)

// oracleFixture is a simulated Fusion Maintenance service.
func oracleFixture(t *testing.T) connectortest.Fixture {
	simulator := oracleeamtest.New()
	simulator.Seed(130)
	server := simulator.Start(t)
	start := time.Now().UTC().AddDate(0, 0, 5).Truncate(time.Hour)
	return connectortest.Fixture{
		Config:  connector.Config{"base_url": server.URL, "username": oracleeamtest.User},
		Secrets: connector.Secrets{"password": oracleeamtest.Password},
		Dialer:  &net.Dialer{},
		Draft: connector.WorkOrderDraft{Key: "OPT-CONTRACT-1", Title: "Replace the bearing", AssetID: strconv.FormatInt(oracleeamtest.AssetID(3), 10),
			PlannedStart: start, PlannedEnd: start.Add(3 * time.Hour), Operations: []connector.OrderOperation{{Title: "Replace", Hours: 3}}},
	}
}
