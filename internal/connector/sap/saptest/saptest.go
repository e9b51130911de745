// Package saptest is a simulated SAP Gateway for tests of the SAP connector:
// own code after the lists of fields that SAP publishes for its maintenance
// services, and after what is documented of how SAP Gateway speaks OData
// version 2. It serves equipment, functional locations, orders with their
// operations and notifications of a made-up plant, pages by $skiptoken with
// links that name an inner host, and takes orders under a CSRF token with its
// session, ETags and SAP's own checks. Every exchange is checked against the
// description of the services, in the manner of their published OpenAPI.
package saptest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The one account that may log on, to the one client.
const (
	User     = "PM_API"
	Password = "Welcome1!"
	Client   = "100"
)

// object is a stored entity with its steps and a version for its ETag.
type object struct {
	row     row
	steps   []row
	version int
}

func (o *object) etag() string { return fmt.Sprintf(`W/"'%d'"`, o.version) }

// Server is a running simulation. Its methods change what it does and may be
// called while it serves.
type Server struct {
	*httptest.Server

	t        testing.TB
	contract *contract
	mu       sync.Mutex
	objects  map[string][]*object // by set
	epoch    time.Time
	pageSize int
	sessions map[string]string // session to token
	issued   int
	created  int
	denied   map[string]bool // services without authorisation
	logon    bool            // answer every request with the logon page
	next     int             // number of the next order
	requests []string        // method and address of each
	changed  func()          // runs after a change was made and before it is answered
}

// New starts a simulation whose plant is as of the epoch. It ends with the
// test.
func New(t testing.TB, epoch time.Time) *Server {
	t.Helper()
	return start(t, epoch, httptest.NewServer)
}

// NewTLS starts a simulation behind TLS.
func NewTLS(t testing.TB, epoch time.Time) *Server {
	t.Helper()
	return start(t, epoch, httptest.NewTLSServer)
}

func start(t testing.TB, epoch time.Time, serve func(http.Handler) *httptest.Server) *Server {
	t.Helper()
	s := &Server{t: t, contract: newContract(), objects: map[string][]*object{}, epoch: epoch.UTC().Truncate(time.Second), pageSize: 50,
		sessions: map[string]string{}, denied: map[string]bool{}, next: 4_000_000}
	s.build(s.epoch)
	s.Server = serve(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// PageSize sets how many records the server puts on a page of its own accord.
func (s *Server) PageSize(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pageSize = n
}

// EndSessions makes every session and CSRF token invalid, as after the half
// hour that SAP keeps them.
func (s *Server) EndSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
}

// Deny takes the authorisation for a service away.
func (s *Server) Deny(service string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[service] = true
}

// ShowLogonPage answers every request with a page for people, as a gateway
// with single sign-on does.
func (s *Server) ShowLogonPage() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logon = true
}

// AfterChange runs once, after the next order was created or changed and before
// the answer leaves: the moment in which a network may fail.
func (s *Server) AfterChange(run func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = run
}

// Created is the number of orders that were created by requests.
func (s *Server) Created() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.created
}

// Tokens is the number of CSRF tokens that were given out.
func (s *Server) Tokens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issued
}

// Requests returns method and address of each request so far.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Change sets fields of an object, as a person at a screen does, and moves its
// time of change to at; a zero time leaves the object without one.
func (s *Server) Change(set, key string, at time.Time, fields map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.objects[set] {
		if o.row[set] != key {
			continue
		}
		for name, value := range fields {
			o.row[name] = value
		}
		if !at.IsZero() {
			o.row["LastChangeDateTime"] = at.UTC().Truncate(time.Second)
		}
		o.version++
		return
	}
	s.t.Fatalf("saptest: no %s %q", set, key)
}

// Remove deletes an object, as archiving does.
func (s *Server) Remove(set, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[set] = slices.DeleteFunc(s.objects[set], func(o *object) bool { return o.row[set] == key })
}

// AddEquipment puts a new piece of equipment into the plant that was never
// changed since it was created.
func (s *Server) AddEquipment(id, tag string, created time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add("Equipment", row{"Equipment": id, "ValidityEndDate": noEnd, "EquipmentName": "New " + tag, "TechnicalObjectSortCode": tag,
		"MaintenancePlant": "1010", "CreationDate": created.UTC().Truncate(24 * time.Hour)})
}

// Order returns a field of an order.
func (s *Server) Order(id, field string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.objects["MaintenanceOrder"] {
		if o.row["MaintenanceOrder"] == id {
			return o.row[field]
		}
	}
	return nil
}

func (s *Server) add(set string, rows ...row) {
	for _, r := range rows {
		s.objects[set] = append(s.objects[set], &object{row: r, version: 1})
	}
}

// addOrder numbers an order and its steps.
func (s *Server) addOrder(r row, steps []row) *object {
	s.next++
	id := fmt.Sprintf("%012d", s.next)
	r["MaintenanceOrder"], r["MaintenanceOrderInternalID"] = id, "OR"+id
	for i, step := range steps {
		step["MaintenanceOrder"] = id
		if step["MaintenanceOrderOperation"] == nil {
			step["MaintenanceOrderOperation"] = fmt.Sprintf("%04d", (i+1)*10)
		}
		if step["MaintenanceOrderSubOperation"] == nil {
			step["MaintenanceOrderSubOperation"] = ""
		}
	}
	derive(r)
	if r["Equipment"] != nil {
		r["TechnicalObject"], r["TechObjIsEquipOrFuncnlLoc"] = r["Equipment"], "EAMS_EQUI"
		r["TechnicalObjectLabel"] = strings.TrimLeft(r["Equipment"].(string), "0")
	}
	o := &object{row: r, steps: steps, version: 1}
	s.objects["MaintenanceOrder"] = append(s.objects["MaintenanceOrder"], o)
	return o
}

// derive splits the planned times into days and times of day, which the first
// version of the service has, in the zone of the system: UTC.
func derive(r row) {
	for _, end := range []string{"Start", "End"} {
		if at, ok := r["MaintOrdBasic"+end+"DateTime"].(time.Time); ok {
			midnight := at.Truncate(24 * time.Hour)
			r["MaintOrdBasic"+end+"Date"], r["MaintOrdBasic"+end+"Time"] = midnight, at.Sub(midnight)
		}
	}
}
