package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
)

// document is what the test needs of an OpenAPI document.
type document struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			Name, In string
			Required bool
			Schema   schema
		}
		RequestBody struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

// schema is the part of a JSON schema that the API uses.
type schema struct {
	Ref        string `json:"$ref"`
	Type       any    // a name, or a list with "null"
	Format     string
	Enum       []any
	MinLength  int
	Properties map[string]schema
	Items      *schema
}

// sample builds a value that a schema accepts; ids are those of the tenant
// that must not be reached.
func (d document) sample(s schema, id string) any {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return d.sample(d.Components.Schemas[name], id)
	}
	kind, ok := s.Type.(string)
	if list, several := s.Type.([]any); several {
		kind, ok = list[0].(string)
	}
	switch {
	case len(s.Enum) > 0:
		return s.Enum[len(s.Enum)-1]
	case !ok, kind == "object":
		out := map[string]any{}
		for name, property := range s.Properties {
			if name != "$schema" {
				out[name] = d.sample(property, id)
			}
		}
		return out
	case kind == "array":
		return []any{d.sample(*s.Items, id)}
	case kind == "boolean":
		return true
	case kind == "integer", kind == "number":
		return 1
	case s.Format == "date":
		return time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	case s.Format == "date-time":
		return time.Now().UTC().Format(time.RFC3339)
	case s.Format == "uuid":
		return id
	}
	return id + strings.Repeat("x", s.MinLength)
}

// clientAt calls from an address of its own, the n-th of this machine: requests
// are limited by address.
func clientAt(t testing.TB, n int) *http.Client {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(n+1))}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// ask sends one request with a token and returns status and text.
func (w *world) ask(client *http.Client, raw, method, path string, body any) (int, string) {
	w.Helper()
	var in io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		require.NoError(w, err)
		in = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(w.Context(), method, w.srv.URL+path, in)
	require.NoError(w, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", uuid.NewString())
	if raw != "" {
		request.Header.Set("Authorization", "Bearer "+raw)
	}
	response, err := client.Do(request)
	require.NoError(w, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(w, err)
	require.NoError(w, response.Body.Close())
	return response.StatusCode, string(text)
}

// TestNoOperationReachesAnotherTenant calls every operation of the API with
// ids of another tenant, with the query and the body that its own schema accepts, as an admin
// whose token carries every scope.
func TestNoOperationReachesAnotherTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secrets := w.secrets()
	before := w.checksum(w.tables, w.foreign.id)
	var doc document
	status, text := w.ask(http.DefaultClient, "", http.MethodGet, "/api/v1/openapi.json", nil)
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, json.Unmarshal([]byte(text), &doc))
	require.Greater(t, len(doc.Paths), 10)
	for i, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		client := clientAt(t, i)
		raw, _ := w.issue(ownTenant, access.TenantAdmin, soon(), access.Scopes()...) // one each: requests are limited by token
		for method, operation := range doc.Paths[path] {
			method = strings.ToUpper(method)
			var body any
			if content, ok := operation.RequestBody.Content["application/json"]; ok {
				body = doc.sample(content.Schema, w.foreign.ids["core.sites"])
			}
			query := url.Values{}
			for _, p := range operation.Parameters {
				if p.In == "query" && p.Required {
					query.Set(p.Name, fmt.Sprint(doc.sample(p.Schema, w.foreign.ids["core.sites"])))
				}
			}
			for _, address := range w.attacks(path) {
				if len(query) > 0 {
					address += "?" + query.Encode()
				}
				name := method + " " + address
				status, text := w.ask(client, raw, method, "/api/v1"+address, body)
				require.Less(t, status, 500, "%s\n%s", name, text)
				require.NotEqual(t, http.StatusTooManyRequests, status, name)
				if strings.Contains(path, "{") && !strings.Contains(text, `"location":"path.`) { // an id of another form is refused earlier
					require.Contains(t, []int{http.StatusNotFound, http.StatusForbidden}, status, "%s\n%s", name, text)
				}
				shown := slices.IndexFunc(secrets, func(s string) bool { return strings.Contains(text, s) })
				require.Negative(t, shown, "%s shows another tenant's data\n%s", name, text)
			}
		}
		require.Equal(t, before, w.checksum(w.tables, w.foreign.id), "%s changed another tenant's rows", path)
	}
	require.False(t, w.flows.mentions(w.foreign.id.String()), "a workflow was asked for another tenant")
}
