package web_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
)

func TestReliabilityAPI(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.rested(plantTenant)
	a := f.assetOf(plantTenant, "SHQ-HP-02")
	path := "/assets/" + a.ID.String()
	engineer, _ := f.issue(plantTenant, access.ReliabilityEng, soon(), "read:results")
	service, _ := f.issue(plantTenant, access.ServiceAccount, soon(), "read:results")
	foreign, _ := f.issue("ARAMCO_DEMO", access.TenantAdmin, soon(), access.Scopes()...)

	status, life, _ := f.call(engineer, http.MethodGet, path+"/life", nil)
	require.Equal(t, http.StatusOK, status, life)
	require.InDelta(t, a.WeibullBeta, life["beta"], 0)
	change := map[string]any{"version": life["version"], "beta": 2.7, "eta_days": 940}
	for raw, want := range map[string]int{service: http.StatusForbidden, foreign: http.StatusNotFound} {
		status, body, _ := f.call(raw, http.MethodPut, path+"/life", change)
		require.Equal(t, want, status, body)
	}
	status, body, _ := f.call(engineer, http.MethodPut, path+"/life", map[string]any{"version": life["version"], "beta": -1, "eta_days": 0})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Len(t, body["errors"], 2, "one problem per field")
	status, body, _ = f.call(engineer, http.MethodPut, path+"/life", change)
	require.Equal(t, http.StatusOK, status, body)
	require.NotEqual(t, life["version"], body["version"])
	require.True(t, f.due(plantTenant, a.ID))
	status, body, _ = f.call(engineer, http.MethodPut, path+"/life", change)
	require.Equal(t, http.StatusConflict, status, "the version was overtaken")
	require.Equal(t, "conflict", body["code"])

	mode := path + "/failure-modes/" + uuid.NewString()
	input := map[string]any{"version": "", "code": "vib", "name_ar": "اهتزاز", "name_en": "Vibration of the coupling", "severity": 4, "occurrence": 5, "detectability": 6}
	status, body, _ = f.call(engineer, http.MethodPut, mode, input)
	require.Equal(t, http.StatusOK, status, body)
	require.InDelta(t, 120, body["rpn"], 0)
	input["version"], input["severity"] = body["version"], 40
	status, _, _ = f.call(engineer, http.MethodPut, mode, input)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	input["severity"] = 8
	status, body, _ = f.call(engineer, http.MethodPut, mode, input)
	require.Equal(t, http.StatusOK, status, body)
	status, _, _ = f.call(engineer, http.MethodPut, mode, input)
	require.Equal(t, http.StatusConflict, status)
	other := f.assetOf(plantTenant, "SHQ-HP-01")
	foreignMode := f.modeOf(plantTenant, other.ID)
	input["version"] = ""
	status, _, _ = f.call(engineer, http.MethodPut, path+"/failure-modes/"+foreignMode.String(), input)
	require.Equal(t, http.StatusConflict, status, "the mode of another asset is not taken over")
	_, list, _ := f.call(service, http.MethodGet, "/assets/"+other.ID.String()+"/failure-modes", nil)
	require.NotContains(t, fmt.Sprint(list["items"]), "Vibration of the coupling")
	_, list, _ = f.call(service, http.MethodGet, path+"/failure-modes", nil)
	require.Len(t, list["items"], 5)

	cost := map[string]any{"kind": "failure", "version": 1, "effective_from": time.Now().In(time.FixedZone("", 3*3600)).Format(time.DateOnly), "direct_cost": 5e5, "outage_hours": 10, "loss_per_hour": 100}
	status, _, _ = f.call(engineer, http.MethodPut, path+"/cost-models", cost)
	require.Equal(t, http.StatusForbidden, status, "money is for the tenant admin")
	admin, _ := f.issue(plantTenant, access.TenantAdmin, soon(), "read:results")
	status, body, _ = f.call(admin, http.MethodPut, path+"/cost-models", cost)
	require.Equal(t, http.StatusOK, status, body)
	status, _, _ = f.call(admin, http.MethodPut, path+"/cost-models", cost)
	require.Equal(t, http.StatusConflict, status)
	cost["version"], cost["effective_from"] = 2, "2001-01-01"
	status, _, _ = f.call(admin, http.MethodPut, path+"/cost-models", cost)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	for action, want := range map[string]string{"asset.life_changed": "beta", "failure_mode.changed": "rpn", "cost_model.changed": "direct_cost"} {
		_, after := f.lastAudit(plantTenant, action)
		require.Contains(t, after, want)
	}
}
