package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/scoring"
	"github.com/optria-iq/optria/web/chart"
)

// Looks back of the asset page: small trends, the history of scores, and how
// many alerts it lists.
const (
	sparkSpan   = 7 * 24 * time.Hour
	sparkBucket = 4 * time.Hour
	scoreDays   = 90
	assetAlerts = 8
)

// assetRows is what the asset page reads, one query per block.
type assetRows struct {
	asset      db.GetAssetRow
	components []db.AssetComponent
	parts      map[uuid.UUID]float64 // expected loss by component, SAR
	plant      []db.PlantAssetsRow   // the assets of its site
	groups     map[string]db.RedundancyGroup
	scored     *db.AssetScorePageRow
	score      scoring.AssetScore
	signals    []db.ListSignalsWithLatestRow
	sparks     map[int64][]db.Band
	modes      []db.AssetFailureMode
	costs      []db.CostModel
	orders     []db.AssetWorkOrdersRow
	alerts     []alertView
	alertTotal int
	history    []db.AssetScoreDaysRow
	background background
	episodes   []episode
}

// assetView is the asset page.
type assetView struct {
	ID, Tag, Name, Class, Criticality, Site, Unit, Redundancy string
	AgeDays                                                   float64
	Beta, EtaDays                                             float64
	Tree                                                      []treeNode
	Score                                                     *scoreView
	Signals                                                   []signalRow
	Chosen                                                    *signalRow
	SeriesHref                                                string
	Ranges                                                    []tabView
	Episodes                                                  []episodeRow
	Modes                                                     []modeRow
	Costs                                                     []costRow
	FailureTotal, PlannedTotal                                float64
	Orders                                                    []assetOrder
	Alerts                                                    []alertView
	AlertTotal                                                int
	History                                                   chart.Plot
	CanRun, CanEdit, CanPrice                                 bool
}

func (s *Server) showAsset(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p, err := s.page(r, "assets.title")
	if err != nil {
		return err
	}
	var x assetRows
	span := rangeOf(r.URL.Query().Get("range"))
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		if err := x.loadPlant(ctx, tx, q, tenant, id); err != nil {
			return err
		}
		return x.loadState(ctx, tx, q, tenant, id, p, span)
	})
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	for i := range x.alerts {
		x.alerts[i].CanJudge, x.alerts[i].Next = who.Can(access.JudgeAlerts), "/assets/"+id.String()
	}
	v := newAssetView(p, x, r.URL.Query().Get("signal"), span)
	v.CanRun, v.CanEdit, v.CanPrice = who.Can(access.RunPrioritization), who.Can(access.EditAssets), who.Can(access.EditCostModels)
	p.Title = v.Tag
	p.Crumbs = []Crumb{{Href: "/assets", Label: p.T("nav.assets")}, {Href: "/assets?site=" + x.asset.Asset.SiteID.String(), Label: v.Site}, {Label: v.Tag, Tag: true}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "assets/detail", p)
	return nil
}

// loadPlant reads what the asset is: its place, parts, modes and costs.
func (x *assetRows) loadPlant(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID) (err error) {
	if x.asset, err = q.GetAsset(ctx, tx, tenant, id); err != nil {
		return err
	}
	if x.components, err = q.ListComponents(ctx, tx, tenant, []uuid.UUID{id}); err != nil {
		return err
	}
	if x.parts, err = componentRisks(ctx, tx, q, tenant, []uuid.UUID{id}); err != nil {
		return err
	}
	if x.plant, err = q.PlantAssets(ctx, tx, tenant, &x.asset.Asset.SiteID); err != nil {
		return err
	}
	if x.groups, err = redundancyGroups(ctx, tx, q, tenant); err != nil {
		return err
	}
	if x.modes, err = q.ListFailureModes(ctx, tx, tenant, []uuid.UUID{id}); err != nil {
		return err
	}
	if x.costs, err = q.ListCostModels(ctx, tx, tenant, []uuid.UUID{id}); err != nil {
		return err
	}
	x.orders, err = q.AssetWorkOrders(ctx, tx, tenant, id)
	return err
}

// loadState reads how the asset is: its score, signals, episodes and alerts.
func (x *assetRows) loadState(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID, p Page, span seriesRange) (err error) {
	if err = x.loadScore(ctx, tx, q, tenant, id); err != nil {
		return err
	}
	if x.signals, err = q.ListSignalsWithLatest(ctx, tx, tenant, id); err != nil {
		return err
	}
	ids := make([]int64, len(x.signals))
	for i, g := range x.signals {
		ids[i] = g.Signal.ID
	}
	now := time.Now()
	if x.sparks, err = db.ReadBands(ctx, tx, tenant, ids, now.Add(-sparkSpan), now, sparkBucket); err != nil {
		return err
	}
	if x.alerts, x.alertTotal, err = openAlerts(ctx, tx, q, tenant, p, &id, assetAlerts); err != nil {
		return err
	}
	if x.episodes, err = readEpisodes(ctx, tx, q, tenant, id, newWindow(now.Add(-span.Span), now)); err != nil {
		return err
	}
	x.history, err = q.AssetScoreDays(ctx, tx, tenant, id, now.AddDate(0, 0, -scoreDays))
	return err
}

// loadScore reads the newest score, if there is one, and what explains it.
func (x *assetRows) loadScore(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID) error {
	scored, err := q.AssetScorePage(ctx, tx, tenant, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	x.scored = &scored
	if err := json.Unmarshal(scored.AssetScore.Detail, &x.score); err != nil {
		return fmt.Errorf("read score of %s: %w", x.asset.Asset.Tag, err)
	}
	x.background, err = loadBackground(ctx, tx, q, tenant, x.score)
	return err
}
