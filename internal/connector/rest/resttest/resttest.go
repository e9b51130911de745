// Package resttest is a source of readings for tests of the REST connector: a
// JSON service in the manner of PostgREST, and the same readings behind the
// other styles of paging that services have.
package resttest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Source serves one reading of every tag each period, without beginning or
// end. Its fields are set before it serves.
type Source struct {
	Tags     []string
	Period   time.Duration
	PageSize int    // of the styles that have a size of their own
	User     string // basic authentication when not empty
	Password string
	Token    string // bearer authentication when not empty
	LinkHost string // that links name in place of the true host

	requests atomic.Int64
}

// Row is one reading as the service shows it.
type Row struct {
	Tag     string    `json:"tag"`
	Time    time.Time `json:"ts"`
	Value   float64   `json:"value"`
	Quality string    `json:"quality"`
	Unit    string    `json:"unit"`
}

// Requests is how many requests were answered.
func (s *Source) Requests() int64 { return s.requests.Load() }

// Value is the reading of a tag at an instant.
func Value(tag string, at time.Time) float64 {
	return float64(len(tag)) + math.Sin(float64(at.Unix())/600)
}

// Handler returns the service.
func (s *Source) Handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /rest/v1/readings", s.postgrest)
	m.HandleFunc("GET /pages", s.pages)
	m.HandleFunc("GET /cursor", s.cursor)
	m.HandleFunc("GET /link", s.link)
	m.HandleFunc("GET /latest", s.latest)
	m.HandleFunc("GET /tags", func(w http.ResponseWriter, _ *http.Request) { write(w, map[string]any{"tags": s.Tags}) })
	m.HandleFunc("GET /tags/{tag}/values", s.values)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		user, password, _ := r.BasicAuth()
		if (s.User != "" && (user != s.User || password != s.Password)) || (s.Token != "" && r.Header.Get("Authorization") != "Bearer "+s.Token) {
			http.Error(w, `{"message":"no"}`, http.StatusUnauthorized)
			return
		}
		m.ServeHTTP(w, r)
	})
}

func write(w http.ResponseWriter, content any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(content)
}

// span is the readings after since and up to until, in the order of time; they
// are made as they are asked for.
type span struct {
	first  time.Time
	period time.Duration
	tags   []string
	length int
}

func (s *Source) span(since, until time.Time, tags ...string) span {
	first := since.Truncate(s.Period).Add(s.Period)
	if until.Before(first) {
		return span{}
	}
	return span{first, s.Period, tags, (int(until.Sub(first)/s.Period) + 1) * len(tags)}
}

// page is the part of a span that a page holds.
func (s span) page(offset, limit int) []Row {
	offset = min(max(offset, 0), s.length)
	out := []Row{}
	for n := offset; n < min(offset+limit, s.length); n++ {
		tag, at := s.tags[n%len(s.tags)], s.first.Add(time.Duration(n/len(s.tags))*s.period).UTC()
		out = append(out, Row{tag, at, Value(tag, at), "good", "bar"})
	}
	return out
}

// window reads two times in RFC 3339 or in seconds since 1970.
func window(w http.ResponseWriter, since, until string) (from, to time.Time, ok bool) {
	read := func(text string) (time.Time, error) {
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
			return time.Unix(seconds, 0), nil
		}
		return time.Parse(time.RFC3339, text)
	}
	from, err := read(since)
	if err == nil {
		to, err = read(until)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return from, to, false
	}
	return from, to, true
}

// postgrest answers ?ts=gt.T&ts=lte.T&order=ts&limit=N&offset=N with a list.
func (s *Source) postgrest(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var since, until string
	for _, filter := range q["ts"] {
		if text, ok := strings.CutPrefix(filter, "gt."); ok {
			since = text
		}
		if text, ok := strings.CutPrefix(filter, "lte."); ok {
			until = text
		}
	}
	from, to, ok := window(w, since, until)
	if !ok {
		return
	}
	limit, _ := strconv.Atoi(q.Get("limit"))
	offset, _ := strconv.Atoi(q.Get("offset"))
	rows := s.span(from, to, s.Tags...)
	page := rows.page(offset, max(limit, 1))
	w.Header().Set("Content-Range", fmt.Sprintf("%d-%d/%d", offset, offset+len(page)-1, rows.length))
	write(w, page)
}

// pages answers ?from=T&to=T&page=N, counted from 1.
func (s *Source) pages(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if from, to, ok := window(w, q.Get("from"), q.Get("to")); ok {
		page, _ := strconv.Atoi(q.Get("page"))
		write(w, map[string]any{"data": s.span(from, to, s.Tags...).page((page-1)*s.PageSize, s.PageSize), "page": page})
	}
}

// cursor answers ?from=T&to=T&after=C with the cursor of the next page, null at
// the end.
func (s *Source) cursor(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	from, to, ok := window(w, q.Get("from"), q.Get("to"))
	if !ok {
		return
	}
	if _, empty := q["after"]; empty && q.Get("after") == "" {
		http.Error(w, "an empty cursor is none", http.StatusBadRequest)
		return
	}
	offset, _ := strconv.Atoi(q.Get("after"))
	rows := s.span(from, to, s.Tags...)
	var next any
	if offset+s.PageSize < rows.length {
		next = strconv.Itoa(offset + s.PageSize)
	}
	write(w, map[string]any{"data": rows.page(offset, s.PageSize), "meta": map[string]any{"next": next}})
}

// link answers ?from=N&to=N&skip=N with a link to the next page in the body and
// in the Link header. As many services do, it names an inner host.
func (s *Source) link(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	from, to, ok := window(w, q.Get("from"), q.Get("to"))
	if !ok {
		return
	}
	skip, _ := strconv.Atoi(q.Get("skip"))
	rows := s.span(from, to, s.Tags...)
	body := map[string]any{"data": rows.page(skip, s.PageSize)}
	if skip+s.PageSize < rows.length {
		q.Set("skip", strconv.Itoa(skip+s.PageSize))
		next := s.LinkHost + "/link?" + q.Encode()
		body["next"] = next
		w.Header().Set("Link", fmt.Sprintf(`<%s/link>; rel="first", <%s>; rel="next"`, s.LinkHost, next))
	}
	write(w, body)
}

// latest answers with the newest reading of every tag, as live services do.
func (s *Source) latest(w http.ResponseWriter, _ *http.Request) {
	at := time.Now().Truncate(s.Period)
	values := map[string]any{}
	for _, tag := range s.Tags {
		values[tag] = Value(tag, at)
	}
	write(w, map[string]any{"at": at.Unix(), "values": values})
}

// values answers for one tag, 404 for one that does not exist.
func (s *Source) values(w http.ResponseWriter, r *http.Request) {
	tag := r.PathValue("tag")
	if !slices.Contains(s.Tags, tag) {
		http.Error(w, `{"message":"no such tag"}`, http.StatusNotFound)
		return
	}
	q := r.URL.Query()
	if from, to, ok := window(w, q.Get("from"), q.Get("to")); ok {
		points := [][2]any{}
		for _, row := range s.span(from, to, tag).page(0, math.MaxInt32) {
			points = append(points, [2]any{row.Time.Unix(), row.Value})
		}
		write(w, map[string]any{"points": points})
	}
}
