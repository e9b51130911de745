package web

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/api"
)

// mountAPI adds the JSON API under its own path, with tokens instead of
// sessions.
func (s *Server) mountAPI(m chi.Router) {
	api.Mount(m, api.Deps{DB: s.DB, Workflows: s.Workflows, Box: s.Box, Secret: s.Config.JWTSecret, Catalog: s.catalog, Log: s.Log, CheckRun: s.checkRun})
}

// apiFields names the fields of the wizard as the API calls them.
var apiFields = map[string]string{"site": "sites", "budget": "budget_sar", "limit": "time_limit_seconds"}

// checkRun applies the rules of the wizard to a request of the API.
func (s *Server) checkRun(lang string, who access.Principal, in api.RunInput, sites []db.Site) (api.RunRequest, map[string]string) {
	p := Page{Lang: lang, URL: &url.URL{Path: "/"}, loc: s.catalog.Localizer(lang)}
	for _, kind := range problemKinds {
		if kind.kind == in.Problem && !who.Can(kind.capability) {
			return api.RunRequest{}, map[string]string{"problem": p.T("api.forbidden", "Capability", string(kind.capability))}
		}
	}
	x, errs := wizardOf(in).request(p, sites, time.Now())
	out := api.RunRequest{Problem: x.Problem, Title: x.Title, Start: x.Start, Days: x.Days, Limit: x.Limit}
	problems := map[string]string{}
	for field, text := range errs {
		if name, ok := apiFields[field]; ok {
			field = name
		} else if id, ok := strings.CutPrefix(field, "cap_"); ok {
			field = "downtime_caps." + id
		}
		problems[field] = text
	}
	known := map[string]bool{}
	for _, site := range sites {
		known[site.ID.String()] = true
	}
	for id := range in.DowntimeCaps {
		if !known[id] {
			problems["downtime_caps."+id] = p.T("field.choice")
		}
	}
	var err error
	if out.Objective, err = json.Marshal(x.Objective); err != nil {
		problems["weight_cost"] = p.T("scenarios.error.weights")
	}
	if out.Constraints, err = json.Marshal(x.Constraints); err != nil {
		problems["downtime_caps"] = p.T("field.choice")
	}
	return out, problems
}

// wizardOf fills the wizard in as a person would.
func wizardOf(in api.RunInput) scenarioForm {
	number := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', -1, 64)
	}
	f := scenarioForm{Key: uuid.NewString(), Problem: in.Problem, Title: in.Title, Start: in.Start, Days: strconv.Itoa(in.Days), Limit: strconv.Itoa(in.LimitSeconds),
		Sites: map[string]bool{}, Caps: map[string]string{}, Budget: number(in.BudgetSAR), OneTrain: in.OneTrainOut,
		Custom: in.WeightCost != nil || in.WeightRisk != nil, WeightCost: number(in.WeightCost), WeightRisk: number(in.WeightRisk)}
	for _, id := range in.Sites {
		f.Sites[id.String()] = true
	}
	for id, hours := range in.DowntimeCaps {
		f.Caps[id] = number(&hours)
	}
	return f
}
