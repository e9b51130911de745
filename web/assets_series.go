package web

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
)

// seriesRange is a look back of the timeline.
type seriesRange struct {
	Name string
	Span time.Duration
}

const oneDay = 24 * time.Hour

var seriesRanges = []seriesRange{{"24h", oneDay}, {"7d", 7 * oneDay}, {"30d", 30 * oneDay}, {"90d", 90 * oneDay}, {"1y", 365 * oneDay}}

// rangeOf finds a range by name, a week when there is none of the name.
func rangeOf(name string) seriesRange {
	for _, x := range seriesRanges {
		if x.Name == name {
			return x
		}
	}
	return seriesRanges[1]
}

// seriesPoints is how many steps a timeline has at most.
const seriesPoints = 750

// seriesSteps are the widths of one step; the last also serves what is longer
// than a year.
var seriesSteps = []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, oneDay}

// shortestWindow and longestWindow bound what zooming may ask for.
const (
	shortestWindow = 10 * time.Minute
	longestWindow  = 800 * oneDay
)

// window is a stretch of time in steps of equal width.
type window struct {
	from, to time.Time
	step     time.Duration
}

// newWindow covers [from, to) with the narrowest step that needs no more than
// seriesPoints.
func newWindow(from, to time.Time) window {
	w := window{step: seriesSteps[len(seriesSteps)-1]}
	for _, step := range slices.Backward(seriesSteps) {
		if to.Sub(from) <= seriesPoints*step {
			w.step = step
		}
	}
	w.from = from.Truncate(w.step)
	w.to = to.Add(w.step - 1).Truncate(w.step)
	return w
}

// windowOf reads the window from an address: from and to in Unix seconds, as
// zooming asks, else a range that ends now.
func windowOf(q url.Values, now time.Time) window {
	from, errFrom := strconv.ParseInt(q.Get("from"), 10, 64)
	to, errTo := strconv.ParseInt(q.Get("to"), 10, 64)
	if errFrom == nil && errTo == nil && from > 0 && to > from && to <= now.Add(oneDay).Unix() {
		begin, end := time.Unix(from, 0).UTC(), time.Unix(to, 0).UTC()
		if span := end.Sub(begin); span < shortestWindow {
			begin, end = begin.Add((span-shortestWindow)/2), end.Add((shortestWindow-span)/2)
		}
		if end.Sub(begin) > longestWindow {
			begin = end.Add(-longestWindow)
		}
		return newWindow(begin, end)
	}
	return newWindow(now.Add(-rangeOf(q.Get("range")).Span), now)
}

// timeline is the answer of series.json, as the page's script draws it. Times
// are Unix seconds; a value is null where nothing was measured.
type timeline struct {
	From   int64          `json:"from"`
	To     int64          `json:"to"`
	Step   int64          `json:"step"`
	Time   []int64        `json:"time"`
	Series []timelineLine `json:"series"`
	Limits []trendLimit   `json:"limits"`
	Spans  []timelineSpan `json:"spans"`
	Index  *timelineIndex `json:"index"`
}

// timelineLine is one curve: Kind is mean, low, high or expected.
type timelineLine struct {
	Kind   string     `json:"kind"`
	Label  string     `json:"label"`
	Unit   string     `json:"unit"`
	Values []*float64 `json:"values"`
}

// trendLimit is a limit of the signal: Kind is warn or alarm, Low says that
// values below it are the bad ones.
type trendLimit struct {
	Label string  `json:"label"`
	Kind  string  `json:"kind"`
	Value float64 `json:"value"`
	Low   bool    `json:"low"`
}

// seriesRows is what the timeline of one signal is drawn from.
type seriesRows struct {
	signal   db.Signal
	bands    []db.Band
	expected []db.ExpectedValuesRow
	index    []db.AnomalyBandsRow
	episodes []episode
}

// assetSeries answers the timeline of one signal of an asset: mean, least and
// greatest of each step, so that peaks stay visible, the value the detector
// expected, its index and its episodes.
func (s *Server) assetSeries(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	number, err := strconv.ParseInt(r.URL.Query().Get("signal"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "error.404.text")
	}
	span := windowOf(r.URL.Query(), time.Now())
	var x seriesRows
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if x.signal, err = q.GetSignal(ctx, tx, tenant, number); err != nil {
			return err
		}
		if x.signal.AssetID != id {
			return fault.New(fault.NotFound, "error.404.text")
		}
		return x.load(ctx, tx, q, tenant, span)
	})
	if err != nil {
		return err
	}
	body, err := json.Marshal(newTimeline(s.render.Page(r), x, span))
	if err != nil {
		return fmt.Errorf("encode series: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-store")
	_, err = w.Write(body)
	return err
}

func (x *seriesRows) load(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, w window) error {
	all, err := db.ReadBands(ctx, tx, tenant, []int64{x.signal.ID}, w.from, w.to, w.step)
	if err != nil {
		return err
	}
	x.bands = all[x.signal.ID]
	x.expected, err = q.ExpectedValues(ctx, tx, db.ExpectedValuesParams{TenantID: tenant, AssetID: x.signal.AssetID, Metric: x.signal.Metric,
		Since: w.from, Until: w.to, StepSeconds: max(w.step, w.to.Sub(w.from)/expectedPoints).Seconds()})
	if err != nil {
		return err
	}
	if x.index, err = q.AnomalyBands(ctx, tx, db.AnomalyBandsParams{TenantID: tenant, AssetID: x.signal.AssetID, Since: w.from, Until: w.to, StepSeconds: w.step.Seconds()}); err != nil {
		return err
	}
	x.episodes, err = readEpisodes(ctx, tx, q, tenant, x.signal.AssetID, w)
	return err
}

// newTimeline lays the rows out as columns of one time axis. A step in which
// nothing was measured for longer than the signal's own rhythm breaks the line.
func newTimeline(p Page, x seriesRows, w window) timeline {
	out := timeline{From: w.from.Unix(), To: w.to.Unix(), Step: int64(w.step.Seconds()), Limits: limitsOf(p, x.signal), Spans: spansOf(p, x.episodes), Index: indexOf(p, x.index)}
	at := map[int64]*[4]*float64{} // mean, low, high, expected of a step
	step := func(t time.Time) *[4]*float64 {
		key := t.Truncate(w.step).Unix()
		if at[key] == nil {
			at[key] = new([4]*float64)
			out.Time = append(out.Time, key)
		}
		return at[key]
	}
	gap := 2*max(w.step, time.Duration(x.signal.PeriodSeconds)*time.Second, rhythm(x.bands)) + time.Second
	for i := range x.bands {
		b := &x.bands[i]
		if i > 0 && b.Start.Sub(x.bands[i-1].Start) > gap {
			step(x.bands[i-1].Start.Add(w.step))
		}
		v := step(b.Start)
		v[0], v[1], v[2] = &b.Mean, &b.Min, &b.Max
	}
	for i := range x.expected {
		step(x.expected[i].AsOf)[3] = &x.expected[i].Expected
	}
	slices.Sort(out.Time)
	unit := unitSign(x.signal.Unit)
	out.Series = []timelineLine{
		{Kind: "mean", Label: localName(p.Lang, x.signal.NameAr, x.signal.NameEn), Unit: unit}, {Kind: "low", Label: p.T("assets.trend.min")},
		{Kind: "high", Label: p.T("assets.trend.max")}, {Kind: "expected", Label: p.T("assets.expected")},
	}
	if len(x.expected) == 0 {
		out.Series = out.Series[:3]
	}
	for _, t := range out.Time {
		for i := range out.Series {
			out.Series[i].Values = append(out.Series[i].Values, at[t][i])
		}
	}
	return out
}

// rhythm is the usual distance of readings: the median of the distances of
// steps that have one. History may be sparser than what the signal sends today.
func rhythm(bands []db.Band) time.Duration {
	if len(bands) < 3 {
		return 0
	}
	apart := make([]time.Duration, len(bands)-1)
	for i := range apart {
		apart[i] = bands[i+1].Start.Sub(bands[i].Start)
	}
	slices.Sort(apart)
	return apart[(len(apart)-1)/2]
}

// limitsOf are the warning and alarm limits of a signal that somebody has set.
func limitsOf(p Page, g db.Signal) []trendLimit {
	out := []trendLimit{}
	for _, x := range []struct {
		kind  string
		value *float64
	}{{"warn", g.Warn}, {"alarm", g.Alarm}} {
		if x.value != nil {
			out = append(out, trendLimit{p.T("assets.limit." + x.kind), x.kind, *x.value, asset.Sense(g.Sense) == asset.SenseLow})
		}
	}
	slices.SortFunc(out, func(a, b trendLimit) int { return cmp.Compare(a.Kind, b.Kind) })
	return out
}
