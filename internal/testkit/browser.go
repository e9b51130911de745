package testkit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/optria-iq/optria/internal/devstack"
)

// tabTimeout bounds everything that one test does in its tab.
const tabTimeout = 2 * time.Minute

// chromium is the browser of this process: a context whose children are tabs.
var chromium = sync.OnceValues(func() (context.Context, error) {
	path, err := chromiumPath()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "optria-browser-")
	if err != nil {
		return nil, fmt.Errorf("make browser profile: %w", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(profile),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root otherwise
	}
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", path, err), os.RemoveAll(profile))
	}
	// The browser ends with this process; its profile is swept behind it.
	pid := chromedp.FromContext(ctx).Browser.Process().Pid
	if err := devstack.RemoveAfterExit(profile, pid); err != nil {
		return nil, err
	}
	return ctx, nil
})

func chromiumPath() (string, error) {
	if chosen := os.Getenv("OPTRIA_CHROMIUM"); chosen != "" {
		return chosen, nil
	}
	for _, name := range []string{"/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium found: install it or set OPTRIA_CHROMIUM")
}

// Tab is a browser tab with cookies and storage of its own.
type Tab struct {
	context.Context

	mu       sync.Mutex
	messages []chromedp.ConsoleMessage
}

// Browser opens a tab for the test and closes it at its end. The tab is a
// context for chromedp's functions.
func Browser(t testing.TB) *Tab {
	t.Helper()
	parent, err := chromium()
	if err != nil {
		t.Fatalf("no browser for the test (make test installs it): %v", err)
	}
	ctx, closeTab := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil { // opens the tab, without the timeout
		t.Fatalf("open a tab: %v", err)
	}
	tab := &Tab{}
	go tab.collect(chromedp.Console(ctx)) // subscribed before the first page loads
	limited, cancel := context.WithTimeout(ctx, tabTimeout)
	t.Cleanup(cancel)
	tab.Context = limited
	return tab
}

// collect keeps what the page writes to its console until the tab closes.
func (tab *Tab) collect(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for message, err := range messages {
		if err != nil {
			return // the tab was closed
		}
		tab.mu.Lock()
		tab.messages = append(tab.messages, message)
		tab.mu.Unlock()
	}
}

// Console returns every message of the console so far.
func (tab *Tab) Console() []chromedp.ConsoleMessage {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return append([]chromedp.ConsoleMessage(nil), tab.messages...)
}

// ConsoleErrors returns the errors and uncaught exceptions of the console so
// far. A page without fault has none.
func (tab *Tab) ConsoleErrors() []string {
	var found []string
	for _, message := range tab.Console() {
		if message.Type == "error" || message.IsException() {
			found = append(found, message.String())
		}
	}
	return found
}
