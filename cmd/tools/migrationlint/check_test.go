package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ rule, sql string }{
		"table":                {"drop", "DROP TABLE asset;"},
		"schema":               {"drop", "DROP SCHEMA IF EXISTS core;"},
		"sequence":             {"drop", "DROP SEQUENCE s;"},
		"materialized view":    {"drop", "DROP MATERIALIZED VIEW m;"},
		"role":                 {"drop", "DROP ROLE optria_app;"},
		"owned":                {"drop", "DROP OWNED BY optria_app;"},
		"cascade":              {"cascade", "DROP VIEW v CASCADE;"},
		"truncate":             {"truncate", "TRUNCATE asset;"},
		"column":               {"drop-column", "ALTER TABLE asset DROP COLUMN code;"},
		"column among others":  {"drop-column", "ALTER TABLE asset ADD a int, DROP b;"},
		"type":                 {"alter-type", "ALTER TABLE asset ALTER code TYPE int USING code::int;"},
		"constraint":           {"drop-constraint", "ALTER TABLE asset DROP CONSTRAINT c;"},
		"detach":               {"detach-partition", "ALTER TABLE ts DETACH PARTITION ts_1;"},
		"disable RLS":          {"row-security", "ALTER TABLE asset DISABLE ROW LEVEL SECURITY;"},
		"no force RLS":         {"row-security", "ALTER TABLE asset NO FORCE ROW LEVEL SECURITY;"},
		"unlogged":             {"unlogged", "ALTER TABLE asset SET UNLOGGED;"},
		"rename table":         {"rename", "ALTER TABLE asset RENAME TO thing;"},
		"rename column":        {"rename", "ALTER TABLE asset RENAME code TO name;"},
		"set schema":           {"rename", "ALTER TABLE asset SET SCHEMA other;"},
		"delete":               {"unbounded", "DELETE FROM asset;"},
		"update":               {"unbounded", "UPDATE asset SET code = 'x';"},
		"hidden delete":        {"unbounded", "WITH gone AS (DELETE FROM asset RETURNING *) SELECT count(*) FROM gone;"},
		"foreign key cascade":  {"foreign-key", "CREATE TABLE a (b int REFERENCES c (id) ON DELETE CASCADE);"},
		"foreign key set null": {"foreign-key", "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (id) ON DELETE SET NULL;"},
		"foreign key update":   {"foreign-key", "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (id) ON UPDATE CASCADE;"},
		"do block":             {"do", "DO $$ BEGIN NULL; END $$;"},
		"function body":        {"function-body", "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'TRUNCATE asset'; END $$;"},
		"down":                 {"down", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;"},
		"wrong allowance":      {"drop", "-- optria:allow truncate because\nDROP TABLE asset;"},
		"allowance, no reason": {"drop", "-- optria:allow drop\nDROP TABLE asset;"},
		"allowance afterwards": {"drop", "DROP TABLE asset; -- optria:allow drop too late"},
		"allowance in string":  {"drop", "SELECT '\n-- optria:allow drop no';\nDROP TABLE asset;"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			findings, err := Check(c.sql)
			if err != nil {
				t.Fatal(err)
			}
			for _, finding := range findings {
				if finding.Rule == c.rule {
					return
				}
			}
			t.Errorf("rule %s did not fire: %+v", c.rule, findings)
		})
	}
}

func TestCheckAccepts(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"additive":             "CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES c (id)); ALTER TABLE a ADD d int; CREATE INDEX ON a (b);",
		"replaceable objects":  "DROP INDEX i; DROP POLICY p ON a; DROP TRIGGER t ON a; DROP VIEW v; DROP FUNCTION f();",
		"bounded changes":      "UPDATE a SET b = 1 WHERE b IS NULL; DELETE FROM a WHERE b = 2;",
		"words in literals":    "INSERT INTO a (note) VALUES ('DROP TABLE a; TRUNCATE b CASCADE');",
		"words in comments":    "-- DROP TABLE a;\n/* TRUNCATE a */ SELECT 1;",
		"words in names":       "CREATE TABLE drop_column (truncate_at int, cascaded bool);",
		"stricter security":    "ALTER TABLE a ENABLE ROW LEVEL SECURITY; ALTER TABLE a FORCE ROW LEVEL SECURITY;",
		"harmless body":        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 -- drop nothing\n$$;",
		"allowed drop":         "SELECT 1;\n-- optria:allow drop the table was never released (review 12)\nDROP TABLE a;",
		"two allowances":       "-- optria:allow drop unused\n-- optria:allow cascade only its own view\nDROP TABLE a CASCADE;",
		"allowed down":         "-- +goose Up\nSELECT 1;\n-- optria:allow down only grants\n-- +goose Down\nSELECT 2;",
		"default foreign keys": "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (id) ON DELETE RESTRICT;",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			findings, err := Check(sql)
			if err != nil {
				t.Fatal(err)
			}
			if len(findings) > 0 {
				t.Errorf("refused: %+v", findings)
			}
		})
	}
}

func TestRunReadsStandardInputAndCountsLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	refused, err := run([]string{"-"}, strings.NewReader("SELECT 'é';\n\n-- a note\nDROP TABLE a;\nTRUNCATE b;"), &out)
	if err != nil {
		t.Fatal(err)
	}
	want := "-:4: drop: drops a table\n-:5: truncate: empties a table\n"
	if refused != 2 || out.String() != want {
		t.Errorf("refused %d:\n%swant:\n%s", refused, out.String(), want)
	}
}

func TestRunReportsSyntaxErrors(t *testing.T) {
	t.Parallel()
	if _, err := run([]string{"-"}, strings.NewReader("CREATE TABEL a;"), &bytes.Buffer{}); err == nil {
		t.Error("accepted")
	}
}
