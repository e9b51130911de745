package saptest

import (
	"fmt"
	"strconv"
	"strings"
)

// edm is a type of OData.
type edm string

// The types that the services use.
const (
	text    edm = "s" // Edm.String with a longest length, zero for none
	day     edm = "d" // Edm.DateTime shown without a time of day
	instant edm = "i" // Edm.DateTimeOffset
	clock   edm = "t" // Edm.Time
	decimal edm = "n" // Edm.Decimal with a number of places
	flag    edm = "b" // Edm.Boolean
	integer edm = "g" // Edm.Int16, Int32 and Byte
	large   edm = "l" // Edm.Int64, sent as a text
	double  edm = "f" // Edm.Double, a number in version 4
)

// field is one property of an entity type.
type field struct {
	name      string
	kind      edm
	size      int  // length of a text, places of a decimal
	key       bool // part of the key
	creatable bool
	updatable bool
	hidden    bool // cannot be filtered or ordered by
}

// model is one entity set.
type model struct {
	service string
	set     string
	keys    []string
	fields  []field
	index   map[string]int
	expands map[string]*model
}

// newModel reads a table of fields: one a line, name, type with size, and
// marks: k for a part of the key, c for creatable, u for updatable, h for not
// to be filtered by.
func newModel(service, set, table string) *model {
	m := &model{service: service, set: set, index: map[string]int{}, expands: map[string]*model{}}
	for line := range strings.Lines(table) {
		parts := strings.Fields(line)
		if len(parts) < 2 {
			continue
		}
		f := field{name: parts[0], kind: edm(parts[1][:1])}
		if size := parts[1][1:]; size != "" {
			n, err := strconv.Atoi(size)
			if err != nil {
				panic(fmt.Sprintf("saptest: field %s: %v", f.name, err))
			}
			f.size = n
		}
		marks := strings.Join(parts[2:], "")
		f.key, f.creatable = strings.Contains(marks, "k"), strings.Contains(marks, "c")
		f.updatable, f.hidden = strings.Contains(marks, "u"), strings.Contains(marks, "h")
		if f.key {
			m.keys = append(m.keys, f.name)
		}
		m.index[f.name] = len(m.fields)
		m.fields = append(m.fields, f)
	}
	return m
}

func (m *model) field(name string) (field, bool) {
	i, ok := m.index[name]
	if !ok {
		return field{}, false
	}
	return m.fields[i], true
}

// The entity sets, after the lists of fields that SAP publishes for the
// services API_EQUIPMENT (1.1.0), API_FUNCTIONALLOCATION, API_MAINTENANCEORDER
// (versions 1 and 2) and API_MAINTNOTIFICATION. Of equipment the fields of the
// business address and of sales are left out.
var (
	equipmentModel    = newModel("API_EQUIPMENT", "Equipment", equipmentTable)
	locationModel     = newModel("API_FUNCTIONALLOCATION", "FunctionalLocation", locationTable)
	readOrderModel    = newModel("API_MAINTENANCEORDER", "MaintenanceOrder", orderTable)
	orderModel        = newModel("API_MAINTENANCEORDER;v=0002", "MaintenanceOrder", orderTable+orderExtra)
	operationModel    = newModel("API_MAINTENANCEORDER;v=0002", "MaintenanceOrderOperation", operationTable)
	notificationModel = newModel("API_MAINTNOTIFICATION", "MaintenanceNotification", notificationTable)
)

func init() {
	orderModel.expands["to_MaintenanceOrderOperation"] = operationModel
	readOrderModel.expands["to_MaintenanceOrderOperation"] = operationModel
}

func models() []*model {
	return []*model{equipmentModel, locationModel, readOrderModel, orderModel, notificationModel, pointModel, documentModel}
}
