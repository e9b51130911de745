package web_test

import (
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/uitest"
	"github.com/optria-iq/optria/workflows"
)

func TestEveryOperationIsDescribed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	viewer := f.as("ARAMCO_DEMO", access.Viewer)
	_, list := f.get(viewer, "/developers?lang=en")
	_, text := f.get(http.DefaultClient, "/api/v1/openapi.json")
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Capability  string `json:"x-capability"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &doc))
	for path, operations := range doc.Paths {
		for method, operation := range operations {
			require.Contains(t, list, "/developers?op="+operation.OperationID)
			status, page := f.get(viewer, "/developers?op="+operation.OperationID+"&lang=ar")
			require.Equal(t, http.StatusOK, status, operation.OperationID)
			require.Contains(t, page, operation.Capability, operation.OperationID)
			require.Contains(t, page, path, operation.OperationID)
			require.Empty(t, untranslated.FindAllString(page, -1), operation.OperationID)
			if method != "get" {
				require.Contains(t, page, "Idempotency-Key", operation.OperationID)
			}
		}
	}
	status, _ := f.get(viewer, "/developers?op=no-such-operation")
	require.Equal(t, http.StatusNotFound, status)
	_, found := f.get(viewer, "/developers?q=idempot&lang=en")
	require.NotContains(t, found, "/developers?op=create-run")
	_, found = f.get(viewer, "/developers?q=/RUNS&lang=en")
	require.Contains(t, found, "/developers?op=create-run")
	require.NotContains(t, found, "/developers?op=list-assets")
}

var exampleBody = regexp.MustCompile(`(?s)-d &#39;(\{.*?\})&#39;</pre>`)

// TestExampleIsTaken sends the example of the page to the API.
func TestExampleIsTaken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, page := f.get(f.as("ARAMCO_DEMO", access.TenantAdmin), "/developers?op=create-run&lang=en")
	shown := exampleBody.FindStringSubmatch(page)
	require.NotNil(t, shown, visible(page))
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(html.UnescapeString(shown[1])), &body))
	body["start"] = runBody()["start"] // the example's day may have passed
	raw, _ := f.issue("ARAMCO_DEMO", access.TenantAdmin, soon(), access.Scopes()...)
	status, answer, _ := f.call(raw, http.MethodPost, "/runs", body, "Idempotency-Key", "example-1")
	require.Equal(t, http.StatusAccepted, status, answer)
	require.True(t, strings.Contains(page, "required"))
}

func TestAccessPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	t.Parallel()
	f := newFixture(t)
	_, token := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), "read:results")
	run := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	f.flows.timeline = func(string) (workflows.Timeline, error) { return told(f), nil }
	browser := f.signedIn("ARAMCO_DEMO", access.TenantAdmin)
	for name, path := range map[string]string{"tokens": "/tokens", "rotation": "/tokens/" + token.String() + "/rotate", "developers": "/developers",
		"operation": "/developers?op=create-run", "history": "/runs/" + run.String() + "/history"} {
		t.Run(name, func(t *testing.T) { uitest.CheckPage(t, browser, f.srv.URL+path) })
	}
}
