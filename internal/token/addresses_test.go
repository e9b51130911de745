package token_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/token"
)

func TestRangesAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	ranges, wrong := token.ParseRanges("10.20.30.40/16, 192.168.7.5\n2001:db8::1/32 ; ::ffff:192.168.7.5، 10.20.0.0/16")
	require.Empty(t, wrong)
	require.Equal(t, []string{"10.20.0.0/16", "192.168.7.5", "2001:db8::/32"}, ranges)
	ranges, wrong = token.ParseRanges("10.0.0.1 plant.example 10.0.0.0/33 0.0.0.0/0 ::/0 fe80::1%eth0 300.1.1.1")
	require.Equal(t, []string{"10.0.0.1"}, ranges)
	require.Equal(t, []string{"plant.example", "10.0.0.0/33", "0.0.0.0/0", "::/0", "fe80::1%eth0", "300.1.1.1"}, wrong)
	ranges, wrong = token.ParseRanges("  ")
	require.Empty(t, wrong)
	require.NotNil(t, ranges, "a column that is never null")
}

func TestAddressIsComparedAsAddress(t *testing.T) {
	t.Parallel()
	ranges := []string{"10.20.0.0/16", "192.168.7.5", "2001:db8::/32"}
	for _, peer := range []string{"10.20.255.1:4711", "10.20.0.0", "192.168.7.5", "[::ffff:10.20.1.1]:80", "[2001:db8::5]:443", "2001:db8:ffff::1"} {
		require.True(t, token.Within(ranges, peer), peer)
	}
	for _, peer := range []string{"10.21.0.1:80", "192.168.7.6", "2001:db9::1", "", "localhost:80", "10.20.1.1, 1.2.3.4", "10.20.1"} {
		require.False(t, token.Within(ranges, peer), peer)
	}
	require.True(t, token.Within(nil, "anything"), "no ranges allow every address")
	require.False(t, token.Within([]string{"not a range"}, "10.0.0.1"), "a range that cannot be read allows nothing")
}
