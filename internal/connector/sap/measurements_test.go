package sap

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/sap/saptest"
	"github.com/optria-iq/optria/internal/fault"
)

func measuring(s connector.Config) { s["measuring_points"] = true }

func TestMeasuringPointsAreTags(t *testing.T) {
	t.Parallel()
	server := saptest.New(t, time.Now())
	server.PageSize(7)
	c := opened(t, server.URL, measuring, func(s connector.Config) { s["page_size"] = 20.0 })
	nodes, err := c.Browse(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, nodes, saptest.Points-1, "without the inactive one, over pages of both kinds")
	require.Equal(t, connector.Node{Address: saptest.PointID(1), Name: "10000001 · DE · Vibration", Leaf: true, Unit: "V01", DataType: "measurement document"}, nodes[0])
	_, err = c.Browse(t.Context(), "below")
	require.Equal(t, fault.NotFound, fault.CodeOf(err))

	before := len(server.Requests())
	nodes, err = opened(t, server.URL).Browse(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, nodes)
	require.Len(t, server.Requests(), before, "the service is not asked unless the settings say so")
}

func TestMeasurementDocumentsAreReadings(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Minute)
	server := saptest.New(t, now)
	server.PageSize(5)
	c := opened(t, server.URL, measuring)
	window := connector.PollRequest{Tags: []string{"1", saptest.PointID(2), "no such tag"}, Since: now.Add(-24 * time.Hour), Until: now}
	batch, err := c.Poll(t.Context(), window)
	require.NoError(t, err)
	require.Len(t, batch.Readings, 2*12, "the span of late entry is read again")
	require.Equal(t, []connector.Notice{{Time: now, Key: connector.NoticeUnknownTag, Tags: []string{"no such tag"}}}, batch.Notices)
	last := batch.Readings[len(batch.Readings)-1]
	require.Equal(t, connector.Reading{ExternalTag: "1", Time: now.Add(-6 * time.Hour), Value: 2.11, Unit: "V01", Quality: asset.Good}, last)
	require.Equal(t, now, batch.Watermark)

	exact, err := c.Backfill(t.Context(), window)
	require.NoError(t, err)
	require.Len(t, exact.Readings, 2*3, "18, 12 and 6 hours ago, without the bound at 24")

	// Entered late, corrected and reversed documents.
	at := now.Add(-31 * time.Hour)
	server.Measure("00000000000000900001", saptest.PointID(1), at, 7)
	server.Measure("00000000000000900002", saptest.PointID(1), at, 8)
	server.Measure("00000000000000900003", saptest.PointID(1), at.Add(time.Hour), 9)
	server.Reverse("00000000000000900003")
	batch, err = c.Poll(t.Context(), window)
	require.NoError(t, err)
	require.Len(t, batch.Readings, 2*12+1)
	for _, reading := range batch.Readings {
		require.NotEqual(t, 9.0, reading.Value)
		require.NotEqual(t, 7.0, reading.Value, "the later document corrects the earlier")
	}
}

// Documents that record a code hold up neither the other documents nor the
// other points.
func TestDocumentsWithoutANumberAreNamed(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	document := `{"MeasurementDocument":"%d","MeasuringPoint":"%d","MsmtRdngDate":"2026-03-10","MsmtRdngTime":"0%d:00:00","MeasurementReadingInEntryUoM":%s},`
	c := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		says(`{"value":[`+fmt.Sprintf(document, 1, 1, 6, `1.5`)+fmt.Sprintf(document, 2, 1, 7, `null`)+fmt.Sprintf(document, 3, 2, 6, `"worn"`)+
			strings.TrimSuffix(fmt.Sprintf(document, 4, 2, 7, `2.5`), ",")+`]}`)(w, r)
	})
	batch, err := c.Backfill(t.Context(), connector.PollRequest{Tags: []string{"1", "2"}, Since: until.AddDate(0, 0, -1), Until: until})
	require.NoError(t, err)
	require.Len(t, batch.Readings, 2)
	require.Equal(t, []float64{1.5, 2.5}, []float64{batch.Readings[0].Value, batch.Readings[1].Value})
	require.Equal(t, []connector.Notice{{Time: until, Key: connector.NoticeNotNumeric, Tags: []string{"1", "2"}}}, batch.Notices)
}

func TestALongWindowIsReadInSpansAndLimits(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Minute)
	server := saptest.New(t, now)
	c := opened(t, server.URL, measuring)
	request := connector.PollRequest{Tags: []string{saptest.PointID(3)}, Since: now.AddDate(-1, 0, 0), Until: now, Limit: 5}
	var readings []connector.Reading
	for rounds := 0; ; rounds++ {
		require.Less(t, rounds, 20)
		batch, err := c.Backfill(t.Context(), request)
		require.NoError(t, err)
		require.LessOrEqual(t, len(batch.Readings), 5)
		require.True(t, batch.Watermark.After(request.Since))
		readings = append(readings, batch.Readings...)
		if !batch.More {
			break
		}
		request.Since = batch.Watermark
	}
	require.Len(t, readings, 12)
}

func TestASpanOfTooManyDocumentsIsShortened(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	flood := says(`{"value":[` + strings.Repeat(`{},`, documentsAtMost) + `{}]}`)
	c := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if filter := r.URL.Query().Get("$filter"); strings.Contains(filter, "le 2026-03-10") || strings.Contains(filter, "le 2026-03-0") {
			flood(w, r)
			return
		}
		says(`{"value":[]}`)(w, r)
	})
	batch, err := c.Backfill(t.Context(), connector.PollRequest{Tags: []string{"1"}, Since: until.AddDate(0, 0, -20), Until: until})
	require.NoError(t, err)
	require.True(t, batch.More)
	require.Equal(t, until.AddDate(0, 0, -10), batch.Watermark)
}

func TestReadingsAreInThePlantsTime(t *testing.T) {
	t.Parallel()
	server := saptest.New(t, time.Now())
	at := time.Date(2026, 3, 10, 1, 30, 0, 0, time.UTC) // as the plant's clock shows it
	server.Measure("00000000000000900001", saptest.PointID(1), at, 7)
	c := opened(t, server.URL, measuring, func(s connector.Config) { s["time_zone"] = "Asia/Riyadh" })
	batch, err := c.Backfill(t.Context(), connector.PollRequest{Tags: []string{saptest.PointID(1)}, Since: at.Add(-4 * time.Hour), Until: at})
	require.NoError(t, err)
	require.Len(t, batch.Readings, 1)
	require.Equal(t, at.Add(-3*time.Hour), batch.Readings[0].Time)
}

func TestMeasurementsOfWrongShapeAreRefused(t *testing.T) {
	t.Parallel()
	one := func(fields string) string { return `{"value":[{"MeasuringPoint":"1"` + fields + `}]}` }
	for name, document := range map[string]string{
		"no value": `{}`, "null": `{"value":[null]}`, "version 2": `{"d":{"results":[]}}`, "no date": one(``), "date": one(`,"MsmtRdngDate":"10.03.2026","MsmtRdngTime":"08:00:00"`),
		"time":     one(`,"MsmtRdngDate":"2026-03-10","MsmtRdngTime":"25:00:00"`),
		"no point": `{"value":[{"MsmtRdngDate":"2026-03-10"}]}`, "leads away": `{"value":[],"@odata.nextLink":"https://evil.example/Users?$skip=1"}`,
	} {
		_, err := hostile(t, says(document)).Poll(t.Context(), connector.PollRequest{Tags: []string{"1"}, Until: time.Now()})
		require.Equal(t, connector.KeyProtocol, connector.MessageKey(err), "%s: %v", name, err)
	}
	endless := hostile(t, says(`{"value":[`+strings.Repeat(`{"MeasuringPoint":"1","MsmtRdngDate":"2026-03-10"},`, 40_000)+
		`{"MeasuringPoint":"1","MsmtRdngDate":"2026-03-10"}],"@odata.nextLink":"MeasurementDocument?$skiptoken=1"}`))
	_, err := endless.Poll(t.Context(), connector.PollRequest{Tags: []string{"1"}, Until: time.Now()})
	require.Equal(t, connector.KeyTooLarge, connector.MessageKey(err))
}

func TestABatchIsCutBetweenInstants(t *testing.T) {
	t.Parallel()
	base := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	at := func(minutes ...int) (batch connector.Batch) {
		batch.Watermark = base.Add(time.Hour)
		for i, m := range minutes {
			batch.Readings = append(batch.Readings, connector.Reading{ExternalTag: fmt.Sprint(i), Time: base.Add(time.Duration(m) * time.Minute)})
		}
		return batch
	}
	for _, tc := range []struct {
		minutes []int
		kept    int
		more    bool
	}{
		{[]int{1, 2, 3}, 2, true}, {[]int{1, 2}, 2, false}, {[]int{1, 2, 2, 3}, 3, true}, {[]int{1, 2, 2}, 3, false},
		{[]int{-3, -2, -1, 0, 1, 2, 3}, 6, true}, {[]int{-3, -2, -1}, 3, false}, {nil, 0, false},
	} {
		batch := at(tc.minutes...)
		cut(&batch, base, 2)
		require.Len(t, batch.Readings, tc.kept, "%v", tc.minutes)
		require.Equal(t, tc.more, batch.More, "%v", tc.minutes)
		require.True(t, batch.Watermark.After(base), "%v", tc.minutes)
	}
}

func FuzzMeasurements(f *testing.F) {
	for _, seed := range []string{`{"value":[{"MeasuringPoint":"1","MsmtRdngDate":"2026-03-10","MsmtRdngTime":"08:00:00","MeasurementReadingInEntryUoM":1.5}],"@odata.nextLink":"x"}`,
		`{"value":[{}]}`, `{"value":{}}`, `{"value":[{"MsmtRdngDate":"0000-00-00"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		records, _, err := parseValue(body)
		if err != nil {
			return
		}
		for _, e := range records {
			r := &record{entity: e, zone: time.UTC}
			if at := r.measuredAt(); r.err == nil && (at.Year() < 0 || at.Year() > 9999) {
				t.Fatalf("%q gives %s", body, at)
			}
		}
	})
}
