package demo

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/simulate"
)

var epoch = time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)

func load(t *testing.T) *Content {
	t.Helper()
	content, err := Load()
	require.NoError(t, err)
	return content
}

func TestCounts(t *testing.T) {
	t.Parallel()
	content := load(t)
	require.Equal(t, Counts{Tenants: 3, Sites: 9, Assets: 38, Components: 157, FailureModes: 166, Signals: 225}, content.Counts())
	require.Contains(t, content.Disclaimer, "synthetic")
}

func TestIdentifiersAreStableAndUnique(t *testing.T) {
	t.Parallel()
	content := load(t)
	seen := map[uuid.UUID]string{}
	add := func(id uuid.UUID, what string) {
		require.Equal(t, uuid.Version(5), id.Version(), what)
		require.Empty(t, seen[id], "%s and %s share an identifier", what, seen[id])
		seen[id] = what
	}
	numbers := map[int64]bool{}
	for _, tenant := range content.Tenants {
		add(tenant.ID, tenant.Code)
		for _, x := range tenant.Sites {
			add(x.ID, x.Code)
		}
		for _, x := range tenant.Units {
			add(x.ID, tenant.Code+x.SiteCode+x.Name.EN)
		}
		for _, x := range tenant.Crews {
			add(x.ID, tenant.Code+x.Code)
		}
		for i, x := range tenant.Technicians {
			add(x.ID, fmt.Sprint(tenant.Code, " technician ", i))
		}
		for _, x := range tenant.People {
			add(x.ID, x.Email)
		}
		for _, x := range tenant.Integrations {
			add(x.ID, tenant.Code+x.Code)
		}
		for _, x := range tenant.CostModels() {
			add(x.ID, fmt.Sprint(x.AssetID, x.Kind))
		}
		for _, a := range tenant.Assets {
			add(a.ID, a.Tag)
			for _, c := range a.Components {
				add(c.ID, a.Tag+c.Name.EN)
			}
			for _, m := range a.FailureModes {
				add(m.UUID, a.Tag+m.Code)
			}
			for _, s := range a.Signals {
				add(s.UUID, a.Tag+s.Metric)
				require.False(t, numbers[s.ID])
				numbers[s.ID] = true
			}
		}
	}
	require.Len(t, numbers, 225)
	// A change here means that re-seeding would duplicate every row.
	tenant, _ := content.Tenant("ARAMCO_DEMO")
	a, _ := tenant.Asset("RML-P-401A")
	require.Equal(t, "925466f8-a5c2-55cb-a3be-af18c0d4c6b5", a.ID.String())
}

func TestReferencesHold(t *testing.T) {
	t.Parallel()
	for _, tenant := range load(t).Tenants {
		t.Run(tenant.Code, func(t *testing.T) {
			t.Parallel()
			require.Len(t, tenant.Integrations, 3)
			require.Len(t, tenant.Presets, 2)
			require.Len(t, tenant.People, 4)
			require.NotEmpty(t, tenant.ServiceAccounts)
			grouped := map[string]int{}
			for _, g := range tenant.Groups {
				require.LessOrEqual(t, g.Needed, g.Installed, g.Code)
				require.LessOrEqual(t, len(g.Members), g.Installed, g.Code)
				for _, tag := range g.Members {
					a, ok := tenant.Asset(tag)
					require.True(t, ok, tag)
					require.Equal(t, g.Site, a.SiteCode)
					grouped[tag]++
				}
			}
			for _, a := range tenant.Assets {
				require.Equal(t, 1, grouped[a.Tag], "%s must be in one redundancy group", a.Tag)
				require.True(t, slices.ContainsFunc(tenant.Skills, func(s Skill) bool { return s.Code == a.SkillCode }), a.Tag)
				require.True(t, slices.ContainsFunc(tenant.Units, func(u Unit) bool { return u.ID == a.UnitID }), a.Tag)
				require.GreaterOrEqual(t, a.HazardMultiplier, 1.0)
				require.Equal(t, a.Episode != nil, a.HazardMultiplier > 1, a.Tag)
				for _, m := range a.FailureModes {
					_, known := a.Signal(m.Metric)
					require.True(t, m.Metric == "" || known, "%s %s names %s", a.Tag, m.Code, m.Metric)
					require.Len(t, m.Code, 3)
				}
			}
			for _, limit := range tenant.TrainLimits {
				for _, train := range limit.Trains {
					for _, tag := range train {
						_, ok := tenant.Asset(tag)
						require.True(t, ok, tag)
					}
				}
			}
		})
	}
}

func TestMoneyAgreesWithThePlan(t *testing.T) {
	t.Parallel()
	var source struct {
		Tenants map[string]struct {
			Assets []struct {
				Tag     string
				Derived struct {
					Planned float64 `json:"planned_job_cost_sar"`
					Failure float64 `json:"failure_cost_sar"`
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(plantsJSON, &source))
	content := load(t)
	for code, plan := range source.Tenants {
		tenant, ok := content.Tenant(code)
		require.True(t, ok)
		for _, want := range plan.Assets {
			a, _ := tenant.Asset(want.Tag)
			require.InDelta(t, want.Derived.Planned, a.Cost.PlannedTotal(), 1, want.Tag)
			require.InDelta(t, want.Derived.Failure, a.Cost.FailureTotal(), 1, want.Tag)
		}
		require.Len(t, tenant.CostModels(), 3*len(tenant.Assets))
	}
}

func TestStaff(t *testing.T) {
	t.Parallel()
	want := map[string]map[string][2]int{ // technicians, crews
		"ARAMCO_DEMO": {"rotating": {5, 2}, "static": {4, 1}, "gas_turbine": {8, 1}, "instrument": {3, 1}, "electrical": {3, 1}},
		"POWER_DEMO":  {"gas_turbine": {10, 2}, "steam_turbine": {8, 1}, "static": {5, 1}, "electrical": {5, 1}, "protection": {2, 1}},
		"WATER_DEMO":  {"membrane": {3, 1}, "rotating": {4, 1}, "process": {3, 1}, "electrical": {3, 1}},
	}
	for _, tenant := range load(t).Tenants {
		got, names := map[string][2]int{}, map[Text]bool{}
		for _, person := range tenant.Technicians {
			n := got[person.SkillCode]
			got[person.SkillCode] = [2]int{n[0] + 1, n[1]}
			require.False(t, names[person.Name], "%s twice", person.Name.EN)
			names[person.Name] = true
		}
		for _, crew := range tenant.Crews {
			n := got[crew.SkillCode]
			got[crew.SkillCode] = [2]int{n[0], n[1] + 1}
		}
		require.Equal(t, want[tenant.Code], got, tenant.Code)
		for _, person := range tenant.People {
			require.True(t, strings.HasSuffix(person.Email, ".example"), person.Email)
		}
	}
}

func TestNamesAreInBothLanguages(t *testing.T) {
	t.Parallel()
	arabic := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Arabic, r) })
	}
	for _, tenant := range load(t).Tenants {
		names := []Text{tenant.Name}
		for _, x := range tenant.Sites {
			names = append(names, x.Name)
		}
		for _, x := range tenant.Presets {
			names = append(names, x.Text)
		}
		for _, x := range tenant.Integrations {
			names = append(names, x.Name)
		}
		for _, x := range tenant.Groups {
			names = append(names, x.Text)
		}
		for _, x := range tenant.Crews {
			names = append(names, x.Name)
		}
		for _, a := range tenant.Assets {
			names = append(names, a.Name, a.ClassName)
			for _, s := range a.Signals {
				names = append(names, s.Name)
			}
			for _, m := range a.FailureModes {
				names = append(names, m.Name)
			}
			if a.Episode != nil {
				names = append(names, a.Episode.Story)
			}
		}
		for _, name := range names {
			require.NotEmpty(t, name.EN)
			require.False(t, arabic(name.EN), name.EN)
			require.True(t, arabic(name.AR), name.AR)
		}
	}
}

func TestExternalTags(t *testing.T) {
	t.Parallel()
	content := load(t)
	cases := []struct{ tenant, asset, metric, integration, tag string }{
		{"ARAMCO_DEMO", "RML-P-401A", "vib", "opcua-rml", "ns=2;s=RML.P401A.VIB"},
		{"ARAMCO_DEMO", "NKL-K-101", "dgs_vent", "pi-gas", "NKL:K101.DGS.FI_1203"},
		{"POWER_DEMO", "RFJ-GT11", "exh_spread", "opcua-fleet", "ns=3;s=GT11.EXH.SPREAD"},
		{"POWER_DEMO", "MRJ-AT1", "c2h4", "sql-dga", "dga_lab/MRJ-AT1/c2h4"},
		{"WATER_DEMO", "SHQ-RO-01", "ndp", "opcua-swro", "ns=2;s=RO1.NDP"},
		{"WATER_DEMO", "SHQ-RO-01", "sdi", "rest-lab", "lab/SHQ-RO-01/sdi"},
	}
	for _, c := range cases {
		tenant, _ := content.Tenant(c.tenant)
		a, _ := tenant.Asset(c.asset)
		s, ok := a.Signal(c.metric)
		require.True(t, ok)
		require.Equal(t, c.integration, s.Integration)
		require.Equal(t, c.tag, s.ExternalTag)
	}
	aramco, _ := content.Tenant("ARAMCO_DEMO")
	sap, _ := aramco.Integration("sap-pm")
	require.Equal(t, "10004711", sap.AssetIDs["NKL-K-101"])
	power, _ := content.Tenant("POWER_DEMO")
	eam, _ := power.Integration("oracle-eam")
	require.Equal(t, "EAM-RFJ-GT11", eam.AssetIDs["RFJ-GT11"])
}

func TestIntegrationsOpenAndCarryEverySignal(t *testing.T) {
	t.Parallel()
	for _, tenant := range load(t).Tenants {
		points := 0
		for _, in := range tenant.Integrations {
			settings, err := tenant.Settings(in.Code, epoch)
			require.NoError(t, err)
			config, err := settings.Config()
			require.NoError(t, err)
			opened, err := connector.Open(in.Kind, config, nil, nil)
			require.NoError(t, err, "%s %v", in.Code, connector.FieldErrors(err))
			require.NotEmpty(t, settings.Points)
			points += len(settings.Points)
			for _, step := range opened.(connector.Tester).Test(t.Context()) {
				require.True(t, step.OK, "%s %s", in.Code, step.Name)
			}
			if settings.Fault != nil {
				require.NotEmpty(t, settings.Fault.Tags, in.Code)
			}
		}
		signals := 0
		for _, a := range tenant.Assets {
			signals += len(a.Signals)
		}
		require.Equal(t, signals, points, tenant.Code)
	}
}

func TestEpisodesReachTheNumbersOfTheirStories(t *testing.T) {
	t.Parallel()
	told := 0
	for _, tenant := range load(t).Tenants {
		for _, a := range tenant.Assets {
			if a.Episode == nil {
				continue
			}
			told++
			s, _ := a.Signal(a.Episode.Metric)
			rise := a.Episode.To - a.Episode.From
			before := mean(t, tenant, s, epoch.Add(-time.Duration((a.Episode.Days+6)*24)*time.Hour), 6*24*time.Hour)
			now := mean(t, tenant, s, epoch.Add(-36*time.Hour), 48*time.Hour)
			later := mean(t, tenant, s, epoch.AddDate(0, 0, 30), 48*time.Hour)
			require.InDelta(t, a.Episode.From, before, 0.2*rise, "%s before", a.Tag)
			require.InDelta(t, a.Episode.To, now, 0.2*rise, "%s now", a.Tag)
			require.Greater(t, later, now, "%s creeps on", a.Tag)
			for _, effect := range a.Episode.Secondary {
				s, _ := a.Signal(effect.Metric)
				before := mean(t, tenant, s, epoch.AddDate(0, 0, -int(a.Episode.Days)-14), 14*24*time.Hour)
				now := mean(t, tenant, s, epoch.AddDate(0, 0, -1), 48*time.Hour)
				require.Greater(t, (now-before)/effect.Rise, 0.5, "%s %s", a.Tag, effect.Metric)
			}
		}
	}
	require.Equal(t, 10, told)
}

func mean(t *testing.T, tenant *Tenant, s *Signal, from time.Time, length time.Duration) float64 {
	t.Helper()
	readings := tenant.SignalHistory(nil, s, from, from.Add(length), epoch, 0)
	require.NotEmpty(t, readings)
	var sum float64
	for _, r := range readings {
		sum += r.Value
	}
	return sum / float64(len(readings))
}

func TestHistoryIsWhatTheConnectorsDeliver(t *testing.T) {
	t.Parallel()
	for _, tenant := range load(t).Tenants {
		from := epoch.AddDate(0, 0, -12)
		opened := map[string]*simulate.SimulatedConnector{}
		for _, in := range tenant.Integrations {
			settings, err := tenant.Settings(in.Code, epoch)
			require.NoError(t, err)
			opened[in.Code] = simulate.New(settings)
		}
		blocks := 0
		for s, readings := range tenant.History(from, epoch, epoch, 0) {
			blocks++
			batch, err := opened[s.Integration].Backfill(t.Context(), connector.PollRequest{
				Tags: []string{s.ExternalTag}, Since: from.Add(-time.Second), Until: epoch.Add(-time.Second)})
			require.NoError(t, err)
			require.Len(t, readings, len(batch.Readings), s.ExternalTag)
			for i, r := range batch.Readings {
				require.Equal(t, r.Time, readings[i].Time, s.ExternalTag)
				require.InDelta(t, r.Value, readings[i].Value, 1e-9, s.ExternalTag)
				require.Equal(t, r.Unit != s.Unit, readings[i].Quality == asset.Bad, s.ExternalTag)
			}
		}
		require.Positive(t, blocks)
	}
}

func TestFaultsShow(t *testing.T) {
	t.Parallel()
	content := load(t)
	power, _ := content.Tenant("POWER_DEMO")
	xf, _ := power.Asset("RFJ-XF11")
	gas, _ := xf.Signal("c2h4")
	readings := power.SignalHistory(nil, gas, epoch.AddDate(0, 0, -30), epoch, epoch, 0)
	require.GreaterOrEqual(t, epoch.Sub(readings[len(readings)-1].Time), 9*24*time.Hour)

	water, _ := content.Tenant("WATER_DEMO")
	ro, _ := water.Asset("SHQ-RO-02")
	pressure, _ := ro.Signal("feed_p")
	readings = water.SignalHistory(nil, pressure, epoch.AddDate(0, 0, -3), epoch, epoch, 0)
	require.Equal(t, asset.Good, readings[0].Quality)
	last := readings[len(readings)-1]
	require.Equal(t, asset.Bad, last.Quality)
	require.Greater(t, last.Value, 10*pressure.NormalHigh)

	aramco, _ := content.Tenant("ARAMCO_DEMO")
	settings, err := aramco.Settings("opcua-rml", epoch)
	require.NoError(t, err)
	tag := settings.Fault.Tags[0]
	batch, err := simulate.New(settings).Poll(t.Context(), connector.PollRequest{Tags: []string{tag},
		Since: epoch.Add(11 * time.Minute), Until: epoch.Add(20 * time.Minute)})
	require.NoError(t, err)
	require.Empty(t, batch.Readings, "silently dead")
}

func BenchmarkHistory(b *testing.B) {
	content, err := Load()
	require.NoError(b, err)
	tenant := content.Tenants[0]
	readings := 0
	for b.Loop() {
		for _, block := range tenant.History(epoch.AddDate(0, 0, -30), epoch, epoch, 0) {
			readings += len(block)
		}
	}
	b.ReportMetric(float64(readings)/b.Elapsed().Seconds(), "readings/s")
}
