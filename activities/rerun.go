package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// States of a repetition, as stored.
const (
	rerunDone   = "done"
	rerunFailed = "failed"
	rerunEntity = "rerun"
)

// Rerun repeats past runs from their snapshots and compares.
type Rerun struct{ deps Deps }

// RerunRef names a repetition.
type RerunRef struct {
	TenantID uuid.UUID
	RerunID  uuid.UUID
}

// BegunRerun says what there is to repeat: nothing when it has ended.
type BegunRerun struct {
	Presets []string
	Limit   time.Duration // of the search for one preset
}

// RerunInput is one preset to repeat.
type RerunInput struct {
	RerunRef
	Preset string
}

// FailedRerun ends a repetition that could not be made.
type FailedRerun struct {
	RerunRef
	Cause ErrorDetail
}

// evidence is what a repetition works from.
type evidence struct {
	rerun    db.Rerun
	run      db.OptimizationRun
	manifest manifest.Manifest
}

// BeginRerun takes a repetition up and says which presets it has.
func (a *Rerun) BeginRerun(ctx context.Context, ref RerunRef) (BegunRerun, error) {
	var begun BegunRerun
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.BeginRerun(ctx, tx, manifest.ThisBuild().String(), ref.TenantID, ref.RerunID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // it has ended
		}
		if err != nil {
			return err
		}
		e, err := loadEvidence(ctx, tx, q, ref)
		if err != nil {
			return err
		}
		for _, p := range e.manifest.Presets {
			begun.Presets = append(begun.Presets, p.Preset)
		}
		begun.Limit = e.limit()
		return nil
	})
	if err != nil {
		return begun, fmt.Errorf("begin rerun: %w", err)
	}
	return begun, nil
}

func loadEvidence(ctx context.Context, tx pgx.Tx, q *db.Queries, ref RerunRef) (evidence, error) {
	var e evidence
	var err error
	if e.rerun, err = q.GetRerun(ctx, tx, ref.TenantID, ref.RerunID); err != nil {
		return e, fmt.Errorf("load rerun: %w", err)
	}
	if e.run, err = q.LoadRun(ctx, tx, ref.TenantID, e.rerun.RunID); err != nil {
		return e, fmt.Errorf("load run: %w", err)
	}
	e.manifest, err = manifest.Open(e.run.Manifest, e.run.ManifestSha256)
	return e, err
}

// limit is the budget of the run per preset.
func (e evidence) limit() time.Duration {
	return time.Duration(e.manifest.WorkSeconds * float64(time.Second))
}

// SolveRerun searches one preset again from the snapshot of its input, with
// the seed, budget, threads and start that are recorded, compares the outcome
// with the recorded one and keeps it under its hash. A repeated call does the
// same again.
func (a *Rerun) SolveRerun(ctx context.Context, in RerunInput) error {
	var e evidence
	var input, start, was []byte
	var recorded manifest.Preset
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if e, err = loadEvidence(ctx, tx, q, in.RerunRef); err != nil {
			return err
		}
		var known bool
		if recorded, known = e.manifest.Find(in.Preset); !known {
			return fault.New(fault.NotFound, KeyNoPlan).With("preset", in.Preset)
		}
		if input, err = db.Snapshot(ctx, tx, q, in.TenantID, e.manifest.Input); err != nil {
			return err
		}
		if was, err = db.Snapshot(ctx, tx, q, in.TenantID, recorded.Output); err != nil || recorded.Start == "" {
			return err
		}
		start, err = db.Snapshot(ctx, tx, q, in.TenantID, recorded.Start)
		return err
	})
	if err != nil {
		return fmt.Errorf("load evidence: %w", err)
	}
	again, err := e.solve(ctx, input, start, recorded)
	if err != nil {
		return fmt.Errorf("repeat %s: %w", in.Preset, err)
	}
	compared, outcome, err := e.compare(input, was, again, recorded)
	if err != nil {
		return fmt.Errorf("compare %s: %w", in.Preset, err)
	}
	return a.note(ctx, in, compared, outcome)
}

// repeated is the outcome of a search that was made again.
type repeated struct {
	output json.RawMessage
	ended  manifest.Ended
}

// solve searches as the run did, while heartbeats go on.
func (e evidence) solve(ctx context.Context, input, start []byte, recorded manifest.Preset) (repeated, error) {
	problem, err := problemOf(e.run)
	if err != nil {
		return repeated{}, err
	}
	weighed, err := problem.Weigh(input, recorded.Preset)
	if err != nil {
		return repeated{}, err
	}
	if start != nil {
		if weighed, err = problem.Start(weighed, start); err != nil {
			return repeated{}, err
		}
	}
	ended := make(chan struct{})
	var pulse sync.WaitGroup
	pulse.Go(func() { beat(ctx, ended) })
	defer func() { close(ended); pulse.Wait() }()
	opt := budgetOf(e.limit(), e.manifest.Seed, recorded.Threads, recorded.Prices)
	result, how, err := searched(ctx, problem, weighed, opt, nil)
	if ctx.Err() != nil {
		return repeated{}, ctx.Err()
	}
	return repeated{result.Output, how}, err
}

// beat heartbeats once a second until a search has ended.
func beat(ctx context.Context, ended <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
			activity.RecordHeartbeat(ctx)
		}
	}
}

// note keeps what came of a preset.
func (a *Rerun) note(ctx context.Context, in RerunInput, compared manifest.Compared, outcome []byte) error {
	encoded, err := json.Marshal(compared)
	if err != nil {
		return fmt.Errorf("encode comparison: %w", err)
	}
	err = a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := db.KeepSnapshot(ctx, tx, q, in.TenantID, outcome); err != nil {
			return err
		}
		_, err := q.NoteRerunPreset(ctx, tx, db.NoteRerunPresetParams{TenantID: in.TenantID, ID: in.RerunID, Preset: in.Preset, Outcome: encoded})
		return err
	})
	if err != nil {
		return fmt.Errorf("note %s: %w", in.Preset, err)
	}
	return nil
}

// FinishRerun says whether the run came out the same and what has changed
// since. A repetition that has ended is left alone.
func (a *Rerun) FinishRerun(ctx context.Context, ref RerunRef) error {
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		e, err := loadEvidence(ctx, tx, q, ref)
		if err != nil {
			return err
		}
		report := manifest.Report{}
		if err := json.Unmarshal(e.rerun.Result, &report); err != nil {
			return fmt.Errorf("read report: %w", err)
		}
		version, code := mip.Embedded()
		report.Was = manifest.Built{Build: e.manifest.Build, Exact: e.manifest.Exact}
		report.Is = manifest.Built{Build: manifest.ThisBuild(), Exact: manifest.Exact{Name: e.manifest.Exact.Name, Version: version, SHA256: code}}
		if report.Since, err = e.since(ctx, tx, q); err != nil {
			return err
		}
		encoded, err := json.Marshal(report)
		if err != nil {
			return fmt.Errorf("encode report: %w", err)
		}
		identical := report.Identical()
		closed, err := q.CloseRerun(ctx, tx, db.CloseRerunParams{
			TenantID: ref.TenantID, ID: ref.RerunID, State: rerunDone, Identical: &identical, Result: encoded, ErrorDetail: json.RawMessage(`{}`),
		})
		if err != nil || closed == 0 {
			return err
		}
		return db.AppendAudit(ctx, tx, db.Entry{
			TenantID: ref.TenantID, Actor: db.SystemActor(engine), Action: "run.rerun_finished", ObjectType: "run", ObjectID: e.run.ID.String(),
			Before: map[string]any{"state": e.rerun.State},
			After:  map[string]any{"state": rerunDone, rerunEntity: ref.RerunID, "identical": identical, "manifest_sha256": manifest.Hex(e.run.ManifestSha256)},
		})
	})
	if err != nil {
		return fmt.Errorf("finish rerun: %w", err)
	}
	return nil
}

// FailRerun ends a repetition that could not be made, with the reason.
func (a *Rerun) FailRerun(ctx context.Context, in FailedRerun) error {
	detail, err := encodeArgs(in.Cause.Args)
	if err != nil {
		return err
	}
	return a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rerun, err := q.GetRerun(ctx, tx, in.TenantID, in.RerunID)
		if err != nil {
			return fmt.Errorf("load rerun: %w", err)
		}
		closed, err := q.CloseRerun(ctx, tx, db.CloseRerunParams{
			TenantID: in.TenantID, ID: in.RerunID, State: rerunFailed, Result: rerun.Result, ErrorKey: in.Cause.Key, ErrorDetail: detail,
		})
		if err != nil || closed == 0 {
			return err
		}
		return db.AppendAudit(ctx, tx, db.Entry{
			TenantID: in.TenantID, Actor: db.SystemActor(engine), Action: "run.rerun_failed", ObjectType: "run", ObjectID: rerun.RunID.String(),
			Before: map[string]any{"state": rerun.State}, After: map[string]any{"state": rerunFailed, rerunEntity: in.RerunID, "error_key": in.Cause.Key},
		})
	})
}
