package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/opcua"
	"github.com/optria-iq/optria/internal/testkit"
)

// healsWithin is how long the product may take to follow a source again and to
// fill what it missed. A schedule comes once a minute.
const healsWithin = 3 * time.Minute

// followed is an integration that reads an independent OPC UA server.
type followed struct {
	*stack
	t       *testing.T
	id      uuid.UUID
	way     *testkit.FaultProxy
	config  connector.Config
	secrets connector.Secrets
	tags    []string
	signals []int64
}

// follow starts a server and has the product follow it.
func (s *stack) follow(t *testing.T) *followed {
	t.Helper()
	port := testkit.FreePort(t)
	testkit.Node(t, "opcua.mjs", fmt.Sprintf("PORT=%d", port), "PKI="+filepath.Join(t.TempDir(), "own", "pki"), "TICK=100", "HISTORY=10", "PUMPS=2")
	f := &followed{stack: s, t: t, id: uuid.New(), way: testkit.NewFaultProxy(t, fmt.Sprintf("127.0.0.1:%d", port)), secrets: connector.Secrets{},
		tags: []string{"nsu=urn:test:plant;s=Pump1/Flow", "nsu=urn:test:plant;s=Pump1/Vibration", "nsu=urn:test:plant;s=Pump2/Flow"}}
	f.config = connector.Config{"endpoint": "opc.tcp://" + f.way.Address() + "/plant", "security_policy": "None", "security_mode": "None"}
	require.NoError(t, opcua.Spec().Generate(f.config, f.secrets))
	tenant := s.tenantID(t, plant)
	raw, err := json.Marshal(f.config)
	require.NoError(t, err)
	require.NoError(t, s.db.InTenant(t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := tx.Exec(ctx, `INSERT INTO core.integrations (tenant_id, id, name, kind, config) VALUES ($1, $2, $3, $4, $5)`, tenant, f.id, f.id.String(), opcua.Kind, raw); err != nil {
			return err
		}
		for field, text := range f.secrets {
			sealed, err := s.box.Seal(tenant.String(), f.id.String(), field, []byte(text))
			if err != nil {
				return err
			}
			if err := q.SaveCredential(ctx, tx, db.SaveCredentialParams{TenantID: tenant, IntegrationID: f.id, Field: field, Ciphertext: sealed}); err != nil {
				return err
			}
		}
		return f.mapTags(ctx, tx, tenant)
	}))
	t.Cleanup(func() { // the product lets go of it
		_ = s.db.InTenant(context.Background(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
			_, err := tx.Exec(ctx, `UPDATE core.integrations SET state = 'archived', updated_at = now() WHERE tenant_id = $1 AND id = $2`, tenant, f.id)
			return err
		})
	})
	return f
}

// mapTags gives every tag a signal of its own.
func (f *followed) mapTags(ctx context.Context, tx pgx.Tx, tenant uuid.UUID) error {
	for n, tag := range f.tags {
		var signal int64
		err := tx.QueryRow(ctx, `INSERT INTO telemetry.signals (tenant_id, asset_id, metric, name_ar, name_en)
			SELECT tenant_id, id, $2, 'e2e', 'e2e' FROM core.assets WHERE tenant_id = $1 ORDER BY tag LIMIT 1 RETURNING id`, tenant, fmt.Sprintf("e2e_%d", n)).Scan(&signal)
		if err != nil {
			return err
		}
		f.signals = append(f.signals, signal)
		if _, err = tx.Exec(ctx, `INSERT INTO core.integration_mappings (tenant_id, integration_id, external_tag, asset_id, signal_id)
			SELECT tenant_id, $2, $3, asset_id, id FROM telemetry.signals WHERE tenant_id = $1 AND id = $4`, tenant, f.id, tag, signal); err != nil {
			return err
		}
	}
	return nil
}

// integration reads the row, or fails while the database is away.
func (f *followed) integration() (i db.Integration, err error) {
	err = f.db.InTenant(f.t.Context(), f.tenantID(f.t, plant), func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		i, err = q.LoadPolledIntegration(ctx, tx, f.tenantID(f.t, plant), f.id)
		return err
	})
	return i, err
}

// reads waits until the watermark has passed a moment and no gap is open.
func (f *followed) reads(after time.Time) {
	f.t.Helper()
	await(f.t, healsWithin, "the source is read on and its gaps are filled", func() bool {
		i, err := f.integration()
		if err != nil || i.StreamingSince == nil || i.Watermark == nil || i.Watermark.Before(after) {
			return false
		}
		open, err := f.count(f.t.Context(), f.tenantID(f.t, plant), `SELECT count(*) FROM core.integration_backfills WHERE tenant_id = $1 AND integration_id = $2 AND state <> 'done'`, f.id)
		return err == nil && open == 0
	})
}

// archive returns what the server has of a window, one line per reading.
func (f *followed) archive(since, until time.Time) (lines []string) {
	f.t.Helper()
	opened, err := connector.Open(opcua.Kind, f.config, f.secrets, &net.Dialer{})
	require.NoError(f.t, err)
	defer opened.Close()
	for more := true; more; {
		batch, err := opened.(connector.Backfiller).Backfill(f.t.Context(), connector.PollRequest{Tags: f.tags, Since: since, Until: until})
		require.NoError(f.t, err)
		for _, r := range batch.Readings {
			lines = append(lines, fmt.Sprintf("%s %d", r.ExternalTag, r.Time.UnixMicro()))
		}
		since, more = batch.Watermark, batch.More
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// stored returns what the historian has of a window, as archive does.
func (f *followed) stored(since, until time.Time) (lines []string) {
	f.t.Helper()
	tenant := f.tenantID(f.t, plant)
	require.NoError(f.t, f.db.InTenant(f.t.Context(), tenant, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		rows, err := tx.Query(ctx, `SELECT m.external_tag || ' ' || (extract(epoch FROM s.ts) * 1000000)::bigint FROM telemetry.asset_timeseries s
			JOIN core.integration_mappings m ON m.tenant_id = s.tenant_id AND m.signal_id = s.signal_id AND m.integration_id = $2
			WHERE s.tenant_id = $1 AND s.ts > $3 AND s.ts <= $4`, tenant, f.id, since, until)
		if err != nil {
			return err
		}
		lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	}))
	slices.Sort(lines)
	return lines
}

// TestKillEachProcessWhileStreaming kills every process of the product and
// disturbs the network while a source is followed. In the end the historian
// has what the server's archive has, each reading once.
func TestKillEachProcessWhileStreaming(t *testing.T) {
	s := running(t)
	f := s.follow(t)
	f.reads(time.Time{})
	i, err := f.integration()
	require.NoError(t, err)
	since := *i.Watermark
	for _, fault := range []struct {
		name string
		make func()
	}{
		{"worker killed", func() { s.kill(t, s.worker.PID()) }},
		{"network cut", func() { f.way.Refuse(); time.Sleep(3 * time.Second); f.way.Heal() }},
		{"temporal killed", func() { s.kill(t, childPID(t, "temporaldev")) }},
		{"postgres killed", func() { s.kill(t, childPID(t, "postgres")) }},
		{"network forgets", func() { f.way.Freeze(); time.Sleep(10 * time.Second) }},
	} {
		time.Sleep(time.Second)
		fault.make()
		made := time.Now()
		f.reads(made)
		t.Logf("%s: healed and filled after %s", fault.name, time.Since(made).Round(time.Millisecond))
	}
	require.NoError(t, s.awaitReady(t.Context()))
	i, err = f.integration()
	require.NoError(t, err)
	until := *i.Watermark
	want := f.archive(since, until)
	require.Greater(t, len(want), 300)
	got := f.stored(since, until)
	missing := slices.DeleteFunc(slices.Clone(want), func(l string) bool { _, ok := slices.BinarySearch(got, l); return ok })
	require.Empty(t, missing, "of %d readings of the server", len(want))
	require.Len(t, got, len(want), "each once, and nothing that the server never had")
}
