// Package connector is the door to the systems that own a plant's data:
// control systems, historians, maintenance systems, databases, laboratories.
// A connector is a small value opened from a described configuration; what it
// can do beyond that, it says by implementing the capability interfaces.
// Connectors hold no product state: the caller keeps the watermark, maps
// external tags to signals and stores the readings.
package connector

import (
	"context"
	"time"

	"github.com/optria-iq/optria/internal/asset"
)

// Connector is an opened integration. Implementations are safe for use by one
// goroutine at a time. Close releases network resources and may be called
// more than once.
type Connector interface {
	Kind() string
	Close() error
}

// Tester checks a connection step by step, in the order StepName, StepTCP,
// StepSecure, StepSession, StepBrowse, StepRead, and stops after the first
// step that fails. A connector without one of the layers leaves that step out.
type Tester interface {
	Test(ctx context.Context) []Step
}

// Browser lists the children of one node of the source's tree, so that tags
// can be picked instead of typed. The empty parent is the root.
type Browser interface {
	Browse(ctx context.Context, parent string) ([]Node, error)
}

// Poller returns what arrived at the source after a watermark. The same
// request gives the same batch, so a retry after a crash is harmless.
type Poller interface {
	Poll(ctx context.Context, request PollRequest) (Batch, error)
}

// Backfiller reads the source's archive: readings whose own time lies in the
// window of the request. It fills gaps that Poll could not deliver.
type Backfiller interface {
	Backfill(ctx context.Context, request PollRequest) (Batch, error)
}

// PollRequest asks for a window of readings of some tags.
type PollRequest struct {
	// Tags are the external addresses wanted. Unknown ones are named in the
	// notices of the batch and do not hold up the others.
	Tags []string
	// Since is the watermark of the last batch; the window excludes it. Zero
	// means one day before Until.
	Since time.Time
	// Until ends the window; the window includes it.
	Until time.Time
	// Limit caps the readings of one batch; zero or less means
	// DefaultBatchLimit. A batch may exceed it by the readings of one instant.
	Limit int
	// Period thins the readings to one in that time where the source can; it
	// never makes them denser than the source samples. Zero means as sampled.
	Period time.Duration
	// AsOf is the caller's clock for Backfill: what reached the source later
	// is not returned. Zero means Until.
	AsOf time.Time
}

// DefaultBatchLimit is the number of readings in a batch when the request
// names none: large enough to amortise a round trip, small enough to hold.
const DefaultBatchLimit = 10_000

// BatchLimit returns the limit to apply to the request.
func (r PollRequest) BatchLimit() int {
	if r.Limit <= 0 {
		return DefaultBatchLimit
	}
	return r.Limit
}

// Window returns the bounds of the request, or a fault when it ends before it
// starts.
func (r PollRequest) Window() (since, until time.Time, err error) {
	since, until = r.Since, r.Until
	if since.IsZero() {
		since = until.Add(-24 * time.Hour)
	}
	if until.Before(since) {
		return since, until, BadWindow(r)
	}
	return since, until, nil
}

// Batch is one page of readings. Within a tag the times ascend. Watermark is
// never before the request's Since nor after its Until; the next request
// starts there. More says that the window holds further readings.
type Batch struct {
	Readings  []Reading
	Notices   []Notice
	Watermark time.Time
	More      bool
}

// Reading is one sample as the source gave it, before any mapping.
type Reading struct {
	ExternalTag string
	Time        time.Time // the source's own time, UTC
	Value       float64
	Quality     asset.Quality
	Unit        string // the unit that the source declares, may be empty
}

// Notice is an event of the connection worth showing beside the data: a
// subscription that went silent, a tag that the source no longer knows.
type Notice struct {
	Time time.Time
	Key  string // one of the Notice keys
	Tags []string
}

// Keys of notices; each is a message key.
const (
	NoticeUnknownTag   = "connector.notice.unknown_tag"
	NoticeNotNumeric   = "connector.notice.not_numeric" // text, arrays, structures: not kept
	NoticeClockSkew    = "connector.notice.clock_skew"  // the source's clock is off by more than two seconds
	NoticeNoHistory    = "connector.notice.no_history"  // the source keeps no archive of these tags
	NoticeResubscribed = "connector.notice.resubscribed"
	NoticeRefusedTag   = "connector.notice.refused_tag" // the source knows these tags but does not let them be read now
	NoticeOverflow     = "connector.notice.overflow"    // values came faster than the source's queue holds; some are missing
)

// Node is one entry of a source's tree. Leaves carry readings.
type Node struct {
	Address  string // the external tag of a leaf, or the parent to browse next
	Name     string
	Leaf     bool
	Unit     string   // as the source declares it
	DataType string   // as the source names it, may be empty
	Low      *float64 // bounds of plausible values that the source declares
	High     *float64
}

// Sampler reads the newest value of each tag, for previews. Unknown tags are
// named in the notices.
type Sampler interface {
	Sample(ctx context.Context, tags []string) (Batch, error)
}

// Step is one line of a connection test.
type Step struct {
	Name     string
	Duration time.Duration
	OK       bool
	Code     string // message key of the failure, empty when OK
	Detail   string // technical detail for the operator, never a secret
	Offered  string // SHA-256 fingerprint in hex of a certificate that was not accepted
}

// Names of the steps of a connection test, in their order.
const (
	StepName    = "name"    // the address resolves and is allowed
	StepTCP     = "tcp"     // a connection opens
	StepSecure  = "secure"  // TLS or the secure channel is established with the expected peer
	StepSession = "session" // credentials are accepted
	StepBrowse  = "browse"  // the tree can be listed
	StepRead    = "read"    // one value arrives
)

// Check is one step to run: it returns a detail for the operator, or an error.
type Check struct {
	Name string
	Run  func(ctx context.Context) (detail string, err error)
}

// RunChecks runs the checks in order, times each, and stops after the first
// failure: a session cannot be judged when the address does not resolve.
func RunChecks(ctx context.Context, checks ...Check) []Step {
	steps := make([]Step, 0, len(checks))
	for _, check := range checks {
		started := time.Now()
		detail, err := check.Run(ctx)
		if err == nil {
			err = ctx.Err()
		}
		step := Step{Name: check.Name, Duration: time.Since(started), OK: err == nil, Detail: detail}
		if err != nil {
			step.Code = MessageKey(err)
			step.Detail = err.Error()
			step.Offered = offered(err)
		}
		steps = append(steps, step)
		if err != nil {
			break
		}
	}
	return steps
}
