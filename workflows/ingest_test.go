package workflows

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/testkit"
)

// Kinds of sources that need no counterpart: every tag of one has a value
// every tenth of a second, for ever; the other has always more to give than is
// taken, and takes its time to give it.
const (
	tickingKind = "workflow_ticking"
	floodKind   = "workflow_flood"
	tick        = 100 * time.Millisecond
)

func init() {
	connector.Register(connector.Spec{Kind: tickingKind, Fields: []connector.Field{{Key: "note", Type: connector.Text}}},
		func(connector.Config, connector.Secrets, *net.Dialer) (connector.Connector, error) {
			return ticking{}, nil
		})
	connector.Register(connector.Spec{Kind: floodKind},
		func(connector.Config, connector.Secrets, *net.Dialer) (connector.Connector, error) {
			return flood{}, nil
		})
}

type ticking struct{}

func (ticking) Kind() string { return tickingKind }
func (ticking) Close() error { return nil }

func (ticking) Subscribe(ctx context.Context, r connector.SubscribeRequest, deliver connector.Deliver) error {
	reached := time.Now().UTC()
	batch := connector.Batch{Watermark: reached}
	for ctx.Err() == nil {
		if err := deliver(ctx, batch); err != nil {
			return err
		}
		time.Sleep(tick)
		now := time.Now().UTC()
		batch = connector.Batch{Readings: ticks(r.Tags, reached, now), Watermark: now}
		reached = now
	}
	return nil
}

func (ticking) Backfill(_ context.Context, r connector.PollRequest) (connector.Batch, error) {
	return connector.Batch{Readings: ticks(r.Tags, r.Since, r.Until), Watermark: r.Until}, nil
}

func (ticking) Browse(_ context.Context, parent string) ([]connector.Node, error) {
	if parent != "" {
		return nil, connector.UnknownNode(parent)
	}
	return []connector.Node{{Address: "tag", Name: "tag", Leaf: true}}, nil
}

func ticks(tags []string, since, until time.Time) (out []connector.Reading) {
	for at := since.Truncate(tick).Add(tick); !at.After(until); at = at.Add(tick) {
		for _, tag := range tags {
			out = append(out, connector.Reading{ExternalTag: tag, Time: at, Value: 1, Quality: asset.Good})
		}
	}
	return out
}

type flood struct{}

func (flood) Kind() string { return floodKind }
func (flood) Close() error { return nil }

func (flood) Poll(_ context.Context, r connector.PollRequest) (connector.Batch, error) {
	time.Sleep(100 * time.Millisecond)
	mark := r.Since.Add(time.Second)
	batch := connector.Batch{Watermark: mark, More: true}
	for _, tag := range r.Tags {
		batch.Readings = append(batch.Readings, connector.Reading{ExternalTag: tag, Time: mark, Quality: asset.Good})
	}
	return batch, nil
}

// line is a tenant with an asset that has one signal.
const line = `
INSERT INTO core.tenants (id, code, name_ar, name_en, industry) VALUES ('{id}', upper('T' || left('{id}', 8)), 'T', 'T', 'power');
INSERT INTO core.sites (tenant_id, id, code, name_ar, name_en) VALUES ('{id}', '{id}', 'S', 'S', 'S');
INSERT INTO core.units (tenant_id, id, site_id, code, name_ar, name_en) VALUES ('{id}', '{id}', '{id}', 'U', 'U', 'U');
INSERT INTO core.skills (tenant_id, id, code, name_ar, name_en) VALUES ('{id}', '{id}', 'K', 'K', 'K');
INSERT INTO core.assets (tenant_id, id, site_id, unit_id, tag, name_ar, name_en, search_text, class_code, criticality, skill_id)
  VALUES ('{id}', '{id}', '{id}', '{id}', 'P-1', 'P', 'P', 'p', 'PUMP', 'A', '{id}');
INSERT INTO telemetry.signals (tenant_id, id, asset_id, metric, name_ar, name_en) VALUES ('{id}', 1, '{id}', 'm', 'm', 'm');`

// another adds a tenant with the given number of integrations of a kind, all of
// which read one signal. The platform then works in that tenant.
func (p *platform) another(kind string, integrations int) (made []uuid.UUID) {
	p.t.Helper()
	id := uuid.New()
	require.NoError(p.t, exec(p, strings.ReplaceAll(line, "{id}", id.String())))
	p.tenant = id
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		for range integrations {
			one := uuid.New()
			made = append(made, one)
			_, err := tx.Exec(ctx, `INSERT INTO core.integrations (tenant_id, id, name, kind) VALUES ($1, $2, $3, $4)`, id, one, one.String(), kind)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `INSERT INTO core.integration_mappings (tenant_id, integration_id, external_tag, asset_id, signal_id) VALUES ($1, $2, 'tag', $1, 1)`, id, one)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return made
}

// exec runs statements as the superuser.
func exec(p *platform, sql string) error {
	root, err := pgx.Connect(p.t.Context(), p.url)
	if err != nil {
		return err
	}
	defer root.Close(context.Background())
	_, err = root.Exec(p.t.Context(), sql)
	return err
}

// alter changes the integration as the web tier does.
func (p *platform) alter(sql string) {
	p.t.Helper()
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		_, err := tx.Exec(ctx, `UPDATE core.integrations SET `+sql+`, updated_at = clock_timestamp() WHERE tenant_id = $1`, p.tenant)
		return err
	})
}

func (p *platform) streaming() bool {
	return p.count(`SELECT count(*) FROM core.integrations WHERE tenant_id = $1 AND streaming_since IS NOT NULL`, p.tenant) > 0
}

func (p *platform) stored() int {
	return p.count(`SELECT count(*) FROM telemetry.asset_timeseries WHERE tenant_id = $1`, p.tenant)
}

// complete reports whether from the first stored tick to the last none is
// missing and no gap is open.
func (p *platform) complete() bool {
	return p.count(`SELECT CASE WHEN count(*) = round(extract(epoch FROM max(ts) - min(ts)) * 10) + 1 THEN 1 ELSE 0 END
		FROM telemetry.asset_timeseries WHERE tenant_id = $1`, p.tenant) == 1 &&
		p.count(`SELECT count(*) FROM core.integration_backfills WHERE tenant_id = $1 AND state <> 'done'`, p.tenant) == 0
}

// TestStreamedIntegration follows a source through a change of its settings, a
// worker that stops, and a pause, and fills what was missed.
func TestStreamedIntegration(t *testing.T) {
	p := newPlatform(t)
	ctx := t.Context()
	integration := p.another(tickingKind, 1)[0]
	require.NoError(t, p.client.EnsureIntegrationSchedule(ctx, p.tenant, integration))
	p.eventually(func() bool { return p.streaming() && p.stored() > 5 }, "the source is followed")
	p.eventually(func() bool {
		return p.count(`SELECT count(*) FROM core.integration_nodes WHERE tenant_id = $1`, p.tenant) == 1
	}, "its tree is listed")

	sessions := p.sessions()
	p.alter(`config = '{"note": "changed"}'`)
	p.eventually(func() bool { return p.sessions() != sessions && p.streaming() }, "a change of the settings begins a new session")
	sessions = p.sessions()
	p.halt()
	require.False(t, p.streaming(), "a worker that stops says so")
	p.work()
	p.eventually(func() bool { return p.sessions() != sessions && p.streaming() }, "another worker goes on")

	p.alter(`state = 'paused'`)
	require.NoError(t, p.client.PauseIntegration(ctx, p.tenant, integration, true))
	p.eventually(func() bool { return !p.streaming() && p.ended(p.client, IngestID(p.tenant, integration)) }, "a pause ends the stream")
	p.alter(`state = 'active'`)
	require.NoError(t, p.client.PauseIntegration(ctx, p.tenant, integration, false))
	p.eventually(p.streaming, "it is resumed at once")
	p.eventually(p.complete, "what was missed is filled")
	p.alter(`state = 'archived'`)
	p.eventually(func() bool { return !p.streaming() }, "an archived integration is left")
	p.recordPrefix("ingest-stream", IngestID(p.tenant, integration))
	p.record("backfill", BackfillID(p.tenant, integration))
	p.record("discovery", DiscoveryID(p.tenant, integration))
}

// sessions tells one session from the next.
func (p *platform) sessions() (since time.Time) {
	p.t.Helper()
	p.in(func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT coalesce(streaming_since, 'epoch') FROM core.integrations WHERE tenant_id = $1`, p.tenant).Scan(&since)
	})
	return since
}

// ended reports whether no workflow of a schedule is open.
func (p *platform) ended(c *Client, prefix string) bool {
	open, err := c.temporal.CountWorkflow(p.t.Context(), &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: c.Namespace(), Query: `WorkflowId STARTS_WITH "` + prefix + `" AND ExecutionStatus = "Running"`,
	})
	return err == nil && open.GetCount() == 0
}

// TestStreamOutlivesTemporal shuts the way to Temporal: readings are stored all
// the same, and afterwards the stream still listens.
func TestStreamOutlivesTemporal(t *testing.T) {
	p := newPlatform(t)
	p.halt()
	way := testkit.NewFaultProxy(t, p.client.options.HostPort)
	through, err := Dial(t.Context(), ClientOptions{Address: way.Address(), Namespace: p.client.Namespace(), PayloadKey: testKey})
	require.NoError(t, err)
	t.Cleanup(through.Close)
	direct := p.client
	p.client = through
	p.work()
	integration := p.another(tickingKind, 1)[0]
	require.NoError(t, direct.EnsureIntegrationSchedule(t.Context(), p.tenant, integration))
	p.eventually(func() bool { return p.stored() > 0 }, "the source is followed")
	way.Refuse()
	before := p.stored()
	p.eventually(func() bool { return p.stored() > before+30 }, "readings are stored without Temporal")
	way.Heal()
	p.alter(`state = 'paused'`)
	p.eventually(func() bool { return p.ended(direct, IngestID(p.tenant, integration)) }, "the workflow ends as it should")
	require.True(t, p.complete())
}

// TestFloodDoesNotStarveOthers lets one tenant poll many sources that always
// have more. Another tenant's one source must be polled within its period.
func TestFloodDoesNotStarveOthers(t *testing.T) {
	p := newPlatform(t)
	ctx := t.Context()
	many := p.another(floodKind, 3*concurrency[QueueIngest])
	for _, integration := range many {
		require.NoError(t, p.client.EnsureIntegrationSchedule(ctx, p.tenant, integration))
	}
	busy := func() bool {
		return p.count(`SELECT count(DISTINCT integration_id) FROM core.integration_syncs WHERE tenant_id = $1`, p.tenant) >= concurrency[QueueIngest]
	}
	p.eventually(busy, "every slot is taken")
	flooding := p.tenant
	integration := p.another(floodKind, 1)[0]
	asked := time.Now()
	require.NoError(t, p.client.EnsureIntegrationSchedule(ctx, p.tenant, integration))
	p.eventually(func() bool {
		return p.count(`SELECT count(*) FROM core.integration_syncs WHERE tenant_id = $1`, p.tenant) > 0
	}, "the other tenant is polled")
	lag := time.Since(asked)
	t.Logf("polled after %s", lag)
	require.Less(t, lag, ingestEvery)
	require.NotEqual(t, flooding, p.tenant)
}
