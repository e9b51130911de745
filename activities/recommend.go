package activities

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
)

// The two decisions on an action.
const (
	decisionDo    = "do"
	decisionDefer = "defer"
)

// moveCost is the cost in SAR of moving an action to another feasible day of
// the horizon while the rest of the plan stays; day −1 stands for deferral.
type moveCost struct {
	Day   int     `json:"day"`
	Delta float64 `json:"delta"`
}

// recommend turns the decisions of a plan into recommendations, ranked by
// value at stake. Rows come without tenant and scenario.
func recommend(run db.OptimizationRun, p plan, trusted map[uuid.UUID]bool) ([]db.AddRecommendationParams, error) {
	ranks := map[string]int32{}
	for i, r := range p.output.Assets {
		ranks[r.ID] = int32(i + 1)
	}
	rows := make([]db.AddRecommendationParams, 0, len(p.output.Schedule))
	for i, d := range p.output.Schedule {
		asset, err := uuid.Parse(d.AssetID)
		if err != nil {
			return nil, fmt.Errorf("read asset id: %w", err)
		}
		action := p.input.Actions[i]
		row := db.AddRecommendationParams{
			AssetID: asset, Rank: ranks[d.AssetID], Decision: decisionDefer,
			SkillCode: strings.TrimPrefix(action.Skill, skillID("")), CrewHours: action.SkillHours,
			PlannedCost: d.Cost.PlannedWork + d.Cost.PlannedOutage, ExpectedCost: d.Cost.Total,
			ValueAtStake: d.ValueAtStake, FailureProbability: d.PFailHorizon, Trusted: trusted[asset],
			BaselineStartOn: onDay(run.WindowStart, action.BaselineDay),
		}
		if !d.Deferred {
			row.Decision = decisionDo
			row.StartOn, row.EndOn = onDay(run.WindowStart, &d.StartDay), onDay(run.WindowStart, &d.EndDay)
		}
		if row.Reasons, err = json.Marshal(d.Reasons); err != nil {
			return nil, fmt.Errorf("encode reasons: %w", err)
		}
		if row.MoveCosts, err = moveCosts(p.output.Curves[i], p.input.Days); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// moveCosts keeps the feasible days of a curve, whose last entry is deferral.
func moveCosts(c maintenance.Curve, days int) (json.RawMessage, error) {
	moves := []moveCost{}
	for d, feasible := range c.Feasible {
		if !feasible {
			continue
		}
		m := moveCost{Day: d, Delta: c.Delta[d]}
		if d == days {
			m.Day = -1
		}
		moves = append(moves, m)
	}
	encoded, err := json.Marshal(moves)
	if err != nil {
		return nil, fmt.Errorf("encode moves: %w", err)
	}
	return encoded, nil
}

// onDay returns the date of a day of the horizon, nil for none.
func onDay(start time.Time, day *int) *time.Time {
	if day == nil {
		return nil
	}
	date := start.AddDate(0, 0, *day)
	return &date
}
