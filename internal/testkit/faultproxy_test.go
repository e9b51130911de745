package testkit

import (
	"bufio"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// echo answers every line with itself.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				lines := bufio.NewScanner(c)
				for lines.Scan() {
					if _, err := c.Write(append(lines.Bytes(), '\n')); err != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// say reports whether a line comes back over a connection within a moment.
func say(c net.Conn) bool {
	_ = c.SetDeadline(time.Now().Add(300 * time.Millisecond))
	if _, err := c.Write([]byte("hello\n")); err != nil {
		return false
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && line == "hello\n"
}

func TestFaultProxyDoesWhatNetworksDo(t *testing.T) {
	t.Parallel()
	p := NewFaultProxy(t, echo(t))
	dial := func() net.Conn {
		c, err := net.Dial("tcp", p.Address())
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	c := dial()
	require.True(t, say(c))

	p.Cut()
	require.False(t, say(c), "cut connections are gone")
	old := dial()
	require.True(t, say(old), "new ones work")

	p.Freeze()
	require.False(t, say(old), "a frozen connection says nothing")
	c = dial()
	require.True(t, say(c), "new ones work")

	p.Blackhole()
	require.False(t, say(c))
	p.Heal()
	c = dial()
	require.True(t, say(c))

	p.Refuse()
	require.False(t, say(c))
	require.False(t, say(dial()))
	p.Heal()
	require.True(t, say(dial()))
}
