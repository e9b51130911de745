package piwebapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/piwebapi/piwebapitest"
)

// BenchmarkRecorded reads windows of recorded values over HTTP. "canned"
// answers are written beforehand, so that the rate is that of the connector;
// "simulator" includes what the simulator computes.
func BenchmarkRecorded(b *testing.B) {
	const tags, events = 20, 2000
	var points []*piwebapitest.Point
	var paths []string
	for i := range tags {
		p := piwebapitest.Pump(fmt.Sprintf("P-%03d", i), noon, events*time.Second)[0]
		points, paths = append(points, p), append(paths, p.Path())
	}
	simulator := piwebapitest.New(points...)
	recorder := httptest.NewRecorder()
	ask := httptest.NewRequest(http.MethodGet, piwebapitest.Base+"/streams/"+points[0].FullWebID()+
		"/recorded?startTime=2026-03-01&endTime=2026-03-11&maxCount=100000&selectedFields=Items.Timestamp;Items.Value;Items.Good;Items.Questionable;Items.Substituted;Items.Errors", nil)
	ask.SetBasicAuth(piwebapitest.User, piwebapitest.Password)
	simulator.ServeHTTP(recorder, ask)
	content := strings.TrimSpace(recorder.Body.String())
	require.Greater(b, len(content), 100*events)
	var answer strings.Builder
	for i := range tags {
		fmt.Fprintf(&answer, `,"%d":{"Status":200,"Headers":{},"Content":%s}`, i, content)
	}
	canned := "{" + answer.String()[1:] + "}"
	for name, handler := range map[string]http.Handler{"simulator": simulator, "canned": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/batch") {
			_, _ = w.Write([]byte(canned))
			return
		}
		simulator.ServeHTTP(w, r)
	})} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(handler)
			defer server.Close()
			c := connect(b, server)
			values := 0
			for b.Loop() {
				batch, err := c.Poll(b.Context(), connector.PollRequest{Tags: paths, Since: noon.Add(-events * time.Second), Until: noon, Limit: tags * events})
				require.NoError(b, err)
				require.False(b, batch.More)
				values += len(batch.Readings)
			}
			b.ReportMetric(float64(values)/b.Elapsed().Seconds(), "values/s")
			b.ReportMetric(float64(len(canned))/float64(tags*events), "bytes/value")
		})
	}
}

// BenchmarkHundredThousandTags lists 100,000 points through the tree and reads
// one minute of all of them in batches of the standard size.
func BenchmarkHundredThousandTags(b *testing.B) {
	points := make([]*piwebapitest.Point, 100_000)
	for i := range points {
		points[i] = &piwebapitest.Point{Name: fmt.Sprintf("U%02d.P-%03d.S%02d", i/4000, i/40%100, i%40), Type: piwebapitest.Float32, Unit: "bar",
			Events: []piwebapitest.Event{{Time: noon.Add(-time.Duration(i%60) * time.Second), Value: float64(i)}}}
	}
	server := piwebapitest.New(points...).Start(b)
	var tags []string
	b.Run("browse", func(b *testing.B) {
		for b.Loop() {
			c := connect(b, server)
			tags = tags[:0]
			for open := []string{""}; len(open) > 0; open = open[1:] {
				nodes, err := c.Browse(b.Context(), open[0])
				require.NoError(b, err)
				for _, node := range nodes {
					if node.Leaf {
						tags = append(tags, node.Address)
					} else {
						open = append(open, node.Address)
					}
				}
			}
			require.Len(b, tags, len(points))
		}
	})
	b.Run("poll", func(b *testing.B) {
		for b.Loop() {
			c, read := connect(b, server), 0
			for request := (connector.PollRequest{Tags: tags, Since: noon.Add(-time.Minute), Until: noon}); ; {
				batch, err := c.Poll(b.Context(), request)
				require.NoError(b, err)
				read += len(batch.Readings)
				if request.Since = batch.Watermark; !batch.More {
					break
				}
			}
			require.Equal(b, len(points), read)
		}
		b.ReportMetric(float64(b.N*len(points))/b.Elapsed().Seconds(), "tags/s")
	})
}
