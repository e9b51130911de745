package api

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/asset"
)

// Sample is one reading as stored; the value is absent where the source sent
// none.
type Sample struct {
	Time    time.Time `json:"time"`
	Value   *float64  `json:"value,omitempty"`
	Quality string    `json:"quality" enum:"good,uncertain,bad"`
}

// Band is one step of a chart: range and mean of its usable readings.
type Band struct {
	Start   time.Time `json:"start"`
	Min     float64   `json:"min"`
	Mean    float64   `json:"mean"`
	Max     float64   `json:"max"`
	Count   int64     `json:"count"`
	Quality string    `json:"quality" doc:"The worst among the readings" enum:"good,uncertain"`
}

// Gap is a stretch without a usable reading for more than three periods of the
// signal.
type Gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Series is a window of one signal: samples of kind raw, or bands and gaps.
type Series struct {
	SignalID    int64     `json:"signal_id"`
	Unit        string    `json:"unit"`
	Kind        string    `json:"kind"`
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	StepSeconds float64   `json:"step_seconds,omitempty" doc:"Width of a band"`
	Samples     []Sample  `json:"samples,omitempty"`
	Bands       []Band    `json:"bands,omitempty"`
	Gaps        []Gap     `json:"gaps,omitempty"`
	Next        string    `json:"next,omitempty" doc:"Raw: pass as cursor to get the next page"`
}

// SeriesInput names a window of one signal.
type SeriesInput struct {
	ID     int64     `path:"id" minimum:"1" doc:"Number of the signal"`
	From   time.Time `query:"from" required:"false" doc:"Begin; a day before the end when left out"`
	To     time.Time `query:"to" required:"false" doc:"End, not included; now when left out"`
	Kind   string    `query:"kind" enum:"raw,bands" default:"bands" doc:"Readings as stored, or reduced to range and mean"`
	Points int       `query:"points" minimum:"1" maximum:"5000" default:"500" doc:"Bands: how many at most"`
	Limit  int       `query:"limit" minimum:"1" maximum:"10000" default:"1000" doc:"Raw: readings of one page"`
	Cursor string    `query:"cursor" maxLength:"200" doc:"Raw: the next value of the page before"`
}

// longestSeries bounds the window of one answer.
const longestSeries = 800 * 24 * time.Hour

// window returns the bounds of the window, from where the page before ended.
func (in *SeriesInput) window(ctx context.Context, now time.Time) (from, to time.Time, err error) {
	from, to = in.From.UTC(), in.To.UTC()
	if in.To.IsZero() {
		to = now.UTC()
	}
	if in.From.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	if span := to.Sub(from); span <= 0 || span > longestSeries {
		return from, to, newProblem(ctx, http.StatusUnprocessableEntity, "api.period_days")
	}
	parts, err := Paging{Cursor: in.Cursor}.parts(ctx, 1)
	if parts == nil || err != nil {
		return from, to, err
	}
	next, err := time.Parse(time.RFC3339Nano, parts[0])
	if err != nil || next.Before(from) {
		return from, to, badCursor(ctx)
	}
	return next, to, nil
}

func (a *API) getSeries(ctx context.Context, who access.Principal, in *SeriesInput) (*answer[Series], error) {
	from, to, err := in.window(ctx, time.Now())
	if err != nil {
		return nil, err
	}
	out := Series{SignalID: in.ID, Kind: in.Kind, From: from, To: to}
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		signal, err := q.GetSignal(ctx, tx, who.TenantID, in.ID)
		if err != nil {
			return err
		}
		out.Unit = signal.Unit
		if in.Kind == "raw" {
			samples, next, err := db.ReadPage(ctx, tx, signal, from, to, in.Limit)
			out.addSamples(samples, next)
			return err
		}
		chart, err := db.ReadChart(ctx, tx, signal, from, to, in.Points)
		out.addChart(chart)
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

func (s *Series) addSamples(samples []asset.Reading, next *time.Time) {
	s.Samples = make([]Sample, len(samples))
	for i, r := range samples {
		s.Samples[i] = Sample{Time: r.Time.UTC(), Quality: qualityName(int16(r.Quality))}
		if !math.IsNaN(r.Value) {
			s.Samples[i].Value = &r.Value
		}
	}
	if next != nil {
		s.Next = cursorOf(next.Format(time.RFC3339Nano))
	}
}

func (s *Series) addChart(c db.Chart) {
	s.From, s.To, s.StepSeconds = c.From, c.To, c.Step.Seconds()
	s.Bands = make([]Band, len(c.Bands))
	for i, b := range c.Bands {
		s.Bands[i] = Band{b.Start.UTC(), b.Min, b.Mean, b.Max, b.Count, qualityName(int16(b.Quality))}
	}
	for _, g := range c.Gaps {
		s.Gaps = append(s.Gaps, Gap(g))
	}
}

// qualityName is the word of a quality.
func qualityName(q int16) string {
	return [...]string{"good", "uncertain", "bad"}[min(max(q, 0), 2)]
}
