package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/scoring"
)

// assetPageSize is the number of rows of the list of assets.
const assetPageSize = 25

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
	Change                            float64 // of the risk index since the day before, points
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
	Anomalous, Greyed         bool
	Cell                      string // of the risk matrix: likelihood, then consequence
	CellText                  string
	Filtered                  bool
	Fleet                     db.FleetSummaryRow
	HealthTone                string
	Loss, LossUnit            string
	Levels                    []levelCount
	Matrix                    [5][5]matrixCell
	AnomalousHref, GreyedHref string
	CellHref                  string // clears the cell
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
	var cells []db.FleetCellsRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if v.Fleet, err = q.FleetSummary(ctx, tx, tenant); err != nil {
			return err
		}
		if cells, err = q.FleetCells(ctx, tx, tenant); err != nil {
			return err
		}
		if sites, err = q.ListSites(ctx, tx, tenant); err != nil {
			return err
		}
		rows, err = q.ListAssets(ctx, tx, v.query(tenant, pageOffset(r, assetPageSize)))
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
		v.Rows = append(v.Rows, newAssetRow(p, x))
	}
	v.Pager = NewPager(r.URL, assetPageSize, total)
	v.Pager.Target = "assets"
	v.HealthTone = healthTone(v.Fleet.Health)
	v.Loss, v.LossUnit = p.Loc().Compact(v.Fleet.RiskSar)
	v.Levels, v.Matrix = levelCounts(p, v.Fleet, v.Level), fleetMatrix(p, cells, v.Cell)
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "assets/list", p)
	return nil
}

// query asks for one page of the list.
func (v assetList) query(tenant uuid.UUID, skip int32) db.ListAssetsParams {
	likelihood, consequence := cellOf(v.Cell)
	return db.ListAssetsParams{TenantID: tenant, SiteID: optionalUUID(v.Site), Criticality: v.Criticality, RiskLevel: int32(v.Level), //nolint:gosec // 0 to 5
		OnlyAnomalous: v.Anomalous, OnlyGreyed: v.Greyed, Likelihood: likelihood, Consequence: consequence,
		Search: asset.Fold(v.Search), Descending: v.Sort.Desc, Sort: v.Sort.Column, Skip: skip, PageSize: assetPageSize}
}

// readAssetList reads filters and order from the address; what is not allowed
// counts as absent.
func readAssetList(p Page, r *http.Request) assetList {
	query := r.URL.Query()
	v := assetList{Search: bounded(query.Get("q"), maxQuestion), Criticality: query.Get("criticality"),
		Sort:      NewSorter(r.URL, "-change", "tag", "criticality", "health", "probability", "rul", "level", "risk", "change"),
		Anomalous: query.Get("anomalous") == "1", Greyed: query.Get("greyed") == "1"}
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
	if likelihood, consequence := cellOf(query.Get("cell")); likelihood > 0 {
		v.Cell = query.Get("cell")
		v.CellText = p.T("assets.cell", "Likelihood", p.T("matrix.l"+p.Loc().Int(int(likelihood))), "Consequence", p.T("matrix.c"+p.Loc().Int(int(consequence))))
		v.CellHref = p.With("cell", "", "page", "")
	}
	v.AnomalousHref, v.GreyedHref = toggle(p, "anomalous", v.Anomalous), toggle(p, "greyed", v.Greyed)
	for _, c := range []string{"A", "B", "C"} {
		v.Criticalities = append(v.Criticalities, choiceOption{c, p.T("criticality." + c)})
	}
	for n := 5; n >= 1; n-- {
		v.LevelOptions = append(v.LevelOptions, choiceOption{strconv.Itoa(n), p.T("risk." + strconv.Itoa(n))})
	}
	v.Filtered = v.Search != "" || v.Criticality != "" || v.Site != "" || v.Level != 0 || v.Anomalous || v.Greyed || v.Cell != ""
	return v
}

// toggle is the address that turns a filter on, or off when it is on.
func toggle(p Page, name string, on bool) string {
	if on {
		return p.With(name, "", "page", "")
	}
	return p.With(name, "1", "page", "")
}

// cellOf reads a cell of the risk matrix, such as 43 for likelihood 4 and
// consequence 3; zeros for anything else.
func cellOf(cell string) (likelihood, consequence int32) {
	if len(cell) != 2 || cell[0] < '1' || cell[0] > '5' || cell[1] < '1' || cell[1] > '5' {
		return 0, 0
	}
	return int32(cell[0] - '0'), int32(cell[1] - '0')
}

// fleetMatrix counts the assets of every cell; a cell leads to its assets.
func fleetMatrix(p Page, cells []db.FleetCellsRow, chosen string) [5][5]matrixCell {
	m := emptyMatrix(func(likelihood, consequence int) string {
		cell := strconv.Itoa(likelihood) + strconv.Itoa(consequence)
		if cell == chosen {
			return p.With("cell", "", "page", "")
		}
		return p.With("cell", cell, "page", "")
	})
	for _, c := range cells {
		if c.Likelihood < 1 || c.Likelihood > 5 || c.Consequence < 1 || c.Consequence > 5 {
			continue
		}
		x := &m[5-c.Likelihood][c.Consequence-1]
		x.N = int(c.Assets)
		if c.Greyed > 0 {
			x.Tip = p.T("assets.matrix.greyed", "N", p.Loc().Int(int(c.Greyed)))
		}
	}
	if likelihood, consequence := cellOf(chosen); likelihood > 0 {
		m[5-likelihood][consequence-1].Chosen = true
	}
	return m
}

func newAssetRow(p Page, x db.ListAssetsRow) assetRow {
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
	row.Change = *x.RiskIndexChange
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
