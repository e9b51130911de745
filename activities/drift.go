package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/registry"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/scoring/drift"
	"github.com/optria-iq/optria/internal/scoring/learning"
)

// AlertModelDrift says that a model in service no longer fits what it sees.
const AlertModelDrift = "model_drift"

// How often models are trained: on a schedule, after a drift alarm at most
// every few days, and again soon after an attempt that failed.
const (
	recalibrateEvery = 7 * 24 * time.Hour
	driftPause       = 3 * 24 * time.Hour
	retryPause       = 20 * time.Hour
)

// RegistryRound is one nightly look at the models of a tenant.
type RegistryRound struct {
	TenantID uuid.UUID
	At       time.Time
}

// ModelCheck asks for the drift check of one model.
type ModelCheck struct {
	RegistryRound
	ModelID uuid.UUID
}

// DueTraining is a kind that should be trained, and why.
type DueTraining struct {
	Kind, Reason string
}

// driftDetail is what a check stores besides its two figures.
type driftDetail struct {
	Input    *drift.Input    `json:"input,omitempty"`
	Residual *drift.Residual `json:"residual,omitempty"`
	Lives    int             `json:"lives"`  // ended since training
	Labels   int             `json:"labels"` // given since training
	Rejected int             `json:"rejected"`
}

// ListActiveModels names the models in service whose drift can be watched.
func (a *Training) ListActiveModels(ctx context.Context, in RegistryRound) ([]uuid.UUID, error) {
	ids := []uuid.UUID{}
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		models, err := q.ListModels(ctx, tx, in.TenantID, "")
		for _, m := range models {
			if _, _, kindErr := learning.Parse(m.Kind); kindErr == nil && m.State == registry.Active {
				ids = append(ids, m.ID)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list models: %w", err)
	}
	return ids, nil
}

// CheckDrift compares what a model sees and how it errs with its training, and
// raises or clears the alert about it. A repeated call stores one check.
func (a *Training) CheckDrift(ctx context.Context, in ModelCheck) error {
	var row db.Model
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		row, err = q.LoadModel(ctx, tx, in.TenantID, in.ModelID)
		return err
	})
	if err != nil {
		return fmt.Errorf("load model: %w", err)
	}
	family, class, err := learning.Parse(row.Kind)
	if err != nil {
		return fault.Wrap(fault.Conflict, registry.KeyFixed, err)
	}
	check := db.InsertDriftCheckParams{TenantID: in.TenantID, ID: uuid.NewSHA1(in.ModelID, []byte(in.At.UTC().Format(time.RFC3339))), ModelID: in.ModelID, CheckedAt: in.At}
	var detail driftDetail
	if family == learning.FamilyAnomaly {
		err = a.checkLimits(ctx, row, &check, &detail)
	} else {
		err = a.checkFleet(ctx, row, class, &check, &detail)
	}
	if err != nil {
		return fmt.Errorf("check drift of %s: %w", row.Kind, err)
	}
	if check.Detail, err = json.Marshal(detail); err != nil {
		return err
	}
	return a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.InsertDriftCheck(ctx, tx, check); err != nil {
			return fmt.Errorf("store check: %w", err)
		}
		_, err := settleAlerts(ctx, tx, q, in.TenantID, in.At, driftAlert(row, check, detail))
		return err
	})
}

// driftAlert is about the kind, not the version: a retrained model clears it.
func driftAlert(row db.Model, check db.InsertDriftCheckParams, detail driftDetail) alert {
	signals := []string{}
	if detail.Input != nil {
		for _, f := range detail.Input.Features {
			if f.Index > 1 && len(signals) < 3 {
				signals = append(signals, f.Name)
			}
		}
	}
	return alert{
		kind: AlertModelDrift, about: uuid.NewSHA1(row.TenantID, []byte(row.Kind)), holds: check.Alarm, severity: 3,
		detail: map[string]any{
			"model_id": row.ID, "kind": row.Kind, "version": row.Version, "signals": signals,
			"input_drift": check.InputDrift, "residual_drift": check.ResidualDrift,
		},
	}
}

// checkFleet watches a prognosis: the inputs of the running assets over the
// last window, and the errors on lives that ended since it was trained.
func (a *Training) checkFleet(ctx context.Context, row db.Model, class string, check *db.InsertDriftCheckParams, detail *driftDetail) error {
	contender, err := contenderOf(row)
	if err != nil {
		return err
	}
	rows, err := a.recentRows(ctx, row.TenantID, class, contender.Model.Signals(), check.CheckedAt)
	if err != nil {
		return err
	}
	input, err := contender.Memory.Reference.Check(rows)
	if err != nil {
		return err
	}
	fleet, err := a.loadFleet(ctx, row.TenantID, class, check.CheckedAt)
	if err != nil {
		return err
	}
	var ended []learning.Life
	for _, l := range fleet.Lives {
		if row.TrainedTo != nil && l.End.After(*row.TrainedTo) && slices.Equal(fleet.Signals, contender.Model.Signals()) {
			ended = append(ended, l)
		}
	}
	residual, err := contender.Memory.Residual(ctx, contender.Model, ended)
	if err != nil {
		return err
	}
	detail.Input, detail.Residual, detail.Lives = &input, &residual, len(residual.Steps)
	check.InputDrift, check.ResidualDrift, check.Alarm = input.Index, residual.Index, input.Alarm || residual.Alarm
	return nil
}

// recentRows returns the daily rows of the running assets over one window. An
// asset that lacks a signal has none of its values.
func (a *Training) recentRows(ctx context.Context, tenant uuid.UUID, class string, metrics []string, at time.Time) ([][]float64, error) {
	courses := map[uuid.UUID]course{}
	err := a.deps.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		ids, err := q.ListModelAssets(ctx, tx, tenant, class)
		if err != nil || len(ids) == 0 {
			return err
		}
		signals, err := q.ListSignals(ctx, tx, tenant, ids)
		if err != nil {
			return err
		}
		of := map[uuid.UUID]map[string]int64{}
		for _, id := range ids {
			of[id] = map[string]int64{}
		}
		for _, s := range signals {
			of[s.AssetID][s.Metric] = s.ID
		}
		courses = columnsOf(metrics, of)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list running assets: %w", err)
	}
	days := int(learning.DriftWindow / (24 * time.Hour))
	from := at.UTC().Truncate(24*time.Hour).AddDate(0, 0, -days)
	var rows [][]float64
	for _, id := range slices.SortedFunc(maps.Keys(courses), func(x, y uuid.UUID) int { return slices.Compare(x[:], y[:]) }) {
		read, err := a.readDays(ctx, tenant, courses[id], len(metrics), from, days)
		if err != nil {
			return nil, err
		}
		for _, row := range read {
			if slices.ContainsFunc(row, func(v float64) bool { return !math.IsNaN(v) }) {
				rows = append(rows, row)
			}
		}
	}
	return rows, nil
}

// A share of rejected verdicts that is three standard errors above what the
// calibration measured is an alarm, from so many verdicts on.
const (
	leastVerdicts  = 6
	verdictsBeyond = 3
)

// checkLimits watches calibrated limits by the verdicts since: has the share of
// rejected anomalies grown?
func (a *Training) checkLimits(ctx context.Context, row db.Model, check *db.InsertDriftCheckParams, detail *driftDetail) error {
	var report learning.LimitsReport
	if err := json.Unmarshal(row.Metrics, &report); err != nil {
		return fmt.Errorf("read calibration: %w", err)
	}
	var labels []db.ListAnomalyLabelsRow
	err := a.deps.DB.InTenant(ctx, row.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		labels, err = q.ListAnomalyLabels(ctx, tx, row.TenantID, mostLabels)
		return err
	})
	if err != nil {
		return fmt.Errorf("list verdicts: %w", err)
	}
	for _, l := range labels {
		if row.TrainedTo == nil || !l.GivenAt.After(*row.TrainedTo) {
			continue
		}
		detail.Labels++
		if l.Verdict != "confirmed" {
			detail.Rejected++
		}
	}
	if detail.Labels < leastVerdicts {
		return nil
	}
	n := float64(detail.Labels)
	expected := min(max(1-report.Candidate.Precision, 0.05), 0.95)
	z := (float64(detail.Rejected)/n - expected) / math.Sqrt(expected*(1-expected)/n)
	check.ResidualDrift = max(z, 0) / verdictsBeyond
	check.Alarm = check.ResidualDrift > 1
	return nil
}

// ListDueTrainings says which kinds should be trained now: those that have
// never been and could be, those whose turn it is, and those that have drifted.
func (a *Training) ListDueTrainings(ctx context.Context, in RegistryRound) ([]DueTraining, error) {
	var out []DueTraining
	err := a.deps.DB.InTenant(ctx, in.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		kinds, err := trainable(ctx, tx, q, in.TenantID)
		if err != nil {
			return err
		}
		last, err := q.LastTrainings(ctx, tx, in.TenantID)
		if err != nil {
			return fmt.Errorf("list trainings: %w", err)
		}
		drifted, err := driftedKinds(ctx, tx, q, in.TenantID)
		if err != nil {
			return err
		}
		for _, kind := range kinds {
			i := slices.IndexFunc(last, func(r db.LastTrainingsRow) bool { return r.Kind == kind })
			if i < 0 {
				out = append(out, DueTraining{kind, registry.BySchedule})
				continue
			}
			if reason := dueReason(last[i], drifted[kind], in.At); reason != "" {
				out = append(out, DueTraining{kind, reason})
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for due trainings: %w", err)
	}
	return out, nil
}

func dueReason(last db.LastTrainingsRow, drifted bool, at time.Time) string {
	age := at.Sub(last.StartedAt)
	switch {
	case last.State == TrainingRunning:
		return ""
	case drifted && age >= driftPause:
		return registry.ByDrift
	case age >= recalibrateEvery, last.State == TrainingFailed && age >= retryPause:
		return registry.BySchedule
	}
	return ""
}

// trainable lists the kinds for which there may be enough to learn from.
func trainable(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) ([]string, error) {
	var kinds []string
	classes, err := q.ListClasses(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("list classes: %w", err)
	}
	for _, c := range classes {
		if int(c.Failures) >= learning.LeastLives {
			kinds = append(kinds, learning.RUL(c.ClassCode))
		}
	}
	labels, err := q.ListAnomalyLabels(ctx, tx, tenant, learning.LeastLabels)
	if err != nil {
		return nil, fmt.Errorf("list verdicts: %w", err)
	}
	if len(labels) >= learning.LeastLabels {
		kinds = append(kinds, learning.KindAnomaly)
	}
	return kinds, nil
}

// driftedKinds are those whose active model raised an alarm at its last check.
func driftedKinds(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (map[string]bool, error) {
	models, err := q.ListModels(ctx, tx, tenant, "")
	if err != nil {
		return nil, fmt.Errorf("list models: %w", err)
	}
	checks, err := q.LastDriftChecks(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("list drift checks: %w", err)
	}
	out := map[string]bool{}
	for _, m := range models {
		for _, c := range checks {
			if c.ModelID == m.ID && c.Alarm && m.State == registry.Active {
				out[m.Kind] = true
			}
		}
	}
	return out, nil
}
