package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/web/integration"
)

// maxRules bounds the rules of one request.
const maxRules = 10_000

// Node is one entry of a source's tree as it was last listed.
type Node struct {
	Address  string   `json:"address" doc:"The external tag of a leaf, or the parent to list next"`
	Name     string   `json:"name"`
	Path     string   `json:"path,omitempty"`
	Leaf     bool     `json:"leaf"`
	Unit     string   `json:"unit,omitempty"`
	DataType string   `json:"data_type,omitempty"`
	Low      *float64 `json:"low,omitempty"`
	High     *float64 `json:"high,omitempty"`
	Mapped   bool     `json:"mapped"`
	Listed   bool     `json:"listed" doc:"false: a rule names the tag, but the source does not list it"`
}

// RuleInput is a rule to store. Without a factor the unit of the source is
// converted to that of the signal.
type RuleInput struct {
	ExternalTag string   `json:"external_tag" minLength:"1" maxLength:"400"`
	Asset       string   `json:"asset" minLength:"1" maxLength:"80" doc:"Tag of the asset"`
	Component   string   `json:"component,omitempty" maxLength:"200"`
	Metric      string   `json:"metric" minLength:"1" maxLength:"60"`
	Unit        string   `json:"unit,omitempty" doc:"Of a metric that the asset does not have yet"`
	SourceUnit  string   `json:"source_unit,omitempty" doc:"A reading in another unit is kept as bad"`
	Factor      *float64 `json:"factor,omitempty" doc:"stored value = source value × factor + shift"`
	Shift       float64  `json:"shift,omitempty"`
	Low         *float64 `json:"low,omitempty" doc:"Stored values below are kept as bad"`
	High        *float64 `json:"high,omitempty"`
}

func (x RuleInput) rule() integration.Rule {
	r := integration.Rule{ExternalTag: x.ExternalTag, Asset: x.Asset, Component: x.Component, Metric: x.Metric, Unit: x.Unit, SourceUnit: x.SourceUnit,
		Shift: x.Shift, Low: x.Low, High: x.High}
	if x.Factor != nil {
		r.Factor = *x.Factor
	}
	return r
}

// RulesReport says what a batch of rules brought.
type RulesReport struct {
	Added          int `json:"added"`
	Changed        int `json:"changed"`
	SignalsCreated int `json:"signals_created"`
}

// ByMapping names one rule of an integration.
type ByMapping struct {
	ByID
	Mapping uuid.UUID `path:"mapping" format:"uuid"`
}

// TagPage is what the list of tags takes.
type TagPage struct {
	ByID
	Paging
	Parent string `query:"parent" maxLength:"400" doc:"List the nodes below this one; without it and without q or show, the root"`
	Q      string `query:"q" maxLength:"200" doc:"Search in addresses and names"`
	Show   string `query:"show" enum:"all,unmapped,mapped,stale,gone" doc:"List the tags of the whole tree instead of a branch"`
}

func (a *API) integrationTags(tag string) {
	add(a, access.ViewIntegrations, route(http.MethodGet, "/integrations/{id}/nodes", "list-integration-nodes", "The tree of a source branch by branch, or its tags by filter", tag), a.listNodes)
	discover := route(http.MethodPost, "/integrations/{id}/discover", "discover-integration", "List the tree of the source again", tag)
	discover.DefaultStatus, discover.Errors = http.StatusAccepted, []int{http.StatusConflict, http.StatusServiceUnavailable}
	add(a, access.TestIntegrations, discover, func(ctx context.Context, _ access.Principal, in *ByID) (*struct{}, error) {
		return nil, a.service().Discover(ctx, origin(ctx), in.ID)
	})
	add(a, access.ViewIntegrations, route(http.MethodGet, "/integrations/{id}/mappings", "list-mappings", "Rules of an integration", tag), a.listMappings)
	create := route(http.MethodPost, "/integrations/{id}/mappings", "create-mapping", "Map a tag that has no rule; a second time is a conflict", tag)
	create.DefaultStatus, create.Errors = http.StatusCreated, []int{http.StatusConflict}
	add(a, access.TestIntegrations, create, a.createMapping)
	bulk := route(http.MethodPost, "/integrations/{id}/mappings/bulk", "save-mappings", "Add or change rules by their tags, all or none; sending it again changes nothing", tag)
	bulk.MaxBodyBytes = maxBatchBytes
	add(a, access.TestIntegrations, bulk, a.saveMappings)
	add(a, access.TestIntegrations, route(http.MethodPut, "/integrations/{id}/mappings/{mapping}", "change-mapping", "Change a rule; its tag stays", tag), a.changeMapping)
	archive := route(http.MethodDelete, "/integrations/{id}/mappings/{mapping}", "archive-mapping", "End a rule; its readings are kept", tag)
	archive.DefaultStatus = http.StatusNoContent
	add(a, access.TestIntegrations, archive, func(ctx context.Context, _ access.Principal, in *ByMapping) (*struct{}, error) {
		return nil, a.service().ArchiveRule(ctx, origin(ctx), in.ID, in.Mapping)
	})
}

func (a *API) listNodes(ctx context.Context, who access.Principal, in *TagPage) (*answer[List[Node]], error) {
	skip := 0
	if parts, err := in.parts(ctx, 1); err != nil {
		return nil, err
	} else if parts != nil {
		if skip, err = strconv.Atoi(parts[0]); err != nil || skip < 0 || skip > 10_000_000 {
			return nil, badCursor(ctx)
		}
	}
	var rows []Node
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if _, err := q.GetIntegration(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		if in.Q != "" || in.Show != "" {
			rows, err = tagNodes(ctx, tx, q, who.TenantID, in, skip)
		} else {
			rows, err = childNodes(ctx, tx, q, who.TenantID, in, skip)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	next := cursorOf(strconv.Itoa(skip + int(in.Limit)))
	return reply(page(rows, in.Limit, func(n Node) Node { return n }, func(Node) string { return next })), nil
}

func childNodes(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, in *TagPage, skip int) ([]Node, error) {
	found, err := q.ListChildNodes(ctx, tx, db.ListChildNodesParams{TenantID: tenant, IntegrationID: in.ID, Parent: in.Parent, PageSize: in.Limit + 1, Skip: int32(skip)}) //nolint:gosec // bounded by the caller
	rows := make([]Node, 0, len(found))
	for _, x := range found {
		rows = append(rows, Node{Address: x.Address, Name: x.Name, Path: x.Path, Leaf: x.Leaf, Unit: x.Unit, DataType: x.DataType, Low: x.Low, High: x.High, Mapped: x.Mapped, Listed: true})
	}
	return rows, err
}

func tagNodes(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, in *TagPage, skip int) ([]Node, error) {
	now := time.Now()
	found, err := q.ListTags(ctx, tx, db.ListTagsParams{TenantID: tenant, IntegrationID: in.ID, Pattern: integration.Pattern(in.Q), Show: shown(in.Show), AsOf: now, PageSize: in.Limit + 1, Skip: int32(skip)}) //nolint:gosec // bounded by the caller
	if err != nil {
		return nil, err
	}
	rows, tags := make([]Node, 0, len(found)), make([]string, 0, len(found))
	for _, x := range found {
		rows = append(rows, Node{Address: x.Address, Name: x.Name, Path: x.Path, Leaf: true, Unit: x.Unit, DataType: x.DataType, Low: x.Low, High: x.High, Listed: x.Listed})
		tags = append(tags, x.Address)
	}
	rules, err := q.RulesOfTags(ctx, tx, db.RulesOfTagsParams{TenantID: tenant, IntegrationID: in.ID, Tags: tags, AsOf: now})
	mapped := map[string]bool{}
	for _, x := range rules {
		mapped[x.IntegrationMapping.ExternalTag] = true
	}
	for i := range rows {
		rows[i].Mapped = mapped[rows[i].Address]
	}
	return rows, err
}

func (a *API) listMappings(ctx context.Context, who access.Principal, in *ByID) (*answer[List[Mapping]], error) {
	out := List[Mapping]{Items: []Mapping{}}
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.GetIntegration(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		rows, err := q.ListIntegrationMappings(ctx, tx, who.TenantID, in.ID)
		for _, x := range rows {
			m := x.IntegrationMapping
			out.Items = append(out.Items, Mapping{ID: m.ID, ExternalTag: m.ExternalTag, AssetID: m.AssetID, Asset: x.Tag, Component: x.ComponentEn, Metric: x.Metric,
				Unit: x.Unit, SourceUnit: m.SourceUnit, Factor: m.Factor, Shift: m.Shift, Low: m.Low, High: m.High})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

// mapping answers with the rule of a tag.
func (a *API) mapping(ctx context.Context, who access.Principal, id uuid.UUID, tag string) (*answer[Mapping], error) {
	var out Mapping
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		rows, err := q.RulesOfTags(ctx, tx, db.RulesOfTagsParams{TenantID: who.TenantID, IntegrationID: id, Tags: []string{tag}, AsOf: time.Now()})
		for _, x := range rows {
			m := x.IntegrationMapping
			out = Mapping{ID: m.ID, ExternalTag: m.ExternalTag, AssetID: m.AssetID, Asset: x.Tag, Component: x.ComponentEn, Metric: x.Metric,
				Unit: x.Unit, SourceUnit: m.SourceUnit, Factor: m.Factor, Shift: m.Shift, Low: m.Low, High: m.High}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

func (a *API) createMapping(ctx context.Context, who access.Principal, in *struct {
	ByID
	Body RuleInput
}) (*answer[Mapping], error) {
	return a.saveMapping(ctx, who, in.ID, in.Body.rule(), true)
}

func (a *API) saveMapping(ctx context.Context, who access.Principal, id uuid.UUID, rule integration.Rule, fresh bool) (*answer[Mapping], error) {
	_, problems, err := a.service().SaveRule(ctx, origin(ctx), id, rule, fresh)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		return nil, invalidKeys(ctx, problems)
	}
	return a.mapping(ctx, who, id, rule.ExternalTag)
}

func (a *API) changeMapping(ctx context.Context, who access.Principal, in *struct {
	ByMapping
	Body RuleInput
}) (*answer[Mapping], error) {
	var known db.IntegrationMapping
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		known, err = q.GetMapping(ctx, tx, who.TenantID, in.ID, in.Mapping)
		return err
	})
	if err != nil {
		return nil, err
	}
	rule := in.Body.rule()
	if rule.ExternalTag != known.ExternalTag {
		return nil, invalidKeys(ctx, map[string]string{"external_tag": integration.KeyTag})
	}
	return a.saveMapping(ctx, who, in.ID, rule, false)
}

func (a *API) saveMappings(ctx context.Context, _ access.Principal, in *struct {
	ByID
	Body struct {
		Rules []RuleInput `json:"rules" minItems:"1" maxItems:"10000"`
	}
}) (*answer[RulesReport], error) {
	lines := make([]integration.Line, 0, min(len(in.Body.Rules), maxRules))
	for i, x := range in.Body.Rules {
		lines = append(lines, integration.Line{Number: i, Rule: x.rule()})
	}
	done, problems, err := a.service().SaveRules(ctx, origin(ctx), in.ID, lines)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		keys := map[string]string{}
		for _, x := range problems[:min(len(problems), problemsListed)] {
			keys["rules["+strconv.Itoa(x.Line)+"]."+x.Field] = x.Key
		}
		return nil, invalidKeys(ctx, keys)
	}
	return reply(RulesReport{done.Added, done.Changed, done.SignalsCreated}), nil
}
