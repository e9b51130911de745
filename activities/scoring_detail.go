package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
)

// namedInSweep is how many signals with refused rows, and how many assets that
// failed, a sweep names.
const namedInSweep = 20

// BatchResult counts what a batch did. Greyed assets were scored by age only,
// failed ones not at all. Rejected are the readings of the last hours that
// could not be used; Signals and Failures name the worst of them.
type BatchResult struct {
	Scored, Greyed, Alerts, Failed int
	Rejected                       int64
	Signals                        []RejectedRows `json:",omitempty"`
	Failures                       []FailedAsset  `json:",omitempty"`
}

// RejectedRows are the unusable readings of one signal, by reason.
type RejectedRows struct {
	SignalID  int64
	NotFinite int `json:",omitempty"`
	Bad       int `json:",omitempty"`
	Duplicate int `json:",omitempty"`
	Absurd    int `json:",omitempty"` // values that no such signal can have
}

func (r RejectedRows) total() int { return r.NotFinite + r.Bad + r.Duplicate + r.Absurd }

// FailedAsset is an asset that could not be scored, and why.
type FailedAsset struct {
	AssetID uuid.UUID
	Error   string
}

// Add returns the sum of two results, which names the worst of both.
func (r BatchResult) Add(o BatchResult) BatchResult {
	sum := BatchResult{
		Scored: r.Scored + o.Scored, Greyed: r.Greyed + o.Greyed, Alerts: r.Alerts + o.Alerts, Failed: r.Failed + o.Failed, Rejected: r.Rejected + o.Rejected,
		Signals: slices.Concat(r.Signals, o.Signals), Failures: slices.Concat(r.Failures, o.Failures),
	}
	slices.SortFunc(sum.Signals, func(a, b RejectedRows) int {
		return cmp.Or(cmp.Compare(b.total(), a.total()), cmp.Compare(a.SignalID, b.SignalID))
	})
	slices.SortFunc(sum.Failures, func(a, b FailedAsset) int { return cmp.Compare(a.AssetID.String(), b.AssetID.String()) })
	sum.Signals = sum.Signals[:min(len(sum.Signals), namedInSweep)]
	sum.Failures = sum.Failures[:min(len(sum.Failures), namedInSweep)]
	return sum
}

// resultOf counts one score.
func resultOf(signals []int64, s scoring.AssetScore) BatchResult {
	result := BatchResult{Scored: 1}
	if !s.Trusted {
		result.Greyed = 1
	}
	for i, t := range s.Trust.Signals {
		rows := RejectedRows{SignalID: signals[i], NotFinite: t.Rows.NotFinite, Bad: t.Rows.Bad, Duplicate: t.Rows.Duplicate, Absurd: t.Rows.Implausible}
		if n := rows.total(); n > 0 {
			result.Rejected += int64(n)
			result.Signals = append(result.Signals, rows)
		}
	}
	return result
}

// nameDetail puts names to the ids of a result.
func nameDetail(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, r BatchResult) (json.RawMessage, error) {
	detail := db.SweepDetail{Rejected: []db.SweepRejected{}, Failed: []db.SweepFailed{}, Failures: r.Failed}
	var signals []int64
	for _, s := range r.Signals {
		signals = append(signals, s.SignalID)
	}
	var assets []uuid.UUID
	for _, f := range r.Failures {
		assets = append(assets, f.AssetID)
	}
	names, err := q.SignalNames(ctx, tx, tenant, signals)
	if err != nil {
		return nil, fmt.Errorf("name signals: %w", err)
	}
	tags, err := q.AssetTags(ctx, tx, tenant, assets)
	if err != nil {
		return nil, fmt.Errorf("name assets: %w", err)
	}
	for _, s := range r.Signals {
		if i := slices.IndexFunc(names, func(n db.SignalNamesRow) bool { return n.ID == s.SignalID }); i >= 0 {
			detail.Rejected = append(detail.Rejected, db.SweepRejected{
				Tag: names[i].Tag, Metric: names[i].Metric, NotFinite: s.NotFinite, Bad: s.Bad, Duplicate: s.Duplicate, Absurd: s.Absurd,
			})
		}
	}
	for _, f := range r.Failures {
		if i := slices.IndexFunc(tags, func(n db.AssetTagsRow) bool { return n.ID == f.AssetID }); i >= 0 {
			detail.Failed = append(detail.Failed, db.SweepFailed{Tag: tags[i].Tag, Error: f.Error})
		}
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return nil, fmt.Errorf("encode detail: %w", err)
	}
	return text, nil
}
