package piwebapitest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// batch answers several calls at once, each with a status of its own. Calls
// that build on the answers of others are not simulated.
func (s *Server) batch(w http.ResponseWriter, r *http.Request) {
	var calls map[string]struct {
		Method, Resource string
		ParentIds        []string
		Headers          map[string]string
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, s.MaxContent+1))
	if err == nil {
		err = json.Unmarshal(body, &calls)
	}
	if err != nil {
		write(w, fail(400, "The batch request is malformed."))
		return
	}
	out := object{}
	for id, one := range calls {
		resource, err := url.Parse(one.Resource)
		if err != nil || !resource.IsAbs() || len(one.ParentIds) > 0 {
			out[id] = response(fail(400, "The resource of the request is invalid."))
			continue
		}
		query, err := parseQuery(resource.RawQuery)
		if err != nil {
			out[id] = response(fail(400, err.Error()))
			continue
		}
		out[id] = response(s.route(call{method: one.Method, path: resource.Path, query: query, host: s.host(r)}))
	}
	write(w, answer{status: 207, body: out})
}

func response(a answer) object {
	return object{"Status": a.status, "Headers": object{"Content-Type": "application/json; charset=utf-8"}, "Content": a.body}
}

// fieldTree is a parsed selectedFields parameter: lower-case names, each with
// the names below it.
type fieldTree map[string]fieldTree

// selectFields keeps the fields that a call names, such as
// "Items.Timestamp;Items.Value"; without a selection it keeps all.
func selectFields(body object, selection string) any {
	if selection == "" {
		return body
	}
	tree := fieldTree{}
	for _, path := range strings.Split(selection, ";") {
		at := tree
		for _, name := range strings.Split(strings.ToLower(strings.TrimSpace(path)), ".") {
			if at[name] == nil {
				at[name] = fieldTree{}
			}
			at = at[name]
		}
	}
	return tree.apply(body)
}

func (tree fieldTree) apply(value any) any {
	if len(tree) == 0 {
		return value
	}
	switch v := value.(type) {
	case object:
		out := object{}
		for name, below := range v {
			if branch, named := tree[strings.ToLower(name)]; named {
				out[name] = branch.apply(below)
			}
		}
		return out
	case []object:
		out := make([]any, len(v))
		for i, below := range v {
			out[i] = tree.apply(below)
		}
		return out
	}
	return value
}
