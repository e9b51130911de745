package ledger

import "time"

// Order is what schedule compliance asks of a work order. The dates are days,
// midnight UTC; Done is nil while the order is open. Start and Due are the
// dates of the plan, whatever the order was moved to since.
type Order struct {
	Start, Due time.Time
	Done       *time.Time
}

// Kept reports whether the order was finished on one of its planned days.
// There is no tolerance on either side.
func (o Order) Kept() bool {
	return o.Done != nil && !o.Done.Before(o.Start) && !o.Done.After(o.Due)
}

// Attainment counts orders that were due and those of them that were kept: the
// schedule compliance of work orders (SMRP Best Practices, metric 5.4.4,
// Schedule Compliance – Work Orders).
type Attainment struct{ Due, Kept int }

// Add counts one more order that was due.
func (a *Attainment) Add(o Order) {
	a.Due++
	if o.Kept() {
		a.Kept++
	}
}

// Share is the part of the orders that were kept, 0 to 1; known is false while
// none was due.
func (a Attainment) Share() (share float64, known bool) {
	if a.Due == 0 {
		return 0, false
	}
	return float64(a.Kept) / float64(a.Due), true
}

// Finished is an order that was planned from one day to another and, if it was
// done, finished at a moment; the day of that moment is the one in the zone.
func Finished(start, due time.Time, done *time.Time, zone *time.Location) Order {
	o := Order{Start: start, Due: due}
	if done != nil {
		y, m, d := done.In(zone).Date()
		day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		o.Done = &day
	}
	return o
}

// Tally adds attainment up by key, in the order in which keys appear.
type Tally[K comparable] struct {
	Keys []K
	Sums []Attainment
	at   map[K]int
}

// Add counts one more order that was due under a key.
func (t *Tally[K]) Add(key K, o Order) {
	i, known := t.at[key]
	if !known {
		if t.at == nil {
			t.at = map[K]int{}
		}
		i = len(t.Keys)
		t.at[key], t.Keys, t.Sums = i, append(t.Keys, key), append(t.Sums, Attainment{})
	}
	t.Sums[i].Add(o)
}
