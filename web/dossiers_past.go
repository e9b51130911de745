package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/dossier"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/web/evidence"
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

// alternatives sets the presets of the run side by side.
func (b *dossierBuilder) alternatives() ([]dossier.Alternative, error) {
	var out []dossier.Alternative
	for _, sc := range b.rows {
		x, err := newSolvedPlan(b.run, sc)
		if err != nil {
			return nil, err
		}
		a := dossier.Alternative{Name: presetName(b.Page, sc.Preset), Chosen: sc.ID == b.detail.Plan.ScenarioID, Cost: x.view.Total, Risk: x.view.Risk,
			BoundKnown: x.view.Certificate.BoundKnown, Gap: x.view.Certificate.Gap}
		for _, f := range x.view.Figures {
			switch f.Key {
			case optimize.FigureDowntime:
				a.Downtime = &f.Value
			case optimize.FigurePlanned:
				a.Planned = int(f.Value)
			}
		}
		out = append(out, a)
	}
	return out, nil
}

// readVersions lists this plan and those that it follows, newest first, and
// what changed since the one before.
func (b *dossierBuilder) readVersions(ctx context.Context, tx pgx.Tx, q *db.Queries, r *dossier.Record) error {
	rows, err := q.ListPlanVersions(ctx, tx, b.tenant, b.plan)
	if err != nil {
		return fmt.Errorf("read versions: %w", err)
	}
	for _, x := range rows {
		r.Versions = append(r.Versions, dossier.Version{Number: int(x.Plan.Version), Preset: presetName(b.Page, x.Preset),
			State: b.T("plans.state." + lifecycle(x.Plan.State, x.Plan.Lifecycle)), At: x.Plan.ProposedAt})
	}
	if len(rows) < 2 {
		return nil
	}
	before, err := q.PlanDetail(ctx, tx, b.tenant, rows[1].Plan.ID)
	if err != nil {
		return fmt.Errorf("read version before: %w", err)
	}
	r.Changes, err = b.changes(ctx, tx, q, before)
	return err
}

func (b *dossierBuilder) changes(ctx context.Context, tx pgx.Tx, q *db.Queries, before db.PlanDetailRow) ([]dossier.Change, error) {
	run, err := q.LoadRun(ctx, tx, b.tenant, before.Plan.RunID)
	if err != nil {
		return nil, fmt.Errorf("read run of the version before: %w", err)
	}
	if _, err := evidence.Held(run, []db.OptimizationScenario{before.OptimizationScenario}); err != nil {
		return nil, fmt.Errorf("run %s of the version before: %w", run.ID, err)
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

// readEvents reads the audit rows about the plan, its run and its release, each
// under the root of its day, up to a row of the chain.
func (b *dossierBuilder) readEvents(ctx context.Context, tx pgx.Tx, q *db.Queries, upTo int64, r *dossier.Record) error {
	rows, err := q.ListPlanAudit(ctx, tx, db.ListPlanAuditParams{TenantID: b.tenant, Objects: []string{b.plan.String(), b.run.ID.String()}, UpTo: upTo, PageSize: eventsPrinted + 1})
	if err != nil {
		return fmt.Errorf("read audit rows: %w", err)
	}
	if r.AuditCut = len(rows) > eventsPrinted; r.AuditCut {
		rows = rows[:eventsPrinted]
	}
	slices.SortFunc(rows, func(a, b db.AuditLog) int { return cmp.Compare(a.Seq, b.Seq) })
	seqs := make([]int64, len(rows))
	for i, x := range rows {
		seqs[i] = x.Seq
	}
	over, err := q.ListRootsOver(ctx, tx, seqs, b.tenant)
	if err != nil {
		return fmt.Errorf("read roots of audit rows: %w", err)
	}
	roots := make(map[int64]db.ListRootsOverRow, len(over))
	for _, x := range over {
		roots[x.Seq] = x
	}
	for _, x := range rows {
		row := dossier.AuditRow{Seq: x.Seq, At: x.OccurredAt, Actor: x.ActorName, Action: b.actionName(b.Page, x.Action), Hash: manifest.Hex(x.Hash)}
		if root, closed := roots[x.Seq]; closed {
			row.Day, row.Root = root.Day.Format(time.DateOnly), manifest.Hex(root.Root)
		}
		r.Audit = append(r.Audit, row)
	}
	return nil
}
