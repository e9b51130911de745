package piwebapi

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/piwebapi/piwebapitest"
)

// contract stands between connector and simulator and holds every exchange
// against the description of PI Web API, calls within batches included.
type contract struct {
	next   http.Handler
	router routers.Router

	mu         sync.Mutex
	checked    map[string]int
	violations []string
}

func newContract(t *testing.T, next http.Handler) *contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("testdata/openapi.json")
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context()))
	router, err := legacy.NewRouter(doc)
	require.NoError(t, err)
	return &contract{next: next, router: router, checked: map[string]int{}}
}

func (c *contract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(sent))
	answer := httptest.NewRecorder()
	c.next.ServeHTTP(answer, r)
	c.mu.Lock()
	c.check(r, sent, answer.Code, answer.Body.Bytes())
	if strings.HasSuffix(r.URL.Path, "/batch") && answer.Code == http.StatusMultiStatus {
		c.checkBatch(sent, answer.Body.Bytes())
	}
	c.mu.Unlock()
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func (c *contract) check(r *http.Request, sent []byte, status int, body []byte) {
	route, params, err := c.router.FindRoute(r)
	if err != nil {
		c.violations = append(c.violations, r.Method+" "+r.URL.Path+": "+err.Error())
		return
	}
	c.checked[r.Method+" "+route.Path]++
	r.Body = io.NopCloser(bytes.NewReader(sent))
	asked := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}}
	if err := openapi3filter.ValidateRequest(r.Context(), asked); err != nil {
		c.violations = append(c.violations, "request "+route.Path+": "+err.Error())
	}
	given := &openapi3filter.ResponseValidationInput{RequestValidationInput: asked, Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Options: asked.Options}
	if err := openapi3filter.ValidateResponse(r.Context(), given.SetBodyBytes(body)); err != nil {
		c.violations = append(c.violations, "answer "+route.Path+": "+err.Error())
	}
}

// checkBatch holds every call of a batch and its answer against the
// description as if it stood alone.
func (c *contract) checkBatch(sent, got []byte) {
	var calls map[string]subRequest
	var answers map[string]struct {
		Status  int
		Content json.RawMessage
	}
	if json.Unmarshal(sent, &calls) != nil || json.Unmarshal(got, &answers) != nil {
		c.violations = append(c.violations, "the batch is not a map of calls")
		return
	}
	for id, call := range calls {
		resource, err := url.Parse(call.Resource)
		if err != nil {
			c.violations = append(c.violations, "batch resource: "+err.Error())
			continue
		}
		c.check(httptest.NewRequest(call.Method, resource.RequestURI(), nil), nil, answers[id].Status, answers[id].Content)
	}
}

func TestEveryExchangeFollowsThePublishedDescription(t *testing.T) {
	t.Parallel()
	points := piwebapitest.Pump("P-101", noon, time.Hour)
	points = append(points, &piwebapitest.Point{Name: "DENIED", Type: piwebapitest.Float64, Forbidden: true},
		&piwebapitest.Point{Name: "ERRORS", Type: piwebapitest.Float64, Events: []piwebapitest.Event{{Time: noon, Value: 1.0, Errors: []string{"unit"}}, piwebapitest.System(noon, "Shutdown")}})
	simulator := piwebapitest.New(points...)
	simulator.MaxReturned, simulator.PublicHost = 500, "https://pi.corp.example"
	checker := newContract(t, simulator)
	server := httptest.NewServer(checker)
	t.Cleanup(server.Close)

	c := connect(t, server)
	for _, step := range c.Test(t.Context()) {
		require.True(t, step.OK, "%s: %s", step.Name, step.Detail)
	}
	leaves, _ := walk(t, c)
	require.Len(t, leaves, len(points))
	tags := []string{`\\PISRV01\nothing`, "I1DPAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
	for _, p := range points {
		tags = append(tags, p.Path(), p.IDWebID())
	}
	all := drain(t, c, connector.PollRequest{Tags: tags, Since: noon.Add(-time.Hour), Until: noon, Limit: 1000})
	require.Greater(t, len(all), 2*(3600+720+120)-50)
	sampled, err := c.Sample(t.Context(), tags)
	require.NoError(t, err)
	require.Len(t, sampled.Readings, 8)

	checker.mu.Lock()
	defer checker.mu.Unlock()
	require.Empty(t, checker.violations)
	for _, path := range []string{"GET /system", "GET /system/status", "GET /system/userinfo", "GET /dataservers", "GET /dataservers/{webId}/points", "GET /points/multiple",
		"GET /streams/{webId}/recorded", "GET /streams/{webId}/value", "GET /streamsets/value", "POST /batch"} {
		require.Positive(t, checker.checked[path], "%s was not checked", path)
	}
}

func TestTheContractNoticesAWrongAnswer(t *testing.T) {
	t.Parallel()
	checker := newContract(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ServerTime":"2026-01-01T00:00:00Z","State":5,"Surprise":1}`)
	}))
	answer := httptest.NewRecorder()
	checker.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/piwebapi/system/status", nil))
	require.Len(t, checker.violations, 1)
}
