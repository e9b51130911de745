package oracleeam

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/fault"
)

// errNotFound is the cause when the service does not know what a call names.
var errNotFound = errors.New("the service does not know the resource or the row")

// refusal is the cause when the service refuses what a call says, in the words
// of the service.
type refusal struct {
	details string
	cause   error
}

func (r *refusal) Error() string { return r.cause.Error() + ": " + r.details }
func (r *refusal) Unwrap() error { return r.cause }

// get reads path into target.
func (c *Connector) get(ctx context.Context, path string, query url.Values, target any) error {
	_, err := c.call(ctx, httpapi.Request{Path: path, Query: query, Header: header()}, target)
	return err
}

// send writes body to path by POST or PATCH and reads the answer into target.
// A version, where given, is the one that the row must still have.
func (c *Connector) send(ctx context.Context, method, path, version string, body, target any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	headers := header()
	headers.Set("Content-Type", "application/vnd.oracle.adf.resourceitem+json")
	if version != "" {
		headers.Set("If-Match", `"`+version+`"`)
	}
	_, err = c.call(ctx, httpapi.Request{Method: method, Path: path, Header: headers, Body: content}, target)
	return err
}

// call sends a request and decodes the answer.
func (c *Connector) call(ctx context.Context, request httpapi.Request, target any) (httpapi.Response, error) {
	response, err := c.client.Do(ctx, request)
	if err != nil {
		return response, reword(err)
	}
	switch {
	case response.Status == http.StatusPreconditionFailed, response.Status == http.StatusPreconditionRequired:
		return response, fault.Wrap(fault.Conflict, connector.KeyChanged, &httpapi.StatusError{Response: response})
	case response.Status == http.StatusNotFound:
		return response, connector.Failed(connector.KeySourceError, errors.Join(errNotFound, &httpapi.StatusError{Response: response}))
	case response.Status >= http.StatusBadRequest:
		return response, reword(connector.Failed(connector.KeySourceError, &httpapi.StatusError{Response: response}))
	}
	decoder := json.NewDecoder(bytes.NewReader(response.Body))
	decoder.UseNumber()
	if err := decoder.Decode(target); err != nil {
		return response, connector.Failed(connector.KeyProtocol, fmt.Errorf("read answer: %w", err))
	}
	return response, nil
}

// reword adds the details that the service gives for a refused call. Other
// failures say enough by their status.
func reword(err error) error {
	answer, ok := httpapi.Answer(err)
	if !ok || answer.Status != http.StatusBadRequest {
		return err
	}
	details := errorDetails(answer.Body)
	if details == "" {
		return err
	}
	return connector.Failed(connector.KeySourceError, &refusal{details: details, cause: &httpapi.StatusError{Response: answer}})
}

// longestDetail bounds the words of the service in a fault.
const longestDetail = 300

// errorDetails reads the error bodies of Fusion: an object with
// "o:errorDetails", or plain text.
func errorDetails(body []byte) string {
	var known struct {
		Title   string `json:"title"`
		Details []struct {
			Detail string `json:"detail"`
		} `json:"o:errorDetails"`
	}
	text := ""
	if json.Unmarshal(body, &known) == nil {
		parts := []string{}
		for _, d := range known.Details {
			parts = append(parts, d.Detail)
		}
		if text = strings.Join(parts, "; "); text == "" {
			text = known.Title
		}
	} else if len(body) > 0 && body[0] != '<' {
		text = string(body)
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	if runes := []rune(text); len(runes) > longestDetail {
		text = string(runes[:longestDetail]) + "…"
	}
	return text
}

// stampLayout writes a time as conditions and rows have it.
const stampLayout = "2006-01-02T15:04:05+00:00"

// date is a time of the service; null and the empty text are none.
type date struct{ time.Time }

// UnmarshalJSON reads a time with or without a fraction, or a date alone.
func (d *date) UnmarshalJSON(raw []byte) error {
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	d.Time = time.Time{}
	if text == nil || *text == "" {
		return nil
	}
	parsed, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		if parsed, err = time.Parse(time.DateOnly, *text); err != nil {
			return fmt.Errorf("%.40q is not a time", *text)
		}
	}
	d.Time = parsed.UTC()
	return nil
}

// text is a value that releases give as text or as number.
type text string

// UnmarshalJSON reads a text, a number, a truth value or null.
func (t *text) UnmarshalJSON(raw []byte) error {
	switch {
	case raw[0] == '"':
		var content string
		if err := json.Unmarshal(raw, &content); err != nil {
			return err
		}
		*t = text(content)
	case raw[0] == '{', raw[0] == '[':
		return errors.New("a structure in the place of a value")
	case string(raw) == "null":
		*t = ""
	default:
		*t = text(raw)
	}
	return nil
}

// link is one link of a row.
type link struct {
	Rel        string `json:"rel"`
	Href       string `json:"href"`
	Properties struct {
		ChangeIndicator string `json:"changeIndicator"`
	} `json:"properties"`
}

// self returns the link of a row to itself.
func self(links []link) link {
	for _, l := range links {
		if l.Rel == "self" {
			return l
		}
	}
	return link{}
}
