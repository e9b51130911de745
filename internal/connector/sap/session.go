package sap

import (
	"net/http"
	"net/url"
	"sync"
)

// maxCookies bounds what a session keeps; SAP sets three.
const maxCookies = 32

// session keeps the cookies of the one host that the client speaks to. SAP
// marks them Secure even behind a gateway that ends TLS, where the jar of the
// standard library would drop them and with them the CSRF token.
type session struct {
	mu      sync.Mutex
	cookies map[string]*http.Cookie
}

// SetCookies keeps the newest value of each cookie and forgets ended ones.
func (s *session) SetCookies(_ *url.URL, cookies []*http.Cookie) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cookies == nil {
		s.cookies = map[string]*http.Cookie{}
	}
	for _, cookie := range cookies {
		if cookie.MaxAge < 0 {
			delete(s.cookies, cookie.Name)
			continue
		}
		if _, known := s.cookies[cookie.Name]; known || len(s.cookies) < maxCookies {
			s.cookies[cookie.Name] = &http.Cookie{Name: cookie.Name, Value: cookie.Value} // #nosec G124 -- sent back, not set
		}
	}
}

// Cookies returns all that are kept: the client never leaves its host.
func (s *session) Cookies(*url.URL) []*http.Cookie {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := make([]*http.Cookie, 0, len(s.cookies))
	for _, cookie := range s.cookies {
		kept = append(kept, cookie)
	}
	return kept
}
