package integration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// Bounds of an inbox. The load counts messages whose body is still kept:
// those that wait, and those that failed and may be tried again.
const (
	MaxUpload      = 64 << 20  // bytes of an uploaded file
	maxInboxBytes  = 512 << 20 // of one integration
	maxInboxLoad   = 50_000    // messages of one integration
	maxMessageID   = 200       // characters
	maxContentType = 200
)

// Message keys of the faults that inboxes raise.
const (
	KeyInboxFull     = "inbox.error.full"      // too much waits: the sender has to come back later
	KeyOtherContent  = "inbox.error.other"     // the id was used before with other content
	KeyMessageID     = "inbox.error.id"        // no id, or one that cannot be kept
	KeyNoReceiver    = "inbox.error.receiver"  // this kind takes no messages
	KeyEmptyMessage  = "inbox.error.empty"     // nothing was sent
	KeyUploadTooLong = "inbox.error.too_large" // the file is larger than MaxUpload
)

// Delivery is one message on its way into the inbox of an integration. ID is
// the sender's: the same id with the same body is the same message.
type Delivery struct {
	ID          string
	ContentType string
	Body        []byte
}

// Receipt says where a message is kept. Duplicate holds when it was there
// before; State is then how far it got.
type Receipt struct {
	Message   uuid.UUID
	Duplicate bool
	State     string
}

// Receive keeps a message of an integration until a worker has processed it.
// An id that came before with other content is a Conflict; a full inbox is
// Unavailable. The integration must not be archived; a paused one keeps its
// messages until it goes on.
func (s Service) Receive(ctx context.Context, tenant, id uuid.UUID, d Delivery) (receipt Receipt, err error) {
	if err := d.check(); err != nil {
		return Receipt{}, err
	}
	err = s.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		receipt, err = keep(ctx, tx, q, tenant, id, d)
		return err
	})
	return receipt, err
}

// Upload keeps a file that a person sends, records it in the audit log and
// asks for its processing. A file that was uploaded before is a duplicate,
// whatever its name.
func (s Service) Upload(ctx context.Context, o Origin, id uuid.UUID, name, contentType string, body []byte) (receipt Receipt, err error) {
	sum := sha256.Sum256(body)
	d := Delivery{ID: "file:" + hex.EncodeToString(sum[:]), ContentType: contentType, Body: body}
	if err := d.check(); err != nil {
		return Receipt{}, err
	}
	if err := s.takesMessages(ctx, o.Tenant, id); err != nil {
		return Receipt{}, err
	}
	err = s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if receipt, err = keep(ctx, tx, q, o.Tenant, id, d); err != nil || receipt.Duplicate {
			return err
		}
		return o.Audit(ctx, tx, db.Entry{Action: "integration.file_uploaded", ObjectType: "integration", ObjectID: id.String(),
			After: map[string]any{"file": name, "size_bytes": len(body), "sha256": hex.EncodeToString(sum[:]), "message": receipt.Message}})
	})
	if err != nil || receipt.Duplicate {
		return receipt, err
	}
	if _, err := away(s.Workflows.PollNow(ctx, o.Tenant, id)); err != nil {
		return receipt, fmt.Errorf("ask for processing: %w", err)
	}
	return receipt, nil
}

// RetryFailed puts the messages of an integration that failed back in line,
// for when its settings have been mended, and returns how many they are.
func (s Service) RetryFailed(ctx context.Context, o Origin, id uuid.UUID) (count int64, err error) {
	err = s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.GetIntegration(ctx, tx, o.Tenant, id); err != nil {
			return err
		}
		if count, err = q.RetryFailedMessages(ctx, tx, o.Tenant, id); err != nil {
			return err
		}
		return o.Audit(ctx, tx, db.Entry{Action: "integration.messages_retried", ObjectType: "integration", ObjectID: id.String(),
			After: map[string]any{"messages": count}})
	})
	if err != nil || count == 0 {
		return count, err
	}
	_, err = away(s.Workflows.PollNow(ctx, o.Tenant, id))
	return count, err
}

// takesMessages refuses integrations whose connector is no receiver.
func (s Service) takesMessages(ctx context.Context, tenant, id uuid.UUID) error {
	opened, err := s.Open(ctx, tenant, id)
	if err != nil {
		return err
	}
	if _, can := opened.(connector.Receiver); !can {
		err = fault.New(fault.Invalid, KeyNoReceiver)
	}
	return closed(opened, err)
}

func (d Delivery) check() error {
	switch {
	case len(d.Body) == 0:
		return fault.New(fault.Invalid, KeyEmptyMessage)
	case len(d.Body) > MaxUpload:
		return fault.New(fault.Invalid, KeyUploadTooLong).With("Max", MaxUpload>>20)
	case !printable(d.ID, maxMessageID):
		return fault.New(fault.Invalid, KeyMessageID)
	}
	return nil
}

// printable accepts what header values and database texts hold in any case:
// visible ASCII.
func printable(text string, longest int) bool {
	if text == "" || len(text) > longest {
		return false
	}
	for i := range len(text) {
		if text[i] < 0x21 || text[i] > 0x7e {
			return false
		}
	}
	return true
}

// keep stores a message within the caller's transaction.
func keep(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID, d Delivery) (Receipt, error) {
	if _, err := q.GetIntegration(ctx, tx, tenant, id); err != nil {
		return Receipt{}, err
	}
	load, err := q.InboxLoad(ctx, tx, tenant, id)
	if err != nil {
		return Receipt{}, fmt.Errorf("measure inbox: %w", err)
	}
	sum := sha256.Sum256(d.Body)
	if load.Messages >= maxInboxLoad || load.Bytes+int64(len(d.Body)) > maxInboxBytes {
		return known(ctx, tx, q, tenant, id, d.ID, sum[:], fault.New(fault.Unavailable, KeyInboxFull))
	}
	stored, err := q.StoreMessage(ctx, tx, db.StoreMessageParams{TenantID: tenant, IntegrationID: id, MessageID: d.ID, Digest: sum[:],
		ContentType: d.ContentType[:min(len(d.ContentType), maxContentType)], SizeBytes: int32(len(d.Body)), Body: d.Body, ReceivedAt: time.Now().UTC()}) // #nosec G115 -- at most MaxUpload
	if err != nil {
		return Receipt{}, fmt.Errorf("store message: %w", err)
	}
	if len(stored) == 1 {
		return Receipt{Message: stored[0], State: MessageReceived}, nil
	}
	return known(ctx, tx, q, tenant, id, d.ID, sum[:], nil)
}

// known answers for a message that is kept already; absent is the answer when
// it is not.
func known(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID, message string, digest []byte, absent error) (Receipt, error) {
	found, err := q.FindMessage(ctx, tx, tenant, id, message)
	switch {
	case absent != nil && fault.CodeOf(db.Fault(err)) == fault.NotFound:
		return Receipt{}, absent
	case err != nil:
		return Receipt{}, fmt.Errorf("find message: %w", err)
	case !bytes.Equal(found.Digest, digest):
		return Receipt{}, fault.New(fault.Conflict, KeyOtherContent)
	}
	return Receipt{Message: found.ID, Duplicate: true, State: found.State}, nil
}

// States of a message.
const (
	MessageReceived = "received"
	MessageDone     = "done"
	MessagePartial  = "partial" // some of it was refused
	MessageFailed   = "failed"  // none of it could be read
)
