package piwebapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// errNotFound is the cause when the service does not know what a call names.
var errNotFound = errors.New("the service does not know the resource")

// get reads one resource into target and returns the header of the answer.
func (c *Connector) get(ctx context.Context, path string, query url.Values, target any) (http.Header, error) {
	return c.call(ctx, httpapi.Request{Path: path, Query: query}, target)
}

// call sends a request and decodes the answer. A status that the service gives
// is a fault with that answer in its chain.
func (c *Connector) call(ctx context.Context, request httpapi.Request, target any) (http.Header, error) {
	response, err := c.client.Do(ctx, request)
	if err != nil {
		return nil, err
	}
	if response.Status >= http.StatusBadRequest {
		cause := error(&httpapi.StatusError{Response: response})
		if response.Status == http.StatusNotFound {
			cause = errors.Join(errNotFound, cause)
		}
		return nil, connector.Failed(connector.KeySourceError, cause)
	}
	if err := decode(response.Body, target); err != nil {
		return nil, err
	}
	return response.Header, nil
}

// decode reads an answer that has to be of a certain shape.
func decode(body []byte, target any) error {
	if err := json.Unmarshal(body, target); err != nil {
		return connector.Failed(connector.KeyProtocol, fmt.Errorf("read answer: %w", err))
	}
	return nil
}

// statusOf returns the HTTP status in err's chain, or zero.
func statusOf(err error) int {
	response, _ := httpapi.Answer(err)
	return response.Status
}

// webException is how the service reports a failure inside an answer of status
// 200.
type webException struct {
	StatusCode int
	Errors     []string
}

// failed reports whether an exception stands for a failure.
func (e *webException) failed() bool { return e != nil && e.StatusCode >= http.StatusBadRequest }

// subRequest is one call of a batch.
type subRequest struct {
	Method   string
	Resource string
}

// subResponse is the answer to one call of a batch.
type subResponse struct {
	Status  int
	Headers map[string]any
	Content json.RawMessage
}

// batch sends several calls in one.
func (c *Connector) batch(ctx context.Context, calls map[string]subRequest) (map[string]subResponse, error) {
	body, err := json.Marshal(calls)
	if err != nil {
		return nil, fmt.Errorf("write batch: %w", err)
	}
	answers := map[string]subResponse{}
	_, err = c.call(ctx, httpapi.Request{Method: http.MethodPost, Path: "/batch", Body: body,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Requested-With": {"optria-iq"}}}, &answers)
	return answers, err
}
