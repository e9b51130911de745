package mqtt

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/netguard"
)

// oneSided is a connection that only has something to read.
type oneSided struct {
	net.Conn
	io.Reader
}

func (o oneSided) Read(p []byte) (int, error) { return o.Reader.Read(p) }

func TestPacketsLargerThanTakenAreRefusedByTheirHeader(t *testing.T) {
	t.Parallel()
	w := newWire(oneSided{Reader: bytes.NewReader([]byte{0x30, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3})})
	_, err := packets.ReadPacket(w)
	require.Equal(t, connector.KeyTooLarge, connector.MessageKey(err))
	w = newWire(oneSided{Reader: bytes.NewReader([]byte{0x30, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01})})
	_, err = packets.ReadPacket(w)
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err))

	var stream bytes.Buffer
	for i := range 200 {
		p := packets.NewControlPacket(packets.PUBLISH)
		p.Content.(*packets.Publish).Topic = fmt.Sprintf("t/%d", i)
		p.Content.(*packets.Publish).Payload = bytes.Repeat([]byte{0x30}, i*i)
		_, err := p.WriteTo(&stream)
		require.NoError(t, err)
	}
	w = newWire(oneSided{Reader: &stream})
	for i := range 200 {
		p, err := packets.ReadPacket(w)
		require.NoError(t, err)
		require.Len(t, p.Content.(*packets.Publish).Payload, i*i)
	}
}

// FuzzPackets reads whatever a broker may send: the library must not panic, for
// it reads in a goroutine of its own.
func FuzzPackets(f *testing.F) {
	f.Add([]byte{0x20, 0x03, 0x00, 0x00, 0x00})
	f.Add([]byte{0x30, 0x05, 0x00, 0x01, 't', 0x00, 'x'})
	f.Add([]byte{0x90, 0x04, 0x00, 0x01, 0x00, 0x87})
	f.Add([]byte{0xe0, 0x02, 0x8e, 0x00})
	f.Add([]byte{0x20, 0x0a, 0x00, 0x00, 0x07, 0x11, 0xff, 0xff, 0xff, 0xff, 0x24, 0x01})
	f.Fuzz(func(t *testing.T, content []byte) {
		w := newWire(oneSided{Reader: bytes.NewReader(content)})
		for range 10 {
			p, err := packets.ReadPacket(w)
			if err != nil {
				return
			}
			require.NotNil(t, p.Content)
		}
	})
}

// TestBrokersThatAreNone connects to servers that speak something else.
func TestBrokersThatAreNone(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{"babble": "HTTP/1.1 400 Bad Request\r\n\r\n", "closed": "", "old": "\x20\x02\x00\x01", "huge": "\x20\xff\xff\xff\x7f", "refused": "\x20\x03\x00\x86\x00",
		"exchange": "\x20\x07\x00\x00\x04\x15\x00\x01x", "unasked": "\x20\x03\x00\x00\x00\x90\x04\x00\x09\x00\x00\x40\x02\x00\x07\x62\x02\x00\x07\x50\x02\x00\x03\xf0\x02\x18\x00\x20\x03\x00\x00\x00",
		"no id": "\x20\x03\x00\x00\x00\x32\x05\x00\x01t\x00\x00", "farewell": "\x20\x03\x00\x00\x00\xe0\x01\x8e"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		go answerAll(listener, answer)
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		err = connect(t, listener.Addr().(*net.TCPAddr).Port, nil).Subscribe(ctx, connector.SubscribeRequest{Tags: []string{"x"}}, newSink().deliver)
		require.Error(t, err, name)
		require.NotEqual(t, connector.KeyInternal, connector.MessageKey(err), "%s: %v", name, err)
		if key, known := map[string]string{"old": keyVersion, "huge": connector.KeyTooLarge, "refused": connector.KeyCredentials, "farewell": keyTakenOver}[name]; known {
			require.Equal(t, key, connector.MessageKey(err), "%s: %v", name, err)
		}
	}
}

func answerAll(listener net.Listener, answer string) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Read(make([]byte, 1024))
		_, _ = conn.Write([]byte(answer))
		time.Sleep(50 * time.Millisecond)
		_ = conn.Close()
	}
}

// certificate writes a self-signed certificate for 127.0.0.1 and its key.
func certificate(t *testing.T) (dir, ca, fingerprint string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "plant broker"}, NotBefore: time.Now().Add(-time.Hour),
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

// TestTrustAndCredentials signs in to a broker with TLS and a password.
func TestTrustAndCredentials(t *testing.T) {
	t.Parallel()
	dir, ca, fingerprint := certificate(t)
	passwords := filepath.Join(dir, "passwords")
	out, err := exec.CommandContext(t.Context(), "mosquitto_passwd", "-b", "-c", passwords, "reader", "s3cret-word").CombinedOutput() //nolint:gosec // fixed arguments
	require.NoError(t, err, "%s", out)
	b := startBroker(t, "allow_anonymous false", "password_file "+passwords, "certfile "+filepath.Join(dir, "cert.pem"), "keyfile "+filepath.Join(dir, "key.pem"))
	try := func(password string, settings connector.Config) []connector.Step {
		config := connector.Config{"host": "127.0.0.1", "port": float64(b.port), "user": "reader", "listen_seconds": 1.0}
		for key, value := range settings {
			config[key] = value
		}
		opened, err := connector.Open(Kind, config, connector.Secrets{"password": password}, &net.Dialer{})
		require.NoError(t, err)
		steps := opened.(*MQTTConnector).Test(t.Context())
		for _, step := range steps {
			require.NotContains(t, step.Detail, password)
		}
		return steps
	}
	pinned, authority := connector.Config{"tls": TLSPin, "certificate_sha256": fingerprint}, connector.Config{"tls": TLSVerify, "ca_certificate": ca}
	for _, settings := range []connector.Config{pinned, authority} {
		steps := try("s3cret-word", settings)
		require.Len(t, steps, 6)
		require.True(t, steps[5].OK, "%s", steps[5].Detail)
		require.Contains(t, steps[2].Detail, fingerprint)
	}
	last := func(steps []connector.Step) connector.Step { return steps[len(steps)-1] }
	require.Equal(t, connector.KeyCredentials, last(try("wrong-word", pinned)).Code)
	require.Equal(t, connector.StepSession, last(try("wrong-word", pinned)).Name)
	require.Equal(t, connector.KeyCertificate, last(try("s3cret-word", connector.Config{"tls": TLSVerify})).Code)
	require.Equal(t, connector.StepSecure, last(try("s3cret-word", connector.Config{"tls": TLSPin, "certificate_sha256": flipped(fingerprint)})).Name)
	require.False(t, last(try("s3cret-word", connector.Config{"tls": TLSOff})).OK)

	refused, err := connector.Open(Kind, connector.Config{"host": "127.0.0.1", "port": float64(b.port)}, nil, netguard.Guard{}.Dialer())
	require.NoError(t, err)
	require.Equal(t, connector.KeyRefusedHost, last(refused.(*MQTTConnector).Test(t.Context())).Code)
}

// flipped is another fingerprint.
func flipped(fingerprint string) string {
	if fingerprint[0] == '0' {
		return "1" + fingerprint[1:]
	}
	return "0" + fingerprint[1:]
}

// TestASecondClientTakesOver shows what two integrations with one client id do
// to each other.
func TestASecondClientTakesOver(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	c, s := connect(t, b.port, nil), newSink()
	ended := make(chan error, 1)
	go func() {
		ended <- c.Subscribe(t.Context(), connector.SubscribeRequest{Tags: []string{"x"}}, s.deliver)
	}()
	eventually(t, s.up, "up")
	second := newSink()
	stop := follow(t, connect(t, b.port, nil), second, "x")
	err := <-ended
	require.Contains(t, []string{keyTakenOver, connector.KeyUnreachable}, connector.MessageKey(err), "Mosquitto 2.0.11 hangs up without a reason")
	require.NoError(t, stop())
	require.NotEmpty(t, guest())
	require.NotEqual(t, guest(), guest(), "tests and previews do not take over")
}

// TestASilentBrokerIsNoticed freezes the broker with the connection open.
func TestASilentBrokerIsNoticed(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	c, s := connect(t, b.port, connector.Config{"payload": JSON, "topics": "plant/{tag}"}), newSink()
	ended := make(chan error, 1)
	go func() {
		ended <- c.Subscribe(t.Context(), connector.SubscribeRequest{Tags: []string{"x"}}, s.deliver)
	}()
	eventually(t, s.up, "up")
	b.Pause()
	frozen := time.Now()
	select {
	case err := <-ended:
		require.Contains(t, []string{connector.KeySilent, connector.KeyUnreachable}, connector.MessageKey(err))
	case <-time.After(25 * time.Second):
		t.Fatal("nobody noticed")
	}
	b.Resume()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.True(t, s.marks[len(s.marks)-1].Before(frozen.Add(time.Second)), "no sign of life claims what was not heard")
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	good := connector.Config{"host": "broker.plant.example"}
	require.Empty(t, Spec().Validate(good))
	for key, value := range map[string]any{"host": "mqtt://x", "client_id": "a b", "group": "a/b", "certificate_sha256": "12", "ca_certificate": "x"} {
		config := connector.Config{"host": "broker.plant.example"}
		config[key] = value
		require.NotEmpty(t, Spec().Validate(config)[key], key)
	}
	require.Equal(t, errPin, Spec().Validate(connector.Config{"host": "x", "tls": TLSPin})["certificate_sha256"])
	config := connector.Config{}
	require.NoError(t, generate(config, nil))
	id := config["client_id"]
	require.Regexp(t, `^optria-[0-9a-f]{16}$`, id)
	require.NoError(t, generate(config, nil))
	require.Equal(t, id, config["client_id"], "an id is kept: the broker has messages under it")
	require.Error(t, clearAllowed(&net.TCPAddr{IP: net.IPv4(93, 184, 216, 34)}))
	require.NoError(t, clearAllowed(&net.TCPAddr{IP: net.IPv4(10, 1, 2, 3)}))
	require.Equal(t, connector.ErrUnknown, Spec().Validate(connector.Config{"host": "x", "fixed_tag": "y"})["fixed_tag"], "the topic names the tag")
}
