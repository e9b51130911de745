package backtest

import (
	"slices"
	"time"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/reliability"
)

// Ending is the end of a life as it is recorded. Known is since when it was
// known: a life that was entered later than it ended tells nothing about
// decisions made before.
type Ending struct {
	AssetID string
	Class   string
	Ended   time.Time
	Days    float64
	Failed  bool
	Known   time.Time
}

// Change is a change of the planning life of an asset that was made at a
// moment; Before is what stood there until then.
type Change struct {
	AssetID string
	At      time.Time
	Before  asset.Weibull
}

// Facts are the recorded past of a plant, for asking what was known when.
type Facts struct {
	Endings []Ending
	Changes []Change
	// Began is when the oldest life that anything is known of began, by asset:
	// its installation, or the beginning of the life that runs today where no
	// other is recorded. An asset is not planned before.
	Began map[string]time.Time
}

// LifeAt returns the planning life that stood at a moment: today's, with the
// changes after that moment undone.
func (f Facts) LifeAt(assetID string, today asset.Weibull, at time.Time) asset.Weibull {
	found := -1
	for i, c := range f.Changes {
		if c.AssetID == assetID && c.At.After(at) && (found < 0 || c.At.Before(f.Changes[found].At)) {
			found = i
		}
	}
	if found < 0 {
		return today
	}
	return f.Changes[found].Before
}

// FittedLife is the planning life of an asset for a decision at a moment: the
// Weibull life that the endings of its class known by then make most likely,
// or the planning life that stood then where they are too few for a fit or do
// not speak against it.
func (f Facts) FittedLife(assetID, class string, today asset.Weibull, at time.Time) asset.Weibull {
	standing := f.LifeAt(assetID, today, at)
	var h reliability.History
	for _, e := range f.Endings {
		switch {
		case e.Class != class || e.Ended.After(at) || e.Known.After(at):
		case e.Failed:
			h.Failures = append(h.Failures, e.Days)
		default:
			h.Censored = append(h.Censored, e.Days)
		}
	}
	fit, err := reliability.Propose(h, standing)
	if err != nil || fit.PresentSupported {
		return standing
	}
	return asset.Weibull{Beta: fit.Beta, Eta: fit.EtaDays}
}

// AgeAt returns the age of an asset at a moment, days, since the last ending
// that was known then, or since it began; ok is false before that.
func (f Facts) AgeAt(assetID string, at time.Time) (days float64, ok bool) {
	began := f.Began[assetID]
	for _, e := range f.Endings {
		if e.AssetID == assetID && !e.Ended.After(at) && !e.Known.After(at) && e.Ended.After(began) {
			began = e.Ended
		}
	}
	if began.IsZero() || began.After(at) {
		return 0, false
	}
	return at.Sub(began).Hours() / 24, true
}

func (e Ending) began() time.Time {
	return e.Ended.Add(-time.Duration(e.Days * 24 * float64(time.Hour)))
}

// Lives lists the lives that really happened, the running ones among them, by
// beginning. The oldest recorded life of an asset is left out: before its end
// nothing was known of it, so no plan could have been made.
func (f Facts) Lives(assets []string) []Life {
	var lives []Life
	for _, id := range assets {
		var own []Ending
		for _, e := range f.Endings {
			if e.AssetID == id {
				own = append(own, e)
			}
		}
		slices.SortStableFunc(own, func(a, b Ending) int { return a.Ended.Compare(b.Ended) })
		began := f.Began[id]
		for i, e := range own {
			if i > 0 {
				lives = append(lives, Life{AssetID: id, Began: e.began(), Ended: e.Ended, Failed: e.Failed})
			}
			began = e.Ended
		}
		if !began.IsZero() {
			lives = append(lives, Life{AssetID: id, Began: began})
		}
	}
	slices.SortStableFunc(lives, func(a, b Life) int { return a.Began.Compare(b.Began) })
	return lives
}
