package sap

import (
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // the zones must be there in containers without them

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// The versions of the service of maintenance orders. The second is the one
// that writes; systems before S/4HANA 2023 have the first, which only reads.
const (
	orderVersion2 = "v2"
	orderVersion1 = "v1"

	orderServiceWrites = "API_MAINTENANCEORDER;v=0002"
	orderServiceReads  = "API_MAINTENANCEORDER"
)

// orderService is the name of the service in the chosen version.
func (s Settings) orderService() string {
	if s.OrderVersion == orderVersion1 {
		return orderServiceReads
	}
	return orderServiceWrites
}

// Settings are the settings of the connector. Their JSON form is what Spec
// describes.
type Settings struct {
	httpapi.Settings
	Client        string  `json:"sap_client"`
	Language      string  `json:"sap_language"`
	TimeZone      string  `json:"time_zone"`
	Plants        string  `json:"plants,omitempty"`
	OrderVersion  string  `json:"order_service"`
	OrderType     string  `json:"order_type"`
	PlanningPlant string  `json:"planning_plant,omitempty"`
	KeyField      string  `json:"key_field"`
	PageSize      float64 `json:"page_size"`
	HistoryDays   float64 `json:"history_days"`
	RecordMinutes float64 `json:"record_minutes"` // read by the sync of records

	MeasuringPoints bool    `json:"measuring_points,omitempty"`
	LateHours       float64 `json:"late_hours"`
}

// Message keys of what the check of the settings finds.
const (
	ErrClient   = "connector.sap.error.client"
	ErrLanguage = "connector.sap.error.language"
	ErrZone     = "connector.sap.error.zone"
	ErrPlants   = "connector.sap.error.plants"
	ErrKeyField = "connector.sap.error.key_field"
)

// Spec describes the settings.
func Spec() connector.Spec {
	text := func(key string, longest float64, standard any) connector.Field {
		return connector.Field{Key: key, Type: connector.Text, Max: connector.Bound(longest), Default: standard,
			LabelKey: "connector.sap." + key + ".label", HelpKey: "connector.sap." + key + ".help"}
	}
	number := func(key string, least, most, standard float64) connector.Field {
		return connector.Field{Key: key, Type: connector.Integer, Min: connector.Bound(least), Max: connector.Bound(most), Default: standard,
			LabelKey: "connector.sap." + key + ".label", HelpKey: "connector.sap." + key + ".help"}
	}
	client := text("sap_client", 3, nil)
	client.Required = true
	service := text("order_service", 40, orderVersion2)
	service.Type, service.Enum, service.Max = connector.Choice, []string{orderVersion2, orderVersion1}, nil
	points := text("measuring_points", 0, nil)
	points.Type, points.Max = connector.Boolean, nil
	fields := append(httpapi.Fields(), client, text("sap_language", 2, "EN"), text("time_zone", 64, "UTC"), text("plants", 200, nil),
		service, text("order_type", 4, "YA01"), text("planning_plant", 4, nil), text("key_field", 40, "AdditionalDeviceData"),
		number("page_size", 10, 5000, 500), number("history_days", 1, 36_500, 730), number("record_minutes", 1, 1440, 5), points, number("late_hours", 0, 720, 72))
	return connector.Spec{Kind: Kind, NameKey: "connector.sap.name", DescriptionKey: "connector.sap.description", Fields: fields, WritesOrders: true, Check: check}
}

var (
	clientPattern   = regexp.MustCompile(`^[0-9]{3}$`)
	languagePattern = regexp.MustCompile(`^[A-Za-z]{2}$`)
	plantPattern    = regexp.MustCompile(`^[A-Za-z0-9]{1,4}$`)
	fieldPattern    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,39}$`)
)

func check(config connector.Config) map[string]string {
	problems := httpapi.CheckSettings(config)
	text := func(key string) string { value, _ := config[key].(string); return value }
	refuse := func(key, problem string, sound bool) {
		if !sound && text(key) != "" {
			problems[key] = problem
		}
	}
	refuse("sap_client", ErrClient, clientPattern.MatchString(text("sap_client")))
	refuse("sap_language", ErrLanguage, languagePattern.MatchString(text("sap_language")))
	_, err := time.LoadLocation(text("time_zone"))
	refuse("time_zone", ErrZone, err == nil && text("time_zone") != "Local")
	for _, plant := range plants(text("plants")) {
		refuse("plants", ErrPlants, plantPattern.MatchString(plant))
	}
	refuse("planning_plant", ErrPlants, plantPattern.MatchString(text("planning_plant")))
	refuse("key_field", ErrKeyField, fieldPattern.MatchString(text("key_field")))
	return problems
}

// plants splits the list of maintenance plants.
func plants(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == ';' })
}
