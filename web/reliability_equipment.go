package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/internal/scoring/cnaim"
	"github.com/optria-iq/optria/web/revision"
)

// Kinds of inputs for facts about electrical equipment.
const (
	factNumber = "number"
	factWhole  = "whole"
	factChoice = "choice"
	factFlag   = "flag"
)

// Which equipment a fact is about.
const (
	ofAll = iota
	ofTransformers
	ofSwitchgear
)

// fact is one field of cnaim.Equipment by its path in JSON.
type fact struct {
	path, kind, group string
	of                int
	choices           []string
}

var riskLevels = []string{"low", "medium", "high"}

// facts are the fields of the form in their order. Type, windings and what was
// observed and measured come from the method itself.
var facts = []fact{
	{path: "age", kind: factNumber, group: "basic"},
	{path: "year_of_manufacture", kind: factWhole, group: "basic"},
	{path: "tapchanger_age", kind: factNumber, group: "basic", of: ofTransformers},
	{path: "utilisation_pct", kind: factNumber, group: "duty", of: ofTransformers},
	{path: "daily_taps", kind: factNumber, group: "duty", of: ofTransformers},
	{path: "operations", kind: factChoice, group: "duty", of: ofSwitchgear, choices: []string{"normal", "high"}},
	{path: "reliability_factor", kind: factNumber, group: "duty"},
	{path: "placement", kind: factChoice, group: "place", choices: []string{"indoor", "outdoor"}},
	{path: "distance_from_coast_km", kind: factNumber, group: "place"},
	{path: "altitude_m", kind: factNumber, group: "place"},
	{path: "corrosion_category", kind: factWhole, group: "place"},
	{path: "oil.moisture_ppm", kind: factNumber, group: "oil", of: ofTransformers},
	{path: "oil.acidity_mg_koh_g", kind: factNumber, group: "oil", of: ofTransformers},
	{path: "oil.breakdown_kv", kind: factNumber, group: "oil", of: ofTransformers},
	{path: "tapchanger_oil.moisture_ppm", kind: factNumber, group: "oil", of: ofTransformers},
	{path: "tapchanger_oil.acidity_mg_koh_g", kind: factNumber, group: "oil", of: ofTransformers},
	{path: "tapchanger_oil.breakdown_kv", kind: factNumber, group: "oil", of: ofTransformers},
	{path: "gases.hydrogen_ppm", kind: factNumber, group: "gas", of: ofTransformers},
	{path: "gases.methane_ppm", kind: factNumber, group: "gas", of: ofTransformers},
	{path: "gases.ethylene_ppm", kind: factNumber, group: "gas", of: ofTransformers},
	{path: "gases.ethane_ppm", kind: factNumber, group: "gas", of: ofTransformers},
	{path: "gases.acetylene_ppm", kind: factNumber, group: "gas", of: ofTransformers},
	{path: "gases_before.hydrogen_ppm", kind: factNumber, group: "gas_before", of: ofTransformers},
	{path: "gases_before.methane_ppm", kind: factNumber, group: "gas_before", of: ofTransformers},
	{path: "gases_before.ethylene_ppm", kind: factNumber, group: "gas_before", of: ofTransformers},
	{path: "gases_before.ethane_ppm", kind: factNumber, group: "gas_before", of: ofTransformers},
	{path: "gases_before.acetylene_ppm", kind: factNumber, group: "gas_before", of: ofTransformers},
	{path: "furfural_ppm", kind: factNumber, group: "gas", of: ofTransformers},
	{path: "site.access", kind: factChoice, group: "site", choices: []string{"normal", "constrained", "underground"}},
	{path: "site.rating_kva", kind: factNumber, group: "site", of: ofTransformers},
	{path: "site.location_risk", kind: factChoice, group: "site", choices: riskLevels},
	{path: "site.type_risk", kind: factChoice, group: "site", choices: riskLevels},
	{path: "site.insulation", kind: factChoice, group: "site", of: ofSwitchgear, choices: []string{"oil", "sf6", "neither"}},
	{path: "site.distance_to_water_m", kind: factNumber, group: "site"},
	{path: "site.bunded", kind: factFlag, group: "site"},
	{path: "site.load_mva", kind: factNumber, group: "site"},
	{path: "site.secure", kind: factFlag, group: "site"},
	{path: "site.customers", kind: factNumber, group: "site"},
	{path: "site.kva_per_customer", kind: factNumber, group: "site"},
}

// factGroups are the sections of the form in their order.
var factGroups = []string{"basic", "duty", "place", "observed", "measured", "oil", "gas", "gas_before", "site"}

// electricalSkills are the skills whose assets are offered the form before
// anything is known about them.
var electricalSkills = []string{"electrical", "protection"}

// factField is one input; Options is empty for a number.
type factField struct {
	Name, Label, Value, Error string
	Latin                     bool // the label is a term of the method
	Options                   []Option
}

type factGroup struct {
	Name, Label string
	Open        bool
	Fields      []factField
}

// equipmentView is the card of electrical equipment. Rated is false until
// something is known.
type equipmentView struct {
	Form                   *editForm
	Types                  []Option
	Groups                 []factGroup
	Rated                  bool
	Health, YearlyFailures float64
	Band                   int
}

// newEquipmentView shows what is known about an electrical asset, nil for
// other assets.
func newEquipmentView(p Page, x lifeRows, f *editForm) (*equipmentView, error) {
	e, known, err := revision.EquipmentOf(x.asset)
	if err != nil {
		return nil, err
	}
	if !known && f == nil && !slices.Contains(electricalSkills, x.skill) {
		return nil, nil //nolint:nilnil // no card for this asset
	}
	v := &equipmentView{Form: f}
	if f == nil {
		values, err := factValues(e, known)
		if err != nil {
			return nil, err
		}
		v.Form = filled(values)
	}
	v.Form.show(p, revision.EquipmentVersion(x.asset))
	for _, t := range cnaim.Types() {
		v.Types = append(v.Types, Option{t, t})
	}
	v.addGroups(p)
	if known {
		rating, err := cnaim.Score(e)
		if err != nil {
			return nil, fmt.Errorf("rate %s: %w", x.asset.Tag, err)
		}
		v.Rated, v.Health, v.Band, v.YearlyFailures = true, rating.Health, rating.Band, rating.PoF
	}
	return v, nil
}

// addGroups lists the inputs that belong to the chosen type.
func (v *equipmentView) addGroups(p Page) {
	chosen := v.Form.Values["type"]
	if chosen == "" {
		return // the type comes first: everything else depends on it
	}
	fields := map[string][]factField{}
	add := func(group string, x factField) {
		x.Value, x.Error = v.Form.Values[x.Name], v.Form.Errors[x.Name]
		fields[group] = append(fields[group], x)
	}
	for _, x := range factsOf(chosen) {
		field := factField{Name: x.path, Label: factLabel(p, x.path)}
		for _, c := range x.options() {
			field.Options = append(field.Options, Option{c, p.T("reliability.fact.value." + c)})
		}
		add(x.group, field)
	}
	if windings := cnaim.Windings(chosen); len(windings) > 0 {
		add("site", factField{Name: "site.windings", Label: factLabel(p, "site.windings"), Options: literal(windings)})
	}
	for _, in := range cnaim.Inspections(chosen) {
		group := "observed"
		if in.Measured {
			group = "measured"
		}
		add(group, factField{Name: group + "." + in.Item, Label: in.Item, Latin: true, Options: literal(in.Results)})
	}
	for _, name := range factGroups {
		if len(fields[name]) == 0 {
			continue
		}
		g := factGroup{Name: name, Label: p.T("reliability.fact.group." + name), Fields: fields[name], Open: name == "basic"}
		g.Open = g.Open || slices.ContainsFunc(g.Fields, func(x factField) bool { return x.Error != "" })
		v.Groups = append(v.Groups, g)
	}
}

func literal(values []string) []Option {
	out := make([]Option, len(values))
	for i, x := range values {
		out[i] = Option{x, x}
	}
	return out
}

func factLabel(p Page, path string) string { return p.T("reliability.fact." + path) }

func (x fact) options() []string {
	if x.kind == factFlag {
		return []string{"true", "false"}
	}
	return x.choices
}

// factsOf are the facts that a type of equipment has.
func factsOf(kind string) []fact {
	not := ofTransformers
	if strings.Contains(kind, "Transformer") {
		not = ofSwitchgear
	}
	return slices.DeleteFunc(slices.Clone(facts), func(x fact) bool { return x.of == not })
}

// factValues spreads an equipment over the fields of its form.
func factValues(e cnaim.Equipment, known bool) (map[string]string, error) {
	values := map[string]string{}
	if !known {
		return values, nil
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode equipment: %w", err)
	}
	flatten(values, "", raw)
	return values, nil
}

// equipment reads the facts about an equipment. What is left empty is unknown.
func (f *editForm) equipment() (cnaim.Equipment, error) {
	tree := map[string]any{"type": f.Values["type"]}
	for _, x := range factsOf(f.Values["type"]) {
		if f.Values[x.path] == "" {
			continue
		}
		switch x.kind {
		case factNumber:
			put(tree, x.path, f.number(x.path, "reliability.error.number"))
		case factWhole:
			put(tree, x.path, f.whole(x.path, "reliability.error.number"))
		case factFlag:
			put(tree, x.path, f.Values[x.path] == "true")
		default:
			put(tree, x.path, f.Values[x.path])
		}
	}
	if v := f.Values["site.windings"]; v != "" {
		put(tree, "site.windings", v)
	}
	for _, in := range cnaim.Inspections(f.Values["type"]) {
		group := "observed"
		if in.Measured {
			group = "measured"
		}
		if v := f.Values[group+"."+in.Item]; v != "" {
			put(tree, group+"."+in.Item, v)
		}
	}
	var e cnaim.Equipment
	raw, err := json.Marshal(tree)
	if err == nil {
		err = json.Unmarshal(raw, &e)
	}
	if err != nil {
		return e, fault.Wrap(fault.Invalid, "error.422.text", err)
	}
	if f.Values["age"] == "" {
		f.refuse(reliability.Mistakes{"age": "field.required"})
	}
	return e, nil
}

// put sets a value under a path of at most two names.
func put(tree map[string]any, path string, v any) {
	parent, name, nested := strings.Cut(path, ".")
	if !nested {
		tree[path] = v
		return
	}
	branch, ok := tree[parent].(map[string]any)
	if !ok {
		branch = map[string]any{}
		tree[parent] = branch
	}
	branch[name] = v
}

// saveEquipment replaces the facts about electrical equipment.
func (s *Server) saveEquipment(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	f := readEditForm(r)
	e, err := f.equipment()
	if err != nil {
		return err
	}
	f.refuseFault(e.Validate())
	return s.submit(w, r, submission{asset: id, form: f, change: reliability.Change{Equipment: &e},
		save: func(ctx context.Context, x revision.Edit) error { return revision.Equipment(ctx, x, e) },
		again: func(status int, f *editForm, v *previewView) error {
			return s.lifePage(w, r, status, lifeForms{equipment: f, preview: v})
		},
		target: "/assets/" + id.String() + "/life", toast: "reliability.equipment.saved"})
}
