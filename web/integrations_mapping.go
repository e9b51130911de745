package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/integration"
)

// mappingPageSize is the number of tags on one page; live values are read for
// these only.
const mappingPageSize = 25

// Filters of the mapping page.
const (
	tagsUnmapped = "unmapped"
	tagsMapped   = "mapped"
)

// mappingRow is one external tag with the signal that it feeds or may feed.
type mappingRow struct {
	Address, Name, Path, SourceUnit string
	Listed                          bool // the source still lists the tag
	Rule                            string
	Asset, AssetName, Component     string
	AssetID, Metric, MetricName     string
	Unit                            string
	Factor, Shift                   float64
	Scaled                          bool
	Suggested, Sure                 bool
	HasLive, LiveBad, UnitDiffers   bool
	Live, Stored                    float64
	LiveUnit                        string
	LiveAt                          time.Time
}

type mappingList struct {
	ID, Name, Search, Filter string
	Rows                     []mappingRow
	Tabs                     []tabView
	Pager                    Pager
	Mapped, Unmapped, Total  int
	More, CanMap             bool
	Problem                  string
	Errors                   []fileError
	FileError                string
}

// fileError is one refused line of an uploaded rule file.
type fileError struct {
	Line          int
	Column, Value string
	Text          string
}

// mappingData is what the mapping page reads.
type mappingData struct {
	integration db.Integration
	rules       []db.ListIntegrationMappingsRow
	targets     []db.MappingTargetsRow
}

func (s *Server) loadMappings(r *http.Request) (uuid.UUID, mappingData, error) {
	var x mappingData
	id, err := pathUUID(r, "id")
	if err != nil {
		return id, x, err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if x.integration, err = q.GetIntegration(ctx, tx, tenant, id); err != nil {
			return err
		}
		if x.rules, err = q.ListIntegrationMappings(ctx, tx, tenant, id); err != nil {
			return err
		}
		x.targets, err = q.MappingTargets(ctx, tx, tenant)
		return err
	})
	return id, x, err
}

func mappingCrumbs(p Page, id uuid.UUID, name string) []Crumb {
	return []Crumb{{Href: "/integrations", Label: p.T("integrations.title")}, {Href: "/integrations/" + id.String(), Label: name}, {Label: p.T("integrations.mappings")}}
}

func (s *Server) listMappings(w http.ResponseWriter, r *http.Request) error {
	return s.mappingPage(w, r, http.StatusOK, nil, "")
}

// mappingPage prints the tags of a source beside the signals that they feed.
func (s *Server) mappingPage(w http.ResponseWriter, r *http.Request, status int, errs []fileError, fileErr string) error {
	id, x, err := s.loadMappings(r)
	if err != nil {
		return err
	}
	p, err := s.page(r, "integrations.mappings")
	if err != nil {
		return err
	}
	query := r.URL.Query()
	v := mappingList{ID: id.String(), Name: x.integration.Name, Search: strings.TrimSpace(query.Get("q")), Filter: query.Get("show"),
		CanMap: access.From(r.Context()).Can(access.TestIntegrations), Errors: errs, FileError: fileErr}
	var shown []mappingRow
	source, err := s.integrations().Look(r.Context(), access.From(r.Context()).TenantID, id, func(tags []integration.Tag) []string {
		shown = v.choose(r, mappingRows(p, tags, x.rules))
		return listedTags(shown)
	})
	if err != nil {
		return err
	}
	if source.Problem != nil {
		v.Problem = p.T(connector.MessageKey(source.Problem))
	}
	if shown == nil { // the tree could not be listed: the rules are shown without it
		shown = v.choose(r, mappingRows(p, nil, x.rules))
	}
	v.More = source.More
	for i := range shown {
		shown[i].complete(x.targets, source.Live)
	}
	v.Rows = shown
	base := "/integrations/" + v.ID + "/mappings"
	v.Tabs = []tabView{{base, p.T("all"), v.Filter == "", v.Total}, {base + "?show=" + tagsUnmapped, p.T("integrations.unmapped"), v.Filter == tagsUnmapped, v.Unmapped},
		{base + "?show=" + tagsMapped, p.T("integrations.mapped"), v.Filter == tagsMapped, v.Mapped}}
	p.Crumbs, p.Data = mappingCrumbs(p, id, v.Name), v
	s.render.Render(w, r, status, "integrations/mappings", p)
	return nil
}

// mappingRows joins the tags of the source with the rules; rules whose tag the
// source no longer lists come as well.
func mappingRows(p Page, tags []integration.Tag, rules []db.ListIntegrationMappingsRow) []mappingRow {
	byTag := map[string]*mappingRow{}
	var order []string
	for _, t := range tags {
		byTag[t.Address] = &mappingRow{Address: t.Address, Name: t.Name, Path: t.Path, SourceUnit: t.Unit, Listed: true}
		order = append(order, t.Address)
	}
	for _, x := range rules {
		m := x.IntegrationMapping
		row := byTag[m.ExternalTag]
		if row == nil {
			row = &mappingRow{Address: m.ExternalTag}
			byTag[m.ExternalTag] = row
			order = append(order, m.ExternalTag)
		}
		if row.SourceUnit == "" {
			row.SourceUnit = m.SourceUnit
		}
		row.Rule, row.Asset, row.AssetID, row.AssetName = m.ID.String(), x.Tag, m.AssetID.String(), localName(p.Lang, x.AssetAr, x.AssetEn)
		row.Component, row.Metric, row.MetricName = localName(p.Lang, x.ComponentAr, x.ComponentEn), x.Metric, localName(p.Lang, x.SignalAr, x.SignalEn)
		row.Unit, row.Factor, row.Shift, row.Scaled = x.Unit, m.Factor, m.Shift, m.Factor != 1 || m.Shift != 0
	}
	out := make([]mappingRow, 0, len(order))
	for _, tag := range order {
		out = append(out, *byTag[tag])
	}
	slices.SortStableFunc(out, func(a, b mappingRow) int { return cmp.Compare(min(1, len(a.Rule)), min(1, len(b.Rule))) })
	return out
}

// choose counts all rows and returns those of the page that the filters ask
// for.
func (v *mappingList) choose(r *http.Request, all []mappingRow) []mappingRow {
	v.Total, v.Mapped = len(all), 0
	folded := asset.Fold(v.Search)
	var matching []mappingRow
	for _, x := range all {
		if x.Rule != "" {
			v.Mapped++
		}
		hidden := (v.Filter == tagsUnmapped && x.Rule != "") || (v.Filter == tagsMapped && x.Rule == "")
		if !hidden && strings.Contains(asset.Fold(x.Address+" "+x.Name+" "+x.Asset+" "+x.Metric), folded) {
			matching = append(matching, x)
		}
	}
	v.Unmapped = v.Total - v.Mapped
	address := url.URL{Path: "/integrations/" + v.ID + "/mappings", RawQuery: r.URL.RawQuery} // not that of an upload
	v.Pager = NewPager(&address, mappingPageSize, len(matching))
	from := v.Pager.Offset()
	return append([]mappingRow{}, matching[from:min(len(matching), from+mappingPageSize)]...)
}

func listedTags(rows []mappingRow) []string {
	var out []string
	for _, x := range rows {
		if x.Listed {
			out = append(out, x.Address)
		}
	}
	return out
}

// complete adds the suggestion of an unmapped tag and the live value.
func (x *mappingRow) complete(targets []db.MappingTargetsRow, live map[string]connector.Reading) {
	if x.Rule == "" {
		if found, ok := integration.Suggest(integration.Tag{Address: x.Address, Name: x.Name, Unit: x.SourceUnit}, targets); ok {
			x.Suggested, x.Sure, x.Asset, x.Metric, x.Unit = true, found.Sure, found.Target.Tag, found.Target.Metric, found.Target.Unit
		}
	}
	reading, ok := live[x.Address]
	if !ok {
		return
	}
	x.HasLive, x.Live, x.LiveUnit, x.LiveAt = true, reading.Value, reading.Unit, reading.Time
	x.LiveBad = reading.Quality == asset.Bad
	x.Stored = reading.Value*x.Factor + x.Shift
	x.UnitDiffers = x.Rule != "" && reading.Unit != "" && x.SourceUnit != "" && reading.Unit != x.SourceUnit
}

// ruleForm is the form of one rule.
type ruleForm struct {
	ID, Name, Action, Factor, Shift string
	Rule                            integration.Rule
	Existing, Fresh                 bool
	Errors                          map[string]string
	Error                           string
	Assets, Metrics                 []choiceOption
	Components                      []componentGroup
}

// componentGroup lists the components of one asset.
type componentGroup struct {
	Asset   string
	Options []choiceOption
}

// editMapping opens the form for one tag: its rule when it has one, else the
// suggestion that the link carries.
func (s *Server) editMapping(w http.ResponseWriter, r *http.Request) error {
	id, x, err := s.loadMappings(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	f := ruleForm{Factor: "1", Shift: "0", Fresh: true, Rule: integration.Rule{ExternalTag: query.Get("tag"), Asset: query.Get("asset"),
		Metric: query.Get("metric"), Unit: query.Get("unit"), SourceUnit: query.Get("unit")}}
	for _, m := range x.rules {
		if m.IntegrationMapping.ExternalTag != f.Rule.ExternalTag {
			continue
		}
		f.Fresh, f.Existing = false, true
		f.Rule = integration.Rule{ExternalTag: f.Rule.ExternalTag, Asset: m.Tag, Component: m.ComponentEn, Metric: m.Metric, Unit: m.Unit, SourceUnit: m.IntegrationMapping.SourceUnit}
		f.Factor, f.Shift = strconv.FormatFloat(m.IntegrationMapping.Factor, 'g', -1, 64), strconv.FormatFloat(m.IntegrationMapping.Shift, 'g', -1, 64)
	}
	return s.rulePage(w, r, http.StatusOK, id, x, f)
}

func (s *Server) rulePage(w http.ResponseWriter, r *http.Request, status int, id uuid.UUID, x mappingData, f ruleForm) error {
	p, err := s.page(r, "integrations.rule.title")
	if err != nil {
		return err
	}
	f.ID, f.Name, f.Action = id.String(), x.integration.Name, r.URL.Path
	if len(f.Errors) > 0 {
		f.Error = p.T("integrations.error.form")
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		assets, err := q.ListAssetsPlain(ctx, tx, tenant)
		if err != nil {
			return err
		}
		components, err := q.ListComponents(ctx, tx, tenant, nil)
		f.offer(p, assets, components, x.targets)
		return err
	})
	if err != nil {
		return err
	}
	p.Crumbs = []Crumb{{Href: "/integrations", Label: p.T("integrations.title")},
		{Href: "/integrations/" + f.ID + "/mappings", Label: p.T("integrations.mappings")}, {Label: p.Title}}
	p.Data = f
	s.render.Render(w, r, status, "integrations/rule", p)
	return nil
}

// offer fills the lists of the form.
func (f *ruleForm) offer(p Page, assets []db.Asset, components []db.AssetComponent, targets []db.MappingTargetsRow) {
	of := map[uuid.UUID][]choiceOption{}
	for _, c := range components {
		of[c.AssetID] = append(of[c.AssetID], choiceOption{c.NameEn, localName(p.Lang, c.NameAr, c.NameEn)})
	}
	for _, a := range assets {
		f.Assets = append(f.Assets, choiceOption{a.Tag, a.Tag + " · " + localName(p.Lang, a.NameAr, a.NameEn)})
		if len(of[a.ID]) > 0 {
			f.Components = append(f.Components, componentGroup{a.Tag, of[a.ID]})
		}
	}
	seen := map[string]bool{}
	for _, t := range targets {
		if !seen[t.Metric] {
			seen[t.Metric] = true
			f.Metrics = append(f.Metrics, choiceOption{t.Metric, localName(p.Lang, t.NameAr, t.NameEn)})
		}
	}
	slices.SortFunc(f.Metrics, func(a, b choiceOption) int { return cmp.Compare(a.Value, b.Value) })
}

func (s *Server) saveMapping(w http.ResponseWriter, r *http.Request) error {
	id, x, err := s.loadMappings(r)
	if err != nil {
		return err
	}
	p := s.render.Page(r)
	text := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	f := ruleForm{Factor: text("factor"), Shift: text("shift"), Fresh: text("fresh") == "1", Existing: text("fresh") != "1", Errors: map[string]string{},
		Rule: integration.Rule{ExternalTag: text("external_tag"), Asset: text("asset"), Component: text("component"), Metric: text("metric"),
			Unit: text("unit"), SourceUnit: text("source_unit")}}
	f.Rule.Factor, f.Rule.Shift = integration.ParseFactor(f.Factor, f.Shift)
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		plant, err := integration.LoadPlant(ctx, tx, q, tenant)
		if err != nil {
			return err
		}
		for field, key := range plant.Problems(f.Rule) {
			f.Errors[field] = p.T(key)
		}
		if len(f.Errors) > 0 {
			return nil
		}
		saved, err := integration.SaveRule(ctx, tx, q, tenant, id, plant, f.Rule, f.Fresh)
		if err != nil {
			return err
		}
		action := "integration.mapping_changed"
		if saved.Created {
			action = "integration.mapping_added"
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: action, ObjectType: "integration_mapping", ObjectID: saved.ID.String(), Before: saved.Before,
			After: map[string]any{"integration": id, "rule": f.Rule, "signal_created": saved.SignalCreated}})
	})
	if fault.CodeOf(err) == fault.Conflict && err != nil {
		f.Errors["external_tag"], err = p.T(integration.KeyTagTaken), nil
	}
	if err != nil {
		return err
	}
	if len(f.Errors) > 0 {
		return s.rulePage(w, r, http.StatusUnprocessableEntity, id, x, f)
	}
	return s.redirect(w, r, "/integrations/"+id.String()+"/mappings", "integrations.toast.rule_saved")
}

func (s *Server) archiveMapping(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	rule, err := pathUUID(r, "rule")
	if err != nil {
		return err
	}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		before, err := q.GetMapping(ctx, tx, tenant, id, rule)
		if err != nil {
			return err
		}
		if _, err := q.ArchiveMapping(ctx, tx, tenant, id, rule); err != nil {
			return err
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "integration.mapping_archived", ObjectType: "integration_mapping", ObjectID: rule.String(), Before: before})
	})
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/integrations/"+id.String()+"/mappings", "integrations.toast.rule_archived")
}
