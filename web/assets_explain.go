package web

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/scoring"
	"github.com/optria-iq/optria/web/chart"
)

// lifeSteps is how many signals the remaining life is explained by; the rest
// are summed up in one step.
const lifeSteps = 7

// lifeView explains the remaining life: what every signal adds to it, the past
// lives that looked alike, and why no fleet model was used, if none was.
type lifeView struct {
	Flow    chart.Waterfall
	Similar []similarRow
	WhyNot  []template.HTML
}

// similarRow is a past life like this one: whose it was, when it ended and how
// long it still ran from a like stage on. A life that is not one of the plant
// has only a name.
type similarRow struct {
	Name, Tag, Href string
	Ended           time.Time
	Preventive      bool
	Remaining       string
	Meter           float64 // 0 to 100 of the longest
}

// modelRow names the model behind one output, what it learned from and how far
// it is to be believed. Href leads to the registry where the model is in it.
type modelRow struct {
	Output, Model, Href string
	From, To            time.Time
	Calibration         int
	Confidence          float64
}

// background is what explains a score beside the score itself.
type background struct {
	lives  map[string]db.ListLivesByIDRow
	models map[string]uuid.UUID // by kind and version
}

// loadBackground reads the past lives and the models that a score names.
func loadBackground(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, s scoring.AssetScore) (background, error) {
	b := background{lives: map[string]db.ListLivesByIDRow{}, models: map[string]uuid.UUID{}}
	var ids []uuid.UUID
	for _, x := range s.RUL.Similar {
		if id, err := uuid.Parse(x.LifeID); err == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		rows, err := q.ListLivesByID(ctx, tx, tenant, ids)
		if err != nil {
			return b, fmt.Errorf("list similar lives: %w", err)
		}
		for _, x := range rows {
			b.lives[x.ID.String()] = x
		}
	}
	var names []string
	for _, o := range outputsOf(s) {
		names = append(names, o.out.ModelID+" "+o.out.ModelVersion)
	}
	rows, err := q.ModelsNamed(ctx, tx, tenant, names)
	if err != nil {
		return b, fmt.Errorf("find models: %w", err)
	}
	for _, x := range rows {
		b.models[x.Kind+" "+x.Version] = x.ID
	}
	return b, nil
}

// namedOutput is an output of a score with the message key of its name.
type namedOutput struct {
	key string
	out scoring.Output
}

func outputsOf(s scoring.AssetScore) []namedOutput {
	return []namedOutput{{"assets.health", s.Health.Output}, {"assets.chance", s.Failure.Output}, {"assets.life", s.RUL.Output},
		{"assets.anomaly", s.Anomaly.Output}, {"assets.production", s.Risk.Output}}
}

// modelRows lists the engine that made the score and the model of every output.
func modelRows(p Page, row db.AssetScorePageRow, s scoring.AssetScore, b background) []modelRow {
	out := []modelRow{{Output: p.T("assets.models.engine"), Model: row.ModelKind + " " + row.ModelVersion, Href: modelHref(row.AssetScore.ModelID), Confidence: row.AssetScore.Confidence}}
	for _, o := range outputsOf(s) {
		m := modelRow{Output: p.T(o.key), Model: o.out.ModelID + " " + o.out.ModelVersion, From: o.out.TrainFrom, To: o.out.TrainTo,
			Calibration: o.out.CalibrationSize, Confidence: o.out.Confidence}
		if id, known := b.models[m.Model]; known {
			m.Href = modelHref(id)
		}
		out = append(out, m)
	}
	return out
}

func modelHref(id uuid.UUID) string { return "/models/" + id.String() }

// newLifeView draws how the signals lead from the base to the remaining life.
func newLifeView(p Page, id uuid.UUID, r scoring.RUL, names signalBook, b background) lifeView {
	var v lifeView
	if len(r.Contributions) > 0 {
		v.Flow = chart.NewWaterfall(chart.For(p.Lang), p.T("assets.life.why"), lifeFlow(p, id, r, names))
	}
	longest := 1.0
	for _, x := range r.Similar {
		longest = max(longest, x.Remaining)
	}
	for _, x := range r.Similar {
		row := similarRow{Name: x.LifeID, Remaining: p.N("time.days", int(x.Remaining+.5)), Meter: 100 * x.Remaining / longest}
		if life, known := b.lives[x.LifeID]; known {
			row.Tag, row.Href, row.Ended, row.Preventive = life.Tag, "/assets/"+life.AssetID.String(), life.EndedAt, life.EndedBy == "preventive"
		}
		v.Similar = append(v.Similar, row)
	}
	for _, reason := range r.Reasons {
		v.WhyNot = append(v.WhyNot, findingText(p, reason, ""))
	}
	return v
}

// lifeFlow lists the base, the signals that move it most, the rest as one step
// and the result. The steps add up: nothing is dropped.
func lifeFlow(p Page, id uuid.UUID, r scoring.RUL, names signalBook) []chart.Step {
	days := func(v float64) string { return p.Loc().Num(v, 0) }
	steps := []chart.Step{{Label: p.T("assets.life.base"), Text: days(r.Base), Value: r.Base, Total: true}}
	parts := slices.Clone(r.Contributions)
	slices.SortStableFunc(parts, func(a, b scoring.Contribution) int {
		return cmp.Compare(math.Abs(b.Days), math.Abs(a.Days))
	})
	rest := 0.0
	for i, c := range parts {
		switch {
		case i >= lifeSteps:
			rest += c.Days
		case c.Signal == "":
			steps = append(steps, chart.Step{Label: p.T("assets.life.model"), Text: p.Loc().Signed(c.Days, 0), Value: c.Days})
		default:
			steps = append(steps, chart.Step{Label: names.name(id, c.Signal), Text: p.Loc().Signed(c.Days, 0), Value: c.Days})
		}
	}
	if len(parts) > lifeSteps {
		steps = append(steps, chart.Step{Label: p.T("assets.life.rest"), Text: p.Loc().Signed(rest, 0), Value: rest})
	}
	return append(steps, chart.Step{Label: p.T("assets.life"), Text: days(r.Value), Value: r.Value, Total: true})
}
