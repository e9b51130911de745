package oracleeamtest

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// condition is one comparison of the q parameter; several are joined by "and"
// or a semicolon.
var condition = regexp.MustCompile(`^\s*([A-Za-z]+)\s*(>=|<=|!=|=|>|<)\s*(?:'([^']*)'|"([^"]*)"|(\S+))\s*$`)

var conjunction = regexp.MustCompile(`(?i);|\s+and\s+`)

// matches reports whether a row fulfils a q parameter, or why it cannot be
// judged.
func (s *Server) matches(res *resource, row Row, q string) (bool, error) {
	if strings.TrimSpace(q) == "" {
		return true, nil
	}
	for _, part := range conjunction.Split(q, -1) {
		found := condition.FindStringSubmatch(part)
		if found == nil {
			return false, fmt.Errorf("URL request parameter q has an invalid value: %s", part)
		}
		if !s.has(res, found[1]) {
			return false, fmt.Errorf("URL request parameter q cannot be used. The attribute %s is not found", found[1])
		}
		order := compare(row[found[1]], found[3]+found[4]+found[5])
		fulfilled := map[string]bool{"=": order == 0, "!=": order != 0, ">": order > 0, ">=": order >= 0, "<": order < 0, "<=": order <= 0}[found[2]]
		if !fulfilled {
			return false, nil
		}
	}
	return true, nil
}

// has reports whether this release of the resource has an attribute.
func (s *Server) has(res *resource, attribute string) bool {
	return slices.Contains(res.attribute, attribute) && !slices.Contains(s.Missing, attribute)
}

// compare orders numbers, times and texts.
func compare(a, b any) int {
	left, right := text(a), text(b)
	x, err1 := strconv.ParseInt(left, 10, 64)
	y, err2 := strconv.ParseInt(right, 10, 64)
	if err1 == nil && err2 == nil {
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	at, err1 := time.Parse(time.RFC3339, left)
	bt, err2 := time.Parse(time.RFC3339, right)
	if err1 == nil && err2 == nil {
		return at.Compare(bt)
	}
	return strings.Compare(left, right)
}

func text(v any) string {
	if v == nil {
		return ""
	}
	if f, ok := v.(float64); ok {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// collection answers with one page of rows.
func (s *Server) collection(w http.ResponseWriter, r *http.Request, res *resource) {
	query, err := url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery, ";", "%3B"))
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	limit, offset, err := s.window(query)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	found, err := s.search(res, query)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	page := []Row{}
	for i := offset; i < min(len(found), offset+limit); i++ {
		shown, err := s.show(r, res, found[i], query)
		if err != nil {
			fail(w, http.StatusBadRequest, err.Error())
			return
		}
		page = append(page, shown)
	}
	body := Row{"items": page, "count": len(page), "hasMore": offset+len(page) < len(found), "limit": limit, "offset": offset,
		"links": []Row{{"rel": "self", "href": s.host(r) + Root + res.name, "name": res.name, "kind": "collection"}}}
	if query.Get("totalResults") == "true" {
		body["totalResults"] = len(found)
	}
	write(w, http.StatusOK, "resourcecollection", body)
}

// search finds the rows that q and finder ask for, in the order of orderBy.
func (s *Server) search(res *resource, query url.Values) ([]Row, error) {
	q := query.Get("q")
	if finder := query.Get("finder"); finder != "" {
		name, arguments, _ := strings.Cut(finder, ";")
		if name != "PrimaryKey" {
			return nil, fmt.Errorf("URL request parameter finder has an unknown value %s", name)
		}
		q = strings.TrimSuffix(strings.ReplaceAll(arguments, ",", ";")+";"+q, ";")
	}
	var found []Row
	for _, row := range res.rows {
		ok, err := s.matches(res, row, q)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, row)
		}
	}
	return found, s.sort(res, found, query.Get("orderBy"))
}

func (s *Server) window(query url.Values) (limit, offset int, err error) {
	limit = 25
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 0 {
			return 0, 0, fmt.Errorf("URL request parameter limit has an invalid value")
		}
	}
	if text := query.Get("offset"); text != "" {
		if offset, err = strconv.Atoi(text); err != nil || offset < 0 {
			return 0, 0, fmt.Errorf("URL request parameter offset has an invalid value")
		}
	}
	return min(limit, s.Cap), offset, nil // cut without a word
}

func (s *Server) sort(res *resource, rows []Row, orderBy string) error {
	if orderBy == "" {
		return nil
	}
	type key struct {
		attribute string
		down      bool
	}
	var keys []key
	for _, part := range strings.Split(orderBy, ",") {
		attribute, direction, _ := strings.Cut(part, ":")
		if !s.has(res, attribute) {
			return fmt.Errorf("URL request parameter orderBy cannot be used. The attribute %s is not found", attribute)
		}
		keys = append(keys, key{attribute, strings.EqualFold(direction, "desc")})
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		for _, k := range keys {
			order := compare(a[k.attribute], b[k.attribute])
			if k.down {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return 0
	})
	return nil
}

func (s *Server) host(r *http.Request) string {
	if s.PublicHost != "" {
		return s.PublicHost
	}
	return "http://" + r.Host
}
