// Package integration is what the pages and the API share about integrations:
// checking settings against the connector's spec, sealing credentials, saving
// with an audit entry, opening a connector and mapping its tags to signals.
package integration

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/secret"
)

// TestTimeout bounds a connection test and everything else that asks a source
// while a person waits.
const TestTimeout = 20 * time.Second

// Bounds of texts: of the name of an integration and of the note of a pause, in
// letters.
const (
	maxName = 120
	maxNote = 400
)

// States of an integration.
const (
	Active   = "active"
	Paused   = "paused"
	Archived = "archived"
)

// actions names the audit entry of a change of state.
var actions = map[string]string{Active: "integration.resumed", Paused: "integration.paused", Archived: "integration.archived"}

// Message keys of the faults raised here.
const (
	KeyName       = "integrations.error.name"
	KeyNameTaken  = "integrations.error.name_taken"
	KeyState      = "integrations.error.state"
	KeyPaused     = "integrations.error.paused"
	KeyUntestable = "integrations.error.untestable"
	KeyCredential = "integrations.error.credential"
	KeyNote       = "integrations.error.note"
	KeyWindow     = "integrations.error.window"
	KeyNoArchive  = "integrations.error.no_archive"
	KeyNotMade    = "integrations.error.not_made"
	KeyNoPin      = "integrations.error.no_pin"
	KeyNoTree     = "integrations.error.no_tree"
)

// Workflows is what this package asks of the workflow client.
type Workflows interface {
	EnsureIntegrationSchedule(ctx context.Context, tenant, integration uuid.UUID) error
	PauseIntegration(ctx context.Context, tenant, integration uuid.UUID, paused bool) error
	PollNow(ctx context.Context, tenant, integration uuid.UUID) error
	Discover(ctx context.Context, tenant, integration uuid.UUID) error
	StartBackfill(ctx context.Context, tenant, integration uuid.UUID) error
}

// Service works on the integrations of any tenant; every call names its tenant
// through an Origin.
type Service struct {
	DB        *db.DB
	Box       *secret.Box
	Dialer    *net.Dialer // reaches the addresses that the deployment allows
	Workflows Workflows
}

// Origin says in which tenant a change happens and on whose behalf. RequestID
// and RemoteAddr go into the audit log.
type Origin struct {
	Tenant                uuid.UUID
	Actor                 db.Actor
	RequestID, RemoteAddr string
}

// Audit appends an entry to the tenant's chain; it is the last statement of
// the caller's transaction.
func (o Origin) Audit(ctx context.Context, tx pgx.Tx, e db.Entry) error {
	e.TenantID, e.Actor, e.RequestID, e.RemoteAddr = o.Tenant, o.Actor, o.RequestID, o.RemoteAddr
	return db.AppendAudit(ctx, tx, e)
}

// closed closes a connector and keeps the first error.
func closed(c connector.Connector, err error) error {
	if closeErr := c.Close(); closeErr != nil && err == nil {
		return fmt.Errorf("close connector: %w", closeErr)
	}
	return err
}

// away tells a workflow engine that is away, which upkeep mends, from other
// failures.
func away(err error) (bool, error) {
	if err != nil && fault.CodeOf(err) == fault.Unavailable {
		return true, nil
	}
	return false, err
}

// nameTaken words the one unique rule of integrations.
func nameTaken(err error) error {
	if err != nil && fault.CodeOf(err) == fault.Conflict {
		return fault.Wrap(fault.Conflict, KeyNameTaken, err)
	}
	return err
}
