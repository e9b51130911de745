// Package mail composes notifications as e-mail and hands them to an SMTP
// server. Its errors and outcomes name neither addresses nor passwords, so they
// may be logged and stored.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	smtp "github.com/wneessen/go-mail"
)

// Ways to secure the connection to the server.
const (
	StartTLS = "starttls" // plain first, then TLS, which the server must offer
	TLS      = "tls"      // TLS from the first byte
	None     = "none"     // never with a password, except within the machine
)

// within bounds the sending of one message.
const within = 20 * time.Second

// Message keys of what can go wrong.
const (
	ProblemRefused = "mail.problem.refused" // 5xx: trying again cannot help
	ProblemBusy    = "mail.problem.busy"    // 4xx
	ProblemConnect = "mail.problem.connect" // no server, no TLS, or it does not take the credentials
	ProblemMessage = "mail.problem.message" // the message could not be built
)

// Settings say through which server and from whom e-mail is sent. The zero
// value sends none.
type Settings struct {
	Host           string
	Port           int
	User, Password string
	Security       string // StartTLS, TLS or None
	From           mail.Address
	Roots          *x509.CertPool // that may sign the server's certificate; nil takes the system's
}

// On reports whether e-mail is sent at all.
func (s Settings) On() bool { return s.Host != "" }

// Parse reads an address such as smtp://user:pass@host:587?tls=starttls and the
// sender's address. Two empty texts switch e-mail off. Errors quote neither.
func Parse(server, from string) (Settings, error) {
	if server == "" && from == "" {
		return Settings{}, nil
	}
	u, err := url.Parse(server)
	if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Hostname() == "" || (u.Path != "" && u.Path != "/") {
		return Settings{}, errors.New("write smtp://user:password@host:587?tls=starttls; special characters of the password are percent-encoded")
	}
	s := Settings{Host: u.Hostname(), User: u.User.Username(), Security: u.Query().Get("tls")}
	s.Password, _ = u.User.Password()
	if s.Security == "" {
		s.Security = StartTLS
		if u.Scheme == "smtps" {
			s.Security = TLS
		}
	}
	ports := map[string]int{StartTLS: 587, TLS: 465, None: 25}
	fallback, known := ports[s.Security]
	if !known {
		return Settings{}, errors.New("tls is one of starttls, tls and none")
	}
	if s.Port = fallback; u.Port() != "" {
		if s.Port, err = strconv.Atoi(u.Port()); err != nil || s.Port < 1 || s.Port > 65535 {
			return Settings{}, errors.New("the port is a number from 1 to 65535")
		}
	}
	if s.Security == None && s.User != "" && !thisMachine(s.Host) {
		return Settings{}, errors.New("tls=none would send the password in clear: use starttls or tls, or leave the user out")
	}
	address, err := mail.ParseAddress(from)
	if err != nil {
		return Settings{}, errors.New("OPTRIA_MAIL_FROM is not an address such as OPTRIA IQ <optria@example.com>")
	}
	s.From = *address
	return s, nil
}

// thisMachine reports whether a host is this machine.
func thisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

// Outcome is what became of a message. An empty Problem means that the server
// took it. Final says that trying again cannot help.
type Outcome struct {
	Code    int // the server's answer, 0 when it is not known
	Took    time.Duration
	Problem string
	Final   bool
}

// Send hands one message to the server.
func (s Settings) Send(ctx context.Context, m Message) Outcome {
	begun := time.Now()
	out := s.send(ctx, m)
	out.Took = time.Since(begun)
	return out
}

func (s Settings) send(ctx context.Context, m Message) Outcome {
	built, err := m.build(s.From)
	if err != nil {
		return Outcome{Problem: ProblemMessage, Final: true}
	}
	client, err := s.dial(ctx)
	if err != nil {
		return Outcome{Problem: ProblemConnect}
	}
	err = client.Send(built)
	_ = client.Close() // whether the server says goodbye does not matter
	return judge(err)
}

// Reach connects to the server, secures the connection and signs in, and sends
// nothing. The error is for who runs the server: it names the host.
func (s Settings) Reach(ctx context.Context) error {
	client, err := s.dial(ctx)
	if err != nil {
		return fmt.Errorf("reach mail server %s: %w", s, err)
	}
	_ = client.Close() // whether the server says goodbye does not matter
	return nil
}

// dial opens a connection that is ready for a message.
func (s Settings) dial(ctx context.Context) (*smtp.Client, error) {
	client, err := smtp.NewClient(s.Host, s.options()...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return client, client.DialWithContext(ctx)
}

// options configure the library for the server.
func (s Settings) options() []smtp.Option {
	security := &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	out := []smtp.Option{smtp.WithPort(s.Port), smtp.WithTimeout(within), smtp.WithTLSConfig(security)}
	switch s.Security {
	case TLS:
		out = append(out, smtp.WithSSL())
	case None:
		out = append(out, smtp.WithTLSPolicy(smtp.NoTLS))
	default:
		out = append(out, smtp.WithTLSPolicy(smtp.TLSMandatory))
	}
	if s.User != "" {
		out = append(out, smtp.WithSMTPAuth(smtp.SMTPAuthAutoDiscover), smtp.WithUsername(s.User), smtp.WithPassword(s.Password))
	}
	return out
}

// judge tells a final refusal from one that may pass.
func judge(err error) Outcome {
	var refused *smtp.SendError
	switch {
	case err == nil:
		return Outcome{Code: 250}
	case !errors.As(err, &refused):
		return Outcome{Problem: ProblemConnect}
	case refused.ErrorCode() >= 500:
		return Outcome{Code: refused.ErrorCode(), Problem: ProblemRefused, Final: true}
	case refused.ErrorCode() >= 400:
		return Outcome{Code: refused.ErrorCode(), Problem: ProblemBusy}
	}
	return Outcome{Problem: ProblemConnect}
}

// String keeps passwords out of logs.
func (s Settings) String() string {
	if !s.On() {
		return "off"
	}
	return fmt.Sprintf("%s:%d (%s)", s.Host, s.Port, s.Security)
}

// GoString is String.
func (s Settings) GoString() string { return s.String() }
