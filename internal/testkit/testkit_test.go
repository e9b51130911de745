package testkit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/optria-iq/optria/internal/testkit"
)

var builds atomic.Int32

// counters is a template with one table and one row.
var counters = testkit.Template{Key: "counters", Build: func(ctx context.Context, url string) error {
	builds.Add(1)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "CREATE TABLE counter (n int); INSERT INTO counter VALUES (1); CREATE ROLE plain LOGIN"); err != nil {
		return err
	}
	return conn.Close(ctx)
}}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestDatabasesAreCopiesOfOneTemplate(t *testing.T) {
	t.Parallel()
	for i := range 6 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			conn := connect(t, testkit.Database(t, counters))
			var n int
			require.NoError(t, conn.QueryRow(t.Context(), "UPDATE counter SET n = n + 1 RETURNING n").Scan(&n))
			require.Equal(t, 2, n, "another test's change must not be visible")
			require.EqualValues(t, 1, builds.Load())
		})
	}
}

func TestDatabaseAsAnotherRole(t *testing.T) {
	t.Parallel()
	url, err := testkit.As(testkit.Database(t, counters), "plain")
	require.NoError(t, err)
	_, err = connect(t, url).Exec(t.Context(), "SELECT n FROM counter")
	require.ErrorContains(t, err, "permission denied")
}

func TestDatabaseIsDroppedAfterTheTest(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("inner", func(t *testing.T) { url = testkit.Database(t, counters) })
	_, err := pgx.Connect(t.Context(), url)
	require.ErrorContains(t, err, "does not exist")
}

func greeting(ctx workflow.Context, name string) (string, error) {
	return "hello " + name, workflow.Sleep(ctx, time.Millisecond)
}

func TestTemporalNamespacesAreSeparate(t *testing.T) {
	t.Parallel()
	for i := range 2 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			address, namespace := testkit.Temporal(t)
			c, err := client.Dial(client.Options{HostPort: address, Namespace: namespace})
			require.NoError(t, err)
			defer c.Close()
			w := worker.New(c, "queue", worker.Options{})
			w.RegisterWorkflow(greeting)
			require.NoError(t, w.Start())
			defer w.Stop()
			key := temporal.NewSearchAttributeKeyKeyword(testkit.TenantSearchAttribute)
			run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
				ID: "same-id", TaskQueue: "queue", TypedSearchAttributes: temporal.NewSearchAttributes(key.ValueSet("acme")),
			}, greeting, "you")
			require.NoError(t, err)
			var said string
			require.NoError(t, run.Get(t.Context(), &said))
			require.Equal(t, "hello you", said)
		})
	}
}

func TestBrowserSeesPageAndConsole(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<!doctype html><meta charset=utf-8><title>t</title><link rel=icon href=data:,><h1 id=main>مرحبا</h1><script>console.log("fine");console.error("broken")</script>`)
	}))
	t.Cleanup(server.Close)
	for i := range 2 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			tab := testkit.Browser(t)
			require.NoError(t, chromedp.Do(tab, chromedp.Navigate(server.URL), chromedp.WaitVisible("#main")))
			text, err := chromedp.Run(tab, chromedp.Text("#main"))
			require.NoError(t, err)
			require.Equal(t, "مرحبا", text)
			require.Eventually(t, func() bool { return len(tab.Console()) == 2 }, 5*time.Second, 10*time.Millisecond)
			require.Len(t, tab.ConsoleErrors(), 1)
			require.Contains(t, tab.ConsoleErrors()[0], "broken")
		})
	}
}
