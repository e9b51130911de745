package web

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
	_ "github.com/optria-iq/optria/internal/connector/all" // the kinds that can be configured
	"github.com/optria-iq/optria/internal/connector/simulate"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/integration"
)

func (s *Server) integrationRoutes() []route {
	return []route{
		{http.MethodGet, "/integrations", access.ViewIntegrations, s.listIntegrations},
		{http.MethodGet, "/integrations/new", access.ManageIntegrations, s.newIntegration},
		{http.MethodPost, "/integrations/new", access.ManageIntegrations, s.createIntegration},
		{http.MethodPost, "/integrations/test", access.ManageIntegrations, s.testDraft},
		{http.MethodGet, "/integrations/{id}", access.ViewIntegrations, s.showIntegration},
		{http.MethodGet, "/integrations/{id}/edit", access.ManageIntegrations, s.editIntegration},
		{http.MethodPost, "/integrations/{id}/edit", access.ManageIntegrations, s.updateIntegration},
		{http.MethodPost, "/integrations/{id}/test", access.TestIntegrations, s.testIntegration},
		{http.MethodPost, "/integrations/{id}/poll", access.TestIntegrations, s.pollIntegration},
		{http.MethodPost, "/integrations/{id}/pause", access.ManageIntegrations, s.setIntegration(integration.Paused, "integrations.toast.paused", "")},
		{http.MethodPost, "/integrations/{id}/resume", access.ManageIntegrations, s.setIntegration(integration.Active, "integrations.toast.resumed", "")},
		{http.MethodPost, "/integrations/{id}/archive", access.ManageIntegrations, s.setIntegration(integration.Archived, "integrations.toast.archived", "/integrations")},
		{http.MethodGet, "/integrations/{id}/mappings", access.ViewIntegrations, s.listMappings},
		{http.MethodGet, "/integrations/{id}/mappings.csv", access.ViewIntegrations, s.downloadMappings},
		{http.MethodPost, "/integrations/{id}/mappings/upload", access.TestIntegrations, s.uploadMappings},
		{http.MethodGet, "/integrations/{id}/mappings/rule", access.TestIntegrations, s.editMapping},
		{http.MethodPost, "/integrations/{id}/mappings/rule", access.TestIntegrations, s.saveMapping},
		{http.MethodPost, "/integrations/{id}/mappings/{rule}/archive", access.TestIntegrations, s.archiveMapping},
	}
}

// integrations is what pages and API share about integrations.
func (s *Server) integrations() integration.Service {
	return integration.Service{DB: s.DB, Box: s.Box, Dialer: s.Dialer, Workflows: s.Workflows}
}

// originOf says on whose behalf a request changes something.
func originOf(r *http.Request) integration.Origin {
	who := access.From(r.Context())
	o := integration.Origin{Tenant: who.TenantID, Actor: db.ActorOf(who), RequestID: middleware.GetReqID(r.Context()), RemoteAddr: r.RemoteAddr}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		o.RemoteAddr = host
	}
	return o
}

// flavourIcons are the marks of the kinds of sources.
var flavourIcons = map[string]string{"opcua": "radio", "piwebapi": "chart-line", "sap": "boxes", "oracleeam": "building-2", "sql": "database", "rest": "webhook"}

// syncStates maps the outcome of a sync to the look of its mark.
var syncStates = map[string]string{"never": "plan", "ok": "done", "partial": "retry", "failed": "fail"}

// integrationStates maps the state of an integration to the look of its mark.
var integrationStates = map[string]string{integration.Active: "run", integration.Paused: "cancel"}

// integrationRow is one integration as list and detail show it.
type integrationRow struct {
	ID, Name, Kind, Icon, Endpoint string
	SpecKind                       string
	Simulated, Active              bool
	State, StateLabel              string
	Sync, SyncLabel, Error         string
	LastSync, Watermark, Newest    *time.Time
	Lag                            time.Duration
	HasLag, Behind                 bool
	Rows                           int64
	Mapped, Stale                  int
}

type integrationList struct {
	Rows                  []integrationRow
	Active, Failed, Stale int
	CanManage, CanTest    bool
}

// listIntegrations shows every integration with its health.
func (s *Server) listIntegrations(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "integrations.title")
	if err != nil {
		return err
	}
	rows, err := s.integrationRows(r, p, nil)
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	v := integrationList{Rows: rows, CanManage: who.Can(access.ManageIntegrations), CanTest: who.Can(access.TestIntegrations)}
	for _, x := range rows {
		v.Stale += x.Stale
		if x.Active {
			v.Active++
		}
		if x.Sync == "fail" {
			v.Failed++
		}
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "integrations/list", p)
	return nil
}

func (s *Server) integrationRows(r *http.Request, p Page, id *uuid.UUID) ([]integrationRow, error) {
	var found []db.IntegrationOverviewRow
	now := time.Now()
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		found, err = q.IntegrationOverview(ctx, tx, now, tenant, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]integrationRow, 0, len(found))
	for _, x := range found {
		row, err := s.integrationRow(p, x, now)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

func (s *Server) integrationRow(p Page, x db.IntegrationOverviewRow, now time.Time) (integrationRow, error) {
	i := x.Integration
	row := integrationRow{ID: i.ID.String(), Name: i.Name, Endpoint: i.Endpoint, SpecKind: i.Kind, Icon: "plug", Active: i.State == integration.Active,
		State: integrationStates[i.State], StateLabel: p.T("integrations.state." + i.State),
		Sync: syncStates[i.LastSyncStatus], SyncLabel: p.T("integrations.sync." + i.LastSyncStatus),
		LastSync: i.LastSyncAt, Watermark: i.Watermark, Rows: i.RowsTotal, Mapped: int(x.Mapped), Stale: int(x.Stale)}
	config, err := integration.Settings(i)
	if err != nil {
		return row, err
	}
	row.Kind, row.Simulated = kindName(p, i.Kind, config)
	if name, ok := config["flavour"].(string); ok && flavourIcons[name] != "" {
		row.Icon = flavourIcons[name]
	} else if flavourIcons[i.Kind] != "" {
		row.Icon = flavourIcons[i.Kind]
	}
	if x.Newest.Unix() > 0 {
		row.Newest = &x.Newest
	}
	if i.LastSyncStatus == "failed" {
		row.Error = s.faultText(p, i.LastError)
	}
	if i.Watermark != nil && row.Active {
		row.HasLag, row.Lag = true, max(0, now.Sub(*i.Watermark)).Truncate(time.Minute)
		row.Behind = row.Lag > staleAfter
	}
	return row, nil
}

// kindName names the kind of an integration: for a simulation the kind that it
// stands for.
func kindName(p Page, kind string, config connector.Config) (string, bool) {
	if kind == simulate.Kind {
		if flavour, ok := config["flavour"].(string); ok && flavourIcons[flavour] != "" {
			return p.T("connector.simulated.flavour." + flavour), true
		}
		return p.T("connector.simulated.name"), true
	}
	if spec, ok := connector.Lookup(kind); ok {
		return p.T(spec.NameKey), false
	}
	return kind, false
}

// faultText words the key of a stored fault; one without words gets the
// general ones.
func (s *Server) faultText(p Page, key string) string {
	if !s.catalog.Has(key) {
		key = connector.KeyInternal
	}
	return p.T(key)
}

// setIntegration answers the forms that move an integration to a state.
func (s *Server) setIntegration(state, toast, target string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathUUID(r, "id")
		if err != nil {
			return err
		}
		queued, err := s.integrations().SetState(r.Context(), originOf(r), id, state)
		if err != nil {
			return err
		}
		text, back := toast, target
		if queued {
			text = "integrations.toast.queued"
		}
		if back == "" {
			back = "/integrations/" + id.String()
		}
		return s.redirect(w, r, back, text)
	}
}

// pollIntegration asks for a poll at once.
func (s *Server) pollIntegration(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	toast := "integrations.toast.polling"
	if err := s.integrations().PollNow(r.Context(), originOf(r), id); err != nil {
		if fault.CodeOf(err) != fault.Unavailable {
			return err
		}
		toast = "integrations.toast.poll_away"
	}
	return s.redirect(w, r, "/integrations/"+id.String(), toast)
}
