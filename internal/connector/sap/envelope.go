package sap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// entity is one record as a service sent it, numbers as json.Number.
type entity map[string]any

// collection is one page of records.
type collection struct {
	records []entity
	next    string // link to the page that follows, empty at the end
	count   string // number of all records, where it was asked for
}

// maxDepth bounds the nesting of an answer: the deepest document that the
// connector asks for has seven levels.
const maxDepth = 20

// decode reads an answer into a tree, and refuses one that is nested beyond
// reason or followed by something else.
func decode(body []byte, into any) error {
	if depth(body) > maxDepth {
		return errors.New("nested too deeply")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}

// depth is the deepest nesting of braces and brackets outside texts.
func depth(body []byte) (deepest int) {
	level, inText, escaped := 0, false, false
	for _, b := range body {
		switch {
		case escaped:
			escaped = false
		case inText:
			escaped = b == '\\'
			inText = b != '"'
		case b == '"':
			inText = true
		case b == '{', b == '[':
			level++
			deepest = max(deepest, level)
		case b == '}', b == ']':
			level--
		}
	}
	return deepest
}

// parseCollection reads {"d":{"results":[..],"__next":"..","__count":".."}},
// and the older {"d":[..]}.
func parseCollection(body []byte) (collection, error) {
	var document struct {
		D json.RawMessage `json:"d"`
	}
	if err := decode(body, &document); err != nil {
		return collection{}, protocol(fmt.Errorf("read collection: %w", err))
	}
	var list struct {
		Results *[]entity `json:"results"`
		Next    string    `json:"__next"`
		Count   string    `json:"__count"`
	}
	if bytes.HasPrefix(bytes.TrimSpace(document.D), []byte("[")) {
		list.Results = &[]entity{}
		if err := decode(document.D, list.Results); err != nil {
			return collection{}, protocol(fmt.Errorf("read collection: %w", err))
		}
	} else if err := decode(document.D, &list); err != nil {
		return collection{}, protocol(fmt.Errorf("read collection: %w", err))
	}
	if list.Results == nil {
		return collection{}, protocol(errors.New("the answer has no results"))
	}
	for _, record := range *list.Results {
		if record == nil {
			return collection{}, protocol(errors.New("the results hold a record that is null"))
		}
	}
	return collection{records: *list.Results, next: list.Next, count: list.Count}, nil
}

// parseEntity reads {"d":{..}}.
func parseEntity(body []byte) (entity, error) {
	var document struct {
		D entity `json:"d"`
	}
	if err := decode(body, &document); err != nil {
		return nil, protocol(fmt.Errorf("read record: %w", err))
	}
	if document.D == nil {
		return nil, protocol(errors.New("the answer has no record"))
	}
	return document.D, nil
}

// nextQuery takes the query of a link to the page that follows. The link must
// lead to the same set; its host is ignored, for gateways name inner ones.
func nextQuery(link, set string) (url.Values, error) {
	address, err := url.Parse(link)
	if err != nil {
		return nil, protocol(errors.New("the link to the next page cannot be read"))
	}
	if address.Path != set && !strings.HasSuffix(address.Path, "/"+set) {
		return nil, protocol(errors.New("the link to the next page leaves " + set))
	}
	query, err := url.ParseQuery(address.RawQuery)
	if err != nil || len(query) == 0 {
		return nil, protocol(errors.New("the link to the next page has no query that can be read"))
	}
	return query, nil
}

func protocol(cause error) error { return connector.Failed(connector.KeyProtocol, cause) }

// record reads the fields of an entity and remembers the first that has
// another type than the service's description says.
type record struct {
	entity entity
	zone   *time.Location
	err    error
}

func (r *record) fail(field string, cause error) {
	if r.err == nil {
		r.err = protocol(fmt.Errorf("field %s: %w", field, cause))
	}
}

// text reads a text; null and an absent field are empty.
func (r *record) text(field string) string {
	switch value := r.entity[field].(type) {
	case nil:
		return ""
	case string:
		if len(value) > maxText {
			r.fail(field, errors.New("longer than any text of the service"))
			return ""
		}
		return strings.ToValidUTF8(strings.ReplaceAll(value, "\x00", ""), "")
	case json.Number:
		return value.String()
	}
	r.fail(field, errNotText)
	return ""
}

// maxText is the longest text that is taken over, in bytes. Keys and names
// have at most 72 characters in the services.
const maxText = 400

// key reads a text that must be there.
func (r *record) key(field string) string {
	text := r.text(field)
	if text == "" || len(text) > maxKey {
		r.fail(field, errors.New("empty or too long for a key"))
	}
	return text
}

// maxKey is the longest key in bytes; those of the services have at most 40
// characters.
const maxKey = 200

func (r *record) instant(field string) time.Time {
	text := r.text(field)
	if text == "" {
		return time.Time{}
	}
	at, err := parseDate(text)
	if err != nil {
		r.fail(field, err)
	}
	return at
}

// moment reads a time stamp in UTC or, where it is empty, a date and a time of
// day in the plant's zone.
func (r *record) moment(stamp, date, clock string) time.Time {
	if at := r.instant(stamp); !at.IsZero() {
		return at
	}
	return r.local(date, clock, r.zone)
}

func (r *record) local(date, clock string, zone *time.Location) time.Time {
	day, since := r.instant(date), time.Duration(0)
	if text := r.text(clock); text != "" {
		var err error
		if since, err = parseTime(text); err != nil {
			r.fail(clock, err)
		}
	}
	return onDay(day, since, zone)
}

func (r *record) decimal(field string) float64 {
	text := r.text(field)
	if text == "" {
		return 0
	}
	value, err := parseDecimal(text)
	if err != nil {
		r.fail(field, err)
	}
	return value
}

// flag reads a Boolean; services of older releases send "X" and "".
func (r *record) flag(field string) bool {
	switch value := r.entity[field].(type) {
	case nil:
		return false
	case bool:
		return value
	case string:
		switch strings.ToUpper(value) {
		case "X", "TRUE":
			return true
		case "", "FALSE":
			return false
		}
	}
	r.fail(field, errors.New("neither true nor false"))
	return false
}

// etag is the version of the record for If-Match.
func (r *record) etag() string {
	metadata, _ := r.entity["__metadata"].(map[string]any)
	etag, _ := metadata["etag"].(string)
	return etag
}

// expanded reads the records of a navigation that was asked for with $expand.
func (r *record) expanded(field string) []entity {
	navigation, _ := r.entity[field].(map[string]any)
	list, _ := navigation["results"].([]any)
	records := make([]entity, 0, len(list))
	for _, item := range list {
		fields, ok := item.(map[string]any)
		if !ok {
			r.fail(field, errors.New("holds something that is no record"))
			return nil
		}
		records = append(records, fields)
	}
	return records
}

// parseCount reads the number of all records of a set.
func parseCount(text string) (int64, error) {
	count, err := strconv.ParseInt(text, 10, 64)
	if err != nil || count < 0 {
		return 0, protocol(fmt.Errorf("%.40q is not a number of records", text))
	}
	return count, nil
}
