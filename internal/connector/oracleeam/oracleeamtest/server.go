// Package oracleeamtest is a simulated Oracle Fusion Cloud Maintenance REST
// service for tests. It follows the shapes of Oracle's public REST guides:
// collections with offset paging that silently give at most 500 rows, the q,
// finder, fields, expand, orderBy, onlyData and totalResults parameters,
// descriptions of resources, change indicators as ETags, and error bodies of
// framework version 4. Oracle publishes no OpenAPI document for these
// resources, so the shapes are those of the guides.
package oracleeamtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Credentials that the simulator accepts.
const (
	User     = "eam.integration"
	Password = "fusion-reader-word"
	Token    = "fusion-reader-token"
)

// Root is the path of the resources below the host.
const Root = "/fscmRestApi/resources/11.13.18.05/"

// Names of the resources.
const (
	Assets     = "installedBaseAssets"
	WorkOrders = "maintenanceWorkOrders"
)

// Row is one item of a resource.
type Row map[string]any

// Server is the simulated service. Its fields may be set until it serves.
type Server struct {
	PublicHost   string                            // scheme and host written into links
	Cap          int                               // most rows of one page
	Missing      []string                          // attributes that this release does not have
	FlatChildren bool                              // expanded children are lists, as before framework version 3
	BeforePage   func(resource string, offset int) // runs before a page is served; it may change rows
	Fail         func(r *http.Request) int         // a status to answer with, zero to go on

	mu        sync.Mutex
	resources map[string]*resource
	nextID    int64
	throttle  int
	writes    []string
	clock     time.Time
}

// resource is a collection and the collections below its items.
type resource struct {
	name, key string
	rows      []Row
	children  map[string]string // name of a child to the key of its rows
	attribute []string
}

// New returns an empty service.
func New() *Server {
	return &Server{Cap: 500, nextID: 300000900000000, clock: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), resources: map[string]*resource{
		Assets: {name: Assets, key: "AssetId", children: map[string]string{"relationships": "RelationshipId"}, attribute: []string{"AssetId", "AssetNumber", "Description", "SerialNumber",
			"ItemNumber", "OperatingOrganizationCode", "CurrentLocationContextCode", "ActiveEndDate", "CreationDate", "LastUpdateDate"}},
		WorkOrders: {name: WorkOrders, key: "WorkOrderId", children: map[string]string{"WorkOrderOperation": "WorkOrderOperationId"}, attribute: []string{"WorkOrderId", "WorkOrderNumber",
			"WorkOrderDescription", "OrganizationCode", "AssetId", "AssetNumber", "WorkOrderTypeCode", "WorkOrderPriority", "WorkOrderStatusCode", "WorkOrderSystemStatusCode",
			"PlannedStartDate", "PlannedCompletionDate", "ActualStartDate", "ActualCompletionDate", "CreationDate", "LastUpdateDate"}},
	}}
}

// Start serves over plain HTTP until the test ends.
func (s *Server) Start(t testing.TB) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server
}

// Stamp writes a time as the service does.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000+00:00") }

// Put adds a row, or replaces the one with its key.
func (s *Server) Put(name string, row Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	res := s.resources[name]
	if i := res.index(row[res.key]); i >= 0 {
		res.rows[i] = row
		return
	}
	res.rows = append(res.rows, row)
}

// Touch changes attributes of a row, as a person at the service does.
func (s *Server) Touch(name string, id int64, change Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	res := s.resources[name]
	row := res.rows[res.index(id)]
	for attribute, value := range change {
		row[attribute] = value
	}
	row["version"] = version(row) + 1
}

// Throttle answers the next calls with 429.
func (s *Server) Throttle(calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.throttle = calls
}

// Writes lists the method and path of every accepted write.
func (s *Server) Writes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.writes)
}

func (r *resource) index(id any) int {
	want := text(id)
	return slices.IndexFunc(r.rows, func(row Row) bool { return text(row[r.key]) == want })
}

func version(row Row) int {
	v, _ := row["version"].(int)
	return v
}

// Seed fills the service with count assets, in structures of ten, and an order
// for each.
func (s *Server) Seed(count int) {
	for i := 1; i <= count; i++ {
		changed := Stamp(s.clock.Add(time.Duration(i/3) * time.Minute)) // three rows of a time each
		row := Row{"AssetId": AssetID(i), "AssetNumber": fmt.Sprintf("PMP-%04d", i), "Description": fmt.Sprintf("Pump %d", i), "SerialNumber": fmt.Sprintf("SN%05d", i),
			"ItemNumber": "PUMP-CENTRIFUGAL", "OperatingOrganizationCode": "M1", "CurrentLocationContextCode": "ORA_WORK_CENTER", "ActiveEndDate": nil, "CreationDate": Stamp(s.clock), "LastUpdateDate": changed}
		if i%10 == 1 {
			var below []Row
			for child := i + 1; child < min(i+10, count+1); child++ {
				below = append(below, Row{"RelationshipId": int64(300000500000000 + child), "AssetId": AssetID(child), "AssetNumber": fmt.Sprintf("PMP-%04d", child)})
			}
			row["relationships"] = below
		}
		s.Put(Assets, row)
		state := []string{"ORA_UNRELEASED", "ORA_RELEASED", "ORA_ON_HOLD", "ORA_COMPLETED", "ORA_CLOSED", "ORA_CANCELED"}[i%6]
		s.Put(WorkOrders, Row{"WorkOrderId": int64(300000400000000 + i), "WorkOrderNumber": fmt.Sprintf("WO-%05d", i), "WorkOrderDescription": fmt.Sprintf("Inspect pump %d", i),
			"OrganizationCode": "M1", "AssetId": AssetID(i), "AssetNumber": fmt.Sprintf("PMP-%04d", i), "WorkOrderTypeCode": "PREVENTIVE", "WorkOrderStatusCode": state,
			"WorkOrderSystemStatusCode": state, "WorkOrderPriority": 1 + i%4, "PlannedStartDate": Stamp(s.clock.AddDate(0, 0, 1)), "PlannedCompletionDate": Stamp(s.clock.AddDate(0, 0, 2)),
			"ActualStartDate": nil, "ActualCompletionDate": nil, "CreationDate": Stamp(s.clock), "LastUpdateDate": changed})
	}
}

// AssetID is the key of the i-th asset that Seed makes.
func AssetID(i int) int64 { return int64(300000100000000 + i) }

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Fail != nil {
		if status := s.Fail(r); status != 0 {
			fail(w, status, "The simulator was told to fail.")
			return
		}
	}
	parts := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.Path, Root), "/"), "/")
	if s.BeforePage != nil && r.Method == http.MethodGet && len(parts) == 1 {
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		s.BeforePage(parts[0], offset)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.throttle > 0:
		s.throttle--
		w.Header().Set("Retry-After", "0")
		fail(w, http.StatusTooManyRequests, "Too many requests.")
	case !accepted(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="myrealm"`)
		w.WriteHeader(http.StatusUnauthorized) // no body, like the gateway in front of Fusion
	case !strings.HasPrefix(r.URL.Path, Root) || s.resources[parts[0]] == nil:
		fail(w, http.StatusNotFound, "URL request has an unknown resource "+parts[0])
	default:
		s.route(w, r, s.resources[parts[0]], parts[1:])
	}
}

func accepted(r *http.Request) bool {
	if r.Header.Get("Authorization") == "Bearer "+Token {
		return true
	}
	user, password, ok := r.BasicAuth()
	return ok && user == User && password == Password
}

func (s *Server) route(w http.ResponseWriter, r *http.Request, res *resource, below []string) {
	switch {
	case r.Method == http.MethodGet && len(below) == 0:
		s.collection(w, r, res)
	case r.Method == http.MethodGet && len(below) == 1 && below[0] == "describe":
		s.describe(w, res)
	case r.Method == http.MethodPost && len(below) == 0:
		s.create(w, r, res)
	case len(below) == 0:
		fail(w, http.StatusMethodNotAllowed, "The method is not allowed.")
	default:
		s.item(w, r, res, below)
	}
}

// fail answers with the error body of framework version 4.
func fail(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/vnd.oracle.adf.error+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Row{"title": http.StatusText(status), "status": strconv.Itoa(status),
		"o:errorDetails": []Row{{"detail": detail, "o:errorCode": "27013", "o:errorPath": "/"}}})
}

func write(w http.ResponseWriter, status int, kind string, body any) {
	w.Header().Set("Content-Type", "application/vnd.oracle.adf."+kind+"+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that hung up is no concern of the simulator
}
