package sap

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector/httpapi"
)

func TestValuesAreReadAsSAPWritesThem(t *testing.T) {
	t.Parallel()
	at, err := parseDate("/Date(1542801052000+0000)/")
	require.NoError(t, err)
	require.Equal(t, time.Date(2018, 11, 21, 11, 50, 52, 0, time.UTC), at)
	shown, err := parseDate("/Date(1542801052000+0180)/")
	require.NoError(t, err)
	require.Equal(t, at, shown, "the offset is for display, the number is UTC")
	before, err := parseDate("/Date(-86400000)/")
	require.NoError(t, err)
	require.Equal(t, time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), before)

	for text, want := range map[string]time.Duration{"PT08H30M05S": 8*time.Hour + 30*time.Minute + 5*time.Second, "PT24H00M00S": 24 * time.Hour,
		"PT0S": 0, "PT1.5S": 1500 * time.Millisecond, "P0DT06H": 6 * time.Hour} {
		since, err := parseTime(text)
		require.NoError(t, err, text)
		require.Equal(t, want, since, text)
	}
	for _, text := range []string{"", "P", "PT", "T8H", "PT25H", "PT8", "P2D", "8:00", "PT-1H"} {
		_, err := parseTime(text)
		require.Error(t, err, text)
	}
	for text, want := range map[string]float64{"12.500": 12.5, "1.728E5": 172_800, "-3": -3, "0.000": 0, "+7.": 7} {
		value, err := parseDecimal(text)
		require.NoError(t, err, text)
		require.InDelta(t, want, value, 1e-9)
	}
	for _, text := range []string{"", "1,5", "0x10", "NaN", "Inf", "1e999", "1_000", " 1"} {
		_, err := parseDecimal(text)
		require.Error(t, err, text)
	}
	work, err := hours(90, "MIN")
	require.NoError(t, err)
	require.InDelta(t, 1.5, work, 1e-9)
	_, err = hours(1, "MON")
	require.Error(t, err)
	none, err := hours(0, "")
	require.NoError(t, err)
	require.Zero(t, none)
}

func TestDaysAndTimesMeetInThePlantsZone(t *testing.T) {
	t.Parallel()
	riyadh, err := time.LoadLocation("Asia/Riyadh")
	require.NoError(t, err)
	r := &record{zone: riyadh, entity: entity{"Day": "/Date(1542758400000)/", "Clock": "PT11H43M53S", "Stamp": ""}}
	require.Equal(t, time.Date(2018, 11, 21, 8, 43, 53, 0, time.UTC), r.moment("Stamp", "Day", "Clock"))
	r.entity["Stamp"] = "/Date(1542801052000+0000)/"
	require.Equal(t, time.Date(2018, 11, 21, 11, 50, 52, 0, time.UTC), r.moment("Stamp", "Day", "Clock"), "a stamp in UTC comes first")
	require.NoError(t, r.err)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	change := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC) // the night the clocks go forward
	require.Equal(t, time.Date(2026, 3, 29, 6, 0, 0, 0, time.UTC), onDay(change, 8*time.Hour, berlin), "08:00 stays 08:00")
}

func TestNumbersKeepTheirZeros(t *testing.T) {
	t.Parallel()
	require.Equal(t, "000000000217100002", padded("217100002", equipmentLength), "services show either form")
	require.Equal(t, "000000000217100002", padded("000000000217100002", equipmentLength))
	require.Equal(t, "PUMP-7", padded("PUMP-7", equipmentLength), "a number given by people stays")
	require.Empty(t, padded("", equipmentLength))
	require.Equal(t, "'it''s'", literal("it's"))
}

func FuzzDate(f *testing.F) {
	for _, seed := range []string{"/Date(1542801052000+0000)/", "/Date(-1)/", "/Date(99999999999999999)/", "", "null", "2026-01-01"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := parseDate(text)
		if err == nil && (at.Year() < 1 || at.Year() > 9999 || at.Location() != time.UTC) {
			t.Fatalf("%q gives %s", text, at)
		}
	})
}

func FuzzTime(f *testing.F) {
	for _, seed := range []string{"PT08H00M00S", "PT24H", "P1D", "PT86400S", "PT0.000000001S", "PT", "P9D9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		since, err := parseTime(text)
		if err == nil && (since < 0 || since > 24*time.Hour) {
			t.Fatalf("%q gives %s", text, since)
		}
	})
}

func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"1.5", "1.728E5", "-0", "1e999", "0x1p4", "Infinity", "1__0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value, err := parseDecimal(text)
		if err == nil && (math.IsNaN(value) || math.IsInf(value, 0)) {
			t.Fatalf("%q gives %g", text, value)
		}
	})
}

// FuzzAnswer reads any bytes as a page of each set and as a failure.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"d":{"results":[{"Equipment":"1","LastChangeDateTime":"/Date(0)/","AcquisitionValue":"1.5","EquipmentIsInactive":true}],"__next":"/Equipment?$skiptoken=1","__count":"7"}}`,
		`{"d":[{"MaintenanceOrder":"1","to_MaintenanceOrderOperation":{"results":[{"MaintOrdOperationWorkDuration":"1","MaintOrdOpWorkDurationUnit":"HR"}]}}]}`,
		`{"d":{"results":[{"MaintenanceNotification":1e3,"MalfunctionStartTime":"PT1H","MalfunctionStartDate":"/Date(1)/"}]}}`,
		`{"error":{"code":"A","message":{"lang":"en","value":"b"},"innererror":{"errordetails":[{"message":"c"}]}}}`, `{"d":`, `[[[[`, "<html>", "\x00",
	} {
		f.Add([]byte(seed))
	}
	c := &SAPConnector{zone: time.UTC, settings: Settings{Client: "100", OrderVersion: orderVersion2, KeyField: "AdditionalDeviceData"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(parseFailure(httpapi.Response{Status: 400, Body: body}).Error()) > (maxDetails+2)*8*maxMessage {
			t.Fatal("a failure is worded without end")
		}
		c.namesClient(body)
		list, err := parseCollection(body)
		if err != nil {
			return
		}
		for _, e := range list.records {
			r := &record{entity: e, zone: time.UTC}
			if asset := r.equipment(); r.err == nil && (asset.ID == "" || len(asset.Name) > maxText) {
				t.Fatalf("%q is taken for equipment", body)
			}
			r = &record{entity: e, zone: time.UTC}
			if asset := r.location(); r.err == nil && asset.ID == "" {
				t.Fatalf("%q is taken for a location", body)
			}
			if order, err := c.order(e); err == nil && (order.ID == "" || order.State == "") {
				t.Fatalf("%q is taken for an order", body)
			}
			if notification, err := c.notification(e); err == nil && notification.ID == "" {
				t.Fatalf("%q is taken for a notification", body)
			}
		}
	})
}

func FuzzNextLink(f *testing.F) {
	for _, seed := range []string{"http://inner:8000/sap/opu/odata/sap/API_EQUIPMENT/Equipment?$skiptoken=50", "Equipment?$skiptoken='a b'", "//evil/Equipment?x=1",
		"Equipment", "?a=b", "http://[", "Equipment?%zz", "Equipment?a=1;b=2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, link string) {
		query, err := nextQuery(link, "Equipment")
		if err == nil && (len(query) == 0 || !strings.Contains(link, "Equipment") && !strings.Contains(link, "%")) {
			t.Fatalf("%q is followed", link)
		}
	})
}

func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", `{"s":1,"a":"000","p":3}`, `{"s":99}`, `{"n":"$skiptoken=1"}`, "null", "[]", `{"s":1e9}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		at, err := parsePosition(cursor, 2)
		if err == nil && (at.Set < 0 || at.Set > 1 || at.Pages < 0) {
			t.Fatalf("%q gives %+v", cursor, at)
		}
	})
}
