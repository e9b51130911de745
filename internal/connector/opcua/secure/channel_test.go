package secure

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

// request is one whose encoding takes about n bytes.
func request(n int) ua.Request {
	return &ua.GetEndpointsRequest{EndpointURL: strings.Repeat("x", n)}
}

// echoes expects a peer to send back what it got, in one chunk and in many.
func echoes(t *testing.T, c *Channel) {
	t.Helper()
	for _, n := range []int{1, 8100, 8101, 8102, 8103, 8104, 8105, 8106, 8107, 8108, 8109, 8110, 8111, 8112, 8113, 8114, 8115, 8116, 8117, 300_000} {
		body, err := c.Call(t.Context(), request(n), ua.NewNumericNodeID(0, 9), 5*time.Second)
		require.NoError(t, err)
		require.True(t, bytes.Contains(body, bytes.Repeat([]byte("x"), n)))
	}
}

func TestMessagesPassInChunks(t *testing.T) {
	t.Parallel()
	t.Run("None", func(t *testing.T) {
		t.Parallel()
		c, err := meet(t, plain(), nil)
		require.NoError(t, err)
		echoes(t, c)
	})
	for _, policy := range []string{ua.SecurityPolicyURIBasic256Sha256, ua.SecurityPolicyURIAes128Sha256RsaOaep, ua.SecurityPolicyURIAes256Sha256RsaPss} {
		for _, mode := range []ua.MessageSecurityMode{ua.MessageSecurityModeSign, ua.MessageSecurityModeSignAndEncrypt} {
			t.Run(policy+mode.String(), func(t *testing.T) {
				t.Parallel()
				c, err := meet(t, securedBy(policy, mode), nil)
				require.NoError(t, err)
				echoes(t, c)
			})
		}
	}
	t.Run("long keys", func(t *testing.T) {
		t.Parallel()
		config := securedBy(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt)
		config.Certificate, config.Key, config.ServerCertificate = wideClient().der, wideClient().key, wideServer().der
		c, err := meet(t, config, nil)
		require.NoError(t, err)
		echoes(t, c)
	})
}

// TestTokenIsRenewed calls all the time while short tokens follow one another.
func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]Config{"none": plain(), "encrypted": securedBy(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := meet(t, config, func(p *peer) { p.lifetime = 1 })
			require.NoError(t, err)
			first := c.current.id
			for until := time.Now().Add(3500 * time.Millisecond); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
				_, err := c.Call(t.Context(), request(10), nil, time.Second)
				require.NoError(t, err)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			require.Equal(t, first+2, c.current.id, "two renewals")
			require.Nil(t, c.last)
		})
	}
}

// TestServerMayUseTheTokenBefore answers once more under the old token after a
// renewal, and then never again.
func TestServerMayUseTheTokenBefore(t *testing.T) {
	t.Parallel()
	var before protection
	var beforeID uint32
	answered := 0
	c, err := meet(t, securedBy(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt), func(p *peer) {
		p.message = func(p *peer, request uint32, body []byte) error {
			answered++
			if answered == 1 {
				before, beforeID = p.token, p.tokenID
			}
			if answered == 2 || answered == 4 {
				current, currentID := p.token, p.tokenID
				p.token, p.tokenID = before, beforeID
				defer func() { p.token, p.tokenID = current, currentID }()
			}
			return p.say(request, body)
		}
	})
	require.NoError(t, err)
	call := func() error {
		_, err := c.Call(t.Context(), request(10), nil, time.Second)
		return err
	}
	require.NoError(t, call())
	require.NoError(t, c.open(t.Context(), ua.SecurityTokenRequestTypeRenew))
	require.NoError(t, call(), "the old token")
	require.NoError(t, call(), "the new token")
	require.ErrorIs(t, call(), ua.StatusBadSecureChannelTokenUnknown)
}

// TestCallsEnd meets a server that does not answer, one that answers late, and
// callers that give up.
func TestCallsEnd(t *testing.T) {
	t.Parallel()
	c, err := meet(t, plain(), func(p *peer) {
		late := uint32(0)
		p.message = func(p *peer, request uint32, body []byte) error {
			if late == 0 {
				late = request
				return p.part(request, intermediate, body) // the rest comes late
			}
			if err := p.say(late, body); err != nil {
				return err
			}
			return p.say(request, body)
		}
	})
	require.NoError(t, err)
	_, err = c.Call(t.Context(), request(10), nil, 100*time.Millisecond)
	require.ErrorIs(t, err, ua.StatusBadTimeout)
	_, err = c.Call(t.Context(), request(10), nil, time.Second)
	require.NoError(t, err)
	require.Zero(t, c.reader.pending)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Call(ctx, request(10), nil, time.Second)
	require.ErrorIs(t, err, context.Canceled)
	c.Close(t.Context())
	_, err = c.Call(t.Context(), request(10), nil, time.Second)
	require.ErrorIs(t, err, net.ErrClosed)
}

// TestServerSaysWhy meets an aborted answer, which ends a call, and an error,
// which ends the connection.
func TestServerSaysWhy(t *testing.T) {
	t.Parallel()
	why := func(status uint32) []byte {
		return append([]byte{0, 0, byte(status >> 16), byte(status >> 24)}, 0xff, 0xff, 0xff, 0xff)
	}
	calls := 0
	c, err := meet(t, plain(), func(p *peer) {
		p.message = func(p *peer, request uint32, body []byte) error {
			calls++
			switch calls {
			case 1:
				if err := p.part(request, intermediate, body); err != nil {
					return err
				}
				return p.part(request, aborted, why(uint32(ua.StatusBadTCPMessageTooLarge)))
			case 2:
				return p.say(request, body)
			default:
				_, err := p.conn.Write(append([]byte("ERRF\x10\x00\x00\x00"), why(uint32(ua.StatusBadTCPServerTooBusy))...))
				return err
			}
		}
	})
	require.NoError(t, err)
	_, err = c.Call(t.Context(), request(10), nil, time.Second)
	require.ErrorIs(t, err, ua.StatusBadTCPMessageTooLarge)
	_, err = c.Call(t.Context(), request(10), nil, time.Second)
	require.NoError(t, err, "the channel goes on")
	_, err = c.Call(t.Context(), request(10), nil, time.Second)
	require.ErrorIs(t, err, ua.StatusBadTCPServerTooBusy)
}

func TestNumbersBeginAgain(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, 1, following(lastNumber+1))
	require.EqualValues(t, lastNumber+1, following(lastNumber))
	require.EqualValues(t, 6, following(5))
	require.True(t, follows(1, lastNumber+1))
	require.True(t, follows(6, 5))
	require.False(t, follows(5, 5))
	require.False(t, follows(1, 5))
	require.False(t, follows(1024, lastNumber+1))
}
