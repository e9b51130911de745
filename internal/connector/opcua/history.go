package opcua

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/connector"
)

// Bounds of one call to the archive: values of one node, and of all together,
// so that the answer stays well within a message.
const (
	valuesPerNode = 5000
	valuesPerCall = 20_000
)

// mostIdle is the number of pages in a row that may bring nothing new while the
// server promises more.
const mostIdle = 20

// tick is the resolution of times kept.
const tick = time.Microsecond

// Backfill reads the raw values of the archive. The instant at which a value
// reached the archive is not known, so AsOf has no effect, and neither has
// Period: every value is returned. Tags without an archive, and those whose
// archive could not be read, are named and do not hold up the others.
func (c *OPCUAConnector) Backfill(ctx context.Context, request connector.PollRequest) (connector.Batch, error) {
	since, until, err := request.Window()
	if err != nil {
		return connector.Batch{}, err
	}
	var batch connector.Batch
	err = c.with(ctx, func(s *session) error {
		var err error
		batch, err = s.backfill(ctx, request, since, until)
		return err
	})
	return batch, err
}

// archive is the part of one tag's archive that was read: readings in
// ascending time, and whether more follow after the last of them.
type archive struct {
	tag      string
	node     *ua.NodeID
	from     time.Time // where to go on without a continuation point
	point    []byte    // continuation point of the server
	readings []connector.Reading
	more     bool
	idle     int // pages in a row that brought nothing new
}

// reached is the time up to which everything is read.
func (a *archive) reached() time.Time { return a.from.Add(-tick) }

// backfill reads every tag a little, then those that are furthest behind,
// until the readings up to the time that all have reached fill the batch.
func (s *session) backfill(ctx context.Context, request connector.PollRequest, since, until time.Time) (connector.Batch, error) {
	found := newNotices()
	h := &historyRead{s: s, since: since, until: until, found: found, limit: request.BatchLimit()}
	known, nodes := s.resolveAll(request.Tags, found)
	for i, tag := range known {
		h.archives = append(h.archives, &archive{tag: tag, node: nodes[i], from: since.Add(tick), more: true})
	}
	h.each = uint32(max(2, min(valuesPerNode, h.limit/max(1, len(known))+1)))
	defer h.release()
	behind := h.archives
	for len(behind) > 0 {
		if err := h.advance(ctx, behind); err != nil {
			return connector.Batch{}, word(ctx, fmt.Errorf("read history: %w", err))
		}
		if behind = h.behind(); h.count() > h.limit {
			break
		}
	}
	return h.batch(), nil
}

// historyRead is the state of one batch.
type historyRead struct {
	s            *session
	since, until time.Time
	limit        int
	each         uint32 // values of one node in one call
	archives     []*archive
	found        *notices
}

// frontier is the time up to which every archive is read.
func (h *historyRead) frontier() time.Time {
	frontier := h.until
	for _, a := range h.archives {
		if a.more && a.reached().Before(frontier) {
			frontier = a.reached()
		}
	}
	return frontier
}

func (h *historyRead) count() int {
	frontier, n := h.frontier(), 0
	for _, a := range h.archives {
		n += upTo(a.readings, frontier)
	}
	return n
}

// upTo is the number of readings that are not after t.
func upTo(readings []connector.Reading, t time.Time) int {
	return sort.Search(len(readings), func(i int) bool { return readings[i].Time.After(t) })
}

// behind returns the archives that have more, the one that is furthest behind
// first, no more than one call takes.
func (h *historyRead) behind() []*archive {
	var open []*archive
	for _, a := range h.archives {
		if a.more {
			open = append(open, a)
		}
	}
	slices.SortStableFunc(open, func(a, b *archive) int { return a.from.Compare(b.from) })
	return open[:min(len(open), h.width())]
}

// width is the number of nodes of one call.
func (h *historyRead) width() int {
	return max(1, min(h.s.limits.history, valuesPerCall/int(h.each)))
}

// advance reads one more page of each archive given.
func (h *historyRead) advance(ctx context.Context, archives []*archive) error {
	for len(archives) > 0 {
		now, later := h.together(archives)
		short, err := h.read(ctx, now)
		switch {
		case tooMuch(err) && len(now) > 1:
			h.s.limits.history = len(now) / 2
			continue
		case isStatus(err, ua.StatusBadHistoryOperationUnsupported, ua.StatusBadServiceUnsupported, ua.StatusBadNotImplemented):
			for _, a := range archives {
				h.give(a, connector.NoticeNoHistory)
			}
			return nil
		case err != nil:
			return err
		case len(short) == len(now):
			// Points that were given before hold the server up.
			if !h.release() {
				for _, a := range short {
					h.give(a, connector.NoticeRefusedTag)
				}
				short = nil
			}
		case len(short) > 0:
			h.s.limits.history = len(now) - len(short)
			h.release()
		}
		archives = append(short, later...)
	}
	return nil
}

// together picks archives for one call: those with a continuation point, and
// those that go on from the same time.
func (h *historyRead) together(archives []*archive) (now, later []*archive) {
	var from time.Time
	for _, a := range archives {
		switch {
		case len(now) == h.width():
			later = append(later, a)
		case len(a.point) > 0:
			now = append(now, a)
		case from.IsZero() || a.from.Equal(from):
			from, now = a.from, append(now, a)
		default:
			later = append(later, a)
		}
	}
	return now, later
}

// give ends the reading of an archive under a notice.
func (h *historyRead) give(a *archive, notice string) {
	a.more, a.point = false, nil
	h.found.add(notice, a.tag)
}

// read makes one call and returns the archives for which the server had no
// continuation point left.
func (h *historyRead) read(ctx context.Context, archives []*archive) (short []*archive, err error) {
	from := h.since.Add(tick)
	for _, a := range archives {
		if len(a.point) == 0 {
			from = a.from
		}
	}
	answer, err := call[*ua.HistoryReadResponse](ctx, h.s.channel, h.request(archives, from, false))
	if err != nil {
		return nil, err
	}
	if err := counted(len(answer.Results), len(archives)); err != nil {
		return nil, err
	}
	for i, r := range answer.Results {
		a := archives[i]
		if r.StatusCode == ua.StatusBadNoContinuationPoints {
			short = append(short, a)
			continue
		}
		h.take(a, r)
	}
	return short, nil
}

func (h *historyRead) request(archives []*archive, from time.Time, release bool) *ua.HistoryReadRequest {
	request := &ua.HistoryReadRequest{
		TimestampsToReturn: ua.TimestampsToReturnBoth, ReleaseContinuationPoints: release,
		HistoryReadDetails: &ua.ExtensionObject{
			TypeID: ua.NewFourByteExpandedNodeID(0, id.ReadRawModifiedDetails_Encoding_DefaultBinary), EncodingMask: ua.ExtensionObjectBinary,
			Value: &ua.ReadRawModifiedDetails{StartTime: from.UTC(), EndTime: h.until.Add(tick).UTC(), NumValuesPerNode: h.each},
		},
	}
	for _, a := range archives {
		request.NodesToRead = append(request.NodesToRead, &ua.HistoryReadValueID{NodeID: a.node, DataEncoding: &ua.QualifiedName{}, ContinuationPoint: a.point})
	}
	return request
}

// take adds one result to an archive.
func (h *historyRead) take(a *archive, r *ua.HistoryReadResult) {
	switch {
	case r.StatusCode == ua.StatusBadContinuationPointInvalid && a.point != nil:
		a.point = nil // the server dropped it: go on by time
		return
	case unknownNode(r.StatusCode):
		h.give(a, connector.NoticeUnknownTag)
		return
	case noHistory(r.StatusCode):
		h.give(a, connector.NoticeNoHistory)
		return
	case bad(r.StatusCode) && r.StatusCode != ua.StatusBadNoData:
		h.give(a, connector.NoticeRefusedTag)
		return
	}
	before := a.from
	if r.HistoryData != nil {
		if data, ok := r.HistoryData.Value.(*ua.HistoryData); ok {
			h.append(a, data.DataValues)
		}
	}
	a.point = r.ContinuationPoint
	a.more = len(a.point) > 0 && !a.from.After(h.until)
	if a.idle++; a.from.After(before) {
		a.idle = 0
	}
	if a.idle > mostIdle {
		h.found.add(connector.NoticeRefusedTag, a.tag)
		a.more = false
	}
	if !a.more && len(a.point) > 0 {
		h.drop(a)
	}
}

// append keeps values of the window, each instant once.
func (h *historyRead) append(a *archive, values []*ua.DataValue) {
	slices.SortStableFunc(values, func(x, y *ua.DataValue) int { return cmp.Compare(stamp(x), stamp(y)) })
	for _, v := range values {
		if v == nil || stamp(v) == 0 {
			continue
		}
		at := timeOf(v, time.Time{})
		if at.Before(a.from) {
			continue
		}
		a.from = at.Add(tick)
		if at.After(h.until) {
			continue
		}
		if r, ok := take(a.tag, v, at, h.found); ok {
			a.readings = append(a.readings, r)
		}
	}
}

// stamp orders values by time; zero is a value that says none.
func stamp(v *ua.DataValue) int64 {
	if v == nil || !plausible(v.SourceTimestamp) && !plausible(v.ServerTimestamp) {
		return 0
	}
	return timeOf(v, time.Time{}).UnixNano()
}

// release gives the continuation points back that are still open, and reports
// whether there were any. Reading goes on by time.
func (h *historyRead) release() bool {
	var open []*archive
	for _, a := range h.archives {
		if len(a.point) > 0 {
			open = append(open, a)
		}
	}
	for chunk := range slices.Chunk(open, max(1, h.s.limits.history)) {
		h.drop(chunk...)
	}
	return len(open) > 0
}

// drop releases the points of archives. When that fails they end with the
// session.
func (h *historyRead) drop(archives ...*archive) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = call[*ua.HistoryReadResponse](ctx, h.s.channel, h.request(archives, h.since, true))
	for _, a := range archives {
		a.point = nil
	}
}

// batch returns what all archives have reached, by time, cut after the
// instant that fills it.
func (h *historyRead) batch() connector.Batch {
	frontier := h.frontier()
	b := connector.Batch{Watermark: frontier, More: frontier.Before(h.until)}
	for _, a := range h.archives {
		b.Readings = append(b.Readings, a.readings[:upTo(a.readings, frontier)]...)
	}
	slices.SortStableFunc(b.Readings, func(x, y connector.Reading) int { return x.Time.Compare(y.Time) })
	if len(b.Readings) > h.limit {
		last := b.Readings[h.limit-1].Time
		if n := upTo(b.Readings, last); n < len(b.Readings) || b.More {
			b.Watermark, b.More = last, true
			b.Readings = b.Readings[:n]
		}
	}
	b.Notices = h.found.take(h.until)
	return b
}

// noHistory reports the ways in which servers say that they keep no archive.
func noHistory(status ua.StatusCode) bool {
	switch status {
	case ua.StatusBadHistoryOperationUnsupported, ua.StatusBadHistoryOperationInvalid, ua.StatusBadNotReadable, ua.StatusBadNotSupported,
		ua.StatusBadServiceUnsupported, ua.StatusBadNotImplemented, ua.StatusBadAttributeIDInvalid:
		return true
	}
	return false
}
