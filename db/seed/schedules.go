package seed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/recurrence"
	"github.com/optria-iq/optria/internal/runs"
)

// recurring are the schedules of every demonstration tenant. They are due at
// night and start nothing when the demonstration is first started.
var recurring = []struct {
	key, name, kind, cron string
	request               *recurrence.Request
	excluded              []recurrence.Exclusion
}{
	{"prioritisation", "ترتيب أولويات الصيانة اليومي · Daily prioritisation", recurrence.KindOptimization, "0 5 * * *", maintenance(recurrence.StartNextDay, 30), nil},
	{"weekly", "الخطة الأسبوعية · Weekly plan", recurrence.KindOptimization, "0 4 * * 0", maintenance(recurrence.StartNextDay, 90),
		[]recurrence.Exclusion{{Holiday: "eid_al_fitr"}, {Holiday: "eid_al_adha"}}},
	{"nightly", "مسح التقييم الليلي · Nightly scoring sweep", recurrence.KindSweep, "30 1 * * *", nil, nil},
	{"report", "تقرير القرارات الأسبوعي · Weekly decision report", recurrence.KindReport, "0 6 * * 0", nil, nil},
}

func maintenance(start string, days int) *recurrence.Request {
	return &recurrence.Request{Problem: "maintenance_prioritization", Start: start, Days: days, LimitSeconds: 60,
		Objective: runs.Objective{Presets: []string{"balanced"}}, Constraints: runs.Constraints{OneTrainOut: true}}
}

// schedules adds the schedules that do not exist yet.
func schedules(ctx context.Context, d *db.DB, t *demo.Tenant) error {
	return d.InTenant(ctx, t.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error { return addSchedules(ctx, tx, q, t) })
}

// addSchedules gives the schedules to the optimization engineer and the first
// service account.
func addSchedules(ctx context.Context, tx pgx.Tx, q *db.Queries, t *demo.Tenant) error {
	i := slices.IndexFunc(t.People, func(p demo.Person) bool { return p.Role == string(access.OptimizationEng) })
	if i < 0 || len(t.ServiceAccounts) == 0 {
		return nil
	}
	owner, account := t.People[i].ID, t.ServiceAccounts[0].ID
	for _, x := range recurring {
		request, excluded := json.RawMessage(`{}`), json.RawMessage(`[]`)
		var err error
		if x.request != nil {
			if request, err = json.Marshal(x.request); err != nil {
				return err
			}
		}
		if x.excluded != nil {
			if excluded, err = json.Marshal(x.excluded); err != nil {
				return err
			}
		}
		const window = 6 * 60 // minutes
		_, err = q.AddSchedule(ctx, tx, db.AddScheduleParams{TenantID: t.ID, ID: uuid.NewSHA1(t.ID, []byte("schedule/"+x.key)), Name: x.name,
			Trigger: recurrence.Internal, Kind: x.kind, Request: request, Cron: x.cron, TimeZone: t.Calendar.TimeZone, Exclusions: excluded,
			Overlap: recurrence.Skip, CatchUpMinutes: window, OwnerID: owner, AccountID: account, CreatedBy: owner})
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("add schedule %s: %w", x.key, err)
		}
	}
	return nil
}
