// Package sqldb is the connector for SQL databases: PostgreSQL, MySQL, MariaDB,
// SQL Server and Oracle. It reads readings from a table, a view or one checked
// SELECT, and with a preset the assets and work orders of Oracle E-Business
// Suite. It never writes: each session is read-only before its first statement
// where the product has such a thing, identifiers are checked and quoted,
// values are parameters only, and every statement has a time limit. A login
// that may only SELECT is still asked for.
//
// PostgreSQL and MariaDB are tested against real servers. SQL Server, Oracle
// Database and the views of E-Business Suite were not available: for them the
// settings of the drivers, the statements and the refusal of foreign servers
// are tested, and the records on tables of the same shape. SQL Server has no
// read-only transaction; there the checked SELECT, the intent to read only and
// the rights of the login are the guard.
package sqldb

import (
	"fmt"
	"net"

	"github.com/optria-iq/optria/internal/connector"
)

func init() { connector.Register(Spec(), open) }

// open returns a *Readings, or with a preset a *Records: what a connector can
// do depends on what it reads.
func open(config connector.Config, secrets connector.Secrets, dialer *net.Dialer) (connector.Connector, error) {
	settings, err := decode(config)
	if err != nil {
		return nil, err
	}
	settings.password = secrets["password"]
	session, err := openSession(settings, dialer)
	if err != nil {
		return nil, err
	}
	if settings.Preset == PresetEBS {
		return newRecords(session)
	}
	source, err := newSource(settings)
	if err != nil {
		return nil, fmt.Errorf("read the source of readings: %w", err)
	}
	return &Readings{session: session, source: source, tags: map[string]bool{}}, nil
}
