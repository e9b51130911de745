package saptest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The services of version 4, after the lists of fields that SAP publishes for
// API_MEASURINGPOINT and API_MEASUREMENTDOCUMENT.
var (
	pointModel    = newModel("api_measuringpoint/srvd_a2x/sap/measuringpoint/0001", "MeasuringPoint", pointTable)
	documentModel = newModel("api_measurementdocument/srvd_a2x/sap/measurementdocument/0001", "MeasurementDocument", documentTable)
)

// root4 is where SAP serves OData version 4.
const root4 = "/sap/opu/odata4/sap/"

const pointTable = `
MeasuringPoint s12 k
MeasuringPointDescription s40
MeasuringPointObjectIdentifier s22
TechnicalObjectType s20
MeasuringPointPositionNumber s20
MeasuringPointCategory s1
CreationDate d
LastChangeDate d
MeasuringPointIsCounter b
MsrgPtInternalCharacteristic s10
CharcValueUnit s6
MeasuringPointDecimalPlaces g
MeasuringPointIsInactive b
MeasuringPointShortText s40
MeasurementRangeUnit s3
FunctionalLocation s30
Equipment s18
`

const documentTable = `
MeasurementDocument s20 k
MeasuringPoint s12
MeasuringPointPositionNumber s20
MsmtRdngDate d
MsmtRdngTime t
MsmtDocumentReferredOrder s22
CharcValueUnit s6
MeasurementReading f
MeasurementReadingInEntryUoM f
MeasurementReadingEntryUoM s3
MeasurementCounterReading f
MsmtCounterReadingDifference f
MsmtValuationCode s4
MeasurementDocumentText s40
MsmtRdngByUser s12
MsmtRdngStatus s1
MsmtRdngIsReversed b
MsmtCounterReadingIsReplaced b
`

// Points is the number of measuring points, one on each of the first
// equipment. Each has a document every six hours of the last three days.
const Points = 60

// PointID is the number of a measuring point, counted from one.
func PointID(n int) string { return fmt.Sprintf("%012d", n) }

func (s *Server) buildMeasurements(epoch time.Time) {
	number := 0
	for n := 1; n <= Points; n++ {
		s.add("MeasuringPoint", row{"MeasuringPoint": PointID(n), "MeasuringPointDescription": "Vibration", "MeasuringPointPositionNumber": "DE",
			"MeasuringPointCategory": "M", "MeasurementRangeUnit": "V01", "CharcValueUnit": "V01", "Equipment": EquipmentID(n), "MeasuringPointIsInactive": n == Points})
		for back := 12; back >= 1; back-- {
			number++
			at := epoch.Add(-time.Duration(back) * 6 * time.Hour).Truncate(time.Minute)
			s.addDocument(fmt.Sprintf("%020d", number), PointID(n), at, 2+float64(n)/10+float64(back)/100)
		}
	}
}

func (s *Server) addDocument(id, point string, at time.Time, value float64) {
	midnight := at.Truncate(24 * time.Hour)
	s.add("MeasurementDocument", row{"MeasurementDocument": id, "MeasuringPoint": point, "MsmtRdngDate": midnight, "MsmtRdngTime": at.Sub(midnight),
		"MeasurementReading": value / 1000, "MeasurementReadingInEntryUoM": value, "MeasurementReadingEntryUoM": "V01", "MsmtRdngIsReversed": false})
}

// Measure enters a measurement document, as a person does, maybe hours late.
func (s *Server) Measure(id, point string, at time.Time, value float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addDocument(id, point, at.UTC(), value)
}

// Reverse marks a measurement document as reversed.
func (s *Server) Reverse(id string) {
	s.Change("MeasurementDocument", id, time.Time{}, map[string]any{"MsmtRdngIsReversed": true})
}

// readValue answers a collection of version 4, in pages of the server's own.
func (s *Server) readValue(w http.ResponseWriter, r *http.Request, m *model) {
	query := r.URL.Query()
	found, err := s.selectObjects(m, query)
	if err != nil {
		respond(w, http.StatusBadRequest, map[string]any{"error": map[string]any{"code": "/IWBEP/CM_V4_RUNTIME/1", "message": err.Error()}})
		return
	}
	skip, _ := strconv.Atoi(query.Get("$skip"))
	if token := query.Get("$skiptoken"); token != "" {
		skip, _ = strconv.Atoi(token)
	}
	found = found[min(skip, len(found)):]
	top, err := strconv.Atoi(query.Get("$top"))
	if err == nil {
		found = found[:min(top, len(found))]
	}
	document := map[string]any{"@odata.context": "$metadata#" + m.set}
	if len(found) > s.pageSize {
		found = found[:s.pageSize]
		next := r.URL.Query()
		next.Del("sap-client")
		next.Set("$skiptoken", strconv.Itoa(skip+s.pageSize))
		if top > 0 {
			next.Set("$top", strconv.Itoa(top-s.pageSize))
		}
		document["@odata.nextLink"] = m.set + "?" + strings.ReplaceAll(next.Encode(), "+", "%20") // relative, as version 4 allows
	}
	selected := map[string]bool{}
	for _, name := range listed(query, "$select") {
		selected[name] = true
	}
	value := make([]any, 0, len(found))
	for _, o := range found {
		shown := map[string]any{}
		for _, f := range m.fields {
			if len(selected) == 0 || selected[f.name] {
				shown[f.name] = renderValue4(f, o.row[f.name])
			}
		}
		value = append(value, shown)
	}
	document["value"] = value
	respond(w, http.StatusOK, document)
}

// renderValue4 shows a value in the JSON of version 4.
func renderValue4(f field, value any) any {
	switch f.kind {
	case day:
		at, ok := value.(time.Time)
		if !ok {
			return nil
		}
		return at.Format(time.DateOnly)
	case clock:
		since, _ := value.(time.Duration)
		return time.Time{}.Add(since).Format(time.TimeOnly)
	case double:
		number, _ := value.(float64)
		return number
	}
	return renderValue(f, value)
}
