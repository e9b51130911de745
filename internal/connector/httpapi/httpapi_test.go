package httpapi

import (
	"compress/gzip"
	"context"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/netguard"
)

func serve(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *Client) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server, client(t, Settings{BaseURL: server.URL + "/api", Auth: AuthBasic, Username: "reader", Password: "s3cret-word"}, &net.Dialer{})
}

func client(t *testing.T, settings Settings, dialer *net.Dialer) *Client {
	t.Helper()
	c, err := New(settings, dialer, nil)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func TestRequestsCarryPathQueryAndCredentials(t *testing.T) {
	t.Parallel()
	_, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		require.Equal(t, "reader s3cret-word", user+" "+password)
		_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery)
	})
	got, err := c.Do(t.Context(), Request{Path: "/Equipment(Name='a b')", Query: url.Values{"$filter": {"a eq 'b c'"}}})
	require.NoError(t, err)
	require.Equal(t, "GET /api/Equipment(Name='a b')?%24filter=a%20eq%20%27b%20c%27", string(got.Body), "blanks in a query must not be plus signs")
}

func TestStatusesBecomeFaults(t *testing.T) {
	t.Parallel()
	_, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		status := map[string]int{"/api/401": 401, "/api/403": 403, "/api/404": 404, "/api/412": 412, "/api/413": 413, "/api/429": 429, "/api/500": 500}[r.URL.Path]
		http.Error(w, "details", status)
	})
	for path, key := range map[string]string{"401": connector.KeyCredentials, "403": connector.KeyForbidden, "413": connector.KeyTooLarge,
		"429": connector.KeyThrottled, "500": connector.KeySourceError} {
		_, err := c.Do(t.Context(), Request{Path: path})
		require.Equal(t, key, connector.MessageKey(err), path)
		answer, ok := Answer(err)
		require.True(t, ok)
		require.Equal(t, "details\n", string(answer.Body))
		require.NotContains(t, err.Error(), "details")
	}
	for _, path := range []string{"404", "412"} {
		_, err := c.Do(t.Context(), Request{Path: path})
		require.NoError(t, err, "a protocol gives it a meaning")
	}
}

func TestThrottlingIsObeyedOnce(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	_, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		w.Header().Set("Retry-After", map[string]string{"/api/soon": "0", "/api/late": "3600"}[r.URL.Path])
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err := c.Do(t.Context(), Request{Path: "soon"})
	require.Equal(t, connector.KeyThrottled, connector.MessageKey(err))
	require.EqualValues(t, 2, calls.Load())
	_, err = c.Do(t.Context(), Request{Path: "late"})
	require.Equal(t, connector.KeyThrottled, connector.MessageKey(err))
	require.EqualValues(t, 3, calls.Load())
}

func TestHostileAnswersAreBounded(t *testing.T) {
	t.Parallel()
	_, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/endless":
			block := make([]byte, 1<<20)
			for {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		case "/api/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			block := make([]byte, 1<<20)
			for range MaxBody/len(block) + 2 {
				_, _ = packed.Write(block)
			}
			_ = packed.Close()
		case "/api/elsewhere":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
		case "/api/loop":
			http.Redirect(w, r, "/api/loop", http.StatusFound)
		}
	})
	for path, key := range map[string]string{"endless": connector.KeyTooLarge, "bomb": connector.KeyTooLarge,
		"elsewhere": connector.KeyRefusedHost, "loop": connector.KeyUnreachable} {
		_, err := c.Do(t.Context(), Request{Path: path})
		require.Equal(t, key, connector.MessageKey(err), "%s: %v", path, err)
		require.NotContains(t, err.Error(), "s3cret-word")
	}
}

func TestGuardIsAskedOnTheResolvedAddress(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, func(http.ResponseWriter, *http.Request) {})
	c := client(t, Settings{BaseURL: strings.Replace(server.URL, "127.0.0.1", "localhost", 1), Auth: AuthNone}, netguard.Guard{}.Dialer())
	_, err := c.Do(t.Context(), Request{})
	require.Equal(t, connector.KeyRefusedHost, connector.MessageKey(err))
	require.True(t, connector.NeedsPerson(err))
	steps := connector.RunChecks(t.Context(), c.Checks()...)
	require.Equal(t, connector.StepTCP, steps[len(steps)-1].Name)
	require.Equal(t, connector.KeyRefusedHost, steps[len(steps)-1].Code)
}

func TestCertificatesAreCheckedOrPinned(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	pin := Fingerprint(server.Certificate())
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	for name, x := range map[string]struct {
		settings Settings
		key      string
	}{
		"unknown authority": {Settings{}, connector.KeyCertificate},
		"given authority":   {Settings{CA: ca}, ""},
		"right pin":         {Settings{Fingerprint: pin}, ""},
		"wrong pin":         {Settings{Fingerprint: strings.Repeat("AB", 32)}, connector.KeyCertificate},
	} {
		x.settings.BaseURL, x.settings.Auth = server.URL, AuthNone
		c := client(t, x.settings, &net.Dialer{})
		_, err := c.Do(t.Context(), Request{})
		steps := connector.RunChecks(t.Context(), c.Checks()...)
		last := steps[len(steps)-1]
		require.Equal(t, connector.StepSecure, last.Name)
		require.Equal(t, x.key, last.Code, name)
		if x.key == "" {
			require.NoError(t, err, name)
			require.Contains(t, last.Detail, pin)
			continue
		}
		require.Equal(t, x.key, connector.MessageKey(err), name)
	}
}

func TestNewerCertificateThanThePinnedOneIsNamed(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	c := client(t, Settings{BaseURL: server.URL, Fingerprint: strings.Repeat("00", 32)}, &net.Dialer{})
	_, err := c.Do(t.Context(), Request{})
	require.ErrorContains(t, err, Fingerprint(server.Certificate()), "a person compares it with the server")
}

func TestLinksLoseTheirHost(t *testing.T) {
	t.Parallel()
	c := client(t, Settings{BaseURL: "https://pi.example/piwebapi"}, &net.Dialer{})
	for link, want := range map[string]string{
		"http://10.0.0.1/piwebapi/points?startIndex=5": "/points",
		"/piwebapi/points?startIndex=5":                "/points",
		"points?startIndex=5":                          "/points",
	} {
		path, query, err := c.Local(link)
		require.NoError(t, err)
		require.Equal(t, want, path, link)
		require.Equal(t, "5", query.Get("startIndex"))
	}
	_, _, err := c.Local("http://[::1")
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err))
}

func TestCancelledRequestsSaySo(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	_, c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err := c.Do(ctx, Request{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestSettingsRefuseCredentialsInTheClear(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{"https://pi.example": "", "http://127.0.0.1:48000": "", "http://pi.example": ErrClear,
		"ftp://pi.example": ErrScheme, "https://pi.example?x=1": ErrScheme} {
		require.Equal(t, want, CheckSettings(connector.Config{"base_url": base, "username": "u"})["base_url"], base)
	}
	problems := CheckSettings(connector.Config{"base_url": "https://pi.example", "certificate_sha256": "AB", "ca_certificate": "x"})
	require.Equal(t, map[string]string{"username": ErrUsername, "certificate_sha256": ErrFingerprint, "ca_certificate": ErrCA}, problems)
}

func FuzzLocal(f *testing.F) {
	f.Add("http://10.0.0.1/piwebapi/points?startIndex=5")
	f.Add("//evil.example/x")
	f.Add("../../x?y=%zz")
	c, err := New(Settings{BaseURL: "https://pi.example/piwebapi"}, &net.Dialer{}, nil)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, link string) {
		path, query, err := c.Local(link)
		if err != nil {
			return
		}
		request, err := c.prepare(t.Context(), Request{Path: path, Query: query})
		if err == nil {
			require.Equal(t, "pi.example", request.URL.Host)
		}
	})
}
