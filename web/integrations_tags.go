package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/web/integration"
)

// tagRow is one node of a source: a folder, or a tag with the signal that it
// feeds or may feed.
type tagRow struct {
	Address, Name, Path, Unit, DataType string
	Key                                 string // part of the id of its live value
	Folder                              bool
	Below                               int
	Listed                              bool // the source still lists the tag
	Rule                                string
	Asset, AssetID, AssetName           string
	Component, Metric, MetricName       string
	StoredUnit, SourceUnit              string
	Factor, Shift                       float64
	Scaled, Stale                       bool
	Latest                              *time.Time
	Suggested, Sure                     bool
	Confidence                          float64
	Signal                              int64
	Base                                string // address of the mapping page
	CanMap                              bool
}

// branchView is one page of the nodes below another.
type branchView struct {
	ID   string
	Rows []tagRow
	More string // address of the next page, empty at the end
	Live string
}

// keyOf makes an id for markup of the address of a tag.
func keyOf(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:6])
}

// loadBranch reads the nodes below one and what their tags feed.
func loadBranch(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant uuid.UUID, query tagQuery, skip int) (branchView, error) {
	base := "/integrations/" + query.id.String() + "/mappings"
	v := branchView{ID: query.id.String()}
	nodes, err := q.ListChildNodes(ctx, tx, db.ListChildNodesParams{TenantID: tenant, IntegrationID: query.id, Parent: query.node, PageSize: branchSize + 1, Skip: int32(skip)}) //nolint:gosec // bounded by the caller
	if err != nil {
		return v, err
	}
	address := url.Values{"node": {query.node}, "skip": {strconv.Itoa(skip)}}
	if len(nodes) > branchSize {
		nodes = nodes[:branchSize]
		next := url.Values{"node": {query.node}, "skip": {strconv.Itoa(skip + branchSize)}}
		v.More = base + "/nodes?" + next.Encode()
	}
	for _, n := range nodes {
		v.Rows = append(v.Rows, tagRow{Address: n.Address, Name: n.Name, Unit: n.Unit, DataType: n.DataType, Folder: !n.Leaf, Below: int(n.Below), Listed: true})
		if n.Leaf {
			v.Live = base + "/live?" + address.Encode()
		}
	}
	return v, completeTags(ctx, tx, q, p, tenant, query, v.Rows)
}

// tagPage reads one page of the list of tags.
func tagPage(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant uuid.UUID, query tagQuery, skip, size int) ([]tagRow, error) {
	show := query.filter
	if show == tagsAll {
		show = ""
	}
	found, err := q.ListTags(ctx, tx, db.ListTagsParams{TenantID: tenant, IntegrationID: query.id, Pattern: query.pattern(), Show: show, AsOf: query.now,
		PageSize: int32(size), Skip: int32(skip)}) //nolint:gosec // bounded by the caller
	if err != nil {
		return nil, err
	}
	rows := make([]tagRow, 0, len(found))
	for _, x := range found {
		rows = append(rows, tagRow{Address: x.Address, Name: x.Name, Path: x.Path, Unit: x.Unit, DataType: x.DataType, Listed: x.Listed})
	}
	return rows, completeTags(ctx, tx, q, p, tenant, query, rows)
}

// completeTags adds the rules of tags, and the suggestions for those without.
func completeTags(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant uuid.UUID, query tagQuery, rows []tagRow) error {
	tags := make([]string, 0, len(rows))
	for _, x := range rows {
		if !x.Folder {
			tags = append(tags, x.Address)
		}
	}
	rules, err := q.RulesOfTags(ctx, tx, db.RulesOfTagsParams{TenantID: tenant, IntegrationID: query.id, Tags: tags, AsOf: query.now})
	if err != nil {
		return err
	}
	byTag := make(map[string]db.RulesOfTagsRow, len(rules))
	for _, x := range rules {
		byTag[x.IntegrationMapping.ExternalTag] = x
	}
	var suggester integration.Suggester
	if len(rules) < len(tags) {
		targets, err := q.MappingTargets(ctx, tx, tenant)
		if err != nil {
			return err
		}
		suggester = integration.NewSuggester(targets)
	}
	canMap := access.From(ctx).Can(access.TestIntegrations)
	for i := range rows {
		x := &rows[i]
		x.Key, x.Base, x.CanMap = keyOf(x.Address), "/integrations/"+query.id.String()+"/mappings", canMap
		if rule, ok := byTag[x.Address]; ok {
			x.feed(p, rule)
		} else if !x.Folder {
			x.suggest(suggester)
		}
	}
	return nil
}

// feed adds what a tag feeds.
func (x *tagRow) feed(p Page, rule db.RulesOfTagsRow) {
	m := rule.IntegrationMapping
	x.Rule, x.Asset, x.AssetID, x.AssetName = m.ID.String(), rule.Tag, m.AssetID.String(), localName(p.Lang, rule.AssetAr, rule.AssetEn)
	x.Component, x.Metric, x.MetricName = localName(p.Lang, rule.ComponentAr, rule.ComponentEn), rule.Metric, localName(p.Lang, rule.SignalAr, rule.SignalEn)
	x.StoredUnit, x.SourceUnit, x.Factor, x.Shift, x.Scaled = rule.Unit, m.SourceUnit, m.Factor, m.Shift, m.Factor != 1 || m.Shift != 0
	x.Stale, x.Latest, x.Signal = rule.Stale, rule.LatestTs, m.SignalID
	if x.Unit == "" {
		x.Unit = m.SourceUnit
	}
}

func (x *tagRow) suggest(s integration.Suggester) {
	found, ok := s.Suggest(integration.Tag{Address: x.Address, Name: x.Name, Unit: x.Unit})
	if !ok {
		return
	}
	x.Suggested, x.Sure, x.Confidence, x.Signal = true, found.Sure, found.Confidence, found.Target.ID
	x.Asset, x.Metric, x.StoredUnit = found.Target.Tag, found.Target.Metric, found.Target.Unit
}

// listNodes prints one branch of the tree, for the reader who opens a folder.
func (s *Server) listNodes(w http.ResponseWriter, r *http.Request) error {
	query, err := readTagQuery(r)
	if err != nil {
		return err
	}
	p := s.render.Page(r)
	var v branchView
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		if _, err := q.GetIntegration(ctx, tx, tenant, query.id); err != nil {
			return err
		}
		v, err = loadBranch(ctx, tx, q, p, tenant, query, skipOf(r))
		return err
	})
	if err != nil {
		return err
	}
	p.Data = v
	s.render.RenderPart(w, r, http.StatusOK, "integrations/mappings", "tag-branch-page", p)
	return nil
}

// mostSkipped bounds how far into a branch a page may begin.
const mostSkipped = 1_000_000

func skipOf(r *http.Request) int {
	skip, err := strconv.Atoi(r.URL.Query().Get("skip"))
	if err != nil || skip < 0 || skip > mostSkipped {
		return 0
	}
	return skip
}

// liveRow is the value of one tag now, and as its rule would store it.
type liveRow struct {
	Key                        string
	Known, Bad, Scaled, Differ bool
	Uncertain                  bool
	Value, Stored              float64
	Unit, StoredUnit           string
	At                         time.Time
}

type liveView struct {
	Rows    []liveRow
	Problem string
}

// liveValues asks the source for the tags that a page or a branch shows.
func (s *Server) liveValues(w http.ResponseWriter, r *http.Request) error {
	query, err := readTagQuery(r)
	if err != nil {
		return err
	}
	p := s.render.Page(r)
	var rows []tagRow
	rules := map[string]db.IntegrationMapping{}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		if _, err := q.GetIntegration(ctx, tx, tenant, query.id); err != nil {
			return err
		}
		if rows, err = liveTags(ctx, tx, q, tenant, query, r); err != nil {
			return err
		}
		found, err := q.RulesOfTags(ctx, tx, db.RulesOfTagsParams{TenantID: tenant, IntegrationID: query.id, Tags: addresses(rows), AsOf: query.now})
		for _, x := range found {
			rules[x.IntegrationMapping.ExternalTag] = x.IntegrationMapping
		}
		for i := range rows {
			rows[i].Key = keyOf(rows[i].Address)
			for _, x := range found {
				if x.IntegrationMapping.ExternalTag == rows[i].Address {
					rows[i].StoredUnit = x.Unit
				}
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	live, err := s.integrations().Live(r.Context(), access.From(r.Context()).TenantID, query.id, addresses(rows))
	if err != nil {
		return err
	}
	v := liveView{}
	if live.Problem != nil {
		v.Problem = s.faultText(p, connector.MessageKey(live.Problem))
	}
	for _, x := range rows {
		v.Rows = append(v.Rows, newLiveRow(x, rules[x.Address], live.Readings))
	}
	p.Data = v
	part := "live-values"
	if r.URL.Query().Get("one") != "" {
		part = "live-value-one"
	}
	s.render.RenderPart(w, r, http.StatusOK, "integrations/mappings", part, p)
	return nil
}

// liveTags lists the tags that an address shows: one that it names, a page of
// the list, or a branch.
func liveTags(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, query tagQuery, r *http.Request) ([]tagRow, error) {
	var rows []tagRow
	if tag := r.URL.Query().Get("tag"); tag != "" {
		return []tagRow{{Address: tag}}, nil
	}
	if query.filter != "" {
		page := NewPager(r.URL, mappingPageSize, mostSkipped)
		show := query.filter
		if show == tagsAll {
			show = ""
		}
		found, err := q.ListTags(ctx, tx, db.ListTagsParams{TenantID: tenant, IntegrationID: query.id, Pattern: query.pattern(), Show: show, AsOf: query.now,
			PageSize: mappingPageSize, Skip: int32(page.Offset())}) //nolint:gosec // bounded by mostSkipped
		for _, x := range found {
			if x.Listed {
				rows = append(rows, tagRow{Address: x.Address})
			}
		}
		return rows, err
	}
	found, err := q.ListChildNodes(ctx, tx, db.ListChildNodesParams{TenantID: tenant, IntegrationID: query.id, Parent: query.node, PageSize: branchSize, Skip: int32(skipOf(r))}) //nolint:gosec // bounded by mostSkipped
	for _, x := range found {
		if x.Leaf {
			rows = append(rows, tagRow{Address: x.Address})
		}
	}
	return rows, err
}

func addresses(rows []tagRow) []string {
	out := make([]string, len(rows))
	for i, x := range rows {
		out[i] = x.Address
	}
	return out
}

func newLiveRow(x tagRow, rule db.IntegrationMapping, readings map[string]connector.Reading) liveRow {
	row := liveRow{Key: x.Key, StoredUnit: x.StoredUnit}
	reading, ok := readings[x.Address]
	if !ok {
		return row
	}
	row.Known, row.Value, row.Unit, row.At = true, reading.Value, reading.Unit, reading.Time
	row.Bad, row.Uncertain = reading.Quality == asset.Bad, reading.Quality == asset.Uncertain
	if rule.ID != uuid.Nil {
		row.Stored, row.Bad = integration.Converted(rule, reading)
		row.Scaled = rule.Factor != 1 || rule.Shift != 0
		row.Differ = rule.SourceUnit != "" && reading.Unit != "" && reading.Unit != rule.SourceUnit
	}
	return row
}
