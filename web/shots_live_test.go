package web_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/web/uitest"
)

func TestLiveShots(t *testing.T) {
	base := os.Getenv("LIVE")
	if base == "" {
		t.Skip()
	}
	browser := uitest.Browser(t)
	tab := uitest.Tab(t, browser)
	require.NoError(t, chromedp.Do(tab, chromedp.Navigate(base+"/login"), chromedp.SendKeys(`[name=user]`, os.Getenv("LIVE_USER")), chromedp.SendKeys(`[name=password]`, os.Getenv("LIVE_PASSWORD")), chromedp.Submit(`[name=password]`), chromedp.Sleep(2*time.Second)))
	for _, x := range strings.Fields(os.Getenv("LIVE_PAGES")) {
		name, path, _ := strings.Cut(x, "=")
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		uitest.Shot(t, browser, base+path+sep+"lang=ar&theme=light", 1440, "/tmp/shots/live-"+name+"-ar.png")
		if os.Getenv("LIVE_PHONE") != "" {
			uitest.Shot(t, browser, base+path+sep+"lang=en&theme=dark", 390, "/tmp/shots/live-"+name+"-en-390.png")
		}
	}
}
