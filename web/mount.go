package web

import (
	"maps"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/runs"
	"github.com/optria-iq/optria/web/api"
)

// mountAPI adds the JSON API under its own path, with tokens instead of
// sessions.
func (s *Server) mountAPI(m chi.Router) {
	api.Mount(m, api.Deps{DB: s.DB, Workflows: s.Workflows, Box: s.Box, Secret: s.Config.JWTSecret, Catalog: s.catalog, Log: s.Log, CheckRun: s.checkRun})
}

// checkRun applies the rules of runs to a request of the API.
func (s *Server) checkRun(lang string, who access.Principal, in api.RunInput, sites []db.Site) (api.RunRequest, map[string]string) {
	l := s.catalog.Localizer(lang)
	if need, known := runs.CapabilityOf(in.Problem); known && !who.Can(need) {
		return api.RunRequest{}, map[string]string{"problem": l.T("api.forbidden", "Capability", string(need))}
	}
	scope := runs.Scope{Today: dateIn(riyadhZone, time.Now())}
	for _, site := range sites {
		scope.Sites = append(scope.Sites, site.ID)
	}
	problems := map[string]string{}
	request := runs.Request{Problem: in.Problem, Title: in.Title, Start: in.Start, Days: in.Days, LimitSeconds: in.LimitSeconds,
		Constraints: runs.Constraints{SiteIDs: in.Sites, BudgetSAR: in.BudgetSAR, OneTrainOut: in.OneTrainOut}}
	for name, weight := range map[string]*float64{"weight_cost": in.WeightCost, "weight_risk": in.WeightRisk} {
		if weight != nil {
			if request.Objective.Weights == nil {
				request.Objective.Weights = map[string]float64{}
			}
			request.Objective.Weights[name] = *weight
		}
	}
	for _, text := range slices.Sorted(maps.Keys(in.DowntimeCaps)) {
		id, err := uuid.Parse(text)
		if err != nil {
			problems["downtime_caps."+text] = l.T("field.choice")
			continue
		}
		if request.Constraints.DowntimeCaps == nil {
			request.Constraints.DowntimeCaps = map[uuid.UUID]float64{}
		}
		request.Constraints.DowntimeCaps[id] = in.DowntimeCaps[text]
	}
	x, mistakes := request.Check(scope)
	for _, mistake := range mistakes {
		problems[mistake.Field] = mistake.Text(l)
	}
	return api.RunRequest{Problem: x.Problem, Title: x.Title, Start: x.Start, Days: x.Days, Limit: x.Limit, Objective: x.Objective, Constraints: x.Constraints}, problems
}
