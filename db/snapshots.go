package db

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// KeepSnapshot keeps bytes under their SHA-256, gzipped, and returns the hash.
// What is there already is left alone.
func KeepSnapshot(ctx context.Context, tx pgx.Tx, q *Queries, tenant uuid.UUID, content []byte) ([]byte, error) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(content); err != nil {
		return nil, fmt.Errorf("pack snapshot: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack snapshot: %w", err)
	}
	hash := sha256.Sum256(content)
	err := q.PutSnapshot(ctx, tx, PutSnapshotParams{TenantID: tenant, Sha256: hash[:], Content: packed.Bytes(), SizeBytes: int64(len(content))})
	if err != nil {
		return nil, fmt.Errorf("keep snapshot: %w", err)
	}
	return hash[:], nil
}

// Snapshot returns the bytes of a hash in hexadecimal, as manifests name them,
// and checks that they still have it.
func Snapshot(ctx context.Context, tx pgx.Tx, q *Queries, tenant uuid.UUID, name string) ([]byte, error) {
	hash, err := hex.DecodeString(name)
	if err != nil {
		return nil, fmt.Errorf("read hash of snapshot: %w", err)
	}
	packed, err := q.GetSnapshot(ctx, tx, tenant, hash)
	if err != nil {
		return nil, fmt.Errorf("load snapshot %x: %w", hash, err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack snapshot %x: %w", hash, err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("unpack snapshot %x: %w", hash, err)
	}
	if sum := sha256.Sum256(content); !bytes.Equal(sum[:], hash) {
		return nil, fmt.Errorf("snapshot %x does not have its hash", hash)
	}
	return content, nil
}
