package web_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/uitest"
)

// fired gives the first schedule of a tenant a past and the tenant a report,
// and returns their ids.
func (f *fixture) fired(code string) (schedule, report uuid.UUID) {
	f.Helper()
	f.within(code, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, tenant uuid.UUID) error {
		if err := tx.QueryRow(ctx, `SELECT id FROM core.schedules WHERE tenant_id = $1 AND cron = '0 5 * * *'`, tenant).Scan(&schedule); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO core.schedule_firings (tenant_id, schedule_id, due_at, cause, state, error_key, started_at, finished_at)
			SELECT $1, $2, date_trunc('day', now()) - make_interval(days => n) + interval '2 hours',
				(ARRAY['due', 'due', 'catch_up', 'due', 'due', 'manual', 'backfill'])[n], (ARRAY['done', 'missed', 'done', 'skipped', 'failed', 'done', 'started'])[n],
				(ARRAY['', 'schedules.firing.late', '', 'schedules.firing.overlap', 'schedules.owner_off', '', ''])[n],
				CASE WHEN n IN (2, 4, 7) THEN NULL ELSE date_trunc('day', now()) - make_interval(days => n) + interval '150 minutes' END,
				CASE WHEN n = 7 THEN NULL ELSE date_trunc('day', now()) - make_interval(days => n) + interval '3 hours' END FROM generate_series(1, 7) n`, tenant, schedule); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `INSERT INTO core.reports (tenant_id, schedule_id, from_day, to_day, content)
			SELECT $1, $2, current_date - 7, current_date - 1, jsonb_build_object('plans', '{"approved": 2, "proposed": 1, "returned": 1}'::jsonb,
				'releases', '{"count": 1, "lines": 12, "written": 11}'::jsonb, 'orders', '{"due": 14, "done": 12, "in_time": 10, "late": 2}'::jsonb,
				'risks', (SELECT jsonb_agg(jsonb_build_object('asset_id', a.id, 'tag', a.tag, 'name_ar', a.name_ar, 'name_en', a.name_en, 'site_ar', '', 'site_en', '',
					'risk_level', 4, 'risk_sar', 1250000, 'failure_probability_30d', 0.21, 'trusted', true)) FROM (SELECT * FROM core.assets WHERE tenant_id = $1 ORDER BY tag LIMIT 3) a))
			RETURNING id`, tenant, schedule).Scan(&report)
	})
	return schedule, report
}

func TestSchedulePagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	t.Parallel()
	f := newFixture(t)
	schedule, report := f.fired(plantTenant)
	browser := f.signedIn(plantTenant, access.TenantAdmin)
	one := "/schedules/" + schedule.String()
	for name, path := range map[string]string{
		"list": "/schedules", "new": "/schedules/new", "show": one, "edit": one + "/edit", "reports": "/reports", "report": "/reports/" + report.String(),
	} {
		t.Run(name, func(t *testing.T) {
			uitest.CheckPage(t, browser, f.srv.URL+path)
			dir := os.Getenv("SHOTS")
			if dir == "" {
				return
			}
			require.NoError(t, os.MkdirAll(dir, 0o755))
			for _, lang := range []string{"ar", "en"} {
				for width, size := range map[int64]string{390: "390", 1440: "1440"} {
					uitest.Shot(t, browser, f.srv.URL+path+"?lang="+lang, width, filepath.Join(dir, "schedules-"+name+"-"+lang+"-"+size+".png"))
				}
			}
		})
	}
}
