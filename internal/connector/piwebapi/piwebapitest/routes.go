package piwebapitest

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// ok is a good answer with the fields that the call selected.
func ok(c call, body object) answer {
	return answer{status: 200, body: selectFields(body, c.query.Get("selectedfields"))}
}

// route answers one GET.
func (s *Server) route(c call) answer {
	if c.method != http.MethodGet {
		return fail(405, "The requested resource does not support http method '"+c.method+"'.")
	}
	parts := strings.Split(strings.Trim(strings.TrimPrefix(c.path, Base), "/"), "/")
	switch parts[0] {
	case "system":
		return s.system(parts, c)
	case "dataservers":
		return s.dataServers(parts, c)
	case "points":
		return s.pointRoutes(parts, c)
	case "streams":
		if len(parts) == 3 {
			p, refused := s.find(parts[1])
			if refused != nil {
				return *refused
			}
			body, refused := s.stream(p, parts[2], c.query)
			if refused != nil {
				return *refused
			}
			return ok(c, body)
		}
	case "streamsets":
		if len(parts) == 2 {
			return s.streamSet(parts[1], c)
		}
	}
	return fail(404, "No HTTP resource was found that matches the request URI '"+c.path+"'.")
}

func (s *Server) system(parts []string, c call) answer {
	switch {
	case len(parts) == 1:
		return ok(c, object{"ProductTitle": "PI Web API 2023 SP1 (simulated)", "ProductVersion": "1.19.0.0",
			"Links": object{"Self": c.host + "/system", "UserInfo": c.host + "/system/userinfo", "Status": c.host + "/system/status"}})
	case parts[1] == "status":
		return ok(c, object{"UpTimeInMinutes": 12.5, "State": "Running", "CacheInstances": 1, "ServerTime": stamp(s.now())})
	case parts[1] == "userinfo":
		return ok(c, object{"IdentityType": "WindowsIdentity", "Name": User, "IsAuthenticated": true, "SID": "S-1-5-21-1", "ImpersonationLevel": "Impersonation"})
	}
	return fail(404, "No HTTP resource was found that matches the request URI.")
}

func (s *Server) dataServer(c call) object {
	self := c.host + "/dataservers/" + dataServerWebID
	return object{"WebId": dataServerWebID, "Id": "7274706f-6169-6970-7372-763031000001", "Name": ServerName, "Path": `\\PIServers[` + ServerName + `]`,
		"IsConnected": true, "ServerVersion": "3.4.445.688", "ServerTime": stamp(s.now()),
		"Links": object{"Self": self, "Points": self + "/points", "EnumerationSets": self + "/enumerationsets"}}
}

func (s *Server) dataServers(parts []string, c call) answer {
	switch {
	case len(parts) == 1 && c.query.Get("name") != "" && !strings.EqualFold(c.query.Get("name"), ServerName):
		return fail(404, "The specified Data Server was not found.")
	case len(parts) == 1 && c.query.Get("name") != "":
		return ok(c, s.dataServer(c))
	case len(parts) == 1:
		return ok(c, object{"Links": object{}, "Items": []object{s.dataServer(c)}})
	case parts[1] != dataServerWebID:
		return fail(404, "The specified Data Server was not found.")
	case len(parts) == 2:
		return ok(c, s.dataServer(c))
	case parts[2] == "points":
		return s.listPoints(c)
	}
	return fail(404, "No HTTP resource was found that matches the request URI.")
}

func (s *Server) listPoints(c call) answer {
	limit, refused := s.count(c.query, "maxCount", defaultMaxCount)
	if refused != nil {
		return *refused
	}
	start, refused := s.count(c.query, "startIndex", 0)
	if refused != nil {
		return *refused
	}
	filter := c.query.Get("namefilter")
	if filter == "" {
		filter = "*"
	}
	pattern := regexp.MustCompile("(?i)^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(filter)) + "$")
	var matching []*Point
	for _, p := range s.points {
		if pattern.MatchString(p.Name) {
			matching = append(matching, p)
		}
	}
	items := []object{}
	for i := start; i < min(len(matching), start+limit); i++ {
		items = append(items, s.pointBody(matching[i], c))
	}
	page := func(index int) string {
		return c.host + "/dataservers/" + dataServerWebID + "/points?nameFilter=" + url.QueryEscape(filter) +
			"&maxCount=" + strconv.Itoa(limit) + "&startIndex=" + strconv.Itoa(index)
	}
	links := object{"First": page(0)}
	if start+limit < len(matching) {
		links["Next"], links["Last"] = page(start+limit), page((len(matching)-1)/max(limit, 1)*limit)
	}
	if start > 0 {
		links["Previous"] = page(max(0, start-limit))
	}
	return ok(c, object{"Links": links, "Items": items})
}

// webID is the WebID of a point in the form that the call asks for.
func (s *Server) webID(p *Point, query url.Values) string {
	switch kind := query.Get("webidtype"); {
	case s.WebIDsByPath, strings.EqualFold(kind, "PathOnly"):
		return p.PathWebID()
	case strings.EqualFold(kind, "IDOnly"):
		return p.IDWebID()
	}
	return p.FullWebID()
}

func (s *Server) pointBody(p *Point, c call) object {
	id := s.webID(p, c.query)
	stream := c.host + "/streams/" + id
	set := ""
	if p.Type == Digital {
		set = "PumpState"
	}
	return object{"WebId": id, "Id": p.ID, "Name": p.Name, "Path": p.Path(), "Descriptor": p.Descriptor, "PointClass": "classic", "PointType": p.Type,
		"DigitalSetName": set, "EngineeringUnits": p.Unit, "Span": p.Span, "Zero": p.Zero, "Step": p.Type == Digital, "Future": false, "DisplayDigits": -5,
		"Links": object{"Self": c.host + "/points/" + id, "DataServer": c.host + "/dataservers/" + dataServerWebID, "Attributes": c.host + "/points/" + id + "/attributes",
			"RecordedData": stream + "/recorded", "Value": stream + "/value", "EndValue": stream + "/end", "PlotData": stream + "/plot", "SummaryData": stream + "/summary", "InterpolatedData": stream + "/interpolated"}}
}

// find returns the point of a WebID.
func (s *Server) find(webID string) (*Point, *answer) {
	if len(webID) < 4 || !strings.Contains("FIP", webID[:1]) || webID[1:4] != "1DP" {
		refused := fail(400, "The specified WebID '"+webID+"' is invalid.")
		return nil, &refused
	}
	if p := s.lookup(webID); p != nil {
		return p, nil
	}
	refused := fail(404, "The specified PI Point was not found.")
	return nil, &refused
}

func (s *Server) findPath(path string) (*Point, *answer) {
	if p := s.lookup(path); p != nil {
		return p, nil
	}
	refused := fail(404, "The path '"+path+"' does not resolve to a PI Point.")
	return nil, &refused
}

func (s *Server) pointRoutes(parts []string, c call) answer {
	if len(parts) == 2 && parts[1] == "multiple" {
		return s.multiple(c)
	}
	var p *Point
	var refused *answer
	if len(parts) == 1 {
		p, refused = s.findPath(c.query.Get("path"))
	} else {
		p, refused = s.find(parts[1])
	}
	if refused != nil {
		return *refused
	}
	return ok(c, s.pointBody(p, c))
}

// multiple looks several points up; what is not found is named beside the rest.
func (s *Server) multiple(c call) answer {
	items, status := []object{}, 200
	add := func(identifier string, p *Point, refused *answer) {
		if refused != nil {
			status = 207
			items = append(items, object{"Identifier": identifier, "Exception": refused.body})
			return
		}
		items = append(items, object{"Identifier": identifier, "Object": s.pointBody(p, c)})
	}
	for _, path := range c.query["path"] {
		p, refused := s.findPath(path)
		add(path, p, refused)
	}
	for _, id := range c.query["webid"] {
		p, refused := s.find(id)
		add(id, p, refused)
	}
	return answer{status: status, body: selectFields(object{"Links": object{}, "Items": items}, c.query.Get("selectedfields"))}
}
