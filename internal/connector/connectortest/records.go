package connectortest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// maxRecordPages ends the reading of a source that never ends.
const maxRecordPages = 2_000

// recordKey tells records of one kind apart.
type recordKey struct{ kind, id string }

// gather reads pages until the cursor is empty, and checks that no record
// comes twice.
func gather[T any](t *testing.T, request connector.RecordRequest, read func(connector.RecordRequest) ([]T, string, error), key func(T) recordKey) map[recordKey]T {
	t.Helper()
	found := map[recordKey]T{}
	for range maxRecordPages {
		records, cursor, err := read(request)
		require.NoError(t, err)
		for _, record := range records {
			k := key(record)
			require.NotEmpty(t, k.id)
			require.LessOrEqual(t, len(k.id), 200)
			require.NotContains(t, found, k, "a record comes twice")
			found[k] = record
		}
		if cursor == "" {
			return found
		}
		request.Cursor = cursor
	}
	require.Fail(t, "the pages do not end")
	return nil
}

// readsRecords is what readers of assets and of orders have in common.
func readsRecords[T any](t *testing.T, read func(context.Context, connector.RecordRequest) ([]T, string, error), key func(T) recordKey) map[recordKey]T {
	t.Helper()
	under := func(r connector.RecordRequest) ([]T, string, error) { return read(t.Context(), r) }
	whole := gather(t, connector.RecordRequest{}, under, key)
	require.NotEmpty(t, whole)
	require.Equal(t, whole, gather(t, connector.RecordRequest{}, under, key), "the same request must give the same records")
	require.Equal(t, whole, gather(t, connector.RecordRequest{Limit: max(2, len(whole)/5)}, under, key), "pages must add up")
	ahead := gather(t, connector.RecordRequest{Since: time.Now().Add(48 * time.Hour)}, under, key)
	require.Empty(t, ahead, "nothing was changed in the future")

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := read(cancelled, connector.RecordRequest{})
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = read(t.Context(), connector.RecordRequest{Cursor: "\x00no cursor"})
	require.Error(t, err, "a foreign cursor must not read from the start")
	return whole
}

func readsAssets(t *testing.T, reader connector.AssetReader) {
	read := func(ctx context.Context, r connector.RecordRequest) ([]connector.AssetRecord, string, error) {
		page, err := reader.ReadAssets(ctx, r)
		return page.Records, page.Cursor, err
	}
	whole := readsRecords(t, read, func(r connector.AssetRecord) recordKey { return recordKey{r.Kind, r.ID} })
	parents := map[string]bool{"": true}
	for key := range whole {
		parents[key.id] = true
	}
	for _, record := range whole {
		require.Contains(t, []string{connector.Equipment, connector.FunctionalLocation}, record.Kind)
		require.True(t, parents[record.ParentID], "%s: its parent %s is not there", record.ID, record.ParentID)
		require.Equal(t, time.UTC, record.ChangedAt.Location())
	}
}

func readsOrders(t *testing.T, reader connector.WorkOrderReader) {
	read := func(ctx context.Context, r connector.RecordRequest) ([]connector.WorkOrderRecord, string, error) {
		page, err := reader.ReadWorkOrders(ctx, r)
		return page.Records, page.Cursor, err
	}
	states := []string{connector.OrderOpen, connector.OrderReleased, connector.OrderInProgress, connector.OrderOnHold,
		connector.OrderDone, connector.OrderClosed, connector.OrderCancelled}
	for _, record := range readsRecords(t, read, func(r connector.WorkOrderRecord) recordKey { return recordKey{r.Kind, r.ID} }) {
		require.Contains(t, []string{connector.Order, connector.Notification}, record.Kind)
		require.Contains(t, states, record.State)
		require.Equal(t, time.UTC, record.PlannedStart.Location())
		if !record.PlannedEnd.IsZero() {
			require.False(t, record.PlannedEnd.Before(record.PlannedStart), "%s ends before it starts", record.ID)
		}
	}
}

// writesOrders creates the order of the fixture, which the source must make
// once only, and changes it.
func writesOrders(t *testing.T, writer connector.WorkOrderWriter, draft connector.WorkOrderDraft) {
	_, found, err := writer.FindWorkOrder(t.Context(), draft.Key)
	require.NoError(t, err)
	require.False(t, found, "the order is there before it is created")
	created, err := writer.CreateWorkOrder(t.Context(), draft)
	require.NoError(t, err)
	require.Equal(t, draft.Key, created.Key)
	require.Equal(t, draft.AssetID, created.AssetID)
	require.True(t, draft.PlannedStart.Equal(created.PlannedStart), "%s", created.PlannedStart)
	again, err := writer.CreateWorkOrder(t.Context(), draft)
	require.NoError(t, err)
	require.Equal(t, created.ID, again.ID, "the same key must not make a second order")
	same, found, err := writer.FindWorkOrder(t.Context(), draft.Key)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, created.ID, same.ID)
	read, err := writer.ReadWorkOrder(t.Context(), created.ID)
	require.NoError(t, err)
	require.Equal(t, same, read)
	_, err = writer.ReadWorkOrder(t.Context(), "987654321")
	require.Equal(t, fault.NotFound, fault.CodeOf(err))

	start, end := draft.PlannedStart.AddDate(0, 0, 1), draft.PlannedEnd.AddDate(0, 0, 1)
	moved, err := writer.ChangeWorkOrder(t.Context(), created.ID, created.Version, connector.WorkOrderChange{PlannedStart: &start, PlannedEnd: &end})
	require.NoError(t, err)
	require.True(t, start.Equal(moved.PlannedStart), "%s", moved.PlannedStart)
	later := start.AddDate(0, 0, 1)
	_, err = writer.ChangeWorkOrder(t.Context(), created.ID, created.Version, connector.WorkOrderChange{PlannedStart: &later, PlannedEnd: &later})
	require.Equal(t, fault.Conflict, fault.CodeOf(err), "an old version must not change anything")

	bad := draft
	bad.Key = "not a key"
	_, err = writer.CreateWorkOrder(t.Context(), bad)
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
}
