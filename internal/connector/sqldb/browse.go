package sqldb

import (
	"context"
	"fmt"
	"slices"

	"github.com/optria-iq/optria/internal/connector"
)

// Browse lists the tags: the value columns of a table in wide form, otherwise
// the distinct values of the tag column, in their order and up to maxTags.
// There is one level.
func (r *Readings) Browse(ctx context.Context, parent string) ([]connector.Node, error) {
	if parent != "" {
		return nil, connector.UnknownNode(parent)
	}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	if r.source.wide() {
		return leaves(r.source.values), nil
	}
	st := r.distinct(maxTags)
	column := r.source.dialect.quote(r.source.settings.TagColumn)
	st.write(" WHERE ", column, " IS NOT NULL ORDER BY ", column)
	st.limit(maxTags)
	found, err := r.texts(ctx, st, maxTags)
	if err != nil {
		return nil, err
	}
	slices.Sort(found)
	found = slices.Compact(found)
	for _, tag := range found {
		r.tags[tag] = true
	}
	return leaves(found), nil
}

// leaves turns addresses into nodes.
func leaves(tags []string) []connector.Node {
	nodes := make([]connector.Node, len(tags))
	for i, tag := range tags {
		nodes[i] = connector.Node{Address: tag, Name: tag, Leaf: true}
	}
	return nodes
}

// Test checks the connection step by step and reads one row.
func (r *Readings) Test(ctx context.Context) []connector.Step {
	checks := append(r.session.checks(),
		connector.Check{Name: connector.StepBrowse, Run: func(ctx context.Context) (string, error) {
			nodes, err := r.Browse(ctx, "")
			return fmt.Sprintf("%d tags", len(nodes)), err
		}},
		connector.Check{Name: connector.StepRead, Run: r.checkRead})
	return connector.RunChecks(ctx, checks...)
}

// checkRead reads the newest row of the first tag.
func (r *Readings) checkRead(ctx context.Context) (string, error) {
	nodes, err := r.Browse(ctx, "")
	if err != nil || len(nodes) == 0 {
		return "the source is empty", err
	}
	batch, err := r.Sample(ctx, []string{nodes[0].Address})
	if err != nil || len(batch.Readings) == 0 {
		return "no readable value in " + nodes[0].Address, err
	}
	reading := batch.Readings[0]
	return fmt.Sprintf("%s = %g %s at %s", reading.ExternalTag, reading.Value, reading.Unit, reading.Time.Format("2006-01-02T15:04:05.999999Z07:00")), nil
}
