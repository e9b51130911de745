package integration

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/jsonmap"
	"github.com/optria-iq/optria/internal/connector/webhook"
	"github.com/optria-iq/optria/internal/fault"
)

// standardTolerance is how far the clock of a sender may be off unless the
// settings say otherwise.
const standardTolerance = 5 * time.Minute

// hook is what is needed to judge a signed message. Without an integration it
// is empty, and no message holds.
type hook struct {
	secrets   connector.Secrets
	tolerance time.Duration
}

// Signed judges a message that a source has sent to the webhook of an
// integration, for Receive to keep. It returns webhook.ErrSignature, and
// nothing else, to whoever has no secret of it: whether there is such a tenant
// or integration cannot be told from the answer. The raw body is verified
// before any of it is read, and read before its id is kept, so that a sender
// can mend a body that is no JSON.
func (s Service) Signed(ctx context.Context, tenant, id uuid.UUID, header http.Header, body []byte) (Delivery, error) {
	h, err := s.hook(ctx, tenant, id)
	if err != nil {
		return Delivery{}, err
	}
	if err := webhook.Verify(h.secrets, h.tolerance, header, body, time.Now()); err != nil {
		return Delivery{}, err
	}
	d := Delivery{ID: webhook.ID(header), ContentType: header.Get("Content-Type"), Body: body}
	if webhook.IsJSON(d.ContentType) {
		if _, err := jsonmap.Parse(body); err != nil {
			return Delivery{}, fault.Wrap(fault.Invalid, connector.MessageKey(err), err)
		}
	}
	return d, nil
}

// hook loads secrets and tolerance of a webhook of an active tenant. What does
// not exist, is archived or of another kind gives an empty one.
func (s Service) hook(ctx context.Context, tenant, id uuid.UUID) (hook, error) {
	if tenant == uuid.Nil || id == uuid.Nil {
		return hook{}, nil
	}
	found, secrets, err := s.load(ctx, tenant, id)
	if fault.CodeOf(err) == fault.NotFound {
		return hook{}, nil
	}
	if err != nil {
		return hook{}, fault.Wrap(fault.Internal, KeyCredential, fmt.Errorf("load webhook: %w", err)) // ours to mend, not the sender's
	}
	config, err := Settings(found)
	if err != nil || found.Kind != webhook.Kind {
		return hook{}, err
	}
	active, err := s.activeTenant(ctx, tenant)
	if err != nil || !active {
		return hook{}, err
	}
	h := hook{secrets: secrets, tolerance: standardTolerance}
	if seconds, ok := config["tolerance_seconds"].(float64); ok {
		h.tolerance = time.Duration(seconds) * time.Second
	}
	return h, nil
}

func (s Service) activeTenant(ctx context.Context, tenant uuid.UUID) (active bool, err error) {
	err = s.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		found, err := q.GetTenant(ctx, tx, tenant)
		active = found.Status == "active"
		return err
	})
	return active, err
}

// RotateSigningSecret makes a new signing secret for a webhook and returns it,
// this once. The secret until now is taken as well until the next rotation, so
// that the sender can move at leisure.
func (s Service) RotateSigningSecret(ctx context.Context, o Origin, id uuid.UUID) (string, error) {
	made := webhook.NewSecret()
	err := s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		found, err := q.LockIntegration(ctx, tx, o.Tenant, id)
		if err != nil {
			return err
		}
		if found.Kind != webhook.Kind {
			return fault.New(fault.Invalid, KeyNoReceiver)
		}
		next := connector.Secrets{webhook.FieldSecret: made}
		sealed, err := q.ListSealedCredentials(ctx, tx, o.Tenant, id)
		if err != nil {
			return err
		}
		for _, x := range sealed {
			if x.Field != webhook.FieldSecret {
				continue
			}
			before, err := s.Box.Open(o.Tenant.String(), id.String(), x.Field, x.Ciphertext)
			if err != nil {
				return fault.Wrap(fault.Invalid, KeyCredential, err)
			}
			next[webhook.FieldPrevious] = string(before)
		}
		if err := s.seal(ctx, tx, q, o.Tenant, id, next); err != nil {
			return err
		}
		return o.Audit(ctx, tx, db.Entry{Action: "integration.signing_secret_rotated", ObjectType: "integration", ObjectID: id.String()})
	})
	if err != nil {
		return "", err
	}
	return made, nil
}
