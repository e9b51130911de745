package sap

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// hostile is a connector to a server that answers as a test wants.
func hostile(t *testing.T, handler http.HandlerFunc) *SAPConnector {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return opened(t, server.URL)
}

// says answers every request with a document.
func says(document string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, document)
	}
}

func TestAnswersOfWrongShapeAreRefused(t *testing.T) {
	t.Parallel()
	one := func(fields string) string { return `{"d":{"results":[{"FunctionalLocation":"A"` + fields + `}]}}` }
	documents := map[string]string{
		"nothing": ``, "text": `hello`, "no d": `{}`, "null": `{"d":null}`, "no results": `{"d":{}}`, "object": `{"d":{"results":{}}}`,
		"numbers": `{"d":{"results":[1,2]}}`, "null record": `{"d":{"results":[null]}}`, "two documents": `{"d":{"results":[]}}{}`,
		"deep":   `{"d":{"results":[` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `]}}`,
		"no key": `{"d":{"results":[{}]}}`, "key is an object": `{"d":{"results":[{"FunctionalLocation":{}}]}}`,
		"long key":        `{"d":{"results":[{"FunctionalLocation":"` + strings.Repeat("x", 300) + `"}]}}`,
		"date":            one(`,"LastChangeDateTime":"yesterday"`),
		"date is a list":  one(`,"LastChangeDateTime":[1]`),
		"date out of all": one(`,"LastChangeDateTime":"/Date(999999999999999)/"`),
		"decimal":         one(`,"AcquisitionValue":"many"`),
		"flag":            one(`,"FuncnlLocIsDeleted":"perhaps"`),
		"long text":       one(`,"FunctionalLocationName":"` + strings.Repeat("x", 5000) + `"`),
		"next is no text": `{"d":{"results":[],"__next":7}}`,
		"next leaves":     `{"d":{"results":[],"__next":"/sap/opu/odata/sap/OTHER/Users?$skiptoken=1"}}`,
		"next is empty":   `{"d":{"results":[],"__next":"https://evil.example/FunctionalLocation"}}`,
		"next is broken":  `{"d":{"results":[],"__next":"http://[::1/FunctionalLocation?x=1"}}`,
	}
	for name, document := range documents {
		_, err := hostile(t, says(document)).ReadAssets(t.Context(), connector.RecordRequest{})
		require.Equal(t, connector.KeyProtocol, connector.MessageKey(err), "%s: %v", name, err)
	}
	order := func(fields string) string { return `{"d":{"results":[{"MaintenanceOrder":"1"` + fields + `}]}}` }
	for name, document := range map[string]string{
		"time":       order(`,"MaintOrdBasicStartDate":"/Date(0)/","MaintOrdBasicStartTime":"PT99H"`),
		"work unit":  order(`,"to_MaintenanceOrderOperation":{"results":[{"MaintOrdOperationWorkDuration":"3","MaintOrdOpWorkDurationUnit":"MOON"}]}`),
		"operations": order(`,"to_MaintenanceOrderOperation":{"results":[7]}`),
	} {
		_, err := hostile(t, says(document)).ReadWorkOrders(t.Context(), connector.RecordRequest{})
		require.Equal(t, connector.KeyProtocol, connector.MessageKey(err), "%s: %v", name, err)
	}
}

func TestPagesThatNeverEndAreCut(t *testing.T) {
	t.Parallel()
	var served atomic.Int64
	endless := hostile(t, func(w http.ResponseWriter, _ *http.Request) {
		n := served.Add(1)
		says(fmt.Sprintf(`{"d":{"results":[{"FunctionalLocation":"L%d"}],"__next":"http://inner/FunctionalLocation?$skiptoken=%d"}}`, n, n))(w, nil)
	})
	request := connector.RecordRequest{Cursor: `{"s":0,"p":` + strconv.Itoa(maxPages-3) + `}`}
	for range 3 {
		page, err := endless.ReadAssets(t.Context(), request)
		require.NoError(t, err)
		request.Cursor = page.Cursor
	}
	_, err := endless.ReadAssets(t.Context(), request)
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err))

	circle := hostile(t, says(`{"d":{"results":[],"__next":"/sap/opu/odata/sap/API_FUNCTIONALLOCATION/FunctionalLocation?$skiptoken=1"}}`))
	page, err := circle.ReadAssets(t.Context(), connector.RecordRequest{})
	require.NoError(t, err)
	_, err = circle.ReadAssets(t.Context(), connector.RecordRequest{Cursor: page.Cursor})
	require.ErrorContains(t, err, "leads nowhere")

	deaf := hostile(t, says(`{"d":{"results":[{"FunctionalLocation":"A"}]}}`)) // does not heed the filter
	page, err = deaf.ReadAssets(t.Context(), connector.RecordRequest{Limit: 1})
	require.NoError(t, err)
	_, err = deaf.ReadAssets(t.Context(), connector.RecordRequest{Cursor: page.Cursor, Limit: 1})
	require.ErrorContains(t, err, "the same page comes again")
	long := hostile(t, says(`{"d":{"results":[],"__next":"/FunctionalLocation?$skiptoken=`+strings.Repeat("x", 5000)+`"}}`))
	_, err = long.ReadAssets(t.Context(), connector.RecordRequest{})
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err))
}

func TestCursorsOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	c := hostile(t, says(`{"d":{"results":[]}}`))
	for _, cursor := range []string{"x", `{"s":9}`, `{"s":-1}`, `{"s":0,"p":-1}`, `{"s":0,"r":-1}`, `{"s":0,"n":"%zz"}`, `[]`} {
		_, err := c.ReadAssets(t.Context(), connector.RecordRequest{Cursor: cursor})
		require.Error(t, err, cursor)
	}
}

func TestHugeAnswersAndRedirectsAreRefused(t *testing.T) {
	t.Parallel()
	block := strings.Repeat("x", 1<<20)
	huge := hostile(t, func(w http.ResponseWriter, _ *http.Request) {
		for range httpapi.MaxBody>>20 + 1 {
			if _, err := io.WriteString(w, block); err != nil {
				return
			}
		}
	})
	_, err := huge.ReadAssets(t.Context(), connector.RecordRequest{})
	require.Equal(t, connector.KeyTooLarge, connector.MessageKey(err))

	inward := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
	})
	_, err = inward.ReadAssets(t.Context(), connector.RecordRequest{})
	require.Equal(t, connector.KeyRefusedHost, connector.MessageKey(err))
}

func TestFailuresAreWorded(t *testing.T) {
	t.Parallel()
	answer := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	v2 := `{"error":{"code":"IW/042","message":{"lang":"en","value":"Order type missing"},"innererror":{"errordetails":[{"code":"IW/043","message":"Second","severity":"error"}]}}}`
	v4 := `{"error":{"code":"X/1","message":"Version four","details":[{"code":"X/2","message":"More"}]}}`
	cases := []struct {
		name    string
		handler http.HandlerFunc
		key     string
		words   string
	}{
		{"version 2", answer(400, "application/json", v2), KeyRefused, "IW/042: Order type missing (IW/043 Second)"},
		{"version 4", answer(400, "application/json", v4), KeyRefused, "X/1: Version four (X/2 More)"},
		{"html error", answer(500, "text/html", "<html><h1>500 SAP Internal Server Error</h1></html>"), connector.KeySourceError, "500"},
		{"html logon", answer(200, "text/html", "<html>Logon</html>"), KeyLogonPage, "200"},
		{"html without type", answer(200, "application/json", "\n<!DOCTYPE html><html>"), KeyLogonPage, "200"},
		{"client in German", answer(401, "text/html", "<html>Mandant 100 existiert nicht</html>"), KeyClient, ""},
		{"logon form names the client", answer(200, "text/html", `<html><input name="sap-client" value="100"></html>`), KeyLogonPage, ""},
		{"no service", answer(404, "application/json", `{"error":{"code":"/IWFND/MED/170","message":{"value":"No service found"}}}`), KeyService, ""},
		{"not there", answer(404, "application/json", `{"error":{"code":"X","message":{"value":"Resource not found"}}}`), connector.KeyUnknownNode, ""},
		{"forbidden", answer(403, "application/json", `{"error":{"code":"/IWFND/X","message":{"value":"No authorization"}}}`), connector.KeyForbidden, "No authorization"},
		{"throttled", answer(429, "text/plain", "slow"), connector.KeyThrottled, ""},
		{"garbage", answer(400, "application/json", "\x00\xff{"), KeyRefused, "400"},
		{"long words", answer(400, "application/json", `{"error":{"code":"A","message":"`+strings.Repeat("m", 100_000)+`"}}`), KeyRefused, "…"},
	}
	for _, tc := range cases {
		_, err := hostile(t, tc.handler).ReadAssets(t.Context(), connector.RecordRequest{})
		require.Equal(t, tc.key, connector.MessageKey(err), "%s: %v", tc.name, err)
		require.ErrorContains(t, err, tc.words, tc.name)
		require.Less(t, len(err.Error()), 1000, tc.name)
	}
}

func TestAServiceWithoutTokensCannotBeWritten(t *testing.T) {
	t.Parallel()
	c := hostile(t, says(`{"d":{"results":[]}}`))
	_, err := c.write(t.Context(), http.MethodPost, orderServiceWrites, "MaintenanceOrder", nil, map[string]any{"a": 1}, "")
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err))
	deaf := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("X-CSRF-Token", "token")
			says(`{"d":{"results":[]}}`)(w, r)
			return
		}
		w.Header().Set("X-CSRF-Token", "Required")
		w.WriteHeader(http.StatusForbidden)
	})
	_, err = deaf.write(t.Context(), http.MethodPost, orderServiceWrites, "MaintenanceOrder", nil, map[string]any{"a": 1}, "")
	require.Equal(t, connector.KeyForbidden, connector.MessageKey(err), "a token is fetched anew once, not for ever")
}
