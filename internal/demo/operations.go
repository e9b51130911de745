package demo

import (
	_ "embed"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

//go:embed content/operations.json
var operationsJSON []byte

// Target is what units of a site produce together. Hours are amounts per hour
// by hour of the day; units that the demonstration does not model run undisturbed beside.
type Target struct {
	ID              uuid.UUID   `json:"-"`
	Code            string      `json:"code"`
	Site            string      `json:"site"`
	Unit            string      `json:"unit"`
	ShortfallSAR    float64     `json:"shortfall_sar"` // per unit missing
	WeekendFactor   float64     `json:"weekend_factor"`
	StorageCapacity float64     `json:"storage_capacity"`
	StorageLevel    float64     `json:"storage_level"`
	Hours           [24]float64 `json:"hours"`
	Units           []Operation `json:"units"`
	Text
}

// Operation is how an asset can be run. Loads are units of its target per
// hour.
type Operation struct {
	Asset            string   `json:"asset"`
	Min              float64  `json:"min"`
	Rated            float64  `json:"rated"`
	Max              float64  `json:"max"`
	StressExponent   float64  `json:"stress_exponent"`
	EnergyFixedKW    float64  `json:"energy_fixed_kw"`
	EnergyKWhPerUnit float64  `json:"energy_kwh_per_unit"`
	FuelSARPerUnit   float64  `json:"fuel_sar_per_unit"`
	RampUp           *float64 `json:"ramp_up"` // per hour, nil for no limit
	RampDown         *float64 `json:"ramp_down"`
	MinUpHours       float64  `json:"min_up_hours"`
	MinDownHours     float64  `json:"min_down_hours"`
	StartCostSAR     float64  `json:"start_cost_sar"`
	Running          *bool    `json:"running"` // nil counts as running
}

// Shift is when people work: at Start for Hours, some days on and some off.
type Shift struct {
	ID      uuid.UUID `json:"-"`
	Code    string    `json:"code"`
	Start   string    `json:"start"` // 15:04
	Hours   float64   `json:"hours"`
	DaysOn  int       `json:"days_on"`
	DaysOff int       `json:"days_off"`
	Text
}

// Minute is the start of the shift in minutes after midnight.
func (s Shift) Minute() (int, error) {
	at, err := time.Parse("15:04", s.Start)
	if err != nil {
		return 0, fmt.Errorf("shift %s: %w", s.Code, err)
	}
	return at.Hour()*60 + at.Minute(), nil
}

// Duty is where and when a technician works, and what else the person can do.
type Duty struct {
	TechnicianID uuid.UUID
	Site         string
	Shift        string         // code, empty for the hours of the calendar
	Levels       map[string]int // by skill code, 1 to 5
}

// Travel is the time on the road between two sites, the same both ways.
type Travel struct {
	A       string  `json:"a"`
	B       string  `json:"b"`
	Minutes float64 `json:"minutes"`
}

// WorkRequest is work asked for outside of a plan, on a day counted from the
// day after the epoch, between two times of that day.
type WorkRequest struct {
	ID    uuid.UUID `json:"-"`
	Asset string    `json:"asset"`
	Kind  string    `json:"kind"`
	Skill string    `json:"skill"`
	Level int       `json:"level"`
	Hours float64   `json:"hours"`
	Crew  int       `json:"crew"`
	Day   int       `json:"day"`
	From  string    `json:"from"`
	To    string    `json:"to"`
	Text
}

// Window returns when the work is asked for, given the day after the epoch at
// midnight in the zone of the tenant.
func (w WorkRequest) Window(first time.Time) (from, to time.Time, err error) {
	at := func(clock string) (time.Time, error) {
		c, err := time.Parse("15:04", clock)
		if err != nil {
			return time.Time{}, fmt.Errorf("request on %s: %w", w.Asset, err)
		}
		y, m, d := first.Date()
		return time.Date(y, m, d+w.Day, c.Hour(), c.Minute(), 0, 0, first.Location()), nil
	}
	if from, err = at(w.From); err != nil {
		return from, to, err
	}
	to, err = at(w.To)
	return from, to, err
}

// operations mirrors operations.json.
type operations struct {
	Note        string                     `json:"note"`
	Restoration map[string]float64         `json:"restoration"` // by template
	Indoor      []string                   `json:"indoor"`      // templates
	Shifts      []Shift                    `json:"shifts"`
	Tenants     map[string]tenantOperation `json:"tenants"`
}

type tenantOperation struct {
	Tariff  [24]float64 `json:"tariff"` // SAR/MWh by hour
	Travel  []Travel    `json:"travel"`
	Targets []Target    `json:"targets"`
	// Bases says where the technicians of a skill start from, in turn, and how
	// many of them stand by at night.
	Bases []struct {
		Skill   string   `json:"skill"`
		Sites   []string `json:"sites"`
		Standby int      `json:"standby"`
	} `json:"bases"`
	// Also says what the technicians of a skill can do besides.
	Also []struct {
		Skill string `json:"skill"`
		Also  string `json:"also"`
		Level int    `json:"level"`
	} `json:"also"`
	Requests []WorkRequest `json:"requests"`
}

// nightShift is worked by those who stand by.
const nightShift = "standby-night"

// operate adds how the plant is run and by whom it is served.
func (b *builder) operate(t *Tenant) error {
	source, ok := b.ops.Tenants[t.Code]
	if !ok {
		return fmt.Errorf("no operating data")
	}
	for _, a := range t.Assets {
		a.Restoration, a.Outdoor = 1, !slices.Contains(b.ops.Indoor, a.Template)
		if share, ok := b.ops.Restoration[a.Template]; ok {
			a.Restoration = share
		}
	}
	t.Tariff, t.Travel = source.Tariff, source.Travel
	for _, s := range b.ops.Shifts {
		s.ID = identify(t.Code, "shift", s.Code)
		t.Shifts = append(t.Shifts, s)
	}
	for _, target := range source.Targets {
		target.ID = identify(t.Code, "target", target.Site, target.Code)
		for _, u := range target.Units {
			if a, ok := t.Asset(u.Asset); !ok || a.SiteCode != target.Site {
				return fmt.Errorf("target %s: no asset %s at %s", target.Code, u.Asset, target.Site)
			}
		}
		t.Targets = append(t.Targets, target)
	}
	for i, w := range source.Requests {
		w.ID = identify(t.Code, "request", fmt.Sprint(i))
		if _, ok := t.Asset(w.Asset); !ok {
			return fmt.Errorf("request: no asset %s", w.Asset)
		}
		t.Requests = append(t.Requests, w)
	}
	t.Duties = duties(t, source)
	return nil
}

// duties spreads the technicians over their bases: the first leads, the last
// ones stand by at night.
func duties(t *Tenant, source tenantOperation) []Duty {
	var out []Duty
	for _, base := range source.Bases {
		var own []Technician
		for _, m := range t.Technicians {
			if m.SkillCode == base.Skill {
				own = append(own, m)
			}
		}
		for i, m := range own {
			d := Duty{TechnicianID: m.ID, Site: base.Sites[i%len(base.Sites)], Levels: map[string]int{base.Skill: max(3, 5-i/len(base.Sites))}}
			if i >= len(own)-base.Standby {
				d.Shift, d.Levels[base.Skill] = nightShift, 4
			}
			for _, also := range source.Also {
				if also.Skill == base.Skill {
					d.Levels[also.Also] = also.Level
				}
			}
			out = append(out, d)
		}
	}
	return out
}
