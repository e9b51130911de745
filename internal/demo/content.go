// Package demo holds the content of the demonstration tenants: invented sites,
// assets, people and prices of three Saudi industries, with readings computed
// by the simulator. Everything is synthetic and carries a disclaimer that
// every screen has to show. Identifiers derive from natural keys, so loading
// the content twice describes the same rows.
package demo

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector/simulate"
)

// Text is a name in both languages of the product.
type Text struct {
	EN string `json:"en"`
	AR string `json:"ar"`
}

// Content is everything there is to seed.
type Content struct {
	Disclaimer string
	Tenants    []*Tenant
}

// Tenant is one demonstration customer.
type Tenant struct {
	ID              uuid.UUID
	Code            string
	Name            Text
	Industry        string
	Domain          string // of the e-mail addresses, below .example
	Sites           []Site
	Units           []Unit
	Assets          []*Asset
	Skills          []Skill
	Crews           []Crew
	Technicians     []Technician
	People          []Person
	ServiceAccounts []ServiceAccount
	Calendar        Calendar
	Embargoes       []Embargo
	Resources       []Resource
	Groups          []Group
	TrainLimits     []TrainLimit
	Integrations    []*Integration
	Presets         []Preset
	Targets         []Target
	Tariff          [24]float64 // price of electricity by hour of the day, SAR/MWh
	Shifts          []Shift
	Duties          []Duty
	Travel          []Travel
	Requests        []WorkRequest
}

// Site is a plant.
type Site struct {
	ID   uuid.UUID
	Code string
	Name Text
	// MiddayExempt says that the summer ban on outdoor work around noon does
	// not hold here, as the oil and gas rules allow.
	MiddayExempt bool
}

// Unit is a process unit of a site.
type Unit struct {
	ID       uuid.UUID
	SiteCode string
	Name     Text
}

// Asset is one maintainable item with everything below it.
type Asset struct {
	ID               uuid.UUID
	Tag              string
	Template         string // key of the class template, such as "CPU"
	ISOClass         string // ISO 14224 equipment class, empty where it has none
	ClassName        Text
	Name             Text
	Criticality      asset.Criticality
	SiteCode         string
	UnitID           uuid.UUID
	Redundancy       string // as operators say it: "3x50%", "8+1", "N-1"
	Cost             asset.CostModel
	Weibull          asset.Weibull
	EffectiveAgeDays float64
	HazardMultiplier float64 // what the condition evidence multiplies the hazard by
	SkillCode        string
	CrewHours        float64 // labour of the planned job, hours
	EnergyKW         float64 // electric power while running
	Restoration      float64 // share of its age that the planned job takes away
	Outdoor          bool
	Components       []Component
	FailureModes     []FailureMode
	Signals          []*Signal
	Episode          *Episode

	lives        int                    // completed ones
	degradations map[string]degradation // by failure mode
}

// Component is a maintainable part of an asset.
type Component struct {
	ID   uuid.UUID
	Name Text
}

// FailureMode is a line of the FMECA of an asset.
type FailureMode struct {
	asset.FailureMode
	UUID      uuid.UUID
	Name      Text
	Detection string
	Component *uuid.UUID // where it arises, nil for the asset as a whole
}

// Signal is a sensor of an asset together with where its readings come from.
// Its number is unique over the whole content, from 1.
type Signal struct {
	asset.Signal
	UUID        uuid.UUID
	AssetTag    string
	Name        Text
	ExternalTag string
	Integration string // code of the integration that carries it

	point simulate.Point // how the simulator plays it
}

// Episode is a scripted degradation: the signal Metric moves From its level To
// its end during the Days before the epoch.
type Episode struct {
	Metric    string
	Story     Text
	From, To  float64
	Days      float64
	Steps     int
	Secondary []SecondaryEffect
}

// SecondaryEffect is what the story tells about another signal of the asset.
type SecondaryEffect struct {
	Metric string  `json:"metric"`
	Rise   float64 `json:"rise"`
}

// Skill is a trade with its number of people and crews.
type Skill struct {
	ID          uuid.UUID `json:"-"`
	Code        string    `json:"code"`
	Technicians int       `json:"technicians"`
	Crews       int       `json:"crews"`
	SARPerHour  float64   `json:"sar_per_hour"`
	Text
}

// Crew is a team of one trade.
type Crew struct {
	ID        uuid.UUID
	Code      string
	SkillCode string
	Name      Text
}

// Technician is an invented person in a crew.
type Technician struct {
	ID         uuid.UUID
	CrewID     uuid.UUID
	SkillCode  string
	Name       Text
	SARPerHour float64 // loaded cost
}

// Person is an invented user. Role is one of the product's roles.
type Person struct {
	ID    uuid.UUID
	Role  string
	Name  Text
	Email string
}

// ServiceAccount is an identity for schedules.
type ServiceAccount struct {
	ID   uuid.UUID
	Code string
}

// Calendar is the working pattern common to the demonstration tenants. Times
// are local and written 15:04, days of the year 01-02.
type Calendar struct {
	Profile         string    `json:"profile"`
	TimeZone        string    `json:"time_zone"`
	Week            []int     `json:"week"` // working days, Sunday 0
	DayShift        TimeRange `json:"day_shift"`
	StandbyHours    int       `json:"standby_hours"`
	StandbyOnDays   int       `json:"standby_on_days"`
	StandbyOffDays  int       `json:"standby_off_days"`
	FridayBlock     TimeRange `json:"friday_block"` // no planned start
	RamadanDayHours int       `json:"ramadan_day_hours"`
	RamadanStart    string    `json:"ramadan_start"`
	MiddayBan       TimeRange `json:"midday_ban"`
	ProductiveShare float64   `json:"productive_share"` // of paid hours
}

// TimeRange is a span of the day, within a span of the year when From is set.
type TimeRange struct {
	Start string `json:"start"`
	End   string `json:"end"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// Embargo forbids planned outages at some sites during part of each year.
type Embargo struct {
	ID    uuid.UUID `json:"-"`
	Code  string    `json:"code"`
	From  string    `json:"from"`
	To    string    `json:"to"`
	Sites []string  `json:"sites"`
	Text
}

// Resource is equipment that jobs share; a job of one of the Templates needs
// one of Capacity.
type Resource struct {
	ID        uuid.UUID `json:"-"`
	Code      string    `json:"code"`
	Capacity  int       `json:"capacity"`
	Templates []string  `json:"templates"`
	Text
}

// Group is redundancy: of Installed like items, Needed carry full production.
// The demonstration models only the Members; the others run undisturbed.
type Group struct {
	ID           uuid.UUID `json:"-"`
	Code         string    `json:"code"`
	Site         string    `json:"site"`
	Members      []string  `json:"members"`
	Needed       int       `json:"needed"`
	Installed    int       `json:"installed"`
	UnitCapacity float64   `json:"unit_capacity"` // share of full production
	MaxOut       int       `json:"max_out"`       // planned out at the same time
	Text
}

// TrainLimit bounds how many trains of a site may be out at the same time. A
// train is out when any of its assets is.
type TrainLimit struct {
	Site   string     `json:"site"`
	MaxOut int        `json:"max_out"`
	Trains [][]string `json:"trains"`
}

// Preset is a scenario ready to run. Parameters depend on the problem.
type Preset struct {
	ID          uuid.UUID      `json:"-"`
	Code        string         `json:"code"`
	Problem     string         `json:"problem"`
	HorizonDays int            `json:"horizon_days"`
	Parameters  map[string]any `json:"parameters"`
	Text
}

// CostModel is one priced line of an asset, money in SAR and time in hours.
type CostModel struct {
	ID         uuid.UUID
	AssetID    uuid.UUID
	Kind       string // "failure", "maintenance" or "energy"
	Parameters map[string]float64
}

// Counts are the sizes of the content.
type Counts struct {
	Tenants, Sites, Assets, Components, FailureModes, Signals int
}

// Counts adds up the content.
func (c *Content) Counts() Counts {
	n := Counts{Tenants: len(c.Tenants)}
	for _, t := range c.Tenants {
		n.Sites += len(t.Sites)
		n.Assets += len(t.Assets)
		for _, a := range t.Assets {
			n.Components += len(a.Components)
			n.FailureModes += len(a.FailureModes)
			n.Signals += len(a.Signals)
		}
	}
	return n
}

// Tenant returns the tenant of a code.
func (c *Content) Tenant(code string) (*Tenant, bool) {
	for _, t := range c.Tenants {
		if t.Code == code {
			return t, true
		}
	}
	return nil, false
}

// Asset returns the asset of a tag.
func (t *Tenant) Asset(tag string) (*Asset, bool) {
	for _, a := range t.Assets {
		if a.Tag == tag {
			return a, true
		}
	}
	return nil, false
}

// Signal returns the signal of a metric.
func (a *Asset) Signal(metric string) (*Signal, bool) {
	for _, s := range a.Signals {
		if s.Metric == metric {
			return s, true
		}
	}
	return nil, false
}

// CostModels returns the three priced lines of every asset.
func (t *Tenant) CostModels() []CostModel {
	models := make([]CostModel, 0, 3*len(t.Assets))
	for _, a := range t.Assets {
		line := func(kind string, parameters map[string]float64) {
			models = append(models, CostModel{ID: identify(t.Code, "cost", a.Tag, kind), AssetID: a.ID, Kind: kind, Parameters: parameters})
		}
		line("failure", map[string]float64{"cost_sar": a.Cost.FailureCost, "outage_hours": a.Cost.FailureHours,
			"loss_sar_per_hour": a.Cost.LossPerHour, "safety_environment_sar": a.Cost.SafetyEnvCost})
		line("maintenance", map[string]float64{"cost_sar": a.Cost.PlannedCost, "outage_hours": a.Cost.PlannedHours,
			"loss_sar_per_hour": a.Cost.LossPerHour, "planned_factor": a.Cost.PlannedFactor, "labour_hours": a.CrewHours})
		line("energy", map[string]float64{"power_kw": a.EnergyKW, "cost_sar_per_hour": a.Cost.EnergyCostHour})
	}
	return models
}

// namespace is the root of the identifiers of the demonstration content.
var namespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://optria-iq.example/demo"))

// identify derives a stable identifier (UUID version 5) from a natural key.
func identify(parts ...string) uuid.UUID {
	// JSON keeps ("a","bc") and ("ab","c") apart. Strings always encode.
	key, _ := json.Marshal(parts)
	return uuid.NewSHA1(namespace, key)
}

// historyPeriod is the sampling of seeded history.
const historyPeriod = 30 * time.Minute
