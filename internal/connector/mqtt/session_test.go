package mqtt

import (
	"errors"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
)

func TestAHandshakeThatIsCutMayPass(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err error
		key string
	}{
		{io.EOF, connector.KeyUnreachable},
		{&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, connector.KeyUnreachable},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}, connector.KeySecurity},
		{errors.New("tls: first record does not look like a TLS handshake"), connector.KeySecurity},
	} {
		require.Equal(t, c.key, connector.MessageKey(wordHandshake(t.Context(), c.err)), "%v", c.err)
	}
}
