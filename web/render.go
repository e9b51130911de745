package web

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/unrolled/secure"

	"github.com/optria-iq/optria/internal/i18n"
)

//go:embed templates
var templates embed.FS

// Renderer prints pages from the embedded templates. It is safe for
// concurrent use.
type Renderer struct {
	catalog *i18n.Catalog
	static  *Static
	// pages composes each page by language and name when it is first printed:
	// all of them would take a hundred megabytes.
	pages map[string]func() (*template.Template, error)
	// mark stands for the request's nonce while a page is printed. It is
	// random and replaced before anything is sent, so data cannot name it.
	mark string
}

// bare pages keep the public layout even for a signed-in user.
var bare = map[string]bool{"public/landing": true, "public/login": true, "public/change-password": true, "public/demo-request": true}

// NewRenderer prepares every page for both languages. It fails when a template
// does not parse.
func NewRenderer(catalog *i18n.Catalog, static *Static) (*Renderer, error) {
	x := &Renderer{catalog: catalog, static: static, pages: map[string]func() (*template.Template, error){}, mark: "n" + rand.Text()}
	files, err := fs.Glob(templates, "templates/pages/*/*.html")
	if err != nil {
		return nil, fmt.Errorf("list pages: %w", err)
	}
	for _, lang := range i18n.Languages() {
		funcs := x.funcs(catalog.Localizer(lang))
		base, err := template.New("").Funcs(funcs).ParseFS(templates, "templates/*.html", "templates/parts/*.html")
		if err != nil {
			return nil, fmt.Errorf("parse layout and parts: %w", err)
		}
		for _, file := range files {
			if _, err := template.New("").Funcs(funcs).ParseFS(templates, file); err != nil {
				return nil, fmt.Errorf("parse page: %w", err)
			}
			x.pages[lang+"/"+pageName(file)] = sync.OnceValues(func() (*template.Template, error) { return compose(base, file) })
		}
	}
	return x, nil
}

// compose adds a page to a copy of the layout and parts.
func compose(base *template.Template, file string) (*template.Template, error) {
	page, err := base.Clone()
	if err != nil {
		return nil, fmt.Errorf("copy layout: %w", err)
	}
	if _, err := page.ParseFS(templates, file); err != nil {
		return nil, fmt.Errorf("parse page: %w", err)
	}
	return page, nil
}

// pageName turns templates/pages/assets/list.html into assets/list.
func pageName(file string) string {
	return strings.TrimSuffix(strings.TrimPrefix(file, "templates/pages/"), path.Ext(file))
}

// Page returns the base of a page for a request: language and theme as
// Preferences chose them, the nonce of the security policy, the address.
func (x *Renderer) Page(r *http.Request) Page {
	pref := preferenceFrom(r)
	l := x.catalog.Localizer(pref.lang)
	return Page{Lang: l.Lang, Dir: l.Dir, Other: l.Other, Theme: pref.theme, Nonce: secure.CSPNonce(r.Context()), URL: r.URL, loc: l}
}

// Render prints a whole page, such as "assets/list". The page is complete
// before the first byte leaves: a template error is logged and answered with
// a plain 500 instead of half a page.
func (x *Renderer) Render(w http.ResponseWriter, r *http.Request, status int, name string, p Page) {
	layout := "layout"
	if p.User == nil || bare[name] {
		layout = "layout-public"
	}
	x.write(w, r, status, name, layout, p)
}

// RenderPart prints one named block of a page for htmx, with the page as its
// dot. Toasts travel in a header and appear in the toast area.
func (x *Renderer) RenderPart(w http.ResponseWriter, r *http.Request, status int, name, block string, p Page) {
	if len(p.Toasts) > 0 {
		if b, err := json.Marshal(map[string]any{"toast": p.Toasts}); err == nil {
			w.Header().Set("HX-Trigger", ascii(b))
		}
	}
	x.write(w, r, status, name, block, p)
}

func (x *Renderer) write(w http.ResponseWriter, r *http.Request, status int, name, block string, p Page) {
	body, err := x.Bytes(name, block, p)
	if err != nil {
		slog.ErrorContext(r.Context(), "render page", "page", name, "block", block, "error", err)
		http.Error(w, x.catalog.Localizer(p.Lang).T("error.500.title"), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Add("Vary", "Cookie, HX-Request")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(body); err != nil { // #nosec G705 -- printed by html/template
		slog.DebugContext(r.Context(), "send page", "page", name, "error", err)
	}
}

// errNoPage reports a page or block that no template defines.
var errNoPage = errors.New("no such template")

// Bytes prints a block of a page: "layout", "layout-public" or any named part.
func (x *Renderer) Bytes(name, block string, p Page) ([]byte, error) {
	composed, ok := x.pages[p.Lang+"/"+name]
	if !ok {
		return nil, fmt.Errorf("render %s: %w", name, errNoPage)
	}
	page, err := composed()
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, block, p); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return bytes.ReplaceAll(b.Bytes(), []byte(x.mark), []byte(template.HTMLEscapeString(p.Nonce))), nil
}

// ascii escapes everything above ASCII in JSON, because header values are not
// UTF-8.
func ascii(b []byte) string {
	var out strings.Builder
	for _, c := range string(b) {
		switch {
		case c < 0x80:
			out.WriteRune(c)
		case c > 0xffff:
			c -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+c>>10, 0xdc00+c&0x3ff)
		default:
			fmt.Fprintf(&out, `\u%04x`, c)
		}
	}
	return out.String()
}
