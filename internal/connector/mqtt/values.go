package mqtt

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

// death makes the last values of a node or device bad. The certificate of an
// earlier session of the node is ignored. What waits was sent before the death,
// and the aliases of the next session may be others.
func (h *host) death(n *node, at place, p payload, m message) outcome {
	var out outcome
	switch {
	case at.kind == "DDEATH":
		if n.born && !n.inOrder(p, m) {
			out.commands = n.ask(m.at)
		}
	case n.born && differs(n.session, sessionOf(p)):
		return out
	default:
		n.born = false
		if len(n.waiting) > 0 {
			out.spoil(h, n, m.at)
		}
	}
	for _, address := range slices.Sorted(maps.Keys(n.names)) {
		dead := n.names[address]
		if at.device != "" && dead.device != at.device || !dead.numeric {
			continue
		}
		dead.last = connector.Reading{ExternalTag: address, Value: math.NaN(), Quality: asset.Bad, Unit: dead.unit, Time: diedAt(at, p, m, dead.last.Time)}
		if h.wanted == nil || h.wanted[address] {
			out.readings = append(out.readings, dead.last)
		}
	}
	return out
}

// diedAt is when the value ended: the time of the certificate of a device, the
// arrival of that of a node, whose own time is that of its connection. It is
// behind the last value.
func diedAt(at place, p payload, m message, last time.Time) time.Time {
	died := m.at
	if at.kind == "DDEATH" && p.timestamp != 0 {
		died = moment(p.timestamp, m.at)
	}
	if !died.After(last) {
		died = last.Add(time.Microsecond)
	}
	return died.UTC().Truncate(time.Microsecond)
}

// sessionOf returns the number that ties a death to a birth, if it is there.
func sessionOf(p payload) *uint64 {
	for i := len(p.metrics) - 1; i >= 0; i-- {
		if p.metrics[i].name == "bdSeq" && p.metrics[i].kind == 'i' {
			return &p.metrics[i].integer
		}
	}
	return nil
}

func differs(a, b *uint64) bool { return a != nil && b != nil && *a != *b }

// deliver keeps a value as the last one and hands it on when it is wanted.
func (h *host) deliver(out *outcome, known *metric, sent wireMetric, p payload, m message) {
	dataType := known.dataType
	if dataType == 0 {
		dataType = sent.dataType
	}
	value, numeric := sent.value(dataType)
	wanted := h.wanted == nil || h.wanted[known.address]
	if !numeric {
		if wanted && h.wanted != nil {
			out.notices = append(out.notices, connector.Notice{Time: m.at, Key: connector.NoticeNotNumeric, Tags: []string{known.address}})
		}
		return
	}
	r := connector.Reading{ExternalTag: known.address, Value: value, Unit: known.unit, Quality: quality(sent.props), Time: when(sent, p, m)}
	if math.IsNaN(value) {
		r.Quality = asset.Bad
	}
	if !r.Time.Before(known.last.Time) { // a historical value comes late and is not the last
		known.last = r
	}
	if wanted {
		out.readings = append(out.readings, r)
	}
}

// when is the time of a value: its own, that of its message, or the arrival.
func when(sent wireMetric, p payload, m message) time.Time {
	at := sent.timestamp
	if at == 0 {
		at = p.timestamp
	}
	return moment(at, m.at)
}

// latest bounds times, in milliseconds: the year 9999.
const latest = 253402300799000

func moment(ms uint64, arrival time.Time) time.Time {
	if ms == 0 || ms > latest {
		return arrival.UTC().Truncate(time.Microsecond)
	}
	return time.UnixMilli(int64(ms)).UTC()
}

// quality reads the property Quality: 192 good, 500 stale, 0 bad.
func quality(props map[string]any) asset.Quality {
	code, ok := props["Quality"].(uint64)
	switch {
	case !ok, code == 192:
		return asset.Good
	case code == 500, code >= 64 && code < 192:
		return asset.Uncertain
	case code > 192 && code < 256:
		return asset.Good
	}
	return asset.Bad
}

func property(props map[string]any, names ...string) string {
	for _, name := range names {
		if text, ok := props[name].(string); ok {
			return string([]rune(text)[:min(60, len([]rune(text)))])
		}
	}
	return ""
}

func bound(props map[string]any, names ...string) *float64 {
	for _, name := range names {
		switch v := props[name].(type) {
		case float64:
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				return &v
			}
		case uint64:
			n := float64(int64(v))
			return &n
		}
	}
	return nil
}
