// Package outhook tells other systems of events: it signs a message after
// Standard Webhooks and posts it to an address, once. Trying again, and when,
// is the caller's.
package outhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/netguard"
)

// Within is the longest that one attempt takes, from the first lookup to the
// headers of the answer.
const Within = 10 * time.Second

// maxHeaders bounds the headers of an answer; its body is not read.
const maxHeaders = 32 << 10

// maxURL bounds an address.
const maxURL = 2000

// Message keys of what can go wrong with an attempt.
const (
	ProblemAddress  = "webhooks.problem.address"  // the address cannot be used
	ProblemRefused  = "webhooks.problem.refused"  // the deployment does not allow the address
	ProblemName     = "webhooks.problem.name"     // the name does not resolve
	ProblemConnect  = "webhooks.problem.connect"  // no connection, or it broke
	ProblemTLS      = "webhooks.problem.tls"      // the certificate is not trusted
	ProblemTimeout  = "webhooks.problem.timeout"  // no answer in time
	ProblemRedirect = "webhooks.problem.redirect" // redirects are not followed
	ProblemStatus   = "webhooks.problem.status"   // another status than 2xx
	ProblemGone     = "webhooks.problem.gone"     // 410: the receiver wants no more
	ProblemSecret   = "webhooks.problem.secret"   // the signing secret cannot be used
)

// Message is one event. ID stays the same for every attempt, so that a receiver
// can tell a repetition; Data is a JSON object.
type Message struct {
	ID   string
	Type string
	At   time.Time // of the event
	Data json.RawMessage
}

// Outcome is what became of an attempt. An empty Problem means that a 2xx
// answer came.
type Outcome struct {
	Status  int // of the answer, 0 without one
	Took    time.Duration
	Problem string
}

// Sender posts messages. It is safe for concurrent use.
type Sender struct{ client *http.Client }

// NewSender returns a sender that connects with the given dialer, which
// carries the guard of addresses; nil reaches public addresses only.
func NewSender(dialer *net.Dialer) *Sender {
	if dialer == nil {
		dialer = netguard.Guard{}.Dialer()
	}
	return &Sender{&http.Client{
		Timeout:       Within,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: Within, ResponseHeaderTimeout: Within,
			MaxResponseHeaderBytes: maxHeaders, DisableKeepAlives: true, DisableCompression: true,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		},
	}}
}

// CheckURL returns the message key of what is wrong with an address, or "". It
// must be https; http is taken within the machine only.
func CheckURL(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case len(raw) > maxURL:
		return "field.long"
	case err != nil, u.Hostname() == "", u.User != nil, u.Fragment != "", u.Scheme != "https" && u.Scheme != "http":
		return "webhooks.url.wrong"
	case u.Scheme == "http" && !local(u.Hostname()):
		return "webhooks.url.https"
	}
	return ""
}

func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || (err == nil && ip.IsLoopback())
}

// Body renders what is posted: type, time of the event and data.
func (m Message) Body() ([]byte, error) {
	body, err := json.Marshal(struct {
		Type      string          `json:"type"`
		Timestamp time.Time       `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}{m.Type, m.At.UTC(), m.Data})
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return body, nil
}

// Send makes one attempt. The message is signed with every given secret, so
// that receivers with the former one still verify it during a rotation.
func (s *Sender) Send(ctx context.Context, address string, secrets []string, m Message) Outcome {
	begun := time.Now()
	status, problem := s.post(ctx, address, secrets, m, begun)
	return Outcome{Status: status, Took: time.Since(begun), Problem: problem}
}

func (s *Sender) post(ctx context.Context, address string, secrets []string, m Message, at time.Time) (int, string) {
	if CheckURL(address) != "" {
		return 0, ProblemAddress
	}
	body, err := m.Body()
	if err != nil {
		return 0, ProblemAddress
	}
	signature, err := sign(secrets, m.ID, at, body)
	if err != nil {
		return 0, ProblemSecret
	}
	ctx, cancel := context.WithTimeout(ctx, Within)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, ProblemAddress
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "OPTRIA-IQ-Webhooks/1")
	request.Header.Set(standardwebhooks.HeaderWebhookID, m.ID)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	response, err := s.client.Do(request)
	if err != nil {
		return 0, problemOf(err)
	}
	_ = response.Body.Close() // the status says everything
	return response.StatusCode, judge(response.StatusCode)
}

func judge(status int) string {
	switch {
	case status >= 200 && status < 300:
		return ""
	case status >= 300 && status < 400:
		return ProblemRedirect
	case status == http.StatusGone:
		return ProblemGone
	}
	return ProblemStatus
}

// sign returns the signatures of all secrets, separated by spaces.
func sign(secrets []string, id string, at time.Time, body []byte) (string, error) {
	if len(secrets) == 0 {
		return "", errors.New("no secret")
	}
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		signer, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return "", fmt.Errorf("read secret: %w", err)
		}
		if signatures[i], err = signer.Sign(id, at, body); err != nil {
			return "", fmt.Errorf("sign: %w", err)
		}
	}
	return strings.Join(signatures, " "), nil
}

// problemOf names why no answer came.
func problemOf(err error) string {
	var refused *fault.Error
	var unresolved *net.DNSError
	var untrusted *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var host x509.HostnameError
	switch {
	case errors.As(err, &refused):
		return ProblemRefused
	case errors.Is(err, context.DeadlineExceeded), timeout(err):
		return ProblemTimeout
	case errors.As(err, &unresolved):
		return ProblemName
	case errors.As(err, &untrusted), errors.As(err, &record), errors.As(err, &alert), errors.As(err, &host):
		return ProblemTLS
	}
	return ProblemConnect
}

func timeout(err error) bool {
	var timed net.Error
	return errors.As(err, &timed) && timed.Timeout()
}
