package sqldb

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/netguard"
	"github.com/optria-iq/optria/internal/testkit"
)

// certificate writes a self-signed certificate for 127.0.0.1 and its key.
func certificate(t *testing.T) (dir, ca, fingerprint string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "plant database"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	dir = t.TempDir()
	ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cert.pem"), []byte(ca), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600))
	return dir, ca, httpapi.Fingerprint(parsed)
}

// TestConnectionsOfMariaDB goes through what happens to one server with TLS:
// trust, credentials, cuts, silence, a restart.
func TestConnectionsOfMariaDB(t *testing.T) {
	t.Parallel()
	dir, ca, fingerprint := certificate(t)
	server := startMaria(t, "--ssl-cert="+filepath.Join(dir, "cert.pem"), "--ssl-key="+filepath.Join(dir, "key.pem"))
	w := server.world(t, "plant")
	w.fill(t, 30)
	t.Run("trust", func(t *testing.T) { trust(t, w, ca, fingerprint) })
	t.Run("credentials", func(t *testing.T) { credentials(t, w) })
	t.Run("network", func(t *testing.T) { network(t, w, server.port) })
	t.Run("restart", func(t *testing.T) { restart(t, w, server) })
}

func trust(t *testing.T, w world, ca, fingerprint string) {
	for name, settings := range map[string]connector.Config{"pin": {"tls": TLSPin, "certificate_sha256": fingerprint}, "authority": {"tls": TLSVerify, "ca_certificate": ca}} {
		steps := w.readings(t, with(narrow, settings)).Test(t.Context())
		require.Len(t, steps, 6, name)
		for _, step := range steps {
			require.True(t, step.OK, "%s: %s: %s", name, step.Name, step.Detail)
		}
		require.Contains(t, steps[2].Detail, fingerprint, "a person compares it")
		require.Contains(t, steps[3].Detail, "MariaDB")
	}
	other := "00" + fingerprint[2:]
	if other == fingerprint {
		other = "11" + fingerprint[2:]
	}
	for name, settings := range map[string]connector.Config{"other pin": {"tls": TLSPin, "certificate_sha256": other}, "no authority": {"tls": TLSVerify}} {
		steps := w.readings(t, with(narrow, settings)).Test(t.Context())
		last := steps[len(steps)-1]
		require.Equal(t, connector.StepSecure, last.Name, name)
		require.Equal(t, connector.KeyCertificate, last.Code, name)
		_, err := w.readings(t, with(narrow, settings)).Poll(t.Context(), connector.PollRequest{Tags: allTags, Until: noon})
		require.Equal(t, connector.KeyCertificate, connector.MessageKey(err), name)
		require.True(t, connector.NeedsPerson(err), name)
	}
}

func credentials(t *testing.T, w world) {
	w.secrets = connector.Secrets{"password": "not-the-wörd"}
	steps := w.readings(t, narrow).Test(t.Context())
	last := steps[len(steps)-1]
	require.Equal(t, connector.StepSession, last.Name)
	require.Equal(t, connector.KeyCredentials, last.Code)
	for _, step := range steps {
		require.NotContains(t, step.Detail, "not-the-wörd")
	}
	config := with(w.config, narrow)
	refused, err := connector.Open(Kind, config, w.secrets, netguard.Guard{}.Dialer())
	require.NoError(t, err)
	defer refused.Close()
	_, err = refused.(*Readings).Poll(t.Context(), connector.PollRequest{Tags: allTags, Until: noon})
	require.Equal(t, connector.KeyRefusedHost, connector.MessageKey(err), "the guard of the deployment decides: %v", err)
}

func network(t *testing.T, w world, port int) {
	proxy := testkit.NewFaultProxy(t, "127.0.0.1:"+strconv.Itoa(port))
	_, text, err := net.SplitHostPort(proxy.Address())
	require.NoError(t, err)
	at, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	r := w.readings(t, with(narrow, connector.Config{"port": at, "statement_timeout_seconds": 1.0}))
	request := connector.PollRequest{Tags: allTags, Since: noon.Add(-time.Second), Until: noon.Add(time.Hour)}
	reads := func() error {
		batch, err := r.Poll(t.Context(), request)
		if err == nil {
			require.Len(t, batch.Readings, 90)
		}
		return err
	}
	require.NoError(t, reads())
	proxy.Cut()
	require.Eventually(t, func() bool { return reads() == nil }, 10*time.Second, 50*time.Millisecond, "a cut is healed by the next call")
	proxy.Refuse()
	require.Equal(t, connector.KeyUnreachable, connector.MessageKey(reads()))
	proxy.Heal()
	require.NoError(t, reads())
	proxy.Blackhole()
	began := time.Now()
	require.Error(t, reads(), "silence ends by the deadline")
	require.Less(t, time.Since(began), 20*time.Second)
	proxy.Heal()
	require.Eventually(t, func() bool { return reads() == nil }, 15*time.Second, 50*time.Millisecond)
	proxy.Freeze()
	require.Eventually(t, func() bool { return reads() == nil }, 20*time.Second, 50*time.Millisecond, "a forgotten connection is left behind")
}

func restart(t *testing.T, w world, server *maria) {
	r := w.readings(t, narrow)
	request := connector.PollRequest{Tags: allTags, Since: noon.Add(-time.Second), Until: noon.Add(5 * time.Minute), Limit: 3}
	first, err := r.Poll(t.Context(), request)
	require.NoError(t, err)
	require.True(t, first.More)
	server.Kill()
	request.Since = first.Watermark
	_, err = r.Poll(t.Context(), request)
	require.Equal(t, connector.KeyUnreachable, connector.MessageKey(err))
	require.False(t, connector.NeedsPerson(err), "it passes by itself")
	server.Restart()
	seen := len(first.Readings)
	for {
		batch, err := r.Poll(t.Context(), request)
		require.NoError(t, err)
		seen += len(batch.Readings)
		if !batch.More {
			break
		}
		request.Since = batch.Watermark
	}
	require.Equal(t, 18, seen, "paging goes on where it was")
}

// TestServersOfNoSqlKind connects each driver to something that is no database:
// the handshake has to end in a fault, within its time.
func TestServersOfNoSqlKind(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{"babble": "HTTP/1.1 400 Bad Request\r\n\r\n", "zeros": string(make([]byte, 4096)), "ones": "\xff\xff\xff\xff\xff\xff\xff\xff", "nothing": ""} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		go babble(listener, answer)
		for dialect := range dialects {
			for _, security := range []string{TLSOff, TLSVerify} {
				t.Run(name+"/"+dialect+"/"+security, func(t *testing.T) {
					t.Parallel()
					w := world{config: connector.Config{"dialect": dialect, "host": "127.0.0.1", "port": float64(listener.Addr().(*net.TCPAddr).Port),
						"database": "x", "user": "x", "tls": security}, secrets: connector.Secrets{"password": "s3cret"}}
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					defer cancel()
					_, err := w.readings(t, narrow).Poll(ctx, connector.PollRequest{Tags: allTags, Until: noon})
					require.Error(t, err)
					require.NotContains(t, err.Error(), "s3cret")
					require.NotEqual(t, connector.KeyInternal, connector.MessageKey(err), "%v", err)
				})
			}
		}
	}
}

// babble answers every connection with the same bytes and closes it.
func babble(listener net.Listener, answer string) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte(answer))
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = conn.Read(make([]byte, 1024))
		_ = conn.Close()
	}
}
