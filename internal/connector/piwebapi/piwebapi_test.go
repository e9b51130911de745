package piwebapi

import (
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/piwebapi/piwebapitest"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// connect opens a connector to a simulator that runs over HTTP.
func connect(t testing.TB, server *httptest.Server, change ...func(connector.Config)) *Connector {
	t.Helper()
	config := connector.Config{"base_url": server.URL + piwebapitest.Base, "username": piwebapitest.User}
	for _, c := range change {
		c(config)
	}
	opened, err := connector.Open(Kind, config, connector.Secrets{"password": piwebapitest.Password, "token": piwebapitest.Token}, &net.Dialer{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	return opened.(*Connector)
}

// drain reads a window to its end.
func drain(t *testing.T, c *Connector, request connector.PollRequest) []connector.Reading {
	t.Helper()
	var all []connector.Reading
	for {
		batch, err := c.Poll(t.Context(), request)
		require.NoError(t, err)
		all = append(all, batch.Readings...)
		if !batch.More {
			require.True(t, batch.Watermark.Equal(request.Until))
			return all
		}
		require.True(t, batch.Watermark.After(request.Since))
		request.Since = batch.Watermark
	}
}

func TestReadingsHaveTheQualityAndValueOfTheirEvents(t *testing.T) {
	t.Parallel()
	at := func(i int) time.Time { return noon.Add(time.Duration(i) * time.Second) }
	simulator := piwebapitest.New(&piwebapitest.Point{Name: "P", Type: piwebapitest.Float32, Unit: "bar", Events: []piwebapitest.Event{
		{Time: at(1).Add(928009 * 100), Value: 1.5},
		{Time: at(2), Value: 2.5, Questionable: true},
		{Time: at(3), Value: 3.5, Substituted: true},
		{Time: at(4), Value: 4.5, Annotated: true},
		{Time: at(5), Value: 5.5, Bad: true},
		{Time: at(6), Value: 6.5, Errors: []string{"conversion"}},
		piwebapitest.System(at(7), "I/O Timeout"),
		{Time: at(8), Value: piwebapitest.State{Name: "Running", Code: 2}},
		{Time: at(9), Value: "NaN"},
		{Time: at(10), Value: nil},
		{Time: at(11), Value: true},
		{Time: at(12), Value: "a text that should not be here"},
	}})
	c := connect(t, simulator.Start(t))
	tag := `\\PISRV01\P`
	batch, err := c.Poll(t.Context(), connector.PollRequest{Tags: []string{tag}, Since: noon, Until: noon.Add(time.Minute)})
	require.NoError(t, err)
	want := []struct {
		value   float64 // -1 for none
		quality asset.Quality
	}{{1.5, asset.Good}, {2.5, asset.Uncertain}, {3.5, asset.Uncertain}, {4.5, asset.Good}, {5.5, asset.Bad}, {6.5, asset.Bad},
		{-1, asset.Bad}, {2, asset.Good}, {-1, asset.Bad}, {-1, asset.Bad}, {1, asset.Good}}
	require.Len(t, batch.Readings, len(want))
	for i, w := range want {
		r := batch.Readings[i]
		require.Equal(t, w.quality, r.Quality, "event %d", i+1)
		if w.value < 0 {
			require.NotEqual(t, r.Value, r.Value, "a state is never a number: event %d", i+1)
		} else {
			require.Equal(t, w.value, r.Value, "event %d", i+1)
		}
		require.Equal(t, "bar", r.Unit)
		require.Equal(t, tag, r.ExternalTag)
	}
	require.Equal(t, at(1).Add(92800*time.Microsecond), batch.Readings[0].Time, "microseconds of seven decimals")
	require.Equal(t, []connector.Notice{{Time: batch.Notices[0].Time, Key: connector.NoticeNotNumeric, Tags: []string{tag}}}, batch.Notices)
}

func TestEveryFormOfAddressNamesThePoint(t *testing.T) {
	t.Parallel()
	p := &piwebapitest.Point{Name: "P-101.VIB", Type: piwebapitest.Float32, Events: []piwebapitest.Event{{Time: noon, Value: 1.0}}}
	simulator := piwebapitest.New(p)
	c := connect(t, simulator.Start(t))
	tags := []string{p.Path(), `\\pisrv01\p-101.vib`, p.FullWebID(), p.IDWebID(), p.PathWebID(), "P-101.VIB", `\\PISRV01\gone`, "I1DPAAAA", "' or 1=1"}
	batch, err := c.Poll(t.Context(), connector.PollRequest{Tags: tags, Since: noon.Add(-time.Second), Until: noon})
	require.NoError(t, err)
	var got []string
	for _, r := range batch.Readings {
		got = append(got, r.ExternalTag)
	}
	require.Equal(t, tags[:5], got)
	require.Equal(t, tags[5:], batch.Notices[0].Tags)
	require.Equal(t, connector.NoticeUnknownTag, batch.Notices[0].Key)
}

func TestMappingsOutliveRenaming(t *testing.T) {
	t.Parallel()
	p := &piwebapitest.Point{Name: "OLD.NAME", Type: piwebapitest.Float32, Events: []piwebapitest.Event{{Time: noon, Value: 1.0}}}
	simulator := piwebapitest.New(p)
	server := simulator.Start(t)
	address := func() string {
		c := connect(t, server)
		servers, err := c.Browse(t.Context(), "")
		require.NoError(t, err)
		nodes, err := c.Browse(t.Context(), servers[0].Address)
		require.NoError(t, err)
		return nodes[0].Address
	}
	before, full := address(), p.FullWebID()
	simulator.Rename("OLD.NAME", "NEW.NAME")
	require.Equal(t, before, address(), "the listing has the address it had")
	batch, err := connect(t, server).Poll(t.Context(), connector.PollRequest{Tags: []string{before, full}, Since: noon.Add(-time.Second), Until: noon})
	require.NoError(t, err)
	require.Len(t, batch.Readings, 2)
	require.Empty(t, batch.Notices)
}

func TestSampleReadsTheNewestAndLeavesOutWhatIsRefused(t *testing.T) {
	t.Parallel()
	points := piwebapitest.Pump("P-101", noon, time.Hour)
	for i := range 250 {
		p := &piwebapitest.Point{Name: "X" + string(rune('A'+i/26)) + string(rune('A'+i%26)), Type: piwebapitest.Float64, Unit: "m3/h", Events: []piwebapitest.Event{{Time: noon, Value: float64(i)}}}
		p.Forbidden = i == 77 || i == 78
		points = append(points, p)
	}
	simulator := piwebapitest.New(points...)
	c := connect(t, simulator.Start(t))
	var tags []string
	for _, p := range points {
		tags = append(tags, p.FullWebID())
	}
	batch, err := c.Sample(t.Context(), append(tags, "nothing"))
	require.NoError(t, err)
	require.Len(t, batch.Readings, 2+1+248, "two analog, one digital, the text and two forbidden ones not")
	require.Equal(t, tags[0], batch.Readings[0].ExternalTag)
	require.Equal(t, "mm/s", batch.Readings[0].Unit)
	require.ElementsMatch(t, []string{"nothing", tags[4+77], tags[4+78]}, batch.Notices[0].Tags)
	require.Equal(t, []string{tags[3]}, batch.Notices[1].Tags)
	require.Less(t, simulator.Calls("streamsets/value"), 25, "divided, not one by one")
}

func TestConnectionTestShowsWhatAnOperatorNeeds(t *testing.T) {
	t.Parallel()
	simulator := piwebapitest.New(piwebapitest.Pump("P-101", noon, time.Hour)...)
	simulator.Skew = -90 * time.Second
	steps := connect(t, simulator.Start(t)).Test(t.Context())
	require.Len(t, steps, 5)
	details := ""
	for _, step := range steps {
		require.True(t, step.OK, "%s: %s", step.Name, step.Detail)
		details += step.Detail + "\n"
	}
	for _, want := range []string{"PI Web API 2023 SP1", `plant\svc_reader`, "clock differs by -1m", "1 data servers: PISRV01", "P-101.VIB = "} {
		require.Contains(t, details, want)
	}
	require.NotContains(t, details, piwebapitest.Password)

	empty := connect(t, piwebapitest.New().Start(t)).Test(t.Context())
	require.Equal(t, connector.StepRead, empty[len(empty)-1].Name)
	require.Equal(t, connector.KeyForbidden, empty[len(empty)-1].Code, "an account without rights sees an empty archive")
}

func TestBearerAndPathAddressing(t *testing.T) {
	t.Parallel()
	simulator := piwebapitest.New(piwebapitest.Pump("P-101", noon, time.Hour)...)
	c := connect(t, simulator.Start(t), func(config connector.Config) {
		config["auth"], config["addressing"], config["data_server"] = "bearer", "path", "pisrv01"
		delete(config, "username")
	})
	servers, err := c.Browse(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, servers, 1)
	nodes, err := c.Browse(t.Context(), servers[0].Address)
	require.NoError(t, err)
	require.Equal(t, connector.Node{Address: `\\PISRV01\P-101.VIB`, Name: "P-101.VIB", Leaf: true, Unit: "mm/s", DataType: "Float32", Low: connector.Bound(0), High: connector.Bound(25)}, nodes[0])
	require.Equal(t, -10.0, *nodes[1].Low)
	require.Equal(t, 140.0, *nodes[1].High)
	require.Nil(t, nodes[2].Low, "a digital state has no bounds")

	other := connect(t, simulator.Start(t), func(config connector.Config) { config["data_server"] = "ELSEWHERE" })
	servers, err = other.Browse(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, servers)
}

func TestClockSkewIsNoticed(t *testing.T) {
	t.Parallel()
	simulator := piwebapitest.New(piwebapitest.Pump("P-101", noon, time.Minute)...)
	c := connect(t, simulator.Start(t))
	c.now = func() time.Time { return time.Now().Add(10 * time.Second) }
	batch, err := c.Poll(t.Context(), connector.PollRequest{Tags: []string{`\\PISRV01\P-101.VIB`}, Since: noon.Add(-time.Minute), Until: noon})
	require.NoError(t, err)
	require.NotEmpty(t, batch.Readings)
	require.Equal(t, connector.NoticeClockSkew, batch.Notices[0].Key)
}
