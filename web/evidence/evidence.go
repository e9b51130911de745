// Package evidence reads what a run was computed from and asks for its
// repetition, for the pages and the API alike.
package evidence

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/manifest"
)

// Request records that somebody asks for the repetition of a finished run and
// returns it. One that is under way already is joined. audit writes the entry
// of the change.
func Request(ctx context.Context, tx pgx.Tx, q *db.Queries, run db.OptimizationRun, by uuid.UUID, audit func(db.Entry) error) (db.Rerun, error) {
	if run.ManifestSha256 == nil {
		return db.Rerun{}, fault.New(fault.Conflict, manifest.KeyNone)
	}
	id := uuid.New()
	rerun, err := q.RequestRerun(ctx, tx, db.RequestRerunParams{TenantID: run.TenantID, ID: id, RunID: run.ID, RequestedBy: by})
	if err != nil {
		return rerun, fmt.Errorf("request rerun: %w", err)
	}
	if rerun.ID != id {
		return rerun, nil
	}
	return rerun, audit(db.Entry{Action: "run.rerun_requested", ObjectType: "run", ObjectID: run.ID.String(), After: map[string]any{"rerun": id}})
}

// Manifest returns the sealed manifest of a run, as bytes and read.
func Manifest(run db.OptimizationRun) ([]byte, manifest.Manifest, error) {
	m, err := manifest.Open(run.Manifest, run.ManifestSha256)
	if err != nil {
		return nil, m, err
	}
	return []byte(*run.Manifest), m, nil
}

// Held returns the manifest of a run whose stored input and scenarios still
// have the hashes that are printed beside them, and refuses any other. A run
// that is older than manifests are has its input alone: nil.
func Held(run db.OptimizationRun, scenarios []db.OptimizationScenario) (*manifest.Manifest, error) {
	if err := (manifest.Manifest{Input: manifest.Hex(run.InputSha256)}).HoldsInput(run.Input); err != nil {
		return nil, err
	}
	_, m, err := Manifest(run)
	if fault.CodeOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := m.HoldsInput(run.Input); err != nil {
		return nil, err
	}
	for _, s := range scenarios {
		if err := m.HoldsOutput(s.Preset, s.Output); err != nil {
			return nil, fmt.Errorf("scenario %s: %w", s.Preset, err)
		}
	}
	return &m, nil
}

// Sources returns the records behind the input of a run, as they stood.
func Sources(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, m manifest.Manifest) (manifest.Sources, error) {
	var s manifest.Sources
	content, err := db.Snapshot(ctx, tx, q, tenant, m.Sources)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(content, &s); err != nil {
		return s, fmt.Errorf("read sources: %w", err)
	}
	return s, nil
}

// Report reads what a repetition came to.
func Report(raw json.RawMessage) (manifest.Report, error) {
	var r manifest.Report
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("read report: %w", err)
	}
	return r, nil
}
