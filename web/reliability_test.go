package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/optria-iq/optria/activities"
	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/reliability"
)

// plantTenant is the plant that the tests of editing work in.
const plantTenant = "WATER_DEMO"

// assetOf returns the asset with a tag.
func (f *fixture) assetOf(tenant, tag string) (a db.Asset) {
	f.Helper()
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		all, err := q.ListAssetsPlain(ctx, tx, t)
		for _, x := range all {
			if x.Tag == tag {
				a = x
			}
		}
		return err
	})
	require.NotEqual(f, uuid.Nil, a.ID, tag)
	return a
}

// previews has previews computed by the activities, without a server.
func (f *fixture) previews() {
	set := activities.NewSet(activities.Deps{DB: f.db, SolverThreads: 1})
	f.flows.preview = func(tenant, asset uuid.UUID, change reliability.Change) (p reliability.Preview, err error) {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		set.Register(env)
		in := activities.EditInput{TenantID: tenant, AssetID: asset, Change: change, At: time.Now().UTC()}
		value, err := env.ExecuteActivity(set.Preview.ScoreEdit, in)
		if err != nil {
			return p, err
		}
		var scores activities.ScoredEdit
		if err = value.Get(&scores); err != nil {
			return p, err
		}
		if value, err = env.ExecuteActivity(set.Preview.PlanEdit, activities.PlanEditInput{EditInput: in, Scores: scores}); err != nil {
			return p, err
		}
		return p, value.Get(&p)
	}
}

var seenField = regexp.MustCompile(`name="seen" value="([^"]*)"`)

// formOf reads the hidden state of the first form of a page.
func (f *fixture) formOf(c *http.Client, path string) url.Values {
	f.Helper()
	status, page := f.get(c, path)
	require.Equal(f, http.StatusOK, status, visible(page))
	form := url.Values{}
	if m := seenField.FindStringSubmatch(page); m != nil {
		form.Set("seen", m[1])
	}
	if m := regexp.MustCompile(`name="id" value="([^"]*)"`).FindStringSubmatch(page); m != nil {
		form.Set("id", m[1])
	}
	if m := regexp.MustCompile(`name="age_shown" value="([^"]*)"`).FindStringSubmatch(page); m != nil {
		form.Set("age_shown", m[1])
		form.Set("age_days", m[1])
	}
	return form
}

// due reports whether the next sweep scores an asset.
func (f *fixture) due(tenant string, asset uuid.UUID) (due bool) {
	f.Helper()
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, t uuid.UUID) error {
		return tx.QueryRow(ctx, `SELECT due_at <= now() FROM ai.asset_score_latest WHERE tenant_id = $1 AND asset_id = $2`, t, asset).Scan(&due)
	})
	return due
}

// rested has the scores of a tenant made and not due.
func (f *fixture) rested(tenant string) {
	f.Helper()
	f.scored(tenant, 1)
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, t uuid.UUID) error {
		_, err := tx.Exec(ctx, `UPDATE ai.asset_score_latest SET due_at = now() + interval '1 day' WHERE tenant_id = $1`, t)
		return err
	})
}

// lastAudit returns the states of the newest entry of an action.
func (f *fixture) lastAudit(tenant, action string) (before, after map[string]any) {
	f.Helper()
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, t uuid.UUID) error {
		var b, a json.RawMessage
		if err := tx.QueryRow(ctx, `SELECT coalesce(before_state, '{}'), coalesce(after_state, '{}') FROM core.audit_logs WHERE tenant_id = $1 AND action = $2 ORDER BY seq DESC LIMIT 1`, t, action).Scan(&b, &a); err != nil {
			return err
		}
		require.NoError(f, json.Unmarshal(b, &before))
		return json.Unmarshal(a, &after)
	})
	return before, after
}

func TestEditLife(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.rested(plantTenant)
	a := f.assetOf(plantTenant, "SHQ-HP-02")
	path := "/assets/" + a.ID.String() + "/life"
	engineer := f.as(plantTenant, access.ReliabilityEng)
	stale := f.formOf(engineer, path)

	wrong := url.Values{"seen": stale["seen"], "beta": {"x"}, "eta_days": {"-3"}, "age_days": {"NaN"}, "age_shown": {"1"}}
	status, page := f.post(engineer, path, wrong)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	for _, field := range []string{"beta", "eta_days", "age_days"} {
		require.Contains(t, page, `id="e-`+field+`"`)
	}
	require.Contains(t, page, `value="-3"`, "what was typed stays")
	require.False(t, f.due(plantTenant, a.ID))

	form := f.formOf(engineer, path)
	form.Set("beta", "٢٫٥") // as an Arabic keyboard writes it
	form.Set("eta_days", "1,250")
	require.Equal(t, path, f.leadsTo(engineer, path, form))
	saved := f.assetOf(plantTenant, "SHQ-HP-02")
	require.Equal(t, 2.5, saved.WeibullBeta)
	require.Equal(t, 1250.0, saved.WeibullEtaDays)
	require.Equal(t, a.AgeDays, saved.AgeDays, "an age that was not touched stays to the second")
	require.True(t, a.AgeAsOf.Equal(saved.AgeAsOf))
	require.True(t, f.due(plantTenant, a.ID), "the next sweep scores it")
	before, after := f.lastAudit(plantTenant, "asset.life_changed")
	require.Equal(t, a.WeibullBeta, before["beta"])
	require.Equal(t, 2.5, after["beta"])

	stale.Set("beta", "4")
	stale.Set("eta_days", "777")
	status, page = f.post(engineer, path, stale)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, page, `value="777"`, "a form that was overtaken keeps what was typed")
	require.Equal(t, 2.5, f.assetOf(plantTenant, "SHQ-HP-02").WeibullBeta)
	stale.Set("seen", seenField.FindStringSubmatch(page)[1])
	f.leadsTo(engineer, path, stale)
	require.Equal(t, 4.0, f.assetOf(plantTenant, "SHQ-HP-02").WeibullBeta, "saved again knowingly")

	form = f.formOf(engineer, path)
	form.Set("beta", "4")
	form.Set("eta_days", "777")
	form.Set("age_days", "10")
	f.leadsTo(engineer, path, form)
	saved = f.assetOf(plantTenant, "SHQ-HP-02")
	require.Equal(t, 10.0, saved.AgeDays)
	require.True(t, saved.AgeAsOf.Equal(reliability.DayOf(time.Now())))
}

func modeForm(id string) url.Values {
	return url.Values{"id": {id}, "code": {"vib"}, "name_ar": {"اهتزاز المحمل"}, "name_en": {"Bearing vibration"}, "detection": {"Monthly route"},
		"metric": {"vib"}, "component_id": {""}, "severity": {"7"}, "occurrence": {"4"}, "detectability": {"3"}}
}

func TestEditFailureModes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.rested(plantTenant)
	a := f.assetOf(plantTenant, "SHQ-HP-02")
	path := "/assets/" + a.ID.String() + "/modes"
	engineer := f.as(plantTenant, access.ReliabilityEng)
	id := f.formOf(engineer, path+"/new").Get("id")

	bad := modeForm(id)
	bad.Set("code", "what is this")
	bad.Set("severity", "11")
	bad.Set("metric", "no_such")
	bad.Set("component_id", f.foreignComponent())
	bad.Set("name_ar", "")
	status, page := f.post(engineer, path, bad)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	for _, field := range []string{"code", "severity", "metric", "component_id", "name_ar"} {
		require.Contains(t, page, `id="e-`+field+`"`)
	}
	require.Contains(t, page, "Bearing vibration")

	form := modeForm(id)
	f.leadsTo(engineer, path, form)
	f.leadsTo(engineer, path, form)
	_, page = f.get(engineer, path+"?lang=en")
	require.Equal(t, 1, strings.Count(page, `<span class="font-medium">Bearing vibration`), "a form sent twice adds one mode")
	require.Contains(t, page, ">84<", "RPN")
	require.True(t, f.due(plantTenant, a.ID))
	_, after := f.lastAudit(plantTenant, "failure_mode.added")
	require.Equal(t, "VIB", after["code"])

	one := path + "/" + id
	stale, edit := f.formOf(engineer, one), modeForm(id)
	edit.Set("seen", stale.Get("seen"))
	edit.Set("severity", "9")
	f.leadsTo(engineer, one, edit)
	before, after := f.lastAudit(plantTenant, "failure_mode.changed")
	require.InDelta(t, 84, before["rpn"], 0)
	require.InDelta(t, 108, after["rpn"], 0)
	edit.Set("name_en", "Typed meanwhile")
	status, page = f.post(engineer, one, edit)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, page, "Typed meanwhile")
	status, _ = f.post(engineer, one+"/archive", stale)
	require.Equal(t, http.StatusConflict, status, "archiving what somebody changed meanwhile")
	f.leadsTo(engineer, one+"/archive", f.formOf(engineer, one))
	status, _ = f.get(engineer, one)
	require.Equal(t, http.StatusNotFound, status)
	other := f.assetOf(plantTenant, "SHQ-HP-01")
	mode := f.modeOf(plantTenant, other.ID)
	status, _ = f.get(engineer, path+"/"+mode.String())
	require.Equal(t, http.StatusNotFound, status, "a mode of another asset")
}

func (f *fixture) modeOf(tenant string, asset uuid.UUID) (id uuid.UUID) {
	f.Helper()
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		modes, err := q.ListFailureModes(ctx, tx, t, []uuid.UUID{asset})
		require.NotEmpty(f, modes)
		id = modes[0].ID
		return err
	})
	return id
}

// foreignComponent is a component of another tenant.
func (f *fixture) foreignComponent() (id string) {
	f.Helper()
	f.within("ARAMCO_DEMO", func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		all, err := q.ListComponents(ctx, tx, t, []uuid.UUID{})
		require.NotEmpty(f, all)
		id = all[0].ID.String()
		return err
	})
	return id
}

func TestEditCosts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.rested(plantTenant)
	a := f.assetOf(plantTenant, "SHQ-HP-02")
	path := "/assets/" + a.ID.String() + "/costs"
	admin := f.as(plantTenant, access.TenantAdmin)
	today := time.Now().In(time.FixedZone("", 3*3600))
	form := url.Values{"kind": {"failure"}, "seen": {"1"}, "direct_cost": {"250000"}, "outage_hours": {"48"}, "loss_per_hour": {"9000"}, "safety_env_cost": {"0"},
		"effective_from": {today.Format(time.DateOnly)}}
	status, _ := f.post(f.as(plantTenant, access.ReliabilityEng), path, form)
	require.Equal(t, http.StatusForbidden, status, "money is for the tenant admin")

	bad := url.Values{"kind": {"failure"}, "seen": {"1"}, "direct_cost": {"-1"}, "outage_hours": {"9999"}, "loss_per_hour": {"Inf"}, "safety_env_cost": {"1e13"},
		"effective_from": {today.AddDate(0, 0, -1).Format(time.DateOnly)}}
	status, page := f.post(admin, path, bad)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	for _, field := range []string{"direct_cost", "outage_hours", "loss_per_hour", "safety_env_cost", "effective_from"} {
		require.Contains(t, page, `id="e-failure-`+field+`"`)
	}
	status, _ = f.post(admin, path, url.Values{"kind": {"bribes"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)

	f.leadsTo(admin, path, form)
	require.True(t, f.due(plantTenant, a.ID))
	before, after := f.lastAudit(plantTenant, "cost_model.changed")
	require.NotEqual(t, before["direct_cost"], after["direct_cost"])
	require.InDelta(t, 250000, after["direct_cost"], 0)
	_, page = f.get(admin, path+"?lang=en")
	require.Contains(t, page, "250,000")
	require.Contains(t, page, f.person(plantTenant, access.TenantAdmin).Name.EN, "who changed it")
	status, page = f.post(admin, path, form)
	require.Equal(t, http.StatusConflict, status, "version 1 is no longer the newest")
	require.Contains(t, page, `value="250000"`)

	later := url.Values{"kind": {"maintenance"}, "seen": {"1"}, "direct_cost": {"70000"}, "outage_hours": {"10"}, "planned_factor": {"35"},
		"effective_from": {today.AddDate(0, 1, 0).Format(time.DateOnly)}}
	f.leadsTo(admin, path, later)
	_, page = f.get(admin, path+"?lang=en")
	require.Contains(t, page, "planned</span>")
	f.within(plantTenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries, t uuid.UUID) error {
		models, err := q.ListCostModels(ctx, tx, t, []uuid.UUID{a.ID})
		for _, m := range models {
			require.Equal(f, map[string]int32{"failure": 2, "maintenance": 1, "energy": 1}[m.Kind], m.Version, m.Kind)
		}
		return err
	})
}

func TestRecordLivesAndProposal(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.rested(plantTenant)
	a := f.assetOf(plantTenant, "SHQ-HP-02")
	path := "/assets/" + a.ID.String()
	engineer := f.as(plantTenant, access.ReliabilityEng)
	status, page := f.post(engineer, path+"/lives", url.Values{"ended_at": {"2999-01-01"}, "life_days": {"0"}, "ended_by": {"magic"}, "mode_id": {uuid.NewString()}, "note": {"kept"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	for _, field := range []string{"ended_at", "life_days", "ended_by", "mode_id"} {
		require.Contains(t, page, `id="e-`+field+`"`)
	}
	require.Contains(t, page, "kept")
	failures := regexp.MustCompile(`From (\d+) failures, (\d+) preventive`)
	_, page = f.get(engineer, path+"/life?lang=en")
	known := failures.FindStringSubmatch(page)
	require.NotNil(t, known, "the demonstration plant has a history")
	lives := []struct {
		day, days, by string
	}{{"2019-03-01", "820", "failure"}, {"2021-05-04", "640", "failure"}, {"2022-08-09", "455", "preventive"}, {"2025-01-15", "910", "failure"}}
	for _, l := range lives {
		f.leadsTo(engineer, path+"/lives", url.Values{"ended_at": {l.day}, "life_days": {l.days}, "ended_by": {l.by}, "mode_id": {""}, "note": {"n"}})
	}
	require.Equal(t, a.AgeDays, f.assetOf(plantTenant, "SHQ-HP-02").AgeDays, "history alone does not renew")
	require.True(t, f.due(plantTenant, f.assetOf(plantTenant, "SHQ-HP-01").ID), "a life teaches its whole class")
	require.False(t, f.due(plantTenant, f.assetOf(plantTenant, "SHQ-RO-01").ID))
	status, page = f.post(engineer, path+"/lives", url.Values{"ended_at": {"2025-01-15"}, "life_days": {"9"}, "ended_by": {"failure"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, `id="e-ended_at"`)

	_, page = f.get(engineer, path+"/life?lang=en")
	learned := failures.FindStringSubmatch(page)
	require.Equal(t, []int{number(t, known[1]) + 3, number(t, known[2]) + 1}, []int{number(t, learned[1]), number(t, learned[2])})
	_, taken := f.get(engineer, path+"/life?lang=en&take=1")
	beta := regexp.MustCompile(`name="beta" type="text" value="([0-9.]+)"`)
	require.NotEqual(t, beta.FindStringSubmatch(page)[1], beta.FindStringSubmatch(taken)[1], "the proposal fills the form")

	day := time.Now().AddDate(0, 0, -30).Format(time.DateOnly)
	f.leadsTo(engineer, path+"/lives", url.Values{"ended_at": {day}, "life_days": {"300"}, "ended_by": {"failure"}, "renews": {"on"}})
	renewed := f.assetOf(plantTenant, "SHQ-HP-02")
	require.Zero(t, renewed.AgeDays)
	require.Equal(t, day, renewed.AgeAsOf.In(time.FixedZone("", 3*3600)).Format(time.DateOnly))
	require.Len(t, f.actions(f.tenant(plantTenant).ID, a.ID.String()), 5)
	_, page = f.post(engineer, path+"/lives?lang=en", url.Values{"ended_at": {"2018-01-15"}, "life_days": {"300"}, "ended_by": {"failure"}, "renews": {"on"}})
	require.Contains(t, page, "to record an older life", "a later renewal is not undone")
}

func TestRecordInspection(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.rested(plantTenant)
	a := f.assetOf(plantTenant, "SHQ-HP-02")
	path := "/assets/" + a.ID.String() + "/inspections"
	engineer := f.as(plantTenant, access.ReliabilityEng)
	form := url.Values{"inspected_at": {"2025-06-01"}, "grade": {"7"}, "sign_leakage": {"awful"}, "note": {"Seal weeps"}}
	status, page := f.post(engineer, path, form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, `id="e-grade"`)
	require.Contains(t, page, "Seal weeps")
	form.Set("grade", "0.25")
	form.Set("sign_leakage", "marked")
	f.leadsTo(engineer, path, form)
	_, page = f.get(engineer, path+"?lang=en")
	require.Contains(t, page, "Leakage: marked")
	require.Contains(t, page, "poor")
	require.True(t, f.due(plantTenant, a.ID))
}

func TestEditElectricalEquipment(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.rested("POWER_DEMO")
	a := f.assetOf("POWER_DEMO", "MRJ-AT1")
	path := "/assets/" + a.ID.String()
	engineer := f.as("POWER_DEMO", access.ReliabilityEng)
	kind := "132kV Transformer (GM)"
	form := f.formOf(engineer, path+"/life")
	seen := regexp.MustCompile(`(?s)/equipment" novalidate><input type="hidden" name="seen" value="([^"]*)"`)
	_, page := f.get(engineer, path+"/life")
	form.Set("seen", seen.FindStringSubmatch(page)[1])
	form.Set("type", kind)
	form.Set("do", "edit")
	status, page := f.post(engineer, path+"/equipment", form)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, `name="oil.moisture_ppm"`, "the fields of the type")
	require.NotContains(t, page, `name="operations"`, "no field of switchgear")
	form.Set("do", "save")
	form.Set("age", "900")
	status, page = f.post(engineer, path+"/equipment", form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, `value="900"`)
	form.Set("age", "22")
	form.Set("oil.moisture_ppm", "18.5")
	form.Set("gases.ethylene_ppm", "88")
	form.Set("do", "preview")
	f.previews()
	status, page = f.post(engineer, path+"/equipment", form)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, `form="equipment-form"`)
	require.Contains(t, page, `value="18.5"`)
	require.False(t, f.due("POWER_DEMO", a.ID), "a preview changes nothing")
	form.Set("do", "save")
	f.leadsTo(engineer, path+"/equipment", form)
	require.True(t, f.due("POWER_DEMO", a.ID))
	_, after := f.lastAudit("POWER_DEMO", "asset.equipment_changed")
	require.Equal(t, kind, after["type"])
	_, page = f.get(engineer, path+"/life?lang=en")
	require.Contains(t, page, `value="18.5"`)
	require.Contains(t, page, "CNAIM health score as saved")
	status, _ = f.post(engineer, path+"/equipment", form)
	require.Equal(t, http.StatusConflict, status, "the facts changed since")
}

func TestPreviewBesideTheForm(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.previews()
	a := f.assetOf(plantTenant, "SHQ-ER-01")
	path := "/assets/" + a.ID.String() + "/life"
	engineer := f.as(plantTenant, access.ReliabilityEng)
	form := f.formOf(engineer, path)
	form.Set("beta", plainNumber(a.WeibullBeta))
	form.Set("eta_days", plainNumber(a.WeibullEtaDays))
	form.Set("do", "preview")
	status, page := f.post(engineer, path+"?lang=en", form)
	require.Equal(t, http.StatusOK, status, visible(page))
	require.Contains(t, page, "No recommendation changes")

	form.Set("beta", "3")
	form.Set("eta_days", "250")
	form.Set("age_days", "3000")
	status, page = f.post(engineer, path+"?lang=en", form)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, `data-moved="SHQ-ER-01"`)
	require.Contains(t, page, `value="250"`, "the form stays as typed")
	require.Equal(t, a.WeibullEtaDays, f.assetOf(plantTenant, "SHQ-ER-01").WeibullEtaDays, "nothing is saved")

	form.Set("do", "edit")
	status, page = f.post(engineer, path+"?lang=en", form)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, `value="250"`)
	require.NotContains(t, page, `id="preview"`)

	f.flows.Fail = fault.New(fault.Unavailable, "workflows.unavailable")
	form.Set("do", "preview")
	status, page = f.post(engineer, path+"?lang=en", form)
	require.Equal(t, http.StatusOK, status, "an engine that is away costs nothing typed")
	require.Contains(t, page, "The preview did not work")
	require.Contains(t, page, `value="250"`)
	form.Set("do", "save")
	f.leadsTo(engineer, path, form)
}

func TestEditingIsForEngineers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a := f.assetOf(plantTenant, "SHQ-HP-02")
	viewer := f.as(plantTenant, access.Viewer)
	base := "/assets/" + a.ID.String()
	for _, tab := range []string{"/modes", "/life", "/costs", "/inspections"} {
		status, page := f.get(viewer, base+tab)
		require.Equal(t, http.StatusOK, status, tab)
		require.NotContains(t, page, `name="do"`, "a viewer reads %s and has no buttons", tab)
		status, _ = f.post(viewer, base+tab, url.Values{"do": {"preview"}})
		require.Equal(t, http.StatusForbidden, status, tab)
	}
	status, _ := f.get(viewer, base+"/modes/new")
	require.Equal(t, http.StatusForbidden, status)
	foreign := f.as("ARAMCO_DEMO", access.TenantAdmin)
	for _, tab := range []string{"/modes", "/life", "/costs", "/inspections", "/modes/new"} {
		status, _ := f.get(foreign, base+tab)
		require.Equal(t, http.StatusNotFound, status, tab)
	}
	form := url.Values{"beta": {"2"}, "eta_days": {"100"}, "age_days": {"1"}, "age_shown": {"1"}, "seen": {"x"}}
	for _, do := range []string{"save", "preview", "edit"} {
		form.Set("do", do)
		status, _ := f.post(foreign, base+"/life", form)
		require.Equal(t, http.StatusNotFound, status, do)
	}
	require.False(t, f.flows.called("preview-edit"), "nothing is previewed for another tenant")
}

func plainNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}
