package release_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/release"
)

// zone is that of Riyadh, three hours ahead of UTC all year.
var zone = time.FixedZone("AST", 3*60*60)

func day(n int) time.Time { return time.Date(2026, 12, n, 0, 0, 0, 0, time.UTC) }

// order is an open order of others from the tenth to the eleventh of December.
func order(id string, change ...func(*release.Order)) release.Order {
	start, end := release.Span(day(10), day(11), zone)
	o := release.Order{ID: id, State: connector.OrderOpen, Start: start, End: end}
	for _, c := range change {
		c(&o)
	}
	return o
}

func ours(o *release.Order)     { o.Ours = true }
func undated(o *release.Order)  { o.Start, o.End = time.Time{}, time.Time{} }
func later(o *release.Order)    { o.Start, o.End = o.Start.AddDate(0, 0, 7), o.End.AddDate(0, 0, 7) }
func midShift(o *release.Order) { o.Start, o.End = o.Start.Add(9*time.Hour), o.End.Add(-6*time.Hour) }

func in(state string) func(*release.Order)  { return func(o *release.Order) { o.State = state } }
func keyed(key string) func(*release.Order) { return func(o *release.Order) { o.Key = key } }

func TestKeysAreShortAndOneForEachRecommendation(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0123abcd-4567-89ef-0123-456789abcdef")
	require.Equal(t, "OPT-0123ABCD456789EF01234567", release.Key(id))
	require.Equal(t, release.Key(id), release.Key(id))
	other := id
	other[11]++
	require.NotEqual(t, release.Key(id), release.Key(other))
}

func TestSpanCoversWholeDaysOfTheZone(t *testing.T) {
	t.Parallel()
	start, end := release.Span(day(10), day(11), zone)
	require.Equal(t, time.Date(2026, 12, 9, 21, 0, 0, 0, time.UTC), start)
	require.Equal(t, time.Date(2026, 12, 11, 20, 59, 59, 0, time.UTC), end)
	start, end = release.Span(day(31), day(31), zone)
	require.Equal(t, 24*time.Hour-time.Second, end.Sub(start), "one day over the end of a month")
}

func TestSameDaysLooksAtDaysOfTheZone(t *testing.T) {
	t.Parallel()
	start, end := release.Span(day(10), day(11), zone)
	require.True(t, release.SameDays(order("1", midShift), start, end, zone), "the hours are the business of others")
	require.False(t, release.SameDays(order("1", later), start, end, zone))
	require.False(t, release.SameDays(order("1", undated), start, end, zone))
	require.False(t, release.SameDays(order("1", func(o *release.Order) { o.Start = o.Start.Add(-time.Second) }), start, end, zone), "the evening before")
}

func TestOnlyWhatNobodyHasBegunIsOpen(t *testing.T) {
	t.Parallel()
	for state, open := range map[string]bool{
		connector.OrderOpen: true, connector.OrderReleased: true, connector.OrderOnHold: true,
		connector.OrderInProgress: false, connector.OrderDone: false, connector.OrderCancelled: false, "": false,
	} {
		require.Equal(t, open, release.Open(state), state)
	}
}

func TestChooseWhatALineBecomes(t *testing.T) {
	t.Parallel()
	start, end := release.Span(day(10), day(11), zone)
	job := release.Job{Key: "OPT-A", Start: start, End: end}
	for name, c := range map[string]struct {
		orders []release.Order
		action string
		fault  string
		order  string
		count  int
	}{
		"no order":                                   {nil, release.Create, "", "", 0},
		"an order of others on other days":           {[]release.Order{order("1", later)}, release.Move, "", "1", 1},
		"an order without days":                      {[]release.Order{order("1", undated)}, release.Move, "", "1", 1},
		"an order on hold on other days":             {[]release.Order{order("1", later, in(connector.OrderOnHold))}, release.Move, "", "1", 1},
		"an order on the days":                       {[]release.Order{order("1", midShift)}, release.Keep, "", "1", 1},
		"work on the days has begun":                 {[]release.Order{order("1", in(connector.OrderInProgress))}, release.Keep, "", "1", 1},
		"work on other days has begun":               {[]release.Order{order("1", later, in(connector.OrderInProgress))}, release.Conflict, release.KeyBegun, "1", 1},
		"several orders of others":                   {[]release.Order{order("1"), order("2", later)}, release.Conflict, release.KeyAmbiguous, "", 2},
		"several orders of the product":              {[]release.Order{order("1", ours), order("2", ours), order("3")}, release.Conflict, release.KeyAmbiguous, "", 2},
		"its own order before that of others":        {[]release.Order{order("1"), order("2", ours, later)}, release.Move, "", "2", 1},
		"the order of the line before all others":    {[]release.Order{order("1", ours), order("2", ours), order("3", keyed("OPT-A"))}, release.Keep, "", "3", 1},
		"the order of the line, moved":               {[]release.Order{order("3", keyed("OPT-A"), later)}, release.Move, "", "3", 1},
		"the order of the line, cancelled":           {[]release.Order{order("3", keyed("OPT-A"), in(connector.OrderCancelled))}, release.Conflict, release.KeyCancelled, "3", 1},
		"the order of another line of the same item": {[]release.Order{order("3", keyed("OPT-B"), ours, later)}, release.Move, "", "3", 1},
	} {
		choice := release.Choose(job, []release.Twin{{Kind: connector.Equipment, ID: "E"}}, c.orders, zone)
		require.Equal(t, c.action, choice.Action, name)
		require.Equal(t, c.fault, choice.Fault, name)
		require.Equal(t, c.order, choice.Order.ID, name)
		require.Equal(t, c.count, choice.Candidates, name)
		require.Equal(t, "E", choice.TwinID, name)
	}
}

func TestChooseTheRecordOfAnAsset(t *testing.T) {
	t.Parallel()
	equipment := func(id string) release.Twin { return release.Twin{Kind: connector.Equipment, ID: id} }
	location := func(id string) release.Twin { return release.Twin{Kind: connector.FunctionalLocation, ID: id} }
	inactive := func(x release.Twin) release.Twin { x.Inactive = true; return x }
	gone := func(x release.Twin) release.Twin { x.Gone = true; return x }
	for name, c := range map[string]struct {
		twins     []release.Twin
		id, fault string
	}{
		"none":                               {nil, "", release.KeyUnmatched},
		"equipment":                          {[]release.Twin{equipment("1")}, "1", ""},
		"equipment before its location":      {[]release.Twin{location("L"), equipment("1")}, "1", ""},
		"a location alone":                   {[]release.Twin{location("L")}, "L", ""},
		"two of equipment":                   {[]release.Twin{equipment("1"), equipment("2")}, "1", release.KeySeveral},
		"two, of which one is inactive":      {[]release.Twin{inactive(equipment("1")), equipment("2")}, "2", ""},
		"inactive, though a location stands": {[]release.Twin{inactive(equipment("1")), location("L")}, "1", release.KeyInactive},
		"gone":                               {[]release.Twin{gone(equipment("1"))}, "1", release.KeyInactive},
		"two locations":                      {[]release.Twin{location("L"), location("M")}, "L", release.KeySeveral},
	} {
		choice := release.Choose(release.Job{Key: "OPT-A"}, c.twins, nil, zone)
		require.Equal(t, c.id, choice.TwinID, name)
		require.Equal(t, c.fault, choice.Fault, name)
		if c.fault != "" {
			require.Equal(t, release.Conflict, choice.Action, name)
		}
	}
}
