package oracleeam

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// Bounds of reading a collection.
const (
	mostRows     = 500              // rows that Fusion gives in one page
	mostCalls    = 400              // calls for one page of records
	commitLag    = 10 * time.Minute // how late a row may appear after the time that it shows
	mostShared   = 25               // rows of the page before that are asked for again
	smallestPage = 50               // rows of one call, however few are wanted
)

// page is one page of a collection.
type page[T any] struct {
	Items        []T  `json:"items"`
	HasMore      bool `json:"hasMore"`
	TotalResults *int `json:"totalResults"`
}

// row is an item that can be placed in the order of a reading.
type row interface {
	place() (position, error)
}

// position is the place of a row in the order of LastUpdateDate and identifier.
type position struct {
	At time.Time `json:"at"`
	ID int64     `json:"id"`
}

// after reports whether p comes later than q.
func (p position) after(q position) bool {
	if !p.At.Equal(q.At) {
		return p.At.After(q.At)
	}
	return p.ID > q.ID
}

// cursor says where a reading goes on.
type cursor struct {
	From   time.Time `json:"from"`           // rows changed at or after it are asked for; zero for all
	Last   *position `json:"last,omitempty"` // the last row that was delivered
	Offset int       `json:"offset"`         // rows of From up to and including Last
}

// String writes the cursor for the caller.
func (c cursor) String() string {
	raw, _ := json.Marshal(c) // times and numbers always have a form
	return base64.RawURLEncoding.EncodeToString(raw)
}

// parseCursor reads what String wrote.
func parseCursor(text string) (cursor, error) {
	var c cursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || c.Offset < 0 || c.Last == nil {
		return cursor{}, fault.Wrap(fault.Invalid, connector.KeyWindow, errors.New("the cursor is not one of this connector"))
	}
	return c, nil
}

// start is the cursor of a request.
func start(request connector.RecordRequest) (cursor, error) {
	switch {
	case request.Cursor != "":
		return parseCursor(request.Cursor)
	case request.Since.IsZero():
		return cursor{}, nil
	}
	return cursor{From: request.Since.Add(-commitLag)}, nil
}

// collection is a resource to be read in order.
type collection struct {
	resource   string
	id         string // attribute of the identifier
	fields     string
	conditions []string
	links      bool // whether rows carry links
}

// read returns the next rows after at, limit of them at most, and where to go
// on, or no cursor when there are no more.
func read[T row](ctx context.Context, c *Connector, from collection, at cursor, limit int) ([]T, string, error) {
	if limit <= 0 {
		limit = c.settings.PageSize
	}
	size := min(max(limit, smallestPage), c.settings.PageSize)
	shared := min(mostShared, size/2)
	for range mostCalls {
		offset := max(0, at.Offset-shared)
		got, err := fetch[T](ctx, c, from, at.From, offset, size)
		if err != nil {
			return nil, "", err
		}
		places, err := placesOf(got.Items)
		if err != nil {
			return nil, "", err
		}
		if offset > 0 && (len(places) == 0 || at.Last != nil && places[0].after(*at.Last)) {
			// Rows before the offset went elsewhere, and others may have moved
			// past it: only a reading from the start is sure to find them.
			at.Offset = 0
			continue
		}
		known := at.known(places)
		switch {
		case known < len(places):
			end := min(len(places), known+limit)
			if end == len(places) && !got.HasMore {
				return got.Items[known:], "", nil
			}
			return got.Items[known:end], at.next(places[:end], offset).String(), nil
		case !got.HasMore:
			return nil, "", nil
		case len(places) == 0:
			return nil, "", connector.Failed(connector.KeyProtocol, errors.New("an empty page says that more rows follow"))
		}
		at.Offset = offset + len(places)
	}
	return nil, "", connector.Failed(connector.KeyProtocol, fmt.Errorf("%d pages of %s brought nothing new", mostCalls, from.resource))
}

// known counts the rows at the beginning of a page that were delivered before.
func (c cursor) known(places []position) int {
	n := 0
	for n < len(places) && c.Last != nil && !places[n].after(*c.Last) {
		n++
	}
	return n
}

// next moves the cursor behind a page that began at offset.
func (c cursor) next(places []position, offset int) cursor {
	last := places[len(places)-1]
	from := last.At.Truncate(time.Second)
	if !from.After(c.From) {
		return cursor{From: c.From, Last: &last, Offset: offset + len(places)}
	}
	return cursor{From: from, Last: &last}
}

// placesOf places the rows of a page, which have to be in order.
func placesOf[T row](rows []T) ([]position, error) {
	places := make([]position, len(rows))
	for i, r := range rows {
		p, err := r.place()
		if err != nil {
			return nil, connector.Failed(connector.KeyProtocol, err)
		}
		if i > 0 && !p.after(places[i-1]) {
			return nil, connector.Failed(connector.KeyProtocol, fmt.Errorf("row %d of a page is not in the order asked for", i+1))
		}
		places[i] = p
	}
	return places, nil
}

// placeOf places a row by its time of change and its identifier.
func placeOf(changed date, id text) (position, error) {
	number, err := strconv.ParseInt(string(id), 10, 64)
	if err != nil || number < 0 {
		return position{}, fmt.Errorf("a row has the identifier %.40q", string(id))
	}
	if changed.IsZero() {
		return position{}, fmt.Errorf("row %d has no LastUpdateDate", number)
	}
	return position{At: changed.Time, ID: number}, nil
}

// fetch reads one page.
func fetch[T any](ctx context.Context, c *Connector, from collection, since time.Time, offset, limit int) (page[T], error) {
	conditions := from.conditions
	if !since.IsZero() {
		conditions = append(conditions[:len(conditions):len(conditions)], "LastUpdateDate >= '"+since.UTC().Format(stampLayout)+"'")
	}
	query := url.Values{"fields": {from.fields}, "orderBy": {"LastUpdateDate:asc," + from.id + ":asc"}, "limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(offset)}}
	if len(conditions) > 0 {
		query.Set("q", strings.Join(conditions, " and "))
	}
	if !from.links {
		query.Set("onlyData", "true")
	}
	var got page[T]
	if err := c.get(ctx, "/"+from.resource, query, &got); err != nil {
		return page[T]{}, err
	}
	if len(got.Items) > limit {
		return page[T]{}, connector.Failed(connector.KeyProtocol, fmt.Errorf("%d rows in a page of %d", len(got.Items), limit))
	}
	return got, nil
}
