// Package integration is what the pages and the API share about integrations:
// checking settings against the connector's spec, sealing credentials, saving
// with an audit entry, opening a connector and mapping its tags to signals.
package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"strings"
	"time"
	"unicode/utf8"

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

// maxName is the longest name of an integration, in letters.
const maxName = 120

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
)

// Workflows is what this package asks of the workflow client.
type Workflows interface {
	EnsureIntegrationSchedule(ctx context.Context, tenant, integration uuid.UUID) error
	PauseIntegration(ctx context.Context, tenant, integration uuid.UUID, paused bool) error
	PollNow(ctx context.Context, tenant, integration uuid.UUID) error
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

// Draft is an integration as a person entered it. Secrets holds only the
// credentials to replace.
type Draft struct {
	Name    string
	Kind    string
	Config  connector.Config
	Secrets connector.Secrets
}

// Check returns what is wrong with a draft, field to message key. The field
// "name" is the name; kept names the credentials that are stored already and
// need not be given again.
func (d Draft) Check(kept map[string]bool) map[string]string {
	spec, ok := connector.Lookup(d.Kind)
	if !ok {
		return map[string]string{"kind": connector.KeyUnknownKind}
	}
	problems := spec.Validate(d.Config)
	for field, key := range spec.ValidateSecrets(d.Secrets) {
		if key != connector.ErrRequired || !kept[field] {
			problems[field] = key
		}
	}
	if n := utf8.RuneCountInString(strings.TrimSpace(d.Name)); n == 0 || n > maxName {
		problems["name"] = KeyName
	}
	return problems
}

// Endpoint is the address that lists show: the setting that the spec marks as
// one, which never holds a password.
func (d Draft) Endpoint() string {
	for _, key := range []string{"endpoint", "url", "base_url"} {
		if text, ok := d.Config[key].(string); ok {
			return text
		}
	}
	return ""
}

// audited is what the audit log keeps of a draft: names of credentials, never
// their values.
func (d Draft) audited() map[string]any {
	fields := make([]string, 0, len(d.Secrets))
	for _, spec := range connector.Specs() {
		for _, f := range spec.Fields {
			if _, given := d.Secrets[f.Key]; given && spec.Kind == d.Kind {
				fields = append(fields, f.Key)
			}
		}
	}
	return map[string]any{"name": d.Name, "kind": d.Kind, "endpoint": d.Endpoint(), "config": d.Config, "credentials_replaced": fields}
}

// Create stores a checked draft as an active integration and asks for its
// schedule. Queued says that the workflow engine was away: upkeep makes the
// schedule within a minute.
func (s Service) Create(ctx context.Context, o Origin, d Draft) (id uuid.UUID, queued bool, err error) {
	id = uuid.New()
	raw, err := json.Marshal(d.Config)
	if err != nil {
		return id, false, fmt.Errorf("encode settings: %w", err)
	}
	err = s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.CreateIntegration(ctx, tx, db.CreateIntegrationParams{TenantID: o.Tenant, ID: id, Name: strings.TrimSpace(d.Name),
			Kind: d.Kind, Endpoint: d.Endpoint(), Config: raw})
		if err != nil {
			return err
		}
		if err := s.seal(ctx, tx, q, o.Tenant, id, d.Secrets); err != nil {
			return err
		}
		return o.Audit(ctx, tx, db.Entry{Action: "integration.created", ObjectType: "integration", ObjectID: id.String(), After: d.audited()})
	})
	if err != nil {
		return id, false, nameTaken(err)
	}
	queued, err = away(s.Workflows.EnsureIntegrationSchedule(ctx, o.Tenant, id))
	return id, queued, err
}

// Update replaces name, settings and the credentials given; the kind stays.
func (s Service) Update(ctx context.Context, o Origin, id uuid.UUID, d Draft) error {
	raw, err := json.Marshal(d.Config)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	err = s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		before, err := q.LockIntegration(ctx, tx, o.Tenant, id)
		if err != nil {
			return err
		}
		_, err = q.UpdateIntegration(ctx, tx, db.UpdateIntegrationParams{TenantID: o.Tenant, ID: id, Name: strings.TrimSpace(d.Name),
			Endpoint: d.Endpoint(), Config: raw})
		if err != nil {
			return err
		}
		if err := s.seal(ctx, tx, q, o.Tenant, id, d.Secrets); err != nil {
			return err
		}
		return o.Audit(ctx, tx, db.Entry{Action: "integration.updated", ObjectType: "integration", ObjectID: id.String(),
			Before: map[string]any{"name": before.Name, "endpoint": before.Endpoint, "config": before.Config}, After: d.audited()})
	})
	return nameTaken(err)
}

// seal encrypts and stores credentials, bound to tenant, integration and field.
func (s Service) seal(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID, secrets connector.Secrets) error {
	for field, plain := range secrets {
		sealed, err := s.Box.Seal(tenant.String(), id.String(), field, []byte(plain))
		if err != nil {
			return fmt.Errorf("seal credential %s: %w", field, err)
		}
		err = q.SaveCredential(ctx, tx, db.SaveCredentialParams{TenantID: tenant, IntegrationID: id, Field: field, Ciphertext: sealed})
		if err != nil {
			return err
		}
	}
	return nil
}

// SetState pauses, resumes or archives. Archiving keeps readings, rules and
// history; it ends the polling.
func (s Service) SetState(ctx context.Context, o Origin, id uuid.UUID, next string) (queued bool, err error) {
	err = s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		before, err := q.LockIntegration(ctx, tx, o.Tenant, id)
		if err != nil {
			return err
		}
		if before.State == next {
			return fault.New(fault.Conflict, KeyState)
		}
		if _, err := q.SetIntegrationState(ctx, tx, db.SetIntegrationStateParams{TenantID: o.Tenant, ID: id, Seen: before.State, Next: next}); err != nil {
			return err
		}
		if next == Archived {
			if _, err := q.RenameArchivedIntegration(ctx, tx, o.Tenant, id); err != nil {
				return err
			}
		}
		return o.Audit(ctx, tx, db.Entry{Action: actions[next], ObjectType: "integration", ObjectID: id.String(),
			Before: map[string]any{"state": before.State, "name": before.Name}, After: map[string]any{"state": next}})
	})
	if err != nil {
		return false, err
	}
	if next == Active {
		if queued, err = away(s.Workflows.EnsureIntegrationSchedule(ctx, o.Tenant, id)); err != nil || queued {
			return queued, err
		}
	}
	return away(s.Workflows.PauseIntegration(ctx, o.Tenant, id, next != Active))
}

// PollNow asks for a poll at once. A paused integration is not polled.
func (s Service) PollNow(ctx context.Context, o Origin, id uuid.UUID) error {
	err := s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		found, err := q.GetIntegration(ctx, tx, o.Tenant, id)
		if err != nil {
			return err
		}
		if found.State != Active {
			return fault.New(fault.Conflict, KeyPaused)
		}
		return o.Audit(ctx, tx, db.Entry{Action: "integration.poll_requested", ObjectType: "integration", ObjectID: id.String()})
	})
	if err != nil {
		return err
	}
	return s.Workflows.PollNow(ctx, o.Tenant, id)
}

// Open opens the connector of a stored integration with its credentials. The
// caller closes it.
func (s Service) Open(ctx context.Context, tenant, id uuid.UUID) (connector.Connector, error) {
	found, secrets, err := s.load(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	return s.open(found, secrets)
}

func (s Service) open(found db.Integration, secrets connector.Secrets) (connector.Connector, error) {
	config, err := Settings(found)
	if err != nil {
		return nil, err
	}
	return connector.Open(found.Kind, config, secrets, s.Dialer)
}

// Settings reads the open settings of a stored integration.
func Settings(found db.Integration) (connector.Config, error) {
	config := connector.Config{}
	if err := json.Unmarshal(found.Config, &config); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	return config, nil
}

func (s Service) load(ctx context.Context, tenant, id uuid.UUID) (found db.Integration, secrets connector.Secrets, err error) {
	var sealed []db.ListSealedCredentialsRow
	err = s.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if found, err = q.GetIntegration(ctx, tx, tenant, id); err != nil {
			return err
		}
		sealed, err = q.ListSealedCredentials(ctx, tx, tenant, id)
		return err
	})
	secrets = connector.Secrets{}
	for _, x := range sealed {
		plain, openErr := s.Box.Open(tenant.String(), id.String(), x.Field, x.Ciphertext)
		if openErr != nil {
			return found, nil, fault.Wrap(fault.Invalid, KeyCredential, fmt.Errorf("open credential %s: %w", x.Field, openErr))
		}
		secrets[x.Field] = string(plain)
	}
	return found, secrets, err
}

// Test runs the connection test of a stored integration.
func (s Service) Test(ctx context.Context, tenant, id uuid.UUID) ([]connector.Step, error) {
	opened, err := s.Open(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	return runTest(ctx, opened)
}

// TestDraft runs the test with settings that are not saved. For a stored
// integration the credentials that the draft leaves out are the kept ones.
func (s Service) TestDraft(ctx context.Context, tenant uuid.UUID, id *uuid.UUID, d Draft) ([]connector.Step, error) {
	secrets := connector.Secrets{}
	if id != nil {
		_, kept, err := s.load(ctx, tenant, *id)
		if err != nil {
			return nil, err
		}
		secrets = kept
	}
	maps.Copy(secrets, d.Secrets)
	opened, err := connector.Open(d.Kind, d.Config, secrets, s.Dialer)
	if err != nil {
		return nil, err
	}
	return runTest(ctx, opened)
}

func runTest(ctx context.Context, opened connector.Connector) ([]connector.Step, error) {
	ctx, cancel := context.WithTimeout(ctx, TestTimeout)
	defer cancel()
	tester, ok := opened.(connector.Tester)
	if !ok {
		return nil, closed(opened, fault.New(fault.Invalid, KeyUntestable))
	}
	steps := tester.Test(ctx)
	return steps, closed(opened, nil)
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
