// Package piwebapi connects to the AVEVA PI System through PI Web API 2017 R2
// or later.
//
// A tag is the path of a point, \\SERVER\TAG, or its WebID in any of the forms
// of WebID 2.0. Browsing hands out identifier-only WebIDs (I1DP…): they name
// the point by the identifiers of server and point, so mappings outlive a
// renaming of the tag, they stay the same in later listings, and their 32
// characters fit the limit of a path segment, which full WebIDs of long names
// pass. The setting "addressing" hands out paths instead, for those who prefer
// to read them. Both forms are always accepted.
//
// Recorded values are read in batches of one call per point. PI Web API cuts an
// answer at maxCount without a word and several events may carry one time
// stamp, so a full page is continued after the instant of its last event. The
// historian keeps one reading per microsecond and tag, and so does a batch: the
// first event of an instant in archive order.
//
// Polling. Events reach the archive some time after their time stamp, so the
// watermark of a poll that ends now stays behind by "settle_seconds" and the
// next poll reads that stretch again. What comes later than that, such as the
// buffer of an interface after an outage of hours, is found by a backfill only.
//
// Quality: bad when the event is not good, is a system state or carries errors;
// uncertain when questionable or substituted; good otherwise. A digital state
// is its code. A system state has no number: its value is NaN. Texts are not
// delivered and are named once.
//
// What is not done: thinning by PollRequest.Period, because PI interpolates
// where the contract wants samples; PollRequest.AsOf, because PI does not say
// when an event was archived; Kerberos and NTLM.
package piwebapi

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// Kind is the registered name.
const Kind = "piwebapi"

// Ways to hand out the addresses of points.
const (
	byIdentifier = "webid"
	byPath       = "path"
)

// servicePath is where PI Web API is installed unless the address says
// otherwise.
const servicePath = "/piwebapi"

// Sizes of one answer: the standard maxCount of a recorded call, and the limit
// of the service itself unless its administrator lowered it.
const (
	defaultPage  = 5000
	serviceLimit = 150_000
)

// defaultSettle is how many seconds after its time stamp an event may reach the
// archive and still be read by polling.
const defaultSettle = 30

func init() { connector.Register(Spec(), open) }

// Spec describes the settings.
func Spec() connector.Spec {
	return connector.Spec{
		Kind:           Kind,
		NameKey:        "connector.piwebapi.name",
		DescriptionKey: "connector.piwebapi.description",
		Fields: append(httpapi.Fields(),
			connector.Field{Key: "data_server", Type: connector.Text, Max: connector.Bound(100), LabelKey: "connector.piwebapi.data_server.label", HelpKey: "connector.piwebapi.data_server.help"},
			connector.Field{Key: "addressing", Type: connector.Choice, Enum: []string{byIdentifier, byPath}, Default: byIdentifier,
				LabelKey: "connector.piwebapi.addressing.label", HelpKey: "connector.piwebapi.addressing.help"},
			connector.Field{Key: "page_size", Type: connector.Integer, Min: connector.Bound(2), Max: connector.Bound(serviceLimit), Default: float64(defaultPage),
				LabelKey: "connector.piwebapi.page_size.label", HelpKey: "connector.piwebapi.page_size.help"},
			connector.Field{Key: "settle_seconds", Type: connector.Integer, Min: connector.Bound(0), Max: connector.Bound(3600), Default: float64(defaultSettle),
				LabelKey: "connector.piwebapi.settle_seconds.label", HelpKey: "connector.piwebapi.settle_seconds.help"}),
		Check: httpapi.CheckSettings,
	}
}

// settings are the open settings.
type settings struct {
	httpapi.Settings
	DataServer string `json:"data_server,omitempty"`
	Addressing string `json:"addressing,omitempty"`
	PageSize   int    `json:"page_size,omitempty"`
	Settle     int    `json:"settle_seconds"`
}

// Connector is an opened PI Web API.
type Connector struct {
	client   *httpapi.Client
	settings settings
	base     string // address of the service, for the resources of a batch
	most     int    // the largest maxCount that the service takes, as far as known
	points   map[string]point
	skewed   bool // the clock of the service is off
	ahead    ahead
	names    int // most points that are looked through to divide a folder
	now      func() time.Time
}

func open(config connector.Config, secrets connector.Secrets, dialer *net.Dialer) (connector.Connector, error) {
	var s settings
	if err := config.Decode(&s); err != nil {
		return nil, err
	}
	base, err := url.Parse(strings.TrimRight(s.BaseURL, "/"))
	if err != nil {
		return nil, fmt.Errorf("read address: %w", err)
	}
	if base.Path == "" {
		base.Path = servicePath
	}
	s.BaseURL = base.String()
	client, err := httpapi.New(s.WithSecrets(secrets), dialer, nil)
	if err != nil {
		return nil, err
	}
	return &Connector{client: client, settings: s, base: s.BaseURL, most: serviceLimit, names: mostNames, points: map[string]point{}, now: time.Now}, nil
}

// Kind returns the registered name.
func (c *Connector) Kind() string { return Kind }

// Close releases idle connections.
func (c *Connector) Close() error {
	c.client.Close()
	return nil
}
