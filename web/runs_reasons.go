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
	"condition_evidence":           "activity",
	"waiting_costs":                "hourglass",
	"no_measurable_difference":     "scale",
	"risk_avoided":                 "shield-alert",
	"next_technician":              "user",
	"only_technician":              "user-check",
	"needs_overtime":               "clock",
	"more_overtime":                "clock",
	"starts_late":                  "timer",
	"skill_missing":                "circle-slash",
	"crew_short":                   "users",
	"capacity_full":                "users",
	"off_shift":                    "calendar-x",
	"calendar_closed":              "calendar-x",
	"part_missing":                 "package",
	"tool_missing":                 "wrench",
	"would_fit":                    "lightbulb",
	"not_worth":                    "scale",
	"predecessor_open":             "layers",
	"order_conflict":               "layers",
	"as_published":                 "flag",
	"moved":                        "refresh-cw",
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
		"Money", amount(n, unit), "P", isolate(p.Loc().Pct(x.P)), "Date", h.date(p, x.Day),
		"Name", names.markup(p.Lang, x.Constraint), "Amount", isolate(p.Loc().Num(x.Amount, 1)))}
}
