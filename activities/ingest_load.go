package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/secret"
)

// target is everything that reading an integration needs. It is loaded once
// per turn or session and holds one entry per mapped tag.
type target struct {
	integration db.Integration
	pulse       db.IntegrationPulseRow
	mappings    map[string]db.ListPolledMappingsRow
	tags        []string
	absent      map[string]time.Time // tags that a polled source lacks, and up to when they were read
	secrets     connector.Secrets
}

func (a *Ingest) load(ctx context.Context, ref IntegrationRef) (*target, error) {
	t := &target{}
	var sealed []db.ListSealedCredentialsRow
	err := a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if t.integration, err = q.LoadPolledIntegration(ctx, tx, ref.TenantID, ref.IntegrationID); err != nil {
			return err
		}
		if t.pulse, err = q.IntegrationPulse(ctx, tx, ref.TenantID, ref.IntegrationID); err != nil {
			return err
		}
		mappings, err := q.ListPolledMappings(ctx, tx, ref.TenantID, ref.IntegrationID)
		if err != nil {
			return err
		}
		t.follow(mappings)
		sealed, err = q.ListSealedCredentials(ctx, tx, ref.TenantID, ref.IntegrationID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load integration: %w", err)
	}
	if t.secrets, err = unseal(a.deps.Box, ref, sealed); err != nil {
		return nil, err
	}
	return t, nil
}

// unseal opens the credentials of an integration.
func unseal(box *secret.Box, ref IntegrationRef, sealed []db.ListSealedCredentialsRow) (connector.Secrets, error) {
	secrets := connector.Secrets{}
	for _, s := range sealed {
		plain, err := box.Open(ref.TenantID.String(), ref.IntegrationID.String(), s.Field, s.Ciphertext)
		if err != nil {
			return nil, fmt.Errorf("open credential %s: %w", s.Field, err)
		}
		secrets[s.Field] = string(plain)
	}
	return secrets, nil
}

// follow sets the tags to read and what they feed.
func (t *target) follow(mappings []db.ListPolledMappingsRow) {
	t.mappings = make(map[string]db.ListPolledMappingsRow, len(mappings))
	t.tags = make([]string, 0, len(mappings))
	t.absent = map[string]time.Time{}
	for _, m := range mappings {
		t.mappings[m.ExternalTag] = m
		t.tags = append(t.tags, m.ExternalTag)
		if m.AbsentSince != nil {
			t.absent[m.ExternalTag] = *m.AbsentSince
		}
	}
}

func (a *Ingest) open(t *target) (connector.Connector, error) {
	config := connector.Config{}
	if err := json.Unmarshal(t.integration.Config, &config); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return connector.Open(t.integration.Kind, config, t.secrets, a.deps.Dialer)
}
