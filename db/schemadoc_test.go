package db_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tableColumns maps a qualified table name to its column names in order.
type tableColumns map[string][]string

var (
	lineComment  = regexp.MustCompile(`--[^\n]*`)
	createTable  = regexp.MustCompile(`(?i)\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+\.\w+)\s*\(`)
	alterTable   = regexp.MustCompile(`(?is)\bALTER\s+TABLE\s+(?:ONLY\s+)?(\w+\.\w+)\s([^;]*);`)
	addColumn    = regexp.MustCompile(`(?i)\bADD\s+COLUMN\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)`)
	tableClause  = regexp.MustCompile(`(?i)^(?:PRIMARY|UNIQUE|FOREIGN|CHECK|CONSTRAINT|EXCLUDE|LIKE)\b`)
	tableHeading = regexp.MustCompile("^### `(\\w+\\.\\w+)`")
	columnRow    = regexp.MustCompile("^\\| `(\\w+)` \\|")
)

// parseMigrations reads the tables and columns that SQL text creates.
func parseMigrations(sql string) tableColumns {
	sql = lineComment.ReplaceAllString(sql, "")
	tables := tableColumns{}
	for _, m := range createTable.FindAllStringSubmatchIndex(sql, -1) {
		name := sql[m[2]:m[3]]
		tables[name] = nil
		for _, item := range topLevelItems(sql[m[1]:]) {
			if !tableClause.MatchString(item) {
				tables[name] = append(tables[name], strings.Fields(item)[0])
			}
		}
	}
	for _, m := range alterTable.FindAllStringSubmatch(sql, -1) {
		for _, c := range addColumn.FindAllStringSubmatch(m[2], -1) {
			tables[m[1]] = append(tables[m[1]], c[1])
		}
	}
	return tables
}

// topLevelItems splits the body of a CREATE TABLE at its outer commas. The
// text starts behind the opening parenthesis; parentheses and commas inside
// nested parentheses or string literals do not count.
func topLevelItems(body string) []string {
	var items []string
	depth, start, quoted := 0, 0, false
	for i, c := range body {
		switch {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[':
			depth++
		case c == ')' && depth == 0:
			return append(items, strings.TrimSpace(body[start:i]))
		case c == ')' || c == ']':
			depth--
		case c == ',' && depth == 0:
			items = append(items, strings.TrimSpace(body[start:i]))
			start = i + 1
		}
	}
	return items
}

// parseSchemaDocument reads the table sections of docs/DB_SCHEMA.md.
func parseSchemaDocument(markdown string) tableColumns {
	tables := tableColumns{}
	table := ""
	for line := range strings.Lines(markdown) {
		if strings.HasPrefix(line, "#") {
			table = ""
		}
		if m := tableHeading.FindStringSubmatch(line); m != nil {
			table = m[1]
			tables[table] = nil
		}
		if m := columnRow.FindStringSubmatch(line); m != nil && table != "" {
			tables[table] = append(tables[table], m[1])
		}
	}
	return tables
}

// notIn lists the tables and columns of a that b lacks.
func notIn(a, b tableColumns) []string {
	var missing []string
	for _, table := range slices.Sorted(maps.Keys(a)) {
		if _, ok := b[table]; !ok {
			missing = append(missing, table)
			continue
		}
		for _, column := range a[table] {
			if !slices.Contains(b[table], column) {
				missing = append(missing, table+"."+column)
			}
		}
	}
	return missing
}

func TestSchemaDocumentMatchesMigrations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("migrations/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var sql strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		sql.Write(text)
		sql.WriteByte('\n')
	}
	document, err := os.ReadFile("../docs/DB_SCHEMA.md")
	require.NoError(t, err)

	created := parseMigrations(sql.String())
	described := parseSchemaDocument(string(document))
	require.Contains(t, created, "telemetry.asset_timeseries")
	require.Empty(t, notIn(created, described), "created by db/migrations but not described in docs/DB_SCHEMA.md")
	require.Empty(t, notIn(described, created), "described in docs/DB_SCHEMA.md but not created by db/migrations")
}

func TestParseMigrations(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		sql  string
		want tableColumns
	}{
		"keys and checks are no columns": {
			"CREATE TABLE core.a (tenant_id uuid NOT NULL, id uuid,\n PRIMARY KEY (tenant_id, id), UNIQUE (id),\n CONSTRAINT c CHECK (id IS NOT NULL));",
			tableColumns{"core.a": {"tenant_id", "id"}},
		},
		"commas in literals, parentheses and arrays do not split": {
			"CREATE TABLE core.a (kind text CHECK (kind IN ('x, y', ')')), roles text[] CHECK (roles <@ ARRAY['p', 'q']), n int);",
			tableColumns{"core.a": {"kind", "roles", "n"}},
		},
		"comments are ignored": {
			"-- CREATE TABLE core.b (x int);\nCREATE TABLE core.a (id int, -- first, last\n n int);",
			tableColumns{"core.a": {"id", "n"}},
		},
		"columns added later count": {
			"CREATE TABLE core.a (id int);\nALTER TABLE core.a ADD COLUMN n int,\n ADD COLUMN IF NOT EXISTS m text;",
			tableColumns{"core.a": {"id", "n", "m"}},
		},
		"partitioned tables": {
			"CREATE TABLE IF NOT EXISTS telemetry.a (ts timestamptz, v float8) PARTITION BY RANGE (ts);",
			tableColumns{"telemetry.a": {"ts", "v"}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, parseMigrations(c.sql))
		})
	}
}

func TestMissingColumnIsNamed(t *testing.T) {
	t.Parallel()
	created := tableColumns{"core.a": {"id", "n"}, "core.b": {"id"}}
	described := parseSchemaDocument("### `core.a`\n\n| column | type |\n|---|---|\n| `id` | uuid |\n\n## Other\n\n| `n` | int |\n")
	require.Equal(t, []string{"core.a.n", "core.b"}, notIn(created, described))
}
