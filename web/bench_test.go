package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/db/seed"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/testkit"
)

// seasoned is a database as `optria dev` seeds it: three tenants with ninety
// days of telemetry.
var seasoned = testkit.Template{Key: "web-seasoned", Build: func(ctx context.Context, url string) error {
	if err := db.Prepare(ctx, url); err != nil {
		return err
	}
	d, err := db.Open(ctx, url, db.Config{StatementTimeout: -1})
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = seed.Run(ctx, d, seed.Options{Epoch: time.Now(), History: 90 * 24 * time.Hour, Period: 30 * time.Minute, Password: password, Log: slog.New(slog.DiscardHandler)})
	return err
}}

// BenchmarkPages opens the main pages one after the other as one signed-in
// admin and reports the median and the 95th percentile of the whole request,
// from the client to the last byte.
func BenchmarkPages(b *testing.B) {
	f := newFixtureOn(b, seasoned)
	const code = "ARAMCO_DEMO"
	f.scored(code, 14)
	run := f.finishedRun(code, access.OptimizationEng)
	plan := f.planOf(code, run)
	f.settled(code, plan, "approved", "approved", access.TenantAdmin)
	f.released(code, plan)
	var signal string
	f.within(code, func(ctx context.Context, tx pgx.Tx, _ *db.Queries, t uuid.UUID) error {
		return tx.QueryRow(ctx, `SELECT asset_id || '/series.json?range=30d&signal=' || id FROM telemetry.signals WHERE tenant_id = $1 ORDER BY id LIMIT 1`, t).Scan(&signal)
	})
	admin := f.as(code, access.TenantAdmin)
	results := "/runs/" + run.String() + "/results"
	for _, page := range []struct{ name, path string }{
		{"dashboard", "/dashboard"}, {"assets", "/assets"}, {"asset", "/assets/" + f.tenant(code).Assets[0].ID.String()}, {"series", "/assets/" + signal},
		{"scenarios", "/scenarios"}, {"wizard", "/scenarios/new"}, {"run", "/runs/" + run.String()}, {"results", results}, {"gantt", results + "?tab=gantt"},
		{"plan", "/plans/" + plan.String()}, {"work_orders", "/work-orders"}, {"integrations", "/integrations"}, {"audit", "/audit"}, {"search", "/search?q=P-10"},
	} {
		b.Run(page.name, func(b *testing.B) { f.benchPage(b, admin, page.path) })
	}
}

func (f *fixture) benchPage(b *testing.B, client *http.Client, path string) {
	var times []time.Duration
	status, body := f.get(client, path) // warm
	require.Equal(b, http.StatusOK, status, path)
	for b.Loop() {
		began := time.Now()
		status, _ := f.get(client, path)
		times = append(times, time.Since(began))
		require.Equal(b, http.StatusOK, status, path)
	}
	slices.Sort(times)
	percentile := func(p float64) float64 { return times[int(p*float64(len(times)-1))].Seconds() * 1000 }
	b.ReportMetric(percentile(0.50), "p50-ms")
	b.ReportMetric(percentile(0.95), "p95-ms")
	b.ReportMetric(float64(len(body))/1024, "KiB")
}
