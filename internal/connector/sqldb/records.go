package sqldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// Records is a connector with a preset: it reads assets and work orders, and
// no readings.
type Records struct {
	session *session
	assets  *view
	orders  *view
}

var (
	_ connector.Tester          = (*Records)(nil)
	_ connector.AssetReader     = (*Records)(nil)
	_ connector.WorkOrderReader = (*Records)(nil)
)

// Kind returns the registered kind.
func (r *Records) Kind() string { return Kind }

// Close closes the connections.
func (r *Records) Close() error { return r.session.close() }

// Page sizes of records.
const (
	standardPage = 500
	largestPage  = 5000
)

func newRecords(s *session) (*Records, error) {
	assets, err := parseTable(s.settings.assetsView())
	if err != nil {
		return nil, fmt.Errorf("view of assets: %w", err)
	}
	orders, err := parseTable(s.settings.ordersView())
	if err != nil {
		return nil, fmt.Errorf("view of orders: %w", err)
	}
	return &Records{session: s, assets: &view{table: assets, fields: ebsAsset}, orders: &view{table: orders, fields: ebsOrder}}, nil
}

// ReadAssets reads a page of the asset view, by key for a full reading and by
// time of change otherwise.
func (r *Records) ReadAssets(ctx context.Context, request connector.RecordRequest) (connector.AssetPage, error) {
	var page connector.AssetPage
	cursor, err := r.page(ctx, r.assets, request, func(record record) {
		page.Records = append(page.Records, record.asset())
	})
	page.Cursor = cursor
	return page, err
}

// ReadWorkOrders reads a page of the work order view in the same way.
func (r *Records) ReadWorkOrders(ctx context.Context, request connector.RecordRequest) (connector.WorkOrderPage, error) {
	var page connector.WorkOrderPage
	cursor, err := r.page(ctx, r.orders, request, func(record record) {
		page.Records = append(page.Records, record.order())
	})
	page.Cursor = cursor
	return page, err
}

// Test checks the connection and reads one record of each view.
func (r *Records) Test(ctx context.Context) []connector.Step {
	checks := append(r.session.checks(),
		connector.Check{Name: connector.StepBrowse, Run: func(ctx context.Context) (string, error) {
			return fmt.Sprintf("%s, %s", strings.Join(r.assets.table, "."), strings.Join(r.orders.table, ".")),
				errors.Join(r.assets.learn(ctx, r.session), r.orders.learn(ctx, r.session))
		}},
		connector.Check{Name: connector.StepRead, Run: func(ctx context.Context) (string, error) {
			assets, err := r.ReadAssets(ctx, connector.RecordRequest{Limit: 1})
			if err != nil {
				return "", err
			}
			orders, err := r.ReadWorkOrders(ctx, connector.RecordRequest{Limit: 1})
			return fmt.Sprintf("%d asset, %d work order read", len(assets.Records), len(orders.Records)), err
		}})
	return connector.RunChecks(ctx, checks...)
}

// view is one view of the application: the columns that it has of those that
// are known, and the clock of its times.
type view struct {
	table   table
	fields  map[string][]string // field to names of columns, the first present counts
	columns map[string]string   // field to the column found
	clock   clock
}

// Fields that a view has to have.
const (
	fieldKey     = "key" // unique, orders the pages
	fieldID      = "id"
	fieldChanged = "changed"
)

// learn asks the view once which columns it has.
func (v *view) learn(ctx context.Context, s *session) error {
	if v.columns != nil {
		return nil
	}
	st := &statement{dialect: s.dialect}
	st.write("SELECT * FROM ", v.table.quoted(s.dialect), " WHERE 1 = 0")
	names, types, err := s.columns(ctx, st)
	if err != nil {
		return err
	}
	found := map[string]string{}
	for field, candidates := range v.fields {
		for _, candidate := range candidates {
			at := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(name, candidate) })
			if at < 0 {
				continue
			}
			if field == fieldChanged {
				if v.clock, err = newClock(s.settings, types[at]); err != nil {
					return err
				}
			}
			found[field] = names[at]
			break
		}
	}
	for _, field := range []string{fieldKey, fieldID, fieldChanged} {
		if found[field] == "" {
			return needsPerson(keyMissing, fmt.Errorf("%s has none of the columns %s", strings.Join(v.table, "."), strings.Join(v.fields[field], ", ")))
		}
	}
	v.columns = found
	return nil
}

// position is where a page ended. Its JSON form is the cursor.
type position struct {
	Key     string    `json:"key"`
	Changed time.Time `json:"changed,omitzero"` // zero in a full reading
}

func parsePosition(cursor string) (position, error) {
	var p position
	if cursor == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(cursor), &p); err != nil || len(cursor) > 1000 {
		return position{}, fault.New(fault.Invalid, connector.KeyProtocol).With("cursor", limited(cursor, 40))
	}
	return p, nil
}

// page reads one page of a view and returns the cursor of the next.
func (r *Records) page(ctx context.Context, v *view, request connector.RecordRequest, take func(record)) (string, error) {
	after, err := parsePosition(request.Cursor)
	if err != nil {
		return "", err
	}
	if err := v.learn(ctx, r.session); err != nil {
		return "", err
	}
	limit := standardPage
	if request.Limit > 0 {
		limit = min(request.Limit, largestPage)
	}
	fields := v.known()
	count, last := 0, position{}
	err = r.session.read(ctx, v.statement(r.session.dialect, fields, request, after, limit), limit, nil, func(cells []any) error {
		current := record{fields: make(map[string]any, len(fields)), clock: v.clock}
		for i, field := range fields {
			current.fields[field] = clone(cells[i])
		}
		count++
		last = position{Key: current.text(fieldKey)}
		if !request.Since.IsZero() {
			last.Changed = current.time(fieldChanged)
		}
		take(current)
		return nil
	})
	if err != nil || count < limit {
		return "", err
	}
	if last.Key == "" {
		return "", connector.Failed(connector.KeyProtocol, fmt.Errorf("%s has a record without a key", strings.Join(v.table, ".")))
	}
	cursor, err := json.Marshal(last)
	return string(cursor), err
}

// known are the fields that the view has, in a fixed order.
func (v *view) known() []string {
	fields := make([]string, 0, len(v.columns))
	for field := range v.columns {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	return fields
}

// statement writes the SELECT of a page: by key alone, so that records without
// a time of change are found, or by time of change and key.
func (v *view) statement(d dialect, fields []string, request connector.RecordRequest, after position, limit int) *statement {
	st := &statement{dialect: d}
	columns := make([]string, len(fields))
	for i, field := range fields {
		columns[i] = d.quote(v.columns[field])
	}
	key, changed := d.quote(v.columns[fieldKey]), d.quote(v.columns[fieldChanged])
	st.selectFrom(columns, limit)
	st.write(v.table.quoted(d))
	if request.Since.IsZero() {
		if after.Key != "" {
			st.write(" WHERE ", key, " > ", st.bind(after.Key))
		}
		st.write(" ORDER BY ", key)
		st.limit(limit)
		return st
	}
	if after.Key == "" {
		st.write(" WHERE ", changed, " >= ", st.bind(v.clock.argument(request.Since)))
	} else {
		at := v.clock.argument(after.Changed)
		st.write(" WHERE (", changed, " > ", st.bind(at), " OR (", changed, " = ", st.bind(at), " AND ", key, " > ", st.bind(after.Key), "))")
	}
	st.write(" ORDER BY ", changed, ", ", key)
	st.limit(limit)
	return st
}
