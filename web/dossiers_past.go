package web

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/dossier"
	"github.com/optria-iq/optria/internal/optimize"
)

// eventsPrinted bounds the audit rows of a dossier.
const eventsPrinted = 500

// lifecycle is the state of a plan as people know it: of a proposed plan whose
// endorsement stands, endorsed. The column is generated, and so nullable to the
// driver.
func lifecycle(state string, column *string) string {
	if column == nil {
		return state
	}
	return *column
}

// readAlternatives sets the presets of the run side by side.
func (b *dossierBuilder) readAlternatives(ctx context.Context, tx pgx.Tx, q *db.Queries, r *dossier.Record) error {
	scenarios, err := q.RunScenarios(ctx, tx, b.tenant, b.detail.Plan.RunID)
	if err != nil {
		return fmt.Errorf("read scenarios: %w", err)
	}
	for _, sc := range scenarios {
		x, err := newSolvedPlan(b.run, sc)
		if err != nil {
			return err
		}
		a := dossier.Alternative{Name: presetName(b.Page, sc.Preset), Chosen: sc.ID == b.detail.Plan.ScenarioID, Cost: x.view.Total, Risk: x.view.Risk,
			Planned: int(sc.ActionsPlanned), BoundKnown: x.view.Certificate.BoundKnown, Gap: x.view.Certificate.Gap}
		for _, f := range x.view.Figures {
			if f.Key == optimize.FigureDowntime {
				a.Downtime = &f.Value
			}
		}
		r.Alternatives = append(r.Alternatives, a)
	}
	return nil
}

// readVersions lists this plan and those that it follows, newest first, and
// what changed since the one before.
func (b *dossierBuilder) readVersions(ctx context.Context, tx pgx.Tx, q *db.Queries, r *dossier.Record) error {
	detail := b.detail
	for {
		plan := detail.Plan
		r.Versions = append(r.Versions, dossier.Version{Number: int(plan.Version), Preset: presetName(b.Page, detail.OptimizationScenario.Preset),
			State: b.T("plans.state." + lifecycle(plan.State, plan.Lifecycle)), At: plan.ProposedAt})
		if plan.PreviousID == nil || len(r.Versions) > int(b.detail.Plan.Version) {
			return nil
		}
		var err error
		if detail, err = q.PlanDetail(ctx, tx, b.tenant, *plan.PreviousID); err != nil {
			return fmt.Errorf("read version before: %w", err)
		}
		if plan.ID != b.plan {
			continue
		}
		if r.Changes, err = b.changes(ctx, tx, q, detail); err != nil {
			return err
		}
	}
}

func (b *dossierBuilder) changes(ctx context.Context, tx pgx.Tx, q *db.Queries, before db.PlanDetailRow) ([]dossier.Change, error) {
	run, err := q.LoadRun(ctx, tx, b.tenant, before.Plan.RunID)
	if err != nil {
		return nil, fmt.Errorf("read run of the version before: %w", err)
	}
	base, err := newSolvedPlan(run, before.OptimizationScenario)
	if err != nil {
		return nil, err
	}
	var out []dossier.Change
	for _, c := range optimize.Compare(base.view, b.solved.view).Changed {
		x := dossier.Change{Before: "–", After: "–"}
		for _, side := range []struct {
			line *optimize.Line
			plan solvedPlan
			text *string
		}{{c.Base, base, &x.Before}, {c.Other, b.solved, &x.After}} {
			if side.line != nil {
				s := b.book.subject(b.Lang, *side.line)
				x.Tag, x.Name, *side.text = s.Tag, s.label(), decisionText(b.Page, side.plan, b.book, *side.line)
			}
		}
		out = append(out, x)
	}
	return out, nil
}

func (b *dossierBuilder) readRelease(ctx context.Context, tx pgx.Tx, q *db.Queries, r *dossier.Record) error {
	rows, err := q.ListDossierRelease(ctx, tx, b.tenant, b.plan)
	if err != nil {
		return fmt.Errorf("read release: %w", err)
	}
	for i, x := range rows {
		if i == 0 {
			r.Release = &dossier.Release{State: b.T("dossier.release.state." + x.ReleaseState), By: b.name(x.NameAr, x.NameEn), Integration: x.Integration,
				RequestedAt: x.RequestedAt, FinishedAt: x.FinishedAt}
		}
		r.Release.Lines = append(r.Release.Lines, dossier.ReleaseLine{Number: int(x.Line), Tag: x.Tag, Action: b.T("dossier.action." + x.Action), State: b.T("dossier.line." + x.State),
			External: x.ExternalID, Key: x.IdempotencyKey, Reason: x.Reason, Start: x.PlannedStart, End: x.PlannedEnd})
	}
	return nil
}

// events are the audit rows about the plan, its run and its release, each
// under the root of its day.
func (b *dossierBuilder) events(ctx context.Context, tx pgx.Tx, q *db.Queries, upTo int64) ([]dossier.AuditRow, error) {
	rows, err := q.ListPlanAudit(ctx, tx, db.ListPlanAuditParams{TenantID: b.tenant, Objects: []string{b.plan.String(), b.detail.Plan.RunID.String()}, UpTo: upTo, PageSize: eventsPrinted})
	if err != nil {
		return nil, fmt.Errorf("read audit rows: %w", err)
	}
	var out []dossier.AuditRow
	var over []db.AuditRootOverRow // the root that covers the row
	for _, x := range rows {
		if len(over) == 0 || over[0].LastSeq < x.Seq {
			if over, err = q.AuditRootOver(ctx, tx, b.tenant, x.Seq); err != nil {
				return nil, fmt.Errorf("read root of audit row: %w", err)
			}
		}
		row := dossier.AuditRow{Seq: x.Seq, At: x.OccurredAt, Actor: x.ActorName, Action: b.actionName(b.Page, x.Action), Hash: hex.EncodeToString(x.Hash)}
		if len(over) > 0 {
			row.Day, row.Root = over[0].Day.Format(time.DateOnly), hex.EncodeToString(over[0].Root)
		}
		out = append(out, row)
	}
	return out, nil
}
