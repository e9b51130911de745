package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/fault"
)

const longMapping = `{"layout":"long","asset":{"column":"tag"},"metric":{"column":"metric"},"unit":{"column":"unit"},
	"value":{"column":"value"},"time":{"column":"at","format":"rfc3339"}}`

func mapping(t testing.TB, text string) Mapping {
	t.Helper()
	m, err := ParseMapping(strings.NewReader(text))
	require.NoError(t, err)
	return m
}

func read(t *testing.T, m Mapping, text string, limits Limits) ([]Record, Report, error) {
	t.Helper()
	var records []Record
	report, err := ReadCSV(t.Context(), strings.NewReader(text), m, limits, func(r Record) error {
		records = append(records, r)
		return nil
	})
	require.Equal(t, len(records), report.Records)
	return records, report, err
}

func TestLongLayout(t *testing.T) {
	t.Parallel()
	text := "tag,metric,unit,value,at\nP-1,vib,mm/s,2.6,2026-01-05T10:00:00+03:00\n\"P,2\",vib,mm/s,-1e-3,2026-01-05T07:00:00Z\n"
	records, report, err := read(t, mapping(t, longMapping), text, DefaultLimits())
	require.NoError(t, err)
	at := time.Date(2026, 1, 5, 7, 0, 0, 0, time.UTC)
	require.Equal(t, []Record{
		{Asset: "P-1", Metric: "vib", Unit: "mm/s", Time: at, Value: 2.6},
		{Asset: "P,2", Metric: "vib", Unit: "mm/s", Time: at, Value: -0.001},
	}, records)
	require.Equal(t, Report{Rows: 2, Records: 2}, report)
}

func TestWideLayoutWithZoneQualityAndDecimalComma(t *testing.T) {
	t.Parallel()
	m := mapping(t, `{"layout":"wide","delimiter":";","decimal_comma":true,"asset":{"constant":"K-1"},
		"wide":[{"column":"Vib DE","metric":"vib_de","unit":"um"},{"column":"Eff","metric":"eff"}],
		"time":{"column":"Zeit","format":"02.01.2006 15:04","zone":"Asia/Riyadh"},
		"quality":{"column":"Q","good":["192"],"uncertain":["64"],"bad":["0"]}}`)
	text := "Zeit;Vib DE;Eff;Q\n05.01.2026 10:00;21,5;78,25;192\n05.01.2026 11:00;;77;64\n05.01.2026 12:00;1;1;7\n"
	records, report, err := read(t, m, text, DefaultLimits())
	require.NoError(t, err)
	at := time.Date(2026, 1, 5, 7, 0, 0, 0, time.UTC)
	require.Equal(t, []Record{
		{Asset: "K-1", Metric: "vib_de", Unit: "um", Time: at, Value: 21.5},
		{Asset: "K-1", Metric: "eff", Time: at, Value: 78.25},
		{Asset: "K-1", Metric: "eff", Time: at.Add(time.Hour), Value: 77, Quality: asset.Uncertain},
	}, records)
	require.Equal(t, []Problem{{Line: 4, Column: "Q", Reason: ReasonQuality}}, report.Problems)
}

func TestTimeFormats(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 5, 7, 0, 0, 0, time.UTC)
	for format, text := range map[string]string{"unix": fmt.Sprint(at.Unix()), "unix_ms": fmt.Sprint(at.UnixMilli()), "unix_us": fmt.Sprint(at.UnixMicro()), "2006-01-02 15:04": "2026-01-05 07:00"} {
		m := mapping(t, longMapping)
		m.Time.Format = format
		records, _, err := read(t, m, "tag,metric,unit,value,at\nP,v,,1,"+text+"\n", DefaultLimits())
		require.NoError(t, err)
		require.Len(t, records, 1, format)
		require.Equal(t, at, records[0].Time, format)
	}
}

func TestArabicDigitsAreRead(t *testing.T) {
	t.Parallel()
	m := mapping(t, longMapping)
	m.Time.Format = "2006/01/02 15:04"
	records, report, err := read(t, m, "tag,metric,unit,value,at\nمضخة ٥,v,,-١٬٢٣٤٫٥,٢٠٢٦/٠١/٠٥ ۰۷:۰۰\n", DefaultLimits())
	require.NoError(t, err)
	require.Empty(t, report.Problems)
	require.Equal(t, []Record{{Asset: "مضخة ٥", Metric: "v", Time: time.Date(2026, 1, 5, 7, 0, 0, 0, time.UTC), Value: -1234.5}}, records, "names stay as they are")
}

func TestBadRowsAreNamedAndPassedOver(t *testing.T) {
	t.Parallel()
	const good = "P,vib,mm/s,1,2026-01-05T07:00:00Z"
	cases := map[string]struct{ row, column, reason string }{
		"NaN":             {"P,vib,,NaN,2026-01-05T07:00:00Z", "value", ReasonNotFinite},
		"Inf":             {"P,vib,,-Inf,2026-01-05T07:00:00Z", "value", ReasonNotFinite},
		"infinity word":   {"P,vib,,infinity,2026-01-05T07:00:00Z", "value", ReasonNotFinite},
		"1e400":           {"P,vib,,1e400,2026-01-05T07:00:00Z", "value", ReasonOutOfRange},
		"hexadecimal":     {"P,vib,,0x1p4,2026-01-05T07:00:00Z", "value", ReasonNumber},
		"underscore":      {"P,vib,,1_000,2026-01-05T07:00:00Z", "value", ReasonNumber},
		"word":            {"P,vib,,Bad Input,2026-01-05T07:00:00Z", "value", ReasonNumber},
		"no value":        {"P,vib,,,2026-01-05T07:00:00Z", "value", ReasonEmpty},
		"no asset":        {" ,vib,,1,2026-01-05T07:00:00Z", "tag", ReasonEmpty},
		"no metric":       {"P,,,1,2026-01-05T07:00:00Z", "metric", ReasonEmpty},
		"no time":         {"P,vib,,1,yesterday", "at", ReasonTime},
		"year 9999":       {"P,vib,,1,9999-01-01T00:00:00Z", "at", ReasonTimeRange},
		"too few cells":   {"P,vib,1", "", ReasonColumns},
		"too many cells":  {good + ",1", "", ReasonColumns},
		"open quote":      {`"P,vib,mm/s,1,2026-01-05T07:00:00Z`, "", ReasonQuotes},
		"not UTF-8":       {"P\xff\xfe,vib,,1,2026-01-05T07:00:00Z", "", ReasonEncoding},
		"zero byte":       {"P\x00,vib,,1,2026-01-05T07:00:00Z", "", ReasonEncoding},
		"line over limit": {"P," + strings.Repeat("v", 9000) + ",,1,2026-01-05T07:00:00Z", "", ReasonLineTooLong},
	}
	limits := DefaultLimits()
	limits.LineBytes = 4096
	padding := strings.Repeat(good+"\n", 40) // keeps damage out of the first look at the file
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "tag,metric,unit,value,at\n" + padding + c.row + "\n" + good + "\n"
			records, report, err := read(t, mapping(t, longMapping), text, limits)
			require.NoError(t, err)
			require.Len(t, records, 41, "the rows around it are read")
			require.Equal(t, 1, report.BadRows)
			require.Equal(t, []Problem{{Line: 42, Column: c.column, Reason: c.reason}}, report.Problems)
		})
	}
}

func TestMarksAndLineEnds(t *testing.T) {
	t.Parallel()
	plain := "tag,metric,unit,value,at\nP,vib,mm/s,1,2026-01-05T07:00:00Z\n\nP,vib,mm/s,2,2026-01-05T08:00:00Z"
	want, _, err := read(t, mapping(t, longMapping), plain, DefaultLimits())
	require.NoError(t, err)
	require.Len(t, want, 2)
	for name, text := range map[string]string{"byte order mark": "\ufeff" + plain, "CRLF": strings.ReplaceAll(plain, "\n", "\r\n")} {
		got, _, err := read(t, mapping(t, longMapping), text, DefaultLimits())
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
}

func utf16Text(text string, mark bool) string {
	var out bytes.Buffer
	if mark {
		out.Write([]byte{0xFF, 0xFE})
	}
	for _, u := range utf16.Encode([]rune(text)) {
		out.Write([]byte{byte(u), byte(u >> 8)})
	}
	return out.String()
}

func TestFilesRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	const header = "tag,metric,unit,value,at\n"
	const row = "P,vib,mm/s,1,2026-01-05T07:00:00Z\n"
	small := Limits{Bytes: 400, Rows: 3, Columns: 6, LineBytes: 200, Problems: 5}
	cases := map[string]struct{ text, key string }{
		"empty":               {"", KeyEmpty},
		"only blanks":         {"\n \r\n", KeyEmpty},
		"UTF-16 with mark":    {utf16Text(header+row, true), KeyUTF16},
		"UTF-16 without mark": {utf16Text(header+row, false), KeyBinary},
		"duplicate header":    {"tag,metric,unit,value,value,at\n", KeyDuplicateHeader},
		"missing column":      {"tag,metric,unit,value\n", KeyMissingColumn},
		"too many columns":    {"a,b,c,d,e,f,g\n", KeyTooManyColumns},
		"too many rows":       {header + strings.Repeat(row, 4), KeyTooManyRows},
		"too many bytes":      {header + strings.Repeat("#", 500), KeyTooManyBytes},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := read(t, mapping(t, longMapping), c.text, small)
			var f *fault.Error
			require.ErrorAs(t, err, &f)
			require.Equal(t, fault.Invalid, f.Code)
			require.Equal(t, c.key, f.Key)
		})
	}
}

func TestProblemsAreCapped(t *testing.T) {
	t.Parallel()
	limits := DefaultLimits()
	limits.Problems = 3
	_, report, err := read(t, mapping(t, longMapping), "tag,metric,unit,value,at\n"+strings.Repeat("x\n", 10), limits)
	require.NoError(t, err)
	require.Len(t, report.Problems, 3)
	require.Equal(t, 10, report.BadRows)
	require.True(t, report.Truncated)
}

// endless yields an endless file, in which only the limits can end the reading.
type endless struct{ row string }

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], e.row)
	}
	return n, nil
}

func TestEndlessInputStops(t *testing.T) {
	t.Parallel()
	limits := Limits{Bytes: 3 << 20, Rows: 1 << 30, Columns: 10, LineBytes: 1 << 10, Problems: 5}
	for name, row := range map[string]string{"rows": "x,y\n", "one line": "x"} {
		body := io.MultiReader(strings.NewReader("tag,metric,unit,value,at\n"), endless{row})
		_, err := ReadCSV(t.Context(), body, mapping(t, longMapping), limits, func(Record) error { return nil })
		var f *fault.Error
		require.ErrorAs(t, err, &f, name)
		require.Equal(t, KeyTooManyBytes, f.Key, name)
	}
}

func TestCancelAndEmitErrorsEndTheReading(t *testing.T) {
	t.Parallel()
	text := "tag,metric,unit,value,at\n" + strings.Repeat("P,vib,mm/s,1,2026-01-05T07:00:00Z\n", 5000)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report, err := ReadCSV(ctx, strings.NewReader(text), mapping(t, longMapping), DefaultLimits(), func(Record) error { return nil })
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, report.Rows, 5000)

	full := errors.New("disk full")
	_, err = ReadCSV(t.Context(), strings.NewReader(text), mapping(t, longMapping), DefaultLimits(), func(Record) error { return full })
	require.ErrorIs(t, err, full)
}

func TestMappingsAreChecked(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ text, field string }{
		"no JSON":          {"{", ""},
		"unknown key":      {`{"layot":"long"}`, ""},
		"layout":           {`{"layout":"tall"}`, "layout"},
		"asset twice":      {`{"layout":"long","asset":{"column":"a","constant":"b"}}`, "asset"},
		"no metric":        {`{"layout":"long","asset":{"column":"a"}}`, "metric"},
		"no value":         {`{"layout":"long","asset":{"column":"a"},"metric":{"constant":"m"}}`, "value"},
		"no wide columns":  {`{"layout":"wide","asset":{"column":"a"}}`, "wide"},
		"metric twice":     {`{"layout":"wide","asset":{"column":"a"},"wide":[{"column":"x","metric":"m"},{"column":"y","metric":"m"}]}`, "wide"},
		"no time":          {`{"layout":"wide","asset":{"column":"a"},"wide":[{"column":"x","metric":"m"}]}`, "time"},
		"unknown zone":     {`{"layout":"wide","asset":{"column":"a"},"wide":[{"column":"x","metric":"m"}],"time":{"column":"t","format":"unix","zone":"Mars/Base"}}`, "time.zone"},
		"local zone":       {`{"layout":"wide","asset":{"column":"a"},"wide":[{"column":"x","metric":"m"}],"time":{"column":"t","format":"unix","zone":"Local"}}`, "time.zone"},
		"delimiter":        {`{"layout":"wide","delimiter":"\"","asset":{"column":"a"}}`, "delimiter"},
		"comma and commas": {`{"layout":"wide","decimal_comma":true,"asset":{"column":"a"},"wide":[{"column":"x","metric":"m"}],"time":{"column":"t","format":"unix"}}`, "decimal_comma"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseMapping(strings.NewReader(c.text))
			var f *fault.Error
			require.ErrorAs(t, err, &f)
			require.Equal(t, KeyMapping, f.Key)
			require.Equal(t, c.field, f.Args["field"])
		})
	}
}

func readCMAPSS(t *testing.T, path, prefix string) ([]Record, Report) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	var records []Record
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	report, err := ReadCMAPSS(t.Context(), file, CMAPSS{Prefix: prefix, Start: start}, DefaultLimits(), func(r Record) error {
		records = append(records, r)
		return nil
	})
	require.NoError(t, err)
	return records, report
}

func TestCMAPSSSample(t *testing.T) {
	t.Parallel()
	records, report := readCMAPSS(t, filepath.Join("testdata", "synthetic_cmapss.txt"), "SYN")
	require.Equal(t, Report{Rows: 84, Records: 84 * 24}, report)
	require.Equal(t, "SYN-001", records[0].Asset)
	require.Equal(t, "op1", records[0].Metric)
	require.Equal(t, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), records[0].Time)
	last := records[len(records)-1]
	require.Equal(t, "SYN-003", last.Asset)
	require.Equal(t, "s21", last.Metric)
	require.Equal(t, time.Date(2020, 2, 3, 0, 0, 0, 0, time.UTC), last.Time, "cycle 34 is the 34th day")
}

func TestCMAPSSBenchmark(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("OPTRIA_BENCH_DATA")
	if folder == "" {
		t.Skip("OPTRIA_BENCH_DATA names no folder with ai/cmapss/train_FD001.txt")
	}
	records, report := readCMAPSS(t, filepath.Join(folder, "ai", "cmapss", "train_FD001.txt"), "FD001")
	require.Equal(t, Report{Rows: 20631, Records: 20631 * 24}, report)
	assets := map[string]bool{}
	for _, r := range records {
		assets[r.Asset] = true
	}
	require.Len(t, assets, 100)
	require.Equal(t, Record{Asset: "FD001-001", Metric: "s2", Time: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Value: 641.82}, records[4])
}

func TestCMAPSSBadRows(t *testing.T) {
	t.Parallel()
	row := func(unit, cycle string) string { return unit + " " + cycle + strings.Repeat(" 1.0", 24) }
	cases := map[string]struct{ row, column, reason string }{
		"short":           {"1 2 3", "", ReasonColumns},
		"sensor NaN":      {"1 2" + strings.Repeat(" 1.0", 23) + " nan", "s21", ReasonNotFinite},
		"half a cycle":    {row("1", "2.5"), "", ReasonUnitCycle},
		"unit zero":       {row("0", "2"), "", ReasonUnitCycle},
		"cycle of aeons":  {row("1", "1e9"), "", ReasonUnitCycle},
		"cycle goes back": {row("1", "1"), "cycle", ReasonCycleOrder},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := row("1", "1") + "\n" + c.row + "\n" + row("1", "3") + "\n"
			count := 0
			report, err := ReadCMAPSS(t.Context(), strings.NewReader(text), CMAPSS{Prefix: "X"}, DefaultLimits(), func(Record) error {
				count++
				return nil
			})
			require.NoError(t, err)
			require.Equal(t, 48, count)
			require.Equal(t, []Problem{{Line: 2, Column: c.column, Reason: c.reason}}, report.Problems)
		})
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add("tag,metric,unit,value,at\nP,vib,,1,2026-01-05T07:00:00Z\n")
	f.Add("\ufefftag,metric,unit,value,at\r\n\"P\",vib,,1e400,x\r\n")
	f.Add("tag,metric,unit,value,at\n\"\n\",,,\n")
	m := mapping(f, longMapping)
	limits := Limits{Bytes: 1 << 16, Rows: 1000, Columns: 50, LineBytes: 1 << 12, Problems: 10}
	f.Fuzz(func(t *testing.T, text string) {
		count := 0
		report, err := ReadCSV(t.Context(), strings.NewReader(text), m, limits, func(r Record) error {
			count++
			require.NotEmpty(t, r.Asset)
			require.NotEmpty(t, r.Metric)
			require.False(t, r.Time.Before(earliest))
			return nil
		})
		require.Equal(t, count, report.Records)
		require.LessOrEqual(t, len(report.Problems), limits.Problems)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.CodeOf(err))
		}
	})
}
