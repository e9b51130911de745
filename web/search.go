package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/asset"
)

// Bounds of the search: results per kind and characters of a question.
const (
	searchAssets = 20
	maxQuestion  = 100
)

func (s *Server) searchRoutes() []route {
	return []route{{http.MethodGet, "/search", access.ViewResults, s.search}}
}

// searchHit is one result: its link, its words, and a mark of its state.
type searchHit struct {
	Href, Tag, Title, Note string
	At                     time.Time
	Level                  int
	Greyed                 bool // the score rests on age only
	State, StateLabel      string
}

type searchGroup struct {
	Icon, Title string
	Hits        []searchHit
	More        string // link to all results of the kind
}

type searchView struct {
	Query  string
	Groups []searchGroup
}

// search finds assets by tag and name, runs and plans by title.
func (s *Server) search(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "assets.search.title")
	if err != nil {
		return err
	}
	v := searchView{Query: bounded(r.URL.Query().Get("q"), maxQuestion)}
	if q := asset.Fold(v.Query); q != "" {
		err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, queries *db.Queries, tenant uuid.UUID) error {
			return findAll(ctx, tx, queries, tenant, p, q, &v)
		})
		if err != nil {
			return err
		}
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "assets/search", p)
	return nil
}

func findAll(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, p Page, text string, v *searchView) error {
	assets, err := q.ListAssets(ctx, tx, db.ListAssetsParams{TenantID: tenant, Search: text, Sort: "level", Descending: true, PageSize: searchAssets})
	if err != nil {
		return err
	}
	runs, err := q.SearchRuns(ctx, tx, tenant, text)
	if err != nil {
		return err
	}
	plans, err := q.SearchPlans(ctx, tx, tenant, text)
	if err != nil {
		return err
	}
	group := searchGroup{Icon: "factory", Title: p.T("nav.assets")}
	for _, x := range assets {
		hit := searchHit{Href: "/assets/" + x.Asset.ID.String(), Tag: x.Asset.Tag, Title: localName(p.Lang, x.Asset.NameAr, x.Asset.NameEn),
			Note: localName(p.Lang, x.SiteNameAr, x.SiteNameEn)}
		if x.RiskLevel != nil {
			hit.Level, hit.Greyed = int(*x.RiskLevel), !*x.Trusted
		}
		group.Hits = append(group.Hits, hit)
		if x.Total > searchAssets {
			group.More = "/assets?q=" + escapeQuery(v.Query)
		}
	}
	v.add(group)
	group = searchGroup{Icon: "clipboard-check", Title: p.T("nav.plans")}
	for _, x := range plans {
		group.Hits = append(group.Hits, searchHit{Href: "/plans/" + x.ID.String(), Title: x.Title, At: x.ProposedAt,
			Note: p.T("assets.search.version", "N", p.Loc().Int(int(x.Version))), State: planStates[x.State], StateLabel: p.T("plans.state." + x.State)})
	}
	v.add(group)
	group = searchGroup{Icon: "sliders-horizontal", Title: p.T("nav.scenarios")}
	for _, x := range runs {
		group.Hits = append(group.Hits, searchHit{Href: "/runs/" + x.ID.String(), Title: x.Title, At: x.RequestedAt,
			State: runStates[x.State], StateLabel: p.T("runs.state." + x.State)})
	}
	v.add(group)
	return nil
}

// add keeps kinds that have results.
func (v *searchView) add(g searchGroup) {
	if len(g.Hits) > 0 {
		v.Groups = append(v.Groups, g)
	}
}
