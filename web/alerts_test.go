package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/uitest"
)

// signIn signs a person in through the form of the sign-in page.
func (f *fixture) signIn(tab context.Context, email string) {
	f.Helper()
	require.NoError(f, chromedp.Do(tab, chromedp.Navigate(f.srv.URL+"/login"), chromedp.WaitReady(`input[name=user]`),
		chromedp.SendKeys(`input[name=user]`, email), chromedp.SendKeys(`input[name=password]`, password),
		chromedp.Submit(`input[name=password]`), chromedp.WaitReady(`aside.side`)))
}

func TestAlertsAreWordedAndJudged(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tenant := f.tenant("ARAMCO_DEMO")
	a := tenant.Assets[0]
	id := f.alert(tenant.ID, a.ID, "anomaly", `{"index":4.2,"since":"2026-11-01T00:00:00Z","signals":["`+a.Signals[0].Metric+`"]}`)
	f.alert(tenant.ID, a.ID, "failure_risk", `{"probability_30":0.125,"loss_sar":527000}`)
	f.alert(tenant.ID, a.ID, "data_trust", `{"coverage":0.2,"usable":1,"expected":5}`)
	f.alert(tenant.ID, a.ID, "from_a_later_version", `{}`)
	engineer, viewer := f.as("ARAMCO_DEMO", access.ReliabilityEng), f.as("ARAMCO_DEMO", access.Viewer)
	path := "/alerts/" + id.String() + "/state"

	_, body := f.get(engineer, "/alerts/drawer?lang=en")
	require.Contains(t, body, a.Signals[0].Name.EN)
	require.Contains(t, body, "4.2")
	require.Contains(t, body, "12.5%")
	require.NotContains(t, body, "[[")
	require.NotContains(t, body, "<html", "the drawer is a fragment")
	_, body = f.get(viewer, "/alerts/drawer")
	require.NotContains(t, body, path)

	status, _ := f.post(viewer, path, url.Values{"state": {"false"}})
	require.Equal(t, http.StatusForbidden, status)
	for _, form := range []url.Values{{"state": {"cleared"}}, {"state": {"false"}, "reason": {strings.Repeat("ط", 501)}}} {
		status, _ = f.post(engineer, path, form)
		require.Equal(t, http.StatusUnprocessableEntity, status)
	}
	status, _ = f.post(f.as("POWER_DEMO", access.TenantAdmin), path, url.Values{"state": {"false"}})
	require.Equal(t, http.StatusNotFound, status)

	status, _ = f.post(engineer, path, url.Values{"state": {"confirmed"}})
	require.Equal(t, http.StatusSeeOther, status)
	require.Nil(t, f.lock(tenant.ID, id).ClosedAt, "a confirmed alert stays open")
	status, body = f.post(engineer, path+"?lang=en", url.Values{"state": {"acknowledged"}})
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "was judged already")
	require.Equal(t, "confirmed", f.lock(tenant.ID, id).State, "a verdict is not taken back by a late notice")
	answer := f.send(engineer, http.MethodPost, path, url.Values{"state": {"false"}, "reason": {"sensor swap"}, "next": {"https://evil.example"}})
	require.NoError(t, answer.Body.Close())
	require.Equal(t, "/dashboard", answer.Header.Get("Location"))
	judged := f.lock(tenant.ID, id)
	require.Equal(t, "false", judged.State)
	require.NotNil(t, judged.ClosedAt)
	require.Equal(t, f.person("ARAMCO_DEMO", access.ReliabilityEng).ID, *judged.ClosedBy)
	status, _ = f.post(engineer, path, url.Values{"state": {"expected"}})
	require.Equal(t, http.StatusConflict, status)

	err := f.db.InTenant(t.Context(), tenant.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		actions, err := q.ListAuditActions(ctx, tx, tenant.ID)
		require.Subset(t, actions, []string{"alert.confirmed", "alert.false"})
		return err
	})
	require.NoError(t, err)
}

func TestAlertIsJudgedInTheDrawer(t *testing.T) {
	t.Parallel()
	tab, cancel := context.WithTimeout(uitest.Browser(t), 30*time.Second)
	defer cancel()
	f := newFixture(t)
	tenant := f.tenant("WATER_DEMO")
	id := f.alert(tenant.ID, tenant.Assets[0].ID, "failure_risk", `{"probability_30":0.125,"loss_sar":527000}`)
	f.signIn(tab, f.person("WATER_DEMO", access.ReliabilityEng).Email)
	for _, step := range []chromedp.Action[chromedp.Void]{
		chromedp.Click(".top button[popovertarget=alerts]"), chromedp.Click("#alerts-body summary"),
		chromedp.Click("#alerts-body button[value=expected]"), chromedp.WaitVisible("#alerts-body .empty"),
	} {
		_, err := chromedp.Run(tab, step)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return f.lock(tenant.ID, id).State == "expected" }, 5*time.Second, 50*time.Millisecond)
}

func TestVerdictIsKeptAsALabel(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tenant := f.tenant("WATER_DEMO")
	a := tenant.Assets[0]
	metric := a.Signals[0].Metric
	id := f.alert(tenant.ID, a.ID, "anomaly", `{"index":4.2,"since":"2026-11-01T00:00:00Z","signals":["`+metric+`"],
		"evidence":[{"signal":"`+metric+`","unit":"mm/s","expected":2.1,"actual":7.7,"share":0.9}]}`)
	f.alert(tenant.ID, a.ID, "failure_risk", `{"probability_30":0.125,"loss_sar":527000}`)
	engineer, viewer := f.as("WATER_DEMO", access.ReliabilityEng), f.as("WATER_DEMO", access.Viewer)
	page := "/alerts/" + id.String()

	_, body := f.get(engineer, "/alerts?lang=en&kind=anomaly")
	require.Contains(t, body, page)
	require.Contains(t, body, a.Tag)
	require.NotContains(t, body, "12.5%", "another kind")
	_, body = f.get(engineer, "/alerts?lang=en&state=expected")
	require.NotContains(t, body, page)
	status, body := f.get(engineer, page+"?lang=en")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "7.7")
	require.Contains(t, body, a.Signals[0].Name.EN)
	require.Contains(t, body, `name="admit"`)
	require.NotContains(t, body, "[[")
	_, body = f.get(viewer, page)
	require.NotContains(t, body, page+"/state")

	status, _ = f.post(engineer, page+"/state", url.Values{"state": {"expected"}, "code": {"confirmed:wear"}})
	require.Equal(t, http.StatusUnprocessableEntity, status, "a reason of another verdict")
	status, _ = f.post(engineer, page+"/state", url.Values{"state": {"acknowledged"}})
	require.Equal(t, http.StatusSeeOther, status)
	status, _ = f.post(engineer, page+"/state", url.Values{"state": {"expected"}, "code": {"expected:startup"}, "reason": {"hot start"}, "admit": {"1"}})
	require.Equal(t, http.StatusSeeOther, status)
	err := f.db.InTenant(t.Context(), tenant.ID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		labels, err := q.AlertLabels(ctx, tx, tenant.ID, id)
		require.NoError(t, err)
		require.Len(t, labels, 1, "taking notice is no verdict")
		l := labels[0].Label
		require.Equal(t, []string{"expected", "startup", "hot start"}, []string{l.Verdict, l.ReasonCode, l.Note})
		require.InDelta(t, 4.2, l.Score, 0)
		require.Equal(t, 2026, l.EpisodeFrom.Year())
		require.Contains(t, string(l.Detail), `"admit": true`)
		admitted, err := q.ListAdmissions(ctx, tx, tenant.ID, []uuid.UUID{a.ID}, time.Now().Add(time.Minute))
		require.Len(t, admitted, 1)
		return err
	})
	require.NoError(t, err)
	_, body = f.get(engineer, page+"?lang=en")
	require.Contains(t, body, "Start-up or shutdown: hot start")
	require.NotContains(t, body, page+"/state", "closed")
}
