package oracleeam

import "encoding/json"

// expanded is a child collection within a row: a list, or a collection that
// may have further pages.
type expanded[T any] struct {
	items []T
	more  bool
}

// UnmarshalJSON reads either form.
func (e *expanded[T]) UnmarshalJSON(raw []byte) error {
	if raw[0] == '[' {
		e.more = false
		return json.Unmarshal(raw, &e.items)
	}
	var collection struct {
		Items   []T  `json:"items"`
		HasMore bool `json:"hasMore"`
	}
	if err := json.Unmarshal(raw, &collection); err != nil {
		return err
	}
	e.items, e.more = collection.Items, collection.HasMore
	return nil
}
