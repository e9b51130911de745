package seed

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/demo"
)

// operations writes how the plant is run: targets, tariffs and the limits of
// its units.
func (p *planter) operations(ctx context.Context) error {
	for _, a := range p.t.Assets {
		if err := p.q.SetAssetCondition(ctx, p.tx, db.SetAssetConditionParams{TenantID: p.t.ID, ID: a.ID, Restoration: a.Restoration, Outdoor: a.Outdoor}); err != nil {
			return fmt.Errorf("condition of %s: %w", a.Tag, err)
		}
	}
	for _, s := range p.t.Sites {
		for hour, price := range p.t.Tariff {
			if err := p.q.UpsertEnergyTariff(ctx, p.tx, db.UpsertEnergyTariffParams{TenantID: p.t.ID, SiteID: s.ID, Hour: int32(hour), SarPerMwh: price}); err != nil {
				return fmt.Errorf("tariff of %s: %w", s.Code, err)
			}
		}
	}
	for _, target := range p.t.Targets {
		if err := p.target(ctx, target); err != nil {
			return fmt.Errorf("target %s at %s: %w", target.Code, target.Site, err)
		}
	}
	return nil
}

func (p *planter) target(ctx context.Context, target demo.Target) error {
	err := p.q.UpsertProductionTarget(ctx, p.tx, db.UpsertProductionTargetParams{TenantID: p.t.ID, ID: target.ID, SiteID: p.sites[target.Site],
		Code: target.Code, NameAr: target.AR, NameEn: target.EN, Unit: target.Unit, ShortfallSar: target.ShortfallSAR,
		WeekendFactor: target.WeekendFactor, StorageCapacity: target.StorageCapacity, StorageLevel: target.StorageLevel})
	if err != nil {
		return err
	}
	for hour, quantity := range target.Hours {
		err := p.q.UpsertTargetHour(ctx, p.tx, db.UpsertTargetHourParams{TenantID: p.t.ID, TargetID: target.ID, Hour: int32(hour), Quantity: quantity})
		if err != nil {
			return err
		}
	}
	for _, u := range target.Units {
		a, ok := p.t.Asset(u.Asset)
		if !ok {
			return fmt.Errorf("no asset %s", u.Asset)
		}
		err := p.q.UpsertAssetOperation(ctx, p.tx, db.UpsertAssetOperationParams{TenantID: p.t.ID, AssetID: a.ID, TargetID: target.ID,
			LoadMin: u.Min, LoadRated: u.Rated, LoadMax: u.Max, EnergyFixedKw: u.EnergyFixedKW, EnergyKwhPerUnit: u.EnergyKWhPerUnit,
			FuelSarPerUnit: u.FuelSARPerUnit, RampUp: u.RampUp, RampDown: u.RampDown, MinUpHours: u.MinUpHours, MinDownHours: u.MinDownHours,
			StartCostSar: u.StartCostSAR, StressExponent: u.StressExponent, Running: u.Running == nil || *u.Running})
		if err != nil {
			return fmt.Errorf("unit %s: %w", u.Asset, err)
		}
	}
	return nil
}

// duties writes when and where people work, what each can do, the roads, and
// the work that is asked for.
func (p *planter) duties(ctx context.Context) error {
	zone, err := time.LoadLocation(p.t.Calendar.TimeZone)
	if err != nil {
		return fmt.Errorf("time zone: %w", err)
	}
	y, m, d := p.epoch.In(zone).Date()
	first := time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	shifts := map[string]uuid.UUID{}
	for _, s := range p.t.Shifts {
		shifts[s.Code] = s.ID
		if err := p.shift(ctx, s, first); err != nil {
			return err
		}
	}
	for _, x := range p.t.Duties {
		if err := p.duty(ctx, x, shifts); err != nil {
			return fmt.Errorf("duty of %s: %w", x.TechnicianID, err)
		}
	}
	for _, x := range p.t.Travel {
		for _, way := range [][2]string{{x.A, x.B}, {x.B, x.A}} {
			err := p.q.UpsertTravelTime(ctx, p.tx, db.UpsertTravelTimeParams{TenantID: p.t.ID, FromSiteID: p.sites[way[0]], ToSiteID: p.sites[way[1]], Minutes: x.Minutes})
			if err != nil {
				return fmt.Errorf("travel %s to %s: %w", way[0], way[1], err)
			}
		}
	}
	return p.requests(ctx, first)
}

func (p *planter) shift(ctx context.Context, s demo.Shift, anchor time.Time) error {
	minute, err := s.Minute()
	if err != nil {
		return err
	}
	on, off := int32(s.DaysOn), int32(s.DaysOff)
	day := time.Date(anchor.Year(), anchor.Month(), anchor.Day(), 0, 0, 0, 0, time.UTC)
	err = p.q.UpsertShift(ctx, p.tx, db.UpsertShiftParams{TenantID: p.t.ID, ID: s.ID, Code: s.Code, NameAr: s.AR, NameEn: s.EN,
		StartMinute: int32(minute), Minutes: int32(60 * s.Hours), DaysOn: &on, DaysOff: &off, Anchor: &day})
	if err != nil {
		return fmt.Errorf("shift %s: %w", s.Code, err)
	}
	return nil
}

func (p *planter) duty(ctx context.Context, x demo.Duty, shifts map[string]uuid.UUID) error {
	home := p.sites[x.Site]
	duty := db.SetTechnicianDutyParams{TenantID: p.t.ID, ID: x.TechnicianID, HomeSiteID: &home, OvertimeHours: 2}
	if x.Shift != "" {
		id := shifts[x.Shift]
		duty.ShiftID, duty.OvertimeHours = &id, 0 // twelve hours are enough
	}
	if err := p.q.SetTechnicianDuty(ctx, p.tx, duty); err != nil {
		return err
	}
	for skill, level := range x.Levels {
		err := p.q.UpsertTechnicianSkill(ctx, p.tx, db.UpsertTechnicianSkillParams{TenantID: p.t.ID, TechnicianID: x.TechnicianID, SkillID: p.skills[skill], Level: int32(level)})
		if err != nil {
			return fmt.Errorf("skill %s: %w", skill, err)
		}
	}
	return nil
}

func (p *planter) requests(ctx context.Context, first time.Time) error {
	for _, w := range p.t.Requests {
		from, to, err := w.Window(first)
		if err != nil {
			return err
		}
		a, ok := p.t.Asset(w.Asset)
		if !ok {
			return fmt.Errorf("request: no asset %s", w.Asset)
		}
		err = p.q.SeedWorkRequest(ctx, p.tx, db.SeedWorkRequestParams{TenantID: p.t.ID, ID: w.ID, AssetID: a.ID, TitleAr: w.AR, TitleEn: w.EN, Kind: w.Kind,
			SkillID: p.skills[w.Skill], SkillLevel: int32(w.Level), Hours: w.Hours, CrewSize: int32(w.Crew), Earliest: from, Latest: to})
		if err != nil {
			return fmt.Errorf("request on %s: %w", w.Asset, err)
		}
	}
	return nil
}
