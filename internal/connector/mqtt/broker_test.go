package mqtt

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/testkit"
)

// broker is a Mosquitto of one test: its own folder and port, no service.
type broker struct {
	*testkit.Program
	port int
}

// startBroker starts a broker that keeps its sessions on disk.
func startBroker(t testing.TB, lines ...string) *broker {
	t.Helper()
	dir := t.TempDir()
	current, err := user.Current()
	require.NoError(t, err)
	b := &broker{port: testkit.FreePort(t)}
	config := fmt.Sprintf("user %s\nlistener %d 127.0.0.1\npersistence true\npersistence_location %s/\nautosave_interval 1\nautosave_on_changes true\n"+
		"queue_qos0_messages true\nmax_queued_messages 0\nmax_inflight_messages 0\n", current.Username, b.port, dir)
	if len(lines) == 0 {
		lines = []string{"allow_anonymous true"}
	}
	config += strings.Join(lines, "\n") + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "broker.conf"), []byte(config), 0o600))
	b.Program = testkit.Start(t, dir, "running", []string{"/usr/sbin/mosquitto", "-c", "broker.conf"})
	return b
}

// connector opens a connector on a port.
func connect(t testing.TB, port int, settings connector.Config) *MQTTConnector {
	t.Helper()
	config := connector.Config{"host": "127.0.0.1", "port": float64(port), "tls": TLSOff, "client_id": "optria-test", "listen_seconds": 2.0}
	for key, value := range settings {
		config[key] = value
	}
	opened, err := connector.Open(Kind, config, nil, &net.Dialer{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	return opened.(*MQTTConnector)
}

// publish sends messages of quality of service 1 and waits until the broker
// has them.
func publish(t testing.TB, port int, messages ...*paho.Publish) {
	t.Helper()
	s, err := connect(t, port, nil).connect(t.Context(), signIn{clientID: guest()})
	require.NoError(t, err)
	defer s.end()
	for _, m := range messages {
		m.QoS = 1
		_, err := s.client.Publish(t.Context(), m)
		require.NoError(t, err)
	}
}

func command(t testing.TB, port int, node, text string) {
	t.Helper()
	publish(t, port, &paho.Publish{Topic: "edge/" + node, Payload: []byte(text)})
}

// sink keeps what a subscription delivers.
type sink struct {
	mu      sync.Mutex
	batches int
	got     map[string][]connector.Reading
	notices map[string]int
	refuse  error
	marks   []time.Time
}

func newSink() *sink { return &sink{got: map[string][]connector.Reading{}, notices: map[string]int{}} }

func (s *sink) deliver(_ context.Context, batch connector.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches++
	if s.refuse != nil && len(batch.Readings) > 0 {
		return s.refuse
	}
	s.marks = append(s.marks, batch.Watermark)
	for _, r := range batch.Readings {
		s.got[r.ExternalTag] = append(s.got[r.ExternalTag], r)
	}
	for _, n := range batch.Notices {
		s.notices[n.Key]++
	}
	return nil
}

func (s *sink) setRefuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = err
}

// up reports whether a batch has come.
func (s *sink) up() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.batches > 0 }

// first is the watermark of the first batch, zero as long as there is none.
func (s *sink) first() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.marks) == 0 {
		return time.Time{}
	}
	return s.marks[0]
}

func (s *sink) count(tag string) int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.got[tag]) }

func (s *sink) noted(key string) int { s.mu.Lock(); defer s.mu.Unlock(); return s.notices[key] }

func (s *sink) last(tag string) connector.Reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.got[tag]) == 0 {
		return connector.Reading{}
	}
	return s.got[tag][len(s.got[tag])-1]
}

func (s *sink) values(tag string) map[float64]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[float64]int{}
	for _, r := range s.got[tag] {
		seen[r.Value]++
	}
	return seen
}

// follow runs a subscription until stop and returns why it ended.
func follow(t testing.TB, c *MQTTConnector, s *sink, tags ...string) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Subscribe(ctx, connector.SubscribeRequest{Tags: tags}, s.deliver) }()
	return func() error {
		cancel()
		return <-ended
	}
}

func eventually(t testing.TB, ok func() bool, words string) {
	t.Helper()
	require.Eventually(t, ok, 20*time.Second, 20*time.Millisecond, words)
}

const vibration, temp, offset = "Plant1/GW1/Pump1:Vibration", "Plant1/GW1/Pump1:Temp", "Plant1/GW1/Pump1:Offset"

func edgeEnv(port int, more ...string) []string {
	return append([]string{"PORT=" + strconv.Itoa(port)}, more...)
}

// TestSparkplugNode follows an edge node of another project through a life:
// birth, data by alias, a gap, the death of a device and of the node.
func TestSparkplugNode(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	edge := testkit.Node(t, "sparkplug.cjs", edgeEnv(b.port)...)
	c := connect(t, b.port, nil)

	nodes, err := c.Browse(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, nodes, "a silent node is not found")

	s := newSink()
	stop := follow(t, c, s, vibration, temp, offset, "Plant1/GW1:Load", "Plant1/GW1/Pump1:Serial", "Plant1/GW1/Pump1:Gone")
	eventually(t, s.up, "the session is up")
	// Data of a node whose birth certificate was missed: it waits until the node
	// is born again.
	command(t, b.port, "GW1", `{"device": "Pump1", "data": [[1, "Double", 7.25], [4, "Int16", -13]]}`)
	eventually(t, func() bool { return s.count(vibration) >= 2 && s.count(offset) >= 2 }, "birth and waiting data")
	require.Contains(t, s.values(vibration), 7.25)
	require.Contains(t, s.values(vibration), 4.2, "a birth certificate carries values")
	require.Contains(t, s.values(offset), -13.0, "two's complement")
	require.Equal(t, "mm/s", s.last(vibration).Unit)
	require.Equal(t, 1, s.noted(connector.NoticeNotNumeric), "once for the text")
	require.Equal(t, 1, s.noted(connector.NoticeUnknownTag), "once for the tag that the device does not have")
	require.InDelta(t, 12.5, s.last("Plant1/GW1:Load").Value, 0)

	past := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	command(t, b.port, "GW1", fmt.Sprintf(`{"device": "Pump1", "data": [[2, "Float", 50.5]], "historical": true, "at": %d}`, past.UnixMilli()))
	eventually(t, func() bool { return s.last(temp).Time.Equal(past) }, "historical values are rows like others")

	command(t, b.port, "GW1", `{"skip": 3, "device": "Pump1", "data": [[1, "Double", 8.5]]}`)
	eventually(t, func() bool { return s.values(vibration)[8.5] == 1 && s.noted(noticeGap) == 1 }, "a gap loses nothing that came")

	command(t, b.port, "GW1", `{"death": "Pump1"}`)
	eventually(t, func() bool { return s.last(vibration).Quality == asset.Bad && s.last(temp).Quality == asset.Bad }, "the device is dead")
	require.Equal(t, asset.Good, s.last("Plant1/GW1:Load").Quality, "its node is not")
	edge.Kill()
	eventually(t, func() bool { return s.last("Plant1/GW1:Load").Quality == asset.Bad }, "the broker tells of the death of the node")
	edge.Restart()
	eventually(t, func() bool { return s.last(vibration).Quality == asset.Good }, "born again")
	require.NoError(t, stop())
}

func TestBrowseAndSampleAskForBirth(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	testkit.Node(t, "sparkplug.cjs", edgeEnv(b.port, "COMPRESS=GZIP")...)
	c := connect(t, b.port, connector.Config{"listen_seconds": 4.0})
	sample, err := c.Sample(t.Context(), []string{vibration, "Plant1/GW1/Pump1:Serial", "Plant1/GW1/Pump1:None"})
	require.NoError(t, err, "a silent node is asked by the name in the tag")
	require.Len(t, sample.Readings, 1)
	require.InDelta(t, 4.2, sample.Readings[0].Value, 0)
	require.Len(t, sample.Notices, 2)

	talking, quiet := context.WithCancel(t.Context())
	spoken := make(chan struct{})
	go func() {
		defer close(spoken)
		for talking.Err() == nil {
			command(t, b.port, "GW1", `{"data": [[100, "Float", 1]]}`)
			time.Sleep(200 * time.Millisecond)
		}
	}()
	defer func() { quiet(); <-spoken }()
	nodes, err := c.Browse(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []connector.Node{{Address: "Plant1/GW1", Name: "Plant1/GW1"}}, nodes)
	nodes, err = c.Browse(t.Context(), "Plant1/GW1")
	require.NoError(t, err)
	require.Equal(t, []string{"Plant1/GW1/Pump1", "Plant1/GW1:Load"}, []string{nodes[0].Address, nodes[1].Address})
	nodes, err = c.Browse(t.Context(), "Plant1/GW1/Pump1")
	require.NoError(t, err)
	require.Len(t, nodes, 6)
	require.Equal(t, vibration, nodes[5].Address)
	require.Equal(t, "mm/s Double 50", fmt.Sprint(nodes[5].Unit, " ", nodes[5].DataType, " ", *nodes[5].High))
	for _, step := range c.Test(t.Context()) {
		require.True(t, step.OK, "%s: %s", step.Name, step.Detail)
	}
}

// TestNothingIsLostThatTheBrokerHas kills the product, the network and the
// broker in turn, while numbered messages of quality of service 1 go on.
func TestNothingIsLostThatTheBrokerHas(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	proxy := testkit.NewFaultProxy(t, "127.0.0.1:"+strconv.Itoa(b.port))
	_, text, err := net.SplitHostPort(proxy.Address())
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	c := connect(t, port, connector.Config{"payload": JSON, "topics": "plant/{tag}/value", "time": "@.t", "time_format": "unix_ms"})
	sent := 0
	send := func(n int) {
		var messages []*paho.Publish
		for range n {
			sent++
			messages = append(messages, &paho.Publish{Topic: "plant/P1/value", Payload: fmt.Appendf(nil, `{"value": %d, "t": %d}`, sent, 1_770_000_000_000+sent)})
		}
		publish(t, b.port, messages...)
	}
	s := newSink()
	complete := func() bool { return len(s.values("P1")) == sent }

	stop := follow(t, c, s, "P1")
	eventually(t, s.up, "the session is up")
	send(20)
	eventually(t, complete, "live")
	require.NoError(t, stop())

	send(50) // while nobody is there
	s.setRefuse(context.DeadlineExceeded)
	require.Error(t, c.Subscribe(t.Context(), connector.SubscribeRequest{Tags: []string{"P1"}}, s.deliver), "the store is away")
	s.setRefuse(nil)
	require.False(t, s.marks[0].IsZero(), "a new session has missed what was before")
	s.marks = nil
	stop = follow(t, c, s, "P1")
	eventually(t, complete, "what was not kept comes again")
	require.True(t, s.first().IsZero(), "the broker had kept it: nothing was missed")

	proxy.Cut()
	require.Error(t, <-ending(stop), "the session ends, it is not mended in place")
	send(20)
	stop = follow(t, c, s, "P1")
	eventually(t, complete, "after a cut")
	require.NoError(t, stop())

	send(30)
	time.Sleep(1500 * time.Millisecond) // the broker saves once a second
	b.Kill()
	require.Equal(t, connector.KeyUnreachable, connector.MessageKey(c.Subscribe(t.Context(), connector.SubscribeRequest{Tags: []string{"P1"}}, s.deliver)))
	b.Restart()
	stop = follow(t, c, s, "P1")
	eventually(t, complete, "what a killed broker had saved")
	send(5)
	eventually(t, complete, "and on")
	time.Sleep(20 * ackEvery) // the broker hears of the last messages
	require.NoError(t, stop())

	s.marks = nil
	stop = follow(t, c, s, "P1")
	eventually(t, func() bool { return !s.first().IsZero() }, "without a message nobody can tell what the broker had kept")
	require.NoError(t, stop())
	for value := 1; value <= sent; value++ {
		require.NotZero(t, s.values("P1")[float64(value)], "message %d", value)
	}
}

// ending waits for the end of a subscription without asking for it.
func ending(stop func() error) <-chan error {
	ended := make(chan error, 1)
	time.Sleep(time.Second)
	ended <- stop()
	return ended
}
