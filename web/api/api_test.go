package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/workflows"
)

// mounted is the API without a database, for what never reaches one.
func mounted(t *testing.T, perMinute int) (http.Handler, *API) {
	t.Helper()
	catalog, err := i18n.New()
	require.NoError(t, err)
	m := chi.NewRouter()
	a := Mount(m, Deps{Secret: []byte(strings.Repeat("k", 32)), Catalog: catalog, Log: slog.New(slog.DiscardHandler), Workflows: (*workflows.Client)(nil), PerMinute: perMinute})
	return m, a
}

func TestEveryOperationDeclaresACapability(t *testing.T) {
	t.Parallel()
	_, a := mounted(t, 0)
	seen := 0
	for path, item := range a.OpenAPI().Paths {
		for _, op := range []*struct{ id string }{opID(item.Get != nil, func() string { return item.Get.OperationID }), opID(item.Post != nil, func() string { return item.Post.OperationID }),
			opID(item.Put != nil, func() string { return item.Put.OperationID }), opID(item.Patch != nil, func() string { return item.Patch.OperationID }),
			opID(item.Delete != nil, func() string { return item.Delete.OperationID })} {
			if op == nil {
				continue
			}
			seen++
			need, ok := a.Capabilities()[op.id]
			require.True(t, ok, "%s %s declares no capability", path, op.id)
			require.NotEqual(t, access.Public, need, op.id)
			require.True(t, access.Known(need), op.id)
		}
	}
	require.Len(t, a.Capabilities(), seen, "every operation is in the document once")
	require.Greater(t, seen, 20)
}

func opID(present bool, id func() string) *struct{ id string } {
	if !present {
		return nil
	}
	return &struct{ id string }{id()}
}

func TestDocumentIsSound(t *testing.T) {
	t.Parallel()
	h, _ := mounted(t, 0)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Path+"/openapi.json", nil))
	require.Equal(t, http.StatusOK, w.Code)
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string           `json:"operationId"`
			Security    []map[string]any `json:"security"`
			Responses   map[string]any   `json:"responses"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &doc))
	require.Equal(t, "3.1.0", doc.OpenAPI)
	ids := map[string]bool{}
	for path, item := range doc.Paths {
		for method, op := range item {
			require.False(t, ids[op.OperationID], "%s twice", op.OperationID)
			ids[op.OperationID] = true
			require.NotEmpty(t, op.Security, "%s %s", method, path)
			for _, status := range []string{"401", "403", "404", "422", "429"} {
				require.Contains(t, op.Responses, status, op.OperationID)
			}
		}
	}
	for _, part := range strings.Split(w.Body.String(), `"$ref":"#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		require.Contains(t, doc.Components.Schemas, name, "a reference leads nowhere")
	}
}

func TestEveryOperationRefusesStrangers(t *testing.T) {
	t.Parallel()
	h, a := mounted(t, 1000)
	for path, item := range a.OpenAPI().Paths {
		for method, op := range map[string]bool{http.MethodGet: item.Get != nil, http.MethodPost: item.Post != nil, http.MethodPut: item.Put != nil, http.MethodDelete: item.Delete != nil} {
			if !op {
				continue
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, Path+strings.ReplaceAll(path, "{id}", uuid.NewString()), strings.NewReader("{}")))
			require.Equal(t, http.StatusUnauthorized, w.Code, "%s %s", method, path)
		}
	}
}

func TestRequestsAreLimitedByToken(t *testing.T) {
	t.Parallel()
	h, _ := mounted(t, 2)
	send := func(raw string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, Path+"/runs", nil)
		r.Header.Set("Authorization", "Bearer "+raw)
		r.Header.Set("Accept-Language", "ar")
		h.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, http.StatusUnauthorized, send("one").Code)
	require.Equal(t, http.StatusUnauthorized, send("one").Code)
	refused := send("one")
	require.Equal(t, http.StatusTooManyRequests, refused.Code)
	require.NotEmpty(t, refused.Header().Get("Retry-After"))
	require.Contains(t, refused.Body.String(), "limited")
	require.Equal(t, http.StatusUnauthorized, send("two").Code, "another token has its own count")
}

func TestCursorRoundTrip(t *testing.T) {
	t.Parallel()
	at, id := time.Now().UTC(), uuid.New()
	gotAt, gotID, err := Paging{Cursor: cursorOf(at.Format(time.RFC3339Nano), id.String())}.before(t.Context())
	require.NoError(t, err)
	require.True(t, at.Equal(*gotAt))
	require.Equal(t, id, gotID)
	for _, bad := range []string{"%", "YQ", cursorOf("x", "y"), cursorOf(at.Format(time.RFC3339Nano), "y")} {
		_, _, err := Paging{Cursor: bad}.before(t.Context())
		require.Error(t, err, bad)
	}
}
