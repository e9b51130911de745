package web_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/uitest"
)

// synced gives an integration a history of syncs with a failure and a gap.
func (f *fixture) synced(code string, id uuid.UUID) {
	f.Helper()
	tenant := f.tenant(code).ID
	require.NoError(f, f.db.InTenant(f.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		start := time.Now().Add(-30 * time.Minute).UTC()
		for i := range 24 {
			from, to := start.Add(time.Duration(i)*time.Minute), start.Add(time.Duration(i+1)*time.Minute)
			status, key, rows := "ok", "", int64(40+7*(i%5))
			window := []any{from, to}
			switch i {
			case 9:
				status, key, rows, window = "failed", "connector.fault.unreachable", 0, []any{nil, nil}
			case 14:
				status, window = "partial", []any{from.Add(20 * time.Second), to}
			}
			_, err := tx.Exec(ctx, `INSERT INTO core.integration_syncs (tenant_id, integration_id, started_at, finished_at, status, from_ts, to_ts, rows_written, rows_bad, error)
				VALUES ($1, $2, $3, $3::timestamptz + interval '1.2 seconds', $4, $5, $6, $7, $8, $9)`, tenant, id, to, status, window[0], window[1], rows, i%3, key)
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE core.integrations SET last_sync_at = now(), last_sync_status = 'ok', rows_total = 1284500 WHERE tenant_id = $1 AND id = $2`, tenant, id)
		return err
	}))
}

func TestIntegrationPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	f := newFixture(t)
	id := f.integrationsOf("ARAMCO_DEMO")[0].Integration.ID
	f.synced("ARAMCO_DEMO", id)
	browser := f.signedIn("ARAMCO_DEMO", access.TenantAdmin)
	base := "/integrations/" + id.String()
	for name, path := range map[string]string{
		"list": "/integrations", "kinds": "/integrations/new", "form": "/integrations/new?kind=simulated&flavour=opcua", "detail": base,
		"mappings": base + "/mappings", "rule": base + "/mappings/rule",
	} {
		t.Run(name, func(t *testing.T) { uitest.CheckPage(t, browser, f.srv.URL+path) })
	}
	t.Run("test connection", func(t *testing.T) {
		tab := uitest.Tab(t, browser)
		require.NoError(t, chromedp.Do(tab, chromedp.Navigate(f.srv.URL+base+"?lang=en"), chromedp.WaitReady(`#integration-test`),
			chromedp.Click(`[hx-post$="/test"]`), chromedp.WaitVisible(`#integration-test .tl-item`)))
	})
	t.Run("test a form", func(t *testing.T) {
		tab := uitest.Tab(t, browser)
		require.NoError(t, chromedp.Do(tab, chromedp.Navigate(f.srv.URL+base+"/edit?lang=en"), chromedp.WaitReady(`#integration-test`),
			chromedp.Click(`[hx-post="/integrations/test"]`), chromedp.WaitVisible(`#integration-test .tl-item .t-ok`)))
	})
}
