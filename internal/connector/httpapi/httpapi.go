// Package httpapi is the one HTTP client of connectors. It reaches only what
// the deployment allows, stays on the host that was configured, reads a
// bounded answer, and words every failure as a fault of package connector.
package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// Bounds of one exchange.
const (
	MaxBody       = 32 << 20 // bytes of an answer, after decompression
	maxHeader     = 256 << 10
	answerWithin  = 60 * time.Second
	maxRetryAfter = 30 * time.Second // a longer wish is left to the caller's back-off
	maxRedirects  = 3
)

// Request is one exchange. Path is below the base address; Query is appended
// with blanks as %20, which OData services insist on.
type Request struct {
	Method string // GET when empty
	Path   string
	Query  url.Values
	Header http.Header
	Body   []byte
}

// Response is an answer that was read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Client speaks to one base address. It is safe for concurrent use.
type Client struct {
	base     *url.URL
	settings Settings
	http     *http.Client
	dialer   *net.Dialer
}

// New builds a client from settings and the guarded dialer. jar may be nil;
// services whose tokens live in a session need one. It does not connect.
func New(settings Settings, dialer *net.Dialer, jar http.CookieJar) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(settings.BaseURL, "/"))
	if err != nil {
		return nil, fmt.Errorf("read base address: %w", err)
	}
	security, err := settings.tls(base.Hostname())
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: security, TLSHandshakeTimeout: 10 * time.Second,
		ResponseHeaderTimeout: answerWithin, MaxResponseHeaderBytes: maxHeader, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute,
		DisableCompression: true, ForceAttemptHTTP2: true}
	c := &Client{base: base, settings: settings, dialer: dialer}
	c.http = &http.Client{Transport: transport, Jar: jar, CheckRedirect: c.checkRedirect}
	return c, nil
}

// Close releases idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// errForeignHost is the cause of a refused redirect or link.
var errForeignHost = errors.New("the answer leads to another host")

// checkRedirect keeps credentials on the configured host.
func (c *Client) checkRedirect(next *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= maxRedirects:
		return errors.New("too many redirects")
	case next.URL.Host != c.base.Host || next.URL.Scheme != c.base.Scheme:
		return errForeignHost
	}
	return nil
}

// Local takes the path, below the base address, and the query of a link that
// an answer carries. Links often name inner hosts, so the host is ignored and
// never contacted.
func (c *Client) Local(link string) (path string, query url.Values, err error) {
	address, err := url.Parse(link)
	if err != nil {
		return "", nil, connector.Failed(connector.KeyProtocol, fmt.Errorf("read link: %w", err))
	}
	query, err = url.ParseQuery(address.RawQuery)
	if err != nil {
		return "", nil, connector.Failed(connector.KeyProtocol, fmt.Errorf("read query of link: %w", err))
	}
	path = address.Path
	if strings.HasPrefix(path, "/") {
		path = strings.TrimPrefix(path, c.base.Path)
	}
	return "/" + strings.TrimLeft(path, "/"), query, nil
}

// Do sends a request. A status below 400, and 404, 409, 412 and 428, which
// have a meaning of their own in each protocol, come back as answers; others
// as faults that still carry the answer. A source that asks to come back
// within half a minute is obeyed once.
func (c *Client) Do(ctx context.Context, request Request) (Response, error) {
	for attempt := 0; ; attempt++ {
		response, err := c.exchange(ctx, request)
		if err != nil {
			return Response{}, err
		}
		wait, asked := retryAfter(response)
		if !asked || attempt > 0 {
			return response, judge(response)
		}
		select {
		case <-ctx.Done():
			return Response{}, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (c *Client) exchange(ctx context.Context, request Request) (Response, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	outgoing, err := c.prepare(ctx, request)
	if err != nil {
		return Response{}, err
	}
	incoming, err := c.http.Do(outgoing)
	if err != nil {
		return Response{}, wordFailure(ctx, err)
	}
	defer incoming.Body.Close()
	body, err := readBody(incoming)
	if err != nil {
		return Response{}, wordFailure(ctx, err)
	}
	return Response{Status: incoming.StatusCode, Header: incoming.Header, Body: body}, nil
}

func (c *Client) prepare(ctx context.Context, request Request) (*http.Request, error) {
	address := *c.base
	address.Path = c.base.Path + "/" + strings.TrimLeft(request.Path, "/")
	address.RawPath = ""
	address.RawQuery = strings.ReplaceAll(request.Query.Encode(), "+", "%20")
	method := request.Method
	if method == "" {
		method = http.MethodGet
	}
	outgoing, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(request.Body))
	if err != nil {
		return nil, fmt.Errorf("prepare request: %w", err)
	}
	outgoing.Header.Set("Accept", "application/json")
	outgoing.Header.Set("Accept-Encoding", "gzip")
	outgoing.Header.Set("User-Agent", "optria-iq")
	for name, values := range request.Header {
		outgoing.Header[http.CanonicalHeaderKey(name)] = values
	}
	c.settings.authorize(outgoing)
	return outgoing, nil
}

// readBody reads an answer and refuses one that is larger than MaxBody, be it
// only once it is unpacked.
func readBody(incoming *http.Response) ([]byte, error) {
	var content io.Reader = incoming.Body
	if strings.EqualFold(incoming.Header.Get("Content-Encoding"), "gzip") {
		unpacked, err := gzip.NewReader(incoming.Body)
		if err != nil {
			return nil, connector.Failed(connector.KeyProtocol, fmt.Errorf("unpack answer: %w", err))
		}
		content = unpacked
	}
	body, err := io.ReadAll(io.LimitReader(content, MaxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > MaxBody {
		return nil, connector.Failed(connector.KeyTooLarge, fmt.Errorf("more than %d bytes", MaxBody))
	}
	return body, nil
}

// wordFailure turns a failure below HTTP into a fault. It quotes no address,
// since a query may hold what a log should not.
func wordFailure(ctx context.Context, err error) error {
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err
	}
	var known *fault.Error
	shown, refused := refusedCertificate(err)
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case errors.Is(err, errForeignHost):
		return connector.Failed(connector.KeyRefusedHost, err)
	case refused:
		return connector.WrongCertificate(shown, err)
	}
	return connector.Unreachable(err)
}

// judge words the statuses that no caller can use.
func judge(response Response) error {
	status := response.Status
	switch {
	case status < 400, status == http.StatusNotFound, status == http.StatusConflict, status == http.StatusPreconditionFailed, status == http.StatusPreconditionRequired:
		return nil
	}
	key := connector.KeySourceError
	switch status {
	case http.StatusUnauthorized:
		key = connector.KeyCredentials
	case http.StatusForbidden:
		key = connector.KeyForbidden
	case http.StatusRequestEntityTooLarge:
		key = connector.KeyTooLarge
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		key = connector.KeyThrottled
	}
	return connector.Failed(key, &StatusError{Response: response})
}

// StatusError is the cause of a fault that an answer's status made. It names
// the status only; the body may repeat what was sent.
type StatusError struct{ Response Response }

// Error describes the status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("HTTP status %d %s", e.Response.Status, http.StatusText(e.Response.Status))
}

// Answer returns the answer that a failed exchange carries, if any.
func Answer(err error) (Response, bool) {
	var status *StatusError
	if errors.As(err, &status) {
		return status.Response, true
	}
	return Response{}, false
}

// retryAfter reports whether a throttled answer names a bearable wait.
func retryAfter(response Response) (time.Duration, bool) {
	if response.Status != http.StatusTooManyRequests && response.Status != http.StatusServiceUnavailable {
		return 0, false
	}
	text := response.Header.Get("Retry-After")
	wait := maxRetryAfter + 1
	if seconds, err := time.ParseDuration(text + "s"); err == nil {
		wait = seconds
	} else if at, err := http.ParseTime(text); err == nil {
		wait = max(0, time.Until(at))
	}
	return wait, wait >= 0 && wait <= maxRetryAfter
}
