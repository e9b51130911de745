package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
)

// running is a plant with how it is operated.
type running struct {
	*plant
	targets []db.ProductionTarget
	hours   map[uuid.UUID][24]float64 // demand by target
	tariffs map[uuid.UUID][24]float64 // SAR/MWh by site
	units   []db.AssetOperation
	orders  []db.ListDispatchOrdersRow // open work orders that begin before the end
}

// loadRunning adds the operating data of a plant for a run.
func loadRunning(ctx context.Context, tx pgx.Tx, q *db.Queries, p *plant, r request) (_ *running, err error) {
	x := &running{plant: p, hours: map[uuid.UUID][24]float64{}, tariffs: map[uuid.UUID][24]float64{}}
	if x.targets, err = q.ListProductionTargets(ctx, tx, r.run.TenantID); err != nil {
		return nil, fmt.Errorf("load targets: %w", err)
	}
	if x.units, err = q.ListAssetOperations(ctx, tx, r.run.TenantID); err != nil {
		return nil, fmt.Errorf("load operations: %w", err)
	}
	demand, err := q.ListTargetHours(ctx, tx, r.run.TenantID)
	if err != nil {
		return nil, fmt.Errorf("load demand: %w", err)
	}
	for _, h := range demand {
		day := x.hours[h.TargetID]
		day[h.Hour] = h.Quantity
		x.hours[h.TargetID] = day
	}
	prices, err := q.ListEnergyTariffs(ctx, tx, r.run.TenantID)
	if err != nil {
		return nil, fmt.Errorf("load tariffs: %w", err)
	}
	for _, h := range prices {
		day := x.tariffs[h.SiteID]
		day[h.Hour] = h.SarPerMwh
		x.tariffs[h.SiteID] = day
	}
	end := r.run.WindowStart.AddDate(0, 0, int(r.run.WindowDays))
	if x.orders, err = q.ListDispatchOrders(ctx, tx, r.run.TenantID, end); err != nil {
		return nil, fmt.Errorf("load work orders: %w", err)
	}
	return x, nil
}

// assetOf finds an asset that is in use.
func (p *plant) assetOf(id uuid.UUID) (db.Asset, bool) {
	i := slices.IndexFunc(p.assets, func(a db.Asset) bool { return a.ID == id })
	if i < 0 {
		return db.Asset{}, false
	}
	return p.assets[i], true
}

// embargoed reports whether no planned outage may stand at a site on a day.
func (p *plant) embargoed(site uuid.UUID, day time.Time) bool {
	one := horizon{start: day, days: 1}
	return slices.ContainsFunc(p.embargoes, func(e db.Embargo) bool {
		return (e.SiteID == nil || *e.SiteID == site) && len(one.embargoWindows(e)) > 0
	})
}
