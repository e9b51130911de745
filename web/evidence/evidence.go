// Package evidence reads what a run was computed from and asks for its
// repetition, for the pages and the API alike.
package evidence

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/manifest"
)

// KeyNoManifest says that a run has no evidence: it has not ended well, or was
// made before evidence was kept.
const KeyNoManifest = "evidence.no_manifest"

// Request records that somebody asks for the repetition of a finished run and
// returns its id. One that is under way already is joined. audit writes the
// entry of the change.
func Request(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, run, by uuid.UUID, audit func(db.Entry) error) (uuid.UUID, error) {
	open, err := q.OpenRerunOf(ctx, tx, tenant, run)
	if err != nil {
		return uuid.Nil, fmt.Errorf("look for an open rerun: %w", err)
	}
	if len(open) > 0 {
		return open[0], nil
	}
	id, err := q.RequestRerun(ctx, tx, by, tenant, run)
	if errors.Is(err, pgx.ErrNoRows) {
		return id, fault.New(fault.Conflict, KeyNoManifest)
	}
	if err != nil {
		return id, fmt.Errorf("request rerun: %w", err)
	}
	return id, audit(db.Entry{Action: "run.rerun_requested", ObjectType: "run", ObjectID: run.String(), After: map[string]any{"rerun": id}})
}

// Manifest returns the sealed manifest of a run, as bytes and read.
func Manifest(run db.OptimizationRun) ([]byte, manifest.Manifest, error) {
	if run.Manifest == nil || run.ManifestSha256 == nil {
		return nil, manifest.Manifest{}, fault.New(fault.NotFound, KeyNoManifest)
	}
	content := []byte(*run.Manifest)
	m, err := manifest.Decode(content)
	return content, m, err
}

// Content returns the bytes that a manifest names by a hash in hexadecimal.
func Content(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, hash string) ([]byte, error) {
	raw, err := hex.DecodeString(hash)
	if err != nil {
		return nil, fmt.Errorf("read hash: %w", err)
	}
	return db.Snapshot(ctx, tx, q, tenant, raw)
}

// Sources returns the records behind the input of a run, as they stood.
func Sources(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, m manifest.Manifest) (manifest.Sources, error) {
	var s manifest.Sources
	content, err := Content(ctx, tx, q, tenant, m.Sources)
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
