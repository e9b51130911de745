// Package release decides what the lines of an approved plan become in a
// maintenance system: a new order, an open order moved to other days, an order
// that already stands there, or a conflict that a person must mend. It is pure;
// what it judges by was read before.
package release

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/connector"
)

// Actions of a line, as stored.
const (
	Create   = "create"
	Move     = "move"
	Keep     = "keep"
	None     = "none" // the work order of the product is all there is
	Conflict = "conflict"
)

// Message keys of the conflicts of a line. Each text says how to mend it.
const (
	KeyUnmatched  = "releases.fault.unmatched"   // no record of the maintenance system is matched to the asset
	KeySeveral    = "releases.fault.several"     // several records of one kind are matched to the asset
	KeyInactive   = "releases.fault.inactive"    // the record is inactive or gone in the maintenance system
	KeyBegun      = "releases.fault.begun"       // work on the order has begun or it is closed
	KeyAmbiguous  = "releases.fault.ambiguous"   // several open orders of others could be the one to move
	KeyCancelled  = "releases.fault.cancelled"   // somebody cancelled the order of this line
	KeyMovedSince = "releases.fault.moved_since" // somebody has moved the order since it was written
)

// Twin is a record of the maintenance system that stands for an asset.
type Twin struct {
	Kind, ID       string
	Inactive, Gone bool
}

// Order is an open order of an asset as it was read last. Ours holds for orders
// that the product wrote or moved before.
type Order struct {
	ID, Key, State, Version string
	Start, End              time.Time // zero when the source names none
	Ours                    bool
}

// Job is one line to release: the planned days as instants of the tenant's
// zone, and the key by which its order is found again.
type Job struct {
	Key        string
	Start, End time.Time
}

// Choice is what a line becomes. Fault is set for a conflict.
type Choice struct {
	Action     string
	TwinID     string
	Order      Order // of a move, of an order to keep, or in the way
	Fault      string
	Candidates int // open orders that could be meant, for KeyAmbiguous
}

// Key is the idempotency key of a recommendation: OPT- and the first 96 bits of
// its id in capitals of base 16, 28 characters.
func Key(recommendation uuid.UUID) string {
	return "OPT-" + strings.ToUpper(hex.EncodeToString(recommendation[:12]))
}

// Span is the time of an order from the first to the last day of a job: the
// midnights of the tenant's zone, one second less at the end, because sources
// keep whole seconds.
func Span(first, last time.Time, zone *time.Location) (start, end time.Time) {
	start = time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, zone)
	end = time.Date(last.Year(), last.Month(), last.Day()+1, 0, 0, -1, 0, zone)
	return start.UTC(), end.UTC()
}

// SameDays reports whether an order lies on the days of a job. The hours are
// the business of those who carry it out.
func SameDays(order Order, start, end time.Time, zone *time.Location) bool {
	day := func(t time.Time) string { return t.In(zone).Format(time.DateOnly) }
	return !order.Start.IsZero() && !order.End.IsZero() && day(order.Start) == day(start) && day(order.End) == day(end)
}

// Open reports whether an order may still be moved or cancelled: nobody has
// begun it.
func Open(state string) bool {
	return state == connector.OrderOpen || state == connector.OrderReleased || state == connector.OrderOnHold
}

// Choose decides what a line becomes. An order with the key of the line is its
// own. Else an open order of the asset is moved: the product's own before that
// of others, of which there must be only one.
func Choose(job Job, twins []Twin, orders []Order, zone *time.Location) Choice {
	twin, fault := twinOf(twins)
	if fault != "" {
		return Choice{Action: Conflict, TwinID: twin.ID, Fault: fault}
	}
	order, candidates := candidate(job, orders)
	choice := Choice{TwinID: twin.ID, Order: order, Candidates: candidates}
	switch {
	case order.ID == "" && candidates > 1:
		choice.Action, choice.Fault = Conflict, KeyAmbiguous
	case order.ID == "":
		choice.Action = Create
	case order.Key == job.Key && order.State == connector.OrderCancelled:
		choice.Action, choice.Fault = Conflict, KeyCancelled
	case SameDays(order, job.Start, job.End, zone):
		choice.Action = Keep
	case !Open(order.State):
		choice.Action, choice.Fault = Conflict, KeyBegun
	default:
		choice.Action = Move
	}
	return choice
}

// twinOf picks the record of an asset: equipment before a functional location.
func twinOf(twins []Twin) (Twin, string) {
	for _, kind := range []string{connector.Equipment, connector.FunctionalLocation} {
		of := slices.DeleteFunc(slices.Clone(twins), func(t Twin) bool { return t.Kind != kind })
		there := slices.DeleteFunc(slices.Clone(of), func(t Twin) bool { return t.Inactive || t.Gone })
		switch {
		case len(there) == 1:
			return there[0], ""
		case len(there) > 1:
			return there[0], KeySeveral
		case len(of) > 0:
			return of[0], KeyInactive
		}
	}
	return Twin{}, KeyUnmatched
}

// candidate picks the order that a line is about, and counts those that could
// be meant.
func candidate(job Job, orders []Order) (Order, int) {
	var ours, others []Order
	for _, o := range orders {
		switch {
		case o.Key == job.Key:
			return o, 1
		case o.Ours:
			ours = append(ours, o)
		default:
			others = append(others, o)
		}
	}
	for _, group := range [][]Order{ours, others} {
		if len(group) == 1 {
			return group[0], 1
		}
		if len(group) > 1 {
			return Order{}, len(group)
		}
	}
	return Order{}, 0
}
