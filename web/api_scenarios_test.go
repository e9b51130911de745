package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/runs"
)

// items returns the rows of a list.
func items(t *testing.T, body map[string]any) []map[string]any {
	t.Helper()
	list, ok := body["items"].([]any)
	require.True(t, ok, "%v", body)
	out := make([]map[string]any, len(list))
	for i, x := range list {
		out[i] = x.(map[string]any)
	}
	return out
}

func TestAPIListsEveryProblemWithItsFields(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	engineer, _ := f.issue("ARAMCO_DEMO", access.ReliabilityEng, soon(), "read:results", "runs:create")
	status, body, _ := f.call(engineer, http.MethodGet, "/problems", nil, "Accept-Language", "ar")
	require.Equal(t, http.StatusOK, status, body)
	rows := items(t, body)
	require.Len(t, rows, len(optimize.Specs()))
	for i, spec := range optimize.Specs() {
		require.Equal(t, spec.Kind, rows[i]["kind"])
		require.Regexp(t, `\p{Arabic}`, rows[i]["title"])
		require.Len(t, rows[i]["fields"], len(spec.Constraints))
		need, _ := runs.CapabilityOf(spec.Kind)
		require.Equal(t, need == access.RunPrioritization, rows[i]["allowed"], "a reliability engineer runs no operations")
		if need != access.RunPrioritization {
			input := runBody()
			input["problem"] = spec.Kind
			status, body, _ = f.call(engineer, http.MethodPost, "/runs", input, "Idempotency-Key", "not-allowed-1")
			require.Equal(t, http.StatusForbidden, status, body)
		}
	}
}

func TestAPIRunOfAnyProblemIsCheckedByItsFields(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw, _ := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), "runs:create", "read:results")
	input := map[string]any{"problem": "maintenance_deferral_cost", "title": "Two assets", "start": runBody()["start"], "days": 45, "fields": map[string]any{"confidence": 95},
		"weights": map[string]any{"weight_risk": 2}, "assets": []string{f.tenant("ARAMCO_DEMO").Assets[0].ID.String()}}
	status, body, _ := f.call(raw, http.MethodPost, "/runs", input, "Idempotency-Key", "deferral-0001")
	require.Equal(t, http.StatusAccepted, status, body)
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		row, err := q.RunDetail(ctx, tx, tenant, uuid.MustParse(body["id"].(string)))
		require.JSONEq(t, `{"presets": ["cheapest", "balanced", "lowest_risk", "custom"], "weights": {"weight_risk": 2}}`, string(row.Objective))
		require.Contains(t, string(row.Constraints), `"confidence": 95`)
		return err
	})
	for field, value := range map[string]any{
		"days": 400, "fields.confidence": map[string]any{"confidence": 5}, "fields.colour": map[string]any{"colour": 5}, "weights.colour": map[string]any{"colour": 5},
		"presets": []string{"best"}, "assets": []string{f.tenant("POWER_DEMO").Assets[0].ID.String()}, "one_train_out": true, "budget_sar": 5,
	} {
		spoiled := map[string]any{}
		for k, v := range input {
			spoiled[k] = v
		}
		name, _, _ := strings.Cut(field, ".")
		spoiled[name] = value
		status, body, _ := f.call(raw, http.MethodPost, "/runs", spoiled, "Idempotency-Key", "deferral-0002")
		require.Equal(t, http.StatusUnprocessableEntity, status, "%s: %v", field, body)
		locations := []string{}
		for _, x := range body["errors"].([]any) {
			locations = append(locations, x.(map[string]any)["location"].(string))
		}
		require.True(t, slices.Contains(locations, "body."+field), "%s is not named: %v", field, locations)
	}
}

func TestAPIShowsAScenarioInFull(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw, _ := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), "runs:create", "read:results")
	other, _ := f.issue("POWER_DEMO", access.ServiceAccount, soon(), "runs:create", "read:results")
	run := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	status, body, _ := f.call(raw, http.MethodGet, "/runs/"+run.String()+"/progress", nil)
	require.Equal(t, http.StatusOK, status, body)
	require.NotEmpty(t, body["scenarios"])
	_, body, _ = f.call(raw, http.MethodGet, "/runs/"+run.String()+"/scenarios", nil)
	scenarios := items(t, body)
	require.Len(t, scenarios, 3)
	base, second := "/scenarios/"+scenarios[0]["id"].(string), scenarios[2]["id"].(string)

	_, view, _ := f.call(raw, http.MethodGet, base, nil)
	sum := 0.0
	for _, term := range view["terms"].([]any) {
		require.NotEqual(t, term.(map[string]any)["name"], term.(map[string]any)["key"], "terms have names")
		sum += term.(map[string]any)["money"].(float64)
	}
	require.InDelta(t, view["total"], sum, 0.01)

	lines, next := []map[string]any{}, ""
	for {
		_, page, _ := f.call(raw, http.MethodGet, base+"/lines?limit=5&cursor="+next, nil)
		lines = append(lines, items(t, page)...)
		if page["next"] == nil {
			break
		}
		next = page["next"].(string)
	}
	require.Len(t, lines, int(view["lines"].(float64)))
	explained := 0
	for i, line := range lines {
		require.EqualValues(t, i+1, line["rank"])
		require.NotEmpty(t, line["name"])
		require.Equal(t, line["verdict"] == "do", line["starts_at"] != nil)
		for _, reason := range line["reasons"].([]any) {
			require.NotContains(t, reason.(map[string]any)["text"], "{{")
			explained++
		}
	}
	require.Positive(t, explained)

	_, delta, _ := f.call(raw, http.MethodGet, base+"/compare/"+second+"?limit=1", nil)
	require.InDelta(t, scenarios[2]["total_cost"].(float64)-scenarios[0]["total_cost"].(float64), delta["total"], 0.01)
	require.LessOrEqual(t, len(delta["changed"].([]any)), 1)
	for _, path := range []string{"", "/lines", "/curves", "/prices", "/recommendations", "/what-ifs", "/compare/" + second} {
		status, body, _ = f.call(raw, http.MethodGet, base+path, nil)
		require.Equal(t, http.StatusOK, status, "%s: %v", path, body)
		status, _, _ = f.call(other, http.MethodGet, base+path, nil)
		require.Equal(t, http.StatusNotFound, status, "another tenant's scenario: %s", path)
	}
	status, _, _ = f.call(raw, http.MethodGet, base+"/lines?cursor=nonsense", nil)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	status, _, _ = f.call(raw, http.MethodGet, base+"/lines?limit=1000", nil)
	require.Equal(t, http.StatusUnprocessableEntity, status, "pages are bounded")
}

func TestAPIAsksWhatIf(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw, _ := f.issue("ARAMCO_DEMO", access.ServiceAccount, soon(), "runs:create", "read:results")
	other, _ := f.issue("POWER_DEMO", access.ServiceAccount, soon(), "runs:create", "read:results")
	run := f.finishedRun("ARAMCO_DEMO", access.OptimizationEng)
	_, body, _ := f.call(raw, http.MethodGet, "/runs/"+run.String()+"/scenarios", nil)
	path := "/scenarios/" + items(t, body)[0]["id"].(string) + "/what-ifs"
	asset := f.tenant("ARAMCO_DEMO").Assets[0].ID.String()
	question := map[string]any{"title": "Not this month", "pins": []any{map[string]any{"subject": asset, "off": true}}}

	status, _, _ := f.call(raw, http.MethodPost, path, map[string]any{"title": "x", "pins": []any{map[string]any{"subject": "nobody", "off": true}}}, "Idempotency-Key", "what-if-0001")
	require.Equal(t, http.StatusUnprocessableEntity, status, "an unknown subject")
	status, _, _ = f.call(other, http.MethodPost, path, question, "Idempotency-Key", "what-if-0001")
	require.Equal(t, http.StatusNotFound, status)
	status, body, _ = f.call(raw, http.MethodPost, path, question, "Idempotency-Key", "what-if-0001")
	require.Equal(t, http.StatusAccepted, status, body)
	id := body["id"].(string)
	require.True(t, f.flows.called("start-optimization"))
	status, body, _ = f.call(raw, http.MethodPost, path, question, "Idempotency-Key", "what-if-0001")
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, []any{id, true}, []any{body["id"], body["replay"]})
	question["title"] = "Another"
	status, _, _ = f.call(raw, http.MethodPost, path, question, "Idempotency-Key", "what-if-0001")
	require.Equal(t, http.StatusConflict, status)

	_, body, _ = f.call(raw, http.MethodGet, path, nil)
	rows := items(t, body)
	require.Len(t, rows, 1)
	require.Equal(t, id, rows[0]["run_id"])
	require.Equal(t, "requested", rows[0]["state"])
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		row, err := q.LoadRun(ctx, tx, tenant, uuid.MustParse(id))
		require.JSONEq(t, `{"presets": ["cheapest"]}`, string(row.Objective))
		var pins []optimize.Pin
		require.NoError(t, json.Unmarshal(row.WhatIf, &pins))
		require.Equal(t, []optimize.Pin{{Subject: asset, Off: true}}, pins)
		return err
	})
}
