package web_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/chromedp/chromedp"
	"os"
	"time"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/uitest"
)

func TestShotsIntegrations(t *testing.T) {
	f := newFixture(t)
	id := f.integrationsOf("ARAMCO_DEMO")[0].Integration.ID
	f.synced("ARAMCO_DEMO", id)
	tenant := f.tenant("ARAMCO_DEMO").ID
	require.NoError(t, f.db.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rules, err := q.ListIntegrationMappings(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		for _, r := range rules[:3] {
			if _, err := q.ArchiveMapping(ctx, tx, tenant, id, r.IntegrationMapping.ID); err != nil {
				return err
			}
		}
		return nil
	}))
	browser := f.signedIn("ARAMCO_DEMO", access.TenantAdmin)
	base := "/integrations/" + id.String()
	for name, path := range map[string]string{"list": "/integrations", "kinds": "/integrations/new", "form": base + "/edit", "detail": base, "mappings": base + "/mappings", "rule": base + "/mappings/rule"} {
		uitest.Shot(t, browser, f.srv.URL+path+"?lang=ar&theme=light", 1440, "/tmp/shots/int-"+name+"-ar.png")
	}
	uitest.Shot(t, browser, f.srv.URL+base+"?lang=en&theme=dark", 1440, "/tmp/shots/int-detail-en.png")
	uitest.Shot(t, browser, f.srv.URL+"/integrations?lang=ar", 390, "/tmp/shots/int-list-390.png")
	uitest.Shot(t, browser, f.srv.URL+base+"/mappings?lang=en", 390, "/tmp/shots/int-mappings-390.png")
	tab := uitest.Tab(t, browser)
	var _ = time.Second
	require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(f.srv.URL+base+"?lang=ar&theme=light"), chromedp.WaitReady(`#integration-test`),
		chromedp.Click(`[hx-post$="/test"]`), chromedp.WaitVisible(`#integration-test .tl-item`)))
	png, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("/tmp/shots/int-test-ar.png", png, 0o600))
}
