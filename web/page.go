package web

import (
	"net/url"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/i18n"
)

// Page is what every template receives as its dot. Renderer.Page fills the
// language, theme, nonce and address from the request; the handler fills the
// rest. Data is the page's own view.
type Page struct {
	Lang  string // "ar" or "en"
	Dir   string // "rtl" or "ltr"
	Other string // the language to switch to
	Theme string // "light" or "dark"
	Nonce string // of the content security policy
	URL   *url.URL

	Title     string // shown in the window title; already translated
	Crumbs    []Crumb
	Nav       []NavSection // already filtered by what the user may do
	User      *User        // nil shows the public layout
	Tenant    *Tenant      // nil on platform pages
	Tenants   []Tenant     // entries of the switcher; the current one included
	Toasts    []Toast
	CanSearch bool        // shows the search box and the alerts of the tenant
	Alerts    int         // open alerts, shown on the bell
	Unread    int         // notifications of the person that are not read
	Synthetic bool        // shows the synthetic-data ribbon
	Break     *BreakGlass // shows the break-glass banner

	Data any

	loc *i18n.Localizer
}

// User is the signed-in person as the layout shows them. Role is translated.
type User struct {
	Name, Email, Role string
}

// Initials are the first letters of the first and the last name, spaced so
// that Arabic letters do not join.
func (u User) Initials() string {
	words := strings.Fields(u.Name)
	if len(words) == 0 {
		return "–"
	}
	first := string([]rune(words[0])[:1])
	if len(words) == 1 {
		return strings.ToUpper(first)
	}
	last := []rune(strings.TrimPrefix(words[len(words)-1], "ال"))
	if len(last) == 0 {
		return strings.ToUpper(first)
	}
	return strings.ToUpper(first + " " + string(last[:1]))
}

// Tenant is one organisation, in the page's language. Note is a second line,
// such as the number of sites.
type Tenant struct {
	ID, Name, Code, Note string
	Current              bool
}

// NavSection is a group of links; Label and the labels of its items are
// message keys.
type NavSection struct {
	Label string
	Items []NavItem
}

// NavItem is one link. Count shows a number when it is above zero.
type NavItem struct {
	Href, Icon, Label string
	Count             int
	Active            bool
}

// Crumb is one step of the trail above the title; the last has no Href.
// Label is translated. Tag prints it as an isolated asset tag.
type Crumb struct {
	Href, Label string
	Tag         bool
}

// Toast is a short message in the corner. Tone is ok, bad, warn or busy;
// Title and Text are translated.
type Toast struct {
	Tone  string `json:"tone"`
	Title string `json:"title"`
	Text  string `json:"text,omitempty"`
}

// BreakGlass says that a platform administrator reads a tenant's data.
type BreakGlass struct {
	Tenant, Reason string
	Until          time.Time
}

// ErrorView is the Data of public/error. Message is translated; RequestID
// helps support find the log line.
type ErrorView struct {
	Status    int
	Message   string
	RequestID string
}

// T translates a key, for titles and toasts built in handlers.
func (p Page) T(key string, args ...any) string { return p.loc.T(key, args...) }

// N translates a counted key.
func (p Page) N(key string, n int, args ...any) string { return p.loc.N(key, n, args...) }

// Loc returns the localizer of the page's language, for formatting in handlers.
func (p Page) Loc() *i18n.Localizer { return p.loc }

// RTL reports whether the page reads from the right.
func (p Page) RTL() bool { return p.Dir == "rtl" }

// With returns the current address with query values replaced, given as name,
// value pairs; an empty value removes the name. The language and theme toggles
// and the links of tables use it, so that path and filters survive.
func (p Page) With(pairs ...string) string { return withQuery(p.URL, pairs...) }

func withQuery(u *url.URL, pairs ...string) string {
	if u == nil {
		u = &url.URL{Path: "/"}
	}
	q := u.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	out := url.URL{Path: u.Path, RawQuery: q.Encode()}
	return out.String()
}
