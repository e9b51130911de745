package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/webhook"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/secret"
	"github.com/optria-iq/optria/internal/testkit"
	"github.com/optria-iq/optria/web"
	"github.com/optria-iq/optria/web/integration"
)

// sent is a message for the sender, a client of the Standard Webhooks project.
type sent struct {
	URL         string            `json:"url"`
	Secret      string            `json:"secret"`
	Body        string            `json:"body"`
	ID          string            `json:"id,omitempty"`
	AgeSeconds  int               `json:"ageSeconds,omitempty"`
	Signed      string            `json:"signed,omitempty"`
	Before      string            `json:"before,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
}

type answered struct {
	Status     int    `json:"status"`
	Duplicate  bool   `json:"duplicate"`
	RetryAfter string `json:"retryAfter"`
	Body       string `json:"body"`
}

// deliver has the sender send messages one after the other.
func deliver(t *testing.T, messages ...sent) []answered {
	t.Helper()
	input, err := json.Marshal(messages)
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), "node", "webhooks.cjs")
	command.Dir, command.Stdin = testkit.PeersDir(), bytes.NewReader(input)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	output, err := command.Output()
	require.NoError(t, err, "make deps installs the sender: %s", complaint.String())
	var answers []answered
	require.NoError(t, json.Unmarshal(output, &answers))
	require.Len(t, answers, len(messages))
	return answers
}

const hookBody = `{"type":"reading","data":[{"tag":"P-101.VIB","value":4.7,"time":"2026-03-10T12:00:00Z"}]}`

// hookFixture is the web tier with one webhook.
type hookFixture struct {
	*fixture
	box     *secret.Box
	service integration.Service
	origin  integration.Origin
	id      uuid.UUID
	secret  string
}

func newHookFixture(t *testing.T) *hookFixture {
	t.Helper()
	f := newFixture(t)
	tenant := f.tenant("WATER_DEMO")
	h := &hookFixture{fixture: f, id: uuid.New(), secret: webhook.NewSecret(), origin: integration.Origin{Tenant: tenant.ID, Actor: db.SystemActor("test")}}
	keyset, err := secret.GenerateKeyset()
	require.NoError(t, err)
	h.box, err = secret.New(keyset)
	require.NoError(t, err)
	server, err := web.New(web.Deps{DB: f.db, Workflows: f.flows, Box: h.box, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	f.srv.Close()
	f.srv = httptest.NewServer(server.Handler())
	t.Cleanup(f.srv.Close)
	h.service = integration.Service{DB: f.db, Box: h.box, Workflows: f.flows}
	config := []byte(`{"items":"$.data[*]","tag":"@.tag","value":"@.value","time":"@.time"}`)
	h.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.CreateIntegration(ctx, tx, db.CreateIntegrationParams{TenantID: tenant.ID, ID: h.id, Name: "hook", Kind: webhook.Kind, Config: config})
		return err
	})
	h.keepSecret(h.secret)
	return h
}

func (h *hookFixture) in(work db.Work) {
	h.Helper()
	require.NoError(h, h.db.InTenant(h.Context(), h.origin.Tenant, work))
}

func (h *hookFixture) keepSecret(plain string) {
	h.Helper()
	sealed, err := h.box.Seal(h.origin.Tenant.String(), h.id.String(), webhook.FieldSecret, []byte(plain))
	require.NoError(h, err)
	h.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return q.SaveCredential(ctx, tx, db.SaveCredentialParams{TenantID: h.origin.Tenant, IntegrationID: h.id, Field: webhook.FieldSecret, Ciphertext: sealed})
	})
}

func (h *hookFixture) url() string {
	return fmt.Sprintf("%s/hooks/%s/%s", h.srv.URL, h.origin.Tenant, h.id)
}

func (h *hookFixture) kept() (n int) {
	h.Helper()
	h.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM core.integration_messages WHERE tenant_id = $1 AND integration_id = $2`, h.origin.Tenant, h.id).Scan(&n)
	})
	return n
}

// The sender is the client library of the standard's own project.
func TestWebhooksOfTheStandardClient(t *testing.T) {
	t.Parallel()
	h := newHookFixture(t)
	rotated, err := h.service.RotateSigningSecret(t.Context(), h.origin, h.id)
	require.NoError(t, err)
	require.NotEqual(t, h.secret, rotated)
	with := func(change func(m *sent)) sent {
		m := sent{URL: h.url(), Secret: rotated, Body: hookBody}
		change(&m)
		return m
	}
	event := `{"specversion":"1.0","id":"e1","source":"/plant/1","type":"reading","data":[]}`
	cases := []struct {
		name      string
		message   sent
		status    int
		duplicate bool
	}{
		{"sound", with(func(m *sent) { m.ID = "msg_1" }), 202, false},
		{"again with a new time", with(func(m *sent) { m.ID, m.AgeSeconds = "msg_1", -5 }), 200, true},
		{"same id, other body", with(func(m *sent) { m.ID, m.Body = "msg_1", strings.Replace(hookBody, "4.7", "9.9", 1) }), 409, false},
		{"previous secret", with(func(m *sent) { m.Secret = h.secret }), 202, false},
		{"second of two signatures", with(func(m *sent) { m.Before = "v1,AAAA" }), 202, false},
		{"four minutes old", with(func(m *sent) { m.AgeSeconds = 240 }), 202, false},
		{"CloudEvents", with(func(m *sent) { m.ContentType, m.Body = webhook.CloudEvent, event }), 202, false},
		{"CSV", with(func(m *sent) { m.ContentType, m.Body = webhook.CSV, "tag,time,value\na,2026-03-10T12:00:00Z,1\n" }), 202, false},
		{"foreign secret", with(func(m *sent) { m.Secret = webhook.NewSecret() }), 401, false},
		{"tampered body", with(func(m *sent) { m.Signed = hookBody + " " }), 401, false},
		{"six minutes old", with(func(m *sent) { m.AgeSeconds = 360 }), 401, false},
		{"six minutes ahead", with(func(m *sent) { m.AgeSeconds = -360 }), 401, false},
		{"unknown integration", with(func(m *sent) { m.URL = fmt.Sprintf("%s/hooks/%s/%s", h.srv.URL, h.origin.Tenant, uuid.New()) }), 401, false},
		{"unknown tenant", with(func(m *sent) { m.URL = fmt.Sprintf("%s/hooks/%s/%s", h.srv.URL, uuid.New(), h.id) }), 401, false},
		{"another tenant", with(func(m *sent) { m.URL = fmt.Sprintf("%s/hooks/%s/%s", h.srv.URL, h.tenant("POWER_DEMO").ID, h.id) }), 401, false},
		{"no ids", with(func(m *sent) { m.URL = h.srv.URL + "/hooks/a/b" }), 401, false},
		{"too large", with(func(m *sent) { m.Body = `{"p":"` + strings.Repeat("x", 300<<10) + `"}` }), 413, false},
		{"plain text", with(func(m *sent) { m.ContentType = "text/plain" }), 415, false},
		{"compressed", with(func(m *sent) { m.Headers = map[string]string{"content-encoding": "gzip"} }), 415, false},
		{"no JSON", with(func(m *sent) { m.ID, m.Body = "msg_2", "nope" }), 400, false},
		{"mended with the same id", with(func(m *sent) { m.ID = "msg_2" }), 202, false},
		{"an id that cannot be kept", with(func(m *sent) { m.ID = "msg " + strings.Repeat("x", 300) }), 400, false},
	}
	messages := make([]sent, 0, len(cases))
	for _, c := range cases {
		messages = append(messages, c.message)
	}
	refused := map[string]bool{}
	for n, got := range deliver(t, messages...) {
		require.Equal(t, cases[n].status, got.Status, "%s: %s", cases[n].name, got.Body)
		require.Equal(t, cases[n].duplicate, got.Duplicate, cases[n].name)
		if got.Status == http.StatusUnauthorized {
			refused[got.Body] = true
		}
	}
	require.Len(t, refused, 1, "every refused sender is told the same")
	require.Equal(t, 7, h.kept())
	require.Eventually(t, func() bool { return h.flows.called("poll-now " + h.origin.Tenant.String()) }, 10*time.Second, 50*time.Millisecond)
}

func TestWebhookOfWhatIsNotActive(t *testing.T) {
	t.Parallel()
	h := newHookFixture(t)
	message := sent{URL: h.url(), Secret: h.secret, Body: hookBody}
	state := func(next string) {
		h.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			_, err := tx.Exec(ctx, `UPDATE core.integrations SET state = $3 WHERE tenant_id = $1 AND id = $2`, h.origin.Tenant, h.id, next)
			return err
		})
	}
	state("paused")
	require.Equal(t, 202, deliver(t, message)[0].Status, "a paused integration keeps its messages until it goes on")
	state("archived")
	require.Equal(t, 401, deliver(t, message)[0].Status)
	state("active")
	require.NoError(t, h.db.Platform(t.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.SetTenantStatus(ctx, tx, "suspended", h.origin.Tenant)
		return err
	}))
	require.Equal(t, 401, deliver(t, message)[0].Status)
}

func TestFullInboxTurnsSendersAway(t *testing.T) {
	t.Parallel()
	h := newHookFixture(t)
	h.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, `INSERT INTO core.integration_messages (tenant_id, integration_id, message_id, digest, size_bytes, body)
			SELECT $1, $2, 'waiting-' || n, '', 1, 'x' FROM generate_series(1, 50000) n`, h.origin.Tenant, h.id)
		return err
	})
	got := deliver(t, sent{URL: h.url(), Secret: h.secret, Body: hookBody, ID: "new"})[0]
	require.Equal(t, 429, got.Status)
	require.Equal(t, "60", got.RetryAfter)
}

func TestRotationIsForWebhooksOnly(t *testing.T) {
	t.Parallel()
	h := newHookFixture(t)
	h.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, `UPDATE core.integrations SET kind = 'file', config = '{"layout":"wide","time_column":"time"}' WHERE tenant_id = $1 AND id = $2`, h.origin.Tenant, h.id)
		return err
	})
	_, err := h.service.RotateSigningSecret(t.Context(), h.origin, h.id)
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
	require.Equal(t, 401, deliver(t, sent{URL: h.url(), Secret: h.secret, Body: hookBody})[0].Status, "only a webhook takes messages")
}

func TestUploadsAreKeptOnce(t *testing.T) {
	t.Parallel()
	h := newHookFixture(t)
	table := []byte("tag,time,value\na,2026-03-10T12:00:00Z,1\n")
	first, err := h.service.Upload(t.Context(), h.origin, h.id, "export.csv", "text/csv", table)
	require.NoError(t, err)
	require.Equal(t, integration.MessageReceived, first.State)
	again, err := h.service.Upload(t.Context(), h.origin, h.id, "copy.csv", "text/csv", table)
	require.NoError(t, err)
	require.True(t, again.Duplicate)
	require.Equal(t, first.Message, again.Message)
	h.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		listed, err := q.ListMessages(ctx, tx, db.ListMessagesParams{TenantID: h.origin.Tenant, IntegrationID: h.id, PageSize: 50})
		require.Len(t, listed, 1)
		return err
	})
	require.True(t, h.flows.called("poll-now"))

	_, err = h.service.Upload(t.Context(), h.origin, h.id, "empty.csv", "text/csv", nil)
	require.Equal(t, integration.KeyEmptyMessage, connector.MessageKey(err))
	_, err = h.service.Upload(t.Context(), h.origin, h.id, "large.csv", "text/csv", make([]byte, integration.MaxUpload+1))
	require.Equal(t, integration.KeyUploadTooLong, connector.MessageKey(err))
	var simulated uuid.UUID
	h.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT id FROM core.integrations WHERE tenant_id = $1 AND kind = 'simulated' LIMIT 1`, h.origin.Tenant).Scan(&simulated)
	})
	_, err = h.service.Upload(t.Context(), h.origin, simulated, "export.csv", "text/csv", table)
	require.Equal(t, integration.KeyNoReceiver, connector.MessageKey(err))

	h.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, `UPDATE core.integration_messages SET state = 'failed', error = 'x' WHERE tenant_id = $1`, h.origin.Tenant)
		return err
	})
	count, err := h.service.RetryFailed(t.Context(), h.origin, h.id)
	require.NoError(t, err)
	require.EqualValues(t, 1, count)
	var actions []string
	h.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		rows, err := tx.Query(ctx, `SELECT action FROM core.audit_logs WHERE tenant_id = $1 AND object_id = $2 ORDER BY seq`, h.origin.Tenant, h.id.String())
		if err != nil {
			return err
		}
		actions, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	require.Equal(t, []string{"integration.file_uploaded", "integration.messages_retried"}, actions)
}
