package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
)

// learnt is a baseline on its way into the database.
type learnt struct {
	from, to time.Time
	rows     int
	signals  json.RawMessage
	artefact []byte
}

// relearnAfter keeps a baseline that does not fit from being learned anew at
// every sweep.
const relearnAfter = 24 * time.Hour

// admission is a stretch that an engineer judged expected.
type admission struct{ from, to time.Time }

// readBaseline takes the stored baseline over into the input. What an engineer
// judged expected since it was learned is still to be admitted.
func (s *scoredAsset) readBaseline(b db.ListBaselinesRow, admissions []db.ListAdmissionsRow) error {
	if !b.InForce || s.renewed.After(b.LearnedAt) {
		return nil
	}
	base := &scoring.Baseline{}
	if err := base.UnmarshalBinary(b.Artefact); err != nil {
		return fmt.Errorf("read baseline version %d: %w", b.Version, err)
	}
	s.input.Baseline, s.learned = base, b.LearnedAt
	for _, x := range admissions {
		if x.GivenAt.After(b.LearnedAt) {
			s.admit = append(s.admit, admission{x.EpisodeFrom, x.EpisodeTo})
		}
	}
	return nil
}

// admitted teaches the stored baseline what was judged expected, before the
// score is made. Stretches with nothing to learn from are passed over: the
// verdict itself is kept as a label.
func (s *scoredAsset) admitted() (changed bool) {
	for _, x := range s.admit {
		if _, err := s.input.Baseline.Admit(s.input, x.from, x.to); err == nil {
			changed = true
		}
	}
	return changed
}

// nextBaseline says what becomes of an asset's baseline after its score: the
// first one is learned when there is enough healthy history since the last
// renewal, one that was taught is stored as the next version, and one whose
// signals are no longer those of the asset is to be learned anew.
func nextBaseline(b Batch, in scoredAsset, s scoring.AssetScore) (next *learnt, relearn bool, err error) {
	unfit := slices.ContainsFunc(slices.Concat(s.Trust.Reasons, s.Anomaly.Reasons), func(r scoring.Reason) bool { return r.Code == scoring.CodeBaseline })
	switch {
	case in.input.Baseline == nil:
		base, err := scoring.LearnBaseline(in.input)
		if errors.Is(err, scoring.ErrShortHistory) || errors.Is(err, scoring.ErrUnsteady) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		next, err = pack(base)
		return next, false, err
	case unfit:
		return nil, b.AsOf.Sub(in.learned) > relearnAfter, nil
	case in.taught:
		next, err = pack(in.input.Baseline)
		return next, false, err
	}
	return nil, false, nil
}

func pack(base *scoring.Baseline) (*learnt, error) {
	artefact, err := base.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode baseline: %w", err)
	}
	signals, err := json.Marshal(base.Signals)
	if err != nil {
		return nil, fmt.Errorf("encode baseline: %w", err)
	}
	return &learnt{from: base.From, to: base.To, rows: base.Rows, signals: signals, artefact: artefact}, nil
}

// storeBaselines writes what the newest scores of assets learned.
func storeBaselines(ctx context.Context, tx pgx.Tx, q *db.Queries, b Batch, outcomes []outcome, newest []bool) error {
	var retired []uuid.UUID
	var all db.Pipeline
	for i, o := range outcomes {
		if !newest[i] || (o.learnt == nil && !o.relearn) {
			continue
		}
		retired = append(retired, o.asset.row.ID)
		if o.learnt == nil {
			continue
		}
		_, err := q.StoreBaseline(ctx, &all, db.StoreBaselineParams{
			TenantID: b.TenantID, AssetID: o.asset.row.ID, LearnedFrom: o.learnt.from, LearnedTo: o.learnt.to, RowsUsed: int32(o.learnt.rows),
			Signals: o.learnt.signals, Artefact: o.learnt.artefact, LearnedAt: b.AsOf,
		})
		if err != nil {
			return fmt.Errorf("collect baselines: %w", err)
		}
	}
	if len(retired) == 0 {
		return nil
	}
	if _, err := q.RetireBaselines(ctx, tx, b.TenantID, retired); err != nil {
		return fmt.Errorf("retire baselines: %w", err)
	}
	if _, err := all.Send(ctx, tx); err != nil {
		return fmt.Errorf("store baselines: %w", err)
	}
	return nil
}
