package web

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
)

// longestLife is the longest life that is put on record, in days.
const longestLife = 36_525

// foundGrades is how the condition that the technician met reads as the grade
// of an inspection, 1 as new and 0 at the end of life. As expected is between
// good and fair: a planned job is due when an asset is worn but sound.
var foundGrades = map[string]float64{"better": 0.9, "as_expected": 0.7, "worse": 0.4, "failed": 0}

// learn gives a finished order to the reliability data of its asset: the
// condition that was met as an inspection, the life that ended with its cause,
// and a new life that begins at that moment. A failure ends a life by itself;
// any other condition means that the asset would have gone on. The picture of
// its healthy state is learned anew, and the next sweep scores the class that
// learns from this life. An asset that was renewed later keeps that life.
func learn(ctx context.Context, tx pgx.Tx, q *db.Queries, order db.WorkOrder, x findings, by uuid.UUID) error {
	tenant := order.TenantID
	a, err := q.LockAsset(ctx, tx, tenant, order.AssetID)
	if err != nil {
		return fmt.Errorf("load asset: %w", err)
	}
	grade := foundGrades[x.Found]
	_, err = q.AddInspection(ctx, tx, db.AddInspectionParams{TenantID: tenant, AssetID: a.ID, InspectedAt: x.DoneAt, Grade: &grade,
		Observations: json.RawMessage(`{}`), Note: x.Text, InspectedBy: &by})
	if err != nil {
		return fmt.Errorf("record inspection: %w", err)
	}
	if age := a.AgeDays + x.DoneAt.Sub(a.AgeAsOf).Hours()/24; age > 0 {
		life := db.RecordLifeParams{TenantID: tenant, ID: uuid.New(), AssetID: a.ID, EndedAt: x.DoneAt, LifeDays: min(age, longestLife),
			EndedBy: "preventive", WorkOrderID: &order.ID, Note: x.Text, Source: "work_order", RecordedBy: &by}
		if x.Found == foundFailed {
			life.EndedBy, life.ModeID = "failure", x.Mode
		}
		if _, err := q.RecordLife(ctx, tx, life); err != nil {
			return fmt.Errorf("record life: %w", err)
		}
	}
	if _, err := q.RenewAsset(ctx, tx, x.DoneAt, tenant, a.ID); err != nil {
		return fmt.Errorf("renew asset: %w", err)
	}
	if _, err := q.RetireBaselines(ctx, tx, tenant, []uuid.UUID{a.ID}); err != nil {
		return fmt.Errorf("retire baseline: %w", err)
	}
	peers, err := q.ListModelAssets(ctx, tx, tenant, a.ClassCode)
	if err != nil {
		return fmt.Errorf("list the class: %w", err)
	}
	return q.TouchScores(ctx, tx, tenant, peers)
}

// doneMoment is when a job of a day ended: now for today, else noon.
func doneMoment(day, now time.Time) time.Time {
	if dateIn(riyadhZone, day).Equal(dateIn(riyadhZone, now)) {
		return now.UTC().Truncate(time.Microsecond)
	}
	return day.Add(12 * time.Hour).UTC()
}
