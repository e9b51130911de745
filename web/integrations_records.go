package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/integration"
)

// recordsSize is the number of records on one page.
const recordsSize = 25

// Views of the records page.
const (
	recordAssets = "assets"
	recordOrders = "orders"
)

// recordRow is one asset record or order as read.
type recordRow struct {
	ID, Kind, KindLabel, Name, Parent string
	Asset, AssetID, AssetName         string
	Ignored, Inactive                 bool
	Proposed                          string // tag of the asset that the record most likely stands for
	State, StateLabel, SourceState    string
	Type, Priority, Object            string
	From, To, Changed                 *time.Time
	Hours                             *float64
}

// recordList is the Data of integrations/records.
type recordList struct {
	ID, Name, View, Search, Show string
	Views, Tabs                  []tabView
	Rows                         []recordRow
	Pager                        Pager
	Assets                       []choiceOption
	SyncedAt                     *time.Time
	CanMatch                     bool
	Back                         string
}

// externalStates maps the state of an order to the look of its mark.
var externalStates = map[string]string{"open": "plan", "released": "plan", "in_progress": "run", "on_hold": "wait", "done": "done", "closed": "done", "cancelled": "cancel"}

// listRecords shows what a maintenance system keeps: its asset records with
// the assets they belong to, and its orders.
func (s *Server) listRecords(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p, err := s.page(r, "integrations.records")
	if err != nil {
		return err
	}
	query := r.URL.Query()
	v := recordList{ID: id.String(), View: query.Get("view"), Search: strings.TrimSpace(query.Get("q")), Show: query.Get("show"), Back: r.URL.RawQuery,
		CanMatch: access.From(r.Context()).Can(access.TestIntegrations)}
	if v.View != recordOrders {
		v.View = recordAssets
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		found, err := q.GetIntegration(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		v.Name, v.SyncedAt = found.Name, found.RecordsSyncedAt
		if v.View == recordOrders {
			return v.loadOrders(ctx, tx, q, p, tenant, id, r.URL)
		}
		return v.loadAssets(ctx, tx, q, p, tenant, id, r.URL)
	})
	if err != nil {
		return err
	}
	base := "/integrations/" + v.ID + "/records"
	v.Views = []tabView{{base, p.T("integrations.records.assets"), v.View == recordAssets, 0}, {base + "?view=" + recordOrders, p.T("integrations.records.orders"), v.View == recordOrders, 0}}
	p.Crumbs = []Crumb{{Href: "/integrations", Label: p.T("integrations.title")}, {Href: "/integrations/" + v.ID, Label: v.Name}, {Label: p.T("integrations.records")}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "integrations/records", p)
	return nil
}

// recordTab is one filter of the records with how many it leaves.
type recordTab struct {
	show  string
	count int64
}

// filter fills the tabs and returns how many records the chosen one leaves.
func (v *recordList) filter(p Page, tabs ...recordTab) int {
	chosen := tabs[0]
	for _, t := range tabs {
		if t.show == v.Show {
			chosen = t
		}
	}
	v.Show = chosen.show
	for _, t := range tabs {
		address := url.Values{}
		if v.View == recordOrders {
			address.Set("view", recordOrders)
		}
		if v.Search != "" {
			address.Set("q", v.Search)
		}
		label := "all"
		if t.show != "" {
			address.Set("show", t.show)
			label = "integrations.records.show." + t.show
		}
		v.Tabs = append(v.Tabs, tabView{"/integrations/" + v.ID + "/records?" + address.Encode(), p.T(label), t == chosen, int(t.count)})
	}
	return int(chosen.count)
}

func (v *recordList) loadAssets(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant, id uuid.UUID, address *url.URL) error {
	pattern := integration.Pattern(v.Search)
	n, err := q.CountExternalAssets(ctx, tx, tenant, id, pattern)
	if err != nil {
		return err
	}
	v.Pager = NewPager(address, recordsSize, v.filter(p, recordTab{"", n.Total}, recordTab{"unmatched", n.Unmatched}, recordTab{"matched", n.Matched}, recordTab{"ignored", n.Ignored}))
	found, err := q.ListExternalAssets(ctx, tx, db.ListExternalAssetsParams{TenantID: tenant, IntegrationID: id, Show: v.Show, Pattern: pattern,
		PageSize: recordsSize, Skip: int32(v.Pager.Offset())}) //nolint:gosec // within the rows counted
	if err != nil {
		return err
	}
	assets, err := q.ListAssetsPlain(ctx, tx, tenant)
	if err != nil {
		return err
	}
	names := make([]string, len(assets))
	for i, a := range assets {
		names[i] = a.Tag
		if i < mostOffered {
			v.Assets = append(v.Assets, choiceOption{a.Tag, localName(p.Lang, a.NameAr, a.NameEn)})
		}
	}
	namer := integration.NewNamer(names)
	for _, x := range found {
		e := x.ExternalAsset
		row := recordRow{ID: e.ExternalID, Kind: e.Kind, KindLabel: p.T("integrations.records.kind." + e.Kind), Name: e.Name, Parent: e.ParentID,
			Asset: x.Tag, AssetName: localName(p.Lang, x.AssetAr, x.AssetEn), Ignored: e.Ignored, Inactive: e.Inactive, Changed: e.ChangedAt}
		if e.AssetID != nil {
			row.AssetID = e.AssetID.String()
		} else if !e.Ignored {
			row.Proposed = namer.Name(e.ExternalID + " " + e.Name)
		}
		v.Rows = append(v.Rows, row)
	}
	return nil
}

func (v *recordList) loadOrders(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant, id uuid.UUID, address *url.URL) error {
	pattern := integration.Pattern(v.Search)
	n, err := q.CountExternalOrders(ctx, tx, tenant, id, pattern)
	if err != nil {
		return err
	}
	v.Pager = NewPager(address, recordsSize, v.filter(p, recordTab{"", n.Total}, recordTab{"open", n.Open}, recordTab{"unmatched", n.Unmatched}, recordTab{"matched", n.Matched}))
	found, err := q.ListExternalOrders(ctx, tx, db.ListExternalOrdersParams{TenantID: tenant, IntegrationID: id, Show: v.Show, Pattern: pattern,
		PageSize: recordsSize, Skip: int32(v.Pager.Offset())}) //nolint:gosec // within the rows counted
	for _, x := range found {
		o := x.ExternalOrder
		row := recordRow{ID: o.ExternalID, Kind: o.Kind, KindLabel: p.T("integrations.records.kind." + o.Kind), Name: o.Title, Object: o.AssetExternalID,
			Asset: x.Tag, AssetName: localName(p.Lang, x.AssetAr, x.AssetEn), State: externalStates[o.State], StateLabel: p.T("integrations.order." + o.State), SourceState: o.SourceState,
			Type: o.TypeCode, Priority: o.PriorityCode, From: o.PlannedStart, To: o.PlannedEnd, Changed: o.ChangedAt, Hours: o.Hours}
		if o.AssetID != nil {
			row.AssetID = o.AssetID.String()
		}
		v.Rows = append(v.Rows, row)
	}
	return err
}

// matchRecord says which asset a record belongs to, that it is not wanted, or
// undoes either.
func (s *Server) matchRecord(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	ref := integration.RecordRef{Kind: r.PostFormValue("record_kind"), ExternalID: r.PostFormValue("record")}
	do, toast := r.PostFormValue("do"), "integrations.toast.matched"
	var asset *uuid.UUID
	switch do {
	case "match":
		if asset, err = s.assetOfTag(r, strings.TrimSpace(r.PostFormValue("match_tag"))); err != nil {
			return err
		}
	case "ignore":
		toast = "integrations.toast.ignored"
	default:
		toast = "integrations.toast.unmatched"
	}
	if err := s.integrations().Match(r.Context(), originOf(r), id, ref, asset, do == "ignore"); err != nil {
		return err
	}
	back := url.URL{Path: "/integrations/" + id.String() + "/records"}
	if query, err := url.ParseQuery(r.PostFormValue("back")); err == nil {
		back.RawQuery = query.Encode()
	}
	return s.redirect(w, r, back.String(), toast)
}

func (s *Server) assetOfTag(r *http.Request, tag string) (*uuid.UUID, error) {
	var found []uuid.UUID
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		found, err = q.AssetOfTag(ctx, tx, tenant, tag)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fault.New(fault.Invalid, integration.KeyRecordAsset)
	}
	return &found[0], nil
}
