package cnaim

import (
	"embed"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
)

//go:embed tables/*.csv tables/LICENSE
var files embed.FS

// Parts of an equipment that age on their own.
const (
	partMain       = "main"
	partTapchanger = "tapchanger"
)

// kind is one row of types.csv.
type kind struct {
	name, category        string
	life, lifeBefore1980  float64
	lifeTapchanger        float64 // 0 without a tapchanger of its own
	environment           string
	k, c                  float64 // curve of the probability of failure
	cost                  Consequence
	referenceLoad         float64 // MVA behind the network cost, 0 below 33 kV
	referenceCustomers    float64 // behind the network cost below 33 kV
	access, insulation    map[string]float64
	environmentalSize     float64
	transformer, hasTests bool // hasTests: oil, gas and furfural modifiers of their own
}

// finding is one row of conditions.csv: what one result of one inspection says.
type finding struct {
	category, part, kind, item, result string
	factor, cap, collar                float64
}

// band is one row of bands.csv: the value for above < x ≤ upTo.
type band struct {
	name, scope        string
	above, upTo, value float64
}

// size is one row of sizes.csv: the factor for from ≤ rating < below.
type size struct {
	cost, kind, windings string
	from, below, factor  float64
}

// combination is one row of combine.csv: how factors make one.
type combination struct {
	kind, category, part       string
	dividerAbove, dividerBelow float64
	most                       int
}

// catalogue is every calibration table.
type catalogue struct {
	types        []kind
	findings     []finding
	bands        []band
	sizes        []size
	combinations []combination
}

// data reads the embedded tables once. They are part of the program: a fault
// in them is a fault of the build, which a test excludes.
var data = sync.OnceValue(func() *catalogue {
	c, err := readCatalogue()
	if err != nil {
		panic(err)
	}
	return c
})

func readCatalogue() (*catalogue, error) {
	c := &catalogue{}
	for name, add := range map[string]func(row){
		"types":      func(r row) { c.types = append(c.types, r.kind()) },
		"conditions": func(r row) { c.findings = append(c.findings, r.finding()) },
		"bands":      func(r row) { c.bands = append(c.bands, r.band()) },
		"sizes":      func(r row) { c.sizes = append(c.sizes, r.size()) },
		"combine":    func(r row) { c.combinations = append(c.combinations, r.combination()) },
	} {
		if err := eachRow(name, add); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// row is one line of a table by column name; bad collects the first cell that
// is no number.
type row struct {
	cells map[string]string
	bad   *error
}

func eachRow(name string, add func(row)) error {
	f, err := files.Open("tables/" + name + ".csv")
	if err != nil {
		return fmt.Errorf("open table %s: %w", name, err)
	}
	defer f.Close() //nolint:errcheck // an embedded file
	r := csv.NewReader(f)
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("read head of table %s: %w", name, err)
	}
	for {
		line, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read table %s: %w", name, err)
		}
		var bad error
		cells := make(map[string]string, len(head))
		for i, h := range head {
			cells[h] = line[i]
		}
		add(row{cells: cells, bad: &bad})
		if bad != nil {
			return fmt.Errorf("table %s: %w", name, bad)
		}
	}
}

// number returns a cell, or what an empty one stands for.
func (r row) number(column string, empty float64) float64 {
	s := r.cells[column]
	if s == "" {
		return empty
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && *r.bad == nil {
		*r.bad = fmt.Errorf("%s is no number: %w", column, err)
	}
	return v
}

func (r row) kind() kind {
	n := func(column string) float64 { return r.number(column, 0) }
	category := r.cells["category"]
	return kind{
		name: r.cells["type"], category: category,
		life: n("life"), lifeBefore1980: n("life_before_1980"), lifeTapchanger: n("life_tapchanger"),
		environment: r.cells["environment"], k: n("k_percent") / 100, c: n("c"),
		cost: Consequence{
			Financial: n("financial"), Safety: n("safety"),
			Environmental: n("environmental"), Network: n("network"),
		},
		referenceLoad: n("reference_load_mva"), referenceCustomers: n("reference_customers"),
		access: map[string]float64{
			"normal": n("access_normal"), "constrained": n("access_constrained"), "underground": n("access_underground"),
		},
		insulation: map[string]float64{
			"oil": n("insulation_oil"), "sf6": n("insulation_sf6"), "neither": n("insulation_neither"),
		},
		environmentalSize: n("size_environmental"),
		transformer:       strings.Contains(category, "transformer"),
		hasTests:          n("life_tapchanger") > 0,
	}
}

func (r row) finding() finding {
	return finding{
		category: r.cells["category"], part: r.cells["part"], kind: r.cells["kind"],
		item: r.cells["item"], result: r.cells["result"],
		factor: r.number("factor", 1), cap: r.number("cap", healthMost), collar: r.number("collar", healthNew),
	}
}

func (r row) band() band {
	return band{
		name: r.cells["name"], scope: r.cells["scope"],
		above: r.number("above", math.Inf(-1)), upTo: r.number("up_to", math.Inf(1)), value: r.number("value", 0),
	}
}

func (r row) size() size {
	return size{
		cost: r.cells["cost"], kind: r.cells["type"], windings: r.cells["windings"],
		from: r.number("from", math.Inf(-1)), below: r.number("below", math.Inf(1)), factor: r.number("factor", 1),
	}
}

func (r row) combination() combination {
	return combination{
		kind: r.cells["kind"], category: r.cells["category"], part: r.cells["part"],
		dividerAbove: r.number("divider_above", 1), dividerBelow: r.number("divider_below", 1),
		most: int(r.number("most", 1)),
	}
}
