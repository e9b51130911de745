package sqldb

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostile are texts that must never be accepted as a query, in any dialect.
var hostile = []string{
	"DELETE FROM readings", "SELECT 1; DELETE FROM readings", "SELECT 1;;", "SELECT 1; SELECT 2", "", ";", "  ", "VALUES (1)", "(SELECT 1); DROP TABLE readings",
	"SELECT tag FROM readings FOR UPDATE", "SELECT tag FROM readings FOR SHARE", "SELECT tag FROM readings FOR NO KEY UPDATE", "SELECT tag FROM readings LOCK IN SHARE MODE",
	"SELECT tag INTO copied FROM readings", "SELECT tag INTO OUTFILE '/tmp/out' FROM readings", "SELECT tag FROM readings INTO DUMPFILE '/tmp/out'", "SELECT 1INTO copied",
	"SELECT 'a'INTO copied", "SELECT 1.INTO copied", "SELECT 1e1INTO copied", "SELECT \"a\"INTO copied FROM readings",
	"WITH gone AS (DELETE FROM readings RETURNING tag) SELECT tag FROM gone", "WITH x AS (SELECT 1) DELETE FROM readings", "WITH x AS (SELECT 1) INSERT INTO readings SELECT 1",
	"WITH x AS (UPDATE readings SET val = 0 RETURNING tag) SELECT tag FROM x", "WITH x AS (MERGE INTO readings USING y ON 1 = 1 WHEN MATCHED THEN DELETE) SELECT 1",
	"WITH FUNCTION f RETURN NUMBER IS BEGIN RETURN 1; END; SELECT f FROM dual", "EXPLAIN ANALYZE DELETE FROM readings", "CALL spoil()", "EXEC sp_who", "DO $$ BEGIN DELETE FROM readings; END $$",
	"SELECT spoil()", "SELECT nextval('numbers')", "SELECT numbers.NEXTVAL FROM dual", "SELECT setval('numbers', 1)", "SELECT pg_terminate_backend(1)", "SELECT pg_sleep(100)", "SELECT SLEEP(100)",
	"SELECT SLEEP (100)", "SELECT BENCHMARK(1000000, 1)", "SELECT GET_LOCK('a', 1)", "SELECT LOAD_FILE('/etc/passwd')", "SELECT pg_read_file('/etc/passwd')", "SELECT lo_import('/etc/passwd')",
	"SELECT set_config('default_transaction_read_only', 'off', false)", "SELECT dblink('host=10.0.0.1', 'DELETE FROM t')", "SELECT \"spoil\"()", "SELECT `spoil`()", "SELECT [spoil]()", "SELECT public.spoil()",
	"SELECT public.\"spoil\"()", "SELECT pg_catalog.pg_sleep(1)", "SELECT query_to_xml('DELETE FROM readings', true, true, '')", "SELECT UTL_HTTP.REQUEST('http://10.0.0.1') FROM dual",
	"SELECT DBMS_LOCK.SLEEP(1) FROM dual", "SELECT xp_cmdshell('dir')", "SELECT 1 /* */", "SELECT 1 -- x", "SELECT 1 # x", "SELECT /*!50000 1 INTO OUTFILE '/tmp/x' */ 1", "SELECT /*+ APPEND */ 1",
	"SELECT a/*x*/INTO b FROM readings", "SELECT 1/* /* */ ; DELETE FROM readings -- */", "SELECT '\\'; DELETE FROM readings; -- '", "SELECT E'\\'; DELETE FROM readings; --'", "SELECT E'a'",
	"SELECT N'a'", "SELECT q'[a'; DELETE FROM readings; --]' FROM dual", "SELECT $$a$$", "SELECT $x$ ; DELETE FROM readings; $x$", "SELECT U&'d\\0061t'", "SELECT 'a", "SELECT \"a", "SELECT `a", "SELECT (1", "SELECT 1)",
	"SELECT a\"x (\" , b ; DELETE FROM readings --\"", "SELECT a\"b\"", "SELECT 1 \x00; DELETE FROM readings", "SELECT 1\u00a0; DELETE FROM readings", "SELECT @a := 1", "SELECT @@version", "SELECT $1", "SELECT ?",
	"SELECT optria_parameter_since", "SELECT ':since'", "SELECT {fn spoil()}", "SELECT 1 SELECT 2", "SELECT 1 FROM readings SELECT 2", "SELECT tag FROM readings WITH (TABLOCKX)", "SELECT tag FROM readings (TABLOCKX)",
	"SELECT 1 EXEC spoil", "SELECT 1 DROP TABLE readings", "SELECT tag FROM readings PROCEDURE ANALYSE()", "SELECT * FROM OPENROWSET('x', 'y', 'z')", "SELECT * FROM far@link", "SET ROLE postgres", "SHOW TABLES", "TABLE readings",
	"SELECT 1 UNION SELECT 1 INTO OUTFILE '/tmp/x'", "SELECT tag FROM readings AS OF x; COMMIT", "BEGIN", "COPY readings TO PROGRAM 'sh'", "LOAD DATA INFILE '/etc/passwd' INTO TABLE readings", "HANDLER readings OPEN",
	"SELECT nextval ('numbers')", "SELECT nextval\n('numbers')", "SELECT 1 WHERE EXISTS (DELETE FROM readings RETURNING 1)", "\ufeffSELECT 1", "ＳＥＬＥＣＴ 1", "SELECT 1；DELETE FROM readings",
}

// harmless are queries that people write for each dialect.
var harmless = map[string][]string{
	PostgreSQL: {"SELECT tag, ts, val FROM plant.readings WHERE ts > :since AND ts <= :until ORDER BY ts LIMIT :limit;",
		"WITH recent AS (SELECT tag, ts, val FROM readings WHERE ts > :since) SELECT tag, ts, val::float AS val FROM recent",
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n",
		"SELECT lower(tag) || '.x' AS tag, date_trunc('minute', ts) AS ts, avg(val) FILTER (WHERE val > 0) AS val FROM readings GROUP BY 1, 2 HAVING count(*) > 1",
		"SELECT tag, ts AT TIME ZONE 'UTC' AS ts, CASE WHEN val < -1e3 THEN NULL ELSE val END AS val FROM readings WHERE tag IN ('a', 'it''s; DELETE FROM x') AND ts >=:since",
		`SELECT r."Tag", r."Zeit", r.val FROM "Werk"."Messwerte" AS r JOIN units u ON u.id = r.unit_id WHERE NOT EXISTS (SELECT 1 FROM muted m WHERE m.tag = r."Tag")`,
		"SELECT tag, ts, val FROM a UNION ALL SELECT tag, ts, val FROM b", "SELECT load, start, ts FROM motors", "select \"update\", ts from readings"},
	MariaDB: {"SELECT `tag`, ts, IFNULL(val, 0) AS val FROM `plant`.`readings` WHERE ts > :since AND tag LIKE \"P1%\"", "SELECT tag, FROM_UNIXTIME(t / 1000) AS ts, val FROM readings"},
	SQLServer: {"SELECT TOP (:limit) [Tag Name] AS tag, DATEADD(hour, 1, [ts]) AS ts, CAST(val AS decimal(18, 4)) AS val FROM [Plant].[dbo].[Readings] WHERE ts > :since ORDER BY ts",
		"SELECT tag, ts, val, ROW_NUMBER() OVER (PARTITION BY tag ORDER BY ts) AS n FROM dbo.readings"},
	Oracle: {"SELECT TAG, TS, NVL(VAL, 0) VAL FROM PLANT.READINGS WHERE TS > :since AND TS <= :until", "SELECT TAG, CAST(FROM_TZ(TS, 'UTC') AS TIMESTAMP) TS, VAL FROM READINGS"},
}

func TestHostileQueriesAreRefusedInEveryDialect(t *testing.T) {
	t.Parallel()
	for name := range dialects {
		for _, text := range hostile {
			_, err := parseQuery(dialectOf(name), text)
			require.Error(t, err, "%s: %s", name, text)
		}
	}
}

func TestHarmlessQueriesAreTaken(t *testing.T) {
	t.Parallel()
	for name, texts := range harmless {
		for _, text := range texts {
			q, err := parseQuery(dialectOf(name), text)
			require.NoError(t, err, "%s: %s", name, text)
			require.Len(t, q.texts, len(q.params)+1)
			for _, param := range []string{paramSince, paramUntil, paramLimit} {
				require.Equal(t, strings.Count(text, ":"+param), strings.Count(strings.Join(q.params, " "), param), text)
			}
		}
	}
}

// FuzzQuery checks what holds for every accepted text: outside of quotes, which
// are read here in a second way, there is no semicolon, no comment and no word
// that changes data.
func FuzzQuery(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	for _, texts := range harmless {
		for _, text := range texts {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name := range dialects {
			q, err := parseQuery(dialectOf(name), text)
			if err != nil {
				continue
			}
			bare := outsideQuotes(name, strings.Join(q.texts, " 1 "))
			for _, sign := range []string{";", "--", "/*", "\\", "@", "\x00"} {
				require.NotContains(t, bare, sign, "%s: %s", name, text)
			}
			for _, word := range strings.FieldsFunc(strings.ToUpper(bare), func(r rune) bool { return !(r == '_' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 127) }) {
				require.NotContains(t, forbidden, word, "%s: %s", name, text)
			}
		}
	})
}

// outsideQuotes cuts away quoted texts and names, as a server reads them.
func outsideQuotes(dialect, text string) string {
	closing := map[rune]rune{'\'': '\'', '"': '"'}
	switch dialect {
	case MySQL, MariaDB:
		closing['`'] = '`'
	case SQLServer:
		closing['['] = ']'
	}
	var bare strings.Builder
	var until rune
	for _, r := range text {
		switch end, opens := closing[r]; {
		case until != 0:
			if r == until {
				until = 0
			}
		case opens:
			until = end
		default:
			bare.WriteRune(r)
		}
	}
	return bare.String()
}
