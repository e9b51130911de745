package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/optimize"
)

// Decision is one line of a scenario. Start and end are periods of the view,
// −1 where there is none; the moments are local time.
type Decision struct {
	Rank         int             `json:"rank"`
	Subject      string          `json:"subject" doc:"What a what-if names"`
	Name         string          `json:"name"`
	AssetID      string          `json:"asset_id,omitempty"`
	SiteID       string          `json:"site_id,omitempty"`
	Verdict      string          `json:"verdict" doc:"do, defer, wait, same, run or unserved"`
	Resource     string          `json:"resource,omitempty"`
	ResourceName string          `json:"resource_name,omitempty"`
	Crew         []string        `json:"crew,omitempty"`
	Start        float64         `json:"start"`
	End          float64         `json:"end"`
	StartsAt     string          `json:"starts_at,omitempty"`
	EndsAt       string          `json:"ends_at,omitempty"`
	Was          *float64        `json:"was,omitempty" doc:"Start in the current plan"`
	Pinned       bool            `json:"pinned"`
	Hours        float64         `json:"hours"`
	TravelHours  float64         `json:"travel_hours,omitempty"`
	PlannedCost  float64         `json:"planned_cost"`
	ExpectedCost float64         `json:"expected_cost"`
	Value        float64         `json:"value" doc:"Cost avoided against not acting"`
	Probability  float64         `json:"probability" doc:"Of failure in the horizon without acting"`
	Reasons      []Explanation   `json:"reasons"`
	Moves        []optimize.Move `json:"moves,omitempty" doc:"Cost of other choices while the rest of the plan stays"`
}

// Explanation is one computed reason in words and in numbers.
type Explanation struct {
	Code       string  `json:"code"`
	Text       string  `json:"text"`
	Money      float64 `json:"money,omitempty"`
	P          float64 `json:"p,omitempty"`
	Period     int     `json:"period,omitempty"`
	Constraint string  `json:"constraint,omitempty"`
	Amount     float64 `json:"amount,omitempty"`
}

func (a *API) listLines(ctx context.Context, who access.Principal, in *struct {
	ByID
	Paging
}) (*answer[List[Decision]], error) {
	x, names, err := a.named(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	rows, next, err := in.slice(ctx, len(x.view.Lines))
	if err != nil {
		return nil, err
	}
	clock, err := newClock(x.view)
	if err != nil {
		return nil, err
	}
	out := List[Decision]{Items: []Decision{}, Next: next}
	for i := rows[0]; i < rows[1]; i++ {
		d := a.decision(ctx, names, clock, x.view.Lines[i])
		d.Rank = i + 1
		out.Items = append(out.Items, d)
	}
	return reply(out), nil
}

func (a *API) decision(ctx context.Context, names nameBook, clock clock, l optimize.Line) Decision {
	d := Decision{Subject: l.Subject, Name: l.Title, AssetID: l.AssetID, SiteID: l.SiteID, Verdict: string(l.Verdict), Resource: l.Resource,
		Crew: l.Crew, Start: l.Start, End: l.End, Was: l.Was, Pinned: l.Pinned, Hours: l.Hours, TravelHours: l.TravelHours,
		PlannedCost: l.PlannedCost, ExpectedCost: l.ExpectedCost, Value: l.Value, Probability: l.P, Moves: l.Moves, Reasons: []Explanation{}}
	if name := names.of(l.Subject); name != l.Subject || d.Name == "" {
		d.Name = name // in the caller's language, which a title is not
	}
	if l.Resource != "" {
		d.ResourceName = names.of(l.Resource)
	}
	if l.Start >= 0 {
		d.StartsAt, d.EndsAt = clock.text(l.Start), clock.text(l.End)
	}
	for _, r := range l.Reasons {
		d.Reasons = append(d.Reasons, Explanation{string(r.Code), a.explain(ctx, names, clock, r), r.Money, r.P, r.Day, r.Constraint, r.Amount})
	}
	return d
}

// explain words a reason. A code without words of its own gets the general
// sentence; one that names a constraint has a second sentence for none.
func (a *API) explain(ctx context.Context, names nameBook, clock clock, r optimize.Reason) string {
	l := localizer(ctx)
	key := "runs.reason." + string(r.Code)
	if !a.Catalog.Has(key) {
		key = "runs.reason.other"
	}
	if r.Constraint == "" && a.Catalog.Has(key+".unnamed") {
		key += ".unnamed"
	}
	return l.T(key, "Money", l.MoneyCompact(r.Money), "P", l.Pct(r.P), "Date", clock.moment(l, float64(r.Day)), "Name", names.of(r.Constraint), "Amount", l.Num(r.Amount))
}

// clock turns the periods of a view into local time.
type clock struct {
	start  time.Time
	hours  float64
	byDays bool
}

func newClock(v optimize.View) (clock, error) {
	c := clock{hours: v.PeriodHours}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		start, err := time.Parse(layout, v.Start)
		if err == nil {
			c.start, c.byDays = start, layout == time.DateOnly && v.PeriodHours == 24
			return c, nil
		}
	}
	return c, fmt.Errorf("start of the view %q", v.Start)
}

func (c clock) at(period float64) time.Time {
	return c.start.Add(time.Duration(period * c.hours * float64(time.Hour)))
}

// whole reports whether a period is a day rather than a moment within one.
func (c clock) whole(period float64) bool { return c.byDays && period == math.Trunc(period) }

// text is a moment without zone, or a day where periods are days.
func (c clock) text(period float64) string {
	if c.whole(period) {
		return c.at(period).Format(time.DateOnly)
	}
	return c.at(period).Format("2006-01-02T15:04")
}

// moment is the day in the caller's language, with the time within days.
func (c clock) moment(l *i18n.Localizer, period float64) string {
	at := c.at(period)
	if c.whole(period) {
		return l.ShortDate(at)
	}
	return l.ShortDate(at) + " " + at.Format("15:04")
}

// ScenarioDelta is what one plan costs more than another; every number is
// other minus base.
type ScenarioDelta struct {
	Base    uuid.UUID     `json:"base"`
	Other   uuid.UUID     `json:"other"`
	Total   float64       `json:"total"`
	Risk    float64       `json:"risk"`
	Terms   []NamedTerm   `json:"terms"`
	Figures []NamedFigure `json:"figures"`
	Same    int           `json:"same" doc:"Decisions that both plans share"`
	Changes int           `json:"changes" doc:"Decisions that differ"`
	Exact   bool          `json:"exact" doc:"Both plans are optimal, so the difference is too"`
	Changed []Changed     `json:"changed"`
	Next    string        `json:"next,omitempty" doc:"Pass as cursor to get the next changes"`
}

// Changed is one decision that differs.
type Changed struct {
	Subject string    `json:"subject"`
	Base    *Decision `json:"base,omitempty"`
	Other   *Decision `json:"other,omitempty"`
}

func (a *API) compare(ctx context.Context, who access.Principal, in *struct {
	ByID
	Other uuid.UUID `path:"other" format:"uuid"`
	Paging
}) (*answer[ScenarioDelta], error) {
	base, names, err := a.named(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	other, err := a.scenario(ctx, who, in.Other)
	if err != nil {
		return nil, err
	}
	if base.run.Problem != other.run.Problem {
		return nil, newProblem(ctx, http.StatusUnprocessableEntity, "api.compare_problems")
	}
	baseClock, err := newClock(base.view)
	if err != nil {
		return nil, err
	}
	otherClock, err := newClock(other.view)
	if err != nil {
		return nil, err
	}
	c := optimize.Compare(base.view, other.view)
	rows, next, err := in.slice(ctx, len(c.Changed))
	if err != nil {
		return nil, err
	}
	out := ScenarioDelta{Base: in.ID, Other: in.Other, Total: c.Total, Risk: c.Risk, Terms: a.terms(ctx, c.Terms), Figures: a.figures(ctx, c.Figures),
		Same: c.Same, Changes: len(c.Changed), Exact: c.Exact, Changed: []Changed{}, Next: next}
	side := func(clock clock, l *optimize.Line) *Decision {
		if l == nil {
			return nil
		}
		d := a.decision(ctx, names, clock, *l)
		return &d
	}
	for _, x := range c.Changed[rows[0]:rows[1]] {
		out.Changed = append(out.Changed, Changed{Subject: x.Subject, Base: side(baseClock, x.Base), Other: side(otherClock, x.Other)})
	}
	return reply(out), nil
}
