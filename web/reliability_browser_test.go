package web_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/uitest"
)

func TestReliabilityPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	t.Parallel()
	f := newFixture(t)
	f.previews()
	a := f.assetOf(plantTenant, "SHQ-HP-02")
	base := "/assets/" + a.ID.String()
	engineer := f.as(plantTenant, access.ReliabilityEng)
	f.leadsTo(engineer, base+"/inspections", map[string][]string{"inspected_at": {"2026-06-01"}, "grade": {"0.5"}, "sign_leakage": {"marked"}, "note": {"Seal weeps"}})
	browser := f.signedIn(plantTenant, access.TenantAdmin)
	electrical := "/assets/" + f.assetOf(plantTenant, "LUL-XF-01").ID.String()
	for name, path := range map[string]string{
		"modes": base + "/modes", "new mode": base + "/modes/new", "mode": base + "/modes/" + f.modeOf(plantTenant, a.ID).String(), "life": base + "/life?take=1",
		"electrical": electrical + "/life", "costs": base + "/costs", "inspections": base + "/inspections",
	} {
		t.Run(name, func(t *testing.T) { uitest.CheckPage(t, browser, f.srv.URL+path) })
	}
	t.Run("priority", func(t *testing.T) {
		tab := uitest.Tab(t, browser)
		require.NoError(t, chromedp.Do(tab, chromedp.Navigate(f.srv.URL+base+"/modes/new?lang=en"), chromedp.WaitReady(`#rpn`), chromedp.Sleep(500*time.Millisecond),
			chromedp.Evaluate[chromedp.Void](`for (const [id, v] of [["#f-severity", "9"], ["#f-occurrence", "7"]]) {
				const box = document.querySelector(id); box.value = v; box.dispatchEvent(new Event("input", {bubbles: true})) }`), chromedp.Sleep(200*time.Millisecond)))
		shown, err := chromedp.Run(tab, chromedp.Evaluate[string](`document.querySelector("#rpn").textContent`))
		require.NoError(t, err)
		require.Equal(t, "315", shown, "9 × 7 × 5 while it is typed")
	})
	for _, lang := range []string{"ar", "en"} {
		t.Run("preview and save "+lang, func(t *testing.T) { f.previewsAndSaves(t, uitest.Tab(t, browser), lang) })
	}
}

// previewsAndSaves shortens a life in the browser, looks at what would change
// and saves it from there.
func (f *fixture) previewsAndSaves(t *testing.T, tab context.Context, lang string) {
	t.Helper()
	tag := map[string]string{"ar": "SHQ-ER-01", "en": "SHQ-HP-02"}[lang]
	a := f.assetOf(plantTenant, tag)
	eta := map[string]string{"ar": "260", "en": "270"}[lang]
	require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(1440, 1200), chromedp.Navigate(f.srv.URL+"/assets/"+a.ID.String()+"/life?lang="+lang), chromedp.WaitReady(`#f-eta_days`),
		chromedp.SetValue(`#f-eta_days`, eta), chromedp.SetValue(`#f-age_days`, "3000"), chromedp.SetValue(`#f-beta`, "3"),
		chromedp.Click(`#edit-form [value=preview]`), chromedp.WaitVisible(`#preview [data-moved="`+tag+`"]`)))
	uitest.CheckTab(t, tab)
	f.shot(t, tab, "preview-"+lang)
	typed, err := chromedp.Run(tab, chromedp.Evaluate[string](`document.querySelector("#f-eta_days").value`))
	require.NoError(t, err)
	require.Equal(t, eta, typed)
	require.Equal(t, a.WeibullEtaDays, f.assetOf(plantTenant, tag).WeibullEtaDays, "a preview saves nothing")
	require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(1440, 1200), chromedp.Click(`#preview [value=save]`), chromedp.WaitVisible(`#toasts [data-toast]`)))
	require.Equal(t, 3.0, f.assetOf(plantTenant, tag).WeibullBeta, "saved from the preview")
}

// shot keeps pictures of a tab in both widths when OPTRIA_SHOTS names a folder.
func (f *fixture) shot(t *testing.T, tab context.Context, name string) {
	t.Helper()
	folder := os.Getenv("OPTRIA_SHOTS")
	if folder == "" {
		return
	}
	for suffix, width := range map[string]int64{"390": 390, "1440": 1440} {
		require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(width, 900), chromedp.Sleep(300*time.Millisecond)))
		png, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name+"-"+suffix+".png"), png, 0o600))
	}
}
