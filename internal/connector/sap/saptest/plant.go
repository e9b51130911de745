package saptest

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Sizes of the plant that New builds.
const (
	Locations     = 40
	Equipment     = 230
	NeverChanged  = 23 // of the equipment: every tenth
	Orders        = 120
	Notifications = 60
)

// noEnd is the end of what has none.
var noEnd = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// stations are the functional locations below the plant.
const stations = 8

// build makes a plant: a root location, stations with pumps' positions below
// them, equipment installed there and orders on it. It is the same for the
// same epoch.
func (s *Server) build(epoch time.Time) {
	random := rand.New(rand.NewPCG(41, 7)) // #nosec G404 -- made-up data that has to repeat
	s.add("FunctionalLocation", buildLocations(epoch)...)
	s.add("Equipment", buildEquipment(epoch, random)...)
	for i := range Orders {
		s.addOrder(buildOrder(epoch, i, random), buildOperations(i, epoch))
	}
	s.add("MaintenanceNotification", buildNotifications(epoch)...)
	s.buildMeasurements(epoch)
}

func buildLocations(epoch time.Time) []row {
	rows := []row{}
	for i := range Locations {
		id, parent := "1010", ""
		switch {
		case i > 0 && i <= stations:
			id, parent = fmt.Sprintf("1010-ST%02d", i), "1010"
		case i > stations:
			parent = fmt.Sprintf("1010-ST%02d", 1+i%stations)
			id = fmt.Sprintf("%s-P%03d", parent, i)
		}
		rows = append(rows, row{
			"FunctionalLocation": id, "FunctionalLocationLabelName": id, "FunctionalLocationName": "Location " + id, "FuncLocationStructure": "YBFL",
			"SuperiorFunctionalLocation": parent, "MaintenancePlant": "1010", "MaintenancePlanningPlant": "1010", "ABCIndicator": "B",
			"MainWorkCenter": "RES-0100", "MainWorkCenterPlant": "1010", "FunctionalLocationIsActive": true,
			"CreationDate": epoch.AddDate(-3, 0, 0).Truncate(24 * time.Hour), "LastChangeDateTime": epoch.Add(-time.Duration(i) * 5 * time.Hour),
		})
	}
	return rows
}

// EquipmentID is the number of one of the equipment, counted from one.
func EquipmentID(n int) string { return fmt.Sprintf("%018d", 10_000_000+n) }

func buildEquipment(epoch time.Time, random *rand.Rand) []row {
	rows := []row{}
	for i := 1; i <= Equipment; i++ {
		station := 1 + i%stations
		r := row{
			"Equipment": EquipmentID(i), "ValidityEndDate": noEnd, "EquipmentName": fmt.Sprintf("Pump %d", i), "EquipmentCategory": "M",
			"TechnicalObjectType": "PUMP", "AssetManufacturerName": "Example Pumps", "ManufacturerPartTypeName": "EP-200",
			"ManufacturerSerialNumber": fmt.Sprintf("SN%06d", i), "MaintenancePlant": "1010", "MaintenancePlanningPlant": "1010",
			"MainWorkCenter": "RES-0100", "MainWorkCenterPlant": "1010", "ABCIndicator": string("ABC"[i%3]), "CostCenter": "10101301", "CompanyCode": "1010",
			"FunctionalLocation": fmt.Sprintf("1010-ST%02d", station), "TechnicalObjectSortCode": fmt.Sprintf("P-%03d", i),
			"OperationStartDate": epoch.AddDate(-2, 0, -i).Truncate(24 * time.Hour), "AcquisitionValue": float64(10_000 + random.IntN(90_000)), "Currency": "SAR",
			"CreationDate": epoch.AddDate(-2, 0, -i).Truncate(24 * time.Hour), "EquipmentIsInstalled": true,
		}
		if i%10 != 0 { // every tenth was never changed and carries no time
			r["LastChangeDateTime"] = epoch.Add(-time.Duration(i) * time.Hour).Truncate(time.Second)
		}
		if i%25 == 0 {
			r["SuperordinateEquipment"] = EquipmentID(i - 1)
		}
		r["EquipmentIsMarkedForDeletion"] = i%50 == 0
		rows = append(rows, r)
		if i%40 == 0 { // a former period of use, which is not the equipment of now
			former := row{}
			for name, value := range r {
				former[name] = value
			}
			former["ValidityEndDate"] = epoch.AddDate(-1, 0, 0).Truncate(24 * time.Hour)
			rows = append(rows, former)
		}
	}
	return rows
}

// orderStates are the ways orders of the plant are in, with status words.
var orderStates = []struct{ subphase, phase, words string }{
	{"0035", "03", "CRTD MANC NMAT PRC"}, {"0065", "06", "REL MANC PRC SETC"}, {"0070", "07", "REL PCNF PRC SETC"},
	{"0085", "09", "TECO CNF PRC SETC"}, {"0095", "09", "CLSD TECO CNF"}, {"0105", "09", "CRTD DLFL"},
}

func buildOrder(epoch time.Time, i int, random *rand.Rand) row {
	state := orderStates[i%len(orderStates)]
	start := epoch.AddDate(0, 0, i%60-30).Truncate(24 * time.Hour).Add(8 * time.Hour)
	return row{
		"MaintenanceOrderType": "YA01", "MaintenanceOrderDesc": fmt.Sprintf("Work on pump %d", 1+i%Equipment),
		"MaintOrdBasicStartDateTime": start, "MaintOrdBasicEndDateTime": start.Add(time.Duration(1+random.IntN(8)) * time.Hour),
		"Equipment": EquipmentID(1 + i%Equipment), "FunctionalLocation": fmt.Sprintf("1010-ST%02d", 1+(1+i%Equipment)%stations),
		"MaintPriority": string("1234"[i%4]), "MaintPriorityType": "PM", "MaintenancePlant": "1010", "MaintenancePlanningPlant": "1010",
		"MaintOrdProcessSubPhaseCode": state.subphase, "MaintOrdProcessPhaseCode": state.phase, "SystemStatusText": state.words,
		"MaintOrderCreationDateTime": epoch.AddDate(0, 0, -40), "LastChangeDateTime": epoch.Add(-time.Duration(i) * time.Hour).Truncate(time.Second),
	}
}

func buildOperations(i int, epoch time.Time) []row {
	steps := []row{
		{"MaintenanceOrderOperation": "0010", "OperationDescription": "Isolate", "WorkCenter": "RES-0100", "MaintOrdOperationWorkDuration": 1.5, "MaintOrdOpWorkDurationUnit": "HR"},
		{"MaintenanceOrderOperation": "0020", "OperationDescription": "Replace bearing", "WorkCenter": "RES-0100", "MaintOrdOperationWorkDuration": 30.0, "MaintOrdOpWorkDurationUnit": "MIN"},
	}
	if i%len(orderStates) == 3 {
		steps[0]["OpActualExecutionStartDateTime"] = epoch.AddDate(0, 0, -2).Truncate(time.Hour)
		steps[1]["OpActualExecutionEndDateTime"] = epoch.AddDate(0, 0, -2).Truncate(time.Hour).Add(3 * time.Hour)
	}
	return steps
}

func buildNotifications(epoch time.Time) []row {
	rows := []row{}
	phases := []string{"Outstanding", "Postponed", "In Process", "Completed", "Deletion Flag"}
	for i := range Notifications {
		at := epoch.AddDate(0, 0, -i)
		r := row{
			"MaintenanceNotification": fmt.Sprintf("%012d", 10_000_000+i), "NotificationText": fmt.Sprintf("Vibration of pump %d", i+1), "NotificationType": "M2",
			"NotifProcessingPhase": string("12345"[i%5]), "NotifProcessingPhaseDesc": phases[i%5], "MaintPriority": "2",
			"CreationDate": at.Truncate(24 * time.Hour), "LastChangeDateTime": at.Truncate(time.Second), "NotificationTimeZone": "UTC",
			"MalfunctionStartDate": at.Truncate(24 * time.Hour), "MalfunctionStartTime": 11*time.Hour + 43*time.Minute + 53*time.Second,
			"RequiredStartDate": at.Truncate(24 * time.Hour), "RequiredStartTime": 12 * time.Hour, "MaintenancePlant": "1010", "MaintenanceObjectIsDown": i%3 == 0,
			"TechnicalObject": EquipmentID(i + 1), "TechObjIsEquipOrFuncnlLoc": "EAMS_EQUI", "TechnicalObjectLabel": fmt.Sprint(10_000_001 + i),
			"MaintObjectDowntimeDuration": 0.0, "MaintObjDowntimeDurationUnit": "H",
		}
		if i%6 == 5 {
			r["TechnicalObject"], r["TechObjIsEquipOrFuncnlLoc"] = "1010-ST01", "EAMS_FL"
		}
		rows = append(rows, r)
	}
	return rows
}
