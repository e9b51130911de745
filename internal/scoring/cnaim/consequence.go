package cnaim

// Consequence is the cost of one functional failure by kind, in Currency.
type Consequence struct {
	Financial     float64 `json:"financial"` // repair or replacement
	Safety        float64 `json:"safety"`
	Environmental float64 `json:"environmental"`
	Network       float64 `json:"network"` // interrupted supply
}

// Total returns the sum of all kinds.
func (c Consequence) Total() float64 {
	return c.Financial + c.Safety + c.Environmental + c.Network
}

// safetyFactors is Table 225 by location risk and type risk.
var safetyFactors = map[string]map[string]float64{
	"low":    {"low": 0.7, "medium": 0.9, "high": 1.2},
	"medium": {"low": 0.9, "medium": 1, "high": 1.4},
	"high":   {"low": 1.2, "medium": 1.4, "high": 1.6},
}

const (
	insecureNetwork = 2.5 // network factor where one failure interrupts supply (7.6.3)
	bunded          = 0.5 // share of the environmental cost where oil is held back (Table 231)
)

// consequence scales the reference costs of the type by what is known of the
// site (CNAIM 7.3–7.6).
func (e Equipment) consequence(k kind) (Consequence, []Modifier) {
	out, s := k.cost, e.Site
	var applied []Modifier
	scale := func(cost *float64, name, input string, factor float64) {
		*cost *= factor
		applied = append(applied, free(name, input, partMain, factor))
	}
	if s.Access != "" {
		scale(&out.Financial, "access", s.Access, k.access[s.Access])
	}
	if s.Windings != "" || s.RatingKVA != nil {
		input := s.Windings + " " + text(deref(s.RatingKVA)) + " kVA"
		scale(&out.Financial, "financial_size", input, e.sizeFactor(k, "financial"))
		scale(&out.Environmental, "environmental_size", input, e.sizeFactor(k, "environmental"))
	}
	if s.LocationRisk != "" || s.TypeRisk != "" {
		location, kindRisk := orMedium(s.LocationRisk), orMedium(s.TypeRisk)
		scale(&out.Safety, "safety_risk", location+" / "+kindRisk, safetyFactors[location][kindRisk])
	}
	if !k.transformer {
		fill := s.Insulation
		if fill == "" {
			fill = "oil"
		}
		scale(&out.Environmental, "insulation", s.Insulation, k.insulation[fill]*k.environmentalSize)
	}
	if s.DistanceToWaterM != nil {
		scale(&out.Environmental, "distance_to_water", text(*s.DistanceToWaterM), nearWater(*s.DistanceToWaterM))
	}
	if s.Bunded != nil && *s.Bunded {
		scale(&out.Environmental, "bunded", "yes", bunded)
	}
	e.networkFactors(k, func(name, input string, f float64) { scale(&out.Network, name, input, f) })
	return out, applied
}

func orMedium(s string) string {
	if s == "" {
		return "medium"
	}
	return s
}

// nearWater is the proximity factor of Table 231.
func nearWater(metres float64) float64 {
	switch {
	case metres < 40:
		return 2.5
	case metres < 80:
		return 1.5
	case metres <= 120:
		return 1
	}
	return 0.8
}

// sizeFactor looks a transformer up by windings and rating; Tables 219 and 230
// give distribution transformers in kVA and larger ones in MVA.
func (e Equipment) sizeFactor(k kind, cost string) float64 {
	rating := deref(e.Site.RatingKVA)
	if k.hasTests {
		rating /= 1000
	}
	for _, s := range data().sizes {
		if s.cost != cost || s.kind != k.name || s.windings != "" && plain(s.windings) != plain(e.Site.Windings) {
			continue
		}
		anyRating := s.from < 0
		if anyRating || e.Site.RatingKVA != nil && rating >= s.from && rating < s.below {
			return s.factor
		}
	}
	return 1
}

// networkFactors scale the cost of interrupted supply: by load and security
// from 33 kV up, by customers below.
func (e Equipment) networkFactors(k kind, scale func(name, input string, factor float64)) {
	s := e.Site
	if k.referenceLoad > 0 {
		if s.LoadMVA != nil {
			scale("load", text(*s.LoadMVA), *s.LoadMVA/k.referenceLoad)
		}
		if s.Secure != nil && !*s.Secure {
			scale("insecure_network", "yes", insecureNetwork)
		}
		return
	}
	if s.Customers != nil {
		scale("customers", text(*s.Customers), *s.Customers/k.referenceCustomers)
	}
	if s.KVAPerCustomer != nil {
		scale("kva_per_customer", text(*s.KVAPerCustomer), largeCustomers(*s.KVAPerCustomer))
	}
}

// largeCustomers is how many customers one of exceptional demand counts as
// (Table 18).
func largeCustomers(kva float64) float64 {
	switch {
	case kva < 50:
		return 1
	case kva < 100:
		return 25
	case kva < 500:
		return 100
	case kva < 1000:
		return 250
	case kva < 2000:
		return 500
	}
	return 1000
}
