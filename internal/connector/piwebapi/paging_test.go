package piwebapi

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/piwebapi/piwebapitest"
)

// archive makes a point with random events: bursts of equal time stamps, time
// stamps within one microsecond, and long silences.
func archive(random *rand.Rand, name string) *piwebapitest.Point {
	p := &piwebapitest.Point{Name: name, Type: piwebapitest.Float64}
	at := noon.Add(-time.Hour)
	for range random.IntN(120) {
		switch random.IntN(5) {
		case 0: // the same stamp
		case 1:
			at = at.Add(tick * time.Duration(1+random.IntN(12)))
		case 2:
			at = at.Add(time.Second)
		default:
			at = at.Add(time.Duration(random.Int64N(int64(2 * time.Minute))).Truncate(tick))
		}
		p.Events = append(p.Events, piwebapitest.Event{Time: at, Value: float64(len(p.Events))})
	}
	return p
}

// expected is what a window of an archive holds: the first event of every
// microsecond.
func expected(points []*piwebapitest.Point, since, until time.Time) map[string]float64 {
	want := map[string]float64{}
	for _, p := range points {
		for _, e := range p.Events {
			at := e.Time.Truncate(time.Microsecond)
			key := p.Path() + " " + at.Format(time.RFC3339Nano)
			if _, taken := want[key]; !taken && at.After(since) && !at.After(until) {
				want[key] = e.Value.(float64)
			}
		}
	}
	return want
}

func TestPagingNeitherLosesNorDoubles(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 5))
			var points []*piwebapitest.Point
			var tags []string
			for i := range 1 + random.IntN(6) {
				p := archive(random, fmt.Sprintf("T%d", i))
				points, tags = append(points, p), append(tags, p.Path())
			}
			simulator := piwebapitest.New(points...)
			simulator.MaxReturned = 2 + random.IntN(50) // some lower than the page size of the settings
			c := connect(t, simulator.Start(t), func(config connector.Config) { config["page_size"] = float64(2 + random.IntN(40)) })
			request := connector.PollRequest{Tags: tags, Limit: 1 + random.IntN(90),
				Since: noon.Add(-time.Hour - time.Duration(random.IntN(3)-1)*time.Nanosecond), Until: noon.Add(time.Duration(random.IntN(60)-50) * time.Minute)}
			got := map[string]float64{}
			for _, r := range drain(t, c, request) {
				key := r.ExternalTag + " " + r.Time.Format(time.RFC3339Nano)
				require.NotContains(t, got, key, "delivered twice")
				got[key] = r.Value
			}
			require.Equal(t, expected(points, request.Since, request.Until), got)
		})
	}
}

func TestAnInstantLargerThanAPageIsPassed(t *testing.T) {
	t.Parallel()
	p := &piwebapitest.Point{Name: "BURST", Type: piwebapitest.Float64}
	for i := range 500 {
		p.Events = append(p.Events, piwebapitest.Event{Time: noon, Value: float64(i)})
	}
	p.Events = append(p.Events, piwebapitest.Event{Time: noon.Add(time.Second), Value: 500.0})
	c := connect(t, piwebapitest.New(p).Start(t), func(config connector.Config) { config["page_size"] = 10.0 })
	got := drain(t, c, connector.PollRequest{Tags: []string{p.Path()}, Since: noon.Add(-time.Second), Until: noon.Add(time.Minute)})
	require.Len(t, got, 2)
	require.Equal(t, 0.0, got[0].Value, "the first of the instant")
}

func TestBatchesKeepTheirLimitAndFewCalls(t *testing.T) {
	t.Parallel()
	points := piwebapitest.Pump("P-101", noon, 2*time.Hour)
	simulator := piwebapitest.New(points...)
	c := connect(t, simulator.Start(t))
	request := connector.PollRequest{Tags: []string{points[0].Path(), points[1].Path(), points[2].Path()}, Since: noon.Add(-2 * time.Hour), Until: noon, Limit: 1000}
	batch, err := c.Poll(t.Context(), request)
	require.NoError(t, err)
	require.True(t, batch.More)
	require.LessOrEqual(t, len(batch.Readings), 1000+len(request.Tags))
	require.GreaterOrEqual(t, len(batch.Readings), 500)
	all := drain(t, c, request)
	require.Greater(t, len(all), 7200+1440+240-10)
	require.Less(t, simulator.Calls("batch"), 2*(len(all)/500+2), "a fast tag beside slow ones does not cost a call for each of its pages")
}

func TestManyTagsInSmallBatchesAreReadOnce(t *testing.T) {
	t.Parallel()
	var points []*piwebapitest.Point
	var tags []string
	for i := range 400 {
		p := &piwebapitest.Point{Name: fmt.Sprintf("T%d", i), Type: piwebapitest.Float64}
		for second := range 3 + i%5 {
			p.Events = append(p.Events, piwebapitest.Event{Time: noon.Add(time.Duration(second)*time.Second + time.Duration(i)*time.Millisecond), Value: float64(second)})
		}
		points, tags = append(points, p), append(tags, p.Path())
	}
	simulator := piwebapitest.New(points...)
	server := simulator.Start(t)
	request := connector.PollRequest{Tags: tags, Since: noon.Add(-time.Second), Until: noon.Add(time.Minute), Limit: 50}
	all := drain(t, connect(t, server), request)
	require.Len(t, all, 400*5)
	require.Less(t, simulator.Calls("batch"), 40, "40 batches of 50 readings, but not 40 readings of 400 tags")
	require.Equal(t, 2, simulator.Calls("points/multiple"))

	again := connect(t, server)
	first, err := again.Poll(t.Context(), request)
	require.NoError(t, err)
	repeated, err := again.Poll(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, first, repeated, "a repeated request does not go on")
}

func TestEventsThatReachTheArchiveLateAreReadByTheNextPoll(t *testing.T) {
	t.Parallel()
	p := &piwebapitest.Point{Name: "LATE", Type: piwebapitest.Float64}
	simulator := piwebapitest.New(p)
	c := connect(t, simulator.Start(t))
	clock := time.Now().UTC()
	c.now = func() time.Time { return clock }
	request := connector.PollRequest{Tags: []string{p.Path()}, Since: clock.Add(-time.Minute), Until: clock}
	simulator.Archive("LATE", piwebapitest.Event{Time: clock.Add(-40 * time.Second), Value: 1.0})
	batch, err := c.Poll(t.Context(), request)
	require.NoError(t, err)
	require.Len(t, batch.Readings, 1)
	require.False(t, batch.More)
	require.Equal(t, clock.Add(-defaultSettle*time.Second), batch.Watermark)

	simulator.Archive("LATE", piwebapitest.Event{Time: clock.Add(-20 * time.Second), Value: 2.0})
	clock = clock.Add(10 * time.Second)
	batch, err = c.Poll(t.Context(), connector.PollRequest{Tags: request.Tags, Since: batch.Watermark, Until: clock})
	require.NoError(t, err)
	require.Equal(t, 2.0, batch.Readings[0].Value)

	batch, err = c.Poll(t.Context(), connector.PollRequest{Tags: request.Tags, Since: clock.Add(-time.Second), Until: clock})
	require.NoError(t, err)
	require.Equal(t, clock.Add(-time.Second), batch.Watermark, "a watermark never goes back")
	filled, err := c.Backfill(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, request.Until, filled.Watermark)
	require.Len(t, filled.Readings, 2)
}

func TestAWindowThatGrowsWhileItIsRead(t *testing.T) {
	t.Parallel()
	points := piwebapitest.Pump("P-101", noon, time.Hour)
	simulator := piwebapitest.New(points...)
	c := connect(t, simulator.Start(t))
	request := connector.PollRequest{Tags: []string{points[0].Path(), points[1].Path(), points[2].Path()}, Since: noon.Add(-time.Hour), Until: noon.Add(-10 * time.Minute), Limit: 300}
	whole := request
	whole.Until = noon
	want := drain(t, connect(t, simulator.Start(t)), whole)
	var got []connector.Reading
	for more := true; more; {
		batch, err := c.Poll(t.Context(), request)
		require.NoError(t, err)
		got = append(got, batch.Readings...)
		request.Since, more = batch.Watermark, batch.More || request.Until.Before(noon)
		if request.Until = request.Until.Add(37 * time.Second); request.Until.After(noon) {
			request.Until = noon
		}
	}
	require.Len(t, got, len(want))
}

func TestALimitOfTheServiceIsLearnt(t *testing.T) {
	t.Parallel()
	points := piwebapitest.Pump("P-101", noon, time.Hour)
	simulator := piwebapitest.New(points...)
	simulator.MaxReturned = 100
	c := connect(t, simulator.Start(t))
	all := drain(t, c, connector.PollRequest{Tags: []string{points[0].Path()}, Since: noon.Add(-time.Hour), Until: noon})
	require.InDelta(t, 3600, len(all), 2)
	require.Equal(t, 100, c.most)
}

func TestThrottledCallsAreRepeated(t *testing.T) {
	t.Parallel()
	points := piwebapitest.Pump("P-101", noon, time.Minute)
	simulator := piwebapitest.New(points...)
	c := connect(t, simulator.Start(t))
	simulator.RetryAfter = 0
	simulator.Throttle(1)
	all := drain(t, c, connector.PollRequest{Tags: []string{points[0].Path()}, Since: noon.Add(-time.Minute), Until: noon})
	require.Len(t, all, 59)
	simulator.Throttle(2)
	_, err := c.Poll(t.Context(), connector.PollRequest{Tags: []string{points[0].Path()}, Since: noon.Add(-time.Minute), Until: noon})
	require.Equal(t, connector.KeyThrottled, connector.MessageKey(err))
	require.False(t, connector.NeedsPerson(err))
}

func TestSpanHoldsTheWholeMicroseconds(t *testing.T) {
	t.Parallel()
	start, end := span(noon.Add(1500*time.Nanosecond), noon.Add(2999*time.Nanosecond))
	require.Equal(t, "2026-03-10T12:00:00.0000020Z", start)
	require.Equal(t, "2026-03-10T12:00:00.0000029Z", end)
}
