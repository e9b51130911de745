package mail_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/mail"
)

// office is a mail server of other people's making. Answer, when set, is given
// to every recipient.
type office struct {
	mu       sync.Mutex
	letters  [][]byte
	rcpts    []string
	answer   *smtp.SMTPError
	password string
}

func (o *office) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{office: o}, nil }

func (o *office) taken() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.letters
}

func (o *office) recipients() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rcpts
}

type session struct {
	office *office
	known  bool
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "optria" || password != s.office.password {
			return errors.New("no")
		}
		s.known = true
		return nil
	}), nil
}

func (s *session) Mail(string, *smtp.MailOptions) error {
	if s.office.password != "" && !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.office.answer != nil {
		return s.office.answer
	}
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.rcpts = append(s.office.rcpts, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	letter, err := io.ReadAll(r)
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.letters = append(s.office.letters, letter)
	return err
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// certificate makes a certificate for this machine and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// open starts a server and returns settings that reach it.
func open(t *testing.T, o *office, security string) mail.Settings {
	t.Helper()
	server := smtp.NewServer(o)
	server.ErrorLog = silent{}
	server.AllowInsecureAuth = security == mail.None
	pair, pool := certificate(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	switch server.TLSConfig = (&tls.Config{Certificates: []tls.Certificate{pair}}); security { //nolint:gosec // a server of the test
	case mail.TLS:
		listener = tls.NewListener(listener, server.TLSConfig)
	case mail.None:
		server.TLSConfig = nil
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	user := ""
	if o.password != "" {
		user = "optria:" + o.password + "@"
	}
	s, err := mail.Parse(fmt.Sprintf("smtp://%s127.0.0.1:%s?tls=%s", user, port, security), "OPTRIA IQ <optria@plant.example>")
	require.NoError(t, err)
	s.Roots = pool
	return s
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

func letter(t *testing.T, lang string) mail.Message {
	t.Helper()
	catalog, err := i18n.New()
	require.NoError(t, err)
	m, err := mail.Compose(catalog.Localizer(lang), mail.Note{ID: "4d0a", To: netmail.Address{Name: "سارة", Address: "sara@plant.example"}, Tenant: "شركة المياه",
		Title: "خطة بانتظار الاعتماد", Text: "الخطة «أسبوع 45» بانتظار اعتمادك.", HTML: "الخطة «<bdi>أسبوع 45</bdi>» بانتظار اعتمادك.",
		Link: "https://optria.example/plans/1", Settings: "https://optria.example/notifications/settings"})
	require.NoError(t, err)
	return m
}

// parts reads the texts of a letter by media type.
func parts(t *testing.T, raw []byte) (netmail.Header, map[string]string) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	require.NoError(t, err)
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	out, reader := map[string]string{}, multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m.Header, out
		}
		require.NoError(t, err)
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		require.NoError(t, err)
		kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		require.NoError(t, err)
		out[kind] = string(text)
	}
}

func TestALetterArrivesOverEveryKindOfConnection(t *testing.T) {
	t.Parallel()
	for _, security := range []string{mail.StartTLS, mail.TLS, mail.None} {
		o := &office{password: "p@ss-w0rd"}
		if o.password = strings.ReplaceAll(o.password, "@", "-"); security == mail.None {
			o.password = ""
		}
		settings := open(t, o, security)
		require.NoError(t, settings.Reach(t.Context()), security)
		require.Empty(t, o.taken(), "reaching sends nothing")
		out := settings.Send(t.Context(), letter(t, i18n.Arabic))
		require.Equal(t, "", out.Problem, security)
		require.Len(t, o.taken(), 1, security)
		header, texts := parts(t, o.taken()[0])
		require.Equal(t, "<4d0a@plant.example>", header.Get("Message-ID"))
		require.Equal(t, "<https://optria.example/notifications/settings>", header.Get("List-Unsubscribe"))
		subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
		require.NoError(t, err)
		require.Equal(t, "خطة بانتظار الاعتماد", subject)
		require.Contains(t, texts["text/plain"], "https://optria.example/plans/1")
		require.Contains(t, texts["text/html"], `dir="rtl"`)
		require.Contains(t, texts["text/html"], "<bdi>أسبوع 45</bdi>")
	}
}

func TestLettersSpeakTheReadersLanguage(t *testing.T) {
	t.Parallel()
	m := letter(t, i18n.English)
	require.Contains(t, m.HTML, `<html lang="en" dir="ltr">`)
	require.Contains(t, m.Text, "Open in OPTRIA IQ: https://optria.example/plans/1")
	require.NotContains(t, m.Text+m.HTML, "[[")
}

func TestRefusalsAreFinalOrNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code    int
		problem string
		final   bool
	}{{550, mail.ProblemRefused, true}, {451, mail.ProblemBusy, false}} {
		o := &office{answer: &smtp.SMTPError{Code: c.code, EnhancedCode: smtp.EnhancedCode{c.code / 100, 1, 1}, Message: "no such sara@plant.example"}}
		out := open(t, o, mail.StartTLS).Send(t.Context(), letter(t, i18n.Arabic))
		require.Equal(t, mail.Outcome{Code: c.code, Took: out.Took, Problem: c.problem, Final: c.final}, out)
		require.Empty(t, o.taken())
	}
}

func TestWhatCannotBeTrustedGetsNoLetter(t *testing.T) {
	t.Parallel()
	o := &office{password: "secret"}
	untrusted := open(t, o, mail.StartTLS)
	untrusted.Roots = nil
	stranger := open(t, o, mail.TLS)
	stranger.Password = "wrong"
	plain := open(t, &office{}, mail.None)
	plain.Security = mail.StartTLS // the server does not offer it
	nobody := plain
	nobody.Port = 1
	for _, s := range []mail.Settings{untrusted, stranger, plain, nobody} {
		out := s.Send(t.Context(), letter(t, i18n.Arabic))
		require.Equal(t, mail.ProblemConnect, out.Problem)
		require.False(t, out.Final)
		err := s.Reach(t.Context())
		require.ErrorContains(t, err, s.String())
		require.NotContains(t, err.Error(), "wrong", "no password")
	}
	require.Empty(t, o.taken())
}

// TestNamesAreNothingButNames sends to and from names that a careless writer of
// headers would break at.
func TestNamesAreNothingButNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{`Al-Harbi, Sara "the chief" \o/`, `الحربي، سارة «رئيسة» "الصيانة", الشرقية`, "Sara <sara@evil.example>, Ali",
		"Sara\r\nBcc: thief@evil.example"} {
		o := &office{}
		m := letter(t, i18n.Arabic)
		m.Subject += "\r\nBcc: thief@evil.example"
		m.To.Name = name
		settings := open(t, o, mail.None)
		settings.From.Name = name
		out := settings.Send(t.Context(), m)
		require.Empty(t, out.Problem, name)
		require.Len(t, o.taken(), 1)
		require.Equal(t, []string{"sara@plant.example"}, o.recipients(), "nobody else gets it: %s", name)
		header, _ := parts(t, o.taken()[0])
		require.NotContains(t, header, "Bcc", name)
		for field, address := range map[string]string{"To": "sara@plant.example", "From": "optria@plant.example"} {
			all, err := header.AddressList(field)
			require.NoError(t, err, "%s: %s", name, header.Get(field))
			require.Len(t, all, 1, name)
			require.Equal(t, netmail.Address{Name: name, Address: address}, *all[0])
		}
	}
}

func TestSettingsAreReadAndNeverQuoted(t *testing.T) {
	t.Parallel()
	s, err := mail.Parse("smtps://optria:p%40ss@relay.example", "optria@plant.example")
	require.NoError(t, err)
	require.Equal(t, []any{"relay.example", 465, "optria", "p@ss", mail.TLS}, []any{s.Host, s.Port, s.User, s.Password, s.Security})
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", s, s, s), "p@ss")
	off, err := mail.Parse("", "")
	require.NoError(t, err)
	require.False(t, off.On())
	for _, c := range [][2]string{
		{"relay.example:25", "a@b.example"}, {"http://relay.example", "a@b.example"}, {"smtp://relay.example?tls=maybe", "a@b.example"},
		{"smtp://relay.example:0", "a@b.example"}, {"smtp://u:hidden@relay.example?tls=none", "a@b.example"}, {"smtp://u:hidden@relay.example", "nobody"},
		{"smtp://u:hid%zzden@relay.example", "a@b.example"}, {"", "a@b.example"},
	} {
		_, err := mail.Parse(c[0], c[1])
		require.Error(t, err, c[0])
		require.NotContains(t, err.Error(), "hid")
	}
}
