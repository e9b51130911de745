package sap

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// gatewayPath is where SAP Gateway serves OData version 2.
const gatewayPath = "/sap/opu/odata/sap"

// The services that are read beside that of orders.
const (
	equipmentService    = "API_EQUIPMENT"
	locationService     = "API_FUNCTIONALLOCATION"
	notificationService = "API_MAINTNOTIFICATION"
)

// servicePath is the path of something that a version 2 service serves.
func servicePath(service, path string) string { return gatewayPath + "/" + service + "/" + path }

// csrf is the header that carries the token, or the wish for one.
const csrf = "X-Csrf-Token"

// call sends one request to the system and returns the answer when it is one
// of OData; everything else is worded as a fault.
func (c *SAPConnector) call(ctx context.Context, request httpapi.Request) (httpapi.Response, error) {
	query := maps.Clone(request.Query)
	if query == nil {
		query = url.Values{}
	}
	query.Set("sap-client", c.settings.Client)
	query.Set("sap-language", strings.ToUpper(c.settings.Language))
	request.Query = query
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("Accept-Language", strings.ToLower(c.settings.Language))
	answer, err := c.client.Do(ctx, request)
	if err != nil {
		return answer, c.worded(err)
	}
	if failed := answer.Status >= 400; failed || isHTML(answer) {
		return answer, c.judge(answer)
	}
	return answer, nil
}

// get reads a path below a service.
func (c *SAPConnector) get(ctx context.Context, service, path string, query url.Values) (httpapi.Response, error) {
	full := url.Values{"$format": {"json"}}
	maps.Copy(full, query)
	return c.call(ctx, httpapi.Request{Path: servicePath(service, path), Query: full})
}

// write sends a change under a CSRF token. A token that ended with its session
// is fetched anew, once; a refused request was not carried out, so repeating it
// is safe.
func (c *SAPConnector) write(ctx context.Context, method, service, path string, query url.Values, body map[string]any, etag string) (httpapi.Response, error) {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return httpapi.Response{}, fmt.Errorf("encode change: %w", err)
		}
	}
	for attempt := 0; ; attempt++ {
		if c.token == "" {
			if err := c.fetchToken(ctx, service); err != nil {
				return httpapi.Response{}, err
			}
		}
		header := http.Header{csrf: {c.token}}
		if body != nil {
			header.Set("Content-Type", "application/json")
		}
		if etag != "" {
			header.Set("If-Match", etag)
		}
		answer, err := c.call(ctx, httpapi.Request{Method: method, Path: servicePath(service, path), Query: query, Header: header, Body: content})
		if err == nil || attempt > 0 || !tokenEnded(err) {
			return answer, err
		}
		c.token = ""
	}
}

// tokenEnded reports whether SAP asks for a new token.
func tokenEnded(err error) bool {
	answer, ok := httpapi.Answer(err)
	return ok && answer.Status == http.StatusForbidden && strings.EqualFold(answer.Header.Get(csrf), "required")
}

func (c *SAPConnector) fetchToken(ctx context.Context, service string) error {
	answer, err := c.call(ctx, httpapi.Request{Path: servicePath(service, ""), Query: url.Values{"$format": {"json"}}, Header: http.Header{csrf: {"Fetch"}}})
	if err != nil {
		return err
	}
	c.token = answer.Header.Get(csrf)
	if c.token == "" || strings.EqualFold(c.token, "required") {
		return protocol(errors.New("the service gives no CSRF token"))
	}
	return nil
}

// isHTML reports whether the answer is a page for people, as logon pages and
// error pages of gateways are.
func isHTML(answer httpapi.Response) bool {
	if strings.Contains(strings.ToLower(answer.Header.Get("Content-Type")), "text/html") {
		return true
	}
	start := bytes.ToLower(bytes.TrimSpace(answer.Body[:min(len(answer.Body), 200)]))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// read fetches one record by its key, and reports whether it is there.
func (c *SAPConnector) read(ctx context.Context, service, path string, query url.Values) (entity, bool, error) {
	answer, err := c.get(ctx, service, path, query)
	if answer.Status == http.StatusNotFound && connector.MessageKey(err) == connector.KeyUnknownNode {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	found, err := parseEntity(answer.Body)
	return found, err == nil, err
}
