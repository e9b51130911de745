package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// assetPageSize is the number of rows of the list of assets.
const assetPageSize = 25

// changeAge is how much older than the newest score the one must be with
// which the list compares it.
const changeAge = 20 * time.Hour

func (s *Server) assetRoutes() []route {
	return append(s.searchRoutes(),
		route{http.MethodGet, "/assets", access.ViewResults, s.listAssets},
		route{http.MethodGet, "/assets/{id}", access.ViewResults, s.showAsset},
		route{http.MethodGet, "/assets/{id}/series.json", access.ViewResults, s.assetSeries},
	)
}

// assetRow is one asset of the list with its newest score.
type assetRow struct {
	ID, Tag, Name, Place, Criticality string
	Scored, Trusted, Anomaly          bool
	Level                             int
	Health                            float64
	HealthTone, Life                  string
	P, PLo, PHi, Coverage, Loss       float64
	HasChange                         bool
	Change                            float64 // of the risk index, points
}

// levelCount is one level of risk with the number of assets in it.
type levelCount struct {
	Level, N int
	Href     string
	Active   bool
}

type assetList struct {
	Rows                      []assetRow
	Sites, Criticalities      []choiceOption
	LevelOptions              []choiceOption
	Site, Criticality, Search string
	Level                     int
	Filtered                  bool
	Fleet                     db.FleetSummaryRow
	HealthTone                string
	Levels                    []levelCount
	Sort                      Sorter
	Pager                     Pager
}

// listAssets shows the fleet with its newest scores.
func (s *Server) listAssets(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "assets.title")
	if err != nil {
		return err
	}
	v := readAssetList(p, r)
	var rows []db.ListAssetsRow
	var sites []db.Site
	before := map[uuid.UUID]db.ScoresBeforeRow{}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if v.Fleet, err = q.FleetSummary(ctx, tx, tenant); err != nil {
			return err
		}
		if sites, err = q.ListSites(ctx, tx, tenant); err != nil {
			return err
		}
		rows, err = q.ListAssets(ctx, tx, db.ListAssetsParams{TenantID: tenant, SiteID: optionalUUID(v.Site), Criticality: v.Criticality,
			RiskLevel: int32(v.Level), Search: asset.Fold(v.Search), Descending: v.Sort.Desc, Sort: v.Sort.Column, //nolint:gosec // 0 to 5
			Skip: pageOffset(r, assetPageSize), PageSize: assetPageSize})
		if err != nil || len(rows) == 0 {
			return err
		}
		before, err = earlierScores(ctx, tx, q, tenant, rows, v.Fleet.ScoredAt.Add(-changeAge))
		return err
	})
	if err != nil {
		return err
	}
	for _, site := range sites {
		v.Sites = append(v.Sites, choiceOption{site.ID.String(), localName(p.Lang, site.NameAr, site.NameEn)})
	}
	total := 0
	for _, x := range rows {
		total = int(x.Total)
		v.Rows = append(v.Rows, newAssetRow(p, x, before))
	}
	v.Pager = NewPager(r.URL, assetPageSize, total)
	v.Pager.Target = "assets"
	v.HealthTone = healthTone(v.Fleet.Health)
	v.Levels = levelCounts(p, v.Fleet, v.Level)
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "assets/list", p)
	return nil
}

// readAssetList reads filters and order from the address; what is not allowed
// counts as absent.
func readAssetList(p Page, r *http.Request) assetList {
	query := r.URL.Query()
	v := assetList{Search: bounded(query.Get("q"), maxQuestion), Criticality: query.Get("criticality"),
		Sort: NewSorter(r.URL, "-level", "tag", "criticality", "health", "probability", "rul", "level", "risk")}
	v.Sort.Target = "assets"
	if id := optionalUUID(query.Get("site")); id != nil {
		v.Site = id.String()
	}
	if !slices.Contains([]string{"A", "B", "C"}, v.Criticality) {
		v.Criticality = ""
	}
	if n, err := strconv.Atoi(query.Get("level")); err == nil && n >= 1 && n <= 5 {
		v.Level = n
	}
	for _, c := range []string{"A", "B", "C"} {
		v.Criticalities = append(v.Criticalities, choiceOption{c, p.T("criticality." + c)})
	}
	for n := 5; n >= 1; n-- {
		v.LevelOptions = append(v.LevelOptions, choiceOption{strconv.Itoa(n), p.T("risk." + strconv.Itoa(n))})
	}
	v.Filtered = v.Search != "" || v.Criticality != "" || v.Site != "" || v.Level != 0
	return v
}

// earlierScores finds, for the assets of a page, the score before a moment.
func earlierScores(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, rows []db.ListAssetsRow, at time.Time) (map[uuid.UUID]db.ScoresBeforeRow, error) {
	ids := make([]uuid.UUID, len(rows))
	for i, x := range rows {
		ids[i] = x.Asset.ID
	}
	earlier, err := q.ScoresBefore(ctx, tx, tenant, ids, at)
	out := map[uuid.UUID]db.ScoresBeforeRow{}
	for _, x := range earlier {
		out[x.AssetID] = x
	}
	return out, err
}

func newAssetRow(p Page, x db.ListAssetsRow, before map[uuid.UUID]db.ScoresBeforeRow) assetRow {
	row := assetRow{ID: x.Asset.ID.String(), Tag: x.Asset.Tag, Name: localName(p.Lang, x.Asset.NameAr, x.Asset.NameEn),
		Place:       localName(p.Lang, x.SiteNameAr, x.SiteNameEn) + " · " + localName(p.Lang, x.UnitNameAr, x.UnitNameEn),
		Criticality: x.Asset.Criticality, Scored: x.ScoredAt != nil}
	if !row.Scored {
		return row
	}
	row.Trusted, row.Anomaly, row.Level = *x.Trusted, *x.AnomalyFlag, int(*x.RiskLevel)
	row.Health, row.HealthTone = *x.HealthScore, healthTone(*x.HealthScore)
	if !row.Trusted {
		row.HealthTone = "t-none"
	}
	row.Life = p.Loc().Num(*x.RulDays, 0)
	if limit := scoring.DefaultSettings().RULCapDays; *x.RulDays >= limit {
		row.Life = "> " + p.Loc().Num(limit, 0)
	}
	row.P, row.PLo, row.PHi = *x.FailureProbability30, *x.FailureProbability30Lo, *x.FailureProbability30Hi
	row.Coverage, row.Loss = *x.Coverage, *x.ProductionRiskSar
	if old, ok := before[x.Asset.ID]; ok {
		row.HasChange, row.Change = true, *x.ProductionRiskIndex-old.ProductionRiskIndex
	}
	return row
}

// levelCounts are the five levels of risk, the worst first, each a link that
// filters by it.
func levelCounts(p Page, f db.FleetSummaryRow, active int) []levelCount {
	var out []levelCount
	for i, n := range []int64{f.Level5, f.Level4, f.Level3, f.Level2, f.Level1} {
		level := 5 - i
		c := levelCount{Level: level, N: int(n), Href: p.With("level", strconv.Itoa(level), "page", ""), Active: level == active}
		if c.Active {
			c.Href = p.With("level", "", "page", "")
		}
		out = append(out, c)
	}
	return out
}
