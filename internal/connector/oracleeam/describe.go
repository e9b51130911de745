package oracleeam

import (
	"context"
	"errors"

	"github.com/optria-iq/optria/internal/connector"
)

// description is what a resource says of itself.
type description struct {
	attributes map[string]bool
	children   map[string]bool
}

// describe asks a resource which attributes and children it has, once for each
// opened connector.
func (c *Connector) describe(ctx context.Context, resource string) (description, error) {
	if known, ok := c.attributes[resource]; ok {
		return known, nil
	}
	var answer struct {
		Resources map[string]struct {
			Attributes []struct {
				Name string `json:"name"`
			} `json:"attributes"`
			Children map[string]any `json:"children"`
		}
	}
	if err := c.get(ctx, "/"+resource+"/describe", nil, &answer); err != nil {
		return description{}, err
	}
	described, ok := answer.Resources[resource]
	if !ok || len(described.Attributes) == 0 {
		return description{}, connector.Failed(connector.KeyProtocol, errors.New("the description of "+resource+" names no attributes"))
	}
	d := description{attributes: map[string]bool{}, children: map[string]bool{}}
	for _, attribute := range described.Attributes {
		d.attributes[attribute.Name] = true
	}
	for child := range described.Children {
		d.children[child] = true
	}
	c.attributes[resource] = d
	return d, nil
}

// choose returns the wanted attributes that exist, or a fault that names a
// needed one that does not.
func (d description) choose(needed, wanted []string) ([]string, error) {
	chosen := make([]string, 0, len(needed)+len(wanted))
	for _, name := range needed {
		if !d.attributes[name] {
			return nil, connector.Failed(connector.KeyProtocol, errors.New("this release has no attribute "+name))
		}
		chosen = append(chosen, name)
	}
	for _, name := range wanted {
		if d.attributes[name] {
			chosen = append(chosen, name)
		}
	}
	return chosen, nil
}
