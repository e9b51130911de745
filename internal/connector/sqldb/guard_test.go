package sqldb

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// writesAreRefused sends changes past the check of queries, as a view or a
// function of the source might make them: the session itself has to refuse.
func writesAreRefused(t *testing.T, w world) {
	w.fill(t, 2)
	r := w.readings(t, narrow)
	none := func([]any) error { return nil }
	for _, text := range []string{"INSERT INTO readings (tag, ts) VALUES ('x', '2026-01-01')", "UPDATE readings SET val = 0", "DELETE FROM readings",
		"DROP TABLE readings", "CREATE TABLE mine (a int)", "ALTER TABLE readings ADD COLUMN mine int", "TRUNCATE TABLE readings"} {
		err := r.session.read(t.Context(), r.session.fixed(text), 1, nil, none)
		require.Equal(t, keyWrite, connector.MessageKey(err), "%s: %v", text, err)
		require.Equal(t, fault.Invalid, fault.CodeOf(err))
	}
	if w.config["dialect"] == PostgreSQL {
		w.exec(t, "CREATE SEQUENCE numbers", `CREATE FUNCTION spoil() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM readings; RETURN 1; END'`,
			"CREATE VIEW trap AS SELECT tag, ts, val, spoil() AS q, unit FROM readings")
		for _, text := range []string{"SELECT nextval('numbers')", "SELECT spoil()", "WITH gone AS (DELETE FROM readings RETURNING tag) SELECT tag FROM gone",
			"SELECT tag INTO copied FROM readings", "SELECT tag FROM readings FOR UPDATE"} {
			require.Error(t, r.session.read(t.Context(), r.session.fixed(text), 1, nil, none), text)
		}
	} else {
		w.exec(t, "CREATE FUNCTION spoil() RETURNS int BEGIN DELETE FROM readings; RETURN 1; END", "CREATE VIEW trap AS SELECT tag, ts, val, spoil() AS q, unit FROM readings")
	}
	trapped := w.readings(t, with(narrow, connector.Config{"table": "trap"}))
	_, err := trapped.Poll(t.Context(), connector.PollRequest{Tags: allTags, Since: noon.Add(-time.Hour), Until: noon.Add(time.Hour)})
	require.Equal(t, keyWrite, connector.MessageKey(err), "a view that changes data: %v", err)
	require.Len(t, poll(t, r, allTags, noon.Add(-time.Hour), noon.Add(time.Hour)).Readings, 6, "nothing was changed")
}

// hostileQueries offers each hostile text as the setting, then checks that the
// data is as before.
func hostileQueries(t *testing.T, w world) {
	w.fill(t, 2)
	for _, text := range hostile {
		config := with(w.config, with(narrow, connector.Config{"mode": ModeQuery, "query": text}))
		_, err := connector.Open(Kind, config, w.secrets, nil)
		require.Equal(t, errQuery, connector.FieldErrors(err)["query"], text)
	}
	require.Len(t, poll(t, w.readings(t, narrow), allTags, noon.Add(-time.Hour), noon.Add(time.Hour)).Readings, 6)
}

func statementTimeout(t *testing.T, w world) {
	heavy := "SELECT 'a' AS tag, now() AS ts, count(*) AS val FROM generate_series(1, 3000000000) AS g"
	if w.config["dialect"] == MariaDB {
		heavy = "SELECT 'a' AS tag, now(6) AS ts, SLEEP(20) AS val"
	}
	w.exec(t, "CREATE VIEW heavy AS "+heavy)
	r := w.readings(t, connector.Config{"table": "heavy", "tag_column": "tag", "time_column": "ts", "value_columns": "val", "statement_timeout_seconds": 1.0})
	began := time.Now()
	_, err := r.Poll(t.Context(), connector.PollRequest{Tags: []string{"a"}, Until: time.Now().Add(time.Hour)})
	require.Equal(t, keyTimeout, connector.MessageKey(err), "%v", err)
	require.Equal(t, fault.Unavailable, fault.CodeOf(err), "it may pass by itself")
	require.Less(t, time.Since(began), 15*time.Second, "the server stopped it, not its end")

	cancelled, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = r.Poll(cancelled, connector.PollRequest{Tags: []string{"a"}, Until: time.Now().Add(time.Hour)})
	require.Error(t, err)
	w.fill(t, 1)
	require.Len(t, poll(t, w.readings(t, narrow), allTags, noon.Add(-time.Hour), noon.Add(time.Hour)).Readings, 3)
}

// pagesOfOneInstant pages through rows of which many share one instant.
func pagesOfOneInstant(t *testing.T, w world) {
	w.exec(t, "CREATE TABLE bulk (tag varchar(80), ts timestamp(6), val double precision)")
	var rows []string
	var tags []string
	for i := range 60 {
		tag := fmt.Sprintf("t%02d", i)
		tags = append(tags, tag)
		for _, at := range []string{"12:00:01", "12:00:02", "12:00:02.000001", "12:00:03"} {
			rows = append(rows, fmt.Sprintf("('%s', '2026-03-10 %s', %d)", tag, at, i))
		}
	}
	w.exec(t, "INSERT INTO bulk VALUES "+strings.Join(rows, ", "))
	for _, limit := range []int{1, 59, 60, 61, 119, 120, 121, 240, 1000} {
		r := w.readings(t, connector.Config{"table": "bulk", "tag_column": "tag", "time_column": "ts", "value_columns": "val"})
		request := connector.PollRequest{Tags: tags, Since: noon, Until: noon.Add(time.Minute), Limit: limit}
		total, pages := 0, 0
		for {
			batch, err := r.Poll(t.Context(), request)
			require.NoError(t, err)
			total, pages = total+len(batch.Readings), pages+1
			require.Zero(t, len(batch.Readings)%60, "an instant is never cut")
			require.LessOrEqual(t, len(batch.Readings), max(limit, 60))
			if !batch.More {
				break
			}
			request.Since = batch.Watermark
		}
		require.Equal(t, 240, total, "limit %d", limit)
	}
}

func missingThings(t *testing.T, w world) {
	w.fill(t, 1)
	for name, settings := range map[string]connector.Config{"table": {"table": "absent"}, "column": {"value_columns": "absent"}, "database": {"database": "absent"}} {
		_, err := w.readings(t, with(narrow, settings)).Poll(t.Context(), connector.PollRequest{Tags: allTags, Until: noon})
		require.Equal(t, keyMissing, connector.MessageKey(err), "%s: %v", name, err)
		require.True(t, connector.NeedsPerson(err), name)
	}
	_, err := w.readings(t, with(narrow, connector.Config{"time_column": "val"})).Poll(t.Context(), connector.PollRequest{Tags: allTags, Until: noon})
	require.Equal(t, errTimeType, connector.MessageKey(err))
	steps := w.readings(t, with(narrow, connector.Config{"table": "absent"})).Test(t.Context())
	require.Equal(t, connector.StepBrowse, steps[len(steps)-1].Name)
	require.Equal(t, keyMissing, steps[len(steps)-1].Code)
	wrong := PostgreSQL
	if w.config["dialect"] == PostgreSQL {
		wrong = MariaDB
	}
	config := with(w.config, connector.Config{"dialect": wrong})
	w.config = config
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err = w.readings(t, narrow).Poll(ctx, connector.PollRequest{Tags: allTags, Until: noon})
	require.Error(t, err, "a server of another product")
}
