package oracleeamtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// indicator is the change indicator of a row.
func indicator(res *resource, row Row) string {
	return fmt.Sprintf("ACED0005%s%v%04d", strings.ToUpper(res.name[:2]), row[res.key], version(row))
}

func (s *Server) links(r *http.Request, res *resource, row Row) []Row {
	self := fmt.Sprintf("%s%s%s/%v", s.host(r), Root, res.name, row[res.key])
	return []Row{{"rel": "self", "href": self, "name": res.name, "kind": "item", "properties": Row{"changeIndicator": indicator(res, row)}},
		{"rel": "canonical", "href": self, "name": res.name, "kind": "item"}}
}

// show is a row as a call asks for it.
func (s *Server) show(r *http.Request, res *resource, row Row, query url.Values) (Row, error) {
	own, children, all := selection(query)
	for _, attribute := range own {
		if !s.has(res, attribute) {
			return nil, fmt.Errorf("URL request parameter fields cannot be used. The attribute %s is not found", attribute)
		}
	}
	out := Row{}
	for _, attribute := range res.attribute {
		if s.has(res, attribute) && (all || slices.Contains(own, attribute)) {
			out[attribute] = row[attribute]
		}
	}
	for child := range children {
		if _, known := res.children[child]; !known {
			return nil, fmt.Errorf("the child %s is not found", child)
		}
		below, _ := row[child].([]Row)
		if below == nil {
			below = []Row{}
		}
		if s.FlatChildren {
			out[child] = below
			continue
		}
		page := below[:min(len(below), 25)]
		out[child] = Row{"items": page, "count": len(page), "hasMore": len(below) > 25, "limit": 25, "offset": 0}
	}
	if query.Get("onlyData") != "true" {
		out["links"] = s.links(r, res, row)
	}
	return out, nil
}

// selection reads the fields and expand parameters: "A,B;child:C".
func selection(query url.Values) (own []string, children map[string][]string, all bool) {
	children = map[string][]string{}
	fields := query.Get("fields")
	if fields == "" {
		for _, child := range strings.FieldsFunc(query.Get("expand"), func(r rune) bool { return r == ',' }) {
			children[child] = nil
		}
		return nil, children, true
	}
	for _, part := range strings.Split(fields, ";") {
		if child, attributes, nested := strings.Cut(part, ":"); nested {
			children[child] = strings.Split(attributes, ",")
			continue
		}
		own = append(own, strings.Split(part, ",")...)
	}
	return own, children, false
}

// item serves one row and what lies below it.
func (s *Server) item(w http.ResponseWriter, r *http.Request, res *resource, below []string) {
	i := res.index(below[0])
	if i < 0 {
		fail(w, http.StatusNotFound, "Not found.")
		return
	}
	row := res.rows[i]
	switch {
	case len(below) == 1 && r.Method == http.MethodGet:
		s.answerRow(w, r, res, row, http.StatusOK)
	case len(below) == 1 && r.Method == http.MethodPatch:
		s.change(w, r, res, row)
	case len(below) == 3 && below[1] == "child" && res.children[below[2]] != "" && r.Method == http.MethodGet:
		s.childPage(w, r, row, below[2])
	case len(below) == 3 && below[1] == "child" && res.children[below[2]] != "" && r.Method == http.MethodPost:
		s.createChild(w, r, res, row, below[2])
	default:
		fail(w, http.StatusNotFound, "URL request has an unknown resource.")
	}
}

func (s *Server) answerRow(w http.ResponseWriter, r *http.Request, res *resource, row Row, status int) {
	shown, err := s.show(r, res, row, r.URL.Query())
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	w.Header().Set("ETag", `"`+indicator(res, row)+`"`)
	write(w, status, "resourceitem", shown)
}

func (s *Server) childPage(w http.ResponseWriter, r *http.Request, row Row, child string) {
	limit, offset, err := s.window(r.URL.Query())
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	below, _ := row[child].([]Row)
	page := []Row{}
	for i := offset; i < min(len(below), offset+limit); i++ {
		page = append(page, below[i])
	}
	write(w, http.StatusOK, "resourcecollection", Row{"items": page, "count": len(page), "hasMore": offset+len(page) < len(below), "limit": limit, "offset": offset})
}

// read takes the body of a write; attributes that the resource lacks are
// refused.
func (s *Server) read(w http.ResponseWriter, r *http.Request, known func(string) bool) (Row, bool) {
	var body Row
	content, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(content, &body)
	}
	if err != nil || !strings.HasSuffix(r.Header.Get("Content-Type"), "json") {
		fail(w, http.StatusBadRequest, "The request body is not valid.")
		return nil, false
	}
	for attribute := range body {
		if !known(attribute) {
			fail(w, http.StatusBadRequest, "Unknown field name found in payload: "+attribute)
			return nil, false
		}
	}
	return body, true
}

func (s *Server) create(w http.ResponseWriter, r *http.Request, res *resource) {
	body, ok := s.read(w, r, func(attribute string) bool { return s.has(res, attribute) })
	if !ok {
		return
	}
	switch {
	case res.name != WorkOrders:
		fail(w, http.StatusMethodNotAllowed, "The simulator creates work orders only.")
		return
	case body["OrganizationCode"] == nil:
		fail(w, http.StatusBadRequest, "You must provide a value for the OrganizationCode attribute.")
		return
	case s.resources[Assets].index(body["AssetId"]) < 0:
		fail(w, http.StatusBadRequest, "The asset isn't valid.")
		return
	}
	s.nextID++
	if body["WorkOrderNumber"] == nil {
		body["WorkOrderNumber"] = fmt.Sprint(s.nextID % 1_000_000)
	}
	for _, row := range res.rows {
		if row["WorkOrderNumber"] == body["WorkOrderNumber"] && row["OrganizationCode"] == body["OrganizationCode"] {
			fail(w, http.StatusBadRequest, "The work order number already exists in the organization.")
			return
		}
	}
	now := Stamp(time.Now())
	body["WorkOrderId"], body["WorkOrderStatusCode"], body["WorkOrderSystemStatusCode"] = s.nextID, "ORA_UNRELEASED", "ORA_UNRELEASED"
	body["CreationDate"], body["LastUpdateDate"] = now, now
	body["AssetId"] = int64(body["AssetId"].(float64))
	res.rows = append(res.rows, body)
	s.writes = append(s.writes, "POST "+res.name)
	w.Header().Set("Location", fmt.Sprintf("%s%s%s/%d", s.host(r), Root, res.name, s.nextID))
	s.answerRow(w, r, res, body, http.StatusCreated)
}

// operationAttributes are those of an operation.
var operationAttributes = []string{"OperationSequenceNumber", "OperationName", "OperationDescription", "StandardOperationCode", "WorkCenterCode", "PlannedStartDate", "PlannedCompletionDate"}

func (s *Server) createChild(w http.ResponseWriter, r *http.Request, res *resource, row Row, child string) {
	body, ok := s.read(w, r, func(attribute string) bool { return slices.Contains(operationAttributes, attribute) })
	if !ok {
		return
	}
	below, _ := row[child].([]Row)
	for _, other := range below {
		if compare(other["OperationSequenceNumber"], body["OperationSequenceNumber"]) == 0 {
			fail(w, http.StatusBadRequest, "The operation sequence number already exists.")
			return
		}
	}
	s.nextID++
	body[res.children[child]] = s.nextID
	row[child] = append(below, body)
	row["version"] = version(row) + 1
	row["LastUpdateDate"] = Stamp(time.Now())
	s.writes = append(s.writes, "POST "+child)
	write(w, http.StatusCreated, "resourceitem", body)
}

func (s *Server) change(w http.ResponseWriter, r *http.Request, res *resource, row Row) {
	body, ok := s.read(w, r, func(attribute string) bool { return s.has(res, attribute) })
	if !ok {
		return
	}
	if match := r.Header.Get("If-Match"); match != "" && match != `"`+indicator(res, row)+`"` {
		fail(w, http.StatusPreconditionFailed, "The row was changed by another user.")
		return
	}
	for attribute, value := range body {
		row[attribute] = value
	}
	if state, changed := body["WorkOrderStatusCode"]; changed {
		row["WorkOrderSystemStatusCode"] = state
	}
	row["version"] = version(row) + 1
	row["LastUpdateDate"] = Stamp(time.Now())
	s.writes = append(s.writes, "PATCH "+res.name)
	s.answerRow(w, r, res, row, http.StatusOK)
}

// describe answers with the description of a resource.
func (s *Server) describe(w http.ResponseWriter, res *resource) {
	attributes := []Row{}
	for _, name := range res.attribute {
		if s.has(res, name) {
			attributes = append(attributes, Row{"name": name, "type": "string", "queryable": true})
		}
	}
	children := Row{}
	for child, key := range res.children {
		children[child] = Row{"attributes": []Row{{"name": key, "type": "integer"}}}
	}
	write(w, http.StatusOK, "describe", Row{"Resources": Row{res.name: Row{"discrColumnType": false, "attributes": attributes, "children": children,
		"collection": Row{"rangeSize": 25, "finders": []Row{{"name": "PrimaryKey", "attributes": []Row{{"name": res.key, "type": "integer", "required": true}}}}}}}})
}
