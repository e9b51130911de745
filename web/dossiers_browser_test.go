package web_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/uitest"
)

func TestEvidenceInABrowser(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, id := f.proposed("ARAMCO_DEMO", access.ReliabilityEng, access.OptimizationEng)
	admin := f.as("ARAMCO_DEMO", access.TenantAdmin)
	page := "/plans/" + id.String() + "/dossier"
	for _, lang := range []string{"ar", "en"} {
		status, file := f.post(admin, page, url.Values{"format": {"pdf"}, "language": {lang}})
		require.Equal(t, http.StatusOK, status)
		if dir := os.Getenv("SHOTS"); dir != "" { // for a person to judge
			require.NoError(t, os.WriteFile(filepath.Join(dir, "dossier-"+lang+".pdf"), []byte(file), 0o600))
		}
	}
	_, err := f.db.CloseAuditDays(t.Context(), f.tenant("ARAMCO_DEMO").ID, time.Now().AddDate(0, 0, 2))
	require.NoError(t, err)
	browser := f.browserAs(f.person("ARAMCO_DEMO", access.TenantAdmin).Email)
	for name, path := range map[string]string{"dossier": page, "verify": "/verify", "audit-roots": "/audit", "plan-dossier": "/plans/" + id.String()} {
		t.Run(name, func(t *testing.T) {
			uitest.CheckPage(t, browser, f.srv.URL+path)
			picture(t, browser, f.srv.URL+path, name)
		})
	}
	t.Run("one form hands out both formats", func(t *testing.T) {
		handed := func() int {
			return f.count("ARAMCO_DEMO", `SELECT count(*) FROM optimization.dossiers WHERE plan_id = $1`, id)
		}
		before := handed()
		require.NoError(t, chromedp.Do(browser, chromedp.Navigate(f.srv.URL+page)))
		for n, format := range []string{"pdf", "html"} {
			require.NoError(t, chromedp.Do(browser, chromedp.Click(`main form:has([name=language][value=en]) button[value=`+format+`]`)))
			require.Eventually(t, func() bool { return handed() == before+n+1 }, 15*time.Second, 100*time.Millisecond, format)
		}
	})
	t.Run("verify without signing in", func(t *testing.T) {
		public := uitest.Browser(t)
		uitest.CheckPage(t, public, f.srv.URL+"/verify")
		picture(t, public, f.srv.URL+"/verify", "verify-public")
	})
}
