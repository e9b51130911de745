package netguard

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
)

func TestGuardDecidesOnTheAddress(t *testing.T) {
	t.Parallel()
	listed, err := Parse("10.20.0.0/16, 192.168.7.5,::1/128,169.254.0.0/16")
	require.NoError(t, err)
	for address, allowed := range map[string][2]bool{ // without a list, with the list
		"93.184.216.34:443":           {true, true},
		"[2606:2800:220:1::]:443":     {true, true},
		"10.20.3.4:4840":              {false, true},
		"[::ffff:10.20.3.4]:4840":     {false, true},
		"10.21.0.1:4840":              {false, false},
		"192.168.7.5:443":             {false, true},
		"192.168.7.6:443":             {false, false},
		"127.0.0.1:5432":              {false, false},
		"[::1]:5432":                  {false, true},
		"169.254.169.254:80":          {false, false},
		"[::ffff:169.254.169.254]:80": {false, false},
		"[fe80::1%eth0]:80":           {false, false},
		"[fd00:ec2::254]:80":          {false, false},
		"[64:ff9b::a9fe:a9fe]:80":     {false, false},
		"0.0.0.0:80":                  {false, false},
		"[::]:80":                     {false, false},
		"224.0.0.1:80":                {false, false},
		"100.100.100.200:80":          {false, false},
	} {
		for i, guard := range []Guard{{}, listed} {
			err := guard.Allows(netip.MustParseAddrPort(address))
			require.Equal(t, allowed[i], err == nil, "%s, list %v: %v", address, i == 1, err)
		}
	}
}

func TestParseNamesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	_, err := Parse("10.0.0.0/8, plant-network")
	require.ErrorContains(t, err, "plant-network")
}

func TestOwnServersAreRefusedOnAnAllowedRange(t *testing.T) {
	t.Parallel()
	guard, err := Parse("127.0.0.0/8")
	require.NoError(t, err)
	guard = guard.Except("localhost:7233", "not an address")
	require.Error(t, guard.Allows(netip.MustParseAddrPort("127.0.0.1:7233")))
	require.NoError(t, guard.Allows(netip.MustParseAddrPort("127.0.0.1:4840")))
}

func TestDialerRefusesNamesThatLeadInside(t *testing.T) {
	t.Parallel()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	_, port, err := net.SplitHostPort(server.Addr().String())
	require.NoError(t, err)
	_, err = Guard{}.Dialer().DialContext(t.Context(), "tcp", "localhost:"+port)
	require.Equal(t, fault.Invalid, fault.CodeOf(err))

	open, err := Parse("127.0.0.0/8,::1")
	require.NoError(t, err)
	connection, err := open.Dialer().DialContext(t.Context(), "tcp", "localhost:"+port)
	require.NoError(t, err)
	require.NoError(t, connection.Close())
}
