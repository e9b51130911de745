// Package mqtt is the connector for MQTT 5 brokers. It follows Sparkplug B edge
// nodes, whose metrics are named in birth certificates and sent by alias
// afterwards, or JSON documents on topics after a template. A broker keeps
// messages of quality of service 1 while the product is away; they are
// acknowledged only once their readings are kept.
package mqtt

import (
	"fmt"
	"net"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

func init() { connector.Register(Spec(), open) }

// MQTTConnector is an opened broker. It connects anew for each call: the
// session with the stored client id belongs to Subscribe alone.
type MQTTConnector struct {
	settings Settings
	dialer   *net.Dialer
	format   format
	seen     *inventory // what the last listening found
	seenAt   time.Time
}

var (
	_ connector.Tester     = (*MQTTConnector)(nil)
	_ connector.Browser    = (*MQTTConnector)(nil)
	_ connector.Subscriber = (*MQTTConnector)(nil)
	_ connector.Sampler    = (*MQTTConnector)(nil)
)

func open(config connector.Config, secrets connector.Secrets, dialer *net.Dialer) (connector.Connector, error) {
	settings, err := decode(config)
	if err != nil {
		return nil, err
	}
	settings.password = secrets["password"]
	f, problems := settings.format()
	if len(problems) > 0 {
		return nil, fmt.Errorf("read the format of payloads: %v", problems)
	}
	return &MQTTConnector{settings: settings, dialer: dialer, format: f}, nil
}

// Kind returns the registered kind.
func (c *MQTTConnector) Kind() string { return Kind }

// Close has nothing to release: connections end with their call.
func (c *MQTTConnector) Close() error { return nil }

// message is one publication as it arrived.
type message struct {
	topic    string
	payload  []byte
	retained bool
	again    bool // sent before, as far as the broker knows
	kept     bool // the broker keeps messages like this one for a client that is away
	at       time.Time
	ack      func() error
}

// outcome is what a message gave.
type outcome struct {
	readings []connector.Reading
	notices  []connector.Notice
	commands []publication // to send to the edge
	held     bool          // the message waits for a birth certificate; release gives it back
	released []message     // messages that waited and can be read now
	spoiled  []message     // messages that waited in vain
}

// publication is a message to the edge.
type publication struct {
	topic   string
	payload []byte
}

// reader turns messages into readings. It is of one session.
type reader interface {
	read(m message) outcome
	// overdue gives up messages that have waited too long.
	overdue(now time.Time) outcome
	// metrics are the tags known so far, with their last values.
	metrics() []*metric
	count() int
}

// format is a way to read payloads.
type format interface {
	// filters are the topics to subscribe to.
	filters() []string
	// newReader begins a session. wanted are the tags to deliver, nil for all.
	newReader(wanted map[string]bool) reader
}

// metric is one tag of a broker.
type metric struct {
	address   string
	node      string // group/node, or the topic
	device    string
	name      string
	alias     uint64
	dataType  uint64
	unit      string
	low, high *float64
	numeric   bool
	last      connector.Reading // zero time: no value yet
}
