package sap

import (
	"encoding/pem"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/connector/sap/saptest"
	"github.com/optria-iq/optria/internal/fault"
)

// config are settings that work with a simulation.
func config(address string, more ...func(connector.Config)) (connector.Config, connector.Secrets) {
	settings := connector.Config{"base_url": address, "username": saptest.User, "sap_client": saptest.Client, "page_size": 100.0}
	for _, change := range more {
		change(settings)
	}
	return settings, connector.Secrets{"password": saptest.Password}
}

func opened(t *testing.T, address string, more ...func(connector.Config)) *SAPConnector {
	t.Helper()
	settings, secrets := config(address, more...)
	c, err := connector.Open(Kind, settings, secrets, &net.Dialer{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c.(*SAPConnector)
}

// draft is an order that the simulation takes.
func draft(key string) connector.WorkOrderDraft {
	start := time.Now().UTC().AddDate(0, 0, 3).Truncate(time.Hour)
	return connector.WorkOrderDraft{Key: key, Title: "Replace the bearing", AssetID: saptest.EquipmentID(7), Priority: "2", PlannedStart: start, PlannedEnd: start.Add(4 * time.Hour),
		Operations: []connector.OrderOperation{{Title: "Isolate", Hours: 1}, {Title: "Replace", WorkCenter: "RES-0100", Hours: 2.5}}}
}

func TestTheConnectorKeepsTheContract(t *testing.T) {
	t.Parallel()
	server := saptest.New(t, time.Now())
	settings, secrets := config(server.URL, func(s connector.Config) { s["measuring_points"], s["late_hours"] = true, 0.0 })
	connectortest.Run(t, Kind, connectortest.Fixture{Config: settings, Secrets: secrets, Dialer: &net.Dialer{}, Draft: draft("OPT-1"),
		Tags: []string{saptest.PointID(1), saptest.PointID(2)}, Since: time.Now().Add(-60 * time.Hour).UTC(), Until: time.Now().UTC()})
}

func TestAConnectionTestShowsTheWayToTheFirstRecord(t *testing.T) {
	t.Parallel()
	server := saptest.NewTLS(t, time.Now())
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	c := opened(t, server.URL+gatewayPath+"/", func(s connector.Config) { s["ca_certificate"] = authority })
	var names []string
	for _, step := range c.Test(t.Context()) {
		require.True(t, step.OK, "%s: %s", step.Name, step.Detail)
		require.NotContains(t, step.Detail, saptest.Password)
		names = append(names, step.Name)
	}
	require.Equal(t, []string{"name", "tcp", "secure", "session", "browse", "read"}, names)
	steps := c.Test(t.Context())
	require.Contains(t, steps[3].Detail, "sap-client 100")
	require.Contains(t, steps[4].Detail, "235 equipment records")
	require.Contains(t, steps[5].Detail, "order 0000")
}

func TestAConnectionTestNamesWhatToMend(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		arrange func(*saptest.Server)
		change  func(connector.Config)
		step    string
		key     string
	}{
		"another client":    {change: func(s connector.Config) { s["sap_client"] = "999" }, step: "session", key: KeyClient},
		"wrong user":        {change: func(s connector.Config) { s["username"] = "NOBODY" }, step: "session", key: connector.KeyCredentials},
		"logon page":        {arrange: (*saptest.Server).ShowLogonPage, step: "session", key: KeyLogonPage},
		"no authorisation":  {arrange: func(s *saptest.Server) { s.Deny("API_MAINTNOTIFICATION") }, step: "read", key: connector.KeyForbidden},
		"not a SAP address": {change: func(s connector.Config) { s["base_url"] = s["base_url"].(string) + "/other" }, step: "session", key: KeyService},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := saptest.New(t, time.Now())
			if tc.arrange != nil {
				tc.arrange(server)
			}
			if tc.change == nil {
				tc.change = func(connector.Config) {}
			}
			steps := opened(t, server.URL, tc.change).Test(t.Context())
			last := steps[len(steps)-1]
			require.Equal(t, []any{tc.step, false, tc.key}, []any{last.Name, last.OK, last.Code}, last.Detail)
			require.NotContains(t, last.Detail, saptest.Password)
		})
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	wrong := map[string]struct {
		value any
		key   string
	}{
		"sap_client": {"10", ErrClient}, "sap_language": {"1", connector.ErrMin}, "time_zone": {"Mars/Base", ErrZone}, "plants": {"1010, too-long", ErrPlants},
		"planning_plant": {"1 0", ErrPlants}, "key_field": {"A eq 'x' or 1", ErrKeyField}, "base_url": {"http://sap.example", "connector.http.error.clear"},
	}
	wrong["sap_language"] = struct {
		value any
		key   string
	}{"1x", ErrLanguage}
	for field, tc := range wrong {
		settings, secrets := config("https://sap.example", func(s connector.Config) { s[field] = tc.value })
		_, err := connector.Open(Kind, settings, secrets, nil)
		require.Equal(t, fault.Invalid, fault.CodeOf(err), field)
		require.Equal(t, tc.key, connector.FieldErrors(err)[field], "%s: %v", field, err)
	}
}
