package activities

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

// fleetModel is a small fleet model of the rig's signals.
func fleetModel(t *testing.T, r *rig) []byte {
	t.Helper()
	random := rand.New(rand.NewPCG(5, 6))
	config := prognosis.Config{Cap: 60, Trees: 20, Seed: 1}
	for _, s := range r.signals {
		config.Signals = append(config.Signals, s.Metric)
	}
	var units []prognosis.Unit
	for u := range 8 {
		unit := prognosis.Unit{ID: fmt.Sprintf("life %d", u)}
		days := 60 + 5*u
		for d := range days {
			row := make([]float64, len(r.signals))
			for j := range row {
				row[j] = 100 + random.NormFloat64() + 20*float64(j)*float64(d)/float64(days)
			}
			unit.Rows = append(unit.Rows, row)
		}
		units = append(units, unit)
	}
	model, err := prognosis.Fit(t.Context(), units, config)
	require.NoError(t, err)
	stored, err := model.MarshalBinary()
	require.NoError(t, err)
	return stored
}

// The active fleet model of the class predicts the remaining life from the
// days since the renewal; one that is damaged is left out.
func TestFleetModelOfTheClassIsUsed(t *testing.T) {
	r := newRig(t)
	r.measure(healthy)
	artefact := fleetModel(t, r)
	digest := sha256.Sum256(artefact)
	store := func(version string, digest []byte) {
		r.exec(`UPDATE ai.models SET state = 'retired' WHERE tenant_id = $1 AND kind = 'rul:RIG'`, r.tenant)
		r.exec(`INSERT INTO ai.models (tenant_id, kind, version, artefact, artefact_sha256, trained_to) VALUES ($1, 'rul:RIG', $2, $3, $4, $5)`,
			r.tenant, version, artefact, digest, r.now.Add(-time.Hour))
	}
	r.exec(`UPDATE core.assets SET age_days = 35, age_as_of = $3 WHERE tenant_id = $1 AND id = $2`, r.tenant, r.asset, r.now)
	store("fleet-1", digest[:])
	s, _ := r.score(r.now)
	require.Equal(t, "fleet-1", s.RUL.ModelVersion, "%+v", s.RUL)
	require.LessOrEqual(t, s.RUL.Value, 60.0)
	before, _ := r.score(r.now.Add(-2 * time.Hour))
	require.NotEqual(t, "fleet-1", before.RUL.ModelVersion, "it was trained later")
	store("fleet-2", digest[1:])
	s, _ = r.score(r.now.Add(time.Minute))
	require.NotContains(t, s.RUL.ModelVersion, "fleet")
}

// An asset older than what is read of its life keeps its age.
func TestOldAssetKeepsItsAge(t *testing.T) {
	r := newRig(t)
	r.measure(healthy)
	artefact := fleetModel(t, r)
	digest := sha256.Sum256(artefact)
	r.exec(`INSERT INTO ai.models (tenant_id, kind, version, artefact, artefact_sha256, trained_to) VALUES ($1, 'rul:RIG', 'fleet', $2, $3, $4)`,
		r.tenant, artefact, digest[:], r.now.Add(-time.Hour))
	r.exec(`UPDATE core.assets SET age_days = 900, age_as_of = $3 WHERE tenant_id = $1 AND id = $2`, r.tenant, r.asset, r.now)
	_, _ = r.score(r.now) // rolls the hours up
	batch, _ := r.sweep(r.now)
	batch.Assets = []uuid.UUID{r.asset}
	assets, err := r.set.Scoring.loadBatch(t.Context(), batch)
	require.NoError(t, err)
	rows := assets[0].input.LifeRows
	require.Len(t, rows, 900)
	require.False(t, math.IsNaN(rows[899][0]))
	require.False(t, math.IsNaN(rows[899-rigDays/2][0]))
	require.True(t, math.IsNaN(rows[899-2*rigDays][0]))
}

func TestDecodedModelsAreBounded(t *testing.T) {
	t.Parallel()
	var kept artefacts
	first := uuid.New()
	model := &prognosis.Model{}
	kept.use(first, model)
	for range keptModels - 1 {
		kept.use(uuid.New(), model)
	}
	_, err := kept.load(first, nil)
	require.NoError(t, err)
	kept.use(uuid.New(), model)
	require.Len(t, kept.models, keptModels)
	require.Contains(t, kept.models, first, "used a moment ago")
}

func TestCalibratedLimitsReachTheScore(t *testing.T) {
	r := newRig(t)
	r.measure(healthy)
	r.exec(`INSERT INTO ai.models (tenant_id, kind, version, parameters) VALUES ($1, 'anomaly', 'calibrated', '{"anomaly_factor": 2.5, "anomaly_materiality": 0.4}')`, r.tenant)
	batch, _ := r.sweep(r.now)
	assets, err := r.set.Scoring.loadBatch(t.Context(), batch)
	require.NoError(t, err)
	require.InDelta(t, 2.5, assets[0].input.Settings.AnomalyFactor, 0)
	require.InDelta(t, 0.4, assets[0].input.Settings.AnomalyMateriality, 0)
}
