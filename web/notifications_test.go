package web_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/notice"
	"github.com/optria-iq/optria/web/uitest"
)

// tells announces one event of every kind to the holder of a role.
func (f *fixture) tells(tenant string, role access.Role) {
	f.Helper()
	person := f.person(tenant, role).ID
	f.within(tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, t uuid.UUID) error {
		for _, kind := range notice.Kinds() {
			err := db.Announce(ctx, tx, db.Announcement{TenantID: t, Kind: kind, ObjectType: "plan", ObjectID: uuid.New(), Key: kind, To: []uuid.UUID{person},
				Payload: map[string]any{"title": `<b>Week 45</b>`, "due_at": "2026-11-03T09:00:00Z", "tag": "P-101A"}})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

var noticeID = regexp.MustCompile(`/notifications/([0-9a-f-]{36})/open`)

func TestPeopleReadTheirOwnNotifications(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.tells(plantTenant, access.TenantAdmin)
	admin, viewer := f.as(plantTenant, access.TenantAdmin), f.as(plantTenant, access.Viewer)
	_, page := f.get(admin, "/notifications?lang=en")
	require.NotContains(t, page, "<b>Week 45</b>")
	require.Contains(t, page, "&lt;b&gt;Week 45&lt;/b&gt;")
	require.Contains(t, page, strconv.Itoa(len(notice.Kinds()))+" unread notifications")
	id := noticeID.FindStringSubmatch(page)[1]
	_, other := f.get(viewer, "/notifications?lang=en")
	require.NotContains(t, other, "Week 45")
	status, _ := f.post(viewer, "/notifications/"+id+"/open", nil)
	require.Equal(t, http.StatusNotFound, status)

	response := f.send(admin, http.MethodPost, "/notifications/"+id+"/open", url.Values{})
	require.NoError(t, response.Body.Close())
	require.Regexp(t, `^/plans/[0-9a-f-]{36}$`, response.Header.Get("Location"))
	_, drawer := f.get(admin, "/notifications/drawer?lang=en")
	require.NotContains(t, drawer, id)
	f.leadsTo(admin, "/notifications/read", url.Values{})
	_, page = f.get(admin, "/notifications?show=unread&lang=en")
	require.NotContains(t, page, "Week 45")

	f.leadsTo(admin, "/notifications/settings", url.Values{"kinds": {"plan.proposed"}})
	_, page = f.get(admin, "/notifications/settings?lang=en")
	require.Regexp(t, `value="plan.proposed" checked`, page)
	require.NotRegexp(t, `value="run.finished" checked`, page)
}

func TestWebhooksAreMadeRotatedAndTried(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as(plantTenant, access.TenantAdmin)
	status, page := f.post(admin, "/webhooks?lang=en", url.Values{"name": {"ERP"}, "url": {"http://erp.example"}, "kinds": {"plan.approved"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, page, "The address must be https")
	require.Contains(t, page, `value="http://erp.example"`, "nothing typed is lost")
	status, page = f.post(admin, "/webhooks?lang=en", url.Values{"name": {"ERP"}, "url": {"https://erp.example/in"}, "kinds": {"plan.approved"}})
	require.Equal(t, http.StatusOK, status)
	first := signingSecret(page)
	require.NotEmpty(t, first)
	path := regexp.MustCompile(`/webhooks/[0-9a-f-]{36}`).FindString(page)
	_, page = f.get(admin, path+"?lang=en")
	require.NotContains(t, page, "whsec_", "a secret is shown once")
	status, _ = f.post(admin, path+"/rotate", url.Values{"hours": {"1"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	_, page = f.post(admin, path+"/rotate?lang=en", url.Values{"hours": {"48"}})
	require.NotEmpty(t, signingSecret(page))
	require.NotEqual(t, first, signingSecret(page))
	f.leadsTo(admin, path+"/test", url.Values{})
	_, page = f.get(admin, path+"?lang=en")
	require.Contains(t, page, "Test event")
	f.leadsTo(admin, path+"/state", url.Values{"state": {"paused"}})
	status, _ = f.post(admin, path+"/test", url.Values{})
	require.Equal(t, http.StatusConflict, status)
	for _, role := range []access.Role{access.Viewer, access.OptimizationEng, access.ReliabilityEng} {
		status, _ = f.post(f.as(plantTenant, role), path+"/rotate", url.Values{"hours": {"48"}})
		require.Equal(t, http.StatusForbidden, status, role)
	}
}

func TestNotificationPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	t.Parallel()
	f := newFixture(t)
	f.tells(plantTenant, access.TenantAdmin)
	admin := f.as(plantTenant, access.TenantAdmin)
	_, page := f.post(admin, "/webhooks", url.Values{"name": {"نظام المشتريات"}, "url": {"https://erp.example/in"}, "kinds": {"*"}})
	hook := regexp.MustCompile(`/webhooks/[0-9a-f-]{36}`).FindString(page)
	f.leadsTo(admin, hook+"/test", url.Values{})
	browser := f.signedIn(plantTenant, access.TenantAdmin)
	for name, path := range map[string]string{"list": "/notifications", "settings": "/notifications/settings", "webhooks": "/webhooks", "webhook": hook} {
		t.Run(name, func(t *testing.T) { uitest.CheckPage(t, browser, f.srv.URL+path) })
	}
}
