package jsonmap

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func compiled(t *testing.T, s Settings) *Mapper {
	t.Helper()
	m, problems := s.Compile()
	require.Empty(t, problems)
	return m
}

func mapped(t *testing.T, s Settings, text string) Result {
	t.Helper()
	document, err := Parse([]byte(text))
	require.NoError(t, err)
	return compiled(t, s).Map(document, now)
}

func TestMapReadsRecords(t *testing.T) {
	t.Parallel()
	s := Settings{Items: "$.data.readings[*]", Tag: "@.tag", Value: "@.v", Time: "@.t", Quality: "@.q", Unit: "@.meta.unit"}
	got := mapped(t, s, `{"data": {"readings": [
		{"tag": "P-101.VIB", "v": 4.7, "t": "2026-03-10T15:00:00.1234567+03:00", "q": "good", "meta": {"unit": "mm/s"}},
		{"tag": "P-102.VIB", "v": "7.9", "t": "2026-03-10T12:00:00Z", "q": "Questionable"},
		{"tag": 17, "v": true, "t": "2026-03-10T12:00:00Z", "q": "strange"},
		{"tag": "P-103", "v": null, "t": "2026-03-10T12:00:00Z", "q": "good"},
		{"tag": "P-104", "v": "Bad Input", "t": "2026-03-10T12:00:00Z", "q": "bad"},
		{"tag": "P-105", "v": "running", "t": "2026-03-10T12:00:00Z", "q": "good"},
		{"tag": "P-106", "t": "2026-03-10T12:00:00Z", "q": "good"},
		{"tag": "P-107", "v": 1, "t": "yesterday", "q": "good"},
		{"tag": "P-108", "v": 1, "q": "good"},
		{"v": 1, "t": "2026-03-10T12:00:00Z", "q": "good"},
		{"tag": "P-109", "v": 1e400, "t": "2026-03-10T12:00:00Z", "q": "good"}]}}`)
	require.Equal(t, 11, got.Items)
	require.Len(t, got.Readings, 5)
	require.Equal(t, connector.Reading{ExternalTag: "P-101.VIB", Time: now.Add(123456 * time.Microsecond), Value: 4.7, Quality: asset.Good, Unit: "mm/s"}, got.Readings[0])
	require.Equal(t, connector.Reading{ExternalTag: "P-102.VIB", Time: now, Value: 7.9, Quality: asset.Uncertain}, got.Readings[1])
	require.Equal(t, connector.Reading{ExternalTag: "17", Time: now, Value: 1, Quality: asset.Bad}, got.Readings[2])
	for _, r := range got.Readings[3:] {
		require.True(t, math.IsNaN(r.Value), r.ExternalTag)
		require.Equal(t, asset.Bad, r.Quality)
	}
	require.Equal(t, []connector.Refusal{
		{Where: "#6", Key: RefusedNumeric, Value: "P-105"}, {Where: "#7", Key: RefusedValue, Value: "P-106"}, {Where: "#8", Key: RefusedTime, Value: "yesterday"},
		{Where: "#9", Key: RefusedTime}, {Where: "#10", Key: RefusedTag}, {Where: "#11", Key: RefusedNumeric, Value: "P-109"},
	}, got.Refused)
}

func TestMapTakesTheDocumentForWhatItemsLack(t *testing.T) {
	t.Parallel()
	s := Settings{Items: "$.values", Shape: Members, Value: "@.v", Time: "$.sent", TimeForm: UnixMilli, FixedUnit: "bar"}
	got := mapped(t, s, `{"sent": 1773144000500, "values": {"B": {"v": 2}, "A": {"v": 1}, "C": 3}}`)
	require.Equal(t, []connector.Reading{
		{ExternalTag: "A", Time: now.Add(500 * time.Millisecond), Value: 1, Unit: "bar"},
		{ExternalTag: "B", Time: now.Add(500 * time.Millisecond), Value: 2, Unit: "bar"},
	}, got.Readings)
	require.Equal(t, []connector.Refusal{{Where: "#1", Key: RefusedValue, Value: "C"}}, got.Refused)
	got = mapped(t, Settings{Items: "$.values", Shape: Members, Value: "@"}, `{"values": {"A": 1}}`)
	require.Equal(t, []connector.Reading{{ExternalTag: "A", Time: now, Value: 1}}, got.Readings, "without a time it is when the document was read")
	got = mapped(t, Settings{Items: "$.values", Shape: Members, Value: "@"}, `{"values": [1]}`)
	require.Equal(t, []connector.Refusal{{Where: "#1", Key: RefusedObject, Value: "[…]"}}, got.Refused)
	got = mapped(t, Settings{Items: "$", FixedTag: "LAB.PH", Value: "$.result"}, `{"result": 7.1}`)
	require.Equal(t, "LAB.PH", got.Readings[0].ExternalTag)
	require.Empty(t, mapped(t, Settings{Items: "$.nothing", FixedTag: "x", Value: "@"}, `{"result": 7.1}`).Items)
}

func TestClockReadsEveryForm(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 10, 12, 0, 0, 123456000, time.UTC)
	second, milli := at.Truncate(time.Second), at.Truncate(time.Millisecond)
	cases := []struct {
		name, form, zone string
		value            any
		want             time.Time
		ok               bool
	}{
		{"seconds", Unix, "", int64(1773144000), second, true},
		{"seconds with a fraction", Unix, "", 1773144000.123456, at, true},
		{"seconds as text", Unix, "", "1773144000", second, true},
		{"milliseconds", UnixMilli, "", int64(1773144000123), milli, true},
		{"microseconds", UnixMicro, "", int64(1773144000123456), at, true},
		{"microseconds as text", UnixMicro, "", "1773144000123456", at, true},
		{"layout in a zone", "02/01/2006 15:04:05", "Asia/Riyadh", "10/03/2026 15:00:00", second, true},
		{"offset", RFC3339, "Asia/Riyadh", "2026-03-10T12:00:00.123456Z", at, true},
		{"the default", "", "", "2026-03-10T12:00:00.123456Z", at, true},
		{"number where a text belongs", RFC3339, "", int64(1773144000), time.Time{}, false},
		{"milliseconds taken for seconds", Unix, "", int64(1773144000123), time.Time{}, false},
		{"negative", Unix, "", int64(-5), time.Time{}, false},
		{"huge", UnixMicro, "", int64(math.MaxInt64), time.Time{}, false},
		{"not a number", Unix, "", math.NaN(), time.Time{}, false},
		{"before 1970", RFC3339, "", "1969-12-31T23:59:59Z", time.Time{}, false},
		{"a list", Unix, "", []any{int64(1)}, time.Time{}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock, _, problem := NewClock(c.form, c.zone)
			require.Empty(t, problem)
			got, ok := clock.Read(c.value)
			require.Equal(t, c.ok, ok)
			if c.ok {
				require.Equal(t, c.want, got)
			}
		})
	}
}

func TestClockWritesWhatItReads(t *testing.T) {
	t.Parallel()
	for _, form := range []string{RFC3339, Unix, UnixMilli, UnixMicro, time.DateTime} {
		clock, _, problem := NewClock(form, "Asia/Riyadh")
		require.Empty(t, problem)
		got, ok := clock.Read(clock.Format(now))
		require.True(t, ok, form)
		require.Equal(t, now, got, form)
	}
}

func TestCompileNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	sound := Settings{Items: "$", Tag: "@.tag", Value: "@.v"}
	cases := map[string]struct {
		change      func(s *Settings)
		field, want string
	}{
		"expression":          {func(s *Settings) { s.Items = "$.a[?" }, "items", ErrPath + "#6"},
		"later in the text":   {func(s *Settings) { s.Value = "@.a.b c" }, "value", ErrPath + "#6"},
		"script":              {func(s *Settings) { s.Value = "@[(@.length-1)]" }, "value", ErrPath + "#1"},
		"long":                {func(s *Settings) { s.Value = "@." + strings.Repeat("a", maxPath) }, "value", ErrPathComplex},
		"two descents":        {func(s *Settings) { s.Items = "$..a..b" }, "items", ErrPathComplex},
		"repeated unions":     {func(s *Settings) { s.Items = "$[0,0,0][0,0,0][0,0]" }, "items", ErrPathComplex},
		"document per member": {func(s *Settings) { s.Items = "$[?@.a == $.b]" }, "items", ErrPathComplex},
		"filters in filters":  {func(s *Settings) { s.Items = "$[?@[?@[?@.a]]]" }, "items", ErrPathComplex},
		"no tag":              {func(s *Settings) { s.Tag = "" }, "tag", ErrTag},
		"two tags":            {func(s *Settings) { s.FixedTag = "x" }, "tag", ErrTag},
		"tag of members":      {func(s *Settings) { s.Shape = Members }, "tag", ErrTagNeeded},
		"two units":           {func(s *Settings) { s.Unit, s.FixedUnit = "@.u", "bar" }, "unit", ErrUnit},
		"layout without day":  {func(s *Settings) { s.TimeForm = "yyyy-mm-dd" }, "time_format", ErrFormat},
		"zone":                {func(s *Settings) { s.Zone = "Mars/Olympus" }, "time_zone", ErrZone},
		"zone of the machine": {func(s *Settings) { s.Zone = "Local" }, "time_zone", ErrZone},
		"code twice":          {func(s *Settings) { s.Good, s.Bad = "ok, 1", "0, OK" }, "quality_bad", ErrCode},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sound
			c.change(&s)
			_, problems := s.Compile()
			require.Equal(t, map[string]string{c.field: c.want}, problems)
		})
	}
	_, problems := sound.Compile()
	require.Empty(t, problems)
}

func TestQuotedNamesAreNotComplex(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"$['a,b,c,d,e,f']", `$["$..x..y"]`, "$.data[?@.q=='good' && match(@.tag,'P-1.*')].v", "$..readings[-1]", "@['it\\'s $5']"} {
		_, problem := Compile(text)
		require.Empty(t, problem, text)
	}
}

func TestParseRefusesHostileDocuments(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ text, key string }{
		"empty":             {" \n", connector.KeyProtocol},
		"not JSON":          {"<html>", connector.KeyProtocol},
		"cut short":         {`{"a": [1, 2`, connector.KeyProtocol},
		"two documents":     {`{"a": 1} {"b": 2}`, connector.KeyProtocol},
		"deep":              {strings.Repeat("[", 1<<20), connector.KeyTooLarge},
		"many":              {"[" + strings.Repeat("1,", maxValues) + "1]", connector.KeyTooLarge},
		"number beyond all": {"-", connector.KeyProtocol},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(c.text))
			require.Equal(t, c.key, connector.MessageKey(err))
			require.Less(t, len(err.Error()), 200, "a fault does not repeat the document")
		})
	}
	document, err := Parse([]byte("\xef\xbb\xbf{\"a\": \"[[[\\\"[[[\"}"))
	require.NoError(t, err)
	require.Equal(t, map[string]any{"a": `[[["[[[`}, document)
	document, err = Parse([]byte(`[12345678901234567, 1.9999877116507957123, {"a": 123456789012345678901234567890}, 1e400]`))
	require.NoError(t, err)
	require.Equal(t, []any{int64(12345678901234567), 1.9999877116507957, map[string]any{"a": 1.2345678901234568e+29}, math.Inf(1)}, document)
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(`{"d":[{"t":"a","v":1,"at":1773144000}]}`), "$.d[*]", "@.t", "@.v", "@.at")
	f.Add([]byte(`[[1],[2]]`), "$..[0]", "@", "@", "")
	f.Add([]byte(`{"a":{"b":null}}`), "$[?@.b]", "b", "$.a", "$..b")
	f.Add([]byte(`{"":{"b":"\u0000"}}`), "$['']", "@.b", "@['b']", "@[?")
	f.Fuzz(func(t *testing.T, body []byte, items, tag, value, at string) {
		m, problems := Settings{Items: items, Tag: tag, Value: value, Time: at, TimeForm: Unix, Quality: value}.Compile()
		document, err := Parse(body)
		if len(problems) > 0 || err != nil || m.items == nil || m.value == nil || len(body) > 4096 {
			return
		}
		got := m.Map(document, now)
		require.Equal(t, got.Items, len(got.Readings)+len(got.Refused))
		for _, r := range got.Readings {
			require.NotEmpty(t, r.ExternalTag)
			require.False(t, math.IsInf(r.Value, 0))
			require.False(t, r.Time.Before(earliest))
		}
	})
}
