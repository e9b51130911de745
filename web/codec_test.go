package web_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/config"
	"github.com/optria-iq/optria/web"
	"github.com/optria-iq/optria/workflows"
)

const uiOrigin = "http://127.0.0.1:8233"

// codecServer serves the payload codec beside the pages of a fixture, over the
// same database and so with the same sessions, and returns its address with a
// request that holds one sealed payload.
func (f *fixture) codecServer(ui string) (address string, sealed []byte) {
	f.Helper()
	codec, err := workflows.NewCodec(bytes.Repeat([]byte{7}, 32))
	require.NoError(f, err)
	link, err := url.Parse(ui)
	require.NoError(f, err)
	server, err := web.New(web.Deps{Config: config.Config{JWTSecret: []byte(strings.Repeat("k3Jd9fLq2Zx8", 4)), TemporalUI: link, SolverThreads: 1}, DB: f.db,
		Workflows: f.flows, Dialer: &net.Dialer{}, Log: slog.New(slog.DiscardHandler)})
	require.NoError(f, err)
	srv := httptest.NewServer(server.CodecHandler(codec))
	f.Cleanup(srv.Close)
	payloads, err := codec.Encode([]*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`"clear text"`)}})
	require.NoError(f, err)
	sealed, err = protojson.Marshal(&commonpb.Payloads{Payloads: payloads})
	require.NoError(f, err)
	return srv.URL, sealed
}

// decode asks the codec server as a browser does and returns status and text.
func (f *fixture) decode(c *http.Client, address, origin string, sealed []byte) (int, string) {
	f.Helper()
	request, err := http.NewRequestWithContext(f.Context(), http.MethodPost, address, bytes.NewReader(sealed))
	require.NoError(f, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Namespace", "default")
	if origin != "" {
		request.Header.Set("Origin", origin)
	}
	response, err := c.Do(request)
	require.NoError(f, err)
	defer response.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(response.Body)
	require.NoError(f, err)
	return response.StatusCode, text.String()
}

// payloadEntries counts the audit entries of an action in the chain of a
// person's home tenant.
func (f *fixture) payloadEntries(email, action string) (n int) {
	f.Helper()
	ctx := f.Context()
	var home uuid.UUID
	require.NoError(f, f.db.Platform(ctx, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, "SELECT tenant_id FROM core.login_directory WHERE email = $1", email).Scan(&home)
	}))
	require.NoError(f, f.db.InTenant(ctx, home, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, "SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = $2", home, action).Scan(&n)
	}))
	return n
}

func TestPayloadsAreReadByPlatformOwnersAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	address, sealed := f.codecServer(uiOrigin)
	owner := f.as("", access.PlatformOwner)
	for range 3 {
		status, text := f.decode(owner, address+"/decode", uiOrigin, sealed)
		require.Equal(t, http.StatusOK, status, text)
		require.NotContains(t, text, "encrypted")
		require.Contains(t, text, "ImNsZWFyIHRleHQi", "the clear text in base64")
	}
	require.Equal(t, 1, f.payloadEntries(seed.OwnerEmail, "payloads.decoded"), "a reading is recorded once a minute")

	for _, origin := range []string{"", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8233"} {
		status, text := f.decode(owner, address+"/decode", origin, sealed)
		require.Equal(t, http.StatusForbidden, status, origin)
		require.NotContains(t, text, "ImNs")
	}
	status, _ := f.decode(owner, address+"/encode", uiOrigin, sealed)
	require.Equal(t, http.StatusNotFound, status)
	status, _ = f.decode(f.browser(), address+"/decode", uiOrigin, sealed)
	require.Equal(t, http.StatusUnauthorized, status, "no session")
	for _, role := range access.TenantRoles() {
		for range 2 {
			status, text := f.decode(f.as("ARAMCO_DEMO", role), address+"/decode", uiOrigin, sealed)
			require.Equal(t, http.StatusForbidden, status, role)
			require.NotContains(t, text, "ImNs", role)
		}
	}
	require.Equal(t, 8, f.payloadEntries(f.person("ARAMCO_DEMO", access.Viewer).Email, "payloads.refused"), "once for each session")

	forged := f.browser()
	link, err := url.Parse(f.srv.URL)
	require.NoError(t, err)
	forged.Jar.SetCookies(link, []*http.Cookie{{Name: "optria_session", Value: "0123456789"}})
	status, _ = f.decode(forged, address+"/decode", uiOrigin, sealed)
	require.Equal(t, http.StatusUnauthorized, status, "a session that nobody opened")
	status, _ = f.post(owner, "/logout", url.Values{})
	require.Equal(t, http.StatusSeeOther, status)
	status, _ = f.decode(owner, address+"/decode", uiOrigin, sealed)
	require.Equal(t, http.StatusUnauthorized, status, "signed out")
}
