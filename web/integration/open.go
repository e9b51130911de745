package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// liveWindow is how far back the latest value of a tag is looked for.
const liveWindow = 15 * time.Minute

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
// integration the credentials that the draft leaves out are the kept ones, and
// so is what the product has made; a new one is tested with a key of its own.
func (s Service) TestDraft(ctx context.Context, tenant uuid.UUID, id *uuid.UUID, d Draft) ([]connector.Step, error) {
	secrets, stored := connector.Secrets{}, connector.Config{}
	if id != nil {
		found, kept, err := s.load(ctx, tenant, *id)
		if err != nil {
			return nil, err
		}
		if stored, err = Settings(found); err != nil {
			return nil, err
		}
		d.Kind, secrets = found.Kind, kept
	}
	d.Config = maps.Clone(d.Config)
	if _, err := d.make(stored, secrets); err != nil {
		return nil, err
	}
	for _, field := range d.Forget {
		delete(secrets, field)
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

// Live is what a source says of some tags now. Problem is set when it does not
// answer.
type Live struct {
	Readings map[string]connector.Reading
	Problem  error
}

// Live asks the source of an integration for the newest values of some tags,
// as it gives them, within TestTimeout.
func (s Service) Live(ctx context.Context, tenant, id uuid.UUID, tags []string) (Live, error) {
	x := Live{Readings: map[string]connector.Reading{}}
	ctx, cancel := context.WithTimeout(ctx, TestTimeout)
	defer cancel()
	found, secrets, err := s.load(ctx, tenant, id)
	if fault.CodeOf(err) == fault.Invalid && err != nil { // a credential that cannot be opened any more
		x.Problem = err
		return x, nil
	}
	if err != nil || len(tags) == 0 {
		return x, err
	}
	opened, err := s.open(found, secrets)
	if err != nil {
		x.Problem = err
		return x, nil
	}
	x.Problem = x.read(ctx, opened, tags, time.Now())
	return x, closed(opened, nil)
}

// read keeps the newest reading of each tag: sampled where the source can, else
// polled from the last minutes.
func (x *Live) read(ctx context.Context, c connector.Connector, tags []string, now time.Time) error {
	if sampler, ok := c.(connector.Sampler); ok {
		batch, err := sampler.Sample(ctx, tags)
		x.keep(batch.Readings)
		return err
	}
	poller, ok := c.(connector.Poller)
	if !ok {
		return nil
	}
	request := connector.PollRequest{Tags: tags, Since: now.Add(-liveWindow).UTC(), Until: now.UTC()}
	for {
		batch, err := poller.Poll(ctx, request)
		if err != nil {
			return err
		}
		x.keep(batch.Readings)
		if !batch.More || !batch.Watermark.After(request.Since) {
			return nil
		}
		request.Since = batch.Watermark
	}
}

func (x *Live) keep(readings []connector.Reading) {
	for _, r := range readings {
		if seen, ok := x.Readings[r.ExternalTag]; !ok || r.Time.After(seen.Time) {
			x.Readings[r.ExternalTag] = r
		}
	}
}

// Converted is a reading as a rule would store it: the value, and whether it
// would be kept as bad for its quality, its unit or its range.
func Converted(m db.IntegrationMapping, r connector.Reading) (value float64, bad bool) {
	value = r.Value*m.Factor + m.Shift
	other := m.SourceUnit != "" && r.Unit != "" && r.Unit != m.SourceUnit
	outside := (m.Low != nil && value < *m.Low) || (m.High != nil && value > *m.High)
	return value, r.Quality == asset.Bad || other || outside
}

// Abilities is what a source can be asked for.
type Abilities struct{ Browse, Live, Backfill, Receive, Records bool }

// able is Can for an integration that has to open.
func (s Service) able(ctx context.Context, tenant, id uuid.UUID) (Abilities, error) {
	opened, err := s.Open(ctx, tenant, id)
	if err != nil {
		return Abilities{}, err
	}
	return abilities(opened), closed(opened, nil)
}

func abilities(opened connector.Connector) (x Abilities) {
	_, x.Browse = opened.(connector.Browser)
	_, x.Backfill = opened.(connector.Backfiller)
	_, x.Receive = opened.(connector.Receiver)
	_, samples := opened.(connector.Sampler)
	_, polls := opened.(connector.Poller)
	_, assets := opened.(connector.AssetReader)
	_, orders := opened.(connector.WorkOrderReader)
	x.Live, x.Records = samples || polls, assets || orders
	return x
}

// Can says what the source of an integration can be asked for, without reaching
// it. One that does not open can be asked for nothing; its health says why.
func (s Service) Can(ctx context.Context, tenant, id uuid.UUID) (Abilities, error) {
	x, err := s.able(ctx, tenant, id)
	if code := fault.CodeOf(err); err != nil && (code == fault.Invalid || code == fault.NotFound) {
		return Abilities{}, nil
	}
	return x, err
}
