package saptest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// root is where SAP Gateway serves OData version 2.
const root = "/sap/opu/odata/sap/"

const sessionCookie = "SAP_SESSIONID_S4H_" + Client

// serve answers a request and checks the exchange against the description.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.String())
	answer := httptest.NewRecorder()
	s.admit(answer, r, body)
	changed := s.changed
	if r.Method == http.MethodGet || answer.Code >= 300 {
		changed = nil
	} else {
		s.changed = nil
	}
	s.mu.Unlock()
	if changed != nil {
		changed()
	}
	if err := s.contract.check(r, body, answer.Code, answer.Body.Bytes()); err != nil {
		s.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// admit does what the gateway does before a service sees the request.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, body []byte) {
	if s.logon {
		page(w, http.StatusOK, `<html><head><title>Logon</title></head><body><form><input name="sap-user"><input name="sap-client" value="100"></form></body></html>`)
		return
	}
	client := r.URL.Query().Get("sap-client")
	if client != Client {
		page(w, http.StatusUnauthorized, "<html><body><h1>Logon failed</h1><p>Client "+html.EscapeString(client)+" is not available in this system.</p></body></html>")
		return
	}
	if user, password, ok := r.BasicAuth(); !ok || user != User || password != Password {
		w.Header().Set("WWW-Authenticate", `Basic realm="SAP NetWeaver Application Server [S4H/100]"`)
		page(w, http.StatusUnauthorized, "<html><body><h1>Anmeldung fehlgeschlagen</h1><p>Logon failed</p></body></html>")
		return
	}
	service, rest := split(r.URL.Path)
	if !known(service) {
		refuse(w, http.StatusNotFound, "/IWFND/MED/170", "No service found for namespace '', name '"+service+"', version '0001'")
		return
	}
	if s.denied[service] {
		refuse(w, http.StatusForbidden, "/IWFND/CM_CONSUMER/101", "No authorization to access service "+service)
		return
	}
	if strings.Contains(r.URL.RawQuery, "+") {
		refuse(w, http.StatusBadRequest, "005056A509B11EE1B9A8FEC11C21578E", "Invalid query string: blanks have to be %20")
		return
	}
	token, admitted := s.session(w, r)
	if !admitted {
		w.Header().Set("X-Csrf-Token", "Required")
		w.Header().Set("Content-Type", "text/plain;charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "CSRF token validation failed")
		return
	}
	if strings.EqualFold(r.Header.Get("X-Csrf-Token"), "fetch") {
		w.Header().Set("X-Csrf-Token", token)
	}
	s.route(w, r, service, rest, body)
}

// split names the service of a path and what is below it.
func split(path string) (service, rest string) {
	if below, ok := strings.CutPrefix(path, root); ok {
		service, rest, _ = strings.Cut(below, "/")
		return service, rest
	}
	below := strings.TrimPrefix(path, root4)
	at := strings.LastIndex(below, "/")
	return below[:max(at, 0)], below[at+1:]
}

// session finds or makes the session of a request. A change needs the cookie
// of a session and the token of that very session.
func (s *Server) session(w http.ResponseWriter, r *http.Request) (token string, admitted bool) {
	id := ""
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		id = cookie.Value
	}
	token, known := s.sessions[id]
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return token, known && token == r.Header.Get("X-Csrf-Token")
	}
	if known || !strings.EqualFold(r.Header.Get("X-Csrf-Token"), "fetch") {
		return token, true
	}
	s.issued++
	sum := sha256.Sum256([]byte(fmt.Sprint("session", s.issued)))
	id, token = hex.EncodeToString(sum[:8]), hex.EncodeToString(sum[8:20])+"=="
	s.sessions[id] = token
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.SetCookie(w, &http.Cookie{Name: "sap-usercontext", Value: "sap-client=" + Client, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return token, true
}

func known(service string) bool {
	for _, m := range models() {
		if m.service == service {
			return true
		}
	}
	return false
}

func page(w http.ResponseWriter, status int, content string) {
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, content) // #nosec G705 -- what a request named is escaped
}

// refuse writes the error document of OData version 2.
func refuse(w http.ResponseWriter, status int, code, message string) {
	respond(w, status, map[string]any{"error": map[string]any{
		"code": code, "message": map[string]any{"lang": "en", "value": message},
		"innererror": map[string]any{"transactionid": "4CC9AB5E2F0E0030E0063D5C2B7E4F1A", "errordetails": []any{
			map[string]any{"code": code, "message": message, "propertyref": "", "severity": "error", "target": ""}}},
	}})
}

func respond(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("DataServiceVersion", "2.0")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document)
}
