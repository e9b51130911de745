package web

import (
	"time"

	"github.com/optria-iq/optria/internal/optimize/maintenance"
)

// reasonIcons marks the reasons that have a picture of their own.
var reasonIcons = map[maintenance.ReasonCode]string{
	maintenance.ReasonFailureRisk:     "shield-alert",
	maintenance.ReasonCheapestDay:     "calendar-check",
	maintenance.ReasonWaitingCheaper:  "hourglass",
	maintenance.ReasonDeferralCheaper: "hourglass",
	maintenance.ReasonResourceBinding: "users",
	maintenance.ReasonKOutOfN:         "layers",
	maintenance.ReasonExclusion:       "ban",
	maintenance.ReasonDowntimeCap:     "clock",
	maintenance.ReasonBudget:          "wallet",
	maintenance.ReasonEmbargo:         "calendar-x",
	maintenance.ReasonRestricted:      "calendar-x",
	maintenance.ReasonWindow:          "calendar-range",
	maintenance.ReasonDayOff:          "calendar-days",
	maintenance.ReasonMinimum:         "users",
	maintenance.ReasonDue:             "flag",
	maintenance.ReasonPinned:          "pin",
	maintenance.ReasonNoFeasibleDay:   "circle-slash",
}

// reasonText words a computed reason with its numbers. A code that this
// version does not know yet is shown with its money only.
func reasonText(p Page, names nameBook, start time.Time, x maintenance.Reason) reasonLine {
	key := "runs.reason." + string(x.Code)
	pictured, known := reasonIcons[x.Code]
	if !known {
		key, pictured = "runs.reason.other", "info"
	}
	if x.Constraint == "" && needsName[x.Code] {
		key += ".unnamed"
	}
	n, unit := p.Loc().Compact(x.Money)
	return reasonLine{Icon: pictured, Text: p.Loc().HTML(key,
		"Money", amount(n, unit), "P", isolate(p.Loc().Pct(x.P)), "Date", p.Loc().ShortDate(start.AddDate(0, 0, x.Day)),
		"Name", names.markup(p.Lang, x.Constraint))}
}

// needsName marks the reasons whose sentence names a constraint.
var needsName = map[maintenance.ReasonCode]bool{
	maintenance.ReasonResourceBinding: true, maintenance.ReasonKOutOfN: true, maintenance.ReasonDowntimeCap: true, maintenance.ReasonEmbargo: true,
}
