package activities

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/optimize"
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

// recommend turns the lines of a plan into recommendations, ranked as the view
// ranks them, by value. Rows come without tenant and scenario.
func recommend(start time.Time, lines []optimize.Line, trusted map[uuid.UUID]bool) ([]db.AddRecommendationParams, error) {
	rows := make([]db.AddRecommendationParams, 0, len(lines))
	for i, l := range lines {
		asset, err := uuid.Parse(l.AssetID)
		if err != nil {
			return nil, fmt.Errorf("read asset id: %w", err)
		}
		row := db.AddRecommendationParams{
			AssetID: asset, Rank: int32(i + 1), Decision: decisionDefer, //nolint:gosec // a plan has fewer lines than 2³¹
			SkillCode: strings.TrimPrefix(l.Resource, skillID("")), CrewHours: l.Hours,
			PlannedCost: l.PlannedCost, ExpectedCost: l.ExpectedCost,
			ValueAtStake: l.Value, FailureProbability: l.P, Trusted: trusted[asset],
		}
		if l.Was != nil {
			row.BaselineStartOn = onDay(start, *l.Was)
		}
		if l.Verdict == optimize.VerdictDo {
			row.Decision = decisionDo
			row.StartOn, row.EndOn = onDay(start, l.Start), onDay(start, l.End-1)
		}
		if row.Reasons, err = json.Marshal(l.Reasons); err != nil {
			return nil, fmt.Errorf("encode reasons: %w", err)
		}
		if row.MoveCosts, err = moveCosts(l.Moves); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func moveCosts(moves []optimize.Move) (json.RawMessage, error) {
	costs := make([]moveCost, len(moves))
	for i, m := range moves {
		costs[i] = moveCost{Day: m.Period, Delta: m.Delta}
	}
	encoded, err := json.Marshal(costs)
	if err != nil {
		return nil, fmt.Errorf("encode moves: %w", err)
	}
	return encoded, nil
}

// onDay returns the date of a day of the horizon.
func onDay(start time.Time, day float64) *time.Time {
	date := start.AddDate(0, 0, int(day))
	return &date
}
