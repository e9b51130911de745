package integration

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
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
		for tag, want := range tags {
			found, ok := Suggest(tag, targets)
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
	_, ok := Suggest(Tag{Address: "ns=2;s=OTHER.P999.VIB", Unit: "mm/s"}, []db.MappingTargetsRow{{Tag: "RML-P-401A", Metric: "vib", Unit: "mm/s"}})
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
		IntegrationMapping: db.IntegrationMapping{ExternalTag: "=cmd|' /C calc'!A0", SourceUnit: "in/s", Factor: 25.4, Shift: -0.5}}}))
	require.Contains(t, b.String(), "'=cmd", "a spreadsheet must not run it")
	lines, err := ReadRules(strings.NewReader("\ufeff" + b.String()))
	require.NoError(t, err)
	require.Equal(t, []Line{{2, Rule{ExternalTag: "=cmd|' /C calc'!A0", Asset: "P-1", Component: "bearing, DE", Metric: "vib", Unit: "mm/s", SourceUnit: "in/s", Factor: 25.4, Shift: -0.5}}}, lines)
	lines, err = ReadRules(strings.NewReader("external_tag,asset,metric,factor,shift\na,P-1,vib,,\nb,P-1,vib,one,two\n"))
	require.NoError(t, err)
	require.Empty(t, lines[0].Rule.Check())
	require.Len(t, lines[1].Rule.Check(), 2)
}
