package learning

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/scoring"
)

const (
	// LeastLabels are the verdicts that a calibration needs, and LeastEach of
	// them must confirm an anomaly and as many reject one.
	LeastLabels = 12
	LeastEach   = 3
	chosenShare = 0.6 // of the verdicts, the oldest, choose the limits
	daysInMonth = 30.4
)

// NormalSpan is how much of an asset's time one normal case stands for.
const NormalSpan = 7 * 24 * time.Hour

// LimitsProtocol is how anomaly limits are calibrated, for people.
const LimitsProtocol = "Verdicts in order of time: the older 60 % choose safety factor and materiality by F1, where an anomaly that engineers confirmed should be flagged " +
	"and one that they rejected should not, and quiet weeks that are flagged count as rejected ones. The newer 40 % and the newer quiet weeks measure the choice and the limits in service. " +
	"The choice serves only if its F1 is at least 0.02 higher without more false alarms per asset and month, or if it has at least a tenth fewer false alarms at no smaller F1."

// Limits are the anomaly settings of a tenant, as stored in the parameters of
// its model.
type Limits struct {
	Factor      float64 `json:"anomaly_factor"`
	Materiality float64 `json:"anomaly_materiality"`
}

// DefaultLimits serve until a calibration has won.
func DefaultLimits() Limits {
	s := scoring.DefaultSettings()
	return Limits{Factor: s.AnomalyFactor, Materiality: s.AnomalyMateriality}
}

// candidates are the limits that a calibration tries.
func candidates() []Limits {
	var out []Limits
	for _, factor := range []float64{1, 1.25, 1.5, 1.75, 2, 2.5, 3} {
		for _, materiality := range []float64{0.1, 0.2, 0.3} {
			out = append(out, Limits{Factor: factor, Materiality: materiality})
		}
	}
	return out
}

// Case is one situation with what it truly was: an episode that engineers
// judged, as the detector saw it at its end, or a quiet week.
type Case struct {
	Input scoring.AssetInput
	At    time.Time
	Real  bool // an anomaly that engineers confirmed
	Quiet bool // a week without alert or verdict
}

// LimitsFigures is how limits did on cases.
type LimitsFigures struct {
	Limits
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
	// FalseAlarms counts flagged quiet weeks per asset and month.
	FalseAlarms float64 `json:"false_alarms_per_asset_month"`
	Confirmed   int     `json:"confirmed"`
	Rejected    int     `json:"rejected"`
	QuietWeeks  int     `json:"quiet_weeks"`
}

// LimitsReport is the comparison that is stored with calibrated limits.
type LimitsReport struct {
	Chosen    LimitsFigures `json:"chosen"`    // on the verdicts that chose them
	Candidate LimitsFigures `json:"candidate"` // on the newer ones
	Active    LimitsFigures `json:"active"`
	Verdict   Verdict       `json:"verdict"`
}

// Calibrate chooses limits on the older cases and compares them with those in
// service on the newer ones. It fails with a TooLittleError, or when the context
// ends.
func Calibrate(ctx context.Context, cases []Case, active Limits) (LimitsReport, error) {
	older, newer, err := divide(cases)
	if err != nil {
		return LimitsReport{}, err
	}
	var report LimitsReport
	for _, limits := range candidates() {
		found, err := try(ctx, older, limits)
		if err != nil {
			return report, err
		}
		if report.Chosen.Factor == 0 || better(found, report.Chosen) {
			report.Chosen = found
		}
	}
	if report.Candidate, err = try(ctx, newer, report.Chosen.Limits); err != nil {
		return report, err
	}
	if report.Active, err = try(ctx, newer, active); err != nil {
		return report, err
	}
	report.Verdict = judge(report.Candidate, report.Active)
	return report, nil
}

// better prefers a higher F1, then fewer false alarms, then limits that are
// less tight.
func better(a, b LimitsFigures) bool {
	return cmp.Or(cmp.Compare(a.F1, b.F1), cmp.Compare(b.FalseAlarms, a.FalseAlarms), cmp.Compare(a.Factor, b.Factor)) > 0
}

func judge(candidate, active LimitsFigures) Verdict {
	v := Verdict{Figure: "f1", Candidate: candidate.F1, Reference: active.F1, Margin: Margin, Reason: ReasonNotBetter}
	finds := candidate.F1 >= active.F1+Margin && candidate.FalseAlarms <= active.FalseAlarms
	quieter := candidate.F1 >= active.F1 && candidate.FalseAlarms < 0.9*active.FalseAlarms
	if finds || quieter {
		v.Promote, v.Reason = true, ReasonBeatsActive
	}
	return v
}

// divide puts the older verdicts apart from the newer ones, and the quiet
// weeks by the same share.
func divide(cases []Case) (older, newer []Case, err error) {
	var judged, quiet []Case
	confirmed := 0
	for _, c := range cases {
		switch {
		case c.Quiet:
			quiet = append(quiet, c)
			continue
		case c.Real:
			confirmed++
		}
		judged = append(judged, c)
	}
	for _, lack := range []TooLittleError{
		{What: "labels", Have: len(judged), Need: LeastLabels},
		{What: "confirmed", Have: confirmed, Need: LeastEach},
		{What: "rejected", Have: len(judged) - confirmed, Need: LeastEach},
	} {
		if lack.Have < lack.Need {
			return nil, nil, &lack
		}
	}
	for _, part := range [][]Case{judged, quiet} {
		slices.SortStableFunc(part, func(a, b Case) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Input.AssetID, b.Input.AssetID))
		})
		at := int(chosenShare * float64(len(part)))
		older, newer = append(older, part[:at]...), append(newer, part[at:]...)
	}
	return older, newer, nil
}

// try runs the detector over cases with the given limits.
func try(ctx context.Context, cases []Case, limits Limits) (LimitsFigures, error) {
	out := LimitsFigures{Limits: limits}
	found, wrong, flagged := 0, 0, 0
	for _, c := range cases {
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("calibrate limits: %w", err)
		}
		in := c.Input
		in.Settings = scoring.DefaultSettings()
		in.Settings.AnomalyFactor, in.Settings.AnomalyMateriality = limits.Factor, limits.Materiality
		alarm := scoring.DetectAnomaly(scoring.Assess(in)).Flag
		switch {
		case c.Quiet:
			out.QuietWeeks++
			flagged += count(alarm)
		case c.Real:
			out.Confirmed++
			found += count(alarm)
		default:
			out.Rejected++
			wrong += count(alarm)
		}
	}
	wrong += flagged
	missed := out.Confirmed - found
	if found > 0 {
		out.Precision = float64(found) / float64(found+wrong)
		out.Recall = float64(found) / float64(out.Confirmed)
		out.F1 = float64(found) / (float64(found) + float64(missed+wrong)/2)
	}
	if out.QuietWeeks > 0 {
		months := float64(out.QuietWeeks) * NormalSpan.Hours() / 24 / daysInMonth
		out.FalseAlarms = float64(flagged) / months
	}
	return out, nil
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
