package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/integration"
)

// IntegrationInput is an integration to store. Credentials are write-only:
// they are sealed and no operation returns them; one left out is kept.
type IntegrationInput struct {
	Name        string            `json:"name" minLength:"1" maxLength:"120"`
	Kind        string            `json:"kind,omitempty" maxLength:"60" doc:"Of a new integration; it cannot change later"`
	Config      map[string]any    `json:"config"`
	Credentials map[string]string `json:"credentials,omitempty" writeOnly:"true"`
	Forget      []string          `json:"forget,omitempty" maxItems:"20" doc:"Credentials to take away"`
}

// Integration is one source of data. Credentials lists the names of what is
// kept, never the values.
type Integration struct {
	ID             uuid.UUID         `json:"id"`
	Name           string            `json:"name"`
	Kind           string            `json:"kind"`
	Endpoint       string            `json:"endpoint"`
	State          string            `json:"state" doc:"active or paused"`
	Config         connector.Config  `json:"config,omitempty"`
	Credentials    []string          `json:"credentials,omitempty"`
	Watermark      *time.Time        `json:"watermark,omitempty"`
	LastSyncAt     *time.Time        `json:"last_sync_at,omitempty"`
	LastSyncStatus string            `json:"last_sync_status"`
	LastError      string            `json:"last_error,omitempty"`
	RowsTotal      int64             `json:"rows_total"`
	MappedTags     int32             `json:"mapped_tags"`
	StaleTags      int32             `json:"stale_tags"`
	StreamingSince *time.Time        `json:"streaming_since,omitempty" doc:"A session follows the source since then"`
	Circuit        string            `json:"circuit" enum:"closed,open,half_open" doc:"open: the source is left alone until retry_at"`
	RetryAt        *time.Time        `json:"retry_at,omitempty"`
	NeedsPerson    bool              `json:"needs_person" doc:"Trying again with the same settings cannot help"`
	PausedNote     string            `json:"paused_note,omitempty"`
	DiscoveredAt   *time.Time        `json:"discovered_at,omitempty" doc:"The tree of the source was last listed then"`
	Generated      connector.Secrets `json:"generated,omitempty" doc:"Secrets that the product has made for the other side; only this answer shows them"`
}

// Mapping is one rule: an external tag feeds a metric of an asset.
type Mapping struct {
	ID          uuid.UUID `json:"id"`
	ExternalTag string    `json:"external_tag"`
	AssetID     uuid.UUID `json:"asset_id"`
	Asset       string    `json:"asset"`
	Component   string    `json:"component,omitempty"`
	Metric      string    `json:"metric"`
	Unit        string    `json:"unit,omitempty"`
	SourceUnit  string    `json:"source_unit,omitempty"`
	Factor      float64   `json:"factor"`
	Shift       float64   `json:"shift"`
	Low         *float64  `json:"low,omitempty" doc:"Stored values below are kept as bad"`
	High        *float64  `json:"high,omitempty" doc:"Stored values above are kept as bad"`
}

// TestReport is the outcome of a connection test.
type TestReport struct {
	OK    bool       `json:"ok"`
	Steps []TestStep `json:"steps"`
}

// TestStep is one step of a connection test.
type TestStep struct {
	Name         string  `json:"name"`
	OK           bool    `json:"ok"`
	Milliseconds float64 `json:"milliseconds"`
	Problem      string  `json:"problem,omitempty"`
	Detail       string  `json:"detail,omitempty"`
	Offered      string  `json:"offered,omitempty" doc:"SHA-256 fingerprint of a certificate that is not trusted yet"`
}

func (a *API) service() integration.Service {
	return integration.Service{DB: a.DB, Box: a.Box, Dialer: a.Dialer, Workflows: a.Workflows}
}

func (a *API) integrations() {
	const tag = "Integrations"
	add(a, access.ViewIntegrations, route(http.MethodGet, "/integrations", "list-integrations", "List integrations with their health", tag), a.listIntegrations)
	create := route(http.MethodPost, "/integrations", "create-integration", "Create and activate an integration", tag)
	create.DefaultStatus, create.Errors = http.StatusCreated, []int{http.StatusConflict}
	add(a, access.ManageIntegrations, create, a.createIntegration)
	add(a, access.ViewIntegrations, route(http.MethodGet, "/integrations/{id}", "get-integration", "One integration", tag), a.getIntegration)
	update := route(http.MethodPut, "/integrations/{id}", "update-integration", "Replace name, settings and the credentials given", tag)
	update.Errors = []int{http.StatusConflict}
	add(a, access.ManageIntegrations, update, a.updateIntegration)
	add(a, access.ManageIntegrations, route(http.MethodDelete, "/integrations/{id}", "archive-integration", "Archive: polling ends, readings and rules are kept", tag), a.moveTo(integration.Archived))
	for _, x := range [][3]string{{"pause", integration.Paused, "Pause polling"}, {"resume", integration.Active, "Resume polling"}} {
		op := route(http.MethodPost, "/integrations/{id}/"+x[0], x[0]+"-integration", x[2], tag)
		op.DefaultStatus, op.Errors = http.StatusNoContent, []int{http.StatusConflict}
		add(a, access.ManageIntegrations, op, a.moveTo(x[1]))
	}
	a.integrationSecrets(tag)
	a.integrationTags(tag)
	a.integrationWork(tag)
	a.integrationRecords(tag)
	poll := route(http.MethodPost, "/integrations/{id}/poll", "poll-integration", "Poll now", tag)
	poll.DefaultStatus, poll.Errors = http.StatusAccepted, []int{http.StatusConflict, http.StatusServiceUnavailable}
	add(a, access.TestIntegrations, poll, func(ctx context.Context, _ access.Principal, in *ByID) (*struct{}, error) {
		return nil, a.service().PollNow(ctx, origin(ctx), in.ID)
	})
	add(a, access.TestIntegrations, route(http.MethodPost, "/integrations/{id}/test", "test-integration", "Test the connection, at most 20 seconds", tag), a.testIntegration)
}

// Noted is an integration with a note that says why something is done.
type Noted struct {
	ByID
	Note string `query:"note" maxLength:"400" doc:"Why it is paused; shown to everybody who looks at the integration"`
}

func (a *API) moveTo(state string) func(context.Context, access.Principal, *Noted) (*struct{}, error) {
	return func(ctx context.Context, _ access.Principal, in *Noted) (*struct{}, error) {
		_, err := a.service().SetState(ctx, origin(ctx), in.ID, state, in.Note)
		return nil, err
	}
}

func (a *API) showIntegration(ctx context.Context, x db.IntegrationOverviewRow) Integration {
	i := x.Integration
	return Integration{ID: i.ID, Name: i.Name, Kind: i.Kind, Endpoint: i.Endpoint, State: i.State, Watermark: i.Watermark, LastSyncAt: i.LastSyncAt,
		LastSyncStatus: i.LastSyncStatus, LastError: a.text(ctx, i.LastError), RowsTotal: i.RowsTotal, MappedTags: x.Mapped, StaleTags: x.Stale,
		StreamingSince: i.StreamingSince, Circuit: i.Circuit, RetryAt: i.RetryAt, NeedsPerson: i.NeedsPerson, PausedNote: i.PausedNote, DiscoveredAt: i.DiscoveredAt}
}

func (a *API) listIntegrations(ctx context.Context, who access.Principal, _ *struct{}) (*answer[List[Integration]], error) {
	out := List[Integration]{Items: []Integration{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.IntegrationOverview(ctx, tx, time.Now(), who.TenantID, nil)
		for _, x := range rows {
			out.Items = append(out.Items, a.showIntegration(ctx, x))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

// one reads an integration with its settings and the names of its credentials.
func (a *API) one(ctx context.Context, tenant, id uuid.UUID) (Integration, error) {
	var out Integration
	err := a.DB.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.IntegrationOverview(ctx, tx, time.Now(), tenant, &id)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fault.New(fault.NotFound, "api.not_found")
		}
		out = a.showIntegration(ctx, rows[0])
		if out.Config, err = integration.Settings(rows[0].Integration); err != nil {
			return err
		}
		fields, err := q.ListCredentialFields(ctx, tx, tenant, id)
		for _, f := range fields {
			out.Credentials = append(out.Credentials, f.Field)
		}
		return err
	})
	return out, err
}

func (a *API) getIntegration(ctx context.Context, who access.Principal, in *ByID) (*answer[Integration], error) {
	out, err := a.one(ctx, who.TenantID, in.ID)
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

func (x IntegrationInput) draft(kind string) integration.Draft {
	return integration.Draft{Name: x.Name, Kind: kind, Config: x.Config, Secrets: x.Credentials, Forget: x.Forget}
}

// Keyed is what an operation takes that creates something: with a key, sending
// the same request again creates nothing more.
type Keyed struct {
	Key string `header:"Idempotency-Key" minLength:"8" maxLength:"128" doc:"The same key creates one thing, however often it is sent"`
}

// id is the id of what a request creates: by its key, which belongs to the
// account, or a new one without.
func (k Keyed) id(who access.Principal, operation string) uuid.UUID {
	if k.Key == "" {
		return uuid.New()
	}
	return uuid.NewSHA1(who.TenantID, []byte(operation+"\x00"+idempotent(who, k.Key)))
}

func (a *API) createIntegration(ctx context.Context, who access.Principal, in *struct {
	Keyed
	Body IntegrationInput
}) (*answer[Integration], error) {
	draft := in.Body.draft(in.Body.Kind)
	if problems := draft.Check(nil); len(problems) > 0 {
		return nil, invalidKeys(ctx, inConfig(problems))
	}
	stored, err := a.service().CreateAs(ctx, origin(ctx), in.id(who, "integration"), draft)
	if err != nil {
		return nil, err
	}
	return a.stored(ctx, who, stored)
}

// stored answers with an integration and the secrets to show once.
func (a *API) stored(ctx context.Context, who access.Principal, x integration.Stored) (*answer[Integration], error) {
	out, err := a.one(ctx, who.TenantID, x.ID)
	if err != nil {
		return nil, err
	}
	out.Generated = x.Shown
	return reply(out), nil
}

// inConfig puts problems of settings where the body has them.
func inConfig(problems map[string]string) map[string]string {
	out := make(map[string]string, len(problems))
	for field, key := range problems {
		if field != "name" && field != "kind" {
			field = "config." + field
		}
		out[field] = key
	}
	return out
}

func (a *API) updateIntegration(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body IntegrationInput
}) (*answer[Integration], error) {
	known, err := a.one(ctx, who.TenantID, in.ID)
	if err != nil {
		return nil, err
	}
	kept := map[string]bool{}
	for _, field := range known.Credentials {
		kept[field] = true
	}
	draft := in.Body.draft(known.Kind)
	problems := draft.Check(kept)
	if in.Body.Kind != "" && in.Body.Kind != known.Kind {
		problems["kind"] = connector.ErrChoice
	}
	if len(problems) > 0 {
		return nil, invalidKeys(ctx, inConfig(problems))
	}
	stored, err := a.service().Update(ctx, origin(ctx), in.ID, draft)
	if err != nil {
		return nil, err
	}
	return a.stored(ctx, who, stored)
}

func (a *API) testIntegration(ctx context.Context, who access.Principal, in *ByID) (*answer[TestReport], error) {
	steps, err := a.service().Test(ctx, who.TenantID, in.ID)
	if err != nil {
		return nil, err
	}
	return reply(a.report(ctx, steps)), nil
}

func (a *API) report(ctx context.Context, steps []connector.Step) TestReport {
	out := TestReport{OK: true, Steps: []TestStep{}}
	for _, x := range steps {
		out.OK = out.OK && x.OK
		out.Steps = append(out.Steps, TestStep{Name: x.Name, OK: x.OK, Milliseconds: float64(x.Duration.Microseconds()) / 1000, Problem: a.text(ctx, x.Code), Detail: x.Detail, Offered: x.Offered})
	}
	return out
}
