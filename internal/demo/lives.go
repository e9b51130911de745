package demo

import (
	_ "embed"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/connector/simulate"
)

//go:embed content/lives.json
var livesJSON []byte

// Life is a completed life of an asset before the one that is running.
type Life struct {
	ID      uuid.UUID
	EndedAt time.Time
	Days    float64
	Failed  bool        // otherwise renewed ahead of a failure
	Mode    FailureMode // by which it failed, or would have

	would float64 // the life that it would have had without the renewal, days
	onset float64 // days before that end in which the signals moved
	reach float64 // how far they went, 1 for the shares of the script
}

// lives mirrors lives.json.
type lives struct {
	Note         string                            `json:"note"`
	Counts       map[string]int                    `json:"counts"`
	Degradations map[string]map[string]degradation `json:"degradations"` // by template and mode
}

type degradation struct {
	LeastDays float64            `json:"least_days"`
	MostDays  float64            `json:"most_days"`
	Signals   map[string]float64 `json:"signals"` // share of the way to the alarm limit
}

// renewedEarly is the share of lives that a planned renewal ends, if the asset
// lives that long.
const renewedEarly = 0.35

// remember checks the script of past lives and gives it to the assets.
func (b *builder) remember(t *Tenant) error {
	for _, a := range t.Assets {
		a.lives = b.lives.Counts[a.Template]
		a.degradations = b.lives.Degradations[a.Template]
		for code, d := range a.degradations {
			if d.LeastDays <= 0 || d.MostDays < d.LeastDays {
				return fmt.Errorf("lives of %s: mode %s takes no time", a.Template, code)
			}
			for metric := range d.Signals {
				if _, ok := a.Signal(metric); !ok {
					return fmt.Errorf("lives of %s: no signal %s", a.Template, metric)
				}
			}
		}
	}
	return nil
}

// Lives returns the completed lives of an asset, newest first. They follow its
// Weibull life; some were renewed ahead of the failure. The running life began
// where the newest ended. The same asset and epoch always give the same lives.
func (t *Tenant) Lives(a *Asset, epoch time.Time) []Life {
	h := fnv.New64a()
	fmt.Fprint(h, t.Code, "/", a.Tag)
	rng := rand.New(rand.NewPCG(h.Sum64(), 11)) // #nosec G404 -- the same past every time
	end := epoch.UTC().Truncate(time.Second).Add(-days(a.EffectiveAgeDays))
	out := make([]Life, 0, a.lives)
	for i := range a.lives {
		life := a.live(rng)
		life.ID, life.EndedAt = identify(t.Code, "life", a.Tag, fmt.Sprint(i)), end
		end = end.Add(-days(life.Days))
		out = append(out, life)
	}
	return out
}

// live draws one life. Very short and very long ones are left to reality.
func (a *Asset) live(rng *rand.Rand) Life {
	share := 0.04 + 0.92*rng.Float64()
	life := Life{Failed: true, reach: 0.9 + 0.25*rng.Float64(), Mode: a.modeOf(rng.Float64())}
	life.would = a.Weibull.Eta * math.Pow(-math.Log1p(-share), 1/a.Weibull.Beta)
	life.Days = life.would
	planned := (0.65 + 0.35*rng.Float64()) * a.Weibull.Eta
	if rng.Float64() < renewedEarly && planned < life.would {
		life.Days, life.Failed = planned, false
	}
	onset := rng.Float64()
	if d, ok := a.degradations[life.Mode.Code]; ok {
		life.onset = min(d.LeastDays+onset*(d.MostDays-d.LeastDays), life.would)
	}
	return life
}

// modeOf picks a failure mode by its occurrence rating.
func (a *Asset) modeOf(share float64) FailureMode {
	total := 0
	for _, m := range a.FailureModes {
		total += m.Occurrence
	}
	at := share * float64(total)
	for _, m := range a.FailureModes {
		if at -= float64(m.Occurrence); at < 0 {
			return m
		}
	}
	return a.FailureModes[len(a.FailureModes)-1]
}

// Day is the summary of one signal over one UTC day.
type Day struct {
	Signal         *Signal
	Start          time.Time
	Mean, Min, Max float64
	Samples        int
}

// samplesPerDay of the past make a day's mean.
const samplesPerDay = 6

// Past returns, signal by signal and day by day, how an asset looked during
// its completed lives and its running one, up to the day before until. It is
// nil for an asset whose past has no telemetry.
func (t *Tenant) Past(a *Asset, epoch, until time.Time) []Day {
	if len(a.degradations) == 0 || a.lives == 0 {
		return nil
	}
	epoch = epoch.UTC().Truncate(time.Second)
	past := t.Lives(a, epoch)
	oldest := past[len(past)-1]
	first := oldest.EndedAt.Add(-days(oldest.Days)).Truncate(24 * time.Hour)
	last := until.UTC().Truncate(24 * time.Hour)
	var out []Day
	for _, s := range a.Signals {
		point := s.point
		point.Ramp = nil // the script of the running life
		generator := simulate.NewGenerator(point, t.seed(), epoch)
		healthy := (s.NormalLow + s.NormalHigh) / 2
		for day := first; day.Before(last); day = day.AddDate(0, 0, 1) {
			out = append(out, s.day(generator, day, a.worn(past, s, day)*(s.Alarm-healthy)))
		}
	}
	return out
}

// day summarises a day of a signal that has moved by shift.
func (s *Signal) day(g *simulate.Generator, start time.Time, shift float64) Day {
	d := Day{Signal: s, Start: start, Samples: samplesPerDay, Min: math.Inf(1), Max: math.Inf(-1)}
	for i := range samplesPerDay {
		v := g.AtUnix(start.Unix()+int64(i)*86400/samplesPerDay) + shift
		d.Mean += v / samplesPerDay
		d.Min, d.Max = min(d.Min, v), max(d.Max, v)
	}
	return d
}

// worn is how far a signal had moved towards its alarm limit on a day. Damage
// accelerates as in the scripted episodes.
func (a *Asset) worn(past []Life, s *Signal, day time.Time) float64 {
	for _, l := range past {
		began := l.EndedAt.Add(-days(l.Days))
		if day.Before(began) || !day.Before(l.EndedAt) || l.onset == 0 {
			continue
		}
		left := l.would - day.Sub(began).Hours()/24
		if x := 1 - left/l.onset; x > 0 {
			return math.Pow(x, 1.6) * l.reach * a.degradations[l.Mode.Code].Signals[s.Metric]
		}
		return 0
	}
	return 0
}

func days(n float64) time.Duration { return time.Duration(n * 24 * float64(time.Hour)) }
