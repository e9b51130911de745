package integration

import (
	"bytes"
	"math"
	"net"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/demo"
)

func targetsOf(t *testing.T, code string) (all []db.MappingTargetsRow, tags map[Tag]string) {
	t.Helper()
	content, err := demo.Load()
	require.NoError(t, err)
	tenant, ok := content.Tenant(code)
	require.True(t, ok)
	tags = map[Tag]string{}
	for _, a := range tenant.Assets {
		for _, s := range a.Signals {
			all = append(all, db.MappingTargetsRow{ID: s.Signal.ID, Metric: s.Metric, Unit: s.Unit, Tag: a.Tag})
			tags[Tag{Address: s.ExternalTag, Unit: s.Unit}] = a.Tag + "/" + s.Metric
		}
	}
	return all, tags
}

// The suggestions are measured on the demonstration tags, whose true mapping is
// known. Wrong ones cost more than none: a person accepts them by habit.
func TestSuggestionsOnKnownTags(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"ARAMCO_DEMO", "POWER_DEMO", "WATER_DEMO"} {
		targets, tags := targetsOf(t, code)
		right, wrong, sureWrong := 0, 0, 0
		suggester := NewSuggester(targets)
		for tag, want := range tags {
			found, ok := suggester.Suggest(tag)
			switch {
			case !ok:
			case found.Target.Tag+"/"+found.Target.Metric == want:
				right++
			default:
				wrong++
				if found.Sure {
					sureWrong++
				}
			}
		}
		t.Logf("%s: %d tags, %d right, %d wrong", code, len(tags), right, wrong)
		require.Zero(t, sureWrong, code)
		require.LessOrEqual(t, wrong, right/4, code)
	}
}

func TestNoSuggestionWithoutTheAsset(t *testing.T) {
	t.Parallel()
	_, ok := NewSuggester([]db.MappingTargetsRow{{Tag: "RML-P-401A", Metric: "vib", Unit: "mm/s"}}).Suggest(Tag{Address: "ns=2;s=OTHER.P999.VIB", Unit: "mm/s"})
	require.False(t, ok)
}

func TestRuleChecks(t *testing.T) {
	t.Parallel()
	good := Rule{ExternalTag: "a.b", Asset: "P-1", Metric: "vib", Factor: 1}
	require.Empty(t, good.Check())
	for field, change := range map[string]func(*Rule){
		"external_tag": func(x *Rule) { x.ExternalTag = strings.Repeat("x", 401) },
		"asset":        func(x *Rule) { x.Asset = "" },
		"metric":       func(x *Rule) { x.Metric = "two words" },
		"unit":         func(x *Rule) { x.SourceUnit = strings.Repeat("x", 21) },
		"factor":       func(x *Rule) { x.Factor = math.NaN() },
		"shift":        func(x *Rule) { x.Shift = math.Inf(1) },
		"low":          func(x *Rule) { x.Low, x.High = connector.Bound(5), connector.Bound(5) },
	} {
		bad := good
		change(&bad)
		require.Contains(t, bad.Check(), field)
	}
}

func TestRuleFileRoundTrip(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, WriteRules(&b, []db.ListIntegrationMappingsRow{{Tag: "P-1", Metric: "vib", Unit: "mm/s", ComponentEn: "bearing, DE",
		IntegrationMapping: db.IntegrationMapping{ExternalTag: "=cmd|' /C calc'!A0", SourceUnit: "in/s", Factor: 25.4, Shift: -0.5, Low: connector.Bound(0), High: connector.Bound(71.5)}}}))
	require.Contains(t, b.String(), "'=cmd", "a spreadsheet must not run it")
	lines, err := ReadRules(strings.NewReader("\ufeff" + b.String()))
	require.NoError(t, err)
	require.Equal(t, []Line{{2, Rule{ExternalTag: "=cmd|' /C calc'!A0", Asset: "P-1", Component: "bearing, DE", Metric: "vib", Unit: "mm/s", SourceUnit: "in/s", Factor: 25.4, Shift: -0.5, Low: connector.Bound(0), High: connector.Bound(71.5)}}}, lines)
	lines, err = ReadRules(strings.NewReader("external_tag,asset,metric,factor,shift\na,P-1,vib,,\nb,P-1,vib,one,two\n"))
	require.NoError(t, err)
	require.Empty(t, Plant{}.Fill(lines[0].Rule).Check(), "an empty factor is that of the units")
	require.Len(t, Plant{}.Fill(lines[1].Rule).Check(), 2)
}

// A rule takes the conversion of the units, and refuses another quantity.
func TestRulesConvertUnits(t *testing.T) {
	t.Parallel()
	plant := Plant{assets: map[string]uuid.UUID{"P-1": uuid.New()}, signals: map[string]db.MappingTargetsRow{
		"P-1\x00temp": {ID: 1, Metric: "temp", Unit: "degC", Tag: "P-1"}, "P-1\x00disp": {ID: 2, Metric: "disp", Unit: "furlong", Tag: "P-1"}}}
	x := plant.Fill(Rule{ExternalTag: "t", Asset: "P-1", Metric: "temp", SourceUnit: "DEG. F"})
	require.InDelta(t, 100, 212*x.Factor+x.Shift, 1e-6)
	require.Empty(t, plant.Problems(x))
	low, high := x.Bounds(connector.Bound(32), connector.Bound(212))
	require.InDelta(t, 0, *low, 1e-6)
	require.InDelta(t, 100, *high, 1e-6)
	low, high = x.Bounds(connector.Bound(0), connector.Bound(0))
	require.Nil(t, low, "0 to 0 is no range")
	require.Nil(t, high)

	bad := plant.Fill(Rule{ExternalTag: "t", Asset: "P-1", Metric: "temp", SourceUnit: "bar"})
	require.Equal(t, map[string]string{"source_unit": KeyQuantity}, plant.Problems(bad))
	odd := plant.Fill(Rule{ExternalTag: "t", Asset: "P-1", Metric: "disp", SourceUnit: "mm"})
	require.InDelta(t, 1, odd.Factor, 0, "what is not known is not converted")
	require.Empty(t, plant.Problems(odd))
	own := plant.Fill(Rule{ExternalTag: "t", Asset: "P-1", Metric: "temp", SourceUnit: "degF", Factor: 2, Shift: 3})
	require.InDelta(t, 2, own.Factor, 0, "a factor that was given stays")
}

// What the product makes itself is made once, kept, and shown only when the
// other side has to know it.
func TestDraftsMakeWhatIsAbsent(t *testing.T) {
	t.Parallel()
	const kind = "made-for-test"
	made := 0
	connector.Register(connector.Spec{Kind: kind, Fields: []connector.Field{
		{Key: "certificate", Type: connector.Text, Made: true, Lines: true}, {Key: "key", Type: connector.Password, Secret: true, Made: true, Lines: true, Required: true},
		{Key: "signing", Type: connector.Password, Secret: true, Made: true, Required: true}, {Key: "password", Type: connector.Password, Secret: true},
	}, Generate: func(config connector.Config, secrets connector.Secrets) error {
		if secrets["key"] == "" {
			made++
			config["certificate"], secrets["key"] = "public", "private"
		}
		if secrets["signing"] == "" {
			secrets["signing"] = "signing"
		}
		return nil
	}}, func(connector.Config, connector.Secrets, *net.Dialer) (connector.Connector, error) { return nil, nil })

	d := Draft{Kind: kind, Name: "n", Config: connector.Config{}, Secrets: connector.Secrets{"password": "p"}}
	require.Empty(t, d.Check(nil), "nobody enters what is made")
	shown, err := d.make(nil, nil)
	require.NoError(t, err)
	require.Equal(t, connector.Secrets{"signing": "signing"}, shown, "a private key is never shown")
	require.Equal(t, connector.Secrets{"password": "p", "key": "private", "signing": "signing"}, d.Secrets)
	require.Equal(t, "public", d.Config["certificate"])

	d = Draft{Kind: kind, Name: "n", Config: connector.Config{}}
	shown, err = d.make(connector.Config{"certificate": "public"}, connector.Secrets{"key": "private", "signing": "signing"})
	require.NoError(t, err)
	require.Empty(t, shown)
	require.Empty(t, d.Secrets)
	require.Equal(t, "public", d.Config["certificate"], "what was made is carried over")
	require.Equal(t, 1, made)

	require.Contains(t, Draft{Kind: kind, Name: "n", Forget: []string{"key"}}.Check(map[string]bool{"key": true}), "key")
	require.Empty(t, Draft{Kind: kind, Name: "n", Forget: []string{"password"}}.Check(map[string]bool{"password": true}))
}
