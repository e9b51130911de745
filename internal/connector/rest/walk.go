package rest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/connector/jsonmap"
)

// Bounds of one call of the connector. A window that is too large for them is
// halved where the source can be asked for windows.
const (
	maxPages    = 500     // of one window
	maxReadings = 200_000 // of one window
	maxRequests = 2_000   // of one call, beside two for each tag
	maxCursor   = 4096    // characters of a cursor or link
	minWindow   = time.Second
)

var (
	errTooMuch  = fmt.Errorf("more than %d pages or %d readings", maxPages, maxReadings)
	errRequests = fmt.Errorf("more than %d requests", maxRequests)
	errNoPath   = errors.New("the source has no such path")
	errLoop     = errors.New("the source gave the same page twice")
	errCursor   = fmt.Errorf("cursor longer than %d characters", maxCursor)
)

// budget counts the requests that a call may still make.
type budget struct{ left int }

func newBudget(tags int) *budget { return &budget{maxRequests + 2*tags} }

// answer is one page of the source.
type answer struct {
	jsonmap.Result
	header http.Header
}

// visit takes a page and says whether to go on.
type visit func(answer) (more bool, err error)

// position is where the reading of pages stands.
type position struct {
	path   string
	query  url.Values
	values map[string]string
	offset int
	page   int
}

// walk reads the pages of one request in order. values fill the template; now
// is the time of readings that carry none.
func (c *RESTConnector) walk(ctx context.Context, spent *budget, values map[string]string, now time.Time, see visit) error {
	at := position{values: values, page: c.settings.FirstPage}
	at.values[varLimit] = strconv.Itoa(max(c.settings.PageSize, 1))
	c.place(&at, "")
	seen := map[[sha256.Size]byte]bool{}
	for range maxPages {
		if spent.left--; spent.left < 0 {
			return connector.Failed(connector.KeyTooLarge, errRequests)
		}
		response, err := c.client.Do(ctx, httpapi.Request{Path: at.path, Query: at.query})
		if err != nil {
			return fmt.Errorf("ask the source: %w", err)
		}
		if response.Status == http.StatusNotFound {
			return errNoPath
		}
		document, result, err := c.readPage(response, now)
		if err != nil {
			return err
		}
		more, err := see(answer{result, response.Header})
		if err != nil || !more {
			return err
		}
		sum := sha256.Sum256(response.Body)
		if seen[sum] && result.Items > 0 {
			return connector.Failed(connector.KeyProtocol, errLoop)
		}
		seen[sum] = true
		if more, err = c.turn(&at, response, document, result.Items); err != nil || !more {
			return err
		}
	}
	return errTooMuch
}

// readPage maps an answer. One without content has no items.
func (c *RESTConnector) readPage(response httpapi.Response, now time.Time) (any, jsonmap.Result, error) {
	if response.Status >= 400 {
		return nil, jsonmap.Result{}, connector.Failed(connector.KeySourceError, &httpapi.StatusError{Response: response})
	}
	if response.Status == http.StatusNoContent {
		return nil, jsonmap.Result{}, nil
	}
	document, err := jsonmap.Parse(response.Body)
	if err != nil {
		return nil, jsonmap.Result{}, err
	}
	return document, c.mapper.Map(document, now), nil
}

// place fills the template in for the next request.
func (c *RESTConnector) place(at *position, cursor string) {
	at.values[varOffset], at.values[varPage], at.values[varCursor] = strconv.Itoa(at.offset), strconv.Itoa(at.page), cursor
	at.path, at.query = c.path.expand(at.values)
}

// turn moves to the next page and reports whether there is one.
func (c *RESTConnector) turn(at *position, response httpapi.Response, document any, items int) (bool, error) {
	last := items == 0 || (c.settings.PageSize > 0 && items < c.settings.PageSize)
	switch c.settings.Paging {
	case PagingOffset:
		at.offset += items
	case PagingPage:
		at.page++
	case PagingCursor:
		cursor := c.nextText(document)
		if len(cursor) > maxCursor {
			return false, connector.Failed(connector.KeyProtocol, errCursor)
		}
		c.place(at, cursor)
		return cursor != "", nil
	case PagingLink:
		return c.follow(at, response, document)
	default:
		return false, nil
	}
	c.place(at, "")
	return !last, nil
}

func (c *RESTConnector) nextText(document any) string {
	if c.next == nil {
		return ""
	}
	found, _ := c.next.First(document, document)
	return jsonmap.Text(found)
}

// linkNext finds the target of a Link header (RFC 8288) with the relation next.
var linkNext = regexp.MustCompile(`<([^<>]*)>[^<>]*;\s*rel="?next"?`)

// follow takes path and query of a link, and stays on the configured host
// whatever host it names.
func (c *RESTConnector) follow(at *position, response httpapi.Response, document any) (bool, error) {
	link := c.nextText(document)
	if c.next == nil {
		if found := linkNext.FindStringSubmatch(response.Header.Get("Link")); found != nil {
			link = found[1]
		}
	}
	if link == "" {
		return false, nil
	}
	if len(link) > maxCursor {
		return false, connector.Failed(connector.KeyProtocol, errCursor)
	}
	path, query, err := c.client.Local(link)
	if err != nil {
		return false, err
	}
	at.path, at.query = path, query
	return true, nil
}
