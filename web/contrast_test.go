package web

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// vec is a colour in linear sRGB or a perceptual space.
type vec [3]float64

var (
	tokenRule  = regexp.MustCompile(`--([\w-]+):\s*([^;]+);`)
	tokenColor = regexp.MustCompile(`^oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)$`)
	tokenBlock = regexp.MustCompile(`(?s)(:root|\[data-theme="dark"\]) \{(.*?)\n\}`)
)

// themes reads tokens.css; dark inherits what it does not set.
func themes(t *testing.T) map[string]map[string]string {
	t.Helper()
	css, err := os.ReadFile("frontend/tokens.css")
	require.NoError(t, err)
	blocks := tokenBlock.FindAllStringSubmatch(string(css), -1)
	require.Len(t, blocks, 2)
	light, dark := map[string]string{}, map[string]string{}
	for _, m := range tokenRule.FindAllStringSubmatch(blocks[0][2], -1) {
		light[m[1]], dark[m[1]] = m[2], m[2]
	}
	for _, m := range tokenRule.FindAllStringSubmatch(blocks[1][2], -1) {
		dark[m[1]] = m[2]
	}
	return map[string]map[string]string{"light": light, "dark": dark}
}

// linear resolves a token to linear sRGB after Björn Ottosson's OKLab.
func linear(t *testing.T, theme map[string]string, name string) vec {
	t.Helper()
	value := theme[name]
	if ref := regexp.MustCompile(`^var\(--([\w-]+)\)$`).FindStringSubmatch(value); ref != nil {
		return linear(t, theme, ref[1])
	}
	m := tokenColor.FindStringSubmatch(value)
	require.NotNil(t, m, "%s: %q", name, value)
	var lch vec
	for i := range lch {
		v, err := strconv.ParseFloat(m[i+1], 64)
		require.NoError(t, err)
		lch[i] = v
	}
	a, b := lch[1]*math.Cos(lch[2]*math.Pi/180), lch[1]*math.Sin(lch[2]*math.Pi/180)
	lms := vec{cube(lch[0] + .3963377774*a + .2158037573*b), cube(lch[0] - .1055613458*a - .0638541728*b), cube(lch[0] - .0894841775*a - 1.291485548*b)}
	return clip(mul([3]vec{{4.0767416621, -3.3077115913, .2309699292}, {-1.2684380046, 2.6097574011, -.3413193965}, {-.0041960863, -.7034186147, 1.707614701}}, lms))
}

func cube(x float64) float64 { return x * x * x }

func mul(m [3]vec, v vec) vec {
	var out vec
	for i, row := range m {
		out[i] = row[0]*v[0] + row[1]*v[1] + row[2]*v[2]
	}
	return out
}

func clip(v vec) vec {
	for i := range v {
		v[i] = min(1, max(0, v[i]))
	}
	return v
}

func oklab(rgb vec) vec {
	lms := mul([3]vec{{.4122214708, .5363325363, .0514459929}, {.2119034982, .6806995451, .1073969566}, {.0883024619, .2817188376, .6299787005}}, rgb)
	for i := range lms {
		lms[i] = math.Cbrt(max(0, lms[i]))
	}
	return mul([3]vec{{.2104542553, .793617785, -.0040720468}, {1.9779984951, -2.428592205, .4505937099}, {.0259040371, .7827717662, -.808675766}}, lms)
}

// ratio is the WCAG contrast of two colours.
func ratio(a, b vec) float64 {
	lum := func(v vec) float64 { return .2126*v[0] + .7152*v[1] + .0722*v[2] }
	x, y := lum(a), lum(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

// TestTokenContrast holds every text pair at WCAG AA (4.5:1) and every mark at
// 3:1. Two series colours carry labels and may sit at 2.2:1.
func TestTokenContrast(t *testing.T) {
	t.Parallel()
	type pair struct {
		on, under string
		need      float64
	}
	pairs := []pair{
		{"ink", "surface", 4.5}, {"ink", "canvas", 4.5}, {"ink-2", "surface", 4.5}, {"ink-2", "sunken", 4.5}, {"ink-2", "canvas", 4.5},
		{"ink-3", "surface", 4.5}, {"ink-3", "canvas", 4.5}, {"ink-3", "sunken", 4.5}, {"ink-3", "weekend", 4.5}, {"ink-3", "raised", 4.5},
		{"on-accent", "accent", 4.5}, {"on-accent", "accent-hover", 4.5}, {"accent-ink", "accent-tint", 4.5}, {"accent-ink", "surface", 4.5}, {"accent-ink", "sunken", 4.5},
		{"accent", "surface", 3}, {"control", "surface", 3}, {"on-risk-5", "risk-5", 4.5}, {"on-pip", "pip", 4.5},
		{"series-1", "surface", 3}, {"series-2", "surface", 2.2}, {"series-3", "surface", 2.2}, {"series-4", "surface", 3},
	}
	for i := 1; i <= 5; i++ {
		ink := fmt.Sprintf("risk-%d-ink", i)
		pairs = append(pairs, pair{ink, fmt.Sprintf("risk-%d-tint", i), 4.5}, pair{ink, "surface", 4.5})
	}
	for _, s := range []string{"ok", "busy", "wait", "warn", "bad"} {
		pairs = append(pairs, pair{s + "-ink", s + "-tint", 4.5})
	}
	for name, theme := range themes(t) {
		theme["on-pip"] = "oklch(1 0 0)"
		for _, p := range pairs {
			require.GreaterOrEqual(t, ratio(linear(t, theme, p.on), linear(t, theme, p.under)), p.need, "%s: %s on %s", name, p.on, p.under)
		}
	}
}

// TestRiskLadderSurvivesColourBlindness keeps any two risk levels at least 0.1
// apart in OKLab under normal, protan, deutan and tritan vision (matrices of
// Machado, Oliveira and Fernandes 2009 at full severity).
func TestRiskLadderSurvivesColourBlindness(t *testing.T) {
	t.Parallel()
	visions := map[string][3]vec{
		"normal": {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
		"protan": {{.152286, 1.052583, -.204868}, {.114503, .786281, .099216}, {-.003882, -.048116, 1.051998}},
		"deutan": {{.367322, .860646, -.227968}, {.280085, .672501, .047413}, {-.011820, .042940, .968881}},
		"tritan": {{1.255528, -.076749, -.178779}, {-.078411, .930809, .147602}, {.004733, .691367, .3039}},
	}
	for name, theme := range themes(t) {
		for vision, matrix := range visions {
			seen := make([]vec, 6)
			for i := 1; i <= 5; i++ {
				seen[i] = oklab(clip(mul(matrix, linear(t, theme, fmt.Sprintf("risk-%d", i)))))
				for j := 1; j < i; j++ {
					d := math.Hypot(math.Hypot(seen[i][0]-seen[j][0], seen[i][1]-seen[j][1]), seen[i][2]-seen[j][2])
					require.GreaterOrEqual(t, d, 0.1, "%s %s: risk %d and %d", name, vision, i, j)
				}
			}
		}
	}
}
