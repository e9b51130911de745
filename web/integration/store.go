package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/webhook"
	"github.com/optria-iq/optria/internal/fault"
)

// Stored says what became of a draft. Queued says that the workflow engine was
// away: upkeep makes the schedule within a minute. Shown holds the secrets that
// the product has made and that the other side has to be told; they are never
// shown again.
type Stored struct {
	ID     uuid.UUID
	Queued bool
	Replay bool // the same request was made before; nothing has changed
	Shown  connector.Secrets
}

// Create stores a checked draft as an active integration and asks for its
// schedule.
func (s Service) Create(ctx context.Context, o Origin, d Draft) (Stored, error) {
	return s.CreateAs(ctx, o, uuid.New(), d)
}

// CreateAs is Create under an id of the caller's choice, so that a request
// that is made twice makes one integration.
func (s Service) CreateAs(ctx context.Context, o Origin, id uuid.UUID, d Draft) (Stored, error) {
	out := Stored{ID: id}
	d.Config = maps.Clone(d.Config)
	shown, err := d.make(nil, nil)
	if err != nil {
		return out, err
	}
	raw, err := json.Marshal(d.Config)
	if err != nil {
		return out, fmt.Errorf("encode settings: %w", err)
	}
	err = s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		_, err := q.GetIntegration(ctx, tx, o.Tenant, id)
		if !errors.Is(err, pgx.ErrNoRows) {
			out.Replay = err == nil
			return err
		}
		_, err = q.CreateIntegration(ctx, tx, db.CreateIntegrationParams{TenantID: o.Tenant, ID: id, Name: strings.TrimSpace(d.Name),
			Kind: d.Kind, Endpoint: d.Endpoint(), Config: raw})
		if err != nil {
			return err
		}
		if err := s.seal(ctx, tx, q, o.Tenant, id, d.Secrets); err != nil {
			return err
		}
		return o.Audit(ctx, tx, db.Entry{Action: "integration.created", ObjectType: "integration", ObjectID: id.String(), After: d.audited()})
	})
	if err != nil || out.Replay {
		return out, nameTaken(err)
	}
	out.Shown = shown
	out.Queued, err = away(s.Workflows.EnsureIntegrationSchedule(ctx, o.Tenant, id))
	return out, err
}

// Update replaces name, settings and the credentials given; the kind stays.
func (s Service) Update(ctx context.Context, o Origin, id uuid.UUID, d Draft) (Stored, error) {
	return s.change(ctx, o, id, "integration.updated", func(found db.Integration, _ connector.Config) (Draft, error) {
		d.Kind, d.Config = found.Kind, maps.Clone(d.Config)
		return d, nil
	})
}

// Renew makes anew what the product makes itself: a key pair, a signing
// secret. The old ones stop working, except the signing secret of a webhook,
// which stays good until the next one is made.
func (s Service) Renew(ctx context.Context, o Origin, id uuid.UUID) (Stored, error) {
	found, _, err := s.load(ctx, o.Tenant, id)
	if err == nil && found.Kind == webhook.Kind {
		secret, err := s.RotateSigningSecret(ctx, o, id)
		return Stored{ID: id, Shown: connector.Secrets{webhook.FieldSecret: secret}}, err
	}
	if fault.CodeOf(err) != fault.Invalid && err != nil { // a credential that cannot be opened is made anew
		return Stored{}, err
	}
	return s.change(ctx, o, id, "integration.secrets_renewed", func(found db.Integration, config connector.Config) (Draft, error) {
		if !Makes(found.Kind) {
			return Draft{}, fault.New(fault.Invalid, KeyNotMade)
		}
		d := Draft{Name: found.Name, Kind: found.Kind, Config: maps.Clone(config)}
		spec, _ := connector.Lookup(found.Kind)
		for _, f := range spec.Fields {
			switch {
			case f.Made && f.Secret:
				d.Forget = append(d.Forget, f.Key)
			case f.Made:
				delete(d.Config, f.Key)
				delete(config, f.Key)
			}
		}
		return d, nil
	})
}

// Accept trusts the certificate of a fingerprint from now on. It is checked
// like every other setting.
func (s Service) Accept(ctx context.Context, o Origin, id uuid.UUID, fingerprint string) error {
	_, err := s.change(ctx, o, id, "integration.certificate_accepted", func(found db.Integration, config connector.Config) (Draft, error) {
		pin := PinOf(found.Kind)
		if pin == "" || fingerprint == "" {
			return Draft{}, fault.New(fault.Invalid, KeyNoPin)
		}
		d := Draft{Name: found.Name, Kind: found.Kind, Config: maps.Clone(config)}
		d.Config[pin] = fingerprint
		if spec, _ := connector.Lookup(found.Kind); spec.Validate(d.Config)[pin] != "" {
			return Draft{}, fault.New(fault.Invalid, KeyNoPin)
		}
		return d, nil
	})
	return err
}

// change stores what next makes of an integration within one transaction.
// next may take settings out of config, which are then not carried over.
func (s Service) change(ctx context.Context, o Origin, id uuid.UUID, action string, next func(db.Integration, connector.Config) (Draft, error)) (Stored, error) {
	out := Stored{ID: id}
	err := s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		before, err := q.LockIntegration(ctx, tx, o.Tenant, id)
		if err != nil {
			return err
		}
		config, err := Settings(before)
		if err != nil {
			return err
		}
		d, err := next(before, config)
		if err != nil {
			return err
		}
		kept, err := s.readable(ctx, tx, q, o.Tenant, id)
		if err != nil {
			return err
		}
		if out.Shown, err = d.make(config, kept); err != nil {
			return err
		}
		if err := s.replace(ctx, tx, q, o.Tenant, id, d); err != nil {
			return err
		}
		return o.Audit(ctx, tx, db.Entry{Action: action, ObjectType: "integration", ObjectID: id.String(),
			Before: map[string]any{"name": before.Name, "endpoint": before.Endpoint, "config": before.Config}, After: d.audited()})
	})
	return out, nameTaken(err)
}

// replace writes name, settings and credentials of a draft.
func (s Service) replace(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID, d Draft) error {
	raw, err := json.Marshal(d.Config)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	_, err = q.UpdateIntegration(ctx, tx, db.UpdateIntegrationParams{TenantID: tenant, ID: id, Name: strings.TrimSpace(d.Name), Endpoint: d.Endpoint(), Config: raw})
	if err != nil {
		return err
	}
	for _, field := range d.Forget {
		if _, replaced := d.Secrets[field]; replaced {
			continue
		}
		if _, err := q.ForgetCredential(ctx, tx, tenant, id, field); err != nil {
			return err
		}
	}
	return s.seal(ctx, tx, q, tenant, id, d.Secrets)
}

// readable opens the credentials that can be opened. One that cannot, because
// its key is lost, is made anew or entered again.
func (s Service) readable(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID) (connector.Secrets, error) {
	sealed, err := q.ListSealedCredentials(ctx, tx, tenant, id)
	secrets := connector.Secrets{}
	for _, x := range sealed {
		if plain, openErr := s.Box.Open(tenant.String(), id.String(), x.Field, x.Ciphertext); openErr == nil {
			secrets[x.Field] = string(plain)
		}
	}
	return secrets, err
}

// seal encrypts and stores credentials, bound to tenant, integration and field.
func (s Service) seal(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID, secrets connector.Secrets) error {
	fields := make([]string, 0, len(secrets))
	for field := range secrets {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	for _, field := range fields {
		sealed, err := s.Box.Seal(tenant.String(), id.String(), field, []byte(secrets[field]))
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
