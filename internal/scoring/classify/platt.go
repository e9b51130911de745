package classify

import "math"

// platt maps raw log-odds x to the probability sigmoid(Slope·x + Offset), fitted
// on rows that the boosters had not seen (Platt, "Probabilistic outputs for
// support vector machines", 1999, with his smoothed targets).
type platt struct {
	Slope  float64 `json:"slope"`
	Offset float64 `json:"offset"`
}

func (p platt) probability(raw float64) float64 { return sigmoid(p.Slope*raw + p.Offset) }

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// fitPlatt maximises the likelihood by Newton's method with halved steps. A
// slope that is not positive would turn the order of the rows around and becomes
// the constant share. Without rows the raw value is taken as it is.
func fitPlatt(raw []float64, hit []bool) platt {
	if len(raw) == 0 {
		return platt{Slope: 1}
	}
	positives := 0.0
	for _, h := range hit {
		if h {
			positives++
		}
	}
	negatives := float64(len(hit)) - positives
	targets := make([]float64, len(hit))
	for i, h := range hit {
		targets[i] = 1 / (negatives + 2)
		if h {
			targets[i] = (positives + 1) / (positives + 2)
		}
	}
	p := platt{Slope: 1}
	loss := p.loss(raw, targets)
	for range 100 {
		a, b := p.step(raw, targets)
		next := platt{p.Slope + a, p.Offset + b}
		there := next.loss(raw, targets)
		for cut := 0; !(there <= loss) && cut < 40; cut++ {
			a, b = a/2, b/2
			next = platt{p.Slope + a, p.Offset + b}
			there = next.loss(raw, targets)
		}
		if !(there <= loss) {
			break
		}
		p, loss = next, there
		if math.Abs(a)+math.Abs(b) < 1e-12 {
			break
		}
	}
	if !(p.Slope > 0) {
		return platt{Offset: math.Log((positives + 1) / (negatives + 1))}
	}
	return p
}

// loss is the cross entropy, computed without overflow.
func (p platt) loss(raw, targets []float64) float64 {
	sum := 0.0
	for i, x := range raw {
		z := p.Slope*x + p.Offset
		sum += max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) - targets[i]*z
	}
	return sum
}

// step is the Newton step of the loss.
func (p platt) step(raw, targets []float64) (slope, offset float64) {
	var ga, gb, haa, hab, hbb float64
	for i, x := range raw {
		q := p.probability(x)
		g, h := q-targets[i], max(q*(1-q), 1e-12)
		ga, gb = ga+g*x, gb+g
		haa, hab, hbb = haa+h*x*x, hab+h*x, hbb+h
	}
	haa, hbb = haa+1e-9, hbb+1e-9
	det := haa*hbb - hab*hab
	return -(hbb*ga - hab*gb) / det, -(haa*gb - hab*ga) / det
}
