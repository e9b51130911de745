package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/api"
)

func (s *Server) developerRoutes() []route {
	return []route{{http.MethodGet, "/developers", access.SignedIn, s.showDevelopers}}
}

// operation is one operation of the API with the address it is called at.
type operation struct {
	method, path string
	*huma.Operation
}

// operationRow is one line of the list. May says whether the reader's own roles
// hold the capability.
type operationRow struct {
	Method, Path, Summary, Href, Tone string
	Scope                             string
	May, People                       bool
}

// operationGroup is the operations of one tag.
type operationGroup struct {
	Anchor, Name string
	Rows         []operationRow
}

// guidePart is one section of the guide: words, and an example for a shell or a
// program.
type guidePart struct{ Anchor, Title, Text, Code string }

// developersView is the Data of developers/show. One is the operation that the
// address names, or nil for the list.
type developersView struct {
	Query, Base   string
	Found, Total  int
	Groups        []operationGroup
	Guide         []guidePart
	One           *operationView
	JSONURL, YAML string
}

// showDevelopers prints the description of the API: from the same document
// that programs read, so that it cannot say something else.
func (s *Server) showDevelopers(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "developers.title")
	if err != nil {
		return err
	}
	all := operationsOf(s.api.OpenAPI())
	who := access.From(r.Context())
	v := developersView{Query: bounded(strings.TrimSpace(r.URL.Query().Get("q")), maxTyped), Base: s.apiBase(), Total: len(all),
		JSONURL: api.Path + "/openapi.json", YAML: api.Path + "/openapi.yaml"}
	if id := r.URL.Query().Get("op"); id != "" {
		at := slices.IndexFunc(all, func(o operation) bool { return o.OperationID == id })
		if at < 0 {
			return fault.New(fault.NotFound, "error.404.text")
		}
		one := newOperationView(p, s.api.OpenAPI(), all[at], v.Base)
		one.May = who.Can(access.Capability(one.Capability))
		v.One = &one
		p.Title = one.Summary
		p.Crumbs = []Crumb{{Href: "/developers", Label: p.T("developers.title")}, {Label: one.ID, Tag: true}}
	} else {
		v.Groups = operationGroups(p, all, v.Query, who)
		for _, g := range v.Groups {
			v.Found += len(g.Rows)
		}
		v.Guide = guide(p, v.Base)
	}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "developers/show", p)
	return nil
}

// apiBase is the address of the API as programs call it.
func (s *Server) apiBase() string {
	if s.Config.BaseURL == nil {
		return api.Path
	}
	return strings.TrimRight(s.Config.BaseURL.String(), "/") + api.Path
}

// operationsOf lists the operations of a document by path and then by method.
func operationsOf(doc *huma.OpenAPI) []operation {
	var out []operation
	for path, item := range doc.Paths {
		for _, m := range []struct {
			method string
			op     *huma.Operation
		}{{http.MethodGet, item.Get}, {http.MethodPost, item.Post}, {http.MethodPut, item.Put}, {http.MethodPatch, item.Patch}, {http.MethodDelete, item.Delete}} {
			if m.op != nil {
				out = append(out, operation{m.method, path, m.op})
			}
		}
	}
	slices.SortFunc(out, func(a, b operation) int {
		return strings.Compare(a.path+" "+a.method, b.path+" "+b.method)
	})
	return out
}

// operationGroups lists what matches the search, tag by tag in the order of
// their names.
func operationGroups(p Page, all []operation, query string, who access.Principal) []operationGroup {
	query = strings.ToLower(query)
	var groups []operationGroup
	for _, o := range all {
		tag := "API"
		if len(o.Tags) > 0 {
			tag = o.Tags[0]
		}
		name := tagName(p, tag)
		text := strings.ToLower(strings.Join([]string{o.method, o.path, o.OperationID, o.Summary, tag, name}, " "))
		if query != "" && !strings.Contains(text, query) {
			continue
		}
		at := slices.IndexFunc(groups, func(g operationGroup) bool { return g.Name == name })
		if at < 0 {
			groups = append(groups, operationGroup{Anchor: "tag-" + anchor(tag), Name: name})
			at = len(groups) - 1
		}
		groups[at].Rows = append(groups[at].Rows, newOperationRow(o, who))
	}
	slices.SortFunc(groups, func(a, b operationGroup) int { return strings.Compare(a.Anchor, b.Anchor) })
	return groups
}

func newOperationRow(o operation, who access.Principal) operationRow {
	capability, _ := o.Extensions["x-capability"].(string)
	scope, _ := o.Extensions["x-scope"].(string)
	return operationRow{Method: o.method, Path: o.path, Summary: o.Summary, Href: "/developers?op=" + o.OperationID, Tone: methodTones[o.method],
		Scope: scope, People: scope == "", May: who.Can(access.Capability(capability))}
}

// methodTones colour the methods.
var methodTones = map[string]string{http.MethodGet: "none", http.MethodPost: "ok", http.MethodPut: "wait", http.MethodPatch: "wait", http.MethodDelete: "bad"}

// tagName is a tag in the page's language, or as it is when it has no words.
func tagName(p Page, tag string) string {
	if key := "developers.tag." + anchor(tag); p.Loc().Has(key) {
		return p.T(key)
	}
	return tag
}

func anchor(text string) string { return strings.ReplaceAll(strings.ToLower(text), " ", "-") }

// guide explains what all operations have in common.
func guide(p Page, base string) []guidePart {
	part := func(name, code string) guidePart {
		return guidePart{Anchor: name, Title: p.T("developers.guide." + name), Text: p.T("developers.guide." + name + ".text"), Code: code}
	}
	return []guidePart{
		part("token", "curl -sS "+base+"/assets?limit=5 \\\n  -H \"Authorization: Bearer $OPTRIA_TOKEN\""),
		part("idempotency", "curl -sS -X POST "+base+"/runs \\\n  -H \"Authorization: Bearer $OPTRIA_TOKEN\" \\\n  -H \"Idempotency-Key: nightly-2026-11-30\" \\\n  -H \"Content-Type: application/json\" -d @run.json"),
		part("errors", "HTTP/1.1 422 Unprocessable Entity\nContent-Type: application/problem+json\nContent-Language: ar\n\n"+
			`{"title": "…", "status": 422, "code": "invalid", "request_id": "…",`+"\n "+`"errors": [{"location": "body.days", "message": "…"}]}`),
		part("paging", "GET "+api.Path+"/runs?limit=50\n→ {\"items\": […], \"next\": \"MjAyNi0…\"}\n\nGET "+api.Path+"/runs?limit=50&cursor=MjAyNi0…"),
		part("limits", "HTTP/1.1 429 Too Many Requests\nRetry-After: 60\nX-RateLimit-Limit: 300\nX-RateLimit-Remaining: 0"),
		part("webhooks", webhookExample),
	}
}

// webhookExample verifies a signature after Standard Webhooks.
const webhookExample = `import base64, hashlib, hmac, time

def authentic(secret, headers, body):           # secret: "whsec_…"
    stamp = headers["webhook-timestamp"]
    if abs(time.time() - int(stamp)) > 300:
        return False
    signed = f'{headers["webhook-id"]}.{stamp}.'.encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    want = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(want, got) for got in headers["webhook-signature"].split())`
