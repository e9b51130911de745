package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// Change is one difference between two documents. Path names it by object keys
// and, in a list whose members have an identity, by that identity. Was is nil
// for what came, Is for what went.
type Change struct {
	Path []string        `json:"path"`
	Was  json.RawMessage `json:"was,omitempty"`
	Is   json.RawMessage `json:"is,omitempty"`
}

// identities are the keys that name a member of a list, the first that every
// member has counts.
var identities = []string{"id", "action_id", "asset_id", "unit_id", "job_id", "technician_id", "resource", "subject"}

// Diff lists what differs between two JSON documents in the order of the
// document, at most limit entries, and how many there are in all. Lists of
// members with an identity are compared by it, other lists as a whole.
func Diff(was, is []byte, limit int) ([]Change, int, error) {
	var a, b any
	if err := json.Unmarshal(was, &a); err != nil {
		return nil, 0, fmt.Errorf("read first document: %w", err)
	}
	if err := json.Unmarshal(is, &b); err != nil {
		return nil, 0, fmt.Errorf("read second document: %w", err)
	}
	d := &differ{limit: limit}
	d.compare(nil, plainZero(a), plainZero(b))
	return d.changes, d.count, d.err
}

type differ struct {
	limit   int
	count   int
	changes []Change
	err     error
}

func (d *differ) compare(path []string, was, is any) {
	if reflect.DeepEqual(was, is) {
		return
	}
	if a, ok := was.(map[string]any); ok {
		if b, ok := is.(map[string]any); ok {
			d.members(path, a, b)
			return
		}
	}
	if a, ok := was.([]any); ok {
		if b, ok := is.([]any); ok {
			if key := identity(a, b); key != "" {
				d.members(path, byIdentity(a, key), byIdentity(b, key))
				return
			}
		}
	}
	d.add(path, was, is)
}

// members compares two objects, or two lists by the identity of their members.
func (d *differ) members(path []string, was, is map[string]any) {
	keys := slices.Sorted(maps.Keys(was))
	for k := range is {
		if _, both := was[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		a, hadIt := was[k]
		b, hasIt := is[k]
		at := append(slices.Clone(path), k)
		if hadIt && hasIt {
			d.compare(at, a, b)
			continue
		}
		d.add(at, a, b)
	}
}

func (d *differ) add(path []string, was, is any) {
	if d.count++; d.count > d.limit || d.err != nil {
		return
	}
	c := Change{Path: path}
	for _, side := range []struct {
		v    any
		into *json.RawMessage
	}{{was, &c.Was}, {is, &c.Is}} {
		if side.v == nil {
			continue
		}
		raw, err := encode(side.v)
		if err != nil {
			d.err = err
			return
		}
		*side.into = raw
	}
	d.changes = append(d.changes, c)
}

// identity returns the key by which the members of both lists are told apart,
// "" when there is none.
func identity(lists ...[]any) string {
	for _, key := range identities {
		if named(key, lists...) {
			return key
		}
	}
	return ""
}

func named(key string, lists ...[]any) bool {
	found := false
	for _, list := range lists {
		seen := map[string]bool{}
		for _, member := range list {
			object, ok := member.(map[string]any)
			if !ok {
				return false
			}
			name, ok := object[key].(string)
			if !ok || seen[name] {
				return false
			}
			seen[name], found = true, true
		}
	}
	return found
}

func byIdentity(list []any, key string) map[string]any {
	out := make(map[string]any, len(list))
	for k, member := range list {
		name := strconv.Itoa(k)
		if object, ok := member.(map[string]any); ok {
			if text, ok := object[key].(string); ok {
				name = text
			}
		}
		out[name] = member
	}
	return out
}
