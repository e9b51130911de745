package all

import (
	"net"
	"testing"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/connector/sqldb/sqldbtest"
)

// sqlFixture is a table of two tags in a real PostgreSQL.
func sqlFixture(t *testing.T) connectortest.Fixture {
	plant := sqldbtest.PostgreSQL(t)
	plant.Exec(t, "CREATE TABLE readings (tag text, ts timestamptz, val double precision, PRIMARY KEY (tag, ts))",
		`INSERT INTO readings SELECT tag, '2026-03-10 12:00:00Z'::timestamptz - n * interval '1 minute', n
		FROM generate_series(0, 30) AS n, unnest(array['P1.VIB', 'P1.FLOW']) AS tag`)
	config := plant.Config()
	for key, value := range (connector.Config{"table": "readings", "tag_column": "tag", "time_column": "ts", "value_columns": "val"}) {
		config[key] = value
	}
	until := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	return connectortest.Fixture{Config: config, Dialer: &net.Dialer{}, Tags: []string{"P1.VIB", "P1.FLOW"}, Since: until.Add(-10 * time.Minute), Until: until}
}
