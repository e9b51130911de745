package activities

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/registry"
	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/demo"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/scoring/learning"
	"github.com/optria-iq/optria/internal/testkit"
)

// membranes is the class with past telemetry.
var membranes = learning.RUL("ROT")

// firstRun is the training that made the model of the trained template.
var firstRun = uuid.MustParse("11111111-1111-4111-8111-111111111111")

// trained is the seeded plant after the first training of its membranes.
var trained = testkit.Template{Key: "activities-trained-" + tenantCode, Build: func(ctx context.Context, url string) error {
	if err := db.Prepare(ctx, url); err != nil {
		return err
	}
	d, err := db.Open(ctx, url, db.Config{})
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = seed.Run(ctx, d, seed.Options{
		Epoch: time.Now().UTC(), History: 24 * time.Hour, Period: time.Hour,
		Password: "not-used-in-tests", Only: []string{tenantCode}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	content, err := demo.Load()
	if err != nil {
		return err
	}
	tenant, _ := content.Tenant(tenantCode)
	set := NewSet(Deps{DB: d})
	ref := TrainingRef{TenantID: tenant.ID, RunID: firstRun}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	set.Register(env)
	var step TrainingStep
	for _, run := range []func() (any, any){
		func() (any, any) {
			return set.Training.BeginTraining, TrainingRequest{TrainingRef: ref, Kind: membranes, Reason: registry.BySchedule, WorkflowID: "w"}
		},
		func() (any, any) { return set.Training.TrainCandidate, ref },
		func() (any, any) {
			return set.Training.EvaluateCandidate, TrainingCase{TrainingRef: ref, CandidateID: step.CandidateID}
		},
		func() (any, any) {
			return set.Training.DecideTraining, TrainingCase{TrainingRef: ref, CandidateID: step.CandidateID}
		},
	} {
		activity, input := run()
		value, err := env.ExecuteActivity(activity, input)
		if err != nil {
			return err
		}
		if err := value.Get(&step); err != nil {
			return err
		}
	}
	return nil
}}

// newTraining opens a training by hand and returns it.
func (f *plantFixture) newTraining(kind string) TrainingRef {
	f.t.Helper()
	ref := TrainingRef{TenantID: f.tenant, RunID: uuid.New()}
	f.do(nil, f.set.Training.BeginTraining, TrainingRequest{TrainingRef: ref, Kind: kind, Reason: registry.ByHand, WorkflowID: "w"})
	return ref
}

// active returns the model of the membranes that serves.
func (f *plantFixture) active() (m db.Model) {
	f.t.Helper()
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		m, err = q.LoadActiveModel(ctx, tx, f.tenant, membranes)
		return err
	})
	return m
}

func TestFirstTrainingServesWhenItBeatsTheWeibullLife(t *testing.T) {
	f := newPlantOf(t, trained)
	m := f.active()
	require.Equal(t, registry.Promoted, m.Decision)
	require.NotEmpty(t, m.Artefact)
	require.Len(t, m.ArtefactSha256, 32)
	require.Equal(t, learning.Protocol, m.Protocol)
	var report learning.Report
	require.NoError(t, json.Unmarshal(m.Metrics, &report))
	require.Less(t, report.Candidate.RMSECapped, report.Baseline.RMSE)
	t.Logf("RMSE %.2f against %.2f of the Weibull life, coverage %.2f, %d lives", report.Candidate.RMSECapped, report.Baseline.RMSE,
		report.Candidate.Coverage90, report.Candidate.Lives)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM ai.training_runs WHERE tenant_id = $1 AND outcome = 'promoted' AND finished_at IS NOT NULL`, f.tenant))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.audit_logs WHERE tenant_id = $1 AND action = 'model.promoted'`, f.tenant))
	contender, err := contenderOf(m)
	require.NoError(t, err)
	require.Contains(t, contender.Model.Signals(), "ndp")

	// Every step of a training that has ended finds it ended.
	ref := TrainingRef{TenantID: f.tenant, RunID: firstRun}
	for _, again := range []struct{ activity, input any }{
		{f.set.Training.BeginTraining, TrainingRequest{TrainingRef: ref, Kind: membranes, Reason: registry.BySchedule, WorkflowID: "w"}},
		{f.set.Training.TrainCandidate, ref},
		{f.set.Training.EvaluateCandidate, TrainingCase{ref, m.ID}},
		{f.set.Training.DecideTraining, TrainingCase{ref, m.ID}},
	} {
		var step TrainingStep
		f.do(&step, again.activity, again.input)
		require.Equal(t, TrainingStep{CandidateID: m.ID, Outcome: OutcomePromoted, Closed: true}, step)
	}
	require.Equal(t, 1, f.count(`SELECT count(*) FROM ai.models WHERE tenant_id = $1 AND kind = $2`, f.tenant, membranes))
	f.intact()
}

func TestCandidateThatIsNotBetterIsKeptBack(t *testing.T) {
	f := newPlantOf(t, trained)
	before := f.active()
	ref := f.newTraining(membranes)
	var step, again TrainingStep
	f.do(&step, f.set.Training.TrainCandidate, ref)
	f.do(&again, f.set.Training.TrainCandidate, ref)
	require.Equal(t, step, again, "an attempt that is repeated makes no second candidate")
	f.do(nil, f.set.Training.EvaluateCandidate, TrainingCase{ref, step.CandidateID})
	var end TrainingStep
	f.do(&end, f.set.Training.DecideTraining, TrainingCase{ref, step.CandidateID})
	require.Equal(t, OutcomeKept, end.Outcome)
	require.Equal(t, before.ID, f.active().ID)
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		m, err := q.LoadModel(ctx, tx, f.tenant, step.CandidateID)
		require.Equal(t, []string{registry.Retired, registry.Kept}, []string{m.State, m.Decision})
		require.Equal(t, before.ID, *m.ComparedWith)
		require.Equal(t, before.ArtefactSha256, m.ArtefactSha256, "the same lives give the same bytes")
		return err
	})

	// A person may overrule the comparison, and take that back.
	by := registry.Actor{Actor: db.SystemActor("test")}
	f.exec(`INSERT INTO ai.scoring_sweeps (tenant_id, id, as_of) VALUES ($1, $1, now())`, f.tenant)
	f.exec(`INSERT INTO ai.asset_scores (tenant_id, asset_id, as_of, sweep_id, model_id, health_score, failure_probability_7, failure_probability_30,
		failure_probability_90, failure_probability_30_lo, failure_probability_30_hi, rul_days, rul_lo_days, rul_hi_days, anomaly_flag, anomaly_score, evidence_factor,
		production_risk_sar, production_risk_lo_sar, production_risk_hi_sar, production_risk_index, risk_level, coverage, trusted, confidence, detail)
		SELECT tenant_id, id, now(), $1, $2, 1, 0, 0, 0, 0, 0, 1, 1, 1, false, 0, 1, 0, 0, 0, 0, 1, 1, true, 1, '{}' FROM core.assets WHERE tenant_id = $1`, f.tenant, before.ID)
	f.exec(`INSERT INTO ai.asset_score_latest (tenant_id, asset_id, as_of, due_at) SELECT tenant_id, asset_id, as_of, now() + interval '1 day' FROM ai.asset_scores WHERE tenant_id = $1`, f.tenant)
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return registry.Promote(ctx, tx, q, f.tenant, step.CandidateID, by)
	})
	require.Equal(t, step.CandidateID, f.active().ID)
	require.Equal(t, 4, f.count(`SELECT count(*) FROM ai.asset_score_latest WHERE tenant_id = $1 AND due_at <= now()`, f.tenant), "the membranes are scored anew, nothing else")
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		require.Equal(t, fault.Conflict, fault.CodeOf(registry.Promote(ctx, tx, q, f.tenant, step.CandidateID, by)))
		earlier, err := registry.RollBack(ctx, tx, q, f.tenant, step.CandidateID, by)
		require.Equal(t, before.ID, earlier)
		return err
	})
	require.Equal(t, before.ID, f.active().ID)
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := registry.RollBack(ctx, tx, q, f.tenant, before.ID, by)
		require.Equal(t, fault.Conflict, fault.CodeOf(err), "there is nothing before the first")
		return nil
	})
	f.intact()
}

func TestTooLittleDataEndsTheTraining(t *testing.T) {
	f := newPlantOf(t, trained)
	for kind, what := range map[string]string{learning.RUL("HPP"): "lives", learning.KindAnomaly: "labels"} {
		ref := f.newTraining(kind)
		var step TrainingStep
		f.do(&step, f.set.Training.TrainCandidate, ref)
		require.Equal(t, TrainingStep{Outcome: OutcomeTooLittle, Closed: true}, step)
		require.Equal(t, 1, f.count(`SELECT count(*) FROM ai.training_runs WHERE tenant_id = $1 AND id = $2 AND detail ->> 'what' = $3`, f.tenant, ref.RunID, what))
	}
	require.Zero(t, f.count(`SELECT count(*) FROM ai.models WHERE tenant_id = $1 AND kind <> $2`, f.tenant, membranes))
	f.refuse(TypeInvalid, registry.KeyUnknownKind, f.set.Training.TrainCandidate, f.newTraining("asset_score"))
}

func TestFailedTrainingRetiresItsCandidate(t *testing.T) {
	f := newPlantOf(t, trained)
	ref := f.newTraining(membranes)
	id := f.id(`INSERT INTO ai.models (tenant_id, kind, version, state, artefact) VALUES ($1, $2, 'half-made', 'candidate', 'x') RETURNING id`, f.tenant, membranes)
	failed := FailedTraining{TrainingRef: ref, CandidateID: id, Cause: ErrorDetail{Key: KeyTrainingCancelled}}
	for range 2 {
		f.do(nil, f.set.Training.FailTraining, failed)
	}
	require.Equal(t, 1, f.count(`SELECT count(*) FROM ai.models WHERE tenant_id = $1 AND id = $2 AND state = 'retired' AND decision = 'kept'`, f.tenant, id))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM ai.training_runs WHERE tenant_id = $1 AND id = $2 AND state = 'failed' AND error_key = $3`, f.tenant, ref.RunID, KeyTrainingCancelled))
	f.intact()
}

func TestDriftedInputsRaiseAnAlertAndATraining(t *testing.T) {
	f := newPlantOf(t, trained)
	m := f.active()
	round := RegistryRound{TenantID: f.tenant, At: time.Now().UTC().Truncate(time.Second)}
	var models []uuid.UUID
	f.do(&models, f.set.Training.ListActiveModels, round)
	require.Equal(t, []uuid.UUID{m.ID}, models)
	open := `SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND kind = 'model_drift' AND closed_at IS NULL`

	f.do(nil, f.set.Training.CheckDrift, ModelCheck{round, m.ID})
	require.Zero(t, f.count(open, f.tenant), "the running lives look like those of the past")
	require.Equal(t, 1, f.count(`SELECT count(*) FROM ai.drift_checks WHERE tenant_id = $1 AND input_drift > 0 AND NOT alarm`, f.tenant))
	var due []DueTraining
	f.do(&due, f.set.Training.ListDueTrainings, round)
	require.NotContains(t, due, DueTraining{membranes, registry.ByDrift})

	f.exec(`UPDATE telemetry.signal_hours h SET mean_value = mean_value + 20 FROM telemetry.signals s
		WHERE h.tenant_id = $1 AND s.tenant_id = $1 AND s.id = h.signal_id AND s.metric = 'feed_temp' AND h.hour > now() - interval '40 days'`, f.tenant)
	round.At = round.At.Add(24 * time.Hour)
	for range 2 {
		f.do(nil, f.set.Training.CheckDrift, ModelCheck{round, m.ID})
	}
	require.Equal(t, 1, f.count(open, f.tenant))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM ai.drift_checks WHERE tenant_id = $1 AND alarm`, f.tenant), "a repeated check is stored once")
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.alerts WHERE tenant_id = $1 AND kind = 'model_drift' AND detail -> 'signals' ->> 0 = 'feed_temp'`, f.tenant))
	round.At = round.At.Add(driftPause)
	f.do(&due, f.set.Training.ListDueTrainings, round)
	require.Contains(t, due, DueTraining{membranes, registry.ByDrift})
	round.At = round.At.Add(recalibrateEvery)
	f.exec(`INSERT INTO ai.drift_checks (tenant_id, model_id, checked_at, input_drift, residual_drift, alarm) VALUES ($1, $2, now() + interval '2 days', 0, 0, false)`, f.tenant, m.ID)
	f.do(&due, f.set.Training.ListDueTrainings, round)
	require.Contains(t, due, DueTraining{membranes, registry.BySchedule}, "once a week in any case")
}

func TestTrainingsKeepToTheirTenant(t *testing.T) {
	f := newPlantOf(t, trained)
	foreign := uuid.New()
	require.NoError(t, f.db.Platform(t.Context(), func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.CreateTenant(ctx, tx, db.CreateTenantParams{ID: foreign, Code: "OTHER", Kind: "customer", NameAr: "أخرى", NameEn: "Other", Industry: "other",
			CalendarProfile: "SA-STD", TimeZone: "Asia/Riyadh", Currency: "SAR", Settings: json.RawMessage(`{}`)})
		return err
	}))
	m := f.active()
	_, err := f.env().ExecuteActivity(f.set.Training.TrainCandidate, TrainingRef{TenantID: foreign, RunID: firstRun})
	require.ErrorContains(t, err, TypeNotFound)
	_, err = f.env().ExecuteActivity(f.set.Training.CheckDrift, ModelCheck{RegistryRound{foreign, time.Now()}, m.ID})
	require.ErrorContains(t, err, TypeNotFound)
	err = f.db.InTenant(t.Context(), foreign, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return registry.Promote(ctx, tx, q, foreign, m.ID, registry.Actor{Actor: db.SystemActor("test")})
	})
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	var models []uuid.UUID
	f.do(&models, f.set.Training.ListActiveModels, RegistryRound{TenantID: foreign, At: time.Now()})
	require.Empty(t, models)
}

func TestUpkeepResumesTrainingsThatNobodyRuns(t *testing.T) {
	f := newPlantOf(t, trained)
	ref := f.newTraining(membranes)
	f.do(nil, f.set.Upkeep.ReconcileTenants)
	require.Empty(t, f.starter.trainings, "a young one is in the hands of its request")
	f.exec(`UPDATE ai.training_runs SET started_at = now() - interval '5 minutes' WHERE tenant_id = $1`, f.tenant)
	f.do(nil, f.set.Upkeep.ReconcileTenants)
	require.Equal(t, []uuid.UUID{ref.RunID}, f.starter.trainings)
	f.starter.running["w"] = true
	f.do(nil, f.set.Upkeep.ReconcileTenants)
	require.Len(t, f.starter.trainings, 1, "one that runs is left alone")
}
