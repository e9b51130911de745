package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/oracleeam"
	"github.com/optria-iq/optria/internal/connector/oracleeam/oracleeamtest"
)

// write is a write of an order that is held up until gone is closed.
type write struct {
	request string // what is asked for, alike when it is repeated
	gone    chan struct{}
}

// maintenance is a simulated maintenance system, which is no part of the
// product and is not killed.
type maintenance struct {
	id        uuid.UUID // of the integration
	simulator http.Handler
	mu        sync.Mutex
	refused   int // number of the creation from which orders are refused, 0 for none
	created   int
	held      int
	watcher   chan write
}

func (m *maintenance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the process that asked is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	creates := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/"+oracleeamtest.WorkOrders)
	m.mu.Lock()
	refused := false
	if creates {
		m.created++
		refused = m.refused > 0 && m.created >= m.refused
	}
	var hold chan write
	if creates || r.Method == http.MethodPatch {
		hold = m.watcher
		m.held++
	}
	before := m.held%2 == 1
	asked := r.Method + r.URL.Path + string(body)
	m.mu.Unlock()
	if refused {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"title":"refused","status":"400"}`)
		return
	}
	if hold != nil && before {
		holdUp(hold, asked)
	}
	answer := httptest.NewRecorder()
	m.simulator.ServeHTTP(answer, r)
	if hold != nil && !before {
		holdUp(hold, asked)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func holdUp(hold chan write, request string) {
	w := write{request, make(chan struct{})}
	select {
	case hold <- w:
		<-w.gone
	case <-time.After(runWithin): // nobody watches any more
	}
}

func (m *maintenance) refuse(from int) { m.set(func() { m.refused = from }) }
func (m *maintenance) heal()           { m.set(func() { m.refused = 0 }) }
func (m *maintenance) unwatch()        { m.set(func() { m.watcher = nil }) }

// watch has every write of an order held up until the watcher lets it go on.
func (m *maintenance) watch() <-chan write {
	c := make(chan write)
	m.set(func() { m.watcher = c })
	return c
}

func (m *maintenance) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// live lists the orders of the product that are not cancelled. No two may have
// the same title and start.
func (m *maintenance) live(t *testing.T) []connector.WorkOrderRecord {
	t.Helper()
	direct := httptest.NewServer(m.simulator)
	defer direct.Close()
	config := connector.Config{"username": oracleeamtest.User, "base_url": direct.URL}
	opened, err := connector.Open(oracleeam.Kind, config, connector.Secrets{"password": oracleeamtest.Password}, &net.Dialer{})
	require.NoError(t, err)
	defer func() { require.NoError(t, opened.Close()) }()
	var live []connector.WorkOrderRecord
	seen := map[string]bool{}
	for request := (connector.RecordRequest{}); ; {
		page, err := opened.(connector.WorkOrderReader).ReadWorkOrders(t.Context(), request)
		require.NoError(t, err)
		for _, o := range page.Records {
			if o.State == connector.OrderCancelled || !strings.HasPrefix(o.Key, "OPT-") {
				continue
			}
			require.False(t, seen[o.Key], "two orders of the key %s", o.Key)
			seen[o.Key] = true
			live = append(live, o)
		}
		if request.Cursor = page.Cursor; page.Cursor == "" {
			return live
		}
	}
}

// maintenance starts the maintenance system, adds its integration and matches
// its assets to those of the plant.
func (s *stack) maintenance(t *testing.T) *maintenance {
	t.Helper()
	simulator := oracleeamtest.New()
	m := &maintenance{id: uuid.New(), simulator: simulator}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	config, err := json.Marshal(connector.Config{"username": oracleeamtest.User, "base_url": server.URL})
	require.NoError(t, err)
	tenant := s.tenantID(t, plant)
	sealed, err := s.box.Seal(tenant.String(), m.id.String(), "password", []byte(oracleeamtest.Password))
	require.NoError(t, err)
	require.NoError(t, s.db.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		assets, err := q.ListAssetsPlain(ctx, tx, tenant)
		if err != nil {
			return err
		}
		simulator.Seed(len(assets))
		if _, err := tx.Exec(ctx, `INSERT INTO core.integrations (tenant_id, id, name, kind, config, state) VALUES ($1, $2, 'Maintenance', $3, $4, 'active')`, tenant, m.id, oracleeam.Kind, config); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO core.integration_credentials (tenant_id, integration_id, field, ciphertext) VALUES ($1, $2, 'password', $3)`, tenant, m.id, sealed); err != nil {
			return err
		}
		for i, a := range assets {
			if _, err := tx.Exec(ctx, `INSERT INTO core.external_assets (tenant_id, integration_id, kind, external_id, name, seen_at, asset_id) VALUES ($1, $2, 'equipment', $3, $3, now(), $4)`,
				tenant, m.id, strconv.FormatInt(oracleeamtest.AssetID(i+1), 10), a.ID); err != nil {
				return err
			}
		}
		return nil
	}))
	return m
}
