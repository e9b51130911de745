package sqldb

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/DataDog/go-sqllexer"
)

// dialect is what differs between database products in the statements that
// the connector writes.
type dialect struct {
	name  string
	port  int
	open  rune // of a quoted identifier
	close rune
	lexer sqllexer.DBMSType
	// parameter writes the placeholder of the n-th argument, counted from 1.
	parameter func(n int) string
	// top is true where the row limit follows SELECT instead of ending the
	// statement.
	top bool
	// fetch is true where the limit is spelled FETCH FIRST.
	fetch bool
	// alias stands between a derived table and its name.
	alias string
	// now selects the server's clock as an instant with zone, version its name.
	now, version string
	// guard returns the statements that make a new session read-only and bound
	// the time of each statement in it.
	guard func(timeout time.Duration) []string
	// begin is the statement that opens a read-only transaction where the
	// driver cannot; readOnly says whether the driver can.
	begin    string
	readOnly bool
	// bindLimit is the largest number of tags in one list of parameters.
	bindLimit int
}

var dialects = map[string]dialect{
	PostgreSQL: {name: PostgreSQL, port: 5432, open: '"', close: '"', lexer: sqllexer.DBMSPostgres,
		parameter: func(n int) string { return "$" + strconv.Itoa(n) }, alias: " AS ", readOnly: true, bindLimit: 1000,
		now: "SELECT clock_timestamp()", version: "SHOW server_version", guard: guardPostgreSQL},
	MySQL:   mysqlDialect(MySQL),
	MariaDB: mysqlDialect(MariaDB),
	SQLServer: {name: SQLServer, port: 1433, open: '[', close: ']', lexer: sqllexer.DBMSSQLServer,
		parameter: func(n int) string { return "@p" + strconv.Itoa(n) }, top: true, alias: " AS ", bindLimit: 1000,
		now: "SELECT SYSDATETIMEOFFSET()", version: "SELECT @@VERSION", guard: guardSQLServer},
	Oracle: {name: Oracle, port: 1521, open: '"', close: '"', lexer: sqllexer.DBMSOracle,
		parameter: func(n int) string { return ":" + strconv.Itoa(n) }, fetch: true, alias: " ", bindLimit: 1000,
		now: "SELECT SYSTIMESTAMP FROM DUAL", version: "SELECT BANNER FROM V$VERSION FETCH FIRST 1 ROWS ONLY",
		guard: guardOracle, begin: "SET TRANSACTION READ ONLY"},
}

func mysqlDialect(name string) dialect {
	return dialect{name: name, port: 3306, open: '`', close: '`', lexer: sqllexer.DBMSMySQL,
		parameter: func(int) string { return "?" }, alias: " AS ", readOnly: true, bindLimit: 1000,
		now: "SELECT UTC_TIMESTAMP(6)", version: "SELECT VERSION()", guard: guardMySQL(name)}
}

// dialectOf returns the dialect of a name that the spec has checked.
func dialectOf(name string) dialect { return dialects[name] }

// guardPostgreSQL makes every transaction of the session read-only. Names of
// zones are kept out of results by a fixed one.
func guardPostgreSQL(timeout time.Duration) []string {
	return []string{"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
		fmt.Sprintf("SET statement_timeout = %d", timeout.Milliseconds()),
		fmt.Sprintf("SET idle_in_transaction_session_timeout = %d", (timeout + time.Minute).Milliseconds()),
		"SET TimeZone = 'UTC'"}
}

// guardMySQL makes every transaction of the session read-only. The name of the
// limit differs: MariaDB counts seconds, MySQL milliseconds.
func guardMySQL(name string) func(time.Duration) []string {
	return func(timeout time.Duration) []string {
		limit := fmt.Sprintf("SET SESSION max_execution_time = %d", timeout.Milliseconds())
		if name == MariaDB {
			limit = fmt.Sprintf("SET SESSION max_statement_time = %.3f", timeout.Seconds())
		}
		return []string{"SET SESSION TRANSACTION READ ONLY", limit, "SET SESSION time_zone = '+00:00'"}
	}
}

// guardSQLServer bounds the wait for locks. The product has no read-only
// transaction: there the checked SELECT and the rights of the login are the
// guard, and the deadline of the call is the limit of a statement.
func guardSQLServer(timeout time.Duration) []string {
	return []string{fmt.Sprintf("SET LOCK_TIMEOUT %d", timeout.Milliseconds()), "SET ANSI_WARNINGS ON", "SET QUOTED_IDENTIFIER ON"}
}

// guardOracle fixes the zone of the session. Each statement runs in a
// transaction of its own that begins with SET TRANSACTION READ ONLY.
func guardOracle(time.Duration) []string { return []string{"ALTER SESSION SET TIME_ZONE = '+00:00'"} }

// quote writes one identifier.
func (d dialect) quote(name string) string {
	return string(d.open) + strings.ReplaceAll(name, string(d.close), string(d.close)+string(d.close)) + string(d.close)
}

// statement gathers the text and the arguments of one SELECT.
type statement struct {
	dialect dialect
	text    strings.Builder
	args    []any
}

func (s *statement) write(parts ...string) {
	for _, part := range parts {
		s.text.WriteString(part)
	}
}

// bind adds an argument and returns its placeholder.
func (s *statement) bind(value any) string {
	s.args = append(s.args, value)
	return s.dialect.parameter(len(s.args))
}

// selectFrom writes "SELECT columns FROM", with the limit where the dialect
// wants it first. Zero is no limit.
func (s *statement) selectFrom(columns []string, limit int) {
	s.write("SELECT ")
	s.top(limit)
	s.write(strings.Join(columns, ", "), " FROM ")
}

// top writes the limit where the dialect wants it first.
func (s *statement) top(n int) {
	if s.dialect.top && n > 0 {
		s.write("TOP (", strconv.Itoa(n), ") ")
	}
}

// limit ends the statement with the limit where the dialect wants it last.
func (s *statement) limit(n int) {
	switch {
	case n <= 0 || s.dialect.top:
	case s.dialect.fetch:
		s.write(" FETCH FIRST ", strconv.Itoa(n), " ROWS ONLY")
	default:
		s.write(" LIMIT ", strconv.Itoa(n))
	}
}
