package api

import (
	"context"
	"net/http"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/i18n"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/runs"
)

// ProblemKind is an optimization problem that can be run, with what its form
// asks for. Texts are in the caller's language.
type ProblemKind struct {
	Kind       string          `json:"kind"`
	Name       string          `json:"name"`
	Title      string          `json:"title"`
	Summary    string          `json:"summary"`
	Objectives []ProblemPreset `json:"objectives"`
	Fields     []ProblemField  `json:"fields"`
	MaxDays    int             `json:"max_days" doc:"Longest horizon"`
	Parts      []optimize.Part `json:"parts" doc:"Parts of a result beyond table and summary"`
	Executable bool            `json:"executable" doc:"A plan can be released as work orders"`
	Capability string          `json:"capability" doc:"What a caller needs to run it"`
	Allowed    bool            `json:"allowed" doc:"The caller may run it"`
}

// ProblemPreset is one objective of a problem.
type ProblemPreset struct {
	Kind    string `json:"kind"`
	Title   string `json:"title"`
	Default bool   `json:"default"`
}

// ProblemField is one number of a problem's form.
type ProblemField struct {
	Name     string  `json:"name"`
	Title    string  `json:"title"`
	Type     string  `json:"type" doc:"number, integer, bool or date"`
	Unit     string  `json:"unit,omitempty"`
	Min      float64 `json:"min"`
	Max      float64 `json:"max"`
	Default  float64 `json:"default"`
	Optional bool    `json:"optional"`
	PerSite  bool    `json:"per_site" doc:"Given by site, as downtime_caps is"`
	Weight   bool    `json:"weight" doc:"Goes into weights, not into fields"`
}

func (a *API) problems() {
	add(a, access.ViewResults, route(http.MethodGet, "/problems", "list-problems", "Problems that can be run, with their fields", "Runs"), a.listProblems)
}

func (a *API) listProblems(ctx context.Context, who access.Principal, _ *struct{}) (*answer[List[ProblemKind]], error) {
	out := List[ProblemKind]{Items: []ProblemKind{}}
	for _, spec := range optimize.Specs() {
		out.Items = append(out.Items, showProblem(localizer(ctx), who, spec))
	}
	return reply(out), nil
}

func showProblem(l *i18n.Localizer, who access.Principal, spec optimize.Spec) ProblemKind {
	need, _ := runs.CapabilityOf(spec.Kind)
	p := ProblemKind{Kind: spec.Kind, Name: spec.Name, Title: l.T(spec.TitleKey), Summary: l.T(spec.SummaryKey), Objectives: []ProblemPreset{}, Fields: []ProblemField{},
		MaxDays: min(spec.MaxDays, runs.MaxAhead), Parts: append([]optimize.Part{}, spec.Shows...), Executable: spec.Executable, Capability: string(need), Allowed: who.Can(need)}
	for _, o := range spec.Objectives {
		p.Objectives = append(p.Objectives, ProblemPreset{Kind: o.Kind, Title: l.T(o.TextKey), Default: o.Default})
	}
	for _, f := range spec.Constraints {
		p.Fields = append(p.Fields, ProblemField{Name: f.Name, Title: l.T(f.LabelKey), Type: string(f.Type), Unit: f.Unit, Min: f.Min, Max: f.Max,
			Default: f.Default, Optional: f.Optional, PerSite: f.PerSite, Weight: f.Weight})
	}
	return p
}
