package activities

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/sap"
	"github.com/optria-iq/optria/internal/connector/sap/saptest"
)

// maintained is a plant with a simulated SAP system.
type maintained struct {
	*plantFixture
	sap *saptest.Server
	ref IntegrationRef
}

func newMaintained(t *testing.T) *maintained {
	t.Helper()
	f := &maintained{plantFixture: newPlant(t), sap: saptest.New(t, time.Now())}
	f.set.Ingest.deps.Dialer = &net.Dialer{}
	config, err := json.Marshal(connector.Config{"base_url": f.sap.URL, "username": saptest.User, "sap_client": saptest.Client, "page_size": 60.0})
	require.NoError(t, err)
	f.ref = IntegrationRef{TenantID: f.tenant, IntegrationID: f.id(
		`INSERT INTO core.integrations (tenant_id, name, kind, config, state) VALUES ($1, 'SAP', $2, $3, 'active') RETURNING id`, f.tenant, sap.Kind, config)}
	sealed, err := f.set.Ingest.deps.Box.Seal(f.tenant.String(), f.ref.IntegrationID.String(), "password", []byte(saptest.Password))
	require.NoError(t, err)
	f.exec(`INSERT INTO core.integration_credentials (tenant_id, integration_id, field, ciphertext) VALUES ($1, $2, 'password', $3)`, f.tenant, f.ref.IntegrationID, sealed)
	return f
}

// sync runs one turn in which records are due.
func (f *maintained) sync() (result PollResult) {
	f.t.Helper()
	f.exec(`UPDATE core.integrations SET records_synced_at = records_synced_at - interval '6 minutes' WHERE tenant_id = $1 AND id = $2`, f.tenant, f.ref.IntegrationID)
	f.do(&result, f.set.Ingest.PollIntegration, f.ref)
	return result
}

// records counts asset records by a condition.
func (f *maintained) records(where string, args ...any) int {
	f.t.Helper()
	return f.count(`SELECT count(*) FROM core.external_assets e WHERE e.tenant_id = $1 AND e.integration_id = $2 AND `+where, append([]any{f.tenant, f.ref.IntegrationID}, args...)...)
}

// allRecords are the records that a full reading of the simulation brings.
const allRecords = saptest.Locations + saptest.Equipment

// taggedAsset adds an asset with the tag of equipment n.
func (f *maintained) taggedAsset(tag string) uuid.UUID {
	f.t.Helper()
	return f.id(`INSERT INTO core.assets (tenant_id, site_id, unit_id, tag, name_ar, name_en, search_text, class_code, criticality)
		SELECT tenant_id, site_id, unit_id, $2, $2, $2, lower($2), 'PUMP', 'B' FROM core.assets WHERE tenant_id = $1 LIMIT 1 RETURNING id`, f.tenant, tag)
}

func TestRecordsAreReadMatchedAndLinked(t *testing.T) {
	f := newMaintained(t)
	asset := f.taggedAsset("p-007") // the tag of the seventh, in another case
	require.Equal(t, PollResult{Status: SyncOK}, f.sync())
	require.Equal(t, allRecords, f.records("gone_at IS NULL"))
	require.Equal(t, 1, f.records("asset_id = $3 AND external_id = $4", asset, saptest.EquipmentID(7)))
	require.Equal(t, saptest.NeverChanged, f.records("kind = 'equipment' AND changed_at IS NULL"), "records without a time of change are there")
	require.Equal(t, saptest.Orders+saptest.Notifications, f.count(`SELECT count(*) FROM core.external_orders WHERE tenant_id = $1 AND integration_id = $2`, f.tenant, f.ref.IntegrationID))
	require.Equal(t, 2, f.count(`SELECT count(*) FROM core.external_orders WHERE tenant_id = $1 AND asset_id = $2`, f.tenant, asset), "one order and one notification")
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.integrations WHERE tenant_id = $1 AND id = $2 AND records_full_at IS NOT NULL AND records_full_at = records_synced_at
		AND records_state IS NULL AND last_sync_status = 'ok'`, f.tenant, f.ref.IntegrationID))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.integration_syncs WHERE tenant_id = $1 AND integration_id = $2 AND rows_written = $3 AND from_ts IS NULL`,
		f.tenant, f.ref.IntegrationID, allRecords+saptest.Orders+saptest.Notifications))

	before := len(f.sap.Requests())
	var again PollResult
	f.do(&again, f.set.Ingest.PollIntegration, f.ref)
	require.Len(t, f.sap.Requests(), before, "nothing is asked before it is due")
}

func TestChangesComeByDeltaAndTheRestByTheFullReading(t *testing.T) {
	f := newMaintained(t)
	f.sync()
	before := len(f.sap.Requests())
	f.sap.Change("Equipment", saptest.EquipmentID(3), time.Now(), map[string]any{"EquipmentName": "Renamed"})
	f.sap.Change("Equipment", saptest.EquipmentID(10), time.Time{}, map[string]any{"EquipmentName": "Changed without a time"})
	f.sap.AddEquipment("000000000020000001", "P-900", time.Now())
	f.sap.Remove("Equipment", saptest.EquipmentID(4))
	f.sync()
	require.Less(t, len(f.sap.Requests())-before, 8, "a delta reads few pages")
	require.Equal(t, 1, f.records("external_id = $3 AND name = 'Renamed'", saptest.EquipmentID(3)))
	require.Equal(t, 1, f.records("external_id = '000000000020000001' AND attributes ->> 'tag' = 'P-900'"), "new ones come though they were never changed")
	require.Zero(t, f.records("name = 'Changed without a time' OR gone_at IS NOT NULL"), "a delta cannot know")

	f.exec(`UPDATE core.integrations SET records_full_at = now() - interval '25 hours' WHERE tenant_id = $1 AND id = $2`, f.tenant, f.ref.IntegrationID)
	f.sync()
	require.Equal(t, 1, f.records("name = 'Changed without a time'"))
	require.Equal(t, 1, f.records("gone_at IS NOT NULL"))
	require.Equal(t, 1, f.records("gone_at IS NOT NULL AND external_id = $3", saptest.EquipmentID(4)))
}

func TestMatchesAreExactAndPeopleHaveTheLastWord(t *testing.T) {
	f := newMaintained(t)
	other := f.taggedAsset("SOMETHING ELSE")
	f.taggedAsset("P-008")
	f.taggedAsset("P-009")
	f.taggedAsset("P-011")
	f.taggedAsset("p-011") // two assets with one name: neither is certain
	f.taggedAsset("P-01")  // begins like many, is none of them
	f.sap.Change("Equipment", saptest.EquipmentID(12), time.Now(), map[string]any{"TechnicalObjectSortCode": "P-009"})
	f.sync()
	require.Equal(t, 1, f.records("asset_id IS NOT NULL"), "only P-008 is certain: P-009 stands on two records, P-011 on two assets")
	f.exec(`UPDATE core.external_assets SET asset_id = $3 WHERE tenant_id = $1 AND integration_id = $2 AND external_id = $4`, f.tenant, f.ref.IntegrationID, other, saptest.EquipmentID(8))
	f.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.MatchOrdersOf(ctx, tx, db.MatchOrdersOfParams{TenantID: f.tenant, IntegrationID: f.ref.IntegrationID, ExternalID: saptest.EquipmentID(8), AssetID: &other})
		return err
	})
	f.exec(`UPDATE core.external_assets SET ignored = true WHERE tenant_id = $1 AND integration_id = $2 AND external_id = $3`, f.tenant, f.ref.IntegrationID, saptest.EquipmentID(12))
	f.sync()
	require.Equal(t, 1, f.records("asset_id = $3 AND external_id = $4", other, saptest.EquipmentID(8)), "a person's match stays")
	require.Equal(t, 1, f.records("asset_id IS NOT NULL AND external_id = $3", saptest.EquipmentID(9)), "with the other ignored, P-009 is certain")
	require.Equal(t, 2, f.count(`SELECT count(*) FROM core.external_orders WHERE tenant_id = $1 AND asset_id = $2`, f.tenant, other), "and its orders keep it")
}

// paged is a source whose pages a test makes up.
type paged struct {
	assets func(connector.RecordRequest) (connector.AssetPage, error)
	asked  []connector.RecordRequest
}

func (p *paged) Kind() string { return "paged" }
func (p *paged) Close() error { return nil }
func (p *paged) ReadAssets(_ context.Context, request connector.RecordRequest) (connector.AssetPage, error) {
	p.asked = append(p.asked, request)
	return p.assets(request)
}

// turn syncs from a made-up source within the pages that a turn may read.
func (f *maintained) turn(source *paged, deadline time.Time) (result recordsResult, err error) {
	f.t.Helper()
	t, err := f.set.Ingest.load(f.t.Context(), f.ref)
	require.NoError(f.t, err)
	env := f.env()
	env.RegisterActivityWithOptions(func(ctx context.Context) error {
		result, err = f.set.Ingest.syncRecords(ctx, t, source, deadline)
		return nil
	}, activity.RegisterOptions{Name: "turn"})
	_, failed := env.ExecuteActivity("turn")
	require.NoError(f.t, failed)
	return result, err
}

func TestAReadingGoesOnWhereItWasInterrupted(t *testing.T) {
	f := newMaintained(t)
	source := &paged{assets: func(r connector.RecordRequest) (connector.AssetPage, error) {
		next := map[string]string{"": "one", "one": "two", "two": ""}[r.Cursor]
		return connector.AssetPage{Records: []connector.AssetRecord{{ID: "E" + r.Cursor, Kind: connector.Equipment}}, Cursor: next}, nil
	}}
	past := time.Now().Add(-time.Second)
	for i, more := range []bool{true, true, false} {
		result, err := f.turn(source, past)
		require.NoError(t, err)
		require.Equal(t, recordsResult{Stored: 1, More: more}, result, i)
	}
	require.Equal(t, []string{"", "one", "two"}, []string{source.asked[0].Cursor, source.asked[1].Cursor, source.asked[2].Cursor})
	require.Equal(t, 3, f.records("true"))

	// The source forgot its cursor: the reading begins anew instead of failing
	// for ever.
	f.exec(`UPDATE core.integrations SET records_full_at = NULL, records_synced_at = NULL WHERE tenant_id = $1 AND id = $2`, f.tenant, f.ref.IntegrationID)
	_, err := f.turn(source, past)
	require.NoError(t, err)
	working := source.assets
	source.assets = func(connector.RecordRequest) (connector.AssetPage, error) {
		return connector.AssetPage{}, connector.Unreachable(errors.New("cut"))
	}
	_, err = f.turn(source, past)
	require.Equal(t, connector.KeyUnreachable, connector.MessageKey(err))
	source.assets = func(connector.RecordRequest) (connector.AssetPage, error) {
		return connector.AssetPage{}, connector.Failed(connector.KeyProtocol, errors.New("no such cursor"))
	}
	_, err = f.turn(source, past)
	require.Equal(t, connector.KeyProtocol, connector.MessageKey(err))
	source.assets = working
	asked := len(source.asked)
	_, err = f.turn(source, time.Now().Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, "one", source.asked[asked-2].Cursor, "an outage keeps the cursor")
	require.Empty(t, source.asked[asked].Cursor, "a cursor that is not known any more is dropped")
}

func TestOddRecordsDoNotHoldUpTheOthers(t *testing.T) {
	f := newMaintained(t)
	source := &paged{assets: func(connector.RecordRequest) (connector.AssetPage, error) {
		return connector.AssetPage{Records: []connector.AssetRecord{
			{ID: "A", Kind: connector.Equipment, Name: "first"}, {ID: "A", Kind: connector.Equipment, Name: "nul\x00 and \xff"}, {ID: "", Kind: connector.Equipment},
			{ID: "B\x00", Kind: connector.Equipment}, {ID: "C", Kind: "spaceship"},
		}}, nil
	}}
	result, err := f.turn(source, time.Now().Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, recordsResult{Stored: 1, Refused: 3}, result)
	require.Equal(t, 1, f.records("name = 'nul and '"))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM core.integrations WHERE tenant_id = $1 AND id = $2 AND last_sync_status = 'partial'`, f.tenant, f.ref.IntegrationID))

	// An account without rights is shown nothing: that proves no loss.
	f.exec(`UPDATE core.integrations SET records_full_at = NULL, records_synced_at = NULL WHERE tenant_id = $1 AND id = $2`, f.tenant, f.ref.IntegrationID)
	source.assets = func(connector.RecordRequest) (connector.AssetPage, error) { return connector.AssetPage{}, nil }
	_, err = f.turn(source, time.Now().Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, 1, f.records("gone_at IS NULL"))
}

func TestOfTwoReadingsAtOnceOneStores(t *testing.T) {
	f := newMaintained(t)
	second, err := f.set.Ingest.load(t.Context(), f.ref)
	require.NoError(t, err)
	source := &paged{assets: func(connector.RecordRequest) (connector.AssetPage, error) {
		return connector.AssetPage{Records: []connector.AssetRecord{{ID: "A", Kind: connector.Equipment}}, Cursor: "next"}, nil
	}}
	_, err = f.turn(source, time.Now().Add(-time.Second))
	require.NoError(t, err)
	pass, err := second.nextPass(source, time.Now())
	require.NoError(t, err)
	page, err := readRecords(t.Context(), source, *pass)
	require.NoError(t, err)
	err = f.set.Ingest.storeRecords(t.Context(), second, page, *pass, pass.after(page, source))
	require.Equal(t, keyBusy, connector.MessageKey(err))
}
