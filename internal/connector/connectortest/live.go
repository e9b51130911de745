package connectortest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
)

// liveWithin is how long a live source may take for its first readings.
const liveWithin = 2 * connector.SignOfLife

func samples(t *testing.T, sampler connector.Sampler, fixture Fixture) {
	batch, err := sampler.Sample(t.Context(), append([]string{"no such tag"}, fixture.Tags...))
	require.NoError(t, err, "an unknown tag must not hold up the others")
	seen := map[string]bool{}
	for _, r := range batch.Readings {
		require.False(t, seen[r.ExternalTag], "%s has one newest value", r.ExternalTag)
		seen[r.ExternalTag] = true
		require.Equal(t, time.UTC, r.Time.Location())
	}
	for _, tag := range fixture.Tags {
		require.True(t, seen[tag], "%s has no newest value", tag)
	}
	require.True(t, slices.ContainsFunc(batch.Notices, func(n connector.Notice) bool { return slices.Contains(n.Tags, "no such tag") }))

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = sampler.Sample(cancelled, fixture.Tags)
	require.ErrorIs(t, err, context.Canceled)
}

// subscribes follows the tags until each has delivered, and ends once by the
// caller's wish and once because the caller could not keep a batch.
func subscribes(t *testing.T, subscriber connector.Subscriber, fixture Fixture) {
	request := connector.SubscribeRequest{Tags: append([]string{"no such tag"}, fixture.Tags...)}
	ctx, cancel := context.WithTimeout(t.Context(), liveWithin)
	defer cancel()
	var up bool
	var watermark time.Time
	waiting := map[string]bool{}
	for _, tag := range fixture.Tags {
		waiting[tag] = true
	}
	err := subscriber.Subscribe(ctx, request, func(_ context.Context, b connector.Batch) error {
		if !up {
			require.False(t, b.Watermark.IsZero(), "the first batch says from when on nothing is missed")
		}
		require.False(t, b.Watermark.Before(watermark), "watermark went back")
		up, watermark = true, b.Watermark
		for _, r := range b.Readings {
			require.Contains(t, request.Tags, r.ExternalTag)
			require.Equal(t, time.UTC, r.Time.Location())
			delete(waiting, r.ExternalTag)
		}
		if len(waiting) == 0 {
			cancel()
		}
		return nil
	})
	require.NoError(t, err, "the end that the caller wants is no error")
	require.True(t, up)
	require.Empty(t, waiting, "tags without a reading")

	full := errors.New("not kept")
	err = subscriber.Subscribe(t.Context(), request, func(context.Context, connector.Batch) error { return full })
	require.ErrorIs(t, err, full)
}
