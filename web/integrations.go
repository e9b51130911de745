package web

import (
	"context"
	"net"
	"net/http"
	"strings"
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
	return append(s.mappingRoutes(),
		route{http.MethodGet, "/integrations", access.ViewIntegrations, s.listIntegrations},
		route{http.MethodGet, "/integrations/new", access.ManageIntegrations, s.newIntegration},
		route{http.MethodPost, "/integrations/new", access.ManageIntegrations, s.createIntegration},
		route{http.MethodPost, "/integrations/test", access.ManageIntegrations, s.testDraft},
		route{http.MethodGet, "/integrations/{id}", access.ViewIntegrations, s.showIntegration},
		route{http.MethodGet, "/integrations/{id}/status", access.ViewIntegrations, s.integrationStatus},
		route{http.MethodGet, "/integrations/{id}/certificate", access.ViewIntegrations, s.downloadCertificate},
		route{http.MethodGet, "/integrations/{id}/edit", access.ManageIntegrations, s.editIntegration},
		route{http.MethodPost, "/integrations/{id}/edit", access.ManageIntegrations, s.updateIntegration},
		route{http.MethodPost, "/integrations/{id}/test", access.TestIntegrations, s.testIntegration},
		route{http.MethodPost, "/integrations/{id}/accept", access.ManageIntegrations, s.acceptCertificate},
		route{http.MethodPost, "/integrations/{id}/renew", access.ManageIntegrations, s.renewSecrets},
		route{http.MethodPost, "/integrations/{id}/poll", access.TestIntegrations, s.pollIntegration},
		route{http.MethodPost, "/integrations/{id}/backfill", access.TestIntegrations, s.backfillIntegration},
		route{http.MethodPost, "/integrations/{id}/upload", access.TestIntegrations, s.uploadMessage},
		route{http.MethodPost, "/integrations/{id}/messages/retry", access.TestIntegrations, s.retryMessages},
		route{http.MethodPost, "/integrations/{id}/pause", access.ManageIntegrations, s.setIntegration(integration.Paused, "integrations.toast.paused", "")},
		route{http.MethodPost, "/integrations/{id}/resume", access.ManageIntegrations, s.setIntegration(integration.Active, "integrations.toast.resumed", "")},
		route{http.MethodPost, "/integrations/{id}/archive", access.ManageIntegrations, s.setIntegration(integration.Archived, "integrations.toast.archived", "/integrations")},
		route{http.MethodGet, "/integrations/{id}/records", access.ViewIntegrations, s.listRecords},
		route{http.MethodPost, "/integrations/{id}/records", access.TestIntegrations, s.matchRecord},
	)
}

func (s *Server) mappingRoutes() []route {
	return []route{
		{http.MethodGet, "/integrations/{id}/mappings", access.ViewIntegrations, s.listMappings},
		{http.MethodGet, "/integrations/{id}/mappings/nodes", access.ViewIntegrations, s.listNodes},
		{http.MethodGet, "/integrations/{id}/mappings/live", access.ViewIntegrations, s.liveValues},
		{http.MethodGet, "/integrations/{id}/mappings/targets", access.ViewIntegrations, s.listTargets},
		{http.MethodPost, "/integrations/{id}/mappings/discover", access.TestIntegrations, s.discoverTags},
		{http.MethodPost, "/integrations/{id}/mappings/accept", access.TestIntegrations, s.acceptSuggestions},
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

// kindIcons are the marks of the kinds of sources.
var kindIcons = map[string]string{"opcua": "radio", "piwebapi": "chart-line", "sap": "boxes", "oracleeam": "building-2", "sql": "database", "rest": "globe",
	"webhook": "webhook", "file": "file-text", "mqtt": "network"}

// syncStates maps the outcome of a sync to the look of its mark.
var syncStates = map[string]string{"never": "plan", "ok": "done", "partial": "retry", "failed": "fail"}

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
	found, err := s.overview(r, nil)
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	v := integrationList{CanManage: who.Can(access.ManageIntegrations), CanTest: who.Can(access.TestIntegrations)}
	for _, x := range found {
		row, err := s.integrationRow(p, x, time.Now())
		if err != nil {
			return err
		}
		v.Rows = append(v.Rows, row)
		v.Stale += row.Stale
		if row.Active {
			v.Active++
		}
		if row.Sync == "fail" {
			v.Failed++
		}
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "integrations/list", p)
	return nil
}

// overview reads every integration, or one.
func (s *Server) overview(r *http.Request, id *uuid.UUID) (found []db.IntegrationOverviewRow, err error) {
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		found, err = q.IntegrationOverview(ctx, tx, time.Now(), tenant, id)
		return err
	})
	if err == nil && id != nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "error.404.text")
	}
	return found, err
}

func (s *Server) integrationRow(p Page, x db.IntegrationOverviewRow, now time.Time) (integrationRow, error) {
	i := x.Integration
	row := integrationRow{ID: i.ID.String(), Name: i.Name, Endpoint: i.Endpoint, SpecKind: i.Kind, Icon: "plug", Active: i.State == integration.Active,
		Sync: syncStates[i.LastSyncStatus], SyncLabel: p.T("integrations.sync." + i.LastSyncStatus),
		LastSync: i.LastSyncAt, Watermark: i.Watermark, Rows: i.RowsTotal, Mapped: int(x.Mapped), Stale: int(x.Stale)}
	config, err := integration.Settings(i)
	if err != nil {
		return row, err
	}
	row.State, row.StateLabel = stateOf(p, i)
	row.Kind, row.Simulated = kindName(p, i.Kind, config)
	if name, ok := config["flavour"].(string); ok && kindIcons[name] != "" {
		row.Icon = kindIcons[name]
	} else if kindIcons[i.Kind] != "" {
		row.Icon = kindIcons[i.Kind]
	}
	if x.Newest.Unix() > 0 {
		row.Newest = &x.Newest
	}
	if i.LastSyncStatus == "failed" {
		row.Error = s.faultText(p, i.LastError)
	}
	if i.Watermark != nil && row.Active {
		row.HasLag, row.Lag = true, max(0, now.Sub(*i.Watermark)).Truncate(time.Second)
		if row.Lag > time.Minute {
			row.Lag = row.Lag.Truncate(time.Minute)
		}
		row.Behind = row.Lag > staleAfter
	}
	return row, nil
}

// stateOf is the look and the name of what an integration is doing.
func stateOf(p Page, i db.Integration) (look, label string) {
	name, look := "active", "run"
	switch {
	case i.State == integration.Paused:
		name, look = "paused", "cancel"
	case i.NeedsPerson:
		name, look = "person", "fail"
	case i.Circuit == "open":
		name, look = "open", "retry"
	case i.Circuit == "half_open":
		name, look = "trying", "retry"
	case i.StreamingSince != nil:
		name = "streaming"
	}
	return look, p.T("integrations.state." + name)
}

// kindName names the kind of an integration: for a simulation the kind that it
// stands for.
func kindName(p Page, kind string, config connector.Config) (string, bool) {
	if kind == simulate.Kind {
		if flavour, ok := config["flavour"].(string); ok && kindIcons[flavour] != "" {
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
		queued, err := s.integrations().SetState(r.Context(), originOf(r), id, state, strings.TrimSpace(r.PostFormValue("note")))
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
	return s.asked(w, r, "/integrations/"+id.String(), "integrations.toast.polling", s.integrations().PollNow(r.Context(), originOf(r), id))
}

// asked answers a request for work: it is noted even while the workflow engine
// is away, which then takes it up later.
func (s *Server) asked(w http.ResponseWriter, r *http.Request, back, toast string, err error) error {
	if err != nil && fault.CodeOf(err) != fault.Unavailable {
		return err
	}
	if err != nil {
		toast = "integrations.toast.poll_away"
	}
	return s.redirect(w, r, back, toast)
}
