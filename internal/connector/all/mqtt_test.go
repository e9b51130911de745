package all

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"testing"

	"github.com/eclipse/paho.golang/paho"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/testkit"
)

// mqttFixture is a real broker with two retained JSON values.
func mqttFixture(t *testing.T) connectortest.Fixture {
	t.Helper()
	dir, port := t.TempDir(), testkit.FreePort(t)
	current, err := user.Current()
	require.NoError(t, err)
	config := fmt.Sprintf("user %s\nlistener %d 127.0.0.1\nallow_anonymous true\n", current.Username, port)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "broker.conf"), []byte(config), 0o600))
	testkit.Start(t, dir, "running", []string{"/usr/sbin/mosquitto", "-c", "broker.conf"})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	require.NoError(t, err)
	client := paho.NewClient(paho.ClientConfig{Conn: conn})
	_, err = client.Connect(t.Context(), &paho.Connect{ClientID: "plant", CleanStart: true, KeepAlive: 30})
	require.NoError(t, err)
	for _, tag := range []string{"P1", "P2"} {
		_, err := client.Publish(t.Context(), &paho.Publish{Topic: "plant/" + tag + "/value", QoS: 1, Retain: true, Payload: []byte(`{"value": 4.5, "at": "2026-03-10T12:00:00Z"}`)})
		require.NoError(t, err)
	}
	require.NoError(t, client.Disconnect(&paho.Disconnect{}))
	return connectortest.Fixture{Dialer: &net.Dialer{}, Tags: []string{"P1", "P2"}, Config: connector.Config{"host": "127.0.0.1", "port": float64(port), "tls": "off",
		"client_id": "optria-contract", "payload": "json", "topics": "plant/{tag}/value", "time": "@.at", "listen_seconds": 1.0}}
}
