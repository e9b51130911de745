package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/token"
)

// apiKey is the signing key of newFixture.
var apiKey = []byte(strings.Repeat("k3Jd9fLq2Zx8", 4))

// issue makes a token for the account that holds a role in a tenant.
func (f *fixture) issue(code string, role access.Role, expires time.Time, scopes ...string) (string, uuid.UUID) {
	f.Helper()
	tenant := f.tenant(code).ID
	var raw string
	id := uuid.New()
	require.NoError(f, f.db.InTenant(f.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		var user uuid.UUID
		err := tx.QueryRow(ctx, `SELECT id FROM core.users WHERE tenant_id = $1 AND $2 = ANY (roles) ORDER BY username LIMIT 1`, tenant, string(role)).Scan(&user)
		if err != nil {
			return err
		}
		var hash []byte
		if raw, hash, err = token.Issue(apiKey, token.Claims{ID: id, Tenant: tenant, User: user, Scopes: scopes, Expires: expires}); err != nil {
			return err
		}
		_, err = q.CreateAPIToken(ctx, tx, db.CreateAPITokenParams{TenantID: tenant, ID: id, UserID: user, Name: "test " + id.String()[:8], Scopes: scopes,
			TokenHash: hash, CreatedBy: user, ExpiresAt: expires})
		return err
	}))
	return raw, id
}

// call sends a JSON request and decodes the answer.
func (f *fixture) call(raw, method, path string, body any, headers ...string) (int, map[string]any, http.Header) {
	f.Helper()
	var in io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		require.NoError(f, err)
		in = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(f.Context(), method, f.srv.URL+"/api/v1"+path, in)
	require.NoError(f, err)
	request.Header.Set("Content-Type", "application/json")
	if raw != "" {
		request.Header.Set("Authorization", "Bearer "+raw)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(f, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(f, err)
	out := map[string]any{}
	if len(text) > 0 {
		require.NoError(f, json.Unmarshal(text, &out), string(text))
	}
	return response.StatusCode, out, response.Header
}

func soon() time.Time { return time.Now().Add(time.Hour).Truncate(time.Second) }

func runBody() map[string]any {
	return map[string]any{"problem": "maintenance_prioritization", "title": "nightly", "start": time.Now().AddDate(0, 0, 2).Format(time.DateOnly),
		"days": 30, "time_limit_seconds": 30, "one_train_out": true}
}

func TestAPITokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	good, id := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), "read:results")
	status, body, header := f.call(good, http.MethodGet, "/assets?limit=3", nil)
	require.Equal(t, http.StatusOK, status, body)
	require.Len(t, body["items"], 3)
	require.Equal(t, "no-store", header.Get("Cache-Control"))

	forged, _, err := token.Issue(apiKey, token.Claims{ID: id, Tenant: f.tenant("ARAMCO_DEMO").ID, User: uuid.New(), Scopes: []string{"read:results"}, Expires: soon()})
	require.NoError(t, err)
	unknown, _, err := token.Issue(apiKey, token.Claims{ID: uuid.New(), Tenant: f.tenant("ARAMCO_DEMO").ID, User: uuid.New(), Scopes: []string{"read:results"}, Expires: soon()})
	require.NoError(t, err)
	foreign, _, err := token.Issue(apiKey, token.Claims{ID: id, Tenant: f.tenant("POWER_DEMO").ID, User: uuid.New(), Scopes: []string{"read:results"}, Expires: soon()})
	require.NoError(t, err)
	expired, _ := f.issue("ARAMCO_DEMO", access.ServiceAccount, time.Now().Add(2*time.Second), "read:results")
	time.Sleep(2100 * time.Millisecond)
	for name, raw := range map[string]string{"none": "", "nonsense": "abc", "same id, other text": forged, "not in the database": unknown, "other tenant": foreign, "expired": expired} {
		status, body, header := f.call(raw, http.MethodGet, "/assets", nil, "Accept-Language", "ar-SA,en;q=0.5")
		require.Equal(t, http.StatusUnauthorized, status, name)
		require.Equal(t, "unauthorized", body["code"])
		require.Contains(t, body["title"], "الرمز")
		require.Contains(t, header.Get("WWW-Authenticate"), "Bearer")
		require.Equal(t, "application/problem+json", header.Get("Content-Type"))
	}

	status, body, _ = f.call(good, http.MethodPost, "/runs", runBody(), "Idempotency-Key", "nightly-0001")
	require.Equal(t, http.StatusForbidden, status, "the scope is not enough")
	require.Equal(t, "forbidden", body["code"])
	status, _, _ = f.call(good, http.MethodPost, "/ingest/readings", map[string]any{"readings": []any{}})
	require.Equal(t, http.StatusForbidden, status)

	tenant := f.tenant("ARAMCO_DEMO").ID
	require.NoError(t, f.db.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.RevokeAPIToken(ctx, tx, tenant, id)
		return err
	}))
	status, _, _ = f.call(good, http.MethodGet, "/assets", nil)
	require.Equal(t, http.StatusUnauthorized, status, "revoked")
}

func TestAPIRuns(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw, _ := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), "runs:create", "read:results")
	other, _ := f.issue("POWER_DEMO", access.ServiceAccount, soon(), "runs:create", "read:results")

	status, body, _ := f.call(raw, http.MethodPost, "/runs", runBody())
	require.Equal(t, http.StatusUnprocessableEntity, status, "the key is required")
	require.NotEmpty(t, body["errors"])
	past := runBody()
	past["start"] = "2020-01-01"
	status, body, _ = f.call(raw, http.MethodPost, "/runs", past, "Idempotency-Key", "nightly-0002", "Accept-Language", "ar")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Equal(t, "body.start", body["errors"].([]any)[0].(map[string]any)["location"])
	foreignSite := runBody()
	foreignSite["sites"] = []string{uuid.NewString()}
	status, _, _ = f.call(raw, http.MethodPost, "/runs", foreignSite, "Idempotency-Key", "nightly-0002")
	require.Equal(t, http.StatusUnprocessableEntity, status)

	status, body, header := f.call(raw, http.MethodPost, "/runs", runBody(), "Idempotency-Key", "nightly-0003")
	require.Equal(t, http.StatusAccepted, status, body)
	id := body["id"].(string)
	require.Equal(t, "/api/v1/runs/"+id, header.Get("Location"))
	require.True(t, f.flows.called("start-optimization"))
	status, body, _ = f.call(raw, http.MethodPost, "/runs", runBody(), "Idempotency-Key", "nightly-0003")
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, id, body["id"])
	require.Equal(t, true, body["replay"])
	changed := runBody()
	changed["days"] = 7
	status, body, _ = f.call(raw, http.MethodPost, "/runs", changed, "Idempotency-Key", "nightly-0003")
	require.Equal(t, http.StatusConflict, status, body)
	status, body, _ = f.call(other, http.MethodPost, "/runs", runBody(), "Idempotency-Key", "nightly-0003")
	require.Equal(t, http.StatusAccepted, status, "a key belongs to its account")
	require.NotEqual(t, id, body["id"])

	for i := range 3 {
		status, _, _ = f.call(raw, http.MethodPost, "/runs", runBody(), "Idempotency-Key", "nightly-page-"+string(rune('a'+i)))
		require.Equal(t, http.StatusAccepted, status)
	}
	seen := map[string]bool{}
	next := ""
	for pages := 0; pages < 5; pages++ {
		status, body, _ = f.call(raw, http.MethodGet, "/runs?limit=2&cursor="+next, nil)
		require.Equal(t, http.StatusOK, status, body)
		for _, x := range body["items"].([]any) {
			key := x.(map[string]any)["id"].(string)
			require.False(t, seen[key], "no run comes twice")
			seen[key] = true
		}
		if body["next"] == nil {
			break
		}
		next = body["next"].(string)
	}
	require.Len(t, seen, 4)
	status, _, _ = f.call(raw, http.MethodGet, "/runs?cursor=nonsense", nil)
	require.Equal(t, http.StatusUnprocessableEntity, status)

	for _, path := range []string{"", "/events", "/scenarios"} {
		status, body, _ = f.call(raw, http.MethodGet, "/runs/"+id+path, nil)
		require.Equal(t, http.StatusOK, status, body)
		status, _, _ = f.call(other, http.MethodGet, "/runs/"+id+path, nil)
		require.Equal(t, http.StatusNotFound, status, "another tenant's run: %s", path)
	}
	for _, path := range []string{"/scenarios/" + uuid.NewString() + "/recommendations", "/plans/" + uuid.NewString(), "/assets/" + uuid.NewString()} {
		status, _, _ = f.call(raw, http.MethodGet, path, nil)
		require.Equal(t, http.StatusNotFound, status, path)
	}
	status, _, _ = f.call(other, http.MethodPost, "/runs/"+id+"/stop", nil)
	require.Equal(t, http.StatusNotFound, status)
	status, _, _ = f.call(raw, http.MethodPost, "/runs/"+id+"/stop", nil)
	require.Equal(t, http.StatusAccepted, status)
	require.True(t, f.flows.called("stop-optimization"))
	f.flows.Fail = fault.New(fault.Conflict, "runs.ended")
	status, _, _ = f.call(raw, http.MethodPost, "/runs/"+id+"/cancel", nil)
	require.Equal(t, http.StatusConflict, status)
	f.flows.Fail = fault.New(fault.Unavailable, "error.503.text")
	status, _, _ = f.call(raw, http.MethodPost, "/runs", runBody(), "Idempotency-Key", "nightly-away")
	require.Equal(t, http.StatusAccepted, status, "the row is there; upkeep starts it")
}

func TestAPIDecisionsAreForPeople(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	service, _ := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), access.Scopes()...)
	admin, _ := f.issue("ARAMCO_DEMO", access.TenantAdmin, soon(), "read:results")
	plan := "/plans/" + uuid.NewString() + "/decision"
	status, body, _ := f.call(service, http.MethodPost, plan, map[string]any{"kind": "approved"})
	require.Equal(t, http.StatusForbidden, status, body)
	status, _, _ = f.call(admin, http.MethodPost, plan, map[string]any{"kind": "endorsed"})
	require.Equal(t, http.StatusForbidden, status, "an admin does not endorse")
	status, _, _ = f.call(admin, http.MethodPost, plan, map[string]any{"kind": "returned"})
	require.Equal(t, http.StatusUnprocessableEntity, status, "a return needs a comment")
	status, _, _ = f.call(admin, http.MethodPost, plan, map[string]any{"kind": "approved"})
	require.Equal(t, http.StatusNotFound, status)
	require.False(t, f.flows.called("decide"), "an unknown plan never reaches the workflow")
}

func TestAPIIntegrations(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin, _ := f.issue("ARAMCO_DEMO", access.TenantAdmin, soon(), "read:integrations")
	service, _ := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), access.Scopes()...)
	foreign := "/integrations/" + f.integrationsOf("POWER_DEMO")[0].Integration.ID.String()
	input := map[string]any{"name": "Lab feed", "kind": "simulated", "config": map[string]any{"flavour": "rest", "endpoint": "https://lab.example"},
		"credentials": map[string]string{"password": "very-secret-77"}}

	status, _, _ := f.call(service, http.MethodPost, "/integrations", input)
	require.Equal(t, http.StatusForbidden, status)
	status, body, _ := f.call(admin, http.MethodPost, "/integrations", map[string]any{"name": "x", "kind": "simulated", "config": map[string]any{"flavour": "carrier pigeon"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Len(t, body["errors"], 2)
	status, body, _ = f.call(admin, http.MethodPost, "/integrations", input)
	require.Equal(t, http.StatusCreated, status, body)
	require.Equal(t, []any{"password"}, body["credentials"])
	require.True(t, f.flows.called("ensure-integration"))
	path := "/integrations/" + body["id"].(string)
	status, _, _ = f.call(admin, http.MethodPost, "/integrations", input)
	require.Equal(t, http.StatusConflict, status)

	for _, p := range []string{"/integrations", path, path + "/mappings"} {
		status, body, _ = f.call(service, http.MethodGet, p, nil)
		require.Equal(t, http.StatusOK, status, body)
		text, err := json.Marshal(body)
		require.NoError(t, err)
		require.NotContains(t, string(text), "very-secret-77")
	}
	status, body, _ = f.call(admin, http.MethodPost, path+"/test", nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, true, body["ok"], body)
	input["name"], input["credentials"] = "Lab feed 2", nil
	status, body, _ = f.call(admin, http.MethodPut, path, input)
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, "Lab feed 2", body["name"])
	status, _, _ = f.call(admin, http.MethodPost, path+"/pause", nil)
	require.Equal(t, http.StatusNoContent, status)
	status, _, _ = f.call(admin, http.MethodPost, path+"/poll", nil)
	require.Equal(t, http.StatusConflict, status)
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		status, _, _ = f.call(admin, method, foreign, nil)
		require.Equal(t, http.StatusNotFound, status)
	}
	status, _, _ = f.call(admin, http.MethodDelete, path, nil)
	require.Equal(t, http.StatusNoContent, status)
	status, _, _ = f.call(admin, http.MethodGet, path, nil)
	require.Equal(t, http.StatusNotFound, status)
}

func TestAPIIngest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw, _ := f.issue("WATER_DEMO", access.ServiceAccount, soon(), "ingest:write")
	a := f.tenant("WATER_DEMO").Assets[0]
	foreign := f.tenant("POWER_DEMO").Assets[0]
	at := time.Now().Add(-90 * time.Second).UTC().Format(time.RFC3339Nano)
	batch := map[string]any{"readings": []any{
		map[string]any{"asset": a.Tag, "metric": a.Signals[0].Metric, "time": at, "value": 4.25},
		map[string]any{"asset": a.Tag, "metric": a.Signals[0].Metric, "time": "2019-01-01T00:00:00Z", "value": 4.25},
		map[string]any{"asset": foreign.Tag, "metric": foreign.Signals[0].Metric, "time": at, "value": 1},
	}}
	status, body, _ := f.call(raw, http.MethodPost, "/ingest/readings", batch)
	require.Equal(t, http.StatusOK, status, body)
	require.EqualValues(t, 1, body["written"])
	require.EqualValues(t, 2, body["rejected"], "too old, and another tenant's asset")
	require.Len(t, body["problems"], 1)
	status, body, _ = f.call(raw, http.MethodPost, "/ingest/readings", batch)
	require.Equal(t, http.StatusOK, status)
	require.EqualValues(t, 0, body["written"])
	require.EqualValues(t, 1, body["duplicates"])
	status, _, _ = f.call(raw, http.MethodPost, "/ingest/readings", map[string]any{"readings": []any{}})
	require.Equal(t, http.StatusUnprocessableEntity, status)

	send := func(file, field, value string) (int, map[string]any) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		require.NoError(t, w.WriteField(field, value))
		part, err := w.CreateFormFile("file", "lab.csv")
		require.NoError(t, err)
		_, err = part.Write([]byte(file))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.srv.URL+"/api/v1/ingest/files", &b)
		require.NoError(t, err)
		request.Header.Set("Content-Type", w.FormDataContentType())
		request.Header.Set("Authorization", "Bearer "+raw)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		out := map[string]any{}
		require.NoError(t, json.NewDecoder(response.Body).Decode(&out))
		return response.StatusCode, out
	}
	mapping := `{"layout":"long","asset":{"column":"tag"},"metric":{"column":"metric"},"value":{"column":"value"},"time":{"column":"time","format":"rfc3339"}}`
	status, body = send("tag,metric,value,time\n"+a.Tag+","+a.Signals[0].Metric+",5.5,"+time.Now().Add(-time.Hour).UTC().Format(time.RFC3339Nano)+"\n"+a.Tag+",x,none,yesterday\n", "mapping", mapping)
	require.Equal(t, http.StatusOK, status, body)
	require.EqualValues(t, 1, body["written"])
	require.EqualValues(t, 1, body["bad_rows"])
	require.NotEmpty(t, body["problems"])
	status, body = send("a,b\n1,2\n", "mapping", mapping)
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
	status, body = send("a,b\n1,2\n", "mapping", "{")
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
	engines, err := os.ReadFile("../internal/dataset/testdata/synthetic_cmapss.txt")
	require.NoError(t, err)
	status, body = send(string(engines), "prefix", "ENG")
	require.Equal(t, http.StatusOK, status, body)
	require.Positive(t, body["assets_created"])
	require.Equal(t, body["records"], body["written"])
	status, body = send(string(engines), "other", "x")
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
}

func TestAPIDocument(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	status, doc, _ := f.call("", http.MethodGet, "/openapi.json", nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "3.1.0", doc["openapi"])
	status, body, _ := f.call("", http.MethodGet, "/nowhere", nil, "Accept-Language", "ar")
	require.Equal(t, http.StatusNotFound, status)
	require.Equal(t, "not_found", body["code"])
	status, _, _ = f.call("", http.MethodPatch, "/runs", nil)
	require.Equal(t, http.StatusMethodNotAllowed, status)
}
