package integration

import (
	"context"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/unit"
)

// Message keys of what can be wrong with a rule.
const (
	KeyTag       = "integrations.rule.tag"
	KeyAsset     = "integrations.rule.asset"
	KeyComponent = "integrations.rule.component"
	KeyMetric    = "integrations.rule.metric"
	KeyUnit      = "integrations.rule.unit"
	KeyFactor    = "integrations.rule.factor"
	KeyShift     = "integrations.rule.shift"
	KeyTagTaken  = "integrations.rule.tag_taken"
	KeyTagTwice  = "integrations.rule.tag_twice"
	KeyRange     = "integrations.rule.range"
	KeyQuantity  = "integrations.rule.quantity"
)

// Bounds of a rule's texts and numbers.
const (
	maxTag    = 400
	maxMetric = 60
	maxUnit   = 20
	maxFactor = 1e9
)

// newSignalPeriod is the period in seconds assumed of a signal that a rule
// brings into being.
const newSignalPeriod = 60

// Rule maps an external tag to a metric of an asset, or of one of its
// components. The stored value is the source's value times Factor plus Shift;
// SourceUnit is the unit that the source must declare, empty for any. Stored
// values outside Low to High are kept as bad. A metric that the asset does not
// have yet comes into being with Unit. A zero Factor asks for the conversion of
// SourceUnit to the unit of the signal.
type Rule struct {
	ExternalTag string
	Asset       string // tag of the asset
	Component   string // English or Arabic name; empty for the asset as a whole
	Metric      string
	Unit        string // of a new metric
	SourceUnit  string
	Factor      float64
	Shift       float64
	Low, High   *float64
}

// Check returns what is wrong with a rule in itself, field to message key.
func (x Rule) Check() map[string]string {
	problems := map[string]string{}
	if !within(x.ExternalTag, 1, maxTag) {
		problems["external_tag"] = KeyTag
	}
	if !within(x.Asset, 1, maxTag) {
		problems["asset"] = KeyAsset
	}
	if !within(x.Metric, 1, maxMetric) || strings.ContainsAny(x.Metric, " \t\r\n") {
		problems["metric"] = KeyMetric
	}
	if !within(x.Unit, 0, maxUnit) || !within(x.SourceUnit, 0, maxUnit) {
		problems["unit"] = KeyUnit
	}
	if !(math.Abs(x.Factor) <= maxFactor) || x.Factor == 0 {
		problems["factor"] = KeyFactor
	}
	if !(math.Abs(x.Shift) <= maxFactor) {
		problems["shift"] = KeyShift
	}
	if !finite(x.Low) || !finite(x.High) || (x.Low != nil && x.High != nil && *x.Low >= *x.High) {
		problems["low"] = KeyRange
	}
	return problems
}

func finite(v *float64) bool { return v == nil || !(math.IsNaN(*v) || math.IsInf(*v, 0)) }

func within(text string, low, high int) bool {
	n := utf8.RuneCountInString(text)
	return n >= low && n <= high && utf8.ValidString(text)
}

// Plant resolves names to the tenant's assets, components and signals. Load it
// once per transaction.
type Plant struct {
	assets     map[string]uuid.UUID
	components map[uuid.UUID][]db.AssetComponent
	signals    map[string]db.MappingTargetsRow
}

// LoadPlant reads the names that rules may use.
func LoadPlant(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (Plant, error) {
	p := Plant{assets: map[string]uuid.UUID{}, components: map[uuid.UUID][]db.AssetComponent{}, signals: map[string]db.MappingTargetsRow{}}
	assets, err := q.ListAssetsPlain(ctx, tx, tenant)
	if err != nil {
		return p, err
	}
	for _, a := range assets {
		p.assets[a.Tag] = a.ID
	}
	components, err := q.ListComponents(ctx, tx, tenant, nil)
	if err != nil {
		return p, err
	}
	for _, c := range components {
		p.components[c.AssetID] = append(p.components[c.AssetID], c)
	}
	signals, err := q.MappingTargets(ctx, tx, tenant)
	for _, s := range signals {
		p.signals[s.Tag+"\x00"+s.Metric] = s
	}
	return p, err
}

// target is what a rule points at.
type target struct {
	asset     uuid.UUID
	component *uuid.UUID
	signal    int64 // 0: to be created
	unit      string
}

// resolve finds what a sound rule points at.
func (p Plant) resolve(x Rule) (target, map[string]string) {
	id, ok := p.assets[x.Asset]
	if !ok {
		return target{}, map[string]string{"asset": KeyAsset}
	}
	t := target{asset: id, unit: x.Unit}
	if s, ok := p.signals[x.Asset+"\x00"+x.Metric]; ok {
		t.signal, t.component, t.unit = s.ID, s.ComponentID, s.Unit
	}
	if x.Component == "" {
		return t, nil
	}
	for _, c := range p.components[id] {
		if c.NameEn == x.Component || c.NameAr == x.Component {
			own := c.ID
			t.component = &own
			return t, nil
		}
	}
	return t, map[string]string{"component": KeyComponent}
}

// Problems checks a rule in itself and against the plant.
func (p Plant) Problems(x Rule) map[string]string {
	if problems := x.Check(); len(problems) > 0 {
		return problems
	}
	t, problems := p.resolve(x)
	if len(problems) == 0 && contradicts(x.SourceUnit, t.unit) {
		return map[string]string{"source_unit": KeyQuantity}
	}
	return problems
}

// Fill completes a rule whose factor was left open: with the conversion of the
// source's unit to that of the signal, or 1 where one of them is not known. A
// shift that was given stays.
func (p Plant) Fill(x Rule) Rule {
	if x.Factor != 0 {
		return x
	}
	x.Factor = 1
	stored := x.Unit
	if s, ok := p.signals[x.Asset+"\x00"+x.Metric]; ok {
		stored = s.Unit
	}
	if c, err := unit.Between(x.SourceUnit, stored); err == nil {
		x.Factor = c.Factor
		if x.Shift == 0 {
			x.Shift = c.Shift
		}
	}
	return x
}

// Bounds turns the range that a source declares into that of the stored value.
func (x Rule) Bounds(low, high *float64) (*float64, *float64) {
	turn := func(v *float64) *float64 {
		if v == nil || !finite(v) {
			return nil
		}
		stored := *v*x.Factor + x.Shift
		return &stored
	}
	low, high = turn(low), turn(high)
	if x.Factor < 0 {
		low, high = high, low
	}
	if low != nil && high != nil && *low >= *high { // a source that declares 0 to 0 declares nothing
		return nil, nil
	}
	return low, high
}

// Saved says what became of a rule.
type Saved struct {
	ID            uuid.UUID
	Created       bool // else an existing rule was changed
	SignalCreated bool
	Before        *db.IntegrationMapping
}

// SaveRule stores a checked rule within the caller's transaction: a new one,
// or the change of the rule that the tag has. A missing signal is created. With
// fresh set, a tag that has a rule already is refused.
func SaveRule(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, integration uuid.UUID, p Plant, x Rule, fresh bool) (Saved, error) {
	var out Saved
	t, problems := p.resolve(x)
	if len(problems) > 0 {
		return out, fault.New(fault.Invalid, KeyAsset)
	}
	known, err := q.FindMapping(ctx, tx, tenant, integration, x.ExternalTag)
	if err != nil {
		return out, err
	}
	if fresh && len(known) > 0 {
		return out, fault.New(fault.Conflict, KeyTagTaken)
	}
	if t.signal == 0 {
		t.signal, err = q.UpsertSignal(ctx, tx, db.UpsertSignalParams{TenantID: tenant, AssetID: t.asset, ComponentID: t.component, Metric: x.Metric,
			NameAr: x.Metric, NameEn: x.Metric, Unit: x.Unit, Sense: string(asset.SenseBoth), PeriodSeconds: newSignalPeriod})
		if err != nil {
			return out, err
		}
		p.signals[x.Asset+"\x00"+x.Metric] = db.MappingTargetsRow{ID: t.signal, Metric: x.Metric, Unit: x.Unit, AssetID: t.asset, ComponentID: t.component, Tag: x.Asset}
		out.SignalCreated = true
	}
	if len(known) > 0 {
		out.ID, out.Before = known[0].ID, &known[0]
		_, err = q.ChangeMapping(ctx, tx, db.ChangeMappingParams{TenantID: tenant, ID: out.ID, AssetID: t.asset, ComponentID: t.component,
			SignalID: t.signal, SourceUnit: x.SourceUnit, Factor: x.Factor, Shift: x.Shift, Low: x.Low, High: x.High})
		return out, err
	}
	out.Created = true
	out.ID, err = q.AddMapping(ctx, tx, db.AddMappingParams{TenantID: tenant, IntegrationID: integration, ExternalTag: x.ExternalTag, AssetID: t.asset,
		ComponentID: t.component, SignalID: t.signal, SourceUnit: x.SourceUnit, Factor: x.Factor, Shift: x.Shift, Low: x.Low, High: x.High})
	return out, err
}
