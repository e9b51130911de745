package demo

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/connector/simulate"
)

// Integration is a simulated source of a tenant.
type Integration struct {
	ID       uuid.UUID
	Code     string
	Kind     string // registered kind of the connector
	Flavour  simulate.Flavour
	Name     Text
	Endpoint string
	// AssetIDs names the assets that the source knows as records of its own,
	// asset tag to external identifier.
	AssetIDs map[string]string

	script integrationScript
}

type integrationScript struct {
	Code     string           `json:"code"`
	Flavour  simulate.Flavour `json:"flavour"`
	Endpoint string           `json:"endpoint"`
	// Sites makes the integration carry every signal of these sites that no
	// other one picks; Picks names metrics per template instead.
	Sites         []string            `json:"sites"`
	Picks         map[string][]string `json:"picks"`
	Pattern       string              `json:"pattern"`
	PeriodSeconds int64               `json:"period_seconds"`
	AssetIDs      *struct {
		Base   int    `json:"base"`
		Prefix string `json:"prefix"`
	} `json:"asset_ids"`
	Fault *faultScript `json:"fault"`
	Text
}

// faultScript is a deliberate fault relative to the epoch.
type faultScript struct {
	Kind            simulate.FaultKind `json:"kind"`
	Asset           string             `json:"asset"`
	Metric          string             `json:"metric"`        // empty: every signal of the asset
	StartSeconds    int64              `json:"start_seconds"` // from the epoch
	DurationSeconds int64              `json:"duration_seconds"`
	EverySeconds    int64              `json:"every_seconds"`
	LagSeconds      int64              `json:"lag_seconds"`
	Factor          float64            `json:"factor"`
	Unit            string             `json:"unit"`
}

// integrate adds the integrations and decides which one carries each signal.
func (b *builder) integrate(t *Tenant, scripts []integrationScript) error {
	for _, script := range scripts {
		in := &Integration{ID: identify(t.Code, "integration", script.Code), Code: script.Code, Kind: simulate.Kind, Flavour: script.Flavour,
			Name: script.Text, Endpoint: script.Endpoint, AssetIDs: map[string]string{}, script: script}
		if ids := script.AssetIDs; ids != nil {
			for i, a := range t.Assets {
				in.AssetIDs[a.Tag] = ids.Prefix + a.Tag
				if ids.Base > 0 {
					in.AssetIDs[a.Tag] = strconv.Itoa(ids.Base + i)
				}
			}
		}
		t.Integrations = append(t.Integrations, in)
	}
	for _, a := range t.Assets {
		for _, s := range a.Signals {
			in := t.carrier(a, s.Metric)
			if in == nil {
				return fmt.Errorf("signal %s/%s: no integration carries it", a.Tag, s.Metric)
			}
			s.Integration, s.ExternalTag = in.Code, b.externalTag(in, a, s.Metric)
			if in.script.PeriodSeconds > 0 {
				s.Period = time.Duration(in.script.PeriodSeconds) * time.Second
			}
			s.point = b.point(a, s)
		}
	}
	return nil
}

// carrier prefers an integration that picks the metric over one that takes the
// whole site.
func (t *Tenant) carrier(a *Asset, metric string) *Integration {
	for _, in := range t.Integrations {
		if slices.Contains(in.script.Picks[a.Template], metric) {
			return in
		}
	}
	for _, in := range t.Integrations {
		if slices.Contains(in.script.Sites, a.SiteCode) {
			return in
		}
	}
	return nil
}

// externalTag fills the pattern of the integration.
func (b *builder) externalTag(in *Integration, a *Asset, metric string) string {
	short := strings.ReplaceAll(strings.TrimPrefix(a.Tag, a.SiteCode+"-"), "-", "")
	name, number, _ := strings.Cut(strings.TrimPrefix(a.Tag, a.SiteCode+"-"), "-")
	return strings.NewReplacer(
		"{site}", a.SiteCode, "{tag}", a.Tag, "{asset}", short, "{asset0}", name+strings.TrimLeft(number, "0"),
		"{metric}", metric, "{METRIC}", strings.ToUpper(strings.ReplaceAll(metric, "_", ".")),
		"{pi}", b.org.PIPoints[metric], "{equipment}", in.AssetIDs[a.Tag],
	).Replace(in.script.Pattern)
}

// Integration returns the integration of a code.
func (t *Tenant) Integration(code string) (*Integration, bool) {
	for _, in := range t.Integrations {
		if in.Code == code {
			return in, true
		}
	}
	return nil, false
}

// Settings returns the configuration of an integration whose scripted episodes
// end at the epoch. Choose the epoch once, when seeding: the values of every
// instant depend on it.
func (t *Tenant) Settings(code string, epoch time.Time) (simulate.Settings, error) {
	in, ok := t.Integration(code)
	if !ok {
		return simulate.Settings{}, fmt.Errorf("tenant %s has no integration %s", t.Code, code)
	}
	epoch = epoch.UTC().Truncate(time.Second)
	settings := simulate.Settings{Flavour: in.Flavour, Endpoint: in.Endpoint, Seed: t.seed(), Epoch: epoch,
		HistoryPeriodSeconds: int64(historyPeriod / time.Second), Fault: t.fault(in, epoch)}
	for _, a := range t.Assets {
		for _, s := range a.Signals {
			if s.Integration == code {
				settings.Points = append(settings.Points, s.point)
			}
		}
	}
	return settings, nil
}

// seed differs between tenants and fits a JSON number exactly.
func (t *Tenant) seed() int64 {
	return int64(t.ID[0])<<24 | int64(t.ID[1])<<16 | int64(t.ID[2])<<8 | int64(t.ID[3])
}

func (t *Tenant) fault(in *Integration, epoch time.Time) *simulate.Fault {
	f := in.script.Fault
	if f == nil {
		return nil
	}
	fault := &simulate.Fault{Kind: f.Kind, DurationSeconds: f.DurationSeconds, EverySeconds: f.EverySeconds,
		LagSeconds: f.LagSeconds, Factor: f.Factor, Unit: f.Unit, StartUnix: epoch.Unix() + f.StartSeconds}
	if a, ok := t.Asset(f.Asset); ok {
		for _, s := range a.Signals {
			if s.Integration == in.Code && (f.Metric == "" || f.Metric == s.Metric) {
				fault.Tags = append(fault.Tags, s.ExternalTag)
			}
		}
	}
	return fault
}

// point describes a signal to the simulator, with its part in the story.
func (b *builder) point(a *Asset, s *Signal) simulate.Point {
	p := simulate.Point{Tag: s.ExternalTag, Path: a.SiteCode + "/" + a.Tag, Name: s.Metric, Asset: a.Tag, Unit: s.Unit,
		Low: s.NormalLow, High: s.NormalHigh, PeriodSeconds: int64(s.Period / time.Second), LoadGain: b.org.LoadGains[s.Metric]}
	if perDay, counter := b.org.Counters[s.Metric]; counter {
		// A counter stands where the age of the asset puts it, well below its limit.
		level := math.Min(0.8*s.NormalHigh, a.EffectiveAgeDays*perDay)
		p.Counter, p.PerDay, p.Level = true, perDay, &level
	}
	if a.Episode == nil {
		return p
	}
	for _, effect := range a.Episode.Secondary {
		if effect.Metric == s.Metric {
			p.Ramp = &simulate.Ramp{Rise: effect.Rise, Days: a.Episode.Days}
		}
	}
	if a.Episode.Metric == s.Metric {
		level := a.Episode.From
		if p.Counter {
			// The ordinary count during the episode is part of its rise.
			level += p.PerDay * a.Episode.Days
		}
		p.Level = &level
		p.Ramp = &simulate.Ramp{Rise: a.Episode.To - level, Days: a.Episode.Days, Steps: a.Episode.Steps}
	}
	return p
}
