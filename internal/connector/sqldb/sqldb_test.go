package sqldb

import (
	"fmt"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/connector/sqldb/sqldbtest"
)

// world is one real server with what differs between them.
type world struct {
	config  connector.Config
	secrets connector.Secrets
	exec    func(t testing.TB, statements ...string)
	quote   func(string) string
}

func postgresWorld(t testing.TB) world {
	plant := sqldbtest.PostgreSQL(t)
	return world{config: plant.Config(), exec: plant.Exec, quote: dialects[PostgreSQL].quote}
}

// open opens a connector with further settings.
func (w world) open(t testing.TB, settings connector.Config) connector.Connector {
	t.Helper()
	config := connector.Config{}
	for _, part := range []connector.Config{w.config, settings} {
		for key, value := range part {
			config[key] = value
		}
	}
	opened, err := connector.Open(Kind, config, w.secrets, &net.Dialer{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	return opened
}

func (w world) readings(t testing.TB, settings connector.Config) *Readings {
	return w.open(t, settings).(*Readings)
}

// narrow are the settings of the table readings.
var narrow = connector.Config{"table": "readings", "tag_column": "tag", "time_column": "ts", "value_columns": "val", "quality_column": "q", "unit_column": "unit"}

func with(config connector.Config, more connector.Config) connector.Config {
	all := connector.Config{}
	for _, part := range []connector.Config{config, more} {
		for key, value := range part {
			all[key] = value
		}
	}
	return all
}

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// fill makes the table readings: three tags, one reading a minute.
func (w world) fill(t testing.TB, minutes int) {
	w.exec(t, "CREATE TABLE readings (tag varchar(80) NOT NULL, ts timestamp(6) NOT NULL, val double precision, q int, unit varchar(20), PRIMARY KEY (tag, ts))",
		"CREATE INDEX readings_ts ON readings (ts)")
	var rows []string
	for i := range minutes {
		at := noon.Add(time.Duration(i) * time.Minute).Format("2006-01-02 15:04:05.000000")
		for n, tag := range []string{"P1.VIB", "P1.TEMP", "P1.FLOW"} {
			rows = append(rows, fmt.Sprintf("('%s', '%s', %g, 192, 'mm/s')", tag, at, float64(i)+float64(n)/10))
		}
	}
	w.exec(t, "INSERT INTO readings VALUES "+strings.Join(rows, ", "))
}

var allTags = []string{"P1.FLOW", "P1.TEMP", "P1.VIB"}

// TestOnRealServers runs each of these against a real PostgreSQL and a real
// MariaDB.
func TestOnRealServers(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T, world){
		"contract": keepsTheContract, "odd values": oddValues, "numeric types": numericTypes, "names of every script": namesOfEveryScript,
		"collation": tagsThatACollationHoldsForEqual, "time zones": timeZones, "late commits": lateCommits, "order column": orderColumn,
		"writes": writesAreRefused, "hostile queries": hostileQueries, "timeout": statementTimeout, "paging": pagesOfOneInstant, "records": recordsOfEBS,
		"missing": missingThings,
	}
	server := startMaria(t)
	for name, run := range tests {
		t.Run(name+"/postgresql", func(t *testing.T) { t.Parallel(); run(t, postgresWorld(t)) })
		t.Run(name+"/mariadb", func(t *testing.T) { t.Parallel(); run(t, server.world(t, strings.ReplaceAll(name, " ", "_"))) })
	}
}

func keepsTheContract(t *testing.T, w world) {
	w.fill(t, 30)
	query := "SELECT tag, ts, val AS v, q, unit FROM readings WHERE ts > :since AND ts <= :until ORDER BY ts LIMIT :limit"
	for name, settings := range map[string]connector.Config{
		"table":         narrow,
		"overlap":       with(narrow, connector.Config{"overlap_seconds": 90.0, "settle_seconds": 60.0}),
		"query":         with(narrow, connector.Config{"mode": ModeQuery, "query": query, "value_columns": "v", "overlap_seconds": 0.0}),
		"query, simple": with(narrow, connector.Config{"mode": ModeQuery, "query": "SELECT tag, ts, val, q, unit FROM readings"}),
	} {
		t.Run(name, func(t *testing.T) {
			connectortest.Run(t, Kind, connectortest.Fixture{Config: with(w.config, settings), Secrets: w.secrets, Dialer: &net.Dialer{},
				Tags: allTags, Since: noon.Add(-time.Second), Until: noon.Add(10 * time.Minute)})
		})
	}
}

func poll(t testing.TB, r *Readings, tags []string, since, until time.Time) connector.Batch {
	t.Helper()
	batch, err := r.Poll(t.Context(), connector.PollRequest{Tags: tags, Since: since, Until: until})
	require.NoError(t, err)
	return batch
}

func oddValues(t *testing.T, w world) {
	w.exec(t, "CREATE TABLE odd (tag varchar(80), ts timestamp(6) NULL, val varchar(40), q varchar(20), unit varchar(20))",
		`INSERT INTO odd VALUES ('number', '2026-03-10 12:00:01', ' -13.250 ', '192', 'bar'), ('absent', '2026-03-10 12:00:02', NULL, '192', NULL),
			('nan', '2026-03-10 12:00:03', 'NaN', '192', NULL), ('huge', '2026-03-10 12:00:04', '1e400', '192', NULL), ('text', '2026-03-10 12:00:05', 'running', '192', NULL),
			('doubtful', '2026-03-10 12:00:06', '1', '64', NULL), ('broken', '2026-03-10 12:00:07', '2', '0', NULL), ('worded', '2026-03-10 12:00:08', '3', 'Bad', NULL),
			('timeless', NULL, '3', '192', NULL), (NULL, '2026-03-10 12:00:09', '3', '192', NULL), ('hex', '2026-03-10 12:00:10', '0x1F', '192', NULL)`)
	tags := []string{"number", "absent", "nan", "huge", "text", "doubtful", "broken", "worded", "timeless", "hex"}
	batch := poll(t, w.readings(t, with(narrow, connector.Config{"table": "odd"})), tags, noon, noon.Add(time.Minute))
	type short struct {
		value   float64
		quality asset.Quality
		unit    string
	}
	got := map[string]short{}
	for _, r := range batch.Readings {
		value := r.Value
		if math.IsNaN(value) {
			value = -999
		}
		got[r.ExternalTag] = short{value, r.Quality, r.Unit}
	}
	require.Equal(t, map[string]short{"number": {-13.25, asset.Good, "bar"}, "absent": {-999, asset.Bad, ""}, "nan": {-999, asset.Bad, ""}, "huge": {-999, asset.Bad, ""},
		"doubtful": {1, asset.Uncertain, ""}, "broken": {2, asset.Bad, ""}, "worded": {3, asset.Bad, ""}}, got)
	require.Len(t, batch.Notices, 1)
	require.Equal(t, connector.NoticeNotNumeric, batch.Notices[0].Key)
	require.Equal(t, []string{"hex", "text"}, batch.Notices[0].Tags)
}

func numericTypes(t *testing.T, w world) {
	w.exec(t, "CREATE TABLE wide (ts timestamp(6) NOT NULL, a decimal(20,6), b bigint, c real, d boolean, e smallint, f varchar(10))",
		"INSERT INTO wide VALUES ('2026-03-10 12:00:01', 12345678901234.5, -9007199254740993, 1.5, true, -13, 'on')")
	r := w.readings(t, connector.Config{"table": "wide", "time_column": "ts", "value_columns": "a, b,c d e f"})
	batch := poll(t, r, []string{"a", "b", "c", "d", "e", "f", "g"}, noon, noon.Add(time.Minute))
	got := map[string]float64{}
	for _, reading := range batch.Readings {
		got[reading.ExternalTag] = reading.Value
	}
	require.Equal(t, map[string]float64{"a": 12345678901234.5, "b": -9007199254740992, "c": 1.5, "d": 1, "e": -13}, got)
	require.Equal(t, []connector.Notice{{Time: noon.Add(time.Minute), Key: connector.NoticeUnknownTag, Tags: []string{"g"}},
		{Time: noon.Add(time.Minute), Key: connector.NoticeNotNumeric, Tags: []string{"f"}}}, batch.Notices)
	nodes, err := r.Browse(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, nodes, 6)
}

func namesOfEveryScript(t *testing.T, w world) {
	q := w.quote
	w.exec(t, "CREATE TABLE "+q("قراءات")+" ("+q("وسم")+" varchar(80), "+q("Zeit_größe$")+" timestamp(6), "+q("القيمة")+" double precision)",
		"INSERT INTO "+q("قراءات")+" VALUES ('مضخة ١', '2026-03-10 12:00:01', 7.5), ('O''Brien\"; --', '2026-03-10 12:00:02', 8.5), ('🏭', '2026-03-10 12:00:03', 9.5)")
	r := w.readings(t, connector.Config{"table": "قراءات", "tag_column": "وسم", "time_column": "Zeit_größe$", "value_columns": "القيمة"})
	nodes, err := r.Browse(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, nodes, 3)
	batch := poll(t, r, []string{"مضخة ١", "O'Brien\"; --", "🏭"}, noon, noon.Add(time.Minute))
	require.Len(t, batch.Readings, 3)
	require.Empty(t, batch.Notices)
}

func tagsThatACollationHoldsForEqual(t *testing.T, w world) {
	w.exec(t, "CREATE TABLE twins (tag varchar(80), ts timestamp(6), val double precision)",
		"INSERT INTO twins VALUES ('pump', '2026-03-10 12:00:01', 1), ('PUMP', '2026-03-10 12:00:01', 2), ('pümp', '2026-03-10 12:00:01', 3)")
	r := w.readings(t, connector.Config{"table": "twins", "tag_column": "tag", "time_column": "ts", "value_columns": "val", "row_limit": 1.0})
	batch := poll(t, r, []string{"pump", "PUMP"}, noon, noon.Add(time.Minute))
	require.True(t, batch.More)
	require.Len(t, batch.Readings, 2, "a page takes a whole instant, and each spelling is a tag")
	require.Empty(t, poll(t, r, []string{"pump", "PUMP"}, batch.Watermark, noon.Add(time.Minute)).Readings)
}

func timeZones(t *testing.T, w world) {
	zoned, moment := "timestamptz", "'2026-07-10 12:00:01+02'"
	naive := "timestamp(6)"
	if w.config["dialect"] == MariaDB {
		zoned, naive, moment = "timestamp(6)", "datetime(6)", "'2026-07-10 10:00:01'"
		w.exec(t, "SET time_zone = '+00:00'")
	}
	w.exec(t, "CREATE TABLE zoned (tag varchar(80), ts "+zoned+", val double precision)", "INSERT INTO zoned VALUES ('a', "+moment+", 1)",
		"CREATE TABLE naive (tag varchar(80), ts "+naive+", val double precision)",
		"INSERT INTO naive VALUES ('a', '2026-07-10 12:00:01', 1), ('a', '2026-01-10 12:00:01', 2), ('a', '2026-10-25 02:30:00', 3)",
		"CREATE TABLE epoch (tag varchar(80), ts bigint, val double precision)", "INSERT INTO epoch VALUES ('a', 1783677601, 1)",
		"CREATE TABLE fine (tag varchar(80), ts double precision, val double precision)", "INSERT INTO fine VALUES ('a', 1783677601.25, 1)",
		"CREATE TABLE milli (tag varchar(80), ts bigint, val double precision)", "INSERT INTO milli VALUES ('a', 1783677601250, 1)")
	summer := time.Date(2026, 7, 10, 10, 0, 1, 0, time.UTC)
	read := func(table, format string, since time.Time) []connector.Reading {
		r := w.readings(t, connector.Config{"table": table, "tag_column": "tag", "time_column": "ts", "value_columns": "val",
			"time_zone": "Europe/Berlin", "time_format": format, "row_limit": 1.0, "overlap_seconds": 0.0})
		batch := poll(t, r, []string{"a"}, since.Add(-500*time.Millisecond), since.Add(500*time.Millisecond))
		require.Len(t, batch.Readings, 1, "%s at %s", table, since)
		return batch.Readings
	}
	require.Equal(t, summer, read("zoned", TimesNative, summer)[0].Time)
	require.Equal(t, summer, read("naive", TimesNative, summer)[0].Time)
	winter := time.Date(2026, 1, 10, 11, 0, 1, 0, time.UTC)
	require.Equal(t, winter, read("naive", TimesNative, winter)[0].Time)
	repeated := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)
	require.Equal(t, repeated, read("naive", TimesNative, repeated)[0].Time, "the first run of a repeated hour")
	require.Equal(t, summer, read("epoch", TimesSeconds, summer)[0].Time)
	require.Equal(t, summer.Add(250*time.Millisecond), read("fine", TimesSeconds, summer.Add(250*time.Millisecond))[0].Time)
	require.Equal(t, summer.Add(250*time.Millisecond), read("milli", TimesMilliseconds, summer.Add(250*time.Millisecond))[0].Time)
}

func lateCommits(t *testing.T, w world) {
	w.fill(t, 3)
	blind := w.readings(t, with(narrow, connector.Config{"overlap_seconds": 0.0}))
	seeing := w.readings(t, with(narrow, connector.Config{"overlap_seconds": 30.0}))
	first := noon.Add(2*time.Minute + 10*time.Second)
	require.Len(t, poll(t, seeing, allTags, noon.Add(-time.Second), first).Readings, 9)
	// A transaction that began before the poll commits after it.
	w.exec(t, "INSERT INTO readings VALUES ('P1.VIB', '2026-03-10 12:02:05', 99, 192, 'mm/s')")
	next := first.Add(time.Minute)
	require.Empty(t, poll(t, blind, allTags, first, next).Readings, "without an overlap the row is lost")
	late := poll(t, seeing, allTags, first, next)
	require.Contains(t, late.Readings, connector.Reading{ExternalTag: "P1.VIB", Time: noon.Add(2*time.Minute + 5*time.Second), Value: 99, Unit: "mm/s"})
	require.Equal(t, next, late.Watermark)

	settling := w.readings(t, with(narrow, connector.Config{"overlap_seconds": 0.0, "settle_seconds": 20.0}))
	require.Len(t, poll(t, settling, allTags, noon.Add(-time.Second), noon.Add(2*time.Minute+10*time.Second)).Readings, 6, "rows settle first")
	require.Len(t, poll(t, settling, allTags, noon.Add(2*time.Minute+10*time.Second), noon.Add(3*time.Minute)).Readings, 4)
}

func orderColumn(t *testing.T, w world) {
	w.exec(t, "CREATE TABLE lab (tag varchar(80), ts timestamp(6) NULL, val double precision, upd timestamp(6) NULL)",
		"INSERT INTO lab VALUES ('oil', '2026-03-01 08:00:00', 4.5, '2026-03-10 12:00:05'), ('oil', '2026-03-02 08:00:00', 5.5, '2026-03-10 12:05:00')")
	settings := connector.Config{"table": "lab", "tag_column": "tag", "time_column": "ts", "value_columns": "val", "order_column": "upd", "overlap_seconds": 0.0}
	r := w.readings(t, settings)
	batch := poll(t, r, []string{"oil"}, noon, noon.Add(time.Minute))
	require.Equal(t, []connector.Reading{{ExternalTag: "oil", Time: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), Value: 4.5}}, batch.Readings)
	request := connector.PollRequest{Tags: []string{"oil"}, Since: time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)}
	request.AsOf = noon.Add(time.Minute)
	filled, err := r.Backfill(t.Context(), request)
	require.NoError(t, err)
	require.Len(t, filled.Readings, 1, "what arrived after the caller's clock is not returned")
	request.AsOf = noon.Add(time.Hour)
	for _, r := range []*Readings{r, w.readings(t, with(settings, connector.Config{"mode": ModeQuery,
		"query": "SELECT tag, ts, val, upd FROM lab WHERE upd > :since AND upd <= :until ORDER BY upd LIMIT :limit"}))} {
		filled, err = r.Backfill(t.Context(), request)
		require.NoError(t, err)
		require.Len(t, filled.Readings, 2)
	}
	sample, err := r.Sample(t.Context(), []string{"oil", "gas"})
	require.NoError(t, err)
	require.Len(t, sample.Readings, 1)
	require.InDelta(t, 5.5, sample.Readings[0].Value, 0)
	require.Equal(t, []string{"gas"}, sample.Notices[0].Tags)
}
