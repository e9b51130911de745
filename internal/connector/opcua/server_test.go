package opcua

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// TestAgainstAnotherStack shares one server among the tests that only read.
func TestAgainstAnotherStack(t *testing.T) {
	t.Parallel()
	p := startPlant(t, "BULK=2500", "TICK=500")
	for name, test := range map[string]func(*testing.T, *plant){
		"browse": browses, "sample": samples, "history": readsHistory, "subscribe": follows, "poll": polls, "test": checksConnection, "renewal": followsThroughRenewals,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, p)
		})
	}
}

func checksConnection(t *testing.T, p *plant) {
	steps := dial(t, p.host(), nil).Test(t.Context())
	for _, s := range steps {
		require.True(t, s.OK, "%s: %s", s.Name, s.Detail)
	}
	require.Len(t, steps, 6)
	require.Contains(t, steps[3].Detail, "test plant")
	require.Contains(t, steps[5].Detail, "nsu=urn:test:plant;s=")
}

func browses(t *testing.T, p *plant) {
	c := dial(t, p.host(), nil)
	byName := func(parent string) map[string]connector.Node {
		nodes, err := c.Browse(t.Context(), parent)
		require.NoError(t, err)
		found := map[string]connector.Node{}
		for _, n := range nodes {
			key := n.Name
			if !n.Leaf {
				key += "/"
			}
			found[key] = n
		}
		return found
	}
	require.Equal(t, map[string]connector.Node{"Plant/": {Address: address("Plant"), Name: "Plant"}}, byName(""))
	pump := byName(address("Pump1"))
	require.Len(t, pump, 2, "properties are no children")
	flow := pump["Flow"]
	require.Equal(t, address("Pump1/Flow"), flow.Address)
	require.Equal(t, "m³/h", flow.Unit)
	require.Equal(t, "Double", flow.DataType)
	require.Equal(t, 0.0, *flow.Low)
	require.Equal(t, 500.0, *flow.High)
	require.Equal(t, "mm/s", pump["Vibration"].Unit)

	odd := byName(address("Odd"))
	require.True(t, odd["Nested"].Leaf)
	require.Equal(t, odd["Nested"].Address, odd["Nested/"].Address, "a variable with children is leaf and folder")
	require.Equal(t, "Double[]", odd["Array"].DataType)
	require.Contains(t, byName(address("Odd/Nested")), "Inner")

	require.Len(t, byName(address("Many")), 2500, "pages of a large folder")

	for _, wrong := range []string{"no/such/node", address("Missing"), "nsu=urn:missing;s=x", "ns=1;s="} {
		_, err := c.Browse(t.Context(), wrong)
		require.Equal(t, fault.NotFound, fault.CodeOf(err), wrong)
	}
}

func samples(t *testing.T, p *plant) {
	c := dial(t, p.host(), nil)
	names := []string{"NaN", "Long", "Switch", "Byte", "Single", "Failed", "Doubtful", "Old", "Text", "Array", "Missing"}
	tags := []string{"no address", "ns=1;s=Odd/Byte", address("Pump1/Flow")}
	for _, n := range names {
		tags = append(tags, address("Odd/"+n))
	}
	batch, err := c.Sample(t.Context(), tags)
	require.NoError(t, err)
	r := newRecord()
	r.add(batch)
	require.Equal(t, []string{"no address", address("Odd/Missing")}, r.notices[connector.NoticeUnknownTag])
	require.Equal(t, []string{address("Odd/Text"), address("Odd/Array")}, r.notices[connector.NoticeNotNumeric])
	one := func(tag string) connector.Reading {
		require.Len(t, r.readings[tag], 1, tag)
		for _, reading := range r.readings[tag] {
			require.Equal(t, time.UTC, reading.Time.Location())
			return reading
		}
		return connector.Reading{}
	}
	for name, want := range map[string]struct {
		value   float64
		quality asset.Quality
	}{"Long": {12345, 0}, "Switch": {1, 0}, "Byte": {7, 0}, "Single": {1.5, 0}, "Doubtful": {2, asset.Uncertain}, "Old": {3, 0}} {
		got := one(address("Odd/" + name))
		require.Equal(t, want.value, got.Value, name)
		require.Equal(t, want.quality, got.Quality, name)
	}
	require.Equal(t, 7.0, one("ns=1;s=Odd/Byte").Value)
	require.Equal(t, asset.Bad, one(address("Odd/NaN")).Quality)
	require.True(t, math.IsNaN(one(address("Odd/NaN")).Value))
	require.Equal(t, asset.Bad, one(address("Odd/Failed")).Quality)
	require.Equal(t, "m³/h", one(address("Pump1/Flow")).Unit)
	require.WithinDuration(t, time.Now().Add(-time.Hour), one(address("Odd/Old")).Time, 5*time.Minute)
}

func readsHistory(t *testing.T, p *plant) {
	c := dial(t, p.host(), nil)
	until := time.Now().Add(-time.Second).Truncate(time.Second)
	request := connector.PollRequest{
		Tags:  []string{address("Pump1/Flow"), address("Odd/Byte"), address("Missing"), address("Pump2/Flow"), address("Pump3/Vibration")},
		Since: until.Add(-2 * time.Minute), Until: until,
	}
	whole, err := c.Backfill(t.Context(), request)
	require.NoError(t, err)
	require.False(t, whole.More)
	require.Greater(t, len(whole.Readings), 3*50)
	all := newRecord()
	all.add(whole)
	require.Equal(t, []string{address("Odd/Byte")}, all.notices[connector.NoticeNoHistory])
	require.Equal(t, []string{address("Missing")}, all.notices[connector.NoticeUnknownTag])

	paged := newRecord()
	request.Limit = 7
	for pages := 0; ; pages++ {
		require.Less(t, pages, 1000)
		batch, err := c.Backfill(t.Context(), request)
		require.NoError(t, err)
		require.LessOrEqual(t, len(batch.Readings), 7+2, "the limit, and the rest of its instant")
		paged.add(batch)
		if !batch.More {
			break
		}
		require.True(t, batch.Watermark.After(request.Since))
		request.Since = batch.Watermark
	}
	require.Equal(t, all.readings, paged.readings)
}

func follows(t *testing.T, p *plant) {
	s := subscribe(t, dial(t, p.host(), map[string]any{"deadband": 0.1}), address("Pump1/Flow"), address("Odd/Text"), address("Missing"), "nonsense", address("Odd/Switch"), address("T2499"))
	s.await(t, 20*time.Second, "six values", func(r *record) bool { return len(r.readings[address("Pump1/Flow")]) >= 6 })
	s.await(t, 10*time.Second, "watermark", func(r *record) bool { return r.batches[len(r.batches)-1].Watermark.After(r.batches[0].Watermark) })
	s.stop(t)
	require.Empty(t, s.batches[0].Readings)
	require.WithinDuration(t, time.Now(), s.batches[0].Watermark, time.Minute)
	require.ElementsMatch(t, []string{address("Missing"), "nonsense"}, s.notices[connector.NoticeUnknownTag])
	require.Equal(t, []string{address("Odd/Text")}, s.notices[connector.NoticeNotNumeric])
	require.Len(t, s.readings[address("Odd/Switch")], 1, "the value at the start")
	require.NotEmpty(t, s.readings[address("T2499")])
	for i := 1; i < len(s.batches); i++ {
		require.False(t, s.batches[i].Watermark.Before(s.batches[i-1].Watermark), "the watermark never goes back")
	}
}

// followsThroughRenewals keeps a subscription while the token of its channel is
// renewed several times.
func followsThroughRenewals(t *testing.T, p *plant) {
	c := dial(t, p.host(), secured(t, p.host(), "Basic256Sha256", "SignAndEncrypt"))
	c.lifetime = 2 * time.Second
	s := subscribe(t, c, address("Pump1/Flow"))
	s.await(t, 20*time.Second, "values", func(r *record) bool { return len(r.readings[address("Pump1/Flow")]) > 0 })
	first := s.watermark()
	s.await(t, 20*time.Second, "seven seconds more", func(r *record) bool { return r.batches[len(r.batches)-1].Watermark.Sub(first) > 7*time.Second })
	s.stop(t)
}

func polls(t *testing.T, p *plant) {
	s := subscribe(t, dial(t, p.host(), map[string]any{"mode": ModePoll, "period_seconds": 0.2}), address("Pump1/Flow"), address("Odd/Switch"), address("Odd/Text"), address("Missing"))
	s.await(t, 20*time.Second, "five values", func(r *record) bool { return len(r.readings[address("Pump1/Flow")]) >= 5 })
	s.stop(t)
	require.Len(t, s.readings[address("Odd/Switch")], 1, "what does not change is passed on once")
	require.Equal(t, []string{address("Odd/Text")}, s.notices[connector.NoticeNotNumeric])
	require.Equal(t, []string{address("Missing")}, s.notices[connector.NoticeUnknownTag])
	require.True(t, s.watermark().After(s.batches[0].Watermark))
}
