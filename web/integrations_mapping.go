package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/integration"
)

// Tags on one page of the list and nodes on one page of a branch of the tree;
// live values are read for these only.
const (
	mappingPageSize = 25
	branchSize      = 100
)

// Filters of the mapping page. Without one the tree of the source is shown.
const (
	tagsAll      = "all"
	tagsUnmapped = "unmapped"
	tagsMapped   = "mapped"
	tagsStale    = "stale"
)

// mappingList is the Data of integrations/mappings.
type mappingList struct {
	ID, Name, Search, Filter string
	Tree                     bool
	Branch                   branchView
	Path                     []Crumb // from the root to the branch shown
	Rows                     []tagRow
	Tabs                     []tabView
	Pager                    Pager
	Mapped, Unmapped, Total  int
	Discovered               *time.Time
	DiscoveryError           string
	CanMap                   bool
	Sure                     []string // tags on the page whose suggestion is sure
	Live                     string   // address of the live values of the tags shown
	Targets                  targetView
	Errors                   []fileError
	FileError                string
}

// fileError is one refused line of an uploaded rule file.
type fileError struct {
	Line          int
	Column, Value string
	Text          string
}

func mappingCrumbs(p Page, id uuid.UUID, name string) []Crumb {
	return []Crumb{{Href: "/integrations", Label: p.T("integrations.title")}, {Href: "/integrations/" + id.String(), Label: name}, {Label: p.T("integrations.mappings")}}
}

func (s *Server) listMappings(w http.ResponseWriter, r *http.Request) error {
	return s.mappingPage(w, r, http.StatusOK, nil, "")
}

// tagQuery is what the reader asked to see of the tags of an integration.
type tagQuery struct {
	id                   uuid.UUID
	search, filter, node string
	now                  time.Time
}

// readTagQuery reads the address of a page, a branch or its live values.
func readTagQuery(r *http.Request) (tagQuery, error) {
	id, err := pathUUID(r, "id")
	query := r.URL.Query()
	q := tagQuery{id: id, search: strings.TrimSpace(query.Get("q")), filter: query.Get("show"), node: query.Get("node"), now: time.Now()}
	if r.Method != http.MethodGet { // an upload says nothing of what is shown
		q.search, q.filter, q.node = "", "", ""
	}
	if q.search != "" && q.filter == "" {
		q.filter = tagsAll
	}
	switch q.filter {
	case "", tagsAll, tagsUnmapped, tagsMapped, tagsStale:
	default:
		q.filter = tagsAll
	}
	return q, err
}

func (q tagQuery) pattern() string { return integration.Pattern(q.search) }

// mappingPage prints the tags of a source beside the signals that they feed.
func (s *Server) mappingPage(w http.ResponseWriter, r *http.Request, status int, errs []fileError, fileErr string) error {
	query, err := readTagQuery(r)
	if err != nil {
		return err
	}
	p, err := s.page(r, "integrations.mappings")
	if err != nil {
		return err
	}
	v := mappingList{ID: query.id.String(), Search: query.search, Filter: query.filter, Tree: query.filter == "",
		CanMap: access.From(r.Context()).Can(access.TestIntegrations), Errors: errs, FileError: fileErr}
	base := "/integrations/" + v.ID + "/mappings"
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		found, err := q.GetIntegration(ctx, tx, tenant, query.id)
		if err != nil {
			return err
		}
		v.Name, v.Discovered = found.Name, found.DiscoveredAt
		if found.DiscoveryError != "" {
			v.DiscoveryError = s.faultText(p, found.DiscoveryError)
		}
		counts, err := q.CountTags(ctx, tx, db.CountTagsParams{TenantID: tenant, IntegrationID: query.id, Pattern: query.pattern(), AsOf: query.now})
		if err != nil {
			return err
		}
		v.count(p, base, query, counts)
		if v.Tree {
			err = s.openBranch(ctx, tx, q, p, tenant, query, &v)
		} else {
			address := url.URL{Path: base, RawQuery: r.URL.RawQuery}
			v.Pager = NewPager(&address, mappingPageSize, v.shown(counts))
			v.Rows, err = tagPage(ctx, tx, q, p, tenant, query, v.Pager.Offset(), mappingPageSize)
		}
		if err != nil {
			return err
		}
		v.Targets, err = loadTargets(ctx, tx, q, p, tenant, query.id, targetQuery{})
		return err
	})
	if err != nil {
		return err
	}
	v.Live = base + "/live?" + r.URL.RawQuery
	for _, row := range v.Rows {
		if row.Sure {
			v.Sure = append(v.Sure, row.Address)
		}
	}
	p.Crumbs, p.Data = mappingCrumbs(p, query.id, v.Name), v
	s.render.Render(w, r, status, "integrations/mappings", p)
	return nil
}

// count fills the tabs.
func (v *mappingList) count(p Page, base string, query tagQuery, c db.CountTagsRow) {
	v.Total, v.Mapped, v.Unmapped = int(c.Total), int(c.Mapped), int(c.Total-c.Mapped)
	for _, t := range []struct {
		filter, label string
		count         int64
	}{{"", "integrations.tags.tree", 0}, {tagsAll, "all", c.Total}, {tagsUnmapped, "integrations.unmapped", c.Total - c.Mapped},
		{tagsMapped, "integrations.mapped", c.Mapped}, {tagsStale, "integrations.tags.stale", c.Stale}} {
		address := url.Values{}
		if t.filter != "" {
			address.Set("show", t.filter)
		}
		if query.search != "" && t.filter != "" {
			address.Set("q", query.search)
		}
		href := base
		if len(address) > 0 {
			href += "?" + address.Encode()
		}
		v.Tabs = append(v.Tabs, tabView{href, p.T(t.label), v.Filter == t.filter, int(t.count)})
	}
}

// shown is the number of tags that the chosen filter leaves.
func (v *mappingList) shown(c db.CountTagsRow) int {
	switch v.Filter {
	case tagsUnmapped:
		return v.Unmapped
	case tagsMapped:
		return v.Mapped
	case tagsStale:
		return int(c.Stale)
	}
	return v.Total
}

// openBranch shows the nodes below the one that the address names, the root
// without one, under the path that leads there.
func (s *Server) openBranch(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant uuid.UUID, query tagQuery, v *mappingList) (err error) {
	if v.Branch, err = loadBranch(ctx, tx, q, p, tenant, query, 0); err != nil || query.node == "" {
		return err
	}
	above, err := q.NodeAncestors(ctx, tx, tenant, query.id, query.node)
	if err != nil {
		return err
	}
	if len(above) == 0 {
		return fault.New(fault.NotFound, "error.404.text")
	}
	base := "/integrations/" + v.ID + "/mappings"
	v.Path = append(v.Path, Crumb{Href: base, Label: p.T("integrations.tags.root")})
	for i, n := range above {
		c := Crumb{Label: n.Name}
		if i < len(above)-1 {
			c.Href = base + "?node=" + url.QueryEscape(n.Address)
		}
		v.Path = append(v.Path, c)
	}
	return nil
}

// discoverTags asks for the tree of the source to be listed again.
func (s *Server) discoverTags(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	return s.asked(w, r, "/integrations/"+id.String()+"/mappings", "integrations.toast.discovering", s.integrations().Discover(r.Context(), originOf(r), id))
}

// acceptSuggestions makes rules of the suggestions of the tags in the form.
func (s *Server) acceptSuggestions(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return fault.Wrap(fault.Invalid, integration.KeyTag, err)
	}
	tags := r.PostForm["tag"]
	made, err := s.integrations().AcceptSuggestions(r.Context(), originOf(r), id, tags[:min(len(tags), branchSize)])
	if err != nil {
		return err
	}
	if err := s.integrations().FetchHistory(r.Context(), originOf(r), id, made.Fresh); err != nil {
		return err
	}
	toast := "integrations.toast.accepted_rules"
	if made.Added == 0 {
		toast = "integrations.toast.accepted_none"
	}
	back := "/integrations/" + id.String() + "/mappings"
	if show := r.PostFormValue("show"); show == tagsUnmapped || show == tagsAll {
		back += "?show=" + show
	}
	return s.redirect(w, r, back, toast)
}
