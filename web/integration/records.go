package integration

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// KeyRecordAsset says that a record cannot be matched to what was chosen.
const KeyRecordAsset = "integrations.records.error.asset"

// RecordRef names a record of a maintenance system.
type RecordRef struct {
	Kind, ExternalID string // Kind is equipment or functional_location
}

// Match says which asset a record belongs to; nil undoes it. Ignored sets a
// record aside that no asset stands for. The orders of the record follow it.
func (s Service) Match(ctx context.Context, o Origin, id uuid.UUID, ref RecordRef, asset *uuid.UUID, ignored bool) error {
	return s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.GetIntegration(ctx, tx, o.Tenant, id); err != nil {
			return err
		}
		before, err := q.LockExternalAsset(ctx, tx, db.LockExternalAssetParams{TenantID: o.Tenant, IntegrationID: id, Kind: ref.Kind, ExternalID: ref.ExternalID})
		if err != nil {
			return err
		}
		if asset != nil && ignored {
			return fault.New(fault.Invalid, KeyRecordAsset)
		}
		if asset != nil {
			if _, err := q.GetAsset(ctx, tx, o.Tenant, *asset); err != nil {
				return err
			}
		}
		if _, err := q.MatchExternalAsset(ctx, tx, db.MatchExternalAssetParams{TenantID: o.Tenant, IntegrationID: id, Kind: ref.Kind, ExternalID: ref.ExternalID,
			AssetID: asset, Ignored: ignored}); err != nil {
			return err
		}
		orders, err := q.MatchOrdersOf(ctx, tx, db.MatchOrdersOfParams{TenantID: o.Tenant, IntegrationID: id, ExternalID: ref.ExternalID, AssetID: asset})
		if err != nil {
			return err
		}
		return o.Audit(ctx, tx, db.Entry{Action: "integration.record_matched", ObjectType: "external_asset", ObjectID: ref.Kind + "/" + ref.ExternalID,
			Before: map[string]any{"asset_id": before.AssetID, "ignored": before.Ignored},
			After:  map[string]any{"integration": id, "asset_id": asset, "ignored": ignored, "orders": orders}})
	})
}

// Namer finds the asset that a record is most likely about by the tag that its
// number or name contains.
type Namer struct{ assets []candidate }

// NewNamer prepares the tags of assets.
func NewNamer(tags []string) Namer {
	targets := make([]db.MappingTargetsRow, len(tags))
	for i, tag := range tags {
		targets[i].Tag = tag
	}
	return Namer{NewSuggester(targets).targets}
}

// Name returns the tag of the asset that a text names at greatest length, ""
// when there is none or two are equally likely.
func (n Namer) Name(text string) string {
	external := plain(text)
	best, length, tie := "", 0, false
	for _, x := range n.assets {
		if named := x.naming(external); named > 0 && named >= length {
			tie = named == length
			best, length = x.Tag, named
		}
	}
	if tie {
		return ""
	}
	return best
}
