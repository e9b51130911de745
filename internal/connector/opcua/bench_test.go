package opcua

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
)

// benchTags names the variable with the number of tags of the benchmarks.
const benchTags = "OPTRIA_BENCH_TAGS"

func bulkPlant(b *testing.B, tick int) (*plant, []string) {
	n := 1000
	if text := os.Getenv(benchTags); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	p := startPlant(b, fmt.Sprintf("BULK=%d", n), fmt.Sprintf("TICK=%d", tick), "HISTORY=20000", "PUMPS=5")
	tags := make([]string, n)
	for i := range tags {
		tags[i] = address(fmt.Sprintf("T%d", i))
	}
	return p, tags
}

// BenchmarkPoll reads all tags in chunks, one request at a time.
func BenchmarkPoll(b *testing.B) {
	p, tags := bulkPlant(b, 1000)
	for name, change := range map[string]map[string]any{"none": nil, "signed and encrypted": secured(b, p.host(), "Basic256Sha256", "SignAndEncrypt")} {
		for _, chunk := range []int{100, 500, 1000} {
			b.Run(fmt.Sprintf("%s/%d", name, chunk), func(b *testing.B) {
				c := dial(b, p.host(), change)
				require.NoError(b, c.with(b.Context(), func(s *session) error {
					s.limits.read = chunk
					f := newFollower(c, s, tags, func(context.Context, connector.Batch) error { return nil })
					f.delivered = time.Now().Add(time.Hour)
					for b.Loop() {
						if _, err := f.round(b.Context()); err != nil {
							return err
						}
					}
					return nil
				}))
				b.ReportMetric(float64(len(tags)*b.N)/b.Elapsed().Seconds(), "tags/s")
			})
		}
	}
}

// BenchmarkSubscribe follows all tags, each changing ten times a second, for
// ten seconds, and reports rate and age of the readings.
func BenchmarkSubscribe(b *testing.B) {
	tick := 100
	if os.Getenv(benchTags) != "" {
		tick = 2000
	}
	p, tags := bulkPlant(b, tick)
	for b.Loop() {
		started := time.Now()
		ctx, cancel := context.WithCancel(b.Context())
		var up, first time.Time
		var worst, sum time.Duration
		count := 0
		err := dial(b, p.host(), nil).Subscribe(ctx, connector.SubscribeRequest{Tags: tags}, func(_ context.Context, batch connector.Batch) error {
			now := time.Now()
			if up.IsZero() {
				up = now
			}
			if now.Sub(up) < 5*time.Second {
				return nil // the values at the start
			}
			if first.IsZero() {
				first = now
			}
			for _, r := range batch.Readings {
				age := now.Sub(r.Time)
				sum, worst = sum+age, max(worst, age)
			}
			if count += len(batch.Readings); now.Sub(first) > 10*time.Second {
				b.ReportMetric(float64(count)/now.Sub(first).Seconds(), "readings/s")
				cancel()
			}
			return nil
		})
		require.NoError(b, err)
		b.ReportMetric(up.Sub(started).Seconds(), "s-to-subscribe")
		b.ReportMetric(sum.Seconds()*1000/float64(max(1, count)), "ms-mean-age")
		b.ReportMetric(worst.Seconds()*1000, "ms-worst-age")
		cancel()
	}
}

// BenchmarkHistory reads the archive of ten tags.
func BenchmarkHistory(b *testing.B) {
	p, _ := bulkPlant(b, 1000)
	c := dial(b, p.host(), nil)
	var tags []string
	for i := 1; i <= 5; i++ {
		tags = append(tags, address(fmt.Sprintf("Pump%d/Flow", i)), address(fmt.Sprintf("Pump%d/Vibration", i)))
	}
	count := 0
	for b.Loop() {
		until := time.Now()
		request := connector.PollRequest{Tags: tags, Since: until.Add(-20_000 * time.Second), Until: until, Limit: 10_000}
		for {
			batch, err := c.Backfill(b.Context(), request)
			require.NoError(b, err)
			count += len(batch.Readings)
			if !batch.More {
				break
			}
			request.Since = batch.Watermark
		}
	}
	b.ReportMetric(float64(count)/b.Elapsed().Seconds(), "values/s")
}
