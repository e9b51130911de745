package web

import (
	"github.com/optria-iq/optria/internal/optimize"
)

// reasonIcons marks the reasons that have a picture of their own.
var reasonIcons = map[optimize.ReasonCode]string{
	optimize.ReasonFailureRisk:     "shield-alert",
	optimize.ReasonCheapestDay:     "calendar-check",
	optimize.ReasonWaitingCheaper:  "hourglass",
	optimize.ReasonDeferralCheaper: "hourglass",
	optimize.ReasonResourceBinding: "users",
	optimize.ReasonKOutOfN:         "layers",
	optimize.ReasonExclusion:       "ban",
	optimize.ReasonDowntimeCap:     "clock",
	optimize.ReasonBudget:          "wallet",
	optimize.ReasonEmbargo:         "calendar-x",
	optimize.ReasonRestricted:      "calendar-x",
	optimize.ReasonWindow:          "calendar-range",
	optimize.ReasonDayOff:          "calendar-days",
	optimize.ReasonMinimum:         "users",
	optimize.ReasonDue:             "flag",
	optimize.ReasonPinned:          "pin",
	optimize.ReasonNoFeasibleDay:   "circle-slash",
	"serves_target":                "target",
	"idle_cheaper":                 "pause",
	"spares_wear":                  "heart-pulse",
	"cheap_hours":                  "banknote",
	"less_risk":                    "shield-check",
	"planned_outage":               "calendar-x",
}

// reasonText words a computed reason with its numbers. A code that this
// version does not know yet is shown with its money only.
func reasonText(p Page, names nameBook, h horizon, x optimize.Reason) reasonLine {
	key := "runs.reason." + string(x.Code)
	if !p.Loc().Has(key) {
		key = "runs.reason.other"
	}
	if x.Constraint == "" && p.Loc().Has(key+".unnamed") {
		key += ".unnamed"
	}
	pictured, known := reasonIcons[x.Code]
	if !known {
		pictured = "info"
	}
	n, unit := p.Loc().Compact(x.Money)
	return reasonLine{Icon: pictured, Text: p.Loc().HTML(key,
		"Money", amount(n, unit), "P", isolate(p.Loc().Pct(x.P)), "Date", h.moment(p, float64(x.Day)),
		"Name", names.markup(p.Lang, x.Constraint), "Amount", isolate(p.Loc().Num(x.Amount, 1)))}
}
