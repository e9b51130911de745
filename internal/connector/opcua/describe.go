package opcua

import (
	"context"
	"math"
	"strings"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/optria-iq/optria/internal/unit"
)

// description is what a server says of a variable beside its value.
type description struct {
	unit      string
	dataType  string
	low, high *float64
	parent    bool // it has children that are not properties
}

// describe reads unit, range and data type of variables in bulk.
func (s *session) describe(ctx context.Context, variables []*ua.NodeID) ([]description, error) {
	described := make([]description, len(variables))
	if len(variables) == 0 {
		return described, nil
	}
	lists, err := s.references(ctx, variables)
	if err != nil {
		return nil, err
	}
	var reads []*ua.ReadValueID
	var take []func(*ua.DataValue)
	ask := func(r *ua.ReadValueID, f func(*ua.DataValue)) { reads, take = append(reads, r), append(take, f) }
	types, ranks := make([]*ua.NodeID, len(variables)), make([]int32, len(variables))
	for i, node := range variables {
		d := &described[i]
		ask(attributeOf(node, ua.AttributeIDDataType), func(v *ua.DataValue) { types[i], _ = scalarOf(v).(*ua.NodeID) })
		ask(attributeOf(node, ua.AttributeIDValueRank), func(v *ua.DataValue) { ranks[i], _ = scalarOf(v).(int32) })
		for _, r := range lists[i].references {
			switch {
			case !isProperty(r):
				d.parent = true
			case r.BrowseName == nil:
			case r.BrowseName.Name == "EngineeringUnits":
				ask(valueOf(r.NodeID.NodeID), d.takeUnit)
			case r.BrowseName.Name == "EURange":
				ask(valueOf(r.NodeID.NodeID), d.takeRange)
			}
		}
	}
	values, err := s.read(ctx, reads)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		take[i](v)
	}
	names, err := s.typeNames(ctx, types)
	if err != nil {
		return nil, err
	}
	for i := range described {
		described[i].dataType = names[types[i].String()]
		if ranks[i] >= 0 && described[i].dataType != "" {
			described[i].dataType += "[]"
		}
	}
	return described, nil
}

func (d *description) takeUnit(v *ua.DataValue) {
	object, _ := scalarOf(v).(*ua.ExtensionObject)
	if object == nil {
		return
	}
	if information, ok := object.Value.(*ua.EUInformation); ok {
		d.unit = unitOf(information)
	}
}

// unitOf prefers the name that the server shows; when the product does not
// know it, but the UNECE code, the code counts.
func unitOf(information *ua.EUInformation) string {
	shown := ""
	if information.DisplayName != nil {
		shown = strings.TrimSpace(information.DisplayName.Text)
	}
	code := unece(information.UnitID)
	if _, known := unit.Lookup(shown); known && shown != "" {
		return shown
	}
	if _, known := unit.Lookup(code); known && code != "" || shown == "" {
		return code
	}
	return shown
}

// unece reads the code of UNECE Recommendation 20 that a unit id packs, one
// character a byte, OPC 10000-8 5.6.3. Other ids give an empty text.
func unece(unitID int32) string {
	var code strings.Builder
	for shift := 24; shift >= 0; shift -= 8 {
		b := byte(uint32(unitID) >> shift)
		switch {
		case b == 0 && code.Len() == 0:
		case b >= '0' && b <= '9', b >= 'A' && b <= 'Z':
			code.WriteByte(b)
		default:
			return ""
		}
	}
	return code.String()
}

func (d *description) takeRange(v *ua.DataValue) {
	object, _ := scalarOf(v).(*ua.ExtensionObject)
	if object == nil {
		return
	}
	r, ok := object.Value.(*ua.Range)
	finite := func(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
	if ok && finite(r.Low) && finite(r.High) && r.Low < r.High {
		d.low, d.high = &r.Low, &r.High
	}
}

// typeNames names data types: those of the standard from its table, others by
// the browse name of their node.
func (s *session) typeNames(ctx context.Context, types []*ua.NodeID) (map[string]string, error) {
	names := map[string]string{}
	var reads []*ua.ReadValueID
	var foreign []string
	for _, t := range types {
		key := t.String()
		if _, done := names[key]; done || t == nil {
			continue
		}
		names[key] = ""
		if t.Namespace() == 0 && t.IntID() != 0 {
			names[key] = id.Name(t.IntID())
			continue
		}
		foreign, reads = append(foreign, key), append(reads, attributeOf(t, ua.AttributeIDBrowseName))
	}
	values, err := s.read(ctx, reads)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		if name, ok := scalarOf(v).(*ua.QualifiedName); ok && name != nil {
			names[foreign[i]] = name.Name
		}
	}
	return names, nil
}
