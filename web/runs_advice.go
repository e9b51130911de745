package web

import (
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
)

// adviceRow is one recommendation in a table.
type adviceRow struct {
	ID, Run, AssetID, Tag, Name, Site string
	Rank, Risk                        int
	Defer, Trusted                    bool
	Start, End                        *time.Time
	Value, PFail, Cost, Expected      float64
}

func adviceRows(p Page, run uuid.UUID, lines []db.ScenarioRecommendationsRow) []adviceRow {
	out := make([]adviceRow, 0, len(lines))
	for _, x := range lines {
		rec := x.OptimizationRecommendation
		out = append(out, adviceRow{
			ID: rec.ID.String(), Run: run.String(), AssetID: rec.AssetID.String(), Tag: x.Tag, Name: localName(p.Lang, x.NameAr, x.NameEn),
			Site: localName(p.Lang, x.SiteAr, x.SiteEn), Rank: int(rec.Rank), Risk: int(x.RiskLevel), Defer: rec.Decision == "defer",
			Trusted: rec.Trusted, Start: rec.StartOn, End: rec.EndOn, Value: rec.ValueAtStake, PFail: rec.FailureProbability,
			Cost: rec.PlannedCost, Expected: rec.ExpectedCost,
		})
	}
	return out
}
