// Package uitest checks finished pages in a real browser. Tests import it;
// the product does not. A page passes when, in both languages, both themes
// and at phone and desk widths, it breaks no rule of the page policy (Trusted
// Types included), writes no console error, does not scroll sideways and shows
// no untranslated key; and when axe finds no violation of WCAG 2.2 A or AA.
package uitest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"github.com/unrolled/secure"
)

// axe is axe-core 4.14.1 (MPL 2.0, licence beside it), used unchanged and
// only in tests.
//
//go:embed testdata/axe.min.js
var axe string

// policy is the content security policy of every page.
const policy = "default-src 'none'; script-src $NONCE 'strict-dynamic'; style-src 'self'; style-src-attr 'none'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; " +
	"require-trusted-types-for 'script'; trusted-types htmx"

// Widths are the two page widths, in CSS pixels.
var Widths = []int64{390, 1440}

// tabTime bounds the work on one page variant. Shared build machines are slow.
const tabTime = 90 * time.Second

// Policy serves next under the product's page policy with a fresh nonce.
func Policy(next http.Handler) http.Handler {
	return secure.New(secure.Options{ContentSecurityPolicy: policy, ContentTypeNosniff: true}).Handler(next)
}

// Browser starts Chromium for the test. OPTRIA_CHROMIUM names another binary.
func Browser(t testing.TB) context.Context {
	t.Helper()
	bin := os.Getenv("OPTRIA_CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if bin == "" {
			bin, _ = exec.LookPath(name)
		}
	}
	if bin == "" {
		t.Fatal("no Chromium for the test: make test installs it, or OPTRIA_CHROMIUM names it")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(bin), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "start Chromium")
	return ctx
}

// Tab opens a tab that closes with the test.
func Tab(t testing.TB, browser context.Context) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, tabTime)
	t.Cleanup(cancel)
	return ctx
}

// variants are the pairs of language and theme that every page is opened in,
// each at both widths. Colours do not depend on the language, so two pairs see
// what four would; OPTRIA_UI_ALL opens all four.
func variants() [][2]string {
	pairs := [][2]string{{"ar", "light"}, {"en", "dark"}}
	if os.Getenv("OPTRIA_UI_ALL") != "" {
		pairs = append(pairs, [2]string{"ar", "dark"}, [2]string{"en", "light"})
	}
	return pairs
}

// CheckPage opens an address in both languages and themes and reports every
// fault. Cookies of the browser stay, so a test may sign in first. All pages
// open in the first tab, one after the other: a new tab compiles every script
// anew, which takes longer than the checks.
func CheckPage(t *testing.T, browser context.Context, address string) {
	t.Helper()
	for i, v := range variants() {
		rules := everyRule
		if i > 0 {
			rules = variantRules
		}
		t.Run(v[0]+" "+v[1], func(t *testing.T) {
			for _, fault := range faults(t, browser, variant(t, address, v[0], v[1]), rules) {
				t.Error(fault)
			}
		})
	}
}

func variant(t testing.TB, address, lang, theme string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	q.Set("lang", lang)
	q.Set("theme", theme)
	u.RawQuery = q.Encode()
	return u.String()
}

// faults loads one variant once and looks at it in every width.
func faults(t *testing.T, browser context.Context, address, rules string) []string {
	ctx, cancel := context.WithTimeout(browser, tabTime)
	defer cancel()
	console := chromedp.Console(ctx)
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(Widths[0], 900), chromedp.Navigate(address),
		chromedp.WaitReady(`#main`), chromedp.Sleep(350*time.Millisecond)))
	out := looks(t, ctx, rules)
	return append(out, consoleErrors(ctx, console, address)...)
}

// looks looks at the page that a tab shows, in every width, also for what
// breaks the given rules of axe.
func looks(t testing.TB, ctx context.Context, rules string) []string {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](axe)))
	var out []string
	for _, width := range Widths {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Sleep(80*time.Millisecond)))
		checks := []string{wide, untranslated}
		if rules == everyRule || width == Widths[1] {
			checks = append(checks, fmt.Sprintf(violations, rules))
		}
		for _, check := range checks {
			found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](check, chromedp.EvalAwaitPromise))
			require.NoError(t, err)
			for _, f := range found {
				out = append(out, fmt.Sprintf("%d px: %s", width, f))
			}
		}
	}
	return out
}

// CheckTab reports every fault of the page that a tab shows now, for pages that
// only a form leads to. Console errors are the caller's to watch.
func CheckTab(t testing.TB, tab context.Context) {
	t.Helper()
	for _, fault := range looks(t, tab, everyRule) {
		t.Error(fault)
	}
}

// Rules of axe: all of WCAG 2.2 A and AA, and those that depend on the language
// or the theme. The markup of a page depends on neither, so its other variants
// are asked only these, at the width of a desk, which shows every part.
const (
	everyRule    = `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]`
	variantRules = `["color-contrast", "link-in-text-block", "html-has-lang", "html-lang-valid", "valid-lang", "document-title", "target-size"]`
)

// The three checks run in the page and return a list of texts. The first
// names the elements that stick out, the deepest last.
const (
	wide = `(() => { const over = document.documentElement.scrollWidth - innerWidth; if (over <= 0) return [];
		return ["page is " + over + " px too wide"].concat([...document.querySelectorAll("body *")].filter(e => { const r = e.getBoundingClientRect(); return r.width && (r.right > innerWidth + 1 || r.left < -1) }).slice(-3).map(e => "sticks out: " + e.outerHTML.slice(0, 160))) })()`
	untranslated = `((document.title + document.body.innerHTML).match(/\[\[[\w.]+\]\]/g) || []).map(k => "no text for " + k)`
	violations   = `axe.run(document, {runOnly: %s, resultTypes: ["violations"]}).then(r => r.violations.flatMap(v => v.nodes.slice(0, 4).map(n => "axe " + v.id + " | " + n.target.join(" ") + " | " + n.failureSummary.replace(/\s+/g, " ").slice(0, 240))))`
)

// consoleErrors reads what the page has written so far and stops listening.
// The status of the page itself is no fault: error pages answer 404 on purpose.
func consoleErrors(ctx context.Context, console iter.Seq2[chromedp.ConsoleMessage, error], address string) []string {
	var out []string
	done := make(chan struct{})
	messages := make(chan string)
	go func() {
		defer close(messages)
		for m, err := range console {
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					select {
					case messages <- "console: " + err.Error():
					case <-done:
					}
				}
				return
			}
			own := m.Source == "network" && m.URL == address
			if !own && (m.Type == "error" || m.IsException()) {
				select {
				case messages <- "console: " + m.String():
				case <-done:
					return
				}
			}
		}
	}()
	defer close(done)
	for {
		select {
		case m, open := <-messages:
			if !open {
				return out
			}
			out = append(out, m)
		case <-time.After(60 * time.Millisecond):
			return out
		case <-ctx.Done():
			return out
		}
	}
}

// Shot writes a picture of the whole page to a file, for a person to look at.
func Shot(t testing.TB, browser context.Context, address string, width int64, file string) {
	t.Helper()
	ctx := Tab(t, browser)
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(address), chromedp.WaitReady(`#main`), chromedp.Sleep(1500*time.Millisecond)))
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, png, 0o600))
}
