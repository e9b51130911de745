package web_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// The tenant of the intruder, and the one that must not be seen or changed.
const (
	ownTenant     = "POWER_DEMO"
	foreignTenant = "ARAMCO_DEMO"
)

// tableOf names the table behind a path parameter by the segment before it. A
// new kind of parameter must be added here.
var tableOf = map[string]string{
	"assets": "core.assets", "runs": "optimization.optimization_runs", "recommendations": "optimization.optimization_recommendations",
	"plans": "optimization.plans", "releases": "optimization.releases", "ledger": "optimization.plans", "work-orders": "core.work_orders", "alerts": "core.alerts", "integrations": "core.integrations",
	"mappings": "core.integration_mappings", "users": "core.users", "credentials": "core.one_time_credentials", "tokens": "core.api_tokens",
	"tenants": "core.tenants", "components": "core.asset_components", "failure-modes": "core.asset_failure_modes", "modes": "core.asset_failure_modes",
	"models": "ai.models", "scenarios": "optimization.optimization_scenarios", "compare": "optimization.optimization_scenarios", "sites": "core.sites", "signals": "telemetry.signals",
	"delegations": "core.delegations", "schedules": "core.schedules", "reports": "core.reports",
	"notifications": "core.notifications", "webhooks": "core.webhooks", "deliveries": "core.deliveries", "firings": "core.schedule_firings", "backtests": "optimization.backtests",
}

// estate is a tenant that holds at least one row of every kind, with one id of
// each table.
type estate struct {
	code string
	id   uuid.UUID
	ids  map[string]string
}

// world is the web tier with two tenants at work.
type world struct {
	*fixture
	root         *pgx.Conn // superuser, outside row-level security
	own, foreign estate
	tables       []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{fixture: newFixture(t)}
	var err error
	w.root, err = pgx.Connect(t.Context(), w.url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.root.Close(context.Background()) })
	rows, err := w.root.Query(t.Context(), `SELECT table_schema || '.' || table_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
		WHERE column_name = 'tenant_id' AND table_type = 'BASE TABLE' AND table_schema IN ('core', 'telemetry', 'ai', 'optimization') ORDER BY 1`)
	require.NoError(t, err)
	w.tables, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	w.own, w.foreign = w.works(ownTenant), w.works(foreignTenant)
	return w
}

// works fills a demonstration tenant with the traces of work: two finished
// runs, a released plan with work orders, a proposed one, scores, alerts,
// a token and a credential.
func (w *world) works(code string) estate {
	w.Helper()
	e := estate{code: code, id: w.tenant(code).ID, ids: map[string]string{}}
	w.released(code, w.proposed(code, "approved"))
	w.proposed(code, "")
	w.scored(code, 2)
	_, err := w.root.Exec(w.Context(), strings.NewReplacer("{id}", e.id.String(), "{user}", w.person(code, access.Viewer).ID.String(),
		"{admin}", w.person(code, access.TenantAdmin).ID.String(), "{engineer}", w.person(code, access.OptimizationEng).ID.String()).Replace(traces))
	require.NoError(w, err)
	for _, table := range w.tables {
		belongs := "true"
		if parents[table] != "" {
			belongs = parents[table]
		}
		var id string
		err := w.root.QueryRow(w.Context(), `SELECT coalesce((SELECT to_jsonb(r)->>'id' FROM `+table+` r WHERE tenant_id = $1 AND `+belongs+` ORDER BY 1 LIMIT 1), '')`, e.id).Scan(&id)
		require.NoError(w, err, table)
		if id != "" {
			e.ids[table] = id
		}
	}
	e.ids["core.tenants"] = e.id.String()
	for _, table := range tableOf {
		require.NotEmpty(w, e.ids[table], "%s has no row in %s", code, table)
	}
	return e
}

// parents choose the row of a table that belongs to the first row of another,
// so that the ids of an estate fit together.
var parents = map[string]string{
	"telemetry.signals":         `asset_id = (SELECT min(id::text) FROM core.assets WHERE tenant_id = $1)::uuid`,
	"core.asset_failure_modes":  `asset_id = (SELECT min(id::text) FROM core.assets WHERE tenant_id = $1)::uuid AND archived_at IS NULL`,
	"core.integration_mappings": `integration_id = (SELECT min(id::text) FROM core.integrations WHERE tenant_id = $1)::uuid`,
	"core.users":                `id = (SELECT user_id FROM core.one_time_credentials WHERE tenant_id = $1)`,
	"optimization.optimization_recommendations": `scenario_id IN (SELECT id FROM optimization.optimization_scenarios WHERE tenant_id = $1
		AND run_id = (SELECT min(id::text) FROM optimization.optimization_runs WHERE tenant_id = $1)::uuid)`,
}

// traces are the rows that no other fixture makes.
const traces = `
INSERT INTO core.alerts (tenant_id, asset_id, kind, severity, dedupe_key, detail, raised_at, last_seen_at)
  SELECT tenant_id, id, 'failure_risk', 4, 'test/' || id, '{"probability_30": 0.31, "loss_sar": 120000}', now(), now() FROM core.assets WHERE tenant_id = '{id}' ORDER BY tag LIMIT 5;
INSERT INTO core.api_tokens (tenant_id, user_id, name, scopes, token_hash, created_by, expires_at)
  VALUES ('{id}', '{user}', 'token of {id}', '{read:results}', 'hash of {id}', '{user}', now() + interval '1 day');
WITH event AS (INSERT INTO core.events (tenant_id, kind, object_type, object_id, dedupe_key, payload)
    VALUES ('{id}', 'plan.approved', 'plan', '{id}', 'test', '{"title": "plan told of by {id}"}') RETURNING tenant_id, id),
  told AS (INSERT INTO core.notifications (tenant_id, event_id, user_id) SELECT tenant_id, id, '{admin}' FROM event),
  hook AS (INSERT INTO core.webhooks (tenant_id, name, url, kinds, secret, created_by)
    VALUES ('{id}', 'webhook of {id}', 'https://hooks.example/{id}', '{plan.approved}', 'sealed', '{admin}') RETURNING tenant_id, id)
  INSERT INTO core.deliveries (tenant_id, event_id, webhook_id, state) SELECT event.tenant_id, event.id, hook.id, 'failed' FROM event, hook;
WITH release AS (INSERT INTO optimization.releases (tenant_id, plan_id, integration_id, state, requested_by)
    SELECT p.tenant_id, p.id, (SELECT id FROM core.integrations i WHERE i.tenant_id = p.tenant_id ORDER BY id LIMIT 1), 'stuck', p.launched_by FROM optimization.plans p
    WHERE p.tenant_id = '{id}' AND p.state = 'released' AND NOT EXISTS (SELECT FROM optimization.releases r WHERE r.tenant_id = p.tenant_id AND r.plan_id = p.id) LIMIT 1
    RETURNING tenant_id, id, plan_id),
  line AS (INSERT INTO optimization.release_lines (tenant_id, release_id, line, recommendation_id, asset_id, action, state, idempotency_key, planned_start, planned_end, error_key)
    SELECT r.tenant_id, r.id, 1, c.id, c.asset_id, 'conflict', 'failed', 'OPT-' || upper(left(replace(c.id::text, '-', ''), 24)), now(), now(), 'releases.fault.begun'
    FROM release r JOIN optimization.plans p ON p.tenant_id = r.tenant_id AND p.id = r.plan_id
    JOIN optimization.optimization_recommendations c ON c.tenant_id = p.tenant_id AND c.scenario_id = p.scenario_id AND c.decision = 'do' ORDER BY c.id LIMIT 1)
  INSERT INTO optimization.release_events (tenant_id, release_id, line, kind, detail) SELECT tenant_id, id, 1, 'failed', '{"error_key": "releases.fault.begun"}' FROM release;
INSERT INTO core.delegations (tenant_id, from_user, to_user, starts_at, ends_at, created_by)
  VALUES ('{id}', '{admin}', '{user}', now(), now() + interval '1 day', '{admin}');
INSERT INTO core.one_time_credentials (tenant_id, user_id, ciphertext, created_by) VALUES ('{id}', '{user}', 'sealed', '{admin}');
INSERT INTO core.schedules (tenant_id, name, kind, cron, time_zone, owner_id, account_id, created_by)
  VALUES ('{id}', 'schedule of {id}', 'sweep', '0 5 * * *', 'Asia/Riyadh', '{engineer}', '{user}', '{admin}');
INSERT INTO core.schedule_firings (tenant_id, schedule_id, due_at, cause, state, workflow_id, error_key)
  SELECT tenant_id, id, now(), 'due', 'failed', 'recurring/{id}/' || id, 'workflows.internal' FROM core.schedules WHERE tenant_id = '{id}' AND name = 'schedule of {id}';
INSERT INTO optimization.backtests (tenant_id, requested_by, from_day, to_day, step_days, horizon_days) VALUES ('{id}', '{admin}', '2025-01-01', '2025-06-30', 7, 30);
INSERT INTO core.reports (tenant_id, schedule_id, from_day, to_day, content)
  SELECT tenant_id, id, '2026-01-04', '2026-01-10', '{"plans": {"approved": 1}, "releases": {}, "orders": {"due": 3, "in_time": 2}, "risks": []}' FROM core.schedules WHERE tenant_id = '{id}' LIMIT 1;
INSERT INTO core.integration_syncs (tenant_id, integration_id, started_at, finished_at, status, rows_written)
  SELECT tenant_id, id, now() - interval '1 minute', now(), 'ok', 40 FROM core.integrations WHERE tenant_id = '{id}';`

// proposed stores a finished run with a plan and moves it to a state.
func (w *world) proposed(code, state string) uuid.UUID {
	w.Helper()
	plan := w.planOf(code, w.finishedRun(code, access.OptimizationEng))
	if state != "" {
		w.settled(code, plan, state, state, access.TenantAdmin)
	}
	return plan
}

// planOf proposes the balanced scenario of a run.
func (f *fixture) planOf(code string, run uuid.UUID) uuid.UUID {
	f.Helper()
	engineer := f.person(code, access.OptimizationEng).ID
	var plan uuid.UUID
	f.within(code, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		scenario, err := q.ScenarioOfRun(ctx, tx, t, run, "balanced")
		if err != nil {
			return err
		}
		plan, err = q.ProposePlan(ctx, tx, db.ProposePlanParams{TenantID: t, RunID: run, ScenarioID: scenario.ID, Version: 1,
			LaunchedBy: engineer, ProposedBy: engineer, Note: "note of " + code, DueAt: time.Now().Add(8 * time.Hour)})
		return err
	})
	return plan
}

// checksum digests the rows of a tenant in the given tables.
func (w *world) checksum(tables []string, tenant uuid.UUID) map[string]string {
	w.Helper()
	parts := make([]string, len(tables))
	for i, table := range tables {
		parts[i] = fmt.Sprintf(`SELECT '%[1]s', count(*) || ':' || coalesce(sum(hashtextextended(r::text, 0)), 0) FROM %[1]s r WHERE tenant_id = $1`, table)
	}
	parts = append(parts, `SELECT 'core.tenants', coalesce(sum(hashtextextended(r::text, 0)), 0)::text FROM core.tenants r WHERE id = $1`)
	rows, err := w.root.Query(w.Context(), strings.Join(parts, " UNION ALL "), tenant)
	require.NoError(w, err)
	sums := map[string]string{}
	var table, sum string
	_, err = pgx.ForEachRow(rows, []any{&table, &sum}, func() error { sums[table] = sum; return nil })
	require.NoError(w, err)
	return sums
}

// secrets lists names that only the foreign tenant has, as pages would show
// them: tags, people, sites, titles and notes.
func (w *world) secrets() []string {
	w.Helper()
	names := func(tenant uuid.UUID) []string {
		rows, err := w.root.Query(w.Context(), `SELECT tag FROM core.assets WHERE tenant_id = $1 UNION SELECT email FROM core.users WHERE tenant_id = $1
			UNION SELECT name_en FROM core.users WHERE tenant_id = $1 UNION SELECT name_ar FROM core.users WHERE tenant_id = $1
			UNION SELECT name_en FROM core.sites WHERE tenant_id = $1 UNION SELECT name_ar FROM core.sites WHERE tenant_id = $1
			UNION SELECT title FROM optimization.optimization_runs WHERE tenant_id = $1 UNION SELECT note FROM optimization.plans WHERE tenant_id = $1
			UNION SELECT name FROM core.api_tokens WHERE tenant_id = $1 UNION SELECT name FROM core.webhooks WHERE tenant_id = $1
			UNION SELECT payload->>'title' FROM core.events WHERE tenant_id = $1 UNION SELECT external_tag FROM core.integration_mappings WHERE tenant_id = $1
			UNION SELECT name FROM core.external_assets WHERE tenant_id = $1 UNION SELECT title FROM core.external_orders WHERE tenant_id = $1
			UNION SELECT message_id FROM core.integration_messages WHERE tenant_id = $1
			UNION SELECT name_en FROM core.tenants WHERE id = $1 UNION SELECT code FROM core.tenants WHERE id = $1`, tenant)
		require.NoError(w, err)
		out, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(w, err)
		return out
	}
	own := strings.Join(names(w.own.id), "\n")
	secret := slices.DeleteFunc(names(w.foreign.id), func(name string) bool { return len(name) < 5 || strings.Contains(own, name) })
	require.Greater(w, len(secret), 40)
	return secret
}

// parameters lists the tables behind the parameters of a pattern.
func parameters(t require.TestingT, pattern string) []string {
	var tables []string
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			table, known := tableOf[segments[i-1]]
			require.True(t, known, "%s: tableOf does not say what %s is", pattern, s)
			tables = append(tables, table)
		}
	}
	return tables
}

// filled puts values in the place of the parameters of a pattern.
func filled(pattern string, values []string) string {
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			_, rest, _ := strings.Cut(s, "}")
			segments[i], values = values[0]+rest, values[1:]
		}
	}
	return strings.Join(segments, "/")
}

// ownPath fills a pattern with the ids of an estate.
func (e estate) path(t require.TestingT, pattern string) string {
	var values []string
	for _, table := range parameters(t, pattern) {
		values = append(values, e.ids[table])
	}
	return filled(pattern, values)
}

// attacks lists the addresses of a pattern that carry at least one foreign id:
// every mix of own and foreign ids of the right kind, and a foreign id of
// every table in all places.
func (w *world) attacks(pattern string) []string {
	tables := parameters(w, pattern)
	if len(tables) == 0 {
		return []string{pattern}
	}
	var out []string
	for mix := 1; mix < 1<<len(tables); mix++ {
		values := make([]string, len(tables))
		for i, table := range tables {
			values[i] = w.own.ids[table]
			if mix&(1<<i) != 0 {
				values[i] = w.foreign.ids[table]
			}
		}
		out = append(out, filled(pattern, values))
	}
	for _, id := range w.foreign.ids {
		out = append(out, filled(pattern, slices.Repeat([]string{id}, len(tables))))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// form fills every field that a form of the product may have, with ids of the
// estate where an id is meant.
func (e estate) form() url.Values {
	id := func(table string) []string { return []string{e.ids[table]} }
	start := []string{time.Now().AddDate(0, 0, 2).Format(time.DateOnly)}
	return url.Values{
		"tenant": {e.id.String()}, "site": id("core.sites"), "asset": id("core.assets"), "component": id("core.asset_components"), "user": id("core.users"),
		"account": id("core.users"), "technician": id("core.technicians"), "seen": {""}, "plan": id("optimization.plans"), "run": id("optimization.optimization_runs"),
		"integration": id("core.integrations"), "rule": id("core.integration_mappings"), "signal": id("telemetry.signals"), "alert": id("core.alerts"),
		"scenario": {"balanced"}, "note": {"n"}, "kind": {"approved"}, "decision": {uuid.NewString()}, "comment": {"comment"}, "reason": {"a long enough reason"},
		"key": {uuid.NewString()}, "problem": {"maintenance_prioritization"}, "title": {"title"}, "horizon": {"30"}, "subject": id("core.assets"), "ask": {"off"},
		"f_maintenance_prioritization.preset.cheapest": {"on"}, "with": id("optimization.optimization_scenarios"), "limit": {"10"}, "start": start,
		"role": {"viewer"}, "roles": {"viewer"}, "name": {"name"}, "name_ar": {"اسم"}, "name_en": {"name"}, "email": {"new@power.example"}, "username": {"new"},
		"language": {"en"}, "kinds": {"plan.approved"}, "hours": {"24"}, "active": {"1"}, "scope": {"read:results"}, "scopes": {"read:results"}, "expires": {"30"}, "verdict": {"confirmed"},
		"value": {"1"}, "tag": {"a tag"}, "fingerprint": {strings.Repeat("ab", 32)}, "from": {"2026-01-01T00:00"}, "to": {"2026-01-02T00:00"}, "do": {"ignore"}, "choice": {"undo"}, "integration_id": id("core.integrations"),
		"record": {"record of " + e.id.String()}, "record_kind": {"equipment"}, "endpoint": {"https://historian.example"}, "url": {"https://historian.example"}, "code": {"NEW_CO"}, "back": {"/dashboard"},
	}
}

// asQuery is the part of the form that a list might filter by.
func (e estate) asQuery() string {
	q := url.Values{"q": {"P-"}, "tab": {"all"}}
	form := e.form()
	for _, name := range []string{"tenant", "site", "asset", "user", "plan", "run", "integration", "signal", "component", "with", "subject"} {
		q[name] = form[name]
	}
	return "?" + q.Encode()
}
