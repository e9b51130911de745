package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/webhook"
	"github.com/optria-iq/optria/web/integration"
)

type credentialRow struct {
	Label string
	At    time.Time
}

// shownSecret is a secret that the product has made, on the one page that
// shows it.
type shownSecret struct{ ID, Label, Value string }

type integrationDetail struct {
	integrationRow
	Health             healthView
	Credentials        []credentialRow
	Made               []madeField
	Makes, Receives    bool
	Inbound            string // address to which a source sends its messages
	Upload             bool
	Shown              []shownSecret
	Backfills          bool // past readings can be asked for
	From, To           string
	CanManage, CanTest bool
}

// showIntegration prints one integration: its health, settings and the last
// fifty syncs.
func (s *Server) showIntegration(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	return s.detailPage(w, r, id, nil)
}

// detailPage prints the page of an integration with the secrets to show once.
func (s *Server) detailPage(w http.ResponseWriter, r *http.Request, id uuid.UUID, shown connector.Secrets) error {
	p, err := s.page(r, "integrations.title")
	if err != nil {
		return err
	}
	x, err := s.loadHealth(r, id)
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	v := integrationDetail{CanManage: who.Can(access.ManageIntegrations), CanTest: who.Can(access.TestIntegrations)}
	if v.integrationRow, err = s.integrationRow(p, x.overview, x.now); err != nil {
		return err
	}
	v.Health = s.healthView(p, who, x, v.integrationRow)
	if err := s.describe(p, &v, x); err != nil {
		return err
	}
	for field, value := range shown {
		v.Shown = append(v.Shown, shownSecret{"shown-" + field, credentialName(p, v.SpecKind, field), value})
	}
	slices.SortFunc(v.Shown, func(a, b shownSecret) int { return cmp.Compare(a.ID, b.ID) })
	v.From, v.To = x.now.In(riyadhZone).Add(-24*time.Hour).Format(dayClock), x.now.In(riyadhZone).Format(dayClock)
	p.Title = v.Name
	p.Crumbs = []Crumb{{Href: "/integrations", Label: p.T("integrations.title")}, {Label: v.Name}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "integrations/detail", p)
	return nil
}

// describe adds what an integration is made of and can do.
func (s *Server) describe(p Page, v *integrationDetail, x health) error {
	i := x.overview.Integration
	for _, f := range x.credentials {
		v.Credentials = append(v.Credentials, credentialRow{credentialName(p, i.Kind, f.Field), f.UpdatedAt})
	}
	config, err := integration.Settings(i)
	if err != nil {
		return err
	}
	if spec, ok := connector.Lookup(i.Kind); ok {
		v.Made, v.Makes = madeFields(p, i.ID.String(), spec, config), integration.Makes(i.Kind)
	}
	v.Receives, v.Backfills = x.can.Receive, x.can.Backfill
	v.Upload = x.can.Receive && i.Kind != webhook.Kind
	if i.Kind == webhook.Kind {
		v.Inbound = s.inboundAddress(i.TenantID, i.ID)
	}
	return nil
}

// credentialName is the label of a credential in the form of its kind.
func credentialName(p Page, kind, field string) string {
	if spec, ok := connector.Lookup(kind); ok {
		for _, f := range spec.Fields {
			if f.Key == field {
				return p.T(f.LabelKey)
			}
		}
	}
	return field
}

// integrationStatus prints the part of the page that changes by itself.
func (s *Server) integrationStatus(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	x, err := s.loadHealth(r, id)
	if err != nil {
		return err
	}
	p := s.render.Page(r)
	row, err := s.integrationRow(p, x.overview, x.now)
	if err != nil {
		return err
	}
	p.Data = s.healthView(p, access.From(r.Context()), x, row)
	s.render.RenderPart(w, r, http.StatusOK, "integrations/detail", "integration-health", p)
	return nil
}

// health is what the health of an integration is told from.
type health struct {
	now         time.Time
	overview    db.IntegrationOverviewRow
	credentials []db.ListCredentialFieldsRow
	syncs       []db.IntegrationSync
	rate        int64 // readings of the last ten minutes
	tags        db.CountTagsRow
	stale       []db.ListStaleTagsRow
	backfills   []db.ListBackfillsRow
	messages    []db.ListMessagesRow
	inbox       db.CountMessagesRow
	assets      db.CountExternalAssetsRow
	orders      db.CountExternalOrdersRow
	can         integration.Abilities
}

// Rows of the lists on the page of an integration.
const (
	backfillsShown = 8
	messagesShown  = 10
)

func (s *Server) loadHealth(r *http.Request, id uuid.UUID) (health, error) {
	x := health{now: time.Now()}
	found, err := s.overview(r, &id)
	if err != nil {
		return x, err
	}
	x.overview = found[0]
	if x.can, err = s.integrations().Can(r.Context(), access.From(r.Context()).TenantID, id); err != nil {
		return x, err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		reads := []func() error{
			func() (err error) { x.credentials, err = q.ListCredentialFields(ctx, tx, tenant, id); return },
			func() (err error) { x.syncs, err = q.ListSyncs(ctx, tx, tenant, id); return },
			func() (err error) { x.rate, err = q.SyncRate(ctx, tx, tenant, id, x.now); return },
			func() (err error) {
				x.tags, err = q.CountTags(ctx, tx, db.CountTagsParams{TenantID: tenant, IntegrationID: id, AsOf: x.now})
				return
			},
			func() (err error) { x.stale, err = q.ListStaleTags(ctx, tx, tenant, id, x.now); return },
			func() (err error) {
				x.backfills, err = q.ListBackfills(ctx, tx, db.ListBackfillsParams{TenantID: tenant, IntegrationID: id, PageSize: backfillsShown})
				return
			},
			func() (err error) {
				x.messages, err = q.ListMessages(ctx, tx, db.ListMessagesParams{TenantID: tenant, IntegrationID: id, PageSize: messagesShown})
				return
			},
			func() (err error) { x.inbox, err = q.CountMessages(ctx, tx, tenant, id); return },
			func() (err error) { x.assets, err = q.CountExternalAssets(ctx, tx, tenant, id, ""); return },
			func() (err error) { x.orders, err = q.CountExternalOrders(ctx, tx, tenant, id, ""); return },
		}
		for _, read := range reads {
			if err := read(); err != nil {
				return err
			}
		}
		return nil
	})
	return x, err
}
