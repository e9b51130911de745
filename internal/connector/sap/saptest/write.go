package saptest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// function is what a function import of the order service does.
type function struct{ subphase, phase, words string }

var functions = map[string]function{
	"ReleaseMaintenanceOrder":      {"0065", "06", "REL MANC PRC SETC"},
	"SetMaintOrderStatusToLocked":  {"", "", "LKD REL MANC PRC"},
	"SetMaintOrdToTechCompleted":   {"0085", "09", "TECO CNF PRC SETC"},
	"SetMaintOrderStatusToClosed":  {"0095", "09", "CLSD TECO CNF"},
	"SetMaintOrdStsToMrkdForDeltn": {"0105", "09", "CRTD DLFL MANC"},
}

// match checks If-Match against the version of an object.
func match(w http.ResponseWriter, r *http.Request, o *object) bool {
	switch given := r.Header.Get("If-Match"); given {
	case "":
		refuse(w, http.StatusPreconditionRequired, "/IWBEP/CM_MGW_RT/154", "The required precondition is missing")
		return false
	case o.etag(), "*":
		return true
	default:
		refuse(w, http.StatusPreconditionFailed, "/IWBEP/CM_MGW_RT/156", "The precondition failed: the data was changed meanwhile")
		return false
	}
}

func (s *Server) act(w http.ResponseWriter, r *http.Request, service, name string) {
	o := s.find(orderModel, r.URL.Query().Get("MaintenanceOrder"))
	switch {
	case service != orderModel.service:
		refuse(w, http.StatusNotFound, "/IWBEP/CM_MGW_RT/020", "Resource not found for segment '"+name+"'")
		return
	case o == nil:
		refuse(w, http.StatusNotFound, "/IWBEP/CM_MGW_RT/020", "Order does not exist")
		return
	case !match(w, r, o):
		return
	}
	words, _ := o.row["SystemStatusText"].(string)
	if strings.Contains(words, "CLSD") || strings.Contains(words, "DLFL") {
		refuse(w, http.StatusBadRequest, "BS/007", "The action is not allowed by the status of the order")
		return
	}
	f := functions[name]
	if f.subphase != "" {
		o.row["MaintOrdProcessSubPhaseCode"], o.row["MaintOrdProcessPhaseCode"] = f.subphase, f.phase
	}
	o.row["SystemStatusText"] = f.words
	s.touch(o)
	respond(w, http.StatusOK, map[string]any{"d": map[string]any{name: map[string]any{"IsInvalid": false}}})
}

func (s *Server) touch(o *object) {
	o.version++
	o.row["LastChangeDateTime"] = time.Now().UTC().Truncate(time.Second)
}

// datePattern is how instants are sent.
var datePattern = regexp.MustCompile(`^/Date\((-?\d+)(?:[+-]\d{4})?\)/$`)

// take reads sent fields into a row, as far as they may be written.
func take(m *model, sent map[string]any, into row, allowed func(field) bool) error {
	for name, value := range sent {
		if m.expands[name] != nil {
			continue
		}
		f, ok := m.field(name)
		if !ok || !allowed(f) {
			return fmt.Errorf("property %s of type %s cannot be written", name, m.set)
		}
		given, isText := value.(string)
		switch {
		case f.kind == instant || f.kind == day:
			match := datePattern.FindStringSubmatch(given)
			if match == nil {
				return fmt.Errorf("property %s is not a date", name)
			}
			milli, _ := strconv.ParseInt(match[1], 10, 64)
			into[name] = time.UnixMilli(milli).UTC().Truncate(time.Second)
		case f.kind == decimal:
			number, err := strconv.ParseFloat(given, 64)
			if err != nil {
				return fmt.Errorf("property %s is not a decimal", name)
			}
			into[name] = number
		case f.kind == text && isText && len([]rune(given)) <= f.size:
			into[name] = given
		default:
			return fmt.Errorf("property %s has a wrong value", name)
		}
	}
	return nil
}

// create is a deep insert of an order with its operations, under the checks
// that SAP makes of what it needs.
func (s *Server) create(w http.ResponseWriter, body []byte) {
	var sent map[string]any
	if err := json.Unmarshal(body, &sent); err != nil {
		refuse(w, http.StatusBadRequest, "/IWBEP/CM_MGW_RT/176", "Malformed JSON")
		return
	}
	r, creatable := row{}, func(f field) bool { return f.creatable }
	if err := take(orderModel, sent, r, creatable); err != nil {
		refuse(w, http.StatusBadRequest, "/IWBEP/CM_MGW_RT/022", err.Error())
		return
	}
	if r["MaintenanceOrderType"] == nil || r["MaintenancePlanningPlant"] == nil || r["MaintenancePlanningPlant"] == "" {
		refuse(w, http.StatusBadRequest, "IW/042", "Enter an order type and a planning plant")
		return
	}
	if r["MaintenanceOrderType"] == "XX99" {
		refuse(w, http.StatusBadRequest, "IW/043", "Order type XX99 is not defined")
		return
	}
	steps, _ := sent["to_MaintenanceOrderOperation"].([]any)
	var rows []row
	for _, step := range steps {
		fields, _ := step.(map[string]any)
		one := row{}
		if err := take(operationModel, fields, one, creatable); err != nil {
			refuse(w, http.StatusBadRequest, "/IWBEP/CM_MGW_RT/022", err.Error())
			return
		}
		rows = append(rows, one)
	}
	r["MaintOrdProcessSubPhaseCode"], r["MaintOrdProcessPhaseCode"], r["SystemStatusText"] = "0035", "03", "CRTD MANC NMAT PRC"
	r["MaintOrderCreationDateTime"] = time.Now().UTC().Truncate(time.Second)
	o := s.addOrder(r, rows)
	s.created++
	w.Header().Set("ETag", o.etag())
	w.Header().Set("Location", inner+root+orderModel.service+"/MaintenanceOrder('"+fmt.Sprint(r["MaintenanceOrder"])+"')")
	respond(w, http.StatusCreated, map[string]any{"d": s.show(orderModel, o, url.Values{})})
}

func (s *Server) update(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	o := s.find(orderModel, key)
	if o == nil {
		refuse(w, http.StatusNotFound, "/IWBEP/CM_MGW_RT/020", "Order does not exist")
		return
	}
	if !match(w, r, o) {
		return
	}
	var sent map[string]any
	changed := row{}
	err := json.Unmarshal(body, &sent)
	if err == nil {
		err = take(orderModel, sent, changed, func(f field) bool { return f.updatable })
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "/IWBEP/CM_MGW_RT/022", err.Error())
		return
	}
	for name, value := range changed {
		o.row[name] = value
	}
	derive(o.row)
	s.touch(o)
	w.Header().Set("ETag", o.etag())
	w.WriteHeader(http.StatusNoContent)
}
