// Package piwebapitest is a simulated AVEVA PI Web API for tests. It follows
// the shapes of the published swagger of PI Web API 2018 SP1 and of AVEVA's
// reference pages, and the habits that matter to a client: recorded values are
// cut at maxCount without a word, several events may share a time stamp, times
// have up to seven decimals, one bad WebID fails a whole stream set, links name
// an inner host, and calls beyond the rate are answered with 429.
package piwebapitest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Credentials that the simulator accepts.
const (
	User     = `plant\svc_reader`
	Password = "pi-reader-word"
	Token    = "pi-reader-token"
)

// Base is the path of the service below the host.
const Base = "/piwebapi"

// ServerName is the name of the simulated data server.
const ServerName = "PISRV01"

// Server is the simulated service. Its fields may be set until it serves; use
// the methods afterwards.
type Server struct {
	MaxReturned  int           // MaxReturnedItemsPerCall; a larger maxCount is refused
	MaxContent   int64         // MaxRequestContentLength; a larger body is refused
	MaxRequests  int           // calls a second before 429; zero for no limit
	RetryAfter   int           // seconds that 429 asks to wait
	PublicHost   string        // scheme and host written into links, such as https://pi.corp.example
	Skew         time.Duration // added to the clock that the service shows
	WebIDsByPath bool          // list points by path-only WebIDs and ignore webIdType

	mu       sync.Mutex
	points   []*Point
	index    map[string]*Point // by upper-case path and by WebID without its path, nil until needed
	calls    map[string]int
	second   int64
	inSecond int
	throttle int
}

// New returns a service with the points given.
func New(points ...*Point) *Server {
	s := &Server{MaxReturned: 150_000, MaxContent: 4 << 20, RetryAfter: 1, calls: map[string]int{}}
	s.Add(points...)
	return s
}

// Start serves over plain HTTP until the test ends.
func (s *Server) Start(t testing.TB) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server
}

// StartTLS serves over TLS with a certificate of its own until the test ends.
func (s *Server) StartTLS(t testing.TB) *httptest.Server {
	t.Helper()
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	return server
}

// Add makes further points known.
func (s *Server) Add(points ...*Point) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index = nil
	for _, p := range points {
		if p.ID == 0 {
			p.ID = int32(1000 + len(s.points))
		}
		p.sort()
		s.points = append(s.points, p)
	}
}

// Rename gives a point another name, as PI administrators do. Its identifier
// stays.
func (s *Server) Rename(name, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index = nil
	for _, p := range s.points {
		if p.Name == name {
			p.Name = to
		}
	}
}

// Archive adds events to a point, as an interface does that sends late.
func (s *Server) Archive(name string, events ...Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.points {
		if p.Name == name {
			p.Events = append(p.Events, events...)
			p.sort()
		}
	}
}

// Throttle answers the next calls with 429.
func (s *Server) Throttle(calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.throttle = calls
}

// Calls counts the calls of a path below Base so far, such as "batch".
func (s *Server) Calls(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[path]
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[strings.Trim(strings.TrimPrefix(r.URL.Path, Base), "/")]++
	if refused := s.refuse(w, r); refused {
		return
	}
	if r.Method == http.MethodPost && r.URL.Path == Base+"/batch" {
		s.batch(w, r)
		return
	}
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		write(w, answer{status: 400, body: errorBody(err.Error())})
		return
	}
	write(w, s.route(call{method: r.Method, path: r.URL.Path, query: query, host: s.host(r)}))
}

// refuse answers calls that do not get as far as a resource.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case !strings.HasPrefix(r.URL.Path, Base):
		http.NotFound(w, r)
	case s.tooMany():
		w.Header().Set("Retry-After", strconv.Itoa(s.RetryAfter))
		write(w, answer{status: 429, body: errorBody("The rate limit has been exceeded.")})
	case !accepted(r):
		w.Header().Add("WWW-Authenticate", "Negotiate")
		w.Header().Add("WWW-Authenticate", `Basic realm="piwebapi"`)
		write(w, answer{status: 401, body: object{"Message": "Authorization has been denied for this request."}})
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Header.Get("X-Requested-With") == "":
		write(w, answer{status: 400, body: errorBody("The custom header X-Requested-With is missing or does not have a value.")})
	case r.ContentLength > s.MaxContent:
		write(w, answer{status: 413, body: errorBody("The request is larger than the maximum allowed.")})
	default:
		return false
	}
	return true
}

// tooMany counts a call against the rate.
func (s *Server) tooMany() bool {
	if s.throttle > 0 {
		s.throttle--
		return true
	}
	if now := time.Now().Unix(); now != s.second {
		s.second, s.inSecond = now, 0
	}
	s.inSecond++
	return s.MaxRequests > 0 && s.inSecond > s.MaxRequests
}

func accepted(r *http.Request) bool {
	if r.Header.Get("Authorization") == "Bearer "+Token {
		return true
	}
	user, password, ok := r.BasicAuth()
	return ok && user == User && password == Password
}

func (s *Server) host(r *http.Request) string {
	if s.PublicHost != "" {
		return s.PublicHost + Base
	}
	return "http://" + r.Host + Base
}

func (s *Server) now() time.Time { return time.Now().Add(s.Skew).UTC() }

// call is one request, alone or within a batch.
type call struct {
	method, path string
	query        url.Values
	host         string
}

// answer is the status and the body of a call.
type answer struct {
	status int
	body   any
}

// object is a JSON object.
type object = map[string]any

func errorBody(messages ...string) object { return object{"Errors": messages} }

func fail(status int, message string) answer { return answer{status: status, body: errorBody(message)} }

func write(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache, no-store")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body) // a client that hung up is no concern of the simulator
}

// parseQuery reads parameters as the real service does: names without regard
// to case, semicolons as part of a value.
func parseQuery(raw string) (url.Values, error) {
	parsed, err := url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
	if err != nil {
		return nil, err
	}
	folded := url.Values{}
	for name, values := range parsed {
		folded[strings.ToLower(name)] = append(folded[strings.ToLower(name)], values...)
	}
	return folded, nil
}

// count reads a parameter that is a number of items.
func (s *Server) count(query url.Values, name string, standard int) (int, *answer) {
	text := query.Get(strings.ToLower(name))
	if text == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		refused := fail(400, "Parameter '"+name+"' is invalid.")
		return 0, &refused
	}
	if name == "maxCount" && n > s.MaxReturned {
		refused := fail(400, "Parameter 'maxCount' is greater than the maximum allowed ("+strconv.Itoa(s.MaxReturned)+").")
		return 0, &refused
	}
	return n, nil
}
