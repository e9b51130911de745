package piwebapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/connector/piwebapi/piwebapitest"
	"github.com/optria-iq/optria/internal/testkit"
)

// hostile serves a handler in place of PI Web API; calls that it leaves
// unanswered go to a simulator with one pump.
func hostile(t *testing.T, handler func(w http.ResponseWriter, r *http.Request) bool) *Connector {
	t.Helper()
	simulator := piwebapitest.New(piwebapitest.Pump("P-101", noon, time.Minute)...)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !handler(w, r) {
			simulator.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return connect(t, server)
}

const vibration = `\\PISRV01\P-101.VIB`

// operations runs every capability once and returns what each failed with.
func operations(ctx context.Context, c *Connector) map[string]error {
	failures := map[string]error{}
	_, failures["poll"] = c.Poll(ctx, connector.PollRequest{Tags: []string{vibration}, Since: noon.Add(-time.Minute), Until: noon})
	_, failures["sample"] = c.Sample(ctx, []string{vibration})
	_, failures["browse"] = c.Browse(ctx, "")
	_, failures["browse a server"] = c.Browse(ctx, "server:F1DSb3B0cmlhcGlzcnYwMQAAAQUElTUlYwMQ")
	return failures
}

func TestStatusesHaveAKeyEach(t *testing.T) {
	t.Parallel()
	for status, key := range map[int]string{401: connector.KeyCredentials, 403: connector.KeyForbidden, 413: connector.KeyTooLarge, 409: connector.KeySourceError,
		429: connector.KeyThrottled, 500: connector.KeySourceError, 502: connector.KeySourceError, 503: connector.KeyThrottled} {
		c := hostile(t, func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"Errors":["%s"]}`, piwebapitest.Password)
			return true
		})
		for name, err := range operations(t.Context(), c) {
			require.Equal(t, key, connector.MessageKey(err), "%s with %d", name, status)
			require.NotContains(t, err.Error(), piwebapitest.Password)
		}
		steps := c.Test(t.Context())
		require.Equal(t, connector.StepSession, steps[len(steps)-1].Name)
		require.Equal(t, key, steps[len(steps)-1].Code)
	}
}

func TestWrongShapesAreProtocolFaults(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "null null", "[]", `"x"`, "5", `{"Items":5}`, `{"Items":[5]}`, `{"Items":{}}`, "<html>login</html>", `{"Items":[`, "\xff\xfe"} {
		c := hostile(t, func(w http.ResponseWriter, r *http.Request) bool { _, _ = io.WriteString(w, body); return true })
		for name, err := range operations(t.Context(), c) {
			require.Equal(t, connector.KeyProtocol, connector.MessageKey(err), "%s with %q", name, body)
		}
	}
	c := hostile(t, func(w http.ResponseWriter, r *http.Request) bool { _, _ = io.WriteString(w, "null"); return true })
	batch, err := c.Poll(t.Context(), connector.PollRequest{Tags: []string{vibration}, Since: noon.Add(-time.Minute), Until: noon})
	require.NoError(t, err)
	require.Equal(t, []string{vibration}, batch.Notices[0].Tags, "an answer without points knows no point")
}

// onBatch answers the calls of a batch with the same content.
func onBatch(status int, content string) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/batch") {
			return false
		}
		var calls map[string]json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&calls)
		var parts []string
		for id := range calls {
			parts = append(parts, fmt.Sprintf(`"%s":{"Status":%d,"Headers":{"Retry-After":"0","X":["y"]},"Content":%s}`, id, status, content))
		}
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, "{"+strings.Join(parts, ",")+"}")
		return true
	}
}

func TestBatchesThatDoNotFit(t *testing.T) {
	t.Parallel()
	event := `{"Timestamp":"2026-03-10T11:59:30Z","Value":1,"Good":true}`
	full := `{"Items":[` + strings.Repeat(event+",", defaultPage-1) + event + `]}`
	old := strings.ReplaceAll(full, "2026-03", "2025-03")
	for name, c := range map[string]struct {
		status       int
		content, key string
	}{
		"not an object":         {200, `5`, connector.KeyProtocol},
		"events are words":      {200, `{"Items":["x"]}`, connector.KeyProtocol},
		"a time is a word":      {200, `{"Items":[{"Timestamp":"yesterday","Value":1,"Good":true}]}`, connector.KeyProtocol},
		"a flag is a number":    {200, `{"Items":[{"Timestamp":"2026-03-10T11:59:30Z","Value":1,"Good":1}]}`, connector.KeyProtocol},
		"backwards":             {200, `{"Items":[` + strings.Replace(event, "59:30", "59:40", 1) + `,` + event + `]}`, connector.KeyProtocol},
		"full of other days":    {200, old, connector.KeyProtocol},
		"throttled for ever":    {429, `{"Errors":["slow down"]}`, connector.KeyThrottled},
		"failed":                {500, `{"Errors":["archive"]}`, connector.KeySourceError},
		"failed inside":         {200, `{"WebException":{"StatusCode":500,"Errors":["archive"]}}`, connector.KeySourceError},
		"credentials gone":      {401, `{}`, connector.KeyCredentials},
		"nothing may be read":   {403, `{"Errors":["denied"]}`, connector.KeyForbidden},
		"every call is refused": {400, `{"Errors":["The parameter is wrong."]}`, connector.KeySourceError},
		"a limit of nothing":    {400, `{"Errors":["greater than the maximum allowed (0)"]}`, connector.KeySourceError},
		"a limit above asked":   {400, `{"Errors":["greater than the maximum allowed (999999999)"]}`, connector.KeySourceError},
		"status of nothing":     {0, `null`, connector.KeySourceError},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := hostile(t, onBatch(c.status, c.content)).Poll(t.Context(), connector.PollRequest{Tags: []string{vibration}, Since: noon.Add(-time.Minute), Until: noon})
			require.Equal(t, c.key, connector.MessageKey(err), "%v", err)
		})
	}
	_, err := hostile(t, func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/batch") {
			_, _ = io.WriteString(w, `{"other":{"Status":200}}`)
			return true
		}
		return false
	}).Poll(t.Context(), connector.PollRequest{Tags: []string{vibration}, Since: noon.Add(-time.Minute), Until: noon})
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err), "an answer is missing")
}

func TestOneRefusedPointDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	points := piwebapitest.Pump("P-101", noon, time.Minute)
	points[1].Forbidden = true
	simulator := piwebapitest.New(points...)
	c := connect(t, simulator.Start(t))
	batch, err := c.Poll(t.Context(), connector.PollRequest{Tags: []string{points[0].Path(), points[1].Path()}, Since: noon.Add(-time.Minute), Until: noon})
	require.NoError(t, err)
	require.Len(t, batch.Readings, 59)
	require.Equal(t, []string{points[1].Path()}, batch.Notices[0].Tags)

	points[2].Broken = 500
	_, err = c.Poll(t.Context(), connector.PollRequest{Tags: []string{points[0].Path(), points[2].Path()}, Since: noon.Add(-time.Minute), Until: noon})
	require.Equal(t, connector.KeySourceError, connector.MessageKey(err), "what the archive has but does not give must not be passed over")
}

func TestEndlessAndRepeatingLists(t *testing.T) {
	t.Parallel()
	list := func(name func(start, i int) string) *Connector {
		return hostile(t, func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/points") {
				return false
			}
			start, _ := strconv.Atoi(r.URL.Query().Get("startIndex"))
			count, _ := strconv.Atoi(r.URL.Query().Get("maxCount"))
			var page strings.Builder
			for i := range count {
				page.WriteString(`,{"Name":"` + name(start, i) + `"}`)
			}
			_, _ = io.WriteString(w, `{"Links":{"Next":"http://169.254.169.254/points"},"Items":[`+page.String()[1:]+`]}`)
			return true
		})
	}
	folder := "server:F1DSb3B0cmlhcGlzcnYwMQAAAQUElTUlYwMQ"
	_, err := list(func(_, i int) string { return "same" + strconv.Itoa(i) }).Browse(t.Context(), folder)
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err))
	endless := list(func(start, i int) string { return strconv.Itoa(start + i) })
	endless.names = 25_000
	_, err = endless.Browse(t.Context(), folder)
	require.Equal(t, connector.KeyTooLarge, connector.MessageKey(err))
}

func TestHugeAnswersAreRefused(t *testing.T) {
	t.Parallel()
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = ' '
	}
	c := hostile(t, func(w http.ResponseWriter, r *http.Request) bool {
		for sent := 0; sent <= httpapi.MaxBody; sent += len(block) {
			if _, err := w.Write(block); err != nil {
				break
			}
		}
		return true
	})
	_, err := c.Browse(t.Context(), "")
	require.Equal(t, connector.KeyTooLarge, connector.MessageKey(err))
}

func TestRedirectsStayOnTheHost(t *testing.T) {
	t.Parallel()
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was contacted") }))
	t.Cleanup(stranger.Close)
	for _, target := range []string{"http://169.254.169.254/latest/meta-data", stranger.URL} {
		c := hostile(t, func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, target, http.StatusFound)
			return true
		})
		for name, err := range operations(t.Context(), c) {
			require.Equal(t, connector.KeyRefusedHost, connector.MessageKey(err), name)
		}
	}
}

func TestASlowDripEndsWithTheContext(t *testing.T) {
	t.Parallel()
	c := hostile(t, func(w http.ResponseWriter, r *http.Request) bool {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
		return true
	})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	started := time.Now()
	_, err := c.Browse(ctx, "")
	require.Error(t, err)
	require.Less(t, time.Since(started), 10*time.Second)
}

func TestFaultsOfTheNetworkHeal(t *testing.T) {
	t.Parallel()
	points := piwebapitest.Pump("P-101", noon, time.Hour)
	server := piwebapitest.New(points...).Start(t)
	proxy := testkit.NewFaultProxy(t, server.Listener.Addr().String())
	c := connect(t, server, func(config connector.Config) { config["base_url"] = "http://" + proxy.Address() + piwebapitest.Base })
	request := connector.PollRequest{Tags: []string{vibration}, Since: noon.Add(-time.Hour), Until: noon, Limit: 500}
	whole := drain(t, c, request)

	first, err := c.Poll(t.Context(), request)
	require.NoError(t, err)
	request.Since = first.Watermark
	c.ahead = ahead{} // as after a restart
	proxy.Refuse()
	_, err = c.Poll(t.Context(), request)
	require.Equal(t, connector.KeyUnreachable, connector.MessageKey(err), "%v", err)
	require.False(t, connector.NeedsPerson(err))
	proxy.Heal()

	proxy.Blackhole()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	started := time.Now()
	_, err = c.Poll(ctx, request)
	require.Equal(t, connector.KeyUnreachable, connector.MessageKey(err), "%v", err)
	require.Less(t, time.Since(started), 10*time.Second)
	proxy.Heal()
	proxy.Cut()
	rest := drain(t, c, request)
	require.Len(t, append(first.Readings, rest...), len(whole), "nothing lost and nothing twice")
}

func TestTheCertificateIsPinned(t *testing.T) {
	t.Parallel()
	server := piwebapitest.New(piwebapitest.Pump("P-101", noon, time.Minute)...).StartTLS(t)
	steps := connect(t, server).Test(t.Context())
	last := steps[len(steps)-1]
	require.Equal(t, connector.StepSecure, last.Name)
	require.Equal(t, connector.KeyCertificate, last.Code)
	pinned := connect(t, server, func(config connector.Config) {
		config["certificate_sha256"] = httpapi.Fingerprint(server.Certificate())
	})
	for _, step := range pinned.Test(t.Context()) {
		require.True(t, step.OK, "%s: %s", step.Name, step.Detail)
	}
}

func TestTheServicePathIsAdded(t *testing.T) {
	t.Parallel()
	opened, err := open(connector.Config{"base_url": "https://pi.corp.example/", "auth": "none"}, nil, &net.Dialer{})
	require.NoError(t, err)
	require.Equal(t, "https://pi.corp.example/piwebapi", opened.(*Connector).base)
	opened, err = open(connector.Config{"base_url": "https://gateway.example/sites/a/pi"}, nil, &net.Dialer{})
	require.NoError(t, err)
	require.Equal(t, "https://gateway.example/sites/a/pi", opened.(*Connector).base)
}

func TestInnerAddressesAreRefused(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://169.254.169.254/latest", "http://127.0.0.1:5432", "https://[::ffff:10.0.0.1]/piwebapi"} {
		opened, err := connector.Open(Kind, connector.Config{"base_url": base, "auth": "none"}, nil, nil)
		require.NoError(t, err)
		for name, err := range operations(t.Context(), opened.(*Connector)) {
			require.Equal(t, connector.KeyRefusedHost, connector.MessageKey(err), "%s of %s", name, base)
			require.True(t, connector.NeedsPerson(err))
		}
		steps := opened.(*Connector).Test(t.Context())
		require.Equal(t, connector.KeyRefusedHost, steps[len(steps)-1].Code)
	}
}
