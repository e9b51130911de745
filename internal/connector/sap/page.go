package sap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// set is one entity set to read, page by page, in the order of its key.
type set struct {
	service string
	name    string
	key     string
	fields  string // what to ask for, empty for everything
	expand  string
	share   int // its pages have this part of the page size: one over share
	fixed   string
	changed func(since time.Time) string // filter of a delta
	recent  func(start time.Time) string // filter of a full reading, nil for everything
}

// position is where a reading stands: in which set, after which key, and
// within the pages that the server made of the answer. It travels as cursor.
type position struct {
	Set   int    `json:"s"`
	After string `json:"a,omitempty"` // last key of what was asked for before
	Next  string `json:"n,omitempty"` // query of the server's own next page
	Seen  int    `json:"r,omitempty"` // records since After
	Pages int    `json:"p"`
}

// maxPages bounds a reading, against a source whose pages never end.
const maxPages = 20_000

// maxCursor bounds a link that a server may make a cursor of.
const maxCursor = 4_000

func parsePosition(cursor string, sets int) (position, error) {
	var at position
	if cursor == "" {
		return at, nil
	}
	if err := json.Unmarshal([]byte(cursor), &at); err != nil {
		return at, fmt.Errorf("read cursor: %w", err)
	}
	if at.Set < 0 || at.Set >= sets || at.Seen < 0 || at.Pages < 0 {
		return at, errors.New("read cursor: out of range")
	}
	return at, nil
}

// page reads the page at a cursor and returns its set, its records and the
// cursor that follows, empty when nothing does. Pages are asked for by key,
// which neither shifts under writes nor needs memory at the server; where the
// server cuts them into smaller ones, its links are followed.
func (c *SAPConnector) page(ctx context.Context, sets []set, request connector.RecordRequest) (int, []entity, string, error) {
	at, err := parsePosition(request.Cursor, len(sets))
	if err != nil {
		return 0, nil, "", err
	}
	if at.Pages >= maxPages {
		return 0, nil, "", protocol(fmt.Errorf("more than %d pages", maxPages))
	}
	s := sets[at.Set]
	size := c.pageSize(s, request.Limit)
	query, err := c.pageQuery(s, at, request.Since, size)
	if err != nil {
		return 0, nil, "", err
	}
	answer, err := c.get(ctx, s.service, s.name, query)
	if err != nil {
		return 0, nil, "", fmt.Errorf("read %s: %w", s.name, err)
	}
	list, err := parseCollection(answer.Body)
	if err != nil {
		return 0, nil, "", fmt.Errorf("read %s: %w", s.name, err)
	}
	next, err := at.following(s, list, size, len(sets))
	if err != nil {
		return 0, nil, "", fmt.Errorf("read %s: %w", s.name, err)
	}
	return at.Set, list.records, next, nil
}

func (c *SAPConnector) pageSize(s set, limit int) int {
	size := int(c.settings.PageSize)
	if limit > 0 {
		size = min(size, limit)
	}
	return max(1, size/s.share)
}

func (c *SAPConnector) pageQuery(s set, at position, since time.Time, size int) (url.Values, error) {
	if at.Next != "" {
		query, err := url.ParseQuery(at.Next)
		if err != nil {
			return nil, fmt.Errorf("read cursor: %w", err)
		}
		return query, nil
	}
	var conditions []string
	add := func(condition string) {
		if condition != "" {
			conditions = append(conditions, condition)
		}
	}
	if at.After != "" {
		add(s.key + " gt " + literal(at.After))
	}
	add(s.fixed)
	add(c.inPlants())
	switch {
	case !since.IsZero():
		add(s.changed(since))
	case s.recent != nil:
		add(s.recent(time.Now().AddDate(0, 0, -int(c.settings.HistoryDays))))
	}
	query := url.Values{"$top": {strconv.Itoa(size)}, "$orderby": {s.key}}
	if len(conditions) > 0 {
		query.Set("$filter", strings.Join(conditions, " and "))
	}
	if s.fields != "" {
		query.Set("$select", s.fields)
	}
	if s.expand != "" {
		query.Set("$expand", s.expand)
	}
	return query, nil
}

// inPlants limits a reading to the plants of the settings.
func (c *SAPConnector) inPlants() string {
	var either []string
	for _, plant := range plants(c.settings.Plants) {
		either = append(either, "MaintenancePlant eq "+literal(strings.ToUpper(plant)))
	}
	if len(either) == 0 {
		return ""
	}
	return "(" + strings.Join(either, " or ") + ")"
}

// following is the cursor after a page.
func (at position) following(s set, list collection, size, sets int) (string, error) {
	next := position{Set: at.Set, After: at.After, Seen: at.Seen + len(list.records), Pages: at.Pages + 1}
	switch {
	case list.next != "":
		query, err := nextQuery(list.next, s.name)
		if err != nil {
			return "", err
		}
		next.Next = query.Encode()
		if next.Next == at.Next || len(next.Next) > maxCursor {
			return "", protocol(errors.New("the link to the next page leads nowhere"))
		}
	case next.Seen >= size && len(list.records) > 0:
		last := record{entity: list.records[len(list.records)-1]}
		next.After, next.Seen = last.key(s.key), 0
		if last.err != nil {
			return "", last.err
		}
		if next.After == at.After {
			return "", protocol(errors.New("the same page comes again"))
		}
	case at.Set+1 < sets:
		next = position{Set: at.Set + 1, Pages: next.Pages}
	default:
		return "", nil
	}
	cursor, err := json.Marshal(next)
	if err != nil {
		return "", fmt.Errorf("make cursor: %w", err)
	}
	return string(cursor), nil
}
