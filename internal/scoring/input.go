package scoring

import (
	"time"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring/cnaim"
	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

// AssetInput is everything Score needs to know about one asset.
type AssetInput struct {
	AssetID string
	// AsOf is the moment the score speaks of; later readings are ignored.
	AsOf time.Time
	// Series holds one entry per expected signal, with or without readings.
	// Only the last Settings.WindowDays before AsOf are used.
	Series []asset.Series
	// HoursUntil is the moment before which readings are means of hours, each at
	// the beginning of its hour; the zero value when all are as measured.
	HoursUntil time.Time
	Modes      []asset.FailureMode
	// Life is the asset's Weibull life; when it is unusable (zero, NaN) a
	// prior is derived from the occurrence ratings of Modes.
	Life    asset.Weibull
	AgeDays float64 // effective age since the last renewal, days
	// Failures and Censored are completed and running lives of this asset's
	// population in days; they update the scale of Life. Both may be empty.
	Failures []float64
	Censored []float64
	Cost     asset.CostModel
	// Redundancy lowers the production loss of a failure. Leave it zero when
	// Cost.LossPerHour is already the net loss of this asset alone.
	Redundancy Redundancy
	// Inspection is the latest inspection grade, 0 (worst) to 1 (as new), or nil.
	Inspection *float64
	// HorizonDays is the planning horizon; zero means 30.
	HorizonDays float64
	// Settings are the tenant's thresholds; the zero value means DefaultSettings.
	Settings Settings
	// Operating names the metrics that say how hard the asset is run (load,
	// speed, ambient temperature). They are compared with, never judged as
	// anomalous; may be empty.
	Operating []string
	// Baseline is how the asset looked when healthy, learned earlier with
	// LearnBaseline and stored; nil learns from the window itself.
	Baseline *Baseline
	// Electrical describes a transformer or switchgear, which is then rated by the
	// network asset method instead of Life; nil for all other equipment.
	Electrical *cnaim.Equipment
	// Prognosis is the fleet model of the asset's class, learned from lives that
	// ran to failure in rows of one day; nil leaves the life model alone.
	Prognosis *prognosis.Model
	// LifeRows are the daily means since the last renewal for the fleet model:
	// one row per whole day up to AsOf, the oldest first, one column per signal
	// of the model in its order, NaN where nothing was measured. Nil takes
	// them from Series where those reach back to the renewal.
	LifeRows [][]float64
	// PrognosisVersion names the fleet model in the provenance.
	PrognosisVersion string
}

// Redundancy says that a unit needs Required of Installed identical assets.
// PeerUnavailability is the probability that any one peer is down when this
// asset fails. The zero value means no redundancy.
type Redundancy struct {
	Required           int
	Installed          int
	PeerUnavailability float64
}

// Settings are the thresholds a tenant may change.
type Settings struct {
	WindowDays         float64 // history used, days
	CoverageThreshold  float64 // below this share of usable signals the score is not trusted
	AnomalyAlpha       float64 // miscoverage of the conformal limit on held-out normal data
	AnomalyFactor      float64 // safety factor on that limit
	AnomalyMateriality float64 // least residual that counts, share of the distance to the warning limit
	EvidenceMax        float64 // largest hazard multiplier, reached at the alarm limit
	RULCapDays         float64 // remaining life beyond this is shown as "> cap"
	RiskLowSAR         float64 // expected loss at index 0
	RiskHighSAR        float64 // expected loss at index 100
	// HealthBands are the lower edges of bands 1 to 4; below the last is band 5.
	HealthBands [4]float64
	// LikelihoodEdges split P(fail within horizon) and ConsequenceEdges split
	// the cost of one failure in SAR into the categories 1 to 5 of the matrix.
	LikelihoodEdges  [4]float64
	ConsequenceEdges [4]float64
	// RiskMatrix[likelihood-1][consequence-1] is the risk level 1 to 5.
	RiskMatrix [5][5]asset.RiskLevel
}

// DefaultSettings returns the thresholds used when a tenant has set none.
func DefaultSettings() Settings {
	return Settings{
		WindowDays: 90, CoverageThreshold: 0.6,
		AnomalyAlpha: 0.01, AnomalyFactor: 1.5, AnomalyMateriality: 0.20,
		EvidenceMax: 10, RULCapDays: 730,
		RiskLowSAR: 1e3, RiskHighSAR: 1e7,
		HealthBands:      [4]float64{85, 70, 50, 25},
		LikelihoodEdges:  [4]float64{0.005, 0.02, 0.05, 0.15},
		ConsequenceEdges: [4]float64{2.5e5, 1e6, 5e6, 2e7},
		RiskMatrix: [5][5]asset.RiskLevel{
			{1, 1, 2, 2, 3},
			{1, 2, 2, 3, 4},
			{2, 2, 3, 4, 4},
			{2, 3, 4, 4, 5},
			{3, 4, 4, 5, 5},
		},
	}
}

// settings returns the input's thresholds with unusable ones replaced.
func (in AssetInput) settings() Settings { return in.Settings.orDefault() }

// orDefault returns the defaults for the zero value, and otherwise replaces
// single thresholds that cannot be computed with by their defaults.
func (s Settings) orDefault() Settings {
	d := DefaultSettings()
	if s == (Settings{}) {
		return d
	}
	keep := func(v *float64, fallback, least, most float64) {
		if !between(*v, least, most) {
			*v = fallback
		}
	}
	keep(&s.WindowDays, d.WindowDays, 1, 3650)
	keep(&s.CoverageThreshold, d.CoverageThreshold, 0, 1)
	keep(&s.AnomalyAlpha, d.AnomalyAlpha, 1e-6, 0.5)
	keep(&s.AnomalyFactor, d.AnomalyFactor, 0.1, 100)
	keep(&s.AnomalyMateriality, d.AnomalyMateriality, 0, 1)
	keep(&s.EvidenceMax, d.EvidenceMax, 1, 1000)
	keep(&s.RULCapDays, d.RULCapDays, 1, greatestLife)
	if !(s.RiskLowSAR > 0) || !(s.RiskHighSAR > s.RiskLowSAR) || !usable(s.RiskHighSAR) {
		s.RiskLowSAR, s.RiskHighSAR = d.RiskLowSAR, d.RiskHighSAR
	}
	if s.RiskMatrix == ([5][5]asset.RiskLevel{}) {
		s.RiskMatrix = d.RiskMatrix
	}
	keepEdges(&s.HealthBands, d.HealthBands)
	keepEdges(&s.LikelihoodEdges, d.LikelihoodEdges)
	keepEdges(&s.ConsequenceEdges, d.ConsequenceEdges)
	return s
}

// keepEdges replaces edges that hold nothing but zeros.
func keepEdges(edges *[4]float64, fallback [4]float64) {
	if *edges == ([4]float64{}) {
		*edges = fallback
	}
}

// horizon returns the planning horizon in days.
func (in AssetInput) horizon() float64 {
	if !finite(in.HorizonDays) || in.HorizonDays <= 0 {
		return 30
	}
	return in.HorizonDays
}
