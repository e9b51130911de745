package activities

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/opcua"
	"github.com/optria-iq/optria/internal/testkit"
)

// opcuaLine is a production line that reads an OPC UA server of another stack
// through a network that a test disturbs.
type opcuaLine struct {
	*productionLine
	server   *testkit.Program
	way      *testkit.FaultProxy
	patience time.Duration // until a session is up
}

// newOPCUALine reads four tags with an archive.
func newOPCUALine(t *testing.T) *opcuaLine {
	t.Helper()
	return opcuaLineOf(t, []string{"Pump1/Flow", "Pump1/Vibration", "Pump2/Flow", "Pump2/Vibration"}, "TICK=50", "HISTORY=30", "PUMPS=2")
}

// opcuaLineOf reads the given nodes of a server with the given settings.
func opcuaLineOf(t *testing.T, nodes []string, settings ...string) *opcuaLine {
	t.Helper()
	l := newLineOf(t, scriptedKind, len(nodes))
	port := testkit.FreePort(t)
	server := testkit.Node(t, "opcua.mjs", append(settings, fmt.Sprintf("PORT=%d", port), "PKI="+filepath.Join(t.TempDir(), "own", "pki"))...)
	way := testkit.NewFaultProxy(t, fmt.Sprintf("127.0.0.1:%d", port))
	config := connector.Config{"endpoint": "opc.tcp://" + way.Address() + "/plant", "security_policy": "None", "security_mode": "None", "publishing_ms": 100.0}
	secrets := connector.Secrets{}
	require.NoError(t, opcua.Spec().Generate(config, secrets))
	raw, err := json.Marshal(config)
	require.NoError(t, err)
	l.exec(`UPDATE core.integrations SET kind = $2, config = $3 WHERE tenant_id = $1`, opcua.Kind, raw)
	for field, text := range secrets {
		sealed, err := l.ingest.deps.Box.Seal(l.ref.TenantID.String(), l.ref.IntegrationID.String(), field, []byte(text))
		require.NoError(t, err)
		l.exec(`INSERT INTO core.integration_credentials (tenant_id, integration_id, field, ciphertext) VALUES ($1, $1, $2, $3)`, field, sealed)
	}
	for i, node := range nodes {
		l.tags[i] = "nsu=urn:test:plant;s=" + node
	}
	l.exec(`UPDATE core.integration_mappings m SET external_tag = x.tag FROM unnest($2::text[]) WITH ORDINALITY x (tag, n) WHERE m.tenant_id = $1 AND m.signal_id = x.n`, l.tags)
	l.ingest.deps.Dialer = &net.Dialer{}
	l.ingest.pace.opening, l.ingest.pace.silence, l.ingest.pace.lastTry = 20*time.Second, 15*time.Second, 300*time.Millisecond
	return &opcuaLine{productionLine: l, server: server, way: way, patience: 40 * time.Second}
}

// archive returns what the server has after since and up to until, one line
// per reading.
func (l *opcuaLine) archive(since, until time.Time) []string {
	l.t.Helper()
	loaded, err := l.ingest.load(l.t.Context(), l.ref)
	require.NoError(l.t, err)
	opened, err := l.ingest.open(loaded)
	require.NoError(l.t, err)
	defer opened.Close()
	var lines []string
	for {
		batch, err := opened.(connector.Backfiller).Backfill(l.t.Context(), connector.PollRequest{Tags: l.tags, Since: since, Until: until})
		require.NoError(l.t, err)
		for _, r := range batch.Readings {
			lines = append(lines, line(fmt.Sprintf("tag-%d", slices.Index(l.tags, r.ExternalTag)+1), r.Time))
		}
		if since = batch.Watermark; !batch.More {
			slices.Sort(lines)
			return slices.Compact(lines)
		}
	}
}

// between keeps the lines of a window, as archive does.
func (l *opcuaLine) between(since, until time.Time) []string {
	type row struct {
		SignalID int64
		Ts       time.Time
	}
	var lines []string
	for _, r := range rowsAs[row](l.productionLine, `SELECT signal_id, ts FROM telemetry.asset_timeseries WHERE tenant_id = $1`) {
		if r.Ts.After(since) && !r.Ts.After(until) {
			lines = append(lines, line(fmt.Sprintf("tag-%d", r.SignalID), r.Ts))
		}
	}
	slices.Sort(lines)
	return lines
}

// heals waits for a session later than the one of before and lets it run.
func (l *opcuaLine) heals(before time.Time) {
	l.t.Helper()
	l.retryNow()
	require.Eventually(l.t, func() bool {
		i := l.integration()
		return i.StreamingSince != nil && i.StreamingSince.After(before)
	}, l.patience, 50*time.Millisecond, "a new session is up")
}

// manyTags names the variable with the number of tags of TestManyTagsHeal.
const manyTags = "OPTRIA_MANY_TAGS"

// TestManyTagsHeal follows thousands of tags, every other of them bad, through
// faults of the network and of the server. After each of them the newest value
// of every tag is newer than the fault, and nobody has done anything.
func TestManyTagsHeal(t *testing.T) {
	n := 2000
	if text := os.Getenv(manyTags); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	nodes := make([]string, n)
	for i := range nodes {
		nodes[i] = fmt.Sprintf("T%d", i)
	}
	l := opcuaLineOf(t, nodes, fmt.Sprintf("BULK=%d", n), fmt.Sprintf("TICK=%d", max(1000, n/5)), "HISTORY=0", "PUMPS=1", "BAD_HALF=1")
	l.patience *= time.Duration(1 + n/20_000)
	l.within, l.ingest.pace = 20*time.Minute, standardPace
	l.ingest.pace.silence, l.ingest.pace.lastTry = 15*time.Second, 300*time.Millisecond
	all := func(began, since time.Time, what string) {
		require.Eventually(t, func() bool {
			return l.number(`SELECT count(*) FROM telemetry.signal_latest WHERE tenant_id = $1 AND ts > '`+since.UTC().Format(time.RFC3339Nano)+`'`) == n
		}, l.patience, 100*time.Millisecond, what)
		t.Logf("%s: every tag has a newer value after %v", what, time.Since(began))
	}
	began := time.Now()
	s := l.stream(l.ingest)
	t.Logf("session of %d tags up after %v", n, time.Since(began))
	all(began, time.Time{}, "start")
	require.Equal(t, n/2, l.number(`SELECT count(*) FROM telemetry.signal_latest WHERE tenant_id = $1 AND quality = 2`), "half of the tags are bad")
	for _, fault := range []struct {
		name  string
		bring func()
	}{
		{"cut", l.way.Cut}, {"freeze", l.way.Freeze},
		{"killed", func() { l.server.Kill(); time.Sleep(time.Second); l.server.Restart() }},
	} {
		before := time.Now()
		fault.bring()
		back := time.Now()
		l.heals(before)
		all(before, back, fault.name)
	}
	require.True(t, s.halt().Again)
	require.Equal(t, 1, l.number(`SELECT count(*) FROM core.integrations WHERE tenant_id = $1 AND circuit = 'closed' AND last_error = ''`))
}

// TestOPCUALosesNothing disturbs the connection to an independent server in
// every way and compares the historian with the server's own archive.
func TestOPCUALosesNothing(t *testing.T) {
	l := newOPCUALine(t)
	s := l.stream(l.ingest)
	since := *l.integration().Watermark
	for name, fault := range map[string]func(){
		"cut":    l.way.Cut,
		"freeze": l.way.Freeze,
		"refuse": func() { l.way.Refuse(); time.Sleep(time.Second); l.way.Heal() },
		"pause":  func() { l.server.Pause(); time.Sleep(300 * time.Millisecond); l.server.Resume(); l.way.Cut() },
	} {
		time.Sleep(300 * time.Millisecond)
		before := time.Now()
		fault()
		l.heals(before)
		t.Log(name, "healed after", time.Since(before))
	}
	time.Sleep(time.Second)
	l.fill()
	until := *l.integration().Watermark
	want := l.archive(since, until)
	require.Greater(t, len(want), 100)
	requireSame(t, want, l.between(since, until))
	for _, gap := range l.gaps() {
		require.Equal(t, "done", gap.State, "%s", gap.Error)
	}

	// A server that is killed forgets its archive; what it has when it is back
	// must be stored all the same.
	killed := *l.integration().Watermark
	l.server.Kill()
	time.Sleep(500 * time.Millisecond)
	l.server.Restart()
	l.heals(time.Now())
	time.Sleep(time.Second)
	l.fill()
	until = *l.integration().Watermark
	got := l.between(killed, until)
	for _, reading := range l.archive(killed, until) {
		require.Contains(t, got, reading)
	}
	require.True(t, s.halt().Again)
	require.Equal(t, 1, l.number(`SELECT count(*) FROM core.integrations WHERE tenant_id = $1 AND circuit = 'closed' AND last_error = ''`))
}
