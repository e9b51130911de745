package oracleeam

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/connector/oracleeam/oracleeamtest"
	"github.com/optria-iq/optria/internal/testkit"
)

// hostile serves a handler in place of Fusion; calls that it leaves unanswered
// go to a simulator.
func hostile(t *testing.T, handler func(w http.ResponseWriter, r *http.Request) bool) *Connector {
	t.Helper()
	simulator := oracleeamtest.New()
	simulator.Seed(20)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !handler(w, r) {
			simulator.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return connect(t, server)
}

// operations runs every capability once and returns what each failed with.
func operations(ctx context.Context, c *Connector) map[string]error {
	failures := map[string]error{}
	_, failures["assets"] = c.ReadAssets(ctx, connector.RecordRequest{})
	_, failures["orders"] = c.ReadWorkOrders(ctx, connector.RecordRequest{})
	_, _, failures["find"] = c.FindWorkOrder(ctx, "OPT-1")
	_, failures["create"] = c.CreateWorkOrder(ctx, draft())
	_, failures["change"] = c.ChangeWorkOrder(ctx, "300000400000001", "v", connector.WorkOrderChange{State: connector.OrderClosed})
	return failures
}

// collections lets descriptions through and answers the rest with a body.
func collections(body string) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/describe") {
			return false
		}
		_, _ = io.WriteString(w, body)
		return true
	}
}

func TestStatusesHaveAKeyEach(t *testing.T) {
	t.Parallel()
	for status, key := range map[int]string{400: connector.KeySourceError, 401: connector.KeyCredentials, 403: connector.KeyForbidden, 404: connector.KeySourceError, 412: connector.KeyChanged,
		413: connector.KeyTooLarge, 428: connector.KeyChanged, 429: connector.KeyThrottled, 500: connector.KeySourceError, 503: connector.KeyThrottled} {
		c := hostile(t, func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"title":"No","status":"x","o:errorDetails":[{"detail":"in the words\n of the service"}]}`)
			return true
		})
		for name, err := range operations(t.Context(), c) {
			require.Equal(t, key, connector.MessageKey(err), "%s with %d", name, status)
			require.NotContains(t, err.Error(), oracleeamtest.Password)
			if status == 400 {
				require.ErrorContains(t, err, "in the words of the service")
			}
		}
		steps := c.Test(t.Context())
		require.Equal(t, connector.StepSession, steps[len(steps)-1].Name)
		require.Equal(t, key, steps[len(steps)-1].Code)
	}
}

func TestConnectionTest(t *testing.T) {
	t.Parallel()
	_, server := seeded(t, 30)
	details := ""
	for _, step := range connect(t, server).Test(t.Context()) {
		require.True(t, step.OK, "%s: %s", step.Name, step.Detail)
		details += step.Detail + "\n"
	}
	for _, want := range []string{"installedBaseAssets: 10 attributes", "structures by relationships", "30 assets, 30 work orders", "asset PMP-0001", "work order WO-00001, ORA_RELEASED"} {
		require.Contains(t, details, want)
	}
	steps := connect(t, oracleeamtest.New().Start(t)).Test(t.Context())
	require.Equal(t, connector.KeyForbidden, steps[len(steps)-1].Code)
}

func TestWrongShapesAreProtocolFaults(t *testing.T) {
	t.Parallel()
	row := func(fields string) string { return `{"items":[{` + fields + `}],"hasMore":false}` }
	link := `"links":[{"rel":"self","href":"https://x/maintenanceWorkOrders/1"}]`
	for _, body := range []string{"", "[]", `"x"`, `{"items":5}`, `{"items":[5]}`, "<html>login</html>", `{"items":[`, "\xff",
		row(`"AssetId":"x","WorkOrderId":"x","LastUpdateDate":"2026-01-01T00:00:00+00:00"`),
		row(`"AssetId":1,"WorkOrderId":1,"LastUpdateDate":"yesterday"`),
		row(`"AssetId":1,"WorkOrderId":1`),
		row(`"AssetId":{},"WorkOrderId":[],"LastUpdateDate":"2026-01-01T00:00:00+00:00"`),
		`{"items":[],"hasMore":true}`,
		`{"items":[{"AssetId":2,"WorkOrderId":2,"LastUpdateDate":"2026-01-02T00:00:00+00:00"},{"AssetId":1,"WorkOrderId":1,"LastUpdateDate":"2026-01-01T00:00:00+00:00"}]}`,
	} {
		c := hostile(t, collections(body))
		for _, name := range []string{"assets", "orders"} {
			require.Equal(t, connector.KeyProtocol, connector.MessageKey(operations(t.Context(), c)[name]), "%s with %q", name, body)
		}
	}
	for name, body := range map[string]string{"no link": `"WorkOrderStatusCode":"ORA_UNRELEASED","WorkOrderId":1`,
		"link to elsewhere": `"WorkOrderStatusCode":"ORA_UNRELEASED","WorkOrderId":1,` + strings.Replace(link, "maintenanceWorkOrders", "users", 1),
		"link with dots":    `"WorkOrderStatusCode":"ORA_UNRELEASED","WorkOrderId":1,` + strings.Replace(link, "WorkOrders/1", "WorkOrders/../users/1", 1)} {
		_, err := hostile(t, collections(row(body))).ChangeWorkOrder(t.Context(), "1", "v", connector.WorkOrderChange{State: connector.OrderClosed})
		require.Equal(t, connector.KeyProtocol, connector.MessageKey(err), name)
	}
}

func TestPagesWithoutEnd(t *testing.T) {
	t.Parallel()
	same := `{"items":[{"AssetId":1,"WorkOrderId":1,"LastUpdateDate":"2026-01-01T00:00:00+00:00"}],"hasMore":true}`
	c := hostile(t, collections(same))
	page, err := c.ReadWorkOrders(t.Context(), connector.RecordRequest{})
	require.NoError(t, err)
	_, err = c.ReadWorkOrders(t.Context(), connector.RecordRequest{Cursor: page.Cursor})
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err), "the same page again and again")
	_, err = c.ReadAssets(t.Context(), connector.RecordRequest{})
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err), "structures that repeat themselves")
	children := hostile(t, func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/child/") && !strings.Contains(r.URL.Query().Get("fields"), "relationships") {
			return false
		}
		_, _ = io.WriteString(w, `{"items":[{"AssetId":1,"relationships":{"items":[],"hasMore":true}}],"hasMore":true}`)
		return true
	})
	_, err = children.ReadAssets(t.Context(), connector.RecordRequest{})
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err), "children that do not end")
}

func TestHugeAnswersAndRedirects(t *testing.T) {
	t.Parallel()
	block := []byte(strings.Repeat(" ", 1<<20))
	c := hostile(t, func(w http.ResponseWriter, r *http.Request) bool {
		for sent := 0; sent <= httpapi.MaxBody; sent += len(block) {
			if _, err := w.Write(block); err != nil {
				break
			}
		}
		return true
	})
	_, err := c.ReadAssets(t.Context(), connector.RecordRequest{})
	require.Equal(t, connector.KeyTooLarge, connector.MessageKey(err))

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

func TestThrottlingIsHonoured(t *testing.T) {
	t.Parallel()
	simulator, server := seeded(t, 20)
	c := connect(t, server)
	simulator.Throttle(1)
	require.Len(t, assets(t, c, connector.RecordRequest{}), 20)
	simulator.Throttle(2)
	_, err := c.ReadWorkOrders(t.Context(), connector.RecordRequest{})
	require.Equal(t, connector.KeyThrottled, connector.MessageKey(err))
}

func TestFaultsOfTheNetworkHeal(t *testing.T) {
	t.Parallel()
	_, server := seeded(t, 130)
	proxy := testkit.NewFaultProxy(t, server.Listener.Addr().String())
	c := connect(t, server, func(config connector.Config) { config["base_url"] = "http://" + proxy.Address() })
	first, err := c.ReadAssets(t.Context(), connector.RecordRequest{Limit: 40})
	require.NoError(t, err)
	next := connector.RecordRequest{Limit: 40, Cursor: first.Cursor}
	proxy.Refuse()
	_, err = c.ReadAssets(t.Context(), next)
	require.Equal(t, connector.KeyUnreachable, connector.MessageKey(err))
	proxy.Heal()
	proxy.Blackhole()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	started := time.Now()
	_, err = c.ReadAssets(ctx, next)
	require.Equal(t, connector.KeyUnreachable, connector.MessageKey(err))
	require.Less(t, time.Since(started), 10*time.Second)
	proxy.Heal()
	proxy.Cut()
	require.Len(t, append(first.Records, assets(t, c, next)...), 130)
}

func TestSettingsThatWouldChangeAPathAreRefused(t *testing.T) {
	t.Parallel()
	for field, value := range map[string]string{"version": "../../admin", "organization": "M1' or 'a'='a"} {
		_, err := connector.Open(Kind, connector.Config{"base_url": "https://x.example", "username": "u", field: value}, nil, nil)
		require.Contains(t, connector.FieldErrors(err), field)
	}
	for base, want := range map[string]string{"https://x.example/": "/fscmRestApi/resources/11.13.18.05", "https://x.example/proxy": "/proxy/fscmRestApi/resources/11.13.18.05",
		"https://x.example/fscmRestApi/resources/latest/": "/fscmRestApi/resources/latest"} {
		opened, err := connector.Open(Kind, connector.Config{"base_url": base, "username": "u"}, nil, nil)
		require.NoError(t, err)
		require.Equal(t, "https://x.example"+want, opened.(*Connector).settings.BaseURL, base)
	}
}

func TestWordsOfTheServiceAreBounded(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{"": "", "<html><body>x": "", "plain words": "plain words", `{"title":"Bad Request"}`: "Bad Request",
		`{"o:errorDetails":[{"detail":"a"},{"detail":"b"}]}`: "a; b", `{"title":5}`: `{"title":5}`} {
		require.Equal(t, want, errorDetails([]byte(body)))
	}
	require.Len(t, []rune(errorDetails([]byte(fmt.Sprintf(`{"title":%q}`, strings.Repeat("ضض", 1000))))), longestDetail+1)
}

func TestInnerAddressesAreRefused(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://169.254.169.254/latest", "http://127.0.0.1:5432"} {
		opened, err := connector.Open(Kind, connector.Config{"base_url": base, "auth": "none"}, nil, nil)
		require.NoError(t, err)
		for name, err := range operations(t.Context(), opened.(*Connector)) {
			require.Equal(t, connector.KeyRefusedHost, connector.MessageKey(err), "%s of %s", name, base)
		}
	}
}
