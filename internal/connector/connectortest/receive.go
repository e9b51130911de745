package connectortest

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
)

// receives checks a receiver with the message of the fixture: it holds at least
// two readings of every tag within the window, and reading it again changes
// nothing. A message that was cut short, garbled or is none ends in an error
// or in refusals, never in a panic.
func receives(t *testing.T, receiver connector.Receiver, fixture Fixture) {
	require.NotEmpty(t, fixture.Message.Body, "the fixture of a receiver needs a message")
	got, err := receiver.Receive(t.Context(), fixture.Message)
	require.NoError(t, err)
	require.Empty(t, got.Refused)
	count := map[string]int{}
	for _, r := range got.Readings {
		require.False(t, r.Time.Before(fixture.Since) || r.Time.After(fixture.Until), "%s at %s", r.ExternalTag, r.Time)
		count[r.ExternalTag]++
	}
	for _, tag := range fixture.Tags {
		require.GreaterOrEqual(t, count[tag], 2, tag)
	}
	ascending(t, got.Readings)
	again, err := receiver.Receive(t.Context(), fixture.Message)
	require.NoError(t, err)
	require.Equal(t, got, again, "the same message must give the same readings")

	damaged := [][]byte{nil, []byte("\x00\xff\xfe"), fixture.Message.Body[:len(fixture.Message.Body)/2], bytes.Repeat([]byte("["), 1<<16)}
	for _, body := range damaged {
		message := fixture.Message
		message.Body = body
		got, err := receiver.Receive(t.Context(), message)
		if err != nil {
			require.NotEqual(t, connector.KeyInternal, connector.MessageKey(err), "%v", err)
		}
		for _, refused := range got.Refused {
			require.NotEmpty(t, refused.Key)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = receiver.Receive(cancelled, fixture.Message)
	require.ErrorIs(t, err, context.Canceled)
}
