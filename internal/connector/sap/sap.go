// Package sap is the connector for SAP Plant Maintenance. It reads equipment,
// functional locations, orders and notifications from the OData services that
// SAP publishes for S/4HANA, and measurement documents as readings, and writes
// orders back. It speaks OData version 2
// as SAP Gateway does: dates as /Date(ms)/, decimals as texts, pages by
// __next, changes guarded by a CSRF token with its session and by ETags.
package sap

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// Kind is the registered kind of the SAP connector.
const Kind = "sap"

// SAPConnector is an opened connection to one SAP client (tenant).
type SAPConnector struct {
	settings Settings
	zone     *time.Location
	client   *httpapi.Client
	token    string // CSRF token of the session, empty until it is needed
}

var (
	_ connector.Tester          = (*SAPConnector)(nil)
	_ connector.AssetReader     = (*SAPConnector)(nil)
	_ connector.WorkOrderReader = (*SAPConnector)(nil)
	_ connector.WorkOrderWriter = (*SAPConnector)(nil)
	_ connector.Browser         = (*SAPConnector)(nil)
	_ connector.Poller          = (*SAPConnector)(nil)
	_ connector.Backfiller      = (*SAPConnector)(nil)
)

func init() { connector.Register(Spec(), open) }

func open(config connector.Config, secrets connector.Secrets, dialer *net.Dialer) (connector.Connector, error) {
	var settings Settings
	if err := config.Decode(&settings); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	zone, err := time.LoadLocation(settings.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("read time zone: %w", err)
	}
	// People copy the address of a service; the root below which all services
	// lie is the same for it.
	settings.BaseURL = strings.TrimSuffix(strings.TrimRight(settings.BaseURL, "/"), gatewayPath)
	client, err := httpapi.New(settings.Settings.WithSecrets(secrets), dialer, &session{})
	if err != nil {
		return nil, err
	}
	return &SAPConnector{settings: settings, zone: zone, client: client}, nil
}

// Kind returns the registered kind.
func (c *SAPConnector) Kind() string { return Kind }

// Close releases idle connections.
func (c *SAPConnector) Close() error {
	c.client.Close()
	return nil
}
