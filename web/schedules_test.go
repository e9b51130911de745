package web_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
)

var scheduleAddress = regexp.MustCompile(`^/schedules/([0-9a-f-]{36})$`)

// weekly is the form of a weekly run, as a browser sends it.
func (f *fixture) weekly(code string, owner uuid.UUID) url.Values {
	f.Helper()
	var account uuid.UUID
	f.within(code, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		all, err := q.ListRoleHolders(ctx, tx, tenant, string(access.ServiceAccount))
		account = all[0].ID
		return err
	})
	return url.Values{"key": {uuid.NewString()}, "name": {"Sunday plan"}, "kind": {"optimization"}, "trigger": {"internal"}, "rhythm": {"weekly"}, "weekday": {"0"},
		"time": {"04:00"}, "month_day": {"1"}, "cron": {""}, "zone": {"Asia/Riyadh"}, "holiday": {"eid_al_fitr"}, "range_from": {"2027-01-01", ""}, "range_to": {"2027-01-03", ""},
		"overlap": {"skip"}, "window": {"6"}, "owner": {owner.String()}, "account": {account.String()}, "start_rule": {"next_day"}, "problem": {"maintenance_prioritization"},
		"horizon": {"30"}, "limit": {"30"}, "f_maintenance_prioritization.preset.balanced": {"on"}}
}

func TestSchedulesAreMadeChangedAndPaused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	engineer, admin, viewer := f.as(ownTenant, access.OptimizationEng), f.as(ownTenant, access.TenantAdmin), f.as(ownTenant, access.Viewer)
	own, other := f.person(ownTenant, access.OptimizationEng).ID, f.person(ownTenant, access.TenantAdmin).ID
	form := f.weekly(ownTenant, own)

	bad := f.weekly(ownTenant, own)
	bad["rhythm"], bad["cron"], bad["name"] = []string{"cron"}, []string{"*/2 * * * *"}, []string{""}
	status, body := f.post(engineer, "/schedules/new?lang=en", bad)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "closer than 5 minutes")
	require.Contains(t, body, "*/2 * * * *", "what was typed is kept")
	require.Contains(t, body, "This field is required")

	foreign := f.weekly(ownTenant, other)
	status, body = f.post(engineer, "/schedules/new?lang=en", foreign)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "belongs to somebody else", "engineers own what they make")

	made := f.leadsTo(engineer, "/schedules/new", form)
	require.Regexp(t, scheduleAddress, made)
	require.Equal(t, made, f.leadsTo(engineer, "/schedules/new", form), "sent twice, made once")
	_, body = f.get(engineer, made+"?lang=en")
	require.Contains(t, body, "Sun at 04:00")
	require.Contains(t, body, "Eid al-Fitr")
	status, _ = f.get(viewer, made)
	require.Equal(t, http.StatusOK, status)
	for _, action := range []string{"run", "pause", "resume", "archive", "backfill"} {
		status, _ = f.post(viewer, made+"/"+action, url.Values{})
		require.Equal(t, http.StatusForbidden, status, action)
	}
	status, _ = f.post(engineer, made+"/backfill", url.Values{"from": {"2026-01-01"}, "to": {"2026-01-02"}})
	require.Equal(t, http.StatusForbidden, status, "administrators make up for missed times")

	require.Equal(t, made, f.leadsTo(engineer, made+"/pause", url.Values{"mode": {"eid_al_fitr"}, "note": {"after the feast"}}))
	_, body = f.get(admin, made+"?lang=en")
	require.Contains(t, body, "after the feast")
	require.Contains(t, body, "Paused until")
	status, _ = f.post(admin, made+"/pause", url.Values{"mode": {"day"}, "day": {"2001-01-01"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Equal(t, made, f.leadsTo(admin, made+"/resume", url.Values{}))
	require.Equal(t, made, f.leadsTo(engineer, made+"/run", url.Values{}))

	form["name"], form["rhythm"] = []string{"Daily plan"}, []string{"daily"}
	require.Equal(t, made, f.leadsTo(engineer, made+"/edit", form))
	_, body = f.get(engineer, made+"?lang=en")
	require.Contains(t, body, "Every day at 04:00")
	require.Equal(t, "/schedules", f.leadsTo(engineer, made+"/archive", url.Values{}))
	status, _ = f.get(engineer, made)
	require.Equal(t, http.StatusNotFound, status)
}

// TestAlertsAboutAScheduleNameIt shows the alerts that upkeep raises, which end
// with the schedule.
func TestAlertsAboutAScheduleNameIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.as(ownTenant, access.TenantAdmin)
	made := f.leadsTo(admin, "/schedules/new", f.weekly(ownTenant, f.person(ownTenant, access.TenantAdmin).ID))
	f.within(ownTenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, tenant uuid.UUID) error {
		_, err := tx.Exec(ctx, `INSERT INTO core.alerts (tenant_id, kind, severity, dedupe_key, detail, raised_at, last_seen_at)
			SELECT s.tenant_id, k, 4, k || ':' || s.id, jsonb_build_object('schedule_id', s.id, 'name', s.name, 'missed', 3, 'failures', 2,
				'last_due', now(), 'token', 'nightly', 'ended_at', now(), 'error_key', 'error.unavailable'), now(), now()
			FROM core.schedules s, unnest(ARRAY['schedule_missed', 'schedule_failing', 'schedule_token']) k
			WHERE s.tenant_id = $1 AND s.id = $2`, tenant, strings.TrimPrefix(made, "/schedules/"))
		return err
	})
	for kind, says := range map[string]string{"schedule_missed": "3 due times were missed", "schedule_failing": "2 failures in a row", "schedule_token": "the token “nightly” ended at"} {
		_, body := f.get(admin, "/alerts?lang=en&kind="+kind)
		require.Contains(t, html.UnescapeString(body), says)
		require.Contains(t, body, `href="`+made)
	}
	f.leadsTo(admin, made+"/archive", url.Values{})
	_, body := f.get(admin, "/alerts?lang=en&kind=schedule_token")
	require.NotContains(t, body, "nightly")
}

// TestSchedulesOfOthersAreTheirs has an engineer try the schedule of an
// administrator, and another tenant try both.
func TestSchedulesOfOthersAreTheirs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin, engineer, stranger := f.as(ownTenant, access.TenantAdmin), f.as(ownTenant, access.OptimizationEng), f.as(foreignTenant, access.TenantAdmin)
	made := f.leadsTo(admin, "/schedules/new", f.weekly(ownTenant, f.person(ownTenant, access.TenantAdmin).ID))
	for _, action := range []string{"pause", "resume", "run", "archive"} {
		status, _ := f.post(engineer, made+"/"+action, url.Values{})
		require.Equal(t, http.StatusForbidden, status, action)
		status, _ = f.post(stranger, made+"/"+action, url.Values{})
		require.Equal(t, http.StatusNotFound, status, action)
	}
	status, _ := f.get(engineer, made+"/edit")
	require.Equal(t, http.StatusForbidden, status)
	status, _ = f.get(stranger, made)
	require.Equal(t, http.StatusNotFound, status)
}
