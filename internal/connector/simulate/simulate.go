// Package simulate is the connector that needs no plant. It behaves like one
// of the real kinds, and computes every value from a seed, a tag and an
// instant: no state, no network, the same numbers on every machine. Scripted
// degradation episodes and deliberate faults of the connection are part of
// its configuration.
package simulate

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// Kind is the registered kind of the simulated connector.
const Kind = "simulated"

// Flavour names the real kind that a simulated connector stands for.
type Flavour string

// The flavours, after the kinds of connectors of the product.
const (
	OPCUA     Flavour = "opcua"
	PIWebAPI  Flavour = "piwebapi"
	SAP       Flavour = "sap"
	OracleEAM Flavour = "oracleeam"
	SQL       Flavour = "sql"
	REST      Flavour = "rest"
)

// sessions words the session step of a connection test per flavour.
var sessions = map[Flavour]string{
	OPCUA:     "secure channel Basic256Sha256, SignAndEncrypt",
	PIWebAPI:  "GET /system/userinfo, basic authentication",
	SAP:       "OData service document, sap-client 100",
	OracleEAM: "GET /fscmRestApi/resources, basic authentication",
	SQL:       "read-only session with statement timeout",
	REST:      "webhook signature key accepted",
}

// Settings are the configuration of a simulated connector. Its JSON form is
// what Spec describes.
type Settings struct {
	Flavour              Flavour   `json:"flavour"`
	Endpoint             string    `json:"endpoint"`
	Seed                 int64     `json:"seed"`
	Epoch                time.Time `json:"epoch,omitzero"`
	HistoryPeriodSeconds int64     `json:"history_period_seconds"`
	Points               []Point   `json:"points,omitempty"`
	Fault                *Fault    `json:"fault,omitempty"`
}

// Config returns the settings in the form in which integrations store them.
func (s Settings) Config() (connector.Config, error) { return toConfig(s) }

// Spec describes the settings.
func Spec() connector.Spec {
	return connector.Spec{
		Kind:           Kind,
		NameKey:        "connector.simulated.name",
		DescriptionKey: "connector.simulated.description",
		Fields: []connector.Field{
			{Key: "flavour", Type: connector.Choice, Required: true, Default: string(OPCUA),
				Enum:     []string{string(OPCUA), string(PIWebAPI), string(SAP), string(OracleEAM), string(SQL), string(REST)},
				LabelKey: "connector.simulated.flavour.label", HelpKey: "connector.simulated.flavour.help"},
			{Key: "endpoint", Type: connector.Text, Required: true, Max: connector.Bound(512),
				LabelKey: "connector.simulated.endpoint.label", HelpKey: "connector.simulated.endpoint.help"},
			{Key: "seed", Type: connector.Integer, Default: 1.0, Min: connector.Bound(0), Max: connector.Bound(1 << 50),
				LabelKey: "connector.simulated.seed.label", HelpKey: "connector.simulated.seed.help"},
			{Key: "epoch", Type: connector.Instant,
				LabelKey: "connector.simulated.epoch.label", HelpKey: "connector.simulated.epoch.help"},
			{Key: "history_period_seconds", Type: connector.Integer, Default: 1800.0, Min: connector.Bound(1), Max: connector.Bound(86400),
				LabelKey: "connector.simulated.history_period.label", HelpKey: "connector.simulated.history_period.help"},
			{Key: "points", Type: connector.Object,
				LabelKey: "connector.simulated.points.label", HelpKey: "connector.simulated.points.help"},
			{Key: "fault", Type: connector.Object,
				LabelKey: "connector.simulated.fault.label", HelpKey: "connector.simulated.fault.help"},
			{Key: "password", Type: connector.Password, Secret: true, Max: connector.Bound(256),
				LabelKey: "connector.simulated.password.label", HelpKey: "connector.simulated.password.help"},
		},
		Check: check,
	}
}

func init() { connector.Register(Spec(), open) }

// SimulatedConnector is an opened simulation.
type SimulatedConnector struct {
	settings   Settings
	points     map[string]Point
	generators map[string]*Generator
	now        func() time.Time
}

var (
	_ connector.Tester     = (*SimulatedConnector)(nil)
	_ connector.Browser    = (*SimulatedConnector)(nil)
	_ connector.Poller     = (*SimulatedConnector)(nil)
	_ connector.Backfiller = (*SimulatedConnector)(nil)
)

func open(config connector.Config, _ connector.Secrets, _ *net.Dialer) (connector.Connector, error) {
	var settings Settings
	if err := config.Decode(&settings); err != nil {
		return nil, fmt.Errorf("read simulation: %w", err)
	}
	return New(settings), nil
}

// New opens a simulation from settings that Spec accepts. Without points it
// simulates one example pump.
func New(settings Settings) *SimulatedConnector {
	if len(settings.Points) == 0 {
		settings.Points = examplePump()
	}
	s := &SimulatedConnector{
		settings:   settings,
		points:     make(map[string]Point, len(settings.Points)),
		generators: make(map[string]*Generator, len(settings.Points)),
		now:        time.Now,
	}
	for _, point := range settings.Points {
		s.points[point.Tag] = point
		s.generators[point.Tag] = NewGenerator(point, settings.Seed, settings.Epoch)
	}
	return s
}

// Kind returns the registered kind.
func (s *SimulatedConnector) Kind() string { return Kind }

// Close has nothing to release.
func (s *SimulatedConnector) Close() error { return nil }

// Test runs the five steps. The session is described as the real kind would
// show it, and marked as simulated.
func (s *SimulatedConnector) Test(ctx context.Context) []connector.Step {
	return connector.RunChecks(ctx,
		connector.Check{Name: connector.StepName, Run: func(context.Context) (string, error) {
			return s.settings.Endpoint, nil
		}},
		connector.Check{Name: connector.StepTCP, Run: func(context.Context) (string, error) {
			return "simulated", s.reach(s.now())
		}},
		connector.Check{Name: connector.StepSession, Run: func(context.Context) (string, error) {
			return "simulated: " + sessions[s.settings.Flavour], nil
		}},
		connector.Check{Name: connector.StepBrowse, Run: func(ctx context.Context) (string, error) {
			nodes, err := s.Browse(ctx, "")
			return fmt.Sprintf("%d nodes at the root, %d tags", len(nodes), len(s.points)), err
		}},
		connector.Check{Name: connector.StepRead, Run: func(context.Context) (string, error) {
			point := s.settings.Points[0]
			value := s.reading(point, s.now().Unix())
			return fmt.Sprintf("%s = %g %s", point.Tag, value.Value, value.Unit), nil
		}},
	)
}

// reach fails while a deliberate fault keeps the source away.
func (s *SimulatedConnector) reach(at time.Time) error {
	f := s.settings.Fault
	if f == nil || f.Kind != FaultUnreachable {
		return nil
	}
	if _, _, inside := f.window(at.Unix()); inside {
		return connector.Unreachable(fmt.Errorf("dial %s: connection refused (simulated)", s.settings.Endpoint))
	}
	return nil
}
