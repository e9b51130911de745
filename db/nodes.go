package db

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// insertNodes stores nodes of a source's tree. Array parameters keep it one
// round trip; sqlc cannot type unnest with several arguments, hence the SQL in
// Go.
const insertNodes = `
INSERT INTO core.integration_nodes AS n (tenant_id, integration_id, address, parent, name, path, leaf, unit, data_type, low, high, search_text, seen_at)
SELECT $1, $2, u.address, u.parent, u.name, u.path, u.leaf, u.unit, u.data_type, u.low, u.high, u.search_text, now()
FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::text[], $10::float8[], $11::float8[], $12::text[])
  AS u (address, parent, name, path, leaf, unit, data_type, low, high, search_text)
ON CONFLICT (tenant_id, integration_id, address) DO UPDATE SET parent = excluded.parent, name = excluded.name, path = excluded.path, leaf = excluded.leaf,
  unit = excluded.unit, data_type = excluded.data_type, low = excluded.low, high = excluded.high, search_text = excluded.search_text,
  seen_at = excluded.seen_at, gone_at = NULL`

// WriteNodes stores nodes of an integration's tree as seen now; addresses are
// distinct. A node that was gone is back.
func WriteNodes(ctx context.Context, tx pgx.Tx, tenant, integration uuid.UUID, nodes []IntegrationNode) error {
	n := len(nodes)
	addresses, parents, names, paths := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	leaves, units, types, texts := make([]bool, n), make([]string, n), make([]string, n), make([]string, n)
	lows, highs := make([]*float64, n), make([]*float64, n)
	for i, node := range nodes {
		addresses[i], parents[i], names[i], paths[i] = node.Address, node.Parent, node.Name, node.Path
		leaves[i], units[i], types[i], texts[i] = node.Leaf, node.Unit, node.DataType, node.SearchText
		lows[i], highs[i] = node.Low, node.High
	}
	if _, err := tx.Exec(ctx, insertNodes, tenant, integration, addresses, parents, names, paths, leaves, units, types, lows, highs, texts); err != nil {
		return fmt.Errorf("write nodes: %w", err)
	}
	return nil
}
