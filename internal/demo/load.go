package demo

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/asset"
)

//go:embed content/plants.json
var plantsJSON []byte

//go:embed content/organisation.json
var organisationJSON []byte

// plants mirrors plants.json.
type plants struct {
	Disclaimer string                 `json:"disclaimer"`
	Templates  map[string]template    `json:"templates"`
	Tenants    map[string]plantTenant `json:"tenants"`
}

type template struct {
	ISOClass     string `json:"iso14224_class"`
	NameEN       string `json:"name_en"`
	NameAR       string `json:"name_ar"`
	Components   []Text `json:"components"`
	FailureModes []struct {
		Text
		Code          string `json:"code"`
		Detection     string `json:"detection"`
		Severity      int    `json:"severity"`
		Occurrence    int    `json:"occurrence"`
		Detectability int    `json:"detectability"`
	} `json:"failure_modes"`
	Sensors []struct {
		Text
		Metric     string      `json:"metric"`
		Unit       string      `json:"unit"`
		NormalLow  float64     `json:"normal_low"`
		NormalHigh float64     `json:"normal_high"`
		Warn       float64     `json:"warn"`
		Alarm      float64     `json:"alarm"`
		Sense      asset.Sense `json:"sense"`
	} `json:"sensors"`
}

type plantTenant struct {
	NameEN   string          `json:"name_en"`
	NameAR   string          `json:"name_ar"`
	Industry string          `json:"industry"`
	Sites    map[string]Text `json:"sites"`
	Assets   []plantAsset    `json:"assets"`
}

type plantAsset struct {
	Tag              string            `json:"tag"`
	Template         string            `json:"template"`
	NameEN           string            `json:"name_en"`
	NameAR           string            `json:"name_ar"`
	Criticality      asset.Criticality `json:"criticality"`
	Site             string            `json:"site"`
	UnitEN           string            `json:"unit_en"`
	UnitAR           string            `json:"unit_ar"`
	Redundancy       string            `json:"redundancy"`
	LossPerHour      float64           `json:"loss_sar_per_h"`
	PlannedCost      float64           `json:"pm_cost_sar"`
	PlannedHours     float64           `json:"pm_hours"`
	FailureCost      float64           `json:"cm_cost_sar"`
	FailureHours     float64           `json:"cm_hours"`
	Beta             float64           `json:"weibull_beta"`
	Eta              float64           `json:"weibull_eta_days"`
	EffectiveAgeDays float64           `json:"effective_age_days"`
	Skill            string            `json:"skill"`
	CrewHours        float64           `json:"crew_hours"`
	Derived          struct {
		HazardMultiplier float64 `json:"hazard_multiplier"`
	} `json:"derived"`
	Episode *struct {
		Metric  string `json:"metric"`
		StoryEN string `json:"story_en"`
		StoryAR string `json:"story_ar"`
	} `json:"episode"`
}

// organisation mirrors organisation.json.
type organisation struct {
	Names struct {
		Given  []Text `json:"given"`
		Family []Text `json:"family"`
	} `json:"names"`
	ModeMetrics map[string]map[string]string `json:"mode_metrics"`
	// ModeComponents names the component in which a mode arises, in English.
	ModeComponents map[string]map[string]string `json:"mode_components"`
	LoadGains      map[string]float64           `json:"load_gains"`
	Counters       map[string]float64           `json:"counters"`
	EnergyKW       map[string]float64           `json:"energy_kw"`
	EnergyPrice    float64                      `json:"energy_sar_per_kwh"`
	PlannedFactor  float64                      `json:"planned_factor"`
	Episodes       map[string]script            `json:"episodes"`
	PIPoints       map[string]string            `json:"pi_points"`
	Calendar       Calendar                     `json:"calendar"`
	Tenants        map[string]tenantScript      `json:"tenants"`
}

type script struct {
	From      float64           `json:"from"`
	To        float64           `json:"to"`
	Days      float64           `json:"days"`
	Steps     int               `json:"steps"`
	Secondary []SecondaryEffect `json:"secondary"`
}

type tenantScript struct {
	Domain            string              `json:"domain"`
	MiddayExemptSites []string            `json:"midday_exempt_sites"`
	Skills            []Skill             `json:"skills"`
	People            []personScript      `json:"people"`
	ServiceAccounts   []string            `json:"service_accounts"`
	Embargoes         []Embargo           `json:"embargoes"`
	Resources         []Resource          `json:"resources"`
	Groups            []Group             `json:"groups"`
	TrainLimits       []TrainLimit        `json:"train_limits"`
	Integrations      []integrationScript `json:"integrations"`
	Presets           []Preset            `json:"presets"`
}

type personScript struct {
	Role    string `json:"role"`
	Mailbox string `json:"mailbox"`
	Text
}

// Load returns the content. It parses once; the result is shared and must not
// be changed.
func Load() (*Content, error) { return loadOnce() }

var loadOnce = sync.OnceValues(func() (*Content, error) {
	var b builder
	if err := decodeStrict(organisationJSON, &b.org); err != nil {
		return nil, fmt.Errorf("read demonstration organisation: %w", err)
	}
	if err := json.Unmarshal(plantsJSON, &b.plants); err != nil {
		return nil, fmt.Errorf("read demonstration plants: %w", err)
	}
	if err := decodeStrict(operationsJSON, &b.ops); err != nil {
		return nil, fmt.Errorf("read demonstration operations: %w", err)
	}
	if err := decodeStrict(livesJSON, &b.lives); err != nil {
		return nil, fmt.Errorf("read demonstration lives: %w", err)
	}
	content := &Content{Disclaimer: b.plants.Disclaimer}
	for _, code := range slices.Sorted(maps.Keys(b.plants.Tenants)) {
		tenant, err := b.tenant(code)
		if err != nil {
			return nil, fmt.Errorf("build tenant %s: %w", code, err)
		}
		content.Tenants = append(content.Tenants, tenant)
	}
	return content, nil
})

// builder joins the files into tenants.
type builder struct {
	plants     plants
	org        organisation
	ops        operations
	lives      lives
	lastSignal int64
}

func decodeStrict(raw []byte, target any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	return decoder.Decode(target)
}

func (b *builder) tenant(code string) (*Tenant, error) {
	source, extra := b.plants.Tenants[code], b.org.Tenants[code]
	t := &Tenant{
		ID: identify("tenant", code), Code: code, Name: Text{EN: source.NameEN, AR: source.NameAR}, Industry: source.Industry,
		Domain: extra.Domain, Calendar: b.org.Calendar, TrainLimits: extra.TrainLimits,
	}
	for _, siteCode := range siteOrder(source) {
		t.Sites = append(t.Sites, Site{ID: identify(code, "site", siteCode), Code: siteCode, Name: source.Sites[siteCode],
			MiddayExempt: slices.Contains(extra.MiddayExemptSites, siteCode)})
	}
	for _, a := range source.Assets {
		class, ok := b.plants.Templates[a.Template]
		if !ok {
			return nil, fmt.Errorf("asset %s: no template %s", a.Tag, a.Template)
		}
		built, err := b.asset(t, a, class)
		if err != nil {
			return nil, fmt.Errorf("asset %s: %w", a.Tag, err)
		}
		t.Assets = append(t.Assets, built)
	}
	b.staff(t, extra)
	t.restrict(extra)
	if err := b.operate(t); err != nil {
		return nil, err
	}
	if err := b.integrate(t, extra.Integrations); err != nil {
		return nil, err
	}
	return t, b.remember(t)
}

// siteOrder is the order in which the assets name the sites.
func siteOrder(source plantTenant) []string {
	var order []string
	for _, a := range source.Assets {
		if !slices.Contains(order, a.Site) {
			order = append(order, a.Site)
		}
	}
	return order
}

func (b *builder) asset(t *Tenant, a plantAsset, class template) (*Asset, error) {
	unit := Unit{ID: identify(t.Code, "unit", a.Site, a.UnitEN), SiteCode: a.Site, Name: Text{EN: a.UnitEN, AR: a.UnitAR}}
	if !slices.Contains(t.Units, unit) {
		t.Units = append(t.Units, unit)
	}
	power := b.org.EnergyKW[a.Template]
	built := &Asset{
		ID: identify(t.Code, "asset", a.Tag), Tag: a.Tag, Template: a.Template,
		ISOClass: strings.Replace(class.ISOClass, "(n/a)", "", 1), ClassName: Text{EN: class.NameEN, AR: class.NameAR},
		Name: Text{EN: a.NameEN, AR: a.NameAR}, Criticality: a.Criticality, SiteCode: a.Site, UnitID: unit.ID, Redundancy: a.Redundancy,
		Cost: asset.CostModel{PlannedCost: a.PlannedCost, PlannedHours: a.PlannedHours, FailureCost: a.FailureCost, FailureHours: a.FailureHours,
			LossPerHour: a.LossPerHour, PlannedFactor: b.org.PlannedFactor, EnergyCostHour: power * b.org.EnergyPrice},
		Weibull: asset.Weibull{Beta: a.Beta, Eta: a.Eta}, EffectiveAgeDays: a.EffectiveAgeDays, HazardMultiplier: a.Derived.HazardMultiplier,
		SkillCode: a.Skill, CrewHours: a.CrewHours, EnergyKW: power,
	}
	for _, name := range class.Components {
		built.Components = append(built.Components, Component{ID: identify(t.Code, "component", a.Tag, name.EN), Name: name})
	}
	for _, m := range class.FailureModes {
		id := identify(t.Code, "failure mode", a.Tag, m.Code)
		place := b.org.ModeComponents[a.Template][m.Code]
		component := built.component(place)
		if component == nil && place != "" {
			return nil, fmt.Errorf("failure mode %s in unknown component %s", m.Code, place)
		}
		built.FailureModes = append(built.FailureModes, FailureMode{UUID: id, Name: m.Text, Detection: m.Detection,
			Component: component,
			FailureMode: asset.FailureMode{ID: id.String(), Code: m.Code, Metric: b.org.ModeMetrics[a.Template][m.Code],
				Severity: m.Severity, Occurrence: m.Occurrence, Detectability: m.Detectability}})
	}
	for _, s := range class.Sensors {
		b.lastSignal++
		built.Signals = append(built.Signals, &Signal{UUID: identify(t.Code, "signal", a.Tag, s.Metric), AssetTag: a.Tag, Name: s.Text,
			Signal: asset.Signal{ID: b.lastSignal, Metric: s.Metric, Unit: s.Unit, NormalLow: s.NormalLow, NormalHigh: s.NormalHigh,
				Warn: s.Warn, Alarm: s.Alarm, Sense: s.Sense, Period: time.Minute}})
	}
	return built, b.tell(built, a)
}

// component finds a component by its English name, nil when there is none.
func (a *Asset) component(name string) *uuid.UUID {
	for _, c := range a.Components {
		if c.Name.EN == name {
			return &c.ID
		}
	}
	return nil
}

// tell attaches the scripted episode and checks that its metrics exist.
func (b *builder) tell(a *Asset, source plantAsset) error {
	if source.Episode == nil {
		return nil
	}
	numbers, ok := b.org.Episodes[a.Tag]
	if !ok {
		return fmt.Errorf("episode without numbers")
	}
	a.Episode = &Episode{Metric: source.Episode.Metric, Story: Text{EN: source.Episode.StoryEN, AR: source.Episode.StoryAR},
		From: numbers.From, To: numbers.To, Days: numbers.Days, Steps: numbers.Steps, Secondary: numbers.Secondary}
	metrics := []string{a.Episode.Metric}
	for _, effect := range numbers.Secondary {
		metrics = append(metrics, effect.Metric)
	}
	for _, metric := range metrics {
		if _, ok := a.Signal(metric); !ok {
			return fmt.Errorf("episode on unknown metric %s", metric)
		}
	}
	return nil
}
