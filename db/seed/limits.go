package seed

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/demo"
)

// limits writes what keeps jobs apart: redundancy groups, shared resources
// and embargoes.
func (p *planter) limits(ctx context.Context) error {
	for _, g := range p.t.Groups {
		needed, installed := int32(g.Needed), int32(g.Installed) //nolint:gosec // checked content, a handful
		err := p.q.UpsertRedundancyGroup(ctx, p.tx, db.UpsertRedundancyGroupParams{TenantID: p.t.ID, ID: g.ID, SiteID: p.sites[g.Site],
			NameAr: g.AR, NameEn: g.EN, MaxOut: int32(g.MaxOut), Needed: &needed, Installed: &installed})
		if err != nil {
			return fmt.Errorf("group %s: %w", g.Code, err)
		}
		for _, tag := range g.Members {
			a, ok := p.t.Asset(tag)
			if !ok {
				return fmt.Errorf("group %s: no asset %s", g.Code, tag)
			}
			if err := p.q.AddRedundancyMember(ctx, p.tx, p.t.ID, g.ID, a.ID); err != nil {
				return fmt.Errorf("group %s: %w", g.Code, err)
			}
		}
	}
	if err := p.resources(ctx); err != nil {
		return err
	}
	return p.embargoes(ctx)
}

func (p *planter) resources(ctx context.Context) error {
	for _, r := range p.t.Resources {
		err := p.q.UpsertSharedResource(ctx, p.tx, db.UpsertSharedResourceParams{TenantID: p.t.ID, ID: r.ID, Code: r.Code,
			NameAr: r.AR, NameEn: r.EN, UnitsAvailable: float64(r.Capacity)})
		if err != nil {
			return fmt.Errorf("resource %s: %w", r.Code, err)
		}
		for _, a := range p.t.Assets {
			if !slices.Contains(r.Templates, a.Template) {
				continue
			}
			if err := p.q.UpsertAssetResourceNeed(ctx, p.tx, db.UpsertAssetResourceNeedParams{TenantID: p.t.ID, AssetID: a.ID, ResourceID: r.ID, Units: 1}); err != nil {
				return fmt.Errorf("resource %s: %w", r.Code, err)
			}
		}
	}
	return nil
}

// embargoes recur every year, so the year of their days only anchors them.
func (p *planter) embargoes(ctx context.Context) error {
	for _, e := range p.t.Embargoes {
		from, err := time.Parse("2006-01-02", fmt.Sprintf("%d-%s", p.epoch.Year(), e.From))
		if err != nil {
			return fmt.Errorf("embargo %s: %w", e.Code, err)
		}
		to, err := time.Parse("2006-01-02", fmt.Sprintf("%d-%s", p.epoch.Year(), e.To))
		if err != nil {
			return fmt.Errorf("embargo %s: %w", e.Code, err)
		}
		for _, site := range e.Sites {
			id := p.sites[site]
			err := p.q.UpsertEmbargo(ctx, p.tx, db.UpsertEmbargoParams{TenantID: p.t.ID, ID: uuid.NewSHA1(e.ID, []byte(site)), SiteID: &id,
				FromDay: from, ToDay: to, RecursYearly: true, ReasonAr: e.AR, ReasonEn: e.EN})
			if err != nil {
				return fmt.Errorf("embargo %s: %w", e.Code, err)
			}
		}
	}
	return nil
}

func (p *planter) costs(ctx context.Context) error {
	for _, m := range p.t.CostModels() {
		v := m.Parameters
		err := p.q.SeedCostModel(ctx, p.tx, db.SeedCostModelParams{TenantID: p.t.ID, ID: m.ID, AssetID: m.AssetID, Kind: m.Kind,
			DirectCost: v["cost_sar"], OutageHours: v["outage_hours"], LossPerHour: v["loss_sar_per_hour"], PlannedFactor: plannedFactor(m),
			SafetyEnvCost: v["safety_environment_sar"], EnergyCostPerHour: v["cost_sar_per_hour"]})
		if err != nil {
			return fmt.Errorf("cost model: %w", err)
		}
	}
	return nil
}

// plannedFactor is 1 for kinds that have none: an unplanned outage loses all.
func plannedFactor(m demo.CostModel) float64 {
	if v, ok := m.Parameters["planned_factor"]; ok {
		return v
	}
	return 1
}

func (p *planter) integrations(ctx context.Context) error {
	ids := map[string]uuid.UUID{}
	for _, in := range p.t.Integrations {
		settings, err := p.t.Settings(in.Code, p.epoch)
		if err != nil {
			return err
		}
		config, err := settings.Config()
		if err != nil {
			return fmt.Errorf("integration %s: %w", in.Code, err)
		}
		raw, err := json.Marshal(config)
		if err != nil {
			return fmt.Errorf("integration %s: %w", in.Code, err)
		}
		ids[in.Code] = in.ID
		err = p.q.SeedIntegration(ctx, p.tx, db.SeedIntegrationParams{TenantID: p.t.ID, ID: in.ID, Name: in.Name.EN, Kind: in.Kind, Endpoint: in.Endpoint,
			Config: raw, Watermark: &p.epoch})
		if err != nil {
			return fmt.Errorf("integration %s: %w", in.Code, err)
		}
	}
	for _, a := range p.t.Assets {
		for _, s := range a.Signals {
			err := p.q.SeedMapping(ctx, p.tx, db.SeedMappingParams{TenantID: p.t.ID, ID: s.UUID, IntegrationID: ids[s.Integration], ExternalTag: s.ExternalTag,
				AssetID: a.ID, SignalID: p.signals[s], SourceUnit: s.Unit})
			if err != nil {
				return fmt.Errorf("mapping of %s: %w", s.ExternalTag, err)
			}
		}
	}
	return nil
}
