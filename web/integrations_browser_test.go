package web_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// busy gives an integration everything that its page can show: an open circuit,
// past readings being filled, messages with refusals and records.
func (f *fixture) busy(code string, id uuid.UUID) {
	f.Helper()
	f.within(code, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, tenant uuid.UUID) error {
		for _, statement := range []string{
			`UPDATE core.integrations SET circuit = 'open', retry_at = now() + interval '4 minutes', failures = 5, last_error = 'connector.fault.unreachable',
			 last_sync_status = 'failed', records_synced_at = now() - interval '20 minutes' WHERE tenant_id = $1 AND id = $2`,
			`INSERT INTO core.integration_backfills (tenant_id, integration_id, cause, from_ts, to_ts, reached_ts, state, rows_written)
			 VALUES ($1, $2, 'outage', now() - interval '3 hours', now() - interval '1 hour', now() - interval '2 hours', 'running', 4210)`,
			`INSERT INTO core.integration_backfills (tenant_id, integration_id, cause, from_ts, to_ts, reached_ts, state, error)
			 VALUES ($1, $2, 'requested', now() - interval '9 days', now() - interval '8 days', now() - interval '9 days', 'failed', 'connector.fault.unreachable')`,
			`INSERT INTO core.integration_messages (tenant_id, integration_id, message_id, digest, size_bytes, state, rows_written, rows_refused, refusals)
			 VALUES ($1, $2, 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W', 'd', 18211, 'partial', 411, 1, '[{"where": "line 12", "key": "connector.fault.protocol", "value": "n/a"}]')`,
			`INSERT INTO core.external_assets (tenant_id, integration_id, external_id, kind, name, parent_id, seen_at)
			 SELECT $1, $2, '10000' || row_number() OVER (ORDER BY tag), 'equipment', tag || ' ' || name_en, 'SA-RT-U110', now() FROM (SELECT * FROM core.assets WHERE tenant_id = $1 ORDER BY tag LIMIT 7) a`,
			`INSERT INTO core.external_orders (tenant_id, integration_id, external_id, kind, title, asset_external_id, type_code, priority_code, state, source_state, planned_start, planned_end, hours, seen_at)
			 VALUES ($1, $2, '4000812', 'order', 'Replace mechanical seal', '100001', 'PM01', '1', 'released', 'REL  PRC', now(), now() + interval '2 days', 16, now())`,
		} {
			if _, err := tx.Exec(ctx, statement, tenant, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// shots keeps pictures of a page in the folder that SHOTS names, for a person
// to judge.
func shots(t *testing.T, browser context.Context, address, name string) {
	t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	join := "?"
	if strings.Contains(address, "?") {
		join = "&"
	}
	for _, v := range []struct {
		lang, theme string
		width       int64
	}{{"ar", "light", 1440}, {"en", "dark", 1440}, {"ar", "dark", 390}} {
		uitest.Shot(t, browser, address+join+"lang="+v.lang+"&theme="+v.theme, v.width, filepath.Join(dir, fmt.Sprintf("%s-%s-%s-%d.png", name, v.lang, v.theme, v.width)))
	}
}

func TestIntegrationPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	t.Parallel()
	f := newFixture(t)
	id := f.integrationsOf("ARAMCO_DEMO")[0].Integration.ID
	f.synced("ARAMCO_DEMO", id)
	f.listed("ARAMCO_DEMO", id, "RML-P-401A.SPARE", "PIC-1099.PV")
	f.busy("ARAMCO_DEMO", id)
	browser := f.signedIn("ARAMCO_DEMO", access.TenantAdmin)
	base := "/integrations/" + id.String()
	for name, path := range map[string]string{
		"list": "/integrations", "kinds": "/integrations/new", "form": "/integrations/new?kind=simulated&flavour=opcua", "opcua": "/integrations/new?kind=opcua", "detail": base,
		"tree": base + "/mappings", "mappings": base + "/mappings?show=all", "unmapped": base + "/mappings?show=unmapped", "rule": base + "/mappings/rule?tag=PIC-1099.PV",
		"records": base + "/records", "orders": base + "/records?view=orders",
	} {
		t.Run(name, func(t *testing.T) {
			uitest.CheckPage(t, browser, f.srv.URL+path)
			shots(t, browser, f.srv.URL+path, name)
		})
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
