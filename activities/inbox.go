package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
)

// Bounds of one look into an inbox.
const (
	inboxPage       = 100 // messages listed at a time
	refusalsKept    = 100 // per message; further ones are only counted
	refusalText     = 120 // letters of an offending text that are kept
	unmappedNamed   = 20  // tags without a mapping that a message names
	failedBodyKept  = 7 * 24 * time.Hour
	messageDone     = "done"
	messagePartial  = "partial"
	messageFailed   = "failed"
	keyUnmapped     = "inbox.refusal.unmapped" // a tag that no mapping names
	keyOutsideTimes = "inbox.refusal.outside"  // readings older or newer than the historian takes
)

// inboxResult says what became of the waiting messages of an integration. More
// holds when the time ran out before the inbox was empty.
type inboxResult struct {
	Messages, Failed  int64
	Written, Rejected int64
	More              bool
}

// processInbox turns the waiting messages of an integration into readings, in
// the order in which they came, until none is left or deadline has passed.
// Each message is one transaction that stores its readings and closes it, so a
// crash repeats the reading of a message and never its effect; of two workers
// at once the second finds it closed. A message that cannot be read is closed
// as failed and does not hold up the next; a failure of the database does.
func (a *Ingest) processInbox(ctx context.Context, t *target, receiver connector.Receiver, deadline time.Time) (inboxResult, error) {
	var result inboxResult
	if err := a.eraseFailed(ctx, t); err != nil {
		return result, err
	}
	started := time.Now()
	err := beating(ctx, func(ctx context.Context) error { return a.processWaiting(ctx, t, receiver, deadline, &result) })
	if result.Messages == 0 {
		return result, err
	}
	return result, errors.Join(err, a.recordInbox(ctx, t, started, result))
}

func (a *Ingest) processWaiting(ctx context.Context, t *target, receiver connector.Receiver, deadline time.Time, result *inboxResult) error {
	for {
		waiting, err := a.waiting(ctx, t)
		if err != nil || len(waiting) == 0 {
			return err
		}
		for _, id := range waiting {
			if !time.Now().Before(deadline) {
				result.More = true
				return nil
			}
			if err := a.processMessage(ctx, t, receiver, id, result); err != nil {
				return fmt.Errorf("process message %s: %w", id, err)
			}
		}
	}
}

// recordInbox writes one record for the messages of this call.
func (a *Ingest) recordInbox(ctx context.Context, t *target, started time.Time, result inboxResult) error {
	status := SyncOK
	switch {
	case result.Failed == result.Messages:
		status = SyncFailed
	case result.Failed > 0 || result.Rejected > 0:
		status = SyncPartial
	}
	i := t.integration
	return a.deps.DB.InTenant(ctx, i.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		err := q.RecordSync(ctx, tx, db.RecordSyncParams{TenantID: i.TenantID, IntegrationID: i.ID, StartedAt: started, Status: status,
			RowsWritten: result.Written, RowsBad: result.Rejected, Notices: json.RawMessage(`[]`)})
		if err != nil {
			return fmt.Errorf("record sync: %w", err)
		}
		return nil
	})
}

// eraseFailed drops the bodies of messages that failed a week ago: nobody is
// going to try them again.
func (a *Ingest) eraseFailed(ctx context.Context, t *target) error {
	before := time.Now().Add(-failedBodyKept)
	return a.deps.DB.InTenant(ctx, t.integration.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.EraseFailedBodies(ctx, tx, t.integration.TenantID, t.integration.ID, &before)
		return err
	})
}

func (a *Ingest) waiting(ctx context.Context, t *target) (ids []uuid.UUID, err error) {
	err = a.deps.DB.InTenant(ctx, t.integration.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		ids, err = q.ListWaitingMessages(ctx, tx, t.integration.TenantID, t.integration.ID, inboxPage)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list waiting messages: %w", err)
	}
	return ids, nil
}

// messageOutcome is what one message has come to.
type messageOutcome struct {
	rows     []db.Row
	bad      int64
	refused  int64
	refusals []connector.Refusal
	failure  string // message key, empty unless the whole message failed
}

// processMessage reads a message outside of the transaction that closes it:
// a large one takes a while, and nothing is locked meanwhile.
func (a *Ingest) processMessage(ctx context.Context, t *target, receiver connector.Receiver, id uuid.UUID, result *inboxResult) error {
	tenant := t.integration.TenantID
	var message db.IntegrationMessage
	err := a.deps.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		message, err = q.LoadMessage(ctx, tx, tenant, id)
		return err
	})
	if err != nil || message.State != "received" {
		return err
	}
	o, err := t.read(ctx, receiver, message)
	if err != nil {
		return err
	}
	return a.storing(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		claimed, err := q.ClaimMessage(ctx, tx, tenant, id)
		if err != nil || len(claimed) == 0 {
			return err
		}
		return closeMessage(ctx, tx, q, t, id, o, result)
	})
}

// read lets the receiver map a message. A receiver asks nobody, so what it
// refuses once it refuses always: the message has failed.
func (t *target) read(ctx context.Context, receiver connector.Receiver, message db.IntegrationMessage) (messageOutcome, error) {
	received, err := receiver.Receive(ctx, connector.Message{ContentType: message.ContentType, Body: message.Body, ReceivedAt: message.ReceivedAt})
	switch {
	case ctx.Err() != nil:
		return messageOutcome{}, ctx.Err()
	case err != nil:
		return messageOutcome{failure: connector.MessageKey(err)}, nil
	}
	o := messageOutcome{refusals: received.Refused, refused: int64(len(received.Refused))}
	c := t.convert(received.Readings, message.ReceivedAt)
	o.rows, o.bad = c.rows, c.bad
	if c.refused > 0 {
		o.refusals = append(o.refusals, connector.Refusal{Key: NoticeFuture, Value: fmt.Sprint(c.refused)})
		o.refused += c.refused
	}
	for _, r := range t.unmapped(received.Readings) {
		o.refusals = append(o.refusals, r)
		o.refused++
	}
	return o, nil
}

// unmapped names the tags of a message that feed no signal, the first of them.
func (t *target) unmapped(readings []connector.Reading) []connector.Refusal {
	seen := map[string]bool{}
	var out []connector.Refusal
	for _, r := range readings {
		if _, ok := t.mappings[r.ExternalTag]; ok || seen[r.ExternalTag] || len(out) == unmappedNamed {
			continue
		}
		seen[r.ExternalTag] = true
		out = append(out, connector.Refusal{Key: keyUnmapped, Value: r.ExternalTag})
	}
	return out
}

// closeMessage stores the readings of a message and says in its row, and in
// that of its integration, what became of it.
func closeMessage(ctx context.Context, tx pgx.Tx, q *db.Queries, t *target, id uuid.UUID, o messageOutcome, result *inboxResult) error {
	i := t.integration
	stored, err := db.WriteReadings(ctx, tx, i.TenantID, o.rows)
	if err != nil {
		return err
	}
	if stored.Rejected > 0 {
		o.refusals = append(o.refusals, connector.Refusal{Key: keyOutsideTimes, Value: fmt.Sprint(stored.Rejected)})
		o.refused += stored.Rejected
	}
	state, sync := messageDone, SyncOK
	switch {
	case o.failure != "":
		state, sync = messageFailed, SyncFailed
	case o.refused > 0:
		state, sync = messagePartial, SyncPartial
	}
	refusals, err := encodeRefusals(o.refusals)
	if err != nil {
		return err
	}
	_, err = q.FinishMessage(ctx, tx, db.FinishMessageParams{TenantID: i.TenantID, ID: id, State: state, RowsWritten: stored.New,
		RowsRefused: o.refused, Refusals: refusals, Error: o.failure})
	if err != nil {
		return fmt.Errorf("close message: %w", err)
	}
	_, err = q.CountInboxRows(ctx, tx, db.CountInboxRowsParams{TenantID: i.TenantID, ID: i.ID, RowsWritten: stored.New, Status: sync, LastError: o.failure})
	if err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	result.Messages++
	result.Written += stored.New
	result.Rejected += o.bad + o.refused
	if o.failure != "" {
		result.Failed++
	}
	return nil
}

// encodeRefusals keeps the first refusals of a message, each shortened, in the
// form that pages read: where, key, value.
func encodeRefusals(refusals []connector.Refusal) (json.RawMessage, error) {
	type kept struct {
		Where string `json:"where,omitempty"`
		Key   string `json:"key"`
		Value string `json:"value,omitempty"`
	}
	out := []kept{}
	for _, r := range slices.Clone(refusals[:min(len(refusals), refusalsKept)]) {
		out = append(out, kept{shorten(r.Where), r.Key, shorten(r.Value)})
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode refusals: %w", err)
	}
	return raw, nil
}

// shorten cuts a text to what a page shows. The database takes no zero bytes.
func shorten(text string) string {
	clean := make([]rune, 0, min(len(text), refusalText+1))
	for _, r := range text {
		if len(clean) == refusalText {
			return string(append(clean, '…'))
		}
		if r == 0 || r == utf8.RuneError {
			r = '�'
		}
		clean = append(clean, r)
	}
	return string(clean)
}
