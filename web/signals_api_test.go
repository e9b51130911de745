package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
)

func TestSignalsAPI(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	viewer, _ := f.issue(plantTenant, access.ServiceAccount, soon(), "read:results")
	foreign, _ := f.issue("ARAMCO_DEMO", access.TenantAdmin, soon(), access.Scopes()...)
	items := func(path string) []any {
		status, body, _ := f.call(viewer, http.MethodGet, path, nil)
		require.Equal(t, http.StatusOK, status, body)
		found, ok := body["items"].([]any)
		require.True(t, ok, path)
		return found
	}
	a := f.assetOf(plantTenant, "SHQ-HP-02")
	signals := items("/signals?asset=" + a.ID.String())
	require.NotEmpty(t, signals)
	first, ok := signals[0].(map[string]any)
	require.True(t, ok)
	require.Equal(t, "SHQ-HP-02", first["asset"])
	id := fmt.Sprintf("%.0f", first["id"])
	require.Len(t, items("/signals?limit=1"), 1)
	require.NotEmpty(t, items("/signals/latest?limit=5000"))
	require.Len(t, items("/signals/statistics?asset="+a.ID.String()), len(signals))

	status, body, _ := f.call(viewer, http.MethodGet, "/signals?limit=2", nil)
	require.Equal(t, http.StatusOK, status)
	status, second, _ := f.call(viewer, http.MethodGet, "/signals?limit=2&cursor="+fmt.Sprint(body["next"]), nil)
	require.Equal(t, http.StatusOK, status)
	require.NotEqual(t, body["items"], second["items"])

	series := "/signals/" + id + "/series"
	status, chart, _ := f.call(viewer, http.MethodGet, series+"?points=100&from="+url.QueryEscape(time.Now().AddDate(0, 0, -5).Format(time.RFC3339)), nil)
	require.Equal(t, http.StatusOK, status, chart)
	bands, ok := chart["bands"].([]any)
	require.True(t, ok)
	require.NotEmpty(t, bands)
	require.LessOrEqual(t, len(bands), 101)
	status, raw, _ := f.call(viewer, http.MethodGet, series+"?kind=raw&limit=3", nil)
	require.Equal(t, http.StatusOK, status, raw)
	require.Len(t, raw["samples"], 3)
	status, more, _ := f.call(viewer, http.MethodGet, series+"?kind=raw&limit=3&cursor="+fmt.Sprint(raw["next"]), nil)
	require.Equal(t, http.StatusOK, status, more)
	require.NotEqual(t, raw["samples"], more["samples"])

	for path, want := range map[string]int{
		series + "?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z":               http.StatusUnprocessableEntity,
		series + "?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z":               http.StatusUnprocessableEntity,
		series + "?kind=raw&cursor=YQ":                                              http.StatusUnprocessableEntity,
		series + "?points=9999":                                                     http.StatusUnprocessableEntity,
		"/signals?cursor=YQ":                                                        http.StatusUnprocessableEntity,
		"/signals/statistics?from=2026-01-01T00:00:00Z&to=2026-05-01T00:00:00Z":     http.StatusUnprocessableEntity,
		"/signals/999999999/series":                                                 http.StatusNotFound,
		"/signals/statistics?from=2026-01-01T00:00:00Z&to=2026-01-02T00:30:00.123Z": http.StatusOK,
	} {
		status, body, _ := f.call(viewer, http.MethodGet, path, nil)
		require.Equal(t, want, status, "%s %v", path, body)
	}
	status, _, _ = f.call(foreign, http.MethodGet, series, nil)
	require.Equal(t, http.StatusNotFound, status)
	status, body, _ = f.call(foreign, http.MethodGet, "/signals?asset="+a.ID.String(), nil)
	require.Equal(t, http.StatusOK, status)
	require.Empty(t, body["items"])
}
