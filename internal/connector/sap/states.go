package sap

import (
	"strings"

	"github.com/optria-iq/optria/internal/connector"
)

// subphases are the steps of SAP's phase model for orders (S/4HANA 2020 and
// later). They do not depend on the language, so they are looked at first.
var subphases = map[string]string{
	"0035": connector.OrderOpen,       // in planning
	"0040": connector.OrderOpen,       // submitted for approval
	"0045": connector.OrderOpen,       // approved
	"0050": connector.OrderOpen,       // rejected, may be submitted again
	"0055": connector.OrderReleased,   // in preparation
	"0060": connector.OrderReleased,   // ready to schedule
	"0065": connector.OrderReleased,   // ready for execution
	"0070": connector.OrderInProgress, // main work started
	"0075": connector.OrderInProgress, // main work completed
	"0080": connector.OrderInProgress, // work done
	"0085": connector.OrderDone,       // technically complete
	"0092": connector.OrderCancelled,  // work not performed
	"0095": connector.OrderClosed,
	"0105": connector.OrderCancelled, // deletion flag
}

// phases are the phases of the same model, for orders without a step.
var phases = map[string]string{
	"01": connector.OrderOpen, "02": connector.OrderOpen, "03": connector.OrderOpen, "04": connector.OrderOpen,
	"05": connector.OrderReleased, "06": connector.OrderReleased, "07": connector.OrderInProgress, "08": connector.OrderInProgress,
	"09": connector.OrderDone,
}

// statuses are the words of the system status, in English and German, the
// furthest first: an order carries all that it went through.
var statuses = []struct{ word, state string }{
	{"DLT", connector.OrderCancelled}, {"DLFL", connector.OrderCancelled}, {"LÖVM", connector.OrderCancelled}, {"LÖKZ", connector.OrderCancelled},
	{"NCMP", connector.OrderCancelled}, // not to be carried out
	{"CLSD", connector.OrderClosed}, {"ABGS", connector.OrderClosed},
	{"TECO", connector.OrderDone}, {"TABG", connector.OrderDone},
	{"LKD", connector.OrderOnHold}, {"GSPT", connector.OrderOnHold},
	{"CNF", connector.OrderInProgress}, {"RÜCK", connector.OrderInProgress}, {"PCNF", connector.OrderInProgress}, {"TRÜC", connector.OrderInProgress},
	{"REL", connector.OrderReleased}, {"FREI", connector.OrderReleased}, {"PREL", connector.OrderReleased}, {"TFRE", connector.OrderReleased},
	{"CRTD", connector.OrderOpen}, {"EROF", connector.OrderOpen},
}

// orderState derives the state of an order. A lock is a status beside the
// phase, so it is looked for in any case.
func orderState(subphase, phase, status string) string {
	words := map[string]bool{}
	for _, word := range strings.Fields(strings.ToUpper(status)) {
		words[word] = true
	}
	state, known := subphases[subphase]
	if !known {
		state, known = byWord(words)
	}
	if !known {
		state, known = phases[phase]
	}
	if !known {
		return connector.OrderOpen
	}
	locked := words["LKD"] || words["GSPT"]
	if locked && (state == connector.OrderOpen || state == connector.OrderReleased || state == connector.OrderInProgress) {
		return connector.OrderOnHold
	}
	return state
}

func byWord(words map[string]bool) (string, bool) {
	for _, status := range statuses {
		if words[status.word] {
			return status.state, true
		}
	}
	return "", false
}

// notificationPhases are the values of NotifProcessingPhase.
var notificationPhases = map[string]string{
	"1": connector.OrderOpen,       // outstanding
	"2": connector.OrderOnHold,     // postponed
	"3": connector.OrderInProgress, // in process
	"4": connector.OrderDone,       // completed
	"5": connector.OrderCancelled,  // deletion flag
}

// actions are the function imports of the second version of the order service
// that lead to a state. Work begins by confirmations, which people record.
var actions = map[string]string{
	connector.OrderReleased:  "ReleaseMaintenanceOrder",
	connector.OrderOnHold:    "SetMaintOrderStatusToLocked",
	connector.OrderDone:      "SetMaintOrdToTechCompleted",
	connector.OrderClosed:    "SetMaintOrderStatusToClosed",
	connector.OrderCancelled: "SetMaintOrdStsToMrkdForDeltn",
}
