package mqtt

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/testkit"
)

// BenchmarkFlood lets an edge node of another project send 3,000 messages of 20
// metrics through a real broker: run it with -bench Flood -benchtime 1x. The
// edge and the broker share the machine.
func BenchmarkFlood(b *testing.B) {
	broker := startBroker(b)
	testkit.Node(b, "sparkplug.cjs", "PORT="+strconv.Itoa(broker.port))
	s := newSink()
	stop := follow(b, connect(b, broker.port, nil), s, vibration, temp)
	eventually(b, s.up, "up")
	command(b, broker.port, "GW1", `{"data": [[100, "Float", 1]]}`)
	eventually(b, func() bool { return s.count(vibration) > 0 }, "born")
	for b.Loop() {
		before, began := s.count(vibration)+s.count(temp), time.Now()
		command(b, broker.port, "GW1", `{"flood": 3000, "metrics": 20}`)
		eventually(b, func() bool { return s.count(vibration)+s.count(temp) >= before+60_000 }, "60,000 values")
		b.ReportMetric(60_000/time.Since(began).Seconds(), "values/s")
	}
	require.NoError(b, stop())
	require.Zero(b, s.noted(noticeGap))
}

// BenchmarkRead decodes and delivers messages of 20 metrics without a network.
func BenchmarkRead(b *testing.B) {
	h := sparkplug{}.newReader(nil)
	metrics := make([]*wireFor, 20)
	for i := range metrics {
		metrics[i] = named("M"+strconv.Itoa(i), uint64(i), typeDouble).double(13, 1)
	}
	readAll(h, at("spBv1.0/G/NBIRTH/N", sent(0)), at("spBv1.0/G/DBIRTH/N/D", sent(1, metrics...)))
	for i := range metrics {
		metrics[i] = value(uint64(i), float64(i))
	}
	n := uint64(2)
	for b.Loop() {
		out := h.read(at("spBv1.0/G/DDATA/N/D", sent(n%256, metrics...)))
		require.Len(b, out.readings, 20)
		n++
	}
	b.ReportMetric(20*float64(b.N)/b.Elapsed().Seconds(), "values/s")
}
