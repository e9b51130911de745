// Package oracleeam connects to Oracle Fusion Cloud Maintenance through its
// REST resources: installed base assets and maintenance work orders.
//
// Pages. Fusion pages by offset, which shifts while rows are written. Rows are
// therefore read in the order of LastUpdateDate and identifier from the last
// row delivered: the next page asks for rows changed at or after its second,
// and rows up to it are dropped. Within a second that holds more rows than a
// page, the offset is used, with an overlap that proves that nothing moved past
// it; without that proof the second is read again from its start. A reading of
// changes begins ten minutes before the time asked for, because a row shows the
// time of its statement but appears with the commit.
//
// Structures. Fusion lists children below their parent, so the parents of a
// page are found by one pass over all assets, once for each opened connector,
// before its first page. The setting "hierarchy" leaves that out.
//
// Orders. The key of a draft becomes the WorkOrderNumber, which is unique
// within an organization. Creation looks the number up, posts the order, posts
// the operations that it lacks, and releases it; each of these may be repeated
// after a crash. Fusion plans hours by the resources of an operation, which the
// product does not know, so planned hours are not written.
//
// Names of attributes differ between releases: the descriptions of the
// resources say which of the wanted ones exist. Oracle publishes no OpenAPI
// document for these resources; shapes are those of its REST guides. Meter
// readings are not read: the guides name their attributes, but not how a
// reading that was corrected or disabled shows in a list. E-Business Suite is a
// preset of the SQL connector.
package oracleeam

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// Kind is the registered name.
const Kind = "oracleeam"

// Names of the resources.
const (
	assetResource = "installedBaseAssets"
	orderResource = "maintenanceWorkOrders"
)

// resourcesPath leads to the resources, below the host and before the version.
const resourcesPath = "/fscmRestApi/resources"

// frameworkVersion asks for conditions joined by "and", for expanded children
// as collections, and for error bodies that name details.
const frameworkVersion = "4"

func init() { connector.Register(Spec(), open) }

// Spec describes the settings.
func Spec() connector.Spec {
	field := func(key string, kind connector.FieldType) connector.Field {
		return connector.Field{Key: key, Type: kind, LabelKey: "connector.oracleeam." + key + ".label", HelpKey: "connector.oracleeam." + key + ".help"}
	}
	version, organization, kind := field("version", connector.Text), field("organization", connector.Text), field("order_type", connector.Text)
	version.Default, version.Max = "11.13.18.05", connector.Bound(40)
	organization.Max, kind.Max = connector.Bound(18), connector.Bound(30)
	kind.Default = "CORRECTIVE"
	hierarchy, release := field("hierarchy", connector.Boolean), field("release", connector.Boolean)
	hierarchy.Default, release.Default = true, true
	size := field("page_size", connector.Integer)
	size.Min, size.Max, size.Default = connector.Bound(2), connector.Bound(mostRows), float64(mostRows)
	return connector.Spec{
		Kind:           Kind,
		NameKey:        "connector.oracleeam.name",
		DescriptionKey: "connector.oracleeam.description",
		Fields:         append(httpapi.Fields(), version, organization, hierarchy, kind, release, size),
		WritesOrders:   true,
		Check:          check,
	}
}

// Message keys of what check finds.
const (
	errVersion      = "connector.oracleeam.error.version"
	errOrganization = "connector.oracleeam.error.organization"
)

var (
	versions = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*$|^latest$`)
	codes    = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
)

// check refuses what would change the meaning of a path or a condition.
func check(config connector.Config) map[string]string {
	problems := httpapi.CheckSettings(config)
	if version, _ := config["version"].(string); version != "" && !versions.MatchString(version) {
		problems["version"] = errVersion
	}
	if code, _ := config["organization"].(string); code != "" && !codes.MatchString(code) {
		problems["organization"] = errOrganization
	}
	return problems
}

// settings are the open settings.
type settings struct {
	httpapi.Settings
	Version      string `json:"version"`
	Organization string `json:"organization,omitempty"`
	Hierarchy    bool   `json:"hierarchy"`
	OrderType    string `json:"order_type,omitempty"`
	Release      bool   `json:"release"`
	PageSize     int    `json:"page_size"`
}

// Connector is an opened Fusion Maintenance service.
type Connector struct {
	client     *httpapi.Client
	settings   settings
	attributes map[string]description
	parents    map[string]string // child asset to parent, nil until it was read
	now        func() time.Time
}

func open(config connector.Config, secrets connector.Secrets, dialer *net.Dialer) (connector.Connector, error) {
	var s settings
	if err := config.Decode(&s); err != nil {
		return nil, err
	}
	base, err := url.Parse(strings.TrimRight(s.BaseURL, "/"))
	if err != nil {
		return nil, fmt.Errorf("read address: %w", err)
	}
	if !strings.Contains(base.Path, resourcesPath) {
		base.Path += resourcesPath + "/" + s.Version
	}
	s.BaseURL = base.String()
	client, err := httpapi.New(s.WithSecrets(secrets), dialer, nil)
	if err != nil {
		return nil, err
	}
	return &Connector{client: client, settings: s, attributes: map[string]description{}, now: time.Now}, nil
}

// Kind returns the registered name.
func (c *Connector) Kind() string { return Kind }

// Close releases idle connections.
func (c *Connector) Close() error {
	c.client.Close()
	return nil
}

// header is sent with every call.
func header() http.Header { return http.Header{"Rest-Framework-Version": {frameworkVersion}} }
