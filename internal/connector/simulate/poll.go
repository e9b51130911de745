package simulate

import (
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

// defaultPeriod is the time between samples of a live point, seconds.
const defaultPeriod = 60

// Browse lists folders first, then tags, each in alphabetical order.
func (s *SimulatedConnector) Browse(ctx context.Context, parent string) ([]connector.Node, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.reach(s.now()); err != nil {
		return nil, err
	}
	folders := map[string]bool{}
	var nodes []connector.Node
	for _, point := range s.settings.Points {
		if point.Path == parent {
			unit := s.reading(point, s.now().Unix()).Unit
			nodes = append(nodes, connector.Node{Address: point.Tag, Name: point.Name, Leaf: true, Unit: unit})
			continue
		}
		rest, below := strings.CutPrefix(point.Path, parent)
		if parent != "" {
			rest, below = strings.CutPrefix(point.Path, parent+"/")
		}
		name, _, _ := strings.Cut(rest, "/")
		if below && !folders[name] {
			folders[name] = true
			nodes = append(nodes, connector.Node{Address: strings.TrimPrefix(parent+"/"+name, "/"), Name: name})
		}
	}
	if len(nodes) == 0 {
		return nil, connector.UnknownNode(parent)
	}
	sort.Slice(nodes, func(i, j int) bool {
		if nodes[i].Leaf != nodes[j].Leaf {
			return nodes[j].Leaf
		}
		return nodes[i].Address < nodes[j].Address
	})
	return nodes, nil
}

// Poll returns what arrived in the window. Late feeds and healed subscriptions
// arrive after their own time, so a batch may hold readings from before Since.
func (s *SimulatedConnector) Poll(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	since, until, err := request.Window()
	if err != nil {
		return connector.Batch{}, err
	}
	if err := s.reach(until); err != nil {
		return connector.Batch{}, err
	}
	return s.collect(ctx, request, since, s.cursors(request, since, until, false))
}

// Backfill returns the readings of the window from the archive, thinned to the
// history period unless the request names another. A silent subscription does
// not touch the archive; a late feed does.
func (s *SimulatedConnector) Backfill(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	since, until, err := request.Window()
	if err != nil {
		return connector.Batch{}, err
	}
	if request.AsOf.IsZero() {
		request.AsOf = until
	}
	if err := s.reach(request.AsOf); err != nil {
		return connector.Batch{}, err
	}
	if request.Period == 0 {
		request.Period = time.Duration(s.settings.HistoryPeriodSeconds) * time.Second
	}
	return s.collect(ctx, request, since, s.cursors(request, since, until, true))
}

// cursor walks the samples of one point in the order in which they arrive.
type cursor struct {
	point  Point
	step   int64
	sample int64 // next sample, its own time
	last   int64 // last sample that may be returned
	until  int64 // last arrival that may be returned
	late   lateness
}

// lateness turns the time of a sample into its time of arrival.
type lateness struct {
	lag    int64
	silent *Fault
}

func (l lateness) arrival(sample int64) int64 {
	if l.silent != nil {
		if _, end, inside := l.silent.window(sample); inside {
			return end
		}
	}
	return sample + l.lag
}

// first returns the earliest second whose sample arrives after since. Samples
// arrive in their order, so everything later arrives after since too.
func (l lateness) first(since int64) int64 {
	if l.silent != nil {
		if start, _, inside := l.silent.window(since); inside {
			return start
		}
	}
	return since - l.lag + 1
}

func (c *cursor) arrival() int64 { return c.late.arrival(c.sample) }

func (c *cursor) done() bool { return c.sample > c.last || c.arrival() > c.until }

func (s *SimulatedConnector) cursors(request connector.PollRequest, since, until time.Time, archive bool) []*cursor {
	var cursors []*cursor
	for _, tag := range slices.Compact(slices.Sorted(slices.Values(request.Tags))) {
		point, known := s.points[tag]
		if !known {
			continue
		}
		late := s.lateness(tag)
		c := &cursor{point: point, step: sampleStep(point, request.Period), last: until.Unix(), until: until.Unix(), late: late}
		first := late.first(since.Unix())
		if archive {
			c.last = min(until.Unix(), request.AsOf.Unix()-late.lag)
			c.late = lateness{}
			first = since.Unix() + 1
		}
		c.sample = -floorDiv(-first, c.step) * c.step
		cursors = append(cursors, c)
	}
	return cursors
}

func (s *SimulatedConnector) lateness(tag string) lateness {
	f := s.settings.Fault
	if f == nil || !slices.Contains(f.Tags, tag) {
		return lateness{}
	}
	switch f.Kind {
	case FaultLateFeed:
		return lateness{lag: f.LagSeconds}
	case FaultDeadSubscription:
		return lateness{silent: f}
	default:
		return lateness{}
	}
}

// sampleStep is the time between the samples returned: a multiple of the
// point's own period, at least the period asked for.
func sampleStep(point Point, asked time.Duration) int64 {
	own := point.PeriodSeconds
	if own == 0 {
		own = defaultPeriod
	}
	wanted := int64(asked / time.Second)
	if wanted <= own {
		return own
	}
	return -floorDiv(-wanted, own) * own
}

// collect merges the cursors by time of arrival, whole instants at a time, so
// that the watermark never stands in the middle of an instant.
func (s *SimulatedConnector) collect(ctx context.Context, request connector.PollRequest, since time.Time, cursors []*cursor) (connector.Batch, error) {
	batch := connector.Batch{Watermark: request.Until}
	limit := request.BatchLimit()
	for {
		if err := ctx.Err(); err != nil {
			return connector.Batch{}, err
		}
		instant, found := nextArrival(cursors)
		if !found {
			break
		}
		if len(batch.Readings) >= limit {
			batch.More = true
			break
		}
		for _, c := range cursors {
			for !c.done() && c.arrival() == instant {
				batch.Readings = append(batch.Readings, s.reading(c.point, c.sample))
				c.sample += c.step
			}
		}
		batch.Watermark = time.Unix(instant, 0).UTC()
	}
	if !batch.More {
		batch.Watermark = request.Until
	}
	batch.Notices = s.notices(request.Tags, since, batch.Watermark, cursors)
	return batch, nil
}

func nextArrival(cursors []*cursor) (instant int64, found bool) {
	for _, c := range cursors {
		if c.done() {
			continue
		}
		if at := c.arrival(); !found || at < instant {
			instant, found = at, true
		}
	}
	return instant, found
}

// reading computes one sample with the quality and unit that the source shows.
func (s *SimulatedConnector) reading(point Point, second int64) connector.Reading {
	reading := connector.Reading{
		ExternalTag: point.Tag,
		Time:        time.Unix(second, 0).UTC(),
		Value:       s.generators[point.Tag].AtUnix(second),
		Quality:     asset.Good,
		Unit:        point.Unit,
	}
	if f := s.settings.Fault; f != nil && f.misreports(point.Tag, second) {
		reading.Value *= f.Factor
		reading.Unit = f.Unit
	}
	return reading
}

func (f *Fault) misreports(tag string, second int64) bool {
	return f.Kind == FaultWrongUnit && second >= f.StartUnix && slices.Contains(f.Tags, tag)
}

// notices names unknown tags, and the healing of a subscription that falls
// into the window and concerns the cursors.
func (s *SimulatedConnector) notices(tags []string, since, watermark time.Time, cursors []*cursor) []connector.Notice {
	var notices []connector.Notice
	var unknown, healed []string
	for _, tag := range tags {
		if _, known := s.points[tag]; !known {
			unknown = append(unknown, tag)
		}
	}
	if len(unknown) > 0 {
		notices = append(notices, connector.Notice{Time: watermark, Key: connector.NoticeUnknownTag, Tags: unknown})
	}
	for _, c := range cursors {
		if c.late.silent != nil {
			healed = append(healed, c.point.Tag)
		}
	}
	if len(healed) == 0 {
		return notices
	}
	// The window that holds the first second of the request, or the next one,
	// is the first that can heal within it.
	for at := since.Unix(); ; {
		_, end, _ := s.settings.Fault.window(at)
		if end <= at || end > watermark.Unix() {
			return notices
		}
		notices = append(notices, connector.Notice{Time: time.Unix(end, 0).UTC(), Key: connector.NoticeResubscribed, Tags: healed})
		at = end
	}
}
