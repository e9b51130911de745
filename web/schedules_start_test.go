package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// row reads one row of a tenant.
func (f *fixture) row(code, sql string, args []any, into ...any) {
	f.Helper()
	f.within(code, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, tenant uuid.UUID) error {
		return tx.QueryRow(ctx, sql, append([]any{tenant}, args...)...).Scan(into...)
	})
}

// asked counts what was asked of the workflow engine.
func (f *fixture) asked(call string) (n int) {
	f.flows.mu.Lock()
	defer f.flows.mu.Unlock()
	for _, c := range f.flows.Calls {
		if c == call {
			n++
		}
	}
	return n
}

// TestStartsCarryWhoAsks presses Run now and makes up for missed times: both
// start in the name of the person, and what was done before is counted.
func TestStartsCarryWhoAsks(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin, tenant, who := f.as(ownTenant, access.TenantAdmin), f.tenant(ownTenant).ID, f.person(ownTenant, access.TenantAdmin).ID
	form := f.weekly(ownTenant, who)
	form["rhythm"], form["range_from"], form["range_to"] = []string{"daily"}, nil, nil
	form.Del("holiday")
	made := f.leadsTo(admin, "/schedules/new", form)
	id := strings.TrimPrefix(made, "/schedules/")
	require.Equal(t, made, f.leadsTo(admin, made+"/run", url.Values{}))
	require.Equal(t, 1, f.asked(strings.Join([]string{"recurring manual", tenant.String(), id, who.String()}, " ")))

	riyadh := time.FixedZone("", 3*60*60)
	day := time.Now().In(riyadh).AddDate(0, 0, -1)
	due := time.Date(day.Year(), day.Month(), day.Day(), 4, 0, 0, 0, riyadh)
	f.within(ownTenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, tenant uuid.UUID) error {
		_, err := tx.Exec(ctx, `INSERT INTO core.schedule_firings (tenant_id, schedule_id, due_at, cause, state, started_at, finished_at)
			VALUES ($1, $2, $3, 'due', 'done', $3, $3), ($1, $2, $4, 'backfill', 'failed', $4, $4)`, tenant, id, due, due.AddDate(0, 0, -1))
		return err
	})
	period := url.Values{"from": {due.AddDate(0, 0, -2).Format(time.DateOnly)}, "to": {due.Format(time.DateOnly)}}
	backfill := strings.Join([]string{"recurring backfill", tenant.String(), id, who.String()}, " ")
	for n := 1; n <= 2; n++ { // what failed may be asked for again
		require.Equal(t, made, f.leadsTo(admin, made+"/backfill?lang=en", period))
		require.Equal(t, 2*n, f.asked(backfill))
		_, page := f.get(admin, made+"?lang=en")
		require.Contains(t, page, "2 missed times were started, 1 was done or runs already")
	}
	status, page := f.post(admin, made+"/backfill?lang=en", url.Values{"from": {due.Format(time.DateOnly)}, "to": {due.Format(time.DateOnly)}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, "No time was missed in this period")
}

// external inserts a schedule of an outside scheduler that was due three minutes
// ago and every ten minutes before.
func (f *fixture) external(code, name, trigger string) (due time.Time) {
	f.Helper()
	due = time.Now().UTC().Add(-3 * time.Minute).Truncate(time.Minute)
	minute := due.Format("4")
	f.within(code, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, tenant uuid.UUID) error {
		_, err := tx.Exec(ctx, `INSERT INTO core.schedules (tenant_id, name, trigger, kind, cron, time_zone, catch_up_minutes, owner_id, account_id, created_by)
			SELECT $1, $2, $3, 'optimization', $4, 'UTC', 12, o.id, a.id, o.id FROM core.users o, core.users a
			WHERE o.tenant_id = $1 AND a.tenant_id = $1 AND 'tenant_admin' = ANY (o.roles) AND 'service_account' = ANY (a.roles) ORDER BY a.username LIMIT 1`,
			tenant, name, trigger, minute[len(minute)-1:]+"-59/10 * * * *")
		return err
	})
	return due
}

// TestAnOutsideSchedulerAnswersItsDueTime calls for the runs of a schedule that
// the platform only watches.
func TestAnOutsideSchedulerAnswersItsDueTime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw, _ := f.issue(ownTenant, access.ServiceAccount, soon(), "runs:create", "read:results")
	person, _ := f.issue(ownTenant, access.OptimizationEng, soon(), "runs:create", "read:results")
	stranger, _ := f.issue(foreignTenant, access.ServiceAccount, soon(), "runs:create", "read:results")
	due := f.external(ownTenant, "Nightly by Airflow", "external")
	f.external(ownTenant, "Nightly by itself", "internal")
	ask := func(token, schedule, key string) (int, map[string]any) {
		body := runBody()
		body["schedule"] = schedule
		status, out, _ := f.call(token, http.MethodPost, "/runs", body, "Idempotency-Key", key, "Accept-Language", "en")
		return status, out
	}
	for name, c := range map[string]struct{ token, schedule, says string }{
		"no such":        {raw, "Nightly by nobody", "There is no schedule"},
		"not external":   {raw, "Nightly by itself", "is not for an outside scheduler"},
		"a person":       {person, "Nightly by Airflow", "another service account"},
		"another tenant": {stranger, "Nightly by Airflow", "There is no schedule"},
	} {
		status, out := ask(c.token, c.schedule, "refused-"+strings.ReplaceAll(name, " ", "-"))
		require.Equal(t, http.StatusUnprocessableEntity, status, name)
		problem := out["errors"].([]any)[0].(map[string]any)
		require.Equal(t, "body.schedule", problem["location"], name)
		require.Contains(t, problem["message"], c.says, name)
	}
	firing := func(run any) (at time.Time, cause, state, channel string) {
		f.row(ownTenant, `SELECT f.due_at, f.cause, f.state, r.channel FROM core.schedule_firings f
			JOIN optimization.optimization_runs r ON r.tenant_id = f.tenant_id AND r.id = f.run_id AND r.schedule_id = f.schedule_id AND r.due_at = f.due_at
			WHERE f.tenant_id = $1 AND f.run_id = $2`, []any{run}, &at, &cause, &state, &channel)
		return at, cause, state, channel
	}
	status, first := ask(raw, "nightly by airflow", "airflow-0001")
	require.Equal(t, http.StatusAccepted, status, first)
	at, cause, state, channel := firing(first["id"])
	require.Equal(t, []any{due.Unix(), "external", "started", "api"}, []any{at.Unix(), cause, state, channel})
	status, again := ask(raw, "nightly by airflow", "airflow-0001")
	require.Less(t, status, http.StatusMultipleChoices)
	require.Equal(t, first["id"], again["id"], "the same key answers once")
	status, beside := ask(raw, "Nightly by Airflow", "airflow-0002")
	require.Equal(t, http.StatusAccepted, status)
	at, _, _, _ = firing(beside["id"])
	require.True(t, at.After(due), "a due time is answered once; the call stands by itself")
	var firings int
	f.row(ownTenant, `SELECT count(*) FROM core.schedule_firings f JOIN core.schedules s ON s.tenant_id = f.tenant_id AND s.id = f.schedule_id
		WHERE f.tenant_id = $1 AND s.name = 'Nightly by Airflow'`, nil, &firings)
	require.Equal(t, 2, firings)
}

// TestALateCallTakesWhatWasMissed has the alarm of a due time raised before the
// outside scheduler calls.
func TestALateCallTakesWhatWasMissed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw, _ := f.issue(ownTenant, access.ServiceAccount, soon(), "runs:create", "read:results")
	due := f.external(ownTenant, "Nightly by Airflow", "external")
	var missed uuid.UUID
	f.row(ownTenant, `INSERT INTO core.schedule_firings (tenant_id, schedule_id, due_at, cause, state, error_key)
		SELECT tenant_id, id, $2, 'external', 'missed', 'schedules.firing.missed_reason' FROM core.schedules WHERE tenant_id = $1 AND name = 'Nightly by Airflow' RETURNING id`,
		[]any{due}, &missed)
	body := runBody()
	body["schedule"] = "Nightly by Airflow"
	status, out, _ := f.call(raw, http.MethodPost, "/runs", body, "Idempotency-Key", "airflow-late")
	require.Equal(t, http.StatusAccepted, status, out)
	var state, reason, run string
	f.row(ownTenant, `SELECT state, error_key, run_id::text FROM core.schedule_firings WHERE tenant_id = $1 AND id = $2`, []any{missed}, &state, &reason, &run)
	require.Equal(t, []any{"started", "", out["id"]}, []any{state, reason, run})
}

// TestExclusionsNameKnownHolidays makes schedules over the API.
func TestExclusionsNameKnownHolidays(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw, _ := f.issue(ownTenant, access.TenantAdmin, soon(), "read:results")
	body := map[string]any{"name": "weekly report", "kind": "report", "cron": "0 5 * * 0", "time_zone": "Asia/Riyadh",
		"account_id": f.tenant(ownTenant).ServiceAccounts[0].ID, "exclusions": []any{map[string]any{"holiday": "new_year"}}}
	for lang, says := range map[string]string{"en": "“new_year” is no holiday", "ar": "«new_year» ليست مناسبة"} {
		status, out, _ := f.call(raw, http.MethodPost, "/schedules", body, "Accept-Language", lang)
		require.Equal(t, http.StatusUnprocessableEntity, status, out)
		problem := out["errors"].([]any)[0].(map[string]any)
		require.Equal(t, "body.exclusions", problem["location"])
		require.Contains(t, problem["message"], says)
		require.Contains(t, problem["message"], "eid_al_adha, eid_al_fitr")
	}
	body["exclusions"] = []any{map[string]any{"holiday": "eid_al_adha"}}
	status, made, _ := f.call(raw, http.MethodPost, "/schedules", body)
	require.Equal(t, http.StatusOK, status, made)
	require.Len(t, made["next"], 5)
	status, started, _ := f.call(raw, http.MethodPost, "/schedules/"+made["id"].(string)+"/trigger", nil)
	require.Equal(t, http.StatusOK, status, started)
	require.Equal(t, made["id"], started["id"])
}

// TestWebhooksAnswerWhatTheyWrote makes, changes and rotates one over the API.
func TestWebhooksAnswerWhatTheyWrote(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw, _ := f.issue(ownTenant, access.TenantAdmin, soon(), "read:results")
	body := map[string]any{"name": "ERP", "url": "https://erp.example/hook", "kinds": []string{"plan.approved"}}
	status, made, _ := f.call(raw, http.MethodPost, "/webhooks", body)
	require.Equal(t, http.StatusCreated, status, made)
	require.Equal(t, "active", made["state"])
	require.Regexp(t, "^whsec_", made["secret"])
	body["kinds"] = []string{"*"}
	path := "/webhooks/" + made["id"].(string)
	status, changed, _ := f.call(raw, http.MethodPut, path, body)
	require.Equal(t, http.StatusOK, status, changed)
	require.Equal(t, []any{"*"}, changed["kinds"])
	require.NotContains(t, changed, "secret")
	status, rotated, _ := f.call(raw, http.MethodPost, path+"/rotate", map[string]any{"overlap_hours": 24})
	require.Equal(t, http.StatusOK, status, rotated)
	require.Regexp(t, "^whsec_", rotated["secret"])
	require.NotEqual(t, made["secret"], rotated["secret"])
	require.NotEmpty(t, rotated["former_secret_until"])
	status, shown, _ := f.call(raw, http.MethodGet, path, nil)
	require.Equal(t, http.StatusOK, status)
	delete(rotated, "secret")
	require.Equal(t, rotated, shown)
}
