package all

import (
	"net"
	"testing"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/connector/piwebapi/piwebapitest"
)

// piFixture is a simulated PI Web API with two pumps, whose archives have bad
// states and equal time stamps.
func piFixture(t *testing.T) connectortest.Fixture {
	until := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	first, second := piwebapitest.Pump("P-101", until, 20*time.Minute), piwebapitest.Pump("P-102", until, 20*time.Minute)
	server := piwebapitest.New(append(first, second...)...).Start(t)
	return connectortest.Fixture{
		Config:  connector.Config{"base_url": server.URL + piwebapitest.Base, "username": piwebapitest.User},
		Secrets: connector.Secrets{"password": piwebapitest.Password},
		Dialer:  &net.Dialer{},
		Tags:    []string{first[0].IDWebID(), first[1].IDWebID(), second[0].IDWebID(), second[2].IDWebID()},
		Since:   until.Add(-20 * time.Minute),
		Until:   until,
	}
}
