package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// seriesRange is a look back of the trend chart: its length and the width of
// one point, about 350 points in all.
type seriesRange struct {
	Name         string
	Days         int
	Span, Bucket time.Duration
}

var seriesRanges = []seriesRange{
	{"7d", 7, 7 * 24 * time.Hour, 30 * time.Minute},
	{"30d", 30, 30 * 24 * time.Hour, 2 * time.Hour},
	{"90d", 90, 90 * 24 * time.Hour, 6 * time.Hour},
}

// rangeOf finds a range by name, the shortest when there is none of the name.
func rangeOf(name string) seriesRange {
	for _, x := range seriesRanges {
		if x.Name == name {
			return x
		}
	}
	return seriesRanges[0]
}

// trend is the answer of series.json, as the page's script draws it.
type trend struct {
	Time   []int64      `json:"time"` // Unix seconds
	Series []trendLine  `json:"series"`
	Limits []trendLimit `json:"limits"`
}

type trendLine struct {
	Label  string     `json:"label"`
	Unit   string     `json:"unit"`
	Values []*float64 `json:"values"` // null where nothing was measured
}

type trendLimit struct {
	Label string  `json:"label"`
	Value float64 `json:"value"`
}

// assetSeries answers the points of one signal of an asset: mean, least and
// greatest of each step, so that peaks stay visible.
func (s *Server) assetSeries(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	number, err := strconv.ParseInt(r.URL.Query().Get("signal"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "error.404.text")
	}
	span := rangeOf(r.URL.Query().Get("range"))
	var signal db.Signal
	var bands []db.Band
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if signal, err = q.GetSignal(ctx, tx, tenant, number); err != nil {
			return err
		}
		if signal.AssetID != id {
			return fault.New(fault.NotFound, "error.404.text")
		}
		to := time.Now().Truncate(span.Bucket).Add(span.Bucket)
		all, err := db.ReadMinMax(ctx, tx, tenant, []int64{number}, to.Add(-span.Span), to, span.Bucket)
		bands = all[number]
		return err
	})
	if err != nil {
		return err
	}
	body, err := json.Marshal(newTrend(s.render.Page(r), signal, bands, span.Bucket))
	if err != nil {
		return fmt.Errorf("encode series: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-store")
	_, err = w.Write(body)
	return err
}

// newTrend lays bands out as columns. A step in which nothing was measured
// for longer than the signal's own rhythm breaks the line.
func newTrend(p Page, signal db.Signal, bands []db.Band, bucket time.Duration) trend {
	unit := unitSign(signal.Unit)
	mean, low, high := trendLine{Label: localName(p.Lang, signal.NameAr, signal.NameEn), Unit: unit},
		trendLine{Label: p.T("assets.trend.min")}, trendLine{Label: p.T("assets.trend.max")}
	out := trend{Time: []int64{}, Limits: []trendLimit{}}
	gap := 2*max(bucket, time.Duration(signal.PeriodSeconds)*time.Second) + time.Second
	for i, b := range bands {
		if i > 0 && b.Start.Sub(bands[i-1].Start) > gap {
			out.Time = append(out.Time, bands[i-1].Start.Add(bucket).Unix())
			mean.Values, low.Values, high.Values = append(mean.Values, nil), append(low.Values, nil), append(high.Values, nil)
		}
		out.Time = append(out.Time, b.Start.Unix())
		mean.Values, low.Values, high.Values = append(mean.Values, &b.Mean), append(low.Values, &b.Min), append(high.Values, &b.Max)
	}
	out.Series = []trendLine{mean, low, high}
	if signal.Warn != nil {
		out.Limits = append(out.Limits, trendLimit{p.T("assets.limit.warn"), *signal.Warn})
	}
	if signal.Alarm != nil {
		out.Limits = append(out.Limits, trendLimit{p.T("assets.limit.alarm"), *signal.Alarm})
	}
	return out
}
