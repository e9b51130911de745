package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/secret"
)

// sealedPerBatch is how many credentials are looked at in one transaction.
const sealedPerBatch = 200

// sealed is one stored credential with its binding, and how to replace it
// unless somebody has changed it meanwhile.
type sealed struct {
	area, field string
	text        []byte
	replace     func(ctx context.Context, tx pgx.Tx, fresh []byte) (int64, error)
}

// resealed counts what became of stored credentials.
type resealed struct{ resealed, current, lost int }

// resealAll seals the credentials of every tenant anew under the primary key of
// a box, in batches of one transaction each. Readers work on throughout; what
// they open is one ciphertext or the other. It may be ended and begun again.
func resealAll(ctx context.Context, d *db.DB, box *secret.Box) (resealed, error) {
	var all resealed
	err := eachTenant(ctx, d, func(tenant db.Tenant) error {
		return eachBatch(ctx, d, tenant.ID, func(ctx context.Context, tx pgx.Tx, batch []sealed) error {
			done, err := resealBatch(ctx, tx, box, tenant.ID, batch)
			if err != nil {
				return err
			}
			all.resealed, all.current, all.lost = all.resealed+done.resealed, all.current+done.current, all.lost+done.lost
			return nil
		})
	})
	return all, err
}

// resealBatch seals a batch anew and says so in the tenant's audit log.
func resealBatch(ctx context.Context, tx pgx.Tx, box *secret.Box, tenant uuid.UUID, batch []sealed) (done resealed, err error) {
	for _, s := range batch {
		fresh, changed, err := box.Reseal(tenant.String(), s.area, s.field, s.text)
		switch {
		case err != nil:
			done.lost++ // sealed by a key that is gone: it has to be entered anew
			continue
		case !changed:
			done.current++
			continue
		}
		n, err := s.replace(ctx, tx, fresh)
		if err != nil {
			return done, fmt.Errorf("replace credential: %w", err)
		}
		done.resealed += int(n)
	}
	if done.resealed == 0 {
		return done, nil
	}
	return done, db.AppendAudit(ctx, tx, db.Entry{TenantID: tenant, Actor: db.SystemActor("optria secrets"), Action: "credentials.resealed", ObjectType: "credential",
		ObjectID: fmt.Sprint(box.Primary()), After: map[string]any{"credentials": done.resealed, "key": box.Primary()}})
}

// countSealed counts the credentials of every tenant by the key that sealed
// them; zero stands for what no key has.
func countSealed(ctx context.Context, d *db.DB) (map[uint32]int, error) {
	counts := map[uint32]int{}
	err := eachTenant(ctx, d, func(tenant db.Tenant) error {
		return eachBatch(ctx, d, tenant.ID, func(_ context.Context, _ pgx.Tx, batch []sealed) error {
			for _, s := range batch {
				key, _ := secret.KeyOf(s.text)
				counts[key]++
			}
			return nil
		})
	})
	return counts, err
}

func eachTenant(ctx context.Context, d *db.DB, work func(db.Tenant) error) error {
	var tenants []db.Tenant
	err := d.Platform(ctx, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		tenants, err = q.ListTenants(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("list tenants: %w", err)
	}
	for _, tenant := range tenants {
		if err := work(tenant); err != nil {
			return fmt.Errorf("tenant %s: %w", tenant.Code, err)
		}
	}
	return nil
}

// eachBatch hands the sealed credentials of a tenant out, batch by batch, each
// within a transaction of its own: those of integrations, one-time passwords
// that wait to be shown, signing secrets of webhooks, and answers that are kept
// for a day.
func eachBatch(ctx context.Context, d *db.DB, tenant uuid.UUID, work func(context.Context, pgx.Tx, []sealed) error) error {
	for _, next := range []func(context.Context, pgx.Tx, *db.Queries) ([]sealed, error){integrationsAfter(tenant), passwordsAfter(tenant), webhooksAfter(tenant), answersAfter(tenant)} {
		for more := true; more; {
			err := d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
				batch, err := next(ctx, tx, q)
				if more = len(batch) >= sealedPerBatch; err != nil || len(batch) == 0 {
					return err
				}
				return work(ctx, tx, batch)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// integrationsAfter pages through the credentials of integrations.
func integrationsAfter(tenant uuid.UUID) func(context.Context, pgx.Tx, *db.Queries) ([]sealed, error) {
	var after db.CredentialsPageRow
	return func(ctx context.Context, tx pgx.Tx, q *db.Queries) (batch []sealed, err error) {
		rows, err := q.CredentialsPage(ctx, tx, db.CredentialsPageParams{TenantID: tenant, AfterIntegration: after.IntegrationID, AfterField: after.Field, PageSize: sealedPerBatch})
		for _, r := range rows {
			after = r
			batch = append(batch, sealed{r.IntegrationID.String(), r.Field, r.Ciphertext, func(ctx context.Context, tx pgx.Tx, fresh []byte) (int64, error) {
				return q.ReplaceCredential(ctx, tx, db.ReplaceCredentialParams{TenantID: tenant, IntegrationID: r.IntegrationID, Field: r.Field, Seen: r.Ciphertext, Fresh: fresh})
			}})
		}
		return batch, err
	}
}

// passwordsAfter pages through one-time passwords.
func passwordsAfter(tenant uuid.UUID) func(context.Context, pgx.Tx, *db.Queries) ([]sealed, error) {
	var after uuid.UUID
	return func(ctx context.Context, tx pgx.Tx, q *db.Queries) (batch []sealed, err error) {
		rows, err := q.OneTimeCredentialsPage(ctx, tx, tenant, after, sealedPerBatch)
		for _, r := range rows {
			after = r.ID
			batch = append(batch, sealed{secret.OneTimeArea, r.UserID.String(), r.Ciphertext, func(ctx context.Context, tx pgx.Tx, fresh []byte) (int64, error) {
				return q.ReplaceOneTimeCredential(ctx, tx, db.ReplaceOneTimeCredentialParams{TenantID: tenant, ID: r.ID, Seen: r.Ciphertext, Fresh: fresh})
			}})
		}
		return batch, err
	}
}

// webhooksAfter pages through the signing secrets of webhooks, the former ones
// as well; one that is rotated meanwhile keeps its new secret.
func webhooksAfter(tenant uuid.UUID) func(context.Context, pgx.Tx, *db.Queries) ([]sealed, error) {
	var after uuid.UUID
	return func(ctx context.Context, tx pgx.Tx, q *db.Queries) (batch []sealed, err error) {
		rows, err := q.WebhookSecretsPage(ctx, tx, tenant, after, sealedPerBatch)
		for _, r := range rows {
			after = r.ID
			batch = append(batch, sealed{r.ID.String(), secret.SigningField, r.Secret, func(ctx context.Context, tx pgx.Tx, fresh []byte) (int64, error) {
				return q.ReplaceWebhookSecret(ctx, tx, db.ReplaceWebhookSecretParams{TenantID: tenant, ID: r.ID, Seen: r.Secret, Fresh: fresh})
			}})
			if r.FormerSecret == nil {
				continue
			}
			batch = append(batch, sealed{r.ID.String(), secret.SigningField, r.FormerSecret, func(ctx context.Context, tx pgx.Tx, fresh []byte) (int64, error) {
				return q.ReplaceFormerWebhookSecret(ctx, tx, db.ReplaceFormerWebhookSecretParams{TenantID: tenant, ID: r.ID, Seen: r.FormerSecret, Fresh: fresh})
			}})
		}
		return batch, err
	}
}

// answersAfter pages through the answers to keyed requests.
func answersAfter(tenant uuid.UUID) func(context.Context, pgx.Tx, *db.Queries) ([]sealed, error) {
	var after db.IdempotentAnswersPageRow
	return func(ctx context.Context, tx pgx.Tx, q *db.Queries) (batch []sealed, err error) {
		rows, err := q.IdempotentAnswersPage(ctx, tx, db.IdempotentAnswersPageParams{TenantID: tenant, AfterAccount: after.AccountID, AfterKey: after.Key, PageSize: sealedPerBatch})
		for _, r := range rows {
			after = r
			batch = append(batch, sealed{secret.AnswersArea, secret.AnswerField(r.AccountID, r.Key), r.Body, func(ctx context.Context, tx pgx.Tx, fresh []byte) (int64, error) {
				return q.ReplaceIdempotentAnswer(ctx, tx, db.ReplaceIdempotentAnswerParams{TenantID: tenant, AccountID: r.AccountID, Key: r.Key, Seen: r.Body, Fresh: fresh})
			}})
		}
		return batch, err
	}
}
