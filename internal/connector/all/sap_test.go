package all

import (
	"net"
	"testing"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/connector/sap/saptest"
)

// sapFixture is a simulated SAP system.
func sapFixture(t *testing.T) connectortest.Fixture {
	server := saptest.New(t, time.Now())
	start := time.Now().UTC().AddDate(0, 0, 5).Truncate(time.Hour)
	return connectortest.Fixture{
		Config:  connector.Config{"base_url": server.URL, "username": saptest.User, "sap_client": saptest.Client, "measuring_points": true, "late_hours": 0.0},
		Secrets: connector.Secrets{"password": saptest.Password},
		Dialer:  &net.Dialer{},
		Tags:    []string{saptest.PointID(1), saptest.PointID(2)}, Since: time.Now().UTC().Add(-60 * time.Hour), Until: time.Now().UTC(),
		Draft: connector.WorkOrderDraft{Key: "OPT-CONTRACT-1", Title: "Replace the bearing", AssetID: saptest.EquipmentID(3),
			PlannedStart: start, PlannedEnd: start.Add(3 * time.Hour), Operations: []connector.OrderOperation{{Title: "Replace", Hours: 3}}},
	}
}
