// Package importer loads measurements read from files into a tenant: assets
// and signals that do not exist yet are created, readings are written in
// batches that may be repeated without harm.
package importer

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/dataset"
)

// batchRows is how many readings one transaction writes.
const batchRows = 10_000

// importedClass is the equipment class of assets known from files alone.
const importedClass = "OTHER"

// Result counts what an import did.
type Result struct {
	Assets, Signals int   // created
	Written         int64 // readings that were new
	Rejected        int64 // readings outside the historian's window of time
}

// Importer gathers records and writes them. Use one per file; it is not safe
// for concurrent use.
type Importer struct {
	db     *db.DB
	tenant uuid.UUID
	actor  db.Actor
	source string

	assets  map[string]uuid.UUID
	signals map[string]int64
	rows    []db.Row
	pending []dataset.Record // of signals not known yet, in file order
	result  Result
}

// New prepares an import into a tenant. Source names the file in the audit log.
func New(d *db.DB, tenant uuid.UUID, actor db.Actor, source string) *Importer {
	return &Importer{db: d, tenant: tenant, actor: actor, source: source, assets: map[string]uuid.UUID{}, signals: map[string]int64{}}
}

// Add takes one record and writes when a batch is full.
func (im *Importer) Add(ctx context.Context, r dataset.Record) error {
	im.pending = append(im.pending, r)
	if len(im.pending) < batchRows {
		return nil
	}
	return im.flush(ctx)
}

// Close writes what is left and records the import in the audit log.
func (im *Importer) Close(ctx context.Context) (Result, error) {
	if err := im.flush(ctx); err != nil {
		return im.result, err
	}
	err := im.db.InTenant(ctx, im.tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return db.AppendAudit(ctx, tx, db.Entry{TenantID: im.tenant, Actor: im.actor, Action: "telemetry.imported",
			ObjectType: "file", ObjectID: im.source, After: im.result})
	})
	return im.result, err
}

// flush writes one batch in one transaction, creating assets and signals on
// the way.
func (im *Importer) flush(ctx context.Context) error {
	if len(im.pending) == 0 {
		return nil
	}
	before := im.result
	err := im.db.InTenant(ctx, im.tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		im.rows = im.rows[:0]
		for _, r := range im.pending {
			id, err := im.signal(ctx, tx, q, r)
			if err != nil {
				return fmt.Errorf("signal %s of %s: %w", r.Metric, r.Asset, err)
			}
			im.rows = append(im.rows, db.Row{SignalID: id, Time: r.Time, Value: r.Value, Quality: r.Quality})
		}
		w, err := db.WriteReadings(ctx, tx, im.tenant, im.rows)
		im.result.Written += w.New
		im.result.Rejected += w.Rejected
		return err
	})
	if err != nil {
		im.result = before
		clear(im.assets)
		clear(im.signals)
		return fmt.Errorf("write batch: %w", err)
	}
	im.pending = im.pending[:0]
	return nil
}

func (im *Importer) signal(ctx context.Context, tx pgx.Tx, q *db.Queries, r dataset.Record) (int64, error) {
	key := r.Asset + "\x00" + r.Metric
	if id, ok := im.signals[key]; ok {
		return id, nil
	}
	owner, err := im.asset(ctx, tx, q, r.Asset)
	if err != nil {
		return 0, err
	}
	known, err := q.FindSignal(ctx, tx, im.tenant, owner, r.Metric)
	if err == nil && len(known) > 0 {
		im.signals[key] = known[0]
		return known[0], nil
	}
	if err != nil {
		return 0, err
	}
	id, err := q.UpsertSignal(ctx, tx, db.UpsertSignalParams{TenantID: im.tenant, AssetID: owner, Metric: r.Metric,
		NameAr: r.Metric, NameEn: r.Metric, Unit: r.Unit, Sense: string(asset.SenseBoth), PeriodSeconds: int32((24 * time.Hour).Seconds())})
	if err != nil {
		return 0, err
	}
	im.signals[key] = id
	im.result.Signals++
	return id, nil
}

func (im *Importer) asset(ctx context.Context, tx pgx.Tx, q *db.Queries, tag string) (uuid.UUID, error) {
	if id, ok := im.assets[tag]; ok {
		return id, nil
	}
	found, err := q.FindAssets(ctx, tx, im.tenant, tag)
	if err != nil {
		return uuid.Nil, err
	}
	if len(found) == 0 {
		id, err := im.create(ctx, tx, q, tag)
		if err != nil {
			return uuid.Nil, err
		}
		found = []uuid.UUID{id}
		im.result.Assets++
	}
	im.assets[tag] = found[0]
	return found[0], nil
}

// create places a new asset in the unit of imported assets.
func (im *Importer) create(ctx context.Context, tx pgx.Tx, q *db.Queries, tag string) (uuid.UUID, error) {
	site, unit := uuid.NewSHA1(im.tenant, []byte("imported site")), uuid.NewSHA1(im.tenant, []byte("imported unit"))
	err := q.UpsertSite(ctx, tx, db.UpsertSiteParams{TenantID: im.tenant, ID: site, Code: "IMPORT", NameAr: "أصول مستوردة", NameEn: "Imported assets"})
	if err != nil {
		return uuid.Nil, err
	}
	err = q.UpsertUnit(ctx, tx, db.UpsertUnitParams{TenantID: im.tenant, ID: unit, SiteID: site, Code: "IMPORT", NameAr: "أصول مستوردة", NameEn: "Imported assets"})
	if err != nil {
		return uuid.Nil, err
	}
	id := uuid.New()
	return id, q.UpsertAsset(ctx, tx, db.UpsertAssetParams{TenantID: im.tenant, ID: id, SiteID: site, UnitID: unit, Tag: tag, NameAr: tag, NameEn: tag,
		SearchText: asset.SearchText(tag, tag, tag), ClassCode: importedClass, Criticality: string(asset.CriticalityC),
		WeibullBeta: 1, WeibullEtaDays: 3650, AgeAsOf: time.Now(), Source: "import"})
}
