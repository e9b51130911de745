package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring/cnaim"
)

// anomalyKind is the kind of model that holds the tenant's calibrated
// thresholds.
const anomalyKind = "anomaly"

// applyModels puts the active models to the inputs: the tenant's thresholds
// and the fleet model of each asset's class.
func (a *Scoring) applyModels(ctx context.Context, tx pgx.Tx, q *db.Queries, b Batch, assets []scoredAsset) error {
	models, err := q.ListScoringModels(ctx, tx, b.TenantID, b.AsOf)
	if err != nil {
		return fmt.Errorf("list models: %w", err)
	}
	for _, m := range models {
		if m.Kind != anomalyKind {
			continue
		}
		for i := range assets {
			if err := json.Unmarshal(m.Parameters, &assets[i].input.Settings); err != nil {
				return fmt.Errorf("read parameters of model %s %s: %w", m.Kind, m.Version, err)
			}
		}
	}
	return nil
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
