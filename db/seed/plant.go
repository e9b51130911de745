package seed

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/demo"
)

// planter writes the plant of one tenant inside one transaction.
type planter struct {
	q       *db.Queries
	tx      pgx.Tx
	t       *demo.Tenant
	epoch   time.Time
	sites   map[string]uuid.UUID
	skills  map[string]uuid.UUID
	signals map[*demo.Signal]int64
}

func newPlanter(tx pgx.Tx, q *db.Queries, t *demo.Tenant, epoch time.Time) *planter {
	p := &planter{q: q, tx: tx, t: t, epoch: epoch, sites: map[string]uuid.UUID{}, skills: map[string]uuid.UUID{}, signals: map[*demo.Signal]int64{}}
	for _, s := range t.Sites {
		p.sites[s.Code] = s.ID
	}
	for _, k := range t.Skills {
		p.skills[k.Code] = k.ID
	}
	return p
}

// plant writes sites, assets, people's trades, costs and integrations, and
// returns the number under which the database keeps each signal.
func plant(ctx context.Context, d *db.DB, t *demo.Tenant, epoch time.Time) (map[*demo.Signal]int64, error) {
	var p *planter
	err := d.InTenant(ctx, t.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p = newPlanter(tx, q, t, epoch)
		for _, step := range []func(context.Context) error{p.locations, p.workforce, p.assets, p.limits, p.costs, p.integrations} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return addServiceAccounts(ctx, tx, q, t)
	})
	if err != nil {
		return nil, err
	}
	return p.signals, nil
}

// running writes how the plant is run and served, which came later than the
// plant itself.
func running(ctx context.Context, d *db.DB, t *demo.Tenant, epoch time.Time) error {
	return d.InTenant(ctx, t.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		p := newPlanter(tx, q, t, epoch)
		if err := p.operations(ctx); err != nil {
			return err
		}
		return p.duties(ctx)
	})
}

func (p *planter) locations(ctx context.Context) error {
	for _, s := range p.t.Sites {
		site := db.UpsertSiteParams{TenantID: p.t.ID, ID: s.ID, Code: s.Code, NameAr: s.Name.AR, NameEn: s.Name.EN, MiddayBanExempt: s.MiddayExempt}
		if i := slices.IndexFunc(p.t.TrainLimits, func(l demo.TrainLimit) bool { return l.Site == s.Code }); i >= 0 {
			n := int32(p.t.TrainLimits[i].MaxOut)
			site.MaxOut = &n
		}
		if err := p.q.UpsertSite(ctx, p.tx, site); err != nil {
			return fmt.Errorf("site %s: %w", s.Code, err)
		}
	}
	for i, u := range p.t.Units {
		err := p.q.UpsertUnit(ctx, p.tx, db.UpsertUnitParams{TenantID: p.t.ID, ID: u.ID, SiteID: p.sites[u.SiteCode],
			Code: fmt.Sprintf("U%02d", i+1), NameAr: u.Name.AR, NameEn: u.Name.EN})
		if err != nil {
			return fmt.Errorf("unit %s: %w", u.Name.EN, err)
		}
	}
	_, err := p.q.UpsertCalendar(ctx, p.tx, p.t.ID, p.t.Calendar.Profile, []byte(`{}`))
	return err
}

func (p *planter) workforce(ctx context.Context) error {
	for _, k := range p.t.Skills {
		if err := p.q.UpsertSkill(ctx, p.tx, db.UpsertSkillParams{TenantID: p.t.ID, ID: k.ID, Code: k.Code, NameAr: k.AR, NameEn: k.EN}); err != nil {
			return fmt.Errorf("skill %s: %w", k.Code, err)
		}
	}
	for _, c := range p.t.Crews {
		err := p.q.UpsertCrew(ctx, p.tx, db.UpsertCrewParams{TenantID: p.t.ID, ID: c.ID, SkillID: p.skills[c.SkillCode], NameAr: c.Name.AR, NameEn: c.Name.EN,
			HoursPerDay: 8, ProductiveShare: p.t.Calendar.ProductiveShare})
		if err != nil {
			return fmt.Errorf("crew %s: %w", c.Code, err)
		}
	}
	for _, m := range p.t.Technicians {
		err := p.q.UpsertTechnician(ctx, p.tx, db.UpsertTechnicianParams{TenantID: p.t.ID, ID: m.ID, CrewID: m.CrewID,
			NameAr: m.Name.AR, NameEn: m.Name.EN, CostSarPerHour: m.SARPerHour})
		if err != nil {
			return fmt.Errorf("technician %s: %w", m.Name.EN, err)
		}
	}
	return nil
}

func (p *planter) assets(ctx context.Context) error {
	for _, a := range p.t.Assets {
		skill := p.skills[a.SkillCode]
		err := p.q.UpsertAsset(ctx, p.tx, db.UpsertAssetParams{TenantID: p.t.ID, ID: a.ID, SiteID: p.sites[a.SiteCode], UnitID: a.UnitID, Tag: a.Tag,
			NameAr: a.Name.AR, NameEn: a.Name.EN, SearchText: asset.SearchText(a.Tag, a.Name.AR, a.Name.EN), ClassCode: a.Template,
			Criticality: string(a.Criticality), Redundancy: a.Redundancy, SkillID: &skill, CrewHours: a.CrewHours,
			WeibullBeta: a.Weibull.Beta, WeibullEtaDays: a.Weibull.Eta, AgeDays: a.EffectiveAgeDays, AgeAsOf: p.epoch, Source: "demo"})
		if err != nil {
			return fmt.Errorf("asset %s: %w", a.Tag, err)
		}
		if err := p.assetParts(ctx, a); err != nil {
			return fmt.Errorf("asset %s: %w", a.Tag, err)
		}
	}
	return nil
}

func (p *planter) assetParts(ctx context.Context, a *demo.Asset) error {
	for i, c := range a.Components {
		err := p.q.UpsertComponent(ctx, p.tx, db.UpsertComponentParams{TenantID: p.t.ID, ID: c.ID, AssetID: a.ID, NameAr: c.Name.AR, NameEn: c.Name.EN, Position: int32(i)})
		if err != nil {
			return err
		}
	}
	for _, m := range a.FailureModes {
		_, err := p.q.UpsertFailureMode(ctx, p.tx, db.UpsertFailureModeParams{TenantID: p.t.ID, ID: m.UUID, AssetID: a.ID, Code: m.Code,
			ComponentID: m.Component, NameAr: m.Name.AR, NameEn: m.Name.EN, Detection: m.Detection, Metric: m.Metric,
			Severity: int32(m.Severity), Occurrence: int32(m.Occurrence), Detectability: int32(m.Detectability)})
		if err != nil {
			return err
		}
	}
	for _, s := range a.Signals {
		id, err := p.q.UpsertSignal(ctx, p.tx, db.UpsertSignalParams{TenantID: p.t.ID, AssetID: a.ID, Metric: s.Metric, NameAr: s.Name.AR, NameEn: s.Name.EN,
			Unit: s.Unit, NormalLow: &s.NormalLow, NormalHigh: &s.NormalHigh, Warn: &s.Warn, Alarm: &s.Alarm, Sense: string(s.Sense),
			PeriodSeconds: int32(s.Period / time.Second)})
		if err != nil {
			return err
		}
		p.signals[s] = id
	}
	return nil
}
