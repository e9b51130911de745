package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// How records of maintenance systems are read: those changed since the last
// time, with an overlap for what was committed late, and once a day all of
// them. Only a full reading finds what carries no time of change and what is
// gone.
const (
	recordsEvery     = 5 * time.Minute // where the settings name no record_minutes
	recordsOverlap   = 10 * time.Minute
	recordsWhole     = 24 * time.Hour
	recordsPassAge   = 72 * time.Hour // after which an interrupted reading begins anew
	recordPagesATurn = 500
)

// The halves of a reading, in their order.
const (
	readingAssets = "assets"
	readingOrders = "orders"
)

// recordsPass is one reading of the records of an integration. It is kept in
// the row of the integration while it lasts.
type recordsPass struct {
	Reads   string    `json:"reads"`
	Whole   bool      `json:"whole"`
	Since   time.Time `json:"since,omitzero"`
	Started time.Time `json:"started"`
	Cursor  string    `json:"cursor,omitempty"`
	Stored  int64     `json:"stored"`
	Refused int64     `json:"refused"`
}

// recordsResult says what a turn stored and refused. More holds when the
// reading goes on in the next turn.
type recordsResult struct {
	Stored, Refused int64
	More            bool
}

// readsRecords reports whether a source has records to read.
func readsRecords(opened connector.Connector) bool {
	_, assets := opened.(connector.AssetReader)
	_, orders := opened.(connector.WorkOrderReader)
	return assets || orders
}

// syncRecords reads asset records and orders page by page when they are due,
// until all are read or the turn is over. Each page is one transaction that
// stores the records and where the reading stands; the keys of the source make
// storing them again harmless.
func (a *Ingest) syncRecords(ctx context.Context, t *target, opened connector.Connector, deadline time.Time) (recordsResult, error) {
	var result recordsResult
	pass, err := t.nextPass(opened, time.Now().UTC())
	if err != nil || pass == nil {
		return result, err
	}
	resumed := pass.Cursor != ""
	for pages := 0; pass != nil; pages++ {
		if pages >= recordPagesATurn || pages > 0 && !time.Now().Before(deadline) {
			result.More = true
			return result, nil
		}
		page, err := readRecords(ctx, opened, *pass)
		if err != nil {
			if resumed && pages == 0 && cursorEnded(err) {
				err = a.dropPass(ctx, t, err)
			}
			return result, fmt.Errorf("read records of %s: %w", t.integration.Kind, err)
		}
		next := pass.after(page, opened)
		if err := a.storeRecords(ctx, t, page, *pass, next); err != nil {
			return result, err
		}
		result.Stored += int64(page.count)
		result.Refused += int64(page.refused)
		pass = next
		activity.RecordHeartbeat(ctx, result.Stored)
	}
	return result, nil
}

// nextPass is the reading that was interrupted, or a new one when it is due.
func (t *target) nextPass(opened connector.Connector, now time.Time) (*recordsPass, error) {
	i := t.integration
	if len(i.RecordsState) > 0 {
		var pass recordsPass
		if err := json.Unmarshal(i.RecordsState, &pass); err != nil {
			return nil, fmt.Errorf("read where the records stand: %w", err)
		}
		if now.Sub(pass.Started) < recordsPassAge && pass.possible(opened) {
			return &pass, nil
		}
	}
	var settings struct {
		Minutes float64 `json:"record_minutes"`
	}
	if err := json.Unmarshal(i.Config, &settings); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	every := recordsEvery
	if settings.Minutes >= 1 {
		every = time.Duration(settings.Minutes * float64(time.Minute))
	}
	if i.RecordsSyncedAt != nil && now.Sub(*i.RecordsSyncedAt) < every {
		return nil, nil
	}
	pass := &recordsPass{Started: now, Reads: readingAssets}
	if !pass.possible(opened) {
		pass.Reads = readingOrders
	}
	pass.Whole = i.RecordsSyncedAt == nil || i.RecordsFullAt == nil || now.Sub(*i.RecordsFullAt) >= recordsWhole
	if !pass.Whole {
		pass.Since = i.RecordsSyncedAt.Add(-recordsOverlap)
	}
	return pass, nil
}

// possible reports whether the source has what the reading is at.
func (p recordsPass) possible(opened connector.Connector) bool {
	if p.Reads == readingAssets {
		_, can := opened.(connector.AssetReader)
		return can
	}
	_, can := opened.(connector.WorkOrderReader)
	return can && p.Reads == readingOrders
}

// after is where the reading stands after a page, nil when all is read.
func (p recordsPass) after(page recordPage, opened connector.Connector) *recordsPass {
	next := p
	next.Cursor = page.cursor
	next.Stored += int64(page.count)
	next.Refused += int64(page.refused)
	if page.cursor != "" {
		return &next
	}
	next.Reads = readingOrders
	if p.Reads == readingAssets && next.possible(opened) {
		return &next
	}
	return nil
}

// cursorEnded reports whether a failure may come from a cursor that the source
// does not know any more.
func cursorEnded(err error) bool {
	passing := []string{connector.KeyUnreachable, connector.KeyThrottled, connector.KeyCancelled, connector.KeyCredentials,
		connector.KeyCertificate, connector.KeySecurity, connector.KeyRefusedHost}
	return !slices.Contains(passing, connector.MessageKey(err))
}

// dropPass lets the next turn begin a reading anew, and returns the cause or
// why that was not possible.
func (a *Ingest) dropPass(ctx context.Context, t *target, cause error) error {
	i := t.integration
	err := a.deps.DB.InTenant(ctx, i.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return q.DropRecordsState(ctx, tx, i.TenantID, i.ID, i.RecordsState)
	})
	if err != nil {
		return fmt.Errorf("forget where the records stand: %w", err)
	}
	return cause
}

// storeRecords stores a page and moves the reading on, in one transaction.
// With the last page of asset records they are matched to assets.
func (a *Ingest) storeRecords(ctx context.Context, t *target, page recordPage, pass recordsPass, next *recordsPass) error {
	i := t.integration
	var state json.RawMessage
	if next != nil {
		var err error
		if state, err = json.Marshal(next); err != nil {
			return fmt.Errorf("keep where the records stand: %w", err)
		}
	}
	err := a.storing(ctx, i.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if err := page.store(ctx, tx, q, i); err != nil {
			return err
		}
		if len(page.orders) > 0 {
			if _, err := followTwins(ctx, tx, q, i.TenantID, i.ID); err != nil {
				return fmt.Errorf("follow orders: %w", err)
			}
		}
		if page.cursor == "" && pass.Reads == readingAssets {
			if err := pass.settle(ctx, tx, q, i); err != nil {
				return err
			}
		}
		if next == nil {
			if err := pass.finish(ctx, tx, q, i, page); err != nil {
				return err
			}
		}
		moved, err := q.AdvanceRecords(ctx, tx, db.AdvanceRecordsParams{
			TenantID: i.TenantID, ID: i.ID, Previous: i.RecordsState, State: state, Status: recordStatus(pass.Refused + int64(page.refused)),
		})
		if err == nil && moved == 0 {
			return fault.New(fault.Unavailable, keyBusy)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store records: %w", err)
	}
	t.integration.RecordsState = state
	return nil
}

func recordStatus(refused int64) string {
	if refused > 0 {
		return SyncPartial
	}
	return SyncOK
}

// settle ends the reading of asset records: they find their assets, and orders
// that were read before follow. Later orders are stored with their asset.
func (p recordsPass) settle(ctx context.Context, tx pgx.Tx, q *db.Queries, i db.Integration) error {
	if p.Whole {
		if _, err := q.MarkExternalAssetsGone(ctx, tx, i.TenantID, i.ID, p.Started); err != nil {
			return fmt.Errorf("mark records that are gone: %w", err)
		}
	}
	matched, err := q.MatchExternalAssets(ctx, tx, i.TenantID, i.ID)
	if err != nil {
		return fmt.Errorf("match records to assets: %w", err)
	}
	if matched == 0 {
		return nil
	}
	if _, err := q.LinkExternalOrders(ctx, tx, i.TenantID, i.ID); err != nil {
		return fmt.Errorf("link orders to assets: %w", err)
	}
	return nil
}

// finish records that a reading came to its end.
func (p recordsPass) finish(ctx context.Context, tx pgx.Tx, q *db.Queries, i db.Integration, last recordPage) error {
	if err := q.FinishRecords(ctx, tx, db.FinishRecordsParams{TenantID: i.TenantID, ID: i.ID, AsOf: p.Started, Whole: p.Whole}); err != nil {
		return fmt.Errorf("note the reading of records: %w", err)
	}
	said, err := notices{}.encode()
	if err != nil {
		return err
	}
	refused := p.Refused + int64(last.refused)
	sync := db.RecordSyncParams{TenantID: i.TenantID, IntegrationID: i.ID, StartedAt: p.Started, ToTs: &p.Started, Status: recordStatus(refused),
		RowsWritten: p.Stored + int64(last.count), RowsBad: refused, Notices: said}
	if !p.Whole {
		sync.FromTs = &p.Since
	}
	if err := q.RecordSync(ctx, tx, sync); err != nil {
		return fmt.Errorf("record sync: %w", err)
	}
	return nil
}
