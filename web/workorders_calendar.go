package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/calendar"
)

const (
	weekDays    = 7
	calendarMax = 500 // orders of a week at most
)

// calendarDay is one column: the day, how it is shaded, and why.
type calendarDay struct {
	Date    time.Time
	Off     bool // weekend or holiday
	Ramadan bool
	Ban     bool // no planned outages
	Today   bool
	Notes   []chipView
}

// calendarCell is one order over its days, or one empty day.
type calendarCell struct {
	calendarDay
	Span         int
	Order        *orderRow
	Begins, Ends bool // the order begins or ends within the week
}

// calendarPerson is one technician, or nobody, with the orders in lanes that
// do not overlap.
type calendarPerson struct {
	Name, Note string
	Lanes      [][]calendarCell
	Orders     []orderRow
}

type orderCalendar struct {
	From, To         time.Time
	Days             []calendarDay
	People           []calendarPerson
	Prev, Next, Here string
	Hidden           int
}

// loadCalendar reads the orders of a week, which begins on Sunday. Without a
// status what is cancelled is left out.
func (v *orderList) loadCalendar(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, team []db.ListTechniciansRow) error {
	today := dateIn(riyadhZone, time.Now())
	from := today
	if day, err := time.Parse(time.DateOnly, p.URL.Query().Get("week")); err == nil && day.Year() > 1999 && day.Year() < 2077 {
		from = day
	}
	from = from.AddDate(0, 0, -int(from.Weekday()))
	to := from.AddDate(0, 0, weekDays-1)
	c := &orderCalendar{From: from, To: to, Prev: p.With("week", from.AddDate(0, 0, -weekDays).Format(time.DateOnly)),
		Next: p.With("week", from.AddDate(0, 0, weekDays).Format(time.DateOnly)), Here: p.With("week", "")}
	params := v.params
	params.FromDay, params.ToDay, params.PageSize = &from, &to, calendarMax
	rows, err := q.WorkOrderPage(ctx, tx, params)
	if err != nil {
		return err
	}
	orders := map[string][]orderRow{}
	for _, x := range rows {
		c.Hidden = int(x.Total) - len(rows)
		if x.Status != "cancelled" || v.params.Status != "" {
			row := newOrderRow(p, x)
			orders[row.TechnicianID] = append(orders[row.TechnicianID], row)
		}
	}
	if c.Days, err = shadedDays(ctx, tx, q, p, v.params.TenantID, v.params.SiteID, from, today); err != nil {
		return err
	}
	if v.params.Technician == "" || v.params.Technician == "none" {
		c.People = append(c.People, c.person(p.T("workorders.unassigned"), orders[""]))
	}
	for _, t := range team {
		id := t.ID.String()
		if v.params.Technician == "" || v.params.Technician == id {
			c.People = append(c.People, c.person(localName(p.Lang, t.NameAr, t.NameEn), orders[id]))
		}
	}
	slices.SortStableFunc(c.People, func(a, b calendarPerson) int { // those at work first
		return cmp.Compare(min(1, len(b.Orders)), min(1, len(a.Orders)))
	})
	v.Calendar = c
	return nil
}

// person places the orders of one person.
func (c *orderCalendar) person(name string, orders []orderRow) calendarPerson {
	out := calendarPerson{Name: name, Orders: orders}
	type lane struct {
		cells []calendarCell
		next  int // first day that is free
	}
	lanes := []lane{{}}
	for i := range orders {
		o := &orders[i]
		first, last := max(0, c.column(o.Start)), min(weekDays-1, c.column(o.Due))
		at := 0
		for at < len(lanes) && lanes[at].next > first {
			at++
		}
		if at == len(lanes) {
			lanes = append(lanes, lane{})
		}
		l := &lanes[at]
		l.cells = append(append(l.cells, c.free(l.next, first)...), calendarCell{calendarDay: c.Days[first], Span: last - first + 1, Order: o,
			Begins: !o.Start.Before(c.From), Ends: !o.Due.After(c.To)})
		l.next = last + 1
	}
	for _, l := range lanes {
		out.Lanes = append(out.Lanes, append(l.cells, c.free(l.next, weekDays)...))
	}
	return out
}

// column counts the days from the first of the week.
func (c *orderCalendar) column(day time.Time) int { return int(day.Sub(c.From).Hours() / 24) }

func (c *orderCalendar) free(from, to int) []calendarCell {
	var out []calendarCell
	for d := from; d < to; d++ {
		out = append(out, calendarCell{calendarDay: c.Days[d], Span: 1})
	}
	return out
}

// shadedDays marks the days of a week: weekends, holidays, Ramadan, and
// embargoes of the site, or of any site without one.
func shadedDays(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant uuid.UUID, site *uuid.UUID, from, today time.Time) ([]calendarDay, error) {
	work, err := db.TenantCalendar(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	embargoes, err := q.ListEmbargoes(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("list embargoes: %w", err)
	}
	days := make([]calendarDay, weekDays)
	start := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, work.Location())
	for i := range days {
		days[i].Date = from.AddDate(0, 0, i)
		days[i].Today = days[i].Date.Equal(today)
	}
	mark := func(shades []calendar.Shade, note func(calendar.Shade) string) {
		for _, shade := range shades {
			for i := range days {
				at := start.AddDate(0, 0, i)
				if !at.Before(shade.From) && at.Before(shade.To) {
					days[i].shade(shade, note(shade))
				}
			}
		}
	}
	mark(work.Shading(start, weekDays, ""), func(s calendar.Shade) string { return shadeName(p, s) })
	for _, e := range embargoes {
		if e.SiteID != nil && site != nil && *e.SiteID != *site {
			continue
		}
		ban, err := calendar.New(calendar.Profile{TimeZone: work.Location().String(), Shift: calendar.Hours{To: 24 * 60}, Embargoes: []calendar.Embargo{
			{Key: e.ID.String(), Yearly: e.RecursYearly, Range: calendar.Range{From: calendar.DateOf(e.FromDay), To: calendar.DateOf(e.ToDay)}}}})
		if err != nil {
			return nil, err
		}
		mark(ban.Shading(start, weekDays, ""), func(calendar.Shade) string { return localName(p.Lang, e.ReasonAr, e.ReasonEn) })
	}
	return days, nil
}

// shade notes one rule of a day. The weekend needs no words.
func (d *calendarDay) shade(s calendar.Shade, name string) {
	switch s.Kind {
	case calendar.Weekend:
		d.Off = true
	case calendar.DayOff:
		d.Off = true
		d.Notes = append(d.Notes, chipView{"ok", "flag", name})
	case calendar.RamadanHours:
		d.Ramadan = true
		d.Notes = append(d.Notes, chipView{"wait", "moon", name})
	case calendar.OutageBan:
		d.Ban = true
		d.Notes = append(d.Notes, chipView{"warn", "calendar-x", name})
	}
}

// shadeName is the word for a rule: that of the holiday when it has one.
func shadeName(p Page, s calendar.Shade) string {
	if key := "workorders.holiday." + s.Key; s.Kind == calendar.DayOff && p.Loc().Has(key) {
		return p.T(key)
	}
	return p.T("workorders.shade." + string(s.Kind))
}
