package saptest

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// inner is how the server names itself in links: a host that is not reached
// from outside.
const inner = "http://vhs4hci.internal:44300"

// entityPattern splits a path into the set and the key in brackets.
var entityPattern = regexp.MustCompile(`^([A-Za-z]+)(?:\((.*)\))?$`)

func (s *Server) route(w http.ResponseWriter, r *http.Request, service, rest string, body []byte) {
	match := entityPattern.FindStringSubmatch(rest)
	switch {
	case rest == "":
		s.listSets(w, service)
	case match == nil:
		refuse(w, http.StatusNotFound, "005056A509B11EE1B9A8FEC11C21D78E", "Resource not found for segment '"+rest+"'")
	case r.Method == http.MethodPost && match[2] == "" && functions[match[1]] != (function{}):
		s.act(w, r, service, match[1])
	default:
		m := modelOf(service, match[1])
		switch {
		case m == nil:
			refuse(w, http.StatusNotFound, "005056A509B11EE1B9A8FEC11C21D78E", "Resource not found for segment '"+match[1]+"'")
		case r.Method == http.MethodGet && (m == pointModel || m == documentModel):
			s.readValue(w, r, m)
		case r.Method == http.MethodGet && strings.HasSuffix(rest, ")"):
			s.readOne(w, r, m, match[2])
		case r.Method == http.MethodGet:
			s.readMany(w, r, m)
		case m != orderModel:
			refuse(w, http.StatusMethodNotAllowed, "/IWBEP/CM_MGW_RT/021", "The service does not allow changes")
		case r.Method == http.MethodPost && match[2] == "":
			s.create(w, body)
		case r.Method == http.MethodPatch:
			s.update(w, r, match[2], body)
		default:
			refuse(w, http.StatusMethodNotAllowed, "/IWBEP/CM_MGW_RT/021", "Method not allowed")
		}
	}
}

func modelOf(service, set string) *model {
	for _, m := range models() {
		if m.service == service && m.set == set {
			return m
		}
	}
	return nil
}

func (s *Server) listSets(w http.ResponseWriter, service string) {
	sets := []string{}
	for _, m := range models() {
		if m.service == service {
			sets = append(sets, m.set)
			for _, inside := range m.expands {
				sets = append(sets, inside.set)
			}
		}
	}
	respond(w, http.StatusOK, map[string]any{"d": map[string]any{"EntitySets": sets}})
}

// readMany answers a collection: filtered, ordered, and cut into pages of the
// server's own.
func (s *Server) readMany(w http.ResponseWriter, r *http.Request, m *model) {
	query := r.URL.Query()
	found, err := s.selectObjects(m, query)
	if err != nil {
		refuse(w, http.StatusBadRequest, "005056A509B11EE1B9A8FEC11C21578E", err.Error())
		return
	}
	total := len(found)
	skip, _ := strconv.Atoi(query.Get("$skip"))
	if token := query.Get("$skiptoken"); token != "" {
		skip, _ = strconv.Atoi(token)
	}
	found = found[min(skip, len(found)):]
	if top := query.Get("$top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 0 {
			refuse(w, http.StatusBadRequest, "005056A509B11EE1B9A8FEC11C21578E", "Invalid value of $top")
			return
		}
		found = found[:min(n, len(found))]
	}
	document := map[string]any{}
	if len(found) > s.pageSize {
		found = found[:s.pageSize]
		document["__next"] = nextLink(r.URL, skip+s.pageSize, s.pageSize)
	}
	if query.Get("$inlinecount") == "allpages" {
		document["__count"] = strconv.Itoa(total)
	}
	results := make([]any, 0, len(found))
	for _, o := range found {
		results = append(results, s.show(m, o, query))
	}
	document["results"] = results
	respond(w, http.StatusOK, map[string]any{"d": document})
}

// nextLink is the same request with a token for where to go on, and with what
// is left of $top.
func nextLink(address *url.URL, from, shown int) string {
	query := address.Query()
	query.Del("sap-client") // gateways leave it out
	query.Set("$skiptoken", strconv.Itoa(from))
	if top, err := strconv.Atoi(query.Get("$top")); err == nil {
		query.Set("$top", strconv.Itoa(top-shown))
	}
	return inner + address.EscapedPath() + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}

func (s *Server) selectObjects(m *model, query url.Values) ([]*object, error) {
	if err := checkOptions(m, query); err != nil {
		return nil, err
	}
	holds := func(row) bool { return true }
	if filter := query.Get("$filter"); filter != "" {
		parsed, err := parseFilter(m, filter)
		if err != nil {
			return nil, err
		}
		holds = parsed
	}
	var found []*object
	for _, o := range s.objects[m.set] {
		if holds(o.row) {
			found = append(found, o)
		}
	}
	order := listed(query, "$orderby")
	if len(order) == 0 {
		order = m.keys[:1]
	}
	slices.SortStableFunc(found, func(a, b *object) int {
		for _, name := range order {
			if c := compare(a.row[name], b.row[name]); c != 0 {
				return c
			}
		}
		return 0
	})
	return found, nil
}

// checkOptions refuses what the service does not know.
func checkOptions(m *model, query url.Values) error {
	for option := range query {
		if strings.HasPrefix(option, "$") && !slices.Contains([]string{"$filter", "$orderby", "$top", "$skip", "$skiptoken", "$select", "$expand", "$inlinecount", "$format"}, option) {
			return fmt.Errorf("query option %s is not supported", option)
		}
	}
	for _, name := range append(listed(query, "$select"), listed(query, "$orderby")...) {
		if _, ok := m.field(name); !ok {
			return fmt.Errorf("property %s is not found in type %s", name, m.set)
		}
	}
	for _, name := range listed(query, "$expand") {
		if m.expands[name] == nil {
			return fmt.Errorf("navigation %s is not found in type %s", name, m.set)
		}
	}
	return nil
}

func listed(query url.Values, option string) []string {
	return strings.FieldsFunc(query.Get(option), func(r rune) bool { return r == ',' })
}

// show renders an object with its metadata and its navigations.
func (s *Server) show(m *model, o *object, query url.Values) map[string]any {
	selected := map[string]bool{}
	for _, name := range listed(query, "$select") {
		selected[name] = true
	}
	shown := render(m, o.row, selected)
	uri := inner + root + m.service + "/" + m.set + "('" + fmt.Sprint(o.row[m.keys[0]]) + "')"
	metadata := map[string]any{"id": uri, "uri": uri, "type": strings.ToLower("cds_"+strings.Split(m.service, ";")[0]) + "." + m.set + "Type"}
	if m != readOrderModel {
		metadata["etag"] = o.etag()
	}
	shown["__metadata"] = metadata
	for name, inside := range m.expands {
		if len(selected) > 0 && !selected[name] {
			continue
		}
		if !slices.Contains(listed(query, "$expand"), name) {
			shown[name] = map[string]any{"__deferred": map[string]any{"uri": uri + "/" + name}}
			continue
		}
		steps := make([]any, 0, len(o.steps))
		for _, step := range o.steps {
			one := render(inside, step, nil)
			one["__metadata"] = map[string]any{"id": uri, "uri": uri, "type": "operation"}
			steps = append(steps, one)
		}
		shown[name] = map[string]any{"results": steps}
	}
	return shown
}

// find looks an object up by the key in brackets: 'value', or name='value'
// pairs of which the first is the number.
func (s *Server) find(m *model, key string) *object {
	first, second, several := strings.Cut(key, ",")
	_, value, named := strings.Cut(first, "=")
	if !named {
		value = first
	}
	value = strings.ReplaceAll(strings.Trim(value, "'"), "''", "'")
	for _, o := range s.objects[m.set] {
		if o.row[m.keys[0]] != value {
			continue
		}
		if several {
			end, err := parseLiteral(field{name: m.keys[1], kind: day}, strings.TrimPrefix(second, m.keys[1]+"="))
			if err != nil || compare(o.row[m.keys[1]], end) != 0 {
				continue
			}
		}
		return o
	}
	return nil
}

func (s *Server) readOne(w http.ResponseWriter, r *http.Request, m *model, key string) {
	if err := checkOptions(m, r.URL.Query()); err != nil {
		refuse(w, http.StatusBadRequest, "005056A509B11EE1B9A8FEC11C21578E", err.Error())
		return
	}
	o := s.find(m, key)
	if o == nil {
		refuse(w, http.StatusNotFound, "/IWBEP/CM_MGW_RT/020", "Resource not found for segment '"+m.set+"'")
		return
	}
	w.Header().Set("ETag", o.etag())
	respond(w, http.StatusOK, map[string]any{"d": s.show(m, o, r.URL.Query())})
}
