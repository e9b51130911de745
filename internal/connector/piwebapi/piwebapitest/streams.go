package piwebapitest

import (
	"fmt"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// defaultMaxCount is what the service returns when a call names no maxCount.
const defaultMaxCount = 1000

// stream answers the part of a call that concerns one point.
func (s *Server) stream(p *Point, kind string, query url.Values) (object, *answer) {
	if p.Forbidden {
		refused := fail(403, "Access to the PI Point is denied.")
		return nil, &refused
	}
	if p.Broken != 0 {
		refused := fail(p.Broken, "The archive did not answer.")
		return nil, &refused
	}
	switch kind {
	case "recorded":
		return s.recorded(p, query)
	case "value", "end":
		at, err := s.parseTime(query.Get("time"), s.now())
		if err != nil {
			refused := fail(400, err.Error())
			return nil, &refused
		}
		return p.at(at).json(), nil
	}
	refused := fail(404, "No HTTP resource was found that matches the request URI.")
	return nil, &refused
}

func (s *Server) recorded(p *Point, query url.Values) (object, *answer) {
	start, err := s.parseTime(query.Get("starttime"), s.now().Add(-24*time.Hour))
	end, err2 := s.parseTime(query.Get("endtime"), s.now())
	for _, err := range []error{err, err2} {
		if err != nil {
			refused := fail(400, err.Error())
			return nil, &refused
		}
	}
	limit, refused := s.count(query, "maxCount", defaultMaxCount)
	if refused != nil {
		return nil, refused
	}
	switch boundary := strings.ToLower(query.Get("boundarytype")); {
	case boundary != "" && boundary != "inside" && boundary != "outside" && boundary != "interpolated":
		bad := fail(400, "The value '"+boundary+"' is not valid for boundaryType.")
		return nil, &bad
	case query.Get("desiredunits") != "":
		bad := fail(409, "Points are not associated with a unit of measure.")
		return nil, &bad
	}
	items := []object{}
	for _, e := range p.inside(start, end, limit) {
		items = append(items, e.json())
	}
	return object{"Items": items, "UnitsAbbreviation": ""}, nil
}

// inside returns the events from start to end, both included, cut at limit
// without a word. A start after the end reads backwards.
func (p *Point) inside(start, end time.Time, limit int) []Event {
	low, high, backwards := start, end, end.Before(start)
	if backwards {
		low, high = end, start
	}
	first := sort.Search(len(p.Events), func(i int) bool { return !p.Events[i].Time.Before(low) })
	last := sort.Search(len(p.Events), func(i int) bool { return p.Events[i].Time.After(high) })
	if !backwards {
		return p.Events[first:min(last, first+limit)]
	}
	var out []Event
	for i := last - 1; i >= first && len(out) < limit; i-- {
		out = append(out, p.Events[i])
	}
	return out
}

// at returns the newest event at a time, or the state of a point without one.
func (p *Point) at(t time.Time) Event {
	after := sort.Search(len(p.Events), func(i int) bool { return p.Events[i].Time.After(t) })
	if after == 0 {
		return System(t, "No Data")
	}
	return p.Events[after-1]
}

// streamSet answers a call for several points. One that cannot be answered
// spoils the call, as it does at the real service.
func (s *Server) streamSet(kind string, c call) answer {
	if len(c.query["webid"]) == 0 {
		return fail(400, "The webId parameter is required.")
	}
	items, total := []object{}, 0
	for _, id := range c.query["webid"] {
		p, refused := s.find(id)
		if refused != nil {
			return *refused
		}
		values, refused := s.stream(p, kind, c.query)
		if refused != nil {
			return *refused
		}
		item := object{"WebId": s.webID(p, c.query), "Name": p.Name, "Path": p.Path(), "Links": object{"Source": c.host + "/points/" + p.FullWebID()}}
		if kind == "value" || kind == "end" {
			item["Value"] = values
			total++
		} else {
			item["Items"], item["UnitsAbbreviation"] = values["Items"], ""
			total += len(values["Items"].([]object))
		}
		items = append(items, item)
	}
	if total > s.MaxReturned {
		return fail(400, "The number of returned items is greater than the maximum allowed ("+strconv.Itoa(s.MaxReturned)+").")
	}
	return ok(c, object{"Links": object{}, "Items": items})
}

var relative = regexp.MustCompile(`^(\*|t|y)?\s*(?:([+-])\s*(\d+(?:\.\d+)?)\s*(s|mi|m|h|d|w))?$`)

// parseTime reads the time strings that clients send: ISO 8601, and *, t and y
// with an offset.
func (s *Server) parseTime(text string, standard time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return standard, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.9999999", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	parts := relative.FindStringSubmatch(strings.ToLower(text))
	if parts == nil {
		return time.Time{}, fmt.Errorf("cannot convert '%s' to a time", text)
	}
	at := s.now()
	if parts[1] == "t" || parts[1] == "y" {
		at = at.Truncate(24 * time.Hour)
	}
	if parts[1] == "y" {
		at = at.AddDate(0, 0, -1)
	}
	if parts[3] != "" {
		number, err := strconv.ParseFloat(parts[3], 64)
		if err != nil {
			return time.Time{}, err
		}
		unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "mi": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[parts[4]]
		offset := time.Duration(number * float64(unit))
		if parts[2] == "-" {
			offset = -offset
		}
		at = at.Add(offset)
	}
	return at, nil
}
