package recurrence

import "github.com/google/uuid"

// Summary is the content of a report: what was decided and done in its period.
type Summary struct {
	Plans    map[string]int64 `json:"plans"` // by state, of those proposed or decided in the period
	Releases Releases         `json:"releases"`
	Orders   Orders           `json:"orders"`
	Risks    []Risk           `json:"risks"` // the greatest when the report was made
}

// Releases counts releases that were begun, with their lines.
type Releases struct {
	Count   int64 `json:"count"`
	Lines   int64 `json:"lines"`
	Written int64 `json:"written"`
}

// Orders counts the work orders that were due in the period.
type Orders struct {
	Due    int64 `json:"due"`
	Done   int64 `json:"done"`
	InTime int64 `json:"in_time"`
	Late   int64 `json:"late"` // still open past their day
}

// Attainment is the share of the orders due that were done in time; false when
// none was due.
func (o Orders) Attainment() (float64, bool) {
	if o.Due == 0 {
		return 0, false
	}
	return float64(o.InTime) / float64(o.Due), true
}

// Risk is one asset with its expected loss over 30 days.
type Risk struct {
	AssetID       uuid.UUID `json:"asset_id"`
	Tag           string    `json:"tag"`
	NameAr        string    `json:"name_ar"`
	NameEn        string    `json:"name_en"`
	SiteAr        string    `json:"site_ar"`
	SiteEn        string    `json:"site_en"`
	Level         int       `json:"risk_level"`
	RiskSAR       float64   `json:"risk_sar"`
	Probability30 float64   `json:"failure_probability_30d"`
	Trusted       bool      `json:"trusted"`
}
