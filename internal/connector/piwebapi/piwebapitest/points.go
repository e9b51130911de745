package piwebapitest

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Types of points.
const (
	Float32 = "Float32"
	Float64 = "Float64"
	Int32   = "Int32"
	Digital = "Digital"
	String  = "String"
)

// States is the digital set of digital points, in the order of their codes.
var States = []string{"Stopped", "Starting", "Running", "Tripped"}

// systemStates are some of the states that stand in place of a value. Their
// numbers differ between servers; clients must go by IsSystem.
var systemStates = map[string]int{"Pt Created": 253, "Shutdown": 254, "No Data": 248, "I/O Timeout": 246, "Bad Input": 255}

// Point is one tag with its archive.
type Point struct {
	ID         int32
	Name       string
	Descriptor string
	Type       string
	Unit       string
	Zero, Span float64
	Forbidden  bool // reading it is answered with 403
	Broken     int  // status of every read of it, zero for none
	Events     []Event
}

// Event is one archived event. Value is a number, a text, or State.
type Event struct {
	Time         time.Time
	Value        any
	Bad          bool
	Questionable bool
	Substituted  bool
	Annotated    bool
	Errors       []string
}

// State is a digital value.
type State struct {
	Name   string
	Code   int
	System bool
}

// System returns the event of a system state at a time.
func System(at time.Time, name string) Event {
	return Event{Time: at, Value: State{Name: name, Code: systemStates[name], System: true}, Bad: true}
}

// sort puts the archive in the order of time; events of one time stamp keep
// the order in which they were archived.
func (p *Point) sort() {
	slices.SortStableFunc(p.Events, func(a, b Event) int { return a.Time.Compare(b.Time) })
}

// serverID identifies the data server within WebIDs.
var serverID = [16]byte{0x6f, 0x70, 0x74, 0x72, 0x69, 0x61, 0x70, 0x69, 0x73, 0x72, 0x76, 0x30, 0x31, 0x00, 0x00, 0x01}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func (p *Point) identity() string {
	return encode(serverID[:]) + encode(binary.LittleEndian.AppendUint32(nil, uint32(p.ID)))
}

func (p *Point) pathPart() string {
	return encode([]byte(strings.ToUpper(ServerName + `\` + p.Name)))
}

// Path is the address of the point as people write it.
func (p *Point) Path() string { return `\\` + ServerName + `\` + p.Name }

// FullWebID names the point by identifier and path, IDWebID by identifier
// alone, and PathWebID by path alone.
func (p *Point) FullWebID() string { return "F1DP" + p.identity() + p.pathPart() }

// IDWebID names the point by its identifier, which outlives renaming.
func (p *Point) IDWebID() string { return "I1DP" + p.identity() }

// PathWebID names the point by its path.
func (p *Point) PathWebID() string { return "P1DP" + p.pathPart() }

// lookup finds a point by its path or by a WebID. A full WebID goes by the
// identifier, whatever its path says.
func (s *Server) lookup(address string) *Point {
	if s.index == nil {
		s.index = make(map[string]*Point, 3*len(s.points))
		for _, p := range s.points {
			s.index[strings.ToUpper(p.Path())], s.index[p.IDWebID()], s.index[p.PathWebID()] = p, p, p
		}
	}
	if strings.HasPrefix(address, "F1DP") && len(address) >= idLength {
		address = "I1DP" + address[len("F1DP"):idLength]
	}
	if strings.HasPrefix(address, `\\`) {
		address = strings.ToUpper(address)
	}
	return s.index[address]
}

// idLength is the length of a WebID up to its path: type, version and marker,
// the server in 22 letters and the point in 6.
const idLength = 4 + 22 + 6

const dataServerWebID = "F1DSb3B0cmlhcGlzcnYwMQAAAQUElTUlYwMQ"

// stamp writes a time as .NET does: up to seven decimals without trailing
// zeros.
func stamp(t time.Time) string {
	text := t.UTC().Format("2006-01-02T15:04:05")
	if ticks := t.Nanosecond() / 100; ticks > 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%07d", ticks), "0")
	}
	return text + "Z"
}

func (e Event) json() object {
	value := e.Value
	if state, ok := value.(State); ok {
		value = object{"Name": state.Name, "Value": state.Code, "IsSystem": state.System}
	}
	out := object{"Timestamp": stamp(e.Time), "Value": value, "UnitsAbbreviation": "", "Good": !e.Bad,
		"Questionable": e.Questionable, "Substituted": e.Substituted, "Annotated": e.Annotated}
	if len(e.Errors) > 0 {
		out["Errors"] = []object{{"FieldName": "Value", "Message": e.Errors}}
	}
	return out
}

// Pump returns the points of a pump with archives that end at a time: irregular
// spacing, seven decimals, bad, questionable, substituted and annotated events,
// system states, equal time stamps, a digital state and a text.
func Pump(name string, until time.Time, span time.Duration) []*Point {
	vibration := &Point{Name: name + ".VIB", Descriptor: "Vibration drive end", Type: Float32, Unit: "mm/s", Span: 25}
	temperature := &Point{Name: name + ".TEMP", Descriptor: "Bearing temperature", Type: Float64, Unit: "DEG. C", Zero: -10, Span: 150}
	state := &Point{Name: name + ".STATE", Descriptor: "State", Type: Digital}
	batch := &Point{Name: name + ".BATCH", Descriptor: "Batch", Type: String}
	count := int(span / time.Second)
	for i := range count {
		at := until.Add(-span + time.Duration(i)*time.Second + time.Duration(i%997)*100*time.Microsecond + time.Duration(i%10)*100)
		vibration.Events = append(vibration.Events, analog(at, i, 4.2))
		if i%301 == 0 {
			vibration.Events = append(vibration.Events, analog(at, i+1, 4.2))
		}
		if i%5 == 0 {
			temperature.Events = append(temperature.Events, analog(at, i/5, 62))
		}
		if i%30 == 0 {
			code := i / 600 % len(States)
			state.Events = append(state.Events, Event{Time: at, Value: State{Name: States[code], Code: code}})
			batch.Events = append(batch.Events, Event{Time: at, Value: fmt.Sprintf("BATCH-%d", i/100)})
		}
	}
	return []*Point{vibration, temperature, state, batch}
}

func analog(at time.Time, i int, middle float64) Event {
	value := middle * (1 + 0.05*math.Sin(float64(i)/60) + 0.01*math.Sin(float64(i)*1.7))
	switch {
	case i%211 == 210:
		return System(at, "Bad Input")
	case i%503 == 502:
		return System(at, "I/O Timeout")
	}
	return Event{Time: at, Value: math.Round(value*1e5) / 1e5, Questionable: i%97 == 96, Substituted: i%89 == 88, Annotated: i%83 == 82}
}
