package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/recurrence"
)

// reportDays is the length of the period that a report sums up, and reportRisks
// the number of assets that it names.
const (
	reportDays  = 7
	reportRisks = 5
)

// BuildReport writes the decision summary of the seven days before the due time
// and announces it. A repeated call finds the report of the firing and leaves
// it as it is.
func (a *Recurring) BuildReport(ctx context.Context, ref FiringRef) (uuid.UUID, error) {
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		f, err := q.LockFiring(ctx, tx, ref.TenantID, ref.FiringID)
		if err != nil {
			return fmt.Errorf("lock firing: %w", err)
		}
		s, err := q.GetSchedule(ctx, tx, ref.TenantID, f.ScheduleID)
		if err != nil {
			return fmt.Errorf("load schedule: %w", err)
		}
		zone, err := time.LoadLocation(s.TimeZone)
		if err != nil {
			return fmt.Errorf("load time zone: %w", err)
		}
		y, m, d := f.DueAt.In(zone).Date()
		period := reportPeriod{zone: zone, until: time.Date(y, m, d, 0, 0, 0, 0, zone)}
		summary, err := sumUp(ctx, tx, q, ref.TenantID, period)
		if err != nil {
			return err
		}
		content, err := json.Marshal(summary)
		if err != nil {
			return fmt.Errorf("encode report: %w", err)
		}
		_, err = q.AddReport(ctx, tx, db.AddReportParams{TenantID: ref.TenantID, ID: ref.FiringID, ScheduleID: &s.ID,
			FromDay: period.day(-reportDays), ToDay: period.day(-1), Content: content})
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("add report: %w", err)
		}
		return announceReport(ctx, tx, s, f, summary, period)
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("build report: %w", err)
	}
	return ref.FiringID, nil
}

// reportPeriod is the seven days before a midnight.
type reportPeriod struct {
	zone  *time.Location
	until time.Time
}

// since is the first moment of the period.
func (p reportPeriod) since() time.Time { return p.until.AddDate(0, 0, -reportDays) }

// day is a day counted from the end of the period, as midnight UTC.
func (p reportPeriod) day(n int) time.Time {
	y, m, d := p.until.AddDate(0, 0, n).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func sumUp(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, p reportPeriod) (recurrence.Summary, error) {
	out := recurrence.Summary{Plans: map[string]int64{}}
	plans, err := q.CountPlansBetween(ctx, tx, tenant, p.since(), p.until)
	if err != nil {
		return out, fmt.Errorf("count plans: %w", err)
	}
	for _, x := range plans {
		out.Plans[x.State] = x.Plans
	}
	releases, err := q.CountReleasesBetween(ctx, tx, tenant, p.since(), p.until)
	if err != nil {
		return out, fmt.Errorf("count releases: %w", err)
	}
	out.Releases = recurrence.Releases{Count: releases.Releases, Lines: releases.Lines, Written: releases.Written}
	orders, err := q.CountOrdersBetween(ctx, tx, db.CountOrdersBetweenParams{TenantID: tenant, FromDay: p.day(-reportDays), ToDay: p.day(-1),
		Today: p.day(0), TimeZone: p.zone.String()})
	if err != nil {
		return out, fmt.Errorf("count work orders: %w", err)
	}
	out.Orders = recurrence.Orders{Due: orders.Due, Done: orders.Done, InTime: orders.InTime, Late: orders.Late}
	risks, err := q.TopRisks(ctx, tx, tenant, reportRisks)
	if err != nil {
		return out, fmt.Errorf("list risks: %w", err)
	}
	for _, x := range risks {
		out.Risks = append(out.Risks, recurrence.Risk{AssetID: x.ID, Tag: x.Tag, NameAr: x.NameAr, NameEn: x.NameEn, SiteAr: x.SiteAr, SiteEn: x.SiteEn,
			Level: int(x.RiskLevel), RiskSAR: x.ProductionRiskSar, Probability30: x.FailureProbability30, Trusted: x.Trusted})
	}
	return out, nil
}

// reportNotice is what the announcement of a report carries.
type reportNotice struct {
	ReportID   uuid.UUID `json:"report_id"`
	ScheduleID uuid.UUID `json:"schedule_id"`
	Name       string    `json:"name"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Due        int64     `json:"orders_due"`
	InTime     int64     `json:"orders_in_time"`
}

func announceReport(ctx context.Context, tx pgx.Tx, s db.Schedule, f db.ScheduleFiring, x recurrence.Summary, p reportPeriod) error {
	to, err := toldOf(ctx, tx, s)
	if err != nil {
		return err
	}
	return db.Announce(ctx, tx, db.Announcement{TenantID: s.TenantID, Kind: "report.ready", ObjectType: "report", ObjectID: f.ID,
		Key: "report.ready/" + f.ID.String(), To: to, Payload: reportNotice{ReportID: f.ID, ScheduleID: s.ID, Name: s.Name,
			From: p.day(-reportDays).Format(time.DateOnly), To: p.day(-1).Format(time.DateOnly), Due: x.Orders.Due, InTime: x.Orders.InTime}})
}
