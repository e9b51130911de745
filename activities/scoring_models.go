package activities

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring/cnaim"
	"github.com/optria-iq/optria/internal/scoring/learning"
	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

// applyModels puts the active models to the inputs: the tenant's calibrated
// limits and the fleet model of each asset's class.
func (a *Scoring) applyModels(ctx context.Context, tx pgx.Tx, q *db.Queries, b Batch, assets []scoredAsset) error {
	models, err := q.ListScoringModels(ctx, tx, b.TenantID, b.AsOf)
	if err != nil {
		return fmt.Errorf("list models: %w", err)
	}
	for _, m := range models {
		class, fleet := strings.CutPrefix(m.Kind, learning.FamilyRUL+":")
		if !fleet {
			if err := applyLimits(m, assets); err != nil {
				return err
			}
			continue
		}
		for i := range assets {
			if assets[i].row.ClassCode != class {
				continue
			}
			if err := a.applyFleet(ctx, tx, q, b, m, &assets[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func applyLimits(m db.ListScoringModelsRow, assets []scoredAsset) error {
	limits := learning.DefaultLimits()
	if err := json.Unmarshal(m.Parameters, &limits); err != nil {
		return fmt.Errorf("read parameters of model %s %s: %w", m.Kind, m.Version, err)
	}
	for i := range assets {
		set := &assets[i].input.Settings
		set.AnomalyFactor, set.AnomalyMateriality = limits.Factor, limits.Materiality
	}
	return nil
}

// applyFleet gives an asset the fleet model of its class and the days of its
// present life. A model that cannot be read concerns no sweep: the asset is
// scored by its life distribution.
func (a *Scoring) applyFleet(ctx context.Context, tx pgx.Tx, q *db.Queries, b Batch, m db.ListScoringModelsRow, s *scoredAsset) error {
	model, err := a.models.load(m.ID, func() ([]byte, error) {
		row, err := q.ModelArtefact(ctx, tx, b.TenantID, m.ID)
		if err != nil {
			return nil, fmt.Errorf("load model: %w", err)
		}
		if sum := sha256.Sum256(row.Artefact); !bytes.Equal(sum[:], row.ArtefactSha256) {
			return nil, &unreadable{errors.New("its digest differs")}
		}
		return row.Artefact, nil
	})
	var unread *unreadable
	if err != nil && !errors.As(err, &unread) {
		return err
	}
	if err != nil {
		activity.GetLogger(ctx).Warn("fleet model left out", "model", m.ID, "error", err)
		return nil
	}
	rows, err := lifeRows(ctx, tx, q, b, s, model.Signals())
	if err != nil {
		return err
	}
	s.input.Prognosis, s.input.PrognosisVersion, s.input.LifeRows = model, m.Version, rows
	return nil
}

// mostDays bounds the days of a life that are read, to what the historian takes
// in: earlier ones of an old asset are unknown, but they count as its age.
const mostDays = 400

// lifeRows are the daily means of an asset since its renewal, whole days
// counted back from the last full hour, oldest first.
func lifeRows(ctx context.Context, tx pgx.Tx, q *db.Queries, b Batch, s *scoredAsset, metrics []string) ([][]float64, error) {
	column := map[int64]int{}
	var ids []int64
	for j, metric := range metrics {
		for i, series := range s.input.Series {
			if series.Signal.Metric == metric {
				column[s.signals[i]] = j
				ids = append(ids, s.signals[i])
			}
		}
	}
	end := b.AsOf.UTC().Truncate(time.Hour)
	days := s.input.AgeDays
	if !s.renewed.IsZero() {
		days = min(days, end.Sub(s.renewed).Hours()/24)
	}
	rows := make([][]float64, max(0, int(days)))
	for d := range rows {
		rows[d] = make([]float64, len(metrics))
		for j := range rows[d] {
			rows[d][j] = math.NaN()
		}
	}
	read := rows[max(0, len(rows)-mostDays):]
	means, err := q.DailyMeans(ctx, tx, db.DailyMeansParams{TenantID: b.TenantID, SignalIds: ids, FromHour: end.AddDate(0, 0, -len(read)), ToHour: end})
	if err != nil {
		return nil, fmt.Errorf("read days of life: %w", err)
	}
	for _, m := range means {
		read[m.Day][column[m.SignalID]] = m.MeanValue
	}
	return rows, nil
}

// unreadable says that an artefact is not what was stored, or not of this
// version.
type unreadable struct{ cause error }

func (e *unreadable) Error() string { return "unreadable model: " + e.cause.Error() }

func (e *unreadable) Unwrap() error { return e.cause }

// keptModels is how many decoded fleet models a worker keeps.
const keptModels = 32

// artefacts keeps decoded fleet models by id; an artefact never changes. The
// zero value is empty and ready.
type artefacts struct {
	mu     sync.Mutex
	models map[uuid.UUID]*prognosis.Model
	order  []uuid.UUID // oldest use first
}

// load returns a model, decoding what read gives when it is not kept.
func (c *artefacts) load(id uuid.UUID, read func() ([]byte, error)) (*prognosis.Model, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	model, kept := c.models[id]
	if !kept {
		stored, err := read()
		if err != nil {
			return nil, err
		}
		model = &prognosis.Model{}
		if err := model.UnmarshalBinary(stored); err != nil {
			return nil, &unreadable{err}
		}
	}
	c.use(id, model)
	return model, nil
}

// use notes that a model was used and lets go of the one unused for longest.
func (c *artefacts) use(id uuid.UUID, model *prognosis.Model) {
	if c.models == nil {
		c.models = map[uuid.UUID]*prognosis.Model{}
	}
	for i, x := range c.order {
		if x == id {
			c.order = append(c.order[:i], c.order[i+1:]...)
			break
		}
	}
	c.models[id], c.order = model, append(c.order, id)
	if len(c.order) > keptModels {
		delete(c.models, c.order[0])
		c.order = c.order[1:]
	}
}

// attributes are the further facts about an asset that scores rest on.
type attributes struct {
	CNAIM *cnaim.Equipment `json:"cnaim"`
}

// readAttributes takes over what is known of electrical equipment.
func (s *scoredAsset) readAttributes() {
	var known attributes
	if err := json.Unmarshal(s.row.Attributes, &known); err != nil {
		s.broken = fmt.Errorf("read attributes of the asset: %w", err)
		return
	}
	s.input.Electrical = known.CNAIM
}
