package web

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/i18n"
)

// eachTemplate calls f with every embedded template.
func eachTemplate(t *testing.T, f func(t *testing.T, name, text string)) {
	t.Helper()
	require.NoError(t, fs.WalkDir(templates, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := templates.ReadFile(name)
		if err != nil {
			return err
		}
		t.Run(strings.TrimPrefix(name, "templates/"), func(t *testing.T) { f(t, name, string(b)) })
		return nil
	}))
}

var (
	usedKey  = regexp.MustCompile(`[({ |](?:t|tn|th) "([^"]+)"`)
	usedIcon = regexp.MustCompile(`[({ |]icon "([^"]+)"`)
	// physical catches utilities that name a side of the screen; Arabic needs
	// the logical ones (ms-, pe-, start-, text-end, border-s, rounded-e).
	physical  = regexp.MustCompile(`["\s:](-?(?:m[lr]|p[lr]|left|right|scroll-m[lr]|scroll-p[lr])-[\w\[./-]+|text-(?:left|right)|float-(?:left|right)|clear-(?:left|right)|border-[lr](?:-\w+)?|rounded-(?:[lr]|t[lr]|b[lr])(?:-\w+)?)["\s!]`)
	inline    = regexp.MustCompile(`\sstyle=`)
	eventCode = regexp.MustCompile(`\son[a-z]+=|\shx-on|javascript:|js:`)
	htmx      = regexp.MustCompile(`<[^>]*\shx-(?:get|post|put|delete|patch)=[^>]*>`)
)

func TestTemplatesKeepTheHouseRules(t *testing.T) {
	t.Parallel()
	catalog, err := i18n.New()
	require.NoError(t, err)
	eachTemplate(t, func(t *testing.T, _, text string) {
		for _, m := range usedKey.FindAllStringSubmatch(text, -1) {
			if !strings.HasSuffix(m[1], ".") { // a prefix that print completes
				require.True(t, catalog.Has(m[1]), "no message %q", m[1])
			}
		}
		for _, m := range usedIcon.FindAllStringSubmatch(text, -1) {
			require.Contains(t, icons, m[1], "no icon")
		}
		require.NotRegexp(t, inline, text, "the page policy blocks style attributes")
		require.NotRegexp(t, eventCode, text, "the page policy blocks inline scripts")
		require.NotRegexp(t, physical, text, "use logical utilities")
		for _, tag := range htmx.FindAllString(text, -1) {
			require.Contains(t, tag, "hx-nonce", "hx-csp strips an element without its nonce")
		}
	})
}

// Page templates share one name space with the parts. A page that redefines a
// part would change it for that page alone, which nobody expects.
func TestPagesDoNotRedefineParts(t *testing.T) {
	t.Parallel()
	define := regexp.MustCompile(`\{\{-?\s*define "([^"]+)"`)
	slots := map[string]bool{"content": true, "extra-head": true, "public-nav": true, "public-cta": true, "public-foot": true}
	shared := map[string]bool{}
	pages := map[string][]string{}
	eachTemplate(t, func(_ *testing.T, name, text string) {
		for _, m := range define.FindAllStringSubmatch(text, -1) {
			if strings.HasPrefix(name, "templates/pages/") {
				pages[name] = append(pages[name], m[1])
			} else {
				shared[m[1]] = true
			}
		}
	})
	for name, blocks := range pages {
		for _, block := range blocks {
			require.False(t, shared[block] && !slots[block], "%s redefines %s", name, block)
		}
	}
}
