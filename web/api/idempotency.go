package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/secret"
)

// keyHeader names a request, so that it can be repeated without harm, and
// replayedHeader marks an answer that was given before.
const (
	keyHeader      = "Idempotency-Key"
	replayedHeader = "Idempotency-Replayed"
)

// Bounds of a key in printable ASCII letters, of a keyed request and of an
// answer that is kept.
const (
	minKey         = 8
	maxKey         = 128
	maxKeyedBytes  = maxBatchBytes
	maxAnswerBytes = 1 << 20
)

// carryWithin bounds a request with a key, which goes on when its caller hangs
// up: it must end before its key counts as forgotten. settleWithin bounds
// keeping the answer. waitSeconds is when a caller may ask again whose request is still
// worked on.
const (
	carryWithin  = 90 * time.Second
	settleWithin = 10 * time.Second
	waitSeconds  = 2
)

// changesState reports whether requests of a method may be given a key.
func changesState(method string) bool {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	}
	return false
}

// takesKey reports whether the input of an operation reads the key itself:
// then what it makes is keyed in its own table and nothing is kept here.
func takesKey[I any]() bool {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[I]()) {
		if f.Tag.Get("header") == keyHeader {
			return true
		}
	}
	return false
}

// keyParameter describes the header in the document.
func keyParameter() *huma.Param {
	least, most := minKey, maxKey
	return &huma.Param{Name: keyHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString, MinLength: &least, MaxLength: &most, Pattern: "^[!-~]+$"},
		Description: "The same key and request are carried out once and answered the same way for 24 hours"}
}

// keyed is one request with a key.
type keyed struct {
	who                  access.Principal
	key, operation, seal string
	digest               []byte
}

// answered is an answer as it is kept and given again.
type answered struct {
	status int
	header http.Header
	body   []byte
}

// idempotent carries a keyed request out once. While it is worked on, the same
// key is told to wait; afterwards the same request gets the same answer and
// another one a conflict. Only what cannot change by asking again is kept:
// success, and refusals of the request itself.
func (a *API) idempotent(c huma.Context, next func(huma.Context)) {
	key := c.Header(keyHeader)
	if key == "" {
		next(c)
		return
	}
	k, err := newKeyed(c, key)
	if err == nil {
		err = a.claim(c, k)
	}
	var known *answered
	switch {
	case errors.As(err, &known):
		c.SetHeader(replayedHeader, "true")
		a.send(c, known)
		return
	case err != nil:
		a.write(c, a.problem(c.Context(), err))
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), carryWithin)
	defer cancel()
	out := &recorder{humaContext: huma.WithContext(c, ctx), kept: answered{status: http.StatusOK, header: http.Header{}}}
	settled := false
	defer func() {
		if !settled { // the handler panicked: the key is free again
			a.settle(c, k, answered{status: http.StatusInternalServerError})
		}
	}()
	next(out)
	out.kept.body = out.text.Bytes()
	a.settle(c, k, out.kept)
	settled = true
	a.send(c, &out.kept)
}

// newKeyed reads the body once, for its digest and for the handler.
func newKeyed(c huma.Context, key string) (keyed, error) {
	printable := strings.IndexFunc(key, func(r rune) bool { return r < 0x21 || r > 0x7e }) < 0
	if len(key) < minKey || len(key) > maxKey || !printable {
		return keyed{}, newProblem(c.Context(), http.StatusUnprocessableEntity, "api.key_length")
	}
	r, _ := humachi.Unwrap(c)
	body, err := io.ReadAll(io.LimitReader(r.Body, maxKeyedBytes+1))
	if err != nil {
		return keyed{}, newProblem(c.Context(), http.StatusBadRequest, "api.invalid")
	}
	if len(body) > maxKeyedBytes {
		return keyed{}, newProblem(c.Context(), http.StatusRequestEntityTooLarge, "api.key_large")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	who := access.From(c.Context())
	digest := sha256.New()
	for _, part := range []string{c.Method(), r.URL.Path, r.URL.RawQuery, c.Header("Content-Type")} {
		fmt.Fprintf(digest, "%d:%s", len(part), part)
	}
	digest.Write(body)
	return keyed{who: who, key: key, operation: c.Operation().OperationID, seal: secret.AnswerField(who.UserID, key), digest: digest.Sum(nil)}, nil
}

// Error lets an answer that was given before travel where errors do.
func (x *answered) Error() string { return "answered before with " + strconv.Itoa(x.status) }

// claim takes the key, or fails with the earlier answer (*answered) or with a
// problem.
func (a *API) claim(c huma.Context, k keyed) error {
	var row db.IdempotentRequest
	var taken int64
	err := a.DB.InTenant(c.Context(), k.who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		taken, err = q.ClaimIdempotentRequest(ctx, tx, db.ClaimIdempotentRequestParams{TenantID: k.who.TenantID, AccountID: k.who.UserID,
			Key: k.key, Operation: k.operation, RequestSha256: k.digest})
		if err != nil || taken > 0 {
			return err
		}
		row, err = q.GetIdempotentRequest(ctx, tx, k.who.TenantID, k.who.UserID, k.key)
		return err
	})
	switch {
	case fault.CodeOf(err) == fault.NotFound && err != nil: // given back between the two
		return waiting(c)
	case err != nil || taken > 0:
		return err
	case row.Operation != k.operation || !bytes.Equal(row.RequestSha256, k.digest):
		return newProblem(c.Context(), http.StatusConflict, "api.key_reused")
	case row.Status == nil:
		return waiting(c)
	}
	return a.unseal(k, row)
}

// waiting answers a request whose twin is still worked on.
func waiting(c huma.Context) error {
	c.SetHeader("Retry-After", strconv.Itoa(waitSeconds))
	return newProblem(c.Context(), http.StatusConflict, "api.key_busy")
}

func (a *API) unseal(k keyed, row db.IdempotentRequest) error {
	known := &answered{status: int(*row.Status), header: http.Header{}}
	if err := json.Unmarshal(row.Headers, &known.header); err != nil {
		return fmt.Errorf("read kept headers: %w", err)
	}
	body, err := a.Box.Open(k.who.TenantID.String(), secret.AnswersArea, k.seal, row.Body)
	if err != nil {
		return fmt.Errorf("open kept answer: %w", err)
	}
	known.body = body
	return known
}

// lasting reports whether asking again could not be answered otherwise.
func lasting(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return status < http.StatusMultipleChoices
}

// settle keeps the answer, or gives the key back when asking again may bring
// another one. The caller gets the answer even when it cannot be kept; the same
// request is then carried out again once its key counts as forgotten.
func (a *API) settle(c huma.Context, k keyed, x answered) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), settleWithin)
	defer cancel()
	err := a.DB.InTenant(ctx, k.who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if !lasting(x.status) {
			_, err := q.ReleaseIdempotentRequest(ctx, tx, k.who.TenantID, k.who.UserID, k.key)
			return err
		}
		if len(x.body) > maxAnswerBytes {
			return fmt.Errorf("the answer has %d bytes, too many to keep", len(x.body))
		}
		headers, err := json.Marshal(x.header)
		if err != nil {
			return err
		}
		sealed, err := a.Box.Seal(k.who.TenantID.String(), secret.AnswersArea, k.seal, x.body)
		if err != nil {
			return err
		}
		status := int32(x.status) //nolint:gosec // three digits
		_, err = q.AnswerIdempotentRequest(ctx, tx, db.AnswerIdempotentRequestParams{Status: &status, Headers: headers, Body: sealed,
			TenantID: k.who.TenantID, AccountID: k.who.UserID, Key: k.key})
		return err
	})
	if err != nil {
		a.Log.ErrorContext(ctx, "keep answer", "operation", k.operation, "tenant", k.who.TenantID, "error", err)
	}
}

// send writes an answer as it was recorded.
func (a *API) send(c huma.Context, x *answered) {
	for name, values := range x.header {
		for i, v := range values {
			if i == 0 {
				c.SetHeader(name, v)
			} else {
				c.AppendHeader(name, v)
			}
		}
	}
	c.SetStatus(x.status)
	if _, err := c.BodyWriter().Write(x.body); err != nil {
		a.Log.WarnContext(c.Context(), "write answer", "error", err)
	}
}

// humaContext is huma.Context under a name that does not hide its method
// Context when it is embedded.
type humaContext huma.Context

// recorder holds an answer back until it is kept.
type recorder struct {
	humaContext
	kept answered
	text bytes.Buffer
}

// Unwrap returns the context that the answer will be written to.
func (r *recorder) Unwrap() huma.Context { return r.humaContext }

// SetStatus implements huma.Context.
func (r *recorder) SetStatus(code int) { r.kept.status = code }

// Status implements huma.Context.
func (r *recorder) Status() int { return r.kept.status }

// SetHeader implements huma.Context.
func (r *recorder) SetHeader(name, value string) { r.kept.header.Set(name, value) }

// AppendHeader implements huma.Context.
func (r *recorder) AppendHeader(name, value string) { r.kept.header.Add(name, value) }

// BodyWriter implements huma.Context.
func (r *recorder) BodyWriter() io.Writer { return &r.text }
