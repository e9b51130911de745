package web_test

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

// planStepOf is one thing that people do about a plan, as a form and over the
// API.
type planStepOf struct {
	name, page, method, operation string
	form                          url.Values
	body                          map[string]any
}

// planSteps lists everything that people do about a plan of a tenant: a finished
// run, its scenario, a waiting plan and one of its jobs.
func planStepsOf(run, scenario, plan, job, other uuid.UUID) []planStepOf {
	decide := func(name, kind string, more url.Values, fields map[string]any) planStepOf {
		form := url.Values{"kind": {kind}, "comment": {"forged"}, "decision": {uuid.NewString()}}
		body := map[string]any{"kind": kind, "comment": "forged", "content_sha256": hex.EncodeToString(make([]byte, 32))}
		for k, v := range more {
			form[k] = v
		}
		for k, v := range fields {
			body[k] = v
		}
		return planStepOf{name, "/plans/" + plan.String() + "/decision", http.MethodPost, "/plans/" + plan.String() + "/decision", form, body}
	}
	day := time.Now().AddDate(0, 0, 3)
	return []planStepOf{
		{"propose", "/runs/" + run.String() + "/propose", http.MethodPost, "/runs/" + run.String() + "/plan", url.Values{"scenario": {"cheapest"}}, map[string]any{"preset": "cheapest"}},
		{"comment", "/scenarios/" + scenario.String() + "/comments", http.MethodPost, "/scenarios/" + scenario.String() + "/comments", url.Values{"body": {"forged"}}, map[string]any{"body": "forged"}},
		decide("endorse", "endorsed", nil, nil), decide("object", "objected", nil, nil), decide("approve", "approved", nil, nil), decide("return", "returned", nil, nil),
		decide("withhold", "approved", url.Values{"hold": {job.String()}, "hold_reason": {"forged"}}, map[string]any{"withheld": []string{job.String()}, "hold_reason": "forged"}),
		{"delegate", "/delegations", http.MethodPost, "/delegations", url.Values{"from": {other.String()}, "to": {other.String()}, "starts": {day.Format(time.DateOnly)}, "ends": {day.Format(time.DateOnly)}},
			map[string]any{"from": other, "to": other, "starts_at": day, "ends_at": day.AddDate(0, 0, 1)}},
		{"govern", "/governance", "", "", url.Values{"decision_hours": {"1"}, "reminder_hours": {"0"}, "expiry_days": {"1"}, "material_change": {"0"}}, nil},
	}
}

// TestForeignersFailOnEveryStep sends every step of a plan as a viewer, as a
// service account whose token carries every scope, and as the admin of another
// tenant, through the form and the API.
func TestForeignersFailOnEveryStep(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const tenant = "ARAMCO_DEMO"
	run := f.finishedRun(tenant, access.OptimizationEng)
	_, plan := f.proposed(tenant, access.OptimizationEng, access.OptimizationEng)
	scenario, job := f.plan(tenant, plan).ScenarioID, f.jobsOf(tenant, plan)[0]
	viewer, stranger := f.as(tenant, access.Viewer), f.as("WATER_DEMO", access.TenantAdmin)
	viewerToken, _ := f.issue(tenant, access.Viewer, soon(), access.Scopes()...)
	serviceToken, _ := f.issue(tenant, access.ServiceAccount, soon(), access.Scopes()...)
	strangerToken, _ := f.issue("WATER_DEMO", access.TenantAdmin, soon(), access.Scopes()...)
	before := f.traces(tenant)
	for _, step := range planStepsOf(run, scenario, plan, job, f.person(tenant, access.TenantAdmin).ID) {
		for name, client := range map[string]*http.Client{"viewer": viewer, "another tenant": stranger} {
			if name == "another tenant" && (step.name == "govern" || step.name == "delegate") {
				continue // their own rules; people of this tenant are refused below
			}
			status, _ := f.post(client, step.page, step.form)
			require.Contains(t, []int{http.StatusForbidden, http.StatusNotFound}, status, "%s as %s", step.name, name)
		}
		if step.method == "" {
			continue
		}
		for name, raw := range map[string]string{"viewer": viewerToken, "service account": serviceToken, "another tenant": strangerToken} {
			status, body, _ := f.call(raw, step.method, step.operation, step.body, "Idempotency-Key", uuid.NewString())
			if name == "another tenant" && step.name == "delegate" {
				require.Equal(t, http.StatusUnprocessableEntity, status, "people of another tenant cannot be named: %v", body)
				continue
			}
			require.Contains(t, []int{http.StatusForbidden, http.StatusNotFound}, status, "%s as %s: %v", step.name, name, body)
		}
	}
	require.Equal(t, before, f.traces(tenant), "nothing was written")
	require.False(t, f.flows.called("decide"), "the workflow was never asked")
}

// TestNobodyApprovesTheirOwnPlan forges a self-approval in the form and over
// the API, with one's own role and as a deputy.
func TestNobodyApprovesTheirOwnPlan(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const tenant = "ARAMCO_DEMO"
	_, launched := f.proposed(tenant, access.TenantAdmin, access.OptimizationEng)
	_, proposed := f.proposed(tenant, access.OptimizationEng, access.TenantAdmin)
	_, deputys := f.proposed(tenant, access.ReliabilityEng, access.OptimizationEng)
	f.delegated(tenant, access.TenantAdmin, access.ReliabilityEng)
	for name, c := range map[string]struct {
		plan uuid.UUID
		by   access.Role
	}{
		"launcher": {launched, access.TenantAdmin}, "proposer": {proposed, access.TenantAdmin},
		"deputy who launched": {deputys, access.ReliabilityEng}, "deputy of the launcher": {launched, access.ReliabilityEng},
		"deputy of the proposer": {proposed, access.ReliabilityEng},
	} {
		path := "/plans/" + c.plan.String()
		content := hex.EncodeToString(f.plan(tenant, c.plan).ContentSha256)
		status, _ := f.post(f.as(tenant, c.by), path+"/decision", url.Values{"kind": {"approved"}, "content": {content}, "decision": {uuid.NewString()}})
		require.Equal(t, http.StatusForbidden, status, name)
		raw, _ := f.issue(tenant, c.by, soon(), access.Scopes()...)
		status, body, _ := f.call(raw, http.MethodPost, path+"/decision", map[string]any{"kind": "approved", "content_sha256": content})
		require.Equal(t, http.StatusForbidden, status, "%s: %v", name, body)
		_, page := f.get(f.as(tenant, c.by), path+"?lang=en")
		require.NotContains(t, page, `name="kind" value="approved"`, name)
	}
	require.False(t, f.flows.called("decide"))
}

// jobsOf lists the recommendations to act of a plan.
func (f *fixture) jobsOf(tenant string, plan uuid.UUID) (ids []uuid.UUID) {
	f.Helper()
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		rows, err := q.ListJobsToRelease(ctx, tx, t, plan)
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		return err
	})
	require.NotEmpty(f, ids)
	return ids
}

// delegated lets one person decide in place of another for a day.
func (f *fixture) delegated(tenant string, from, to access.Role) {
	f.Helper()
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		_, err := q.AddDelegation(ctx, tx, db.AddDelegationParams{TenantID: t, FromUser: f.person(tenant, from).ID, ToUser: f.person(tenant, to).ID,
			StartsAt: time.Now().Add(-time.Hour), EndsAt: time.Now().AddDate(0, 0, 1), CreatedBy: f.person(tenant, from).ID})
		return err
	})
}

// traces counts what people leave behind around plans.
func (f *fixture) traces(tenant string) (counts []int) {
	f.Helper()
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, t uuid.UUID) error {
		rows, err := tx.Query(ctx, `SELECT count(*) FROM optimization.plans WHERE tenant_id = $1 UNION ALL SELECT count(*) FROM optimization.plan_decisions WHERE tenant_id = $1
			UNION ALL SELECT count(*) FROM optimization.plan_comments WHERE tenant_id = $1 UNION ALL SELECT count(*) FROM optimization.plan_withheld WHERE tenant_id = $1
			UNION ALL SELECT count(*) FROM core.delegations WHERE tenant_id = $1 UNION ALL SELECT count(*) FROM core.governance WHERE tenant_id = $1`, t)
		if err != nil {
			return err
		}
		counts, err = pgx.CollectRows(rows, pgx.RowTo[int])
		return err
	})
	return counts
}
