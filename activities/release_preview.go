package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/release"
)

// previewReading is how long a dry run waits for the source's word on its lines.
// A line that gets none in time is judged by what was read last.
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
	x, err := a.loadDryRun(ctx, in)
	if err != nil {
		return out, fmt.Errorf("load plan: %w", err)
	}
	out.System, out.Kind, out.AsOf = w.integration.Name, w.integration.Kind, w.integration.RecordsSyncedAt
	out.OrderType, _ = w.config["order_type"].(string)
	reading, done := context.WithTimeout(ctx, previewReading)
	defer done()
	for _, j := range x.jobs {
		line, err := x.line(reading, w, j)
		if err != nil {
			return out, fmt.Errorf("look at %s: %w", j.Tag, err)
		}
		out.Lines = append(out.Lines, line)
	}
	return out, nil
}

// dryRunPlan is what a dry run judges by, apart from what the source says now.
type dryRunPlan struct {
	jobs  []db.ListJobsToReleaseRow
	keys  map[uuid.UUID]string // of lines that an undone release has left behind, by recommendation
	known knownOf
	zone  *time.Location
}

// line says what one job would become, by the source's word as long as the
// reading lasts, else by what was read last.
func (x dryRunPlan) line(reading context.Context, source connector.WorkOrderWriter, j db.ListJobsToReleaseRow) (DryRunLine, error) {
	start, end := release.Span(*j.StartOn, *j.EndOn, x.zone)
	job := release.Job{Key: release.Key(j.ID), Start: start, End: end}
	if next, again := x.keys[j.ID]; again {
		job.Key = next
	}
	line := DryRunLine{Recommendation: j.ID, AssetID: j.AssetID, Tag: j.Tag, NameAr: j.NameAr, NameEn: j.NameEn, Start: start, End: end}
	twins, orders := x.known.twins[j.AssetID], x.known.orders[j.AssetID]
	if reading.Err() == nil {
		choice, err := chooseLive(reading, source, job, twins, orders, x.zone)
		if err == nil {
			line.Live = true
			return line.with(choice), nil
		}
		if reading.Err() == nil {
			return line, err
		}
	}
	return line.with(release.Choose(job, twins, orders, x.zone)), nil
}

// with fills in what the line would become. An order of its own that stands
// there already is kept: writing the line would find it.
func (l DryRunLine) with(c release.Choice) DryRunLine {
	if c.Action == release.Create && c.Order.ID != "" {
		c.Action = release.Keep
	}
	l.Action, l.Fault, l.TwinID, l.OrderID, l.Candidates = c.Action, c.Fault, c.TwinID, c.Order.ID, c.Candidates
	if c.Action == release.Move {
		l.FormerStart, l.FormerEnd = c.Order.Start, c.Order.End
	}
	return l
}

func (a *Release) loadDryRun(ctx context.Context, in DryRunInput) (dryRunPlan, error) {
	x := dryRunPlan{keys: map[uuid.UUID]string{}}
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if x.jobs, err = q.ListJobsToRelease(ctx, tx, in.TenantID, in.PlanID); err != nil {
			return err
		}
		if len(x.jobs) == 0 {
			return fault.New(fault.NotFound, KeyNothingLeft)
		}
		keys, err := q.ListNextReleaseKeys(ctx, tx, in.TenantID, in.PlanID)
		if err != nil {
			return fmt.Errorf("list keys: %w", err)
		}
		for _, k := range keys {
			x.keys[k.RecommendationID] = k.NextKey
		}
		days, err := db.TenantCalendar(ctx, tx, in.TenantID)
		if err != nil {
			return err
		}
		x.zone = days.Location()
		assets := make([]uuid.UUID, len(x.jobs))
		for i, j := range x.jobs {
			assets[i] = j.AssetID
		}
		x.known, err = loadKnown(ctx, tx, q, IntegrationRef{TenantID: in.TenantID, IntegrationID: in.IntegrationID}, assets...)
		return err
	})
	return x, err
}
