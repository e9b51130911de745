package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/release"
)

// previewReading is how long a dry run asks the source about single lines. The
// lines after that are judged by what was read last.
const previewReading = 15 * time.Second

// DryRunInput asks what the release of a plan to an integration would do.
type DryRunInput struct {
	PlanRef
	IntegrationID uuid.UUID
}

// DryRunLine says what one line would become. Live holds when the source was
// asked just now. Former is zero unless an order is moved.
type DryRunLine struct {
	Recommendation, AssetID uuid.UUID
	Tag, NameAr, NameEn     string
	Action, Fault           string
	TwinID, OrderID         string
	Candidates              int
	Start, End              time.Time
	FormerStart, FormerEnd  time.Time
	Live                    bool
}

// DryRun is the whole of it, in the order of the lines.
type DryRun struct {
	System, Kind string
	OrderType    string // as the settings of the integration name it
	AsOf         *time.Time
	Lines        []DryRunLine
}

// DryRun says what the release of a plan to an integration would do, line by
// line, and writes nothing.
func (a *Release) DryRun(ctx context.Context, in DryRunInput) (DryRun, error) {
	var out DryRun
	w, err := openWriter(ctx, a.deps, IntegrationRef{TenantID: in.TenantID, IntegrationID: in.IntegrationID})
	if err != nil {
		return out, err
	}
	defer w.close(ctx)
	jobs, known, zone, err := a.jobsAndKnown(ctx, in)
	if err != nil {
		return out, fmt.Errorf("load plan: %w", err)
	}
	out.System, out.Kind, out.AsOf = w.integration.Name, w.integration.Kind, w.integration.RecordsSyncedAt
	out.OrderType, _ = w.config["order_type"].(string)
	deadline := time.Now().Add(previewReading)
	for _, j := range jobs {
		start, end := release.Span(*j.StartOn, *j.EndOn, zone)
		job := release.Job{Key: release.Key(j.ID), Start: start, End: end}
		line := DryRunLine{Recommendation: j.ID, AssetID: j.AssetID, Tag: j.Tag, NameAr: j.NameAr, NameEn: j.NameEn, Start: start, End: end}
		choice := release.Choose(job, known.twins[j.AssetID], known.orders[j.AssetID], zone)
		if time.Now().Before(deadline) {
			if choice, err = chooseLive(ctx, w, job, known.twins[j.AssetID], known.orders[j.AssetID], zone); err != nil {
				return out, fmt.Errorf("look at %s: %w", j.Tag, err)
			}
			line.Live = true
		}
		out.Lines = append(out.Lines, line.with(choice, job.Key))
	}
	return out, nil
}

// with fills in what the line would become. A release that was undone has left
// its cancelled orders behind; the next one takes new keys, so these are none
// of its concern.
func (l DryRunLine) with(c release.Choice, key string) DryRunLine {
	if c.Fault == release.KeyCancelled && c.Order.Key == key {
		c = release.Choice{Action: release.Create, TwinID: c.TwinID}
	}
	l.Action, l.Fault, l.TwinID, l.OrderID, l.Candidates = c.Action, c.Fault, c.TwinID, c.Order.ID, c.Candidates
	if c.Action == release.Move {
		l.FormerStart, l.FormerEnd = c.Order.Start, c.Order.End
	}
	return l
}

func (a *Release) jobsAndKnown(ctx context.Context, in DryRunInput) ([]db.ListJobsToReleaseRow, knownOf, *time.Location, error) {
	var jobs []db.ListJobsToReleaseRow
	var known knownOf
	var zone *time.Location
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if jobs, err = q.ListJobsToRelease(ctx, tx, in.TenantID, in.PlanID); err != nil {
			return err
		}
		if len(jobs) == 0 {
			return fault.New(fault.NotFound, KeyNothingLeft)
		}
		days, err := db.TenantCalendar(ctx, tx, in.TenantID)
		if err != nil {
			return err
		}
		zone = days.Location()
		assets := make([]uuid.UUID, len(jobs))
		for i, j := range jobs {
			assets[i] = j.AssetID
		}
		known, err = loadKnown(ctx, tx, q, IntegrationRef{TenantID: in.TenantID, IntegrationID: in.IntegrationID}, assets...)
		return err
	})
	return jobs, known, zone, err
}
