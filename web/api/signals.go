package api

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// Signal is one measured quantity of an asset.
type Signal struct {
	ID            int64     `json:"id"`
	AssetID       uuid.UUID `json:"asset_id"`
	Asset         string    `json:"asset" doc:"Tag of the asset"`
	Metric        string    `json:"metric"`
	NameAr        string    `json:"name_ar"`
	NameEn        string    `json:"name_en"`
	Unit          string    `json:"unit"`
	NormalLow     *float64  `json:"normal_low,omitempty"`
	NormalHigh    *float64  `json:"normal_high,omitempty"`
	Warn          *float64  `json:"warn,omitempty"`
	Alarm         *float64  `json:"alarm,omitempty"`
	Sense         string    `json:"sense" doc:"The dangerous side: hi, lo or both"`
	PeriodSeconds int32     `json:"period_seconds" doc:"Expected time between readings"`
}

// Latest is the newest reading of a signal.
type Latest struct {
	SignalID int64 `json:"signal_id"`
	Sample
}

// Statistics summarises the usable readings of a signal: neither bad nor
// without a value. Without one there are no values; the spread is absent where
// only summaries without it are stored.
type Statistics struct {
	SignalID int64    `json:"signal_id"`
	Count    int64    `json:"count"`
	Mean     *float64 `json:"mean,omitempty"`
	SD       *float64 `json:"sd,omitempty" doc:"Standard deviation of the sample"`
	Min      *float64 `json:"min,omitempty"`
	Max      *float64 `json:"max,omitempty"`
	Bad      int64    `json:"bad" doc:"Readings that were left out"`
}

// StatisticsReport are the statistics of a page of signals over whole hours.
type StatisticsReport struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	List[Statistics]
}

// BySignal is what lists of signals take.
type BySignal struct {
	Asset  uuid.UUID `query:"asset" format:"uuid" required:"false" doc:"Only the signals of this asset"`
	Limit  int32     `query:"limit" minimum:"1" maximum:"5000" default:"1000" doc:"Signals of one page"`
	Cursor string    `query:"cursor" maxLength:"200" doc:"The next value of the page before"`
}

// asset returns the filter as queries take it.
func (b BySignal) asset() *uuid.UUID {
	if b.Asset == uuid.Nil {
		return nil
	}
	return &b.Asset
}

// after returns the last id of the page before.
func (b BySignal) after(ctx context.Context) (int64, error) {
	parts, err := Paging{Cursor: b.Cursor}.parts(ctx, 1)
	if parts == nil || err != nil {
		return 0, err
	}
	id, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return 0, badCursor(ctx)
	}
	return id, nil
}

func afterSignal(id int64) string { return cursorOf(strconv.FormatInt(id, 10)) }

func (a *API) signals() {
	const tag = "Signals"
	add(a, access.ViewResults, route(http.MethodGet, "/signals", "list-signals", "List signals by number", tag), a.listSignals)
	add(a, access.ViewResults, route(http.MethodGet, "/signals/latest", "list-latest", "The newest reading of signals", tag), a.listLatest)
	add(a, access.ViewResults, route(http.MethodGet, "/signals/statistics", "list-statistics", "Count, mean, spread and range of signals over a period", tag), a.listStatistics)
	add(a, access.ViewResults, route(http.MethodGet, "/signals/{id}/series", "get-series", "Readings of a signal, as stored or reduced to bands for a chart", tag), a.getSeries)
}

// list is one page of something by signal.
func list[R, T any](a *API, ctx context.Context, who access.Principal, in BySignal, read func(ctx context.Context, tx pgx.Tx, q *db.Queries, after int64) ([]R, error),
	show func(R) T, id func(R) int64) (List[T], error) {
	after, err := in.after(ctx)
	if err != nil {
		return List[T]{}, err
	}
	var rows []R
	err = a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		rows, err = read(ctx, tx, q, after)
		return err
	})
	return page(rows, in.Limit, show, func(r R) string { return afterSignal(id(r)) }), err
}

func (a *API) listSignals(ctx context.Context, who access.Principal, in *BySignal) (*answer[List[Signal]], error) {
	read := func(ctx context.Context, tx pgx.Tx, q *db.Queries, after int64) ([]db.APISignalsRow, error) {
		return q.APISignals(ctx, tx, db.APISignalsParams{TenantID: who.TenantID, AfterID: after, AssetID: in.asset(), PageSize: in.Limit + 1})
	}
	show := func(x db.APISignalsRow) Signal {
		return Signal{ID: x.ID, AssetID: x.AssetID, Asset: x.Tag, Metric: x.Metric, NameAr: x.NameAr, NameEn: x.NameEn, Unit: x.Unit, NormalLow: x.NormalLow,
			NormalHigh: x.NormalHigh, Warn: x.Warn, Alarm: x.Alarm, Sense: x.Sense, PeriodSeconds: x.PeriodSeconds}
	}
	out, err := list(a, ctx, who, *in, read, show, func(x db.APISignalsRow) int64 { return x.ID })
	return reply(out), err
}

func (a *API) listLatest(ctx context.Context, who access.Principal, in *struct {
	Limit  int32  `query:"limit" minimum:"1" maximum:"5000" default:"1000" doc:"Signals of one page"`
	Cursor string `query:"cursor" maxLength:"200" doc:"The next value of the page before"`
}) (*answer[List[Latest]], error) {
	read := func(ctx context.Context, tx pgx.Tx, q *db.Queries, after int64) ([]db.APILatestRow, error) {
		return q.APILatest(ctx, tx, who.TenantID, after, in.Limit+1)
	}
	show := func(x db.APILatestRow) Latest {
		return Latest{x.SignalID, Sample{x.Ts.UTC(), x.Value, qualityName(x.Quality)}}
	}
	out, err := list(a, ctx, who, BySignal{Limit: in.Limit, Cursor: in.Cursor}, read, show, func(x db.APILatestRow) int64 { return x.SignalID })
	return reply(out), err
}

// longestStatistics bounds the period of statistics.
const longestStatistics = 32 * 24 * time.Hour

func (a *API) listStatistics(ctx context.Context, who access.Principal, in *struct {
	BySignal
	From time.Time `query:"from" required:"false" doc:"Begin, taken back to the full hour; a day before the end when left out"`
	To   time.Time `query:"to" required:"false" doc:"End, taken back to the full hour; the last hour that is complete when left out"`
}) (*answer[StatisticsReport], error) {
	out := StatisticsReport{From: in.From.UTC().Truncate(time.Hour), To: in.To.UTC().Truncate(time.Hour)}
	if in.To.IsZero() {
		out.To = db.LastSettled(time.Now())
	}
	if in.From.IsZero() {
		out.From = out.To.Add(-24 * time.Hour)
	}
	if span := out.To.Sub(out.From); span <= 0 || span > longestStatistics {
		return nil, newProblem(ctx, http.StatusUnprocessableEntity, "api.period_hours")
	}
	var found map[int64]db.Moments
	read := func(ctx context.Context, tx pgx.Tx, q *db.Queries, after int64) ([]int64, error) {
		ids, err := q.APISignalIDs(ctx, tx, db.APISignalIDsParams{TenantID: who.TenantID, AfterID: after, AssetID: in.asset(), PageSize: in.Limit + 1})
		if err == nil {
			found, err = db.ReadStatistics(ctx, tx, who.TenantID, ids, out.From, out.To)
		}
		return ids, err
	}
	var err error
	out.List, err = list(a, ctx, who, in.BySignal, read, func(id int64) Statistics { return showStatistics(id, found[id]) }, func(id int64) int64 { return id })
	return reply(out), err
}

func showStatistics(id int64, m db.Moments) Statistics {
	out := Statistics{SignalID: id, Count: m.Count, Bad: m.Bad}
	if m.Count > 0 {
		out.Mean, out.Min, out.Max = &m.Mean, &m.Min, &m.Max
	}
	if sd := m.SD(); !math.IsNaN(sd) {
		out.SD = &sd
	}
	return out
}
