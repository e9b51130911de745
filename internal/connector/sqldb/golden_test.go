package sqldb

import (
	"crypto/tls"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/golang-sql/civil"
	"github.com/microsoft/go-mssqldb/msdsn"
	ora "github.com/sijms/go-ora/v2"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// settingsOf decodes settings as open does.
func settingsOf(t *testing.T, config connector.Config) Settings {
	t.Helper()
	s, err := decode(config)
	require.NoError(t, err)
	return s
}

// TestGeneratedStatements shows what each product is sent. SQL Server and
// Oracle Database cannot run here: these texts are what is known of them.
func TestGeneratedStatements(t *testing.T) {
	t.Parallel()
	golden := map[string][2]string{
		PostgreSQL: {`SELECT "ts", "ts", "q", "unit", "tag", "val" FROM "plant"."readings" WHERE "ts" > $1 AND "ts" <= $2 AND "tag" IN ($3, $4) ORDER BY "ts" LIMIT 11`,
			`SELECT DISTINCT "tag" FROM "plant"."readings"`},
		MySQL: {"SELECT `ts`, `ts`, `q`, `unit`, `tag`, `val` FROM `plant`.`readings` WHERE `ts` > ? AND `ts` <= ? AND `tag` IN (?, ?) ORDER BY `ts` LIMIT 11",
			"SELECT DISTINCT `tag` FROM `plant`.`readings`"},
		SQLServer: {`SELECT TOP (11) [ts], [ts], [q], [unit], [tag], [val] FROM [plant].[readings] WHERE [ts] > @p1 AND [ts] <= @p2 AND [tag] IN (@p3, @p4) ORDER BY [ts]`,
			`SELECT DISTINCT TOP (100000) [tag] FROM [plant].[readings]`},
		Oracle: {`SELECT "ts", "ts", "q", "unit", "tag", "val" FROM "plant"."readings" WHERE "ts" > :1 AND "ts" <= :2 AND "tag" IN (:3, :4) ORDER BY "ts" FETCH FIRST 11 ROWS ONLY`,
			`SELECT DISTINCT "tag" FROM "plant"."readings"`},
	}
	golden[MariaDB] = golden[MySQL]
	for name, texts := range golden {
		src, err := newSource(settingsOf(t, with(narrow, connector.Config{"dialect": name, "table": "plant.readings"})))
		require.NoError(t, err)
		st := src.statement(window{tags: []string{"a", "b'; DROP TABLE x; --"}, column: "ts", clock: src.order, since: noon, until: noon.Add(time.Minute), limit: 11})
		require.Equal(t, texts[0], st.text.String(), name)
		require.Len(t, st.args, 4)
		require.Equal(t, "b'; DROP TABLE x; --", st.args[3], "values are parameters")
		require.Equal(t, texts[1], (&Readings{source: src}).distinct(maxTags).text.String(), name)
	}
}

func TestGeneratedQueriesRepeatTheirParameters(t *testing.T) {
	t.Parallel()
	text := "SELECT tag, ts, val, q, unit FROM r WHERE ts > :since AND ts <= :until AND x < :limit OR y > :since"
	for name, want := range map[string]string{
		SQLServer: `SELECT [ts], [ts], [q], [unit], [tag], [val] FROM (SELECT tag, ts, val, q, unit FROM r WHERE ts >  @p1  AND ts <=  @p2  AND x <  @p3  OR y >  @p4 ) AS [readings] WHERE [ts] = @p5 ORDER BY [ts]`,
		Oracle:    `SELECT "ts", "ts", "q", "unit", "tag", "val" FROM (SELECT tag, ts, val, q, unit FROM r WHERE ts >  :1  AND ts <=  :2  AND x <  :3  OR y >  :4 ) "readings" WHERE "ts" = :5 ORDER BY "ts"`,
	} {
		src, err := newSource(settingsOf(t, with(narrow, connector.Config{"dialect": name, "mode": ModeQuery, "query": text})))
		require.NoError(t, err)
		st := src.statement(window{column: "ts", clock: src.order, since: noon, until: noon, at: noon})
		require.Equal(t, want, st.text.String())
		require.Len(t, st.args, 5)
	}
}

func TestTimesAsEachDriverWantsThem(t *testing.T) {
	t.Parallel()
	wall := time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		dialect, column string
		want            any
	}{
		{PostgreSQL, "TIMESTAMPTZ", noon}, {PostgreSQL, "TIMESTAMP", wall}, {MySQL, "TIMESTAMP", noon}, {MariaDB, "DATETIME", wall},
		{SQLServer, "DATETIMEOFFSET", noon}, {SQLServer, "DATETIME2", civil.DateTimeOf(wall)}, {SQLServer, "DATETIME", civil.DateTimeOf(wall)},
		{Oracle, "TimeStampTZ_DTY", ora.TimeStampTZ(noon)}, {Oracle, "TimeStampDTY", ora.TimeStamp(wall)}, {Oracle, "DATE", ora.TimeStamp(wall)},
	} {
		read, err := newClock(Settings{Dialect: c.dialect, TimeFormat: TimesNative, TimeZone: "Asia/Riyadh"}, c.column)
		require.NoError(t, err)
		require.Equal(t, c.want, read.argument(noon), "%s %s", c.dialect, c.column)
		given := noon
		if read.naive {
			given = wall
		}
		back, err := read.instant(given)
		require.NoError(t, err)
		require.Equal(t, noon, back, "%s %s", c.dialect, c.column)
		require.Equal(t, c.want, read.again(given), "%s %s", c.dialect, c.column)
	}
}

func TestSQLServerIsAskedForReadOnlyIntentAndEncryption(t *testing.T) {
	t.Parallel()
	s := settingsOf(t, connector.Config{"dialect": SQLServer, "host": "sql.plant.example", "database": "MES", "user": "reader"})
	s.password = "p;w=d"
	security := &tls.Config{}
	config := sqlServerConfig(s, security)
	require.Equal(t, uint64(1433), config.Port)
	require.True(t, config.ReadOnlyIntent)
	require.EqualValues(t, msdsn.EncryptionRequired, config.Encryption)
	require.Same(t, security, config.TLSConfig)
	require.False(t, config.TrustServerCertificate)
	require.Equal(t, "p;w=d", config.Password, "nothing is spliced into a text")
	require.EqualValues(t, msdsn.EncryptionDisabled, sqlServerConfig(s, nil).Encryption)
	require.Equal(t, []string{"SET LOCK_TIMEOUT 30000", "SET ANSI_WARNINGS ON", "SET QUOTED_IDENTIFIER ON"}, dialectOf(SQLServer).guard(s.timeout()))
}

func TestOracleAddressKeepsOddCharacters(t *testing.T) {
	t.Parallel()
	s := settingsOf(t, connector.Config{"dialect": Oracle, "host": "ora.plant.example", "database": "EBS/PROD", "user": "read@er"})
	s.password = "p:w/d@?#"
	parsed, err := url.Parse(oracleURL(s))
	require.NoError(t, err)
	require.Equal(t, "ora.plant.example:1521", parsed.Host)
	password, _ := parsed.User.Password()
	require.Equal(t, "read@er p:w/d@?#", parsed.User.Username()+" "+password)
	require.Equal(t, "/EBS/PROD", parsed.Path)
	require.Equal(t, "enable true 32", parsed.Query().Get("SSL")+" "+parsed.Query().Get("SSL VERIFY")+" "+parsed.Query().Get("TIMEOUT"))
	require.Equal(t, "SET TRANSACTION READ ONLY", dialectOf(Oracle).begin)
}

func TestGuardsOfSessions(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"SET SESSION TRANSACTION READ ONLY", "SET SESSION max_execution_time = 2500", "SET SESSION time_zone = '+00:00'"}, dialectOf(MySQL).guard(2500*time.Millisecond))
	require.Equal(t, "SET SESSION max_statement_time = 2.500", dialectOf(MariaDB).guard(2500 * time.Millisecond)[1])
	require.Equal(t, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", dialectOf(PostgreSQL).guard(time.Second)[0])
}

func TestQuotingLeavesNoWayOut(t *testing.T) {
	t.Parallel()
	require.Equal(t, `"a""; DROP"`, dialectOf(PostgreSQL).quote(`a"; DROP`))
	require.Equal(t, "`a``; DROP`", dialectOf(MariaDB).quote("a`; DROP"))
	require.Equal(t, `[a]]; DROP]`, dialectOf(SQLServer).quote(`a]; DROP`))
	for _, name := range []string{"", "a.b.c.d", "a b", "1a", `a"b`, "a;b", "a-b", "a.", ".a", "a'b", "a\x00b", "a`b", "a]b", "$a"} {
		_, err := parseTable(name)
		require.Error(t, err, "%q", name)
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	t.Parallel()
	good := with(narrow, connector.Config{"dialect": PostgreSQL, "host": "db.plant.example", "database": "x", "user": "x"})
	require.Empty(t, Spec().Validate(good))
	for key, c := range map[string]struct {
		value any
		want  string
	}{
		"host": {"/var/run/postgresql", errHost}, "table": {"a;b", errIdentifier}, "tag_column": {"a b", errIdentifier}, "time_column": {"", errIdentifier},
		"order_column": {"a\"", errIdentifier}, "value_columns": {"a, b", errColumns}, "time_zone": {"Mars/Base", errZone}, "quality_codes": {map[string]any{"1": "fine"}, errQuality},
		"tags_table": {"a.b.c.d", errIdentifier}, "certificate_sha256": {"abc", "connector.http.error.fingerprint"}, "ca_certificate": {"abc", "connector.http.error.ca"},
	} {
		require.Equal(t, c.want, Spec().Validate(with(good, connector.Config{key: c.value}))[key], key)
	}
	require.Equal(t, errPin, Spec().Validate(with(good, connector.Config{"tls": TLSPin}))["certificate_sha256"])
	require.Equal(t, errQuery, Spec().Validate(with(good, connector.Config{"mode": ModeQuery, "query": "DROP TABLE x"}))["query"])
	for _, host := range []string{"host=x port=1", "a,b", "a@b", "user:pw@host", "http://x", "a b", "-x", "x/y"} {
		require.Equal(t, errHost, Spec().Validate(with(good, connector.Config{"host": host}))["host"], host)
	}
}

// TestNoTLSOnlyToPrivateAddresses pretends to have reached a public address.
func TestNoTLSOnlyToPrivateAddresses(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	conn, err := (&secureDialer{Dialer: &net.Dialer{}, clear: true}).DialContext(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	for address, allowed := range map[string]bool{"10.1.2.3": true, "192.168.1.1": true, "127.0.0.1": true, "::1": true, "fd12::1": true, "93.184.216.34": false, "2606:2800:220:1::": false} {
		err := clearAllowed(&net.TCPAddr{IP: net.ParseIP(address), Port: 5432})
		require.Equal(t, allowed, err == nil, address)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.CodeOf(err))
		}
	}
}

func TestPagesGoOnWhileTheClockMoves(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	last := page{from, from.Add(time.Minute)}
	require.True(t, last.goesOn(from, from.Add(time.Minute)))
	require.True(t, last.goesOn(from, from.Add(2*time.Minute)), "a poll ends at the caller's now")
	require.False(t, last.goesOn(from, from.Add(time.Second)))
	require.False(t, last.goesOn(from.Add(time.Second), from.Add(time.Minute)))
	require.False(t, page{}.goesOn(time.Time{}, from), "nothing was read before")
}
