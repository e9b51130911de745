package connector

import (
	"context"
	"time"
)

// AssetReader reads the asset register of a maintenance system, changed
// records first asked for by time. A full reading (Since zero) is the only way
// to learn of records that carry no time of change.
type AssetReader interface {
	ReadAssets(ctx context.Context, request RecordRequest) (AssetPage, error)
}

// WorkOrderReader reads work orders and notifications.
type WorkOrderReader interface {
	ReadWorkOrders(ctx context.Context, request RecordRequest) (WorkOrderPage, error)
}

// WorkOrderWriter writes orders back. The key of a draft makes creation
// idempotent: FindWorkOrder is asked first after any doubt, and a second
// creation with the same key must not make a second order.
type WorkOrderWriter interface {
	FindWorkOrder(ctx context.Context, key string) (order WorkOrderRecord, found bool, err error)
	// ReadWorkOrder reads one order as it stands now; a fault of code NotFound
	// says that the source has none of that id.
	ReadWorkOrder(ctx context.Context, id string) (WorkOrderRecord, error)
	CreateWorkOrder(ctx context.Context, draft WorkOrderDraft) (WorkOrderRecord, error)
	// ChangeWorkOrder changes an order whose version the caller has seen; a
	// fault of code Conflict says that it was changed meanwhile.
	ChangeWorkOrder(ctx context.Context, id, version string, change WorkOrderChange) (WorkOrderRecord, error)
}

// RecordRequest asks for a page of records changed at or after Since, all when
// it is zero. Cursor is that of the page before, empty for the first.
type RecordRequest struct {
	Since  time.Time
	Cursor string
	Limit  int // records per page, zero for the source's own size
}

// AssetPage is one page of asset records. An empty cursor ends the reading.
type AssetPage struct {
	Records []AssetRecord
	Cursor  string
}

// WorkOrderPage is one page of orders. An empty cursor ends the reading.
type WorkOrderPage struct {
	Records []WorkOrderRecord
	Cursor  string
}

// Kinds of asset records.
const (
	Equipment          = "equipment"
	FunctionalLocation = "functional_location"
)

// AssetRecord is one object of a maintenance system.
type AssetRecord struct {
	ID            string // as the source keys it, leading zeros and all
	Kind          string // Equipment or FunctionalLocation
	Tag           string // the mark on drawings and labels that people know it by, may be empty
	Name          string
	ParentID      string // the object above it, may be empty
	Class         string // type of technical object
	Manufacturer  string
	Model         string
	Serial        string
	Plant         string
	CostCenter    string
	Criticality   string // as the source grades it, such as ABC
	InstalledOn   time.Time
	Inactive      bool // marked for deletion, ended or inactive
	ChangedAt     time.Time
	AcquisitionIn string  // currency
	Acquisition   float64 // value when new, in that currency
}

// Kinds of work records.
const (
	Order        = "order"
	Notification = "notification"
)

// States of a work record, common to all sources.
const (
	OrderOpen       = "open"        // created, not released
	OrderReleased   = "released"    // may be worked on
	OrderInProgress = "in_progress" // work has begun
	OrderOnHold     = "on_hold"
	OrderDone       = "done" // technically complete
	OrderClosed     = "closed"
	OrderCancelled  = "cancelled"
)

// WorkOrderRecord is one order or notification as the source has it.
type WorkOrderRecord struct {
	ID           string
	Kind         string // Order or Notification
	Key          string // idempotency key of an order that the product created
	Title        string
	AssetID      string // AssetRecord.ID
	Type         string // the source's own code
	Priority     string // the source's own code
	State        string // one of the states above
	SourceState  string // as the source words it
	PlannedStart time.Time
	PlannedEnd   time.Time
	ActualStart  time.Time
	ActualEnd    time.Time
	Hours        float64 // planned work
	ChangedAt    time.Time
	Version      string // for ChangeWorkOrder, such as an ETag
}

// WorkOrderDraft is an order to create.
type WorkOrderDraft struct {
	Key          string // at most 40 characters of A-Z, 0-9 and -
	Title        string
	AssetID      string
	Type         string // empty for the source's default
	Priority     string
	PlannedStart time.Time
	PlannedEnd   time.Time
	Operations   []OrderOperation
}

// OrderOperation is one step of an order.
type OrderOperation struct {
	Title      string
	WorkCenter string
	Hours      float64
}

// WorkOrderChange changes what is set.
type WorkOrderChange struct {
	PlannedStart, PlannedEnd *time.Time
	State                    string // empty leaves it
}
