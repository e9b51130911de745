package web

import (
	"net/url"
	"strconv"
)

// Pager is the foot of a table: what is shown and the links around it. An
// empty link is disabled.
type Pager struct {
	From, To, Total int
	Page, Size      int
	Prev, Next      string
	Target          string // id of the block that htmx replaces; empty loads the whole page
}

// NewPager reads ?page= from the address (1 when absent or wrong) and builds
// links that keep every other value. Offset gives the rows to skip.
func NewPager(u *url.URL, size, total int) Pager {
	pages := max(1, (total+size-1)/size)
	page, err := strconv.Atoi(u.Query().Get("page"))
	if err != nil || page < 1 {
		page = 1
	}
	page = min(page, pages)
	p := Pager{Page: page, Size: size, Total: total, From: min(total, (page-1)*size+1), To: min(total, page*size)}
	if page > 1 {
		p.Prev = withQuery(u, "page", strconv.Itoa(page-1))
	}
	if page < pages {
		p.Next = withQuery(u, "page", strconv.Itoa(page+1))
	}
	return p
}

// Offset is the number of rows before the first one shown.
func (p Pager) Offset() int { return (p.Page - 1) * p.Size }

// Sorter knows the chosen order of a table and prints its header links.
type Sorter struct {
	Column string
	Desc   bool
	Target string // as in Pager
	u      *url.URL
}

// NewSorter reads ?sort=, a column name with a leading "-" for descending. A
// name that is not allowed gives the fallback, which uses the same notation.
func NewSorter(u *url.URL, fallback string, allowed ...string) Sorter {
	for _, v := range []string{u.Query().Get("sort"), fallback} {
		name, desc := v, false
		if len(v) > 0 && v[0] == '-' {
			name, desc = v[1:], true
		}
		for _, a := range append(allowed, fallback) {
			if name != "" && (name == a || "-"+name == a) {
				return Sorter{Column: name, Desc: desc, u: u}
			}
		}
	}
	return Sorter{u: u}
}

// Link is the address that sorts by a column, reversing the current order.
func (s Sorter) Link(column string) string {
	v := column
	if s.Column == column && !s.Desc {
		v = "-" + column
	}
	return withQuery(s.u, "sort", v, "page", "")
}

// Aria is the aria-sort value of a column, empty when it is not the sorted one.
func (s Sorter) Aria(column string) string {
	switch {
	case s.Column != column:
		return ""
	case s.Desc:
		return "descending"
	}
	return "ascending"
}
