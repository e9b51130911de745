package web

import (
	"context"
	"net/http"

	"github.com/optria-iq/optria/internal/i18n"
)

type preference struct{ lang, theme string }

type preferenceKey struct{}

// year is the lifetime of the preference cookies, in seconds.
const year = 365 * 24 * 3600

// Preferences is the middleware that reads ?lang= and ?theme=, else the
// cookies of the same names, else Arabic and light. A value in the address is
// kept in a cookie, so it holds on the next pages.
func Preferences(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := preference{
			lang:  remember(w, r, "lang", i18n.Arabic, i18n.English),
			theme: remember(w, r, "theme", "light", "dark"),
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), preferenceKey{}, p)))
	})
}

// remember returns the first valid of query and cookie, or fallback.
func remember(w http.ResponseWriter, r *http.Request, name, fallback, other string) string {
	valid := func(v string) bool { return v == fallback || v == other }
	if v := r.URL.Query().Get(name); valid(v) {
		http.SetCookie(w, &http.Cookie{ // #nosec G124 -- language and theme only; Secure follows the connection
			Name: name, Value: v, Path: "/", MaxAge: year,
			HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
		})
		return v
	}
	if c, err := r.Cookie(name); err == nil && valid(c.Value) {
		return c.Value
	}
	return fallback
}

func preferenceFrom(r *http.Request) preference {
	if p, ok := r.Context().Value(preferenceKey{}).(preference); ok {
		return p
	}
	return preference{i18n.Arabic, "light"}
}
