package csvfile

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/dataset"
	"github.com/optria-iq/optria/internal/fault"
)

var at = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func received(t *testing.T, s Settings, body string) connector.Received {
	t.Helper()
	got, err := New(s).Receive(t.Context(), connector.Message{Body: []byte(body)})
	require.NoError(t, err)
	return got
}

func TestFileKeepsTheContract(t *testing.T) {
	t.Parallel()
	body := "tag,time,value\na,2026-03-10T11:00:00Z,1\na,2026-03-10T12:00:00Z,2\nb,2026-03-10T11:00:00Z,3\nb,2026-03-10T12:00:00Z,4\n"
	connectortest.Run(t, Kind, connectortest.Fixture{Config: connector.Config{"layout": Long, "time_column": "time", "tag_column": "tag", "value_column": "value"},
		Tags: []string{"a", "b"}, Since: at.Add(-2 * time.Hour), Until: at, Message: connector.Message{ContentType: "text/csv", Body: []byte(body), ReceivedAt: at}})
}

func TestLongTable(t *testing.T) {
	t.Parallel()
	got := received(t, Standard(), "tag,time,value,quality,unit\r\n\"P,1\",2026-03-10T15:00:00.1234567+03:00,4.7,good,bar\r\nP2,2026-03-10T12:00:00Z,-1e-3,64,\r\n"+
		"P3,yesterday,1,good,\r\n,2026-03-10T12:00:00Z,1,good,\r\nP4,2026-03-10T12:00:00Z,high,good,\r\nP5,2026-03-10T12:00:00Z,1,odd,\r\nP6,2026-03-10T12:00:00Z\r\n")
	require.Equal(t, []connector.Reading{
		{ExternalTag: "P,1", Time: at.Add(123456 * time.Microsecond), Value: 4.7, Quality: asset.Good, Unit: "bar"},
		{ExternalTag: "P2", Time: at, Value: -0.001, Quality: asset.Uncertain},
	}, got.Readings)
	require.Equal(t, []connector.Refusal{
		{Where: "4", Key: dataset.ReasonTime, Value: "time"}, {Where: "5", Key: dataset.ReasonEmpty, Value: "tag"}, {Where: "6", Key: dataset.ReasonNumber, Value: "value"},
		{Where: "7", Key: dataset.ReasonQuality, Value: "quality"}, {Where: "8", Key: dataset.ReasonColumns},
	}, got.Refused)
	got = received(t, Standard(), "value,extra,tag,time\n1,x,a,2026-03-10T12:00:00Z\n")
	require.Len(t, got.Readings, 1, "quality and unit may be absent, other columns are passed over")
}

func TestOneTagFiles(t *testing.T) {
	t.Parallel()
	s := Settings{Layout: Long, Delimiter: "tab", Encoding: UTF8, FixedTag: "LAB.PH", TimeColumn: "t", TimeForm: "unix_us", ValueColumn: "pH"}
	require.Equal(t, []connector.Reading{{ExternalTag: "LAB.PH", Time: at, Value: 7.1}}, received(t, s, "t\tpH\n1773144000000000\t7.1\n").Readings)
}

// An export of a control system in Arabic: its own digits, decimal comma, local
// time, and the encoding of older Windows.
func TestArabicWideTable(t *testing.T) {
	t.Parallel()
	s := Settings{Layout: Wide, Delimiter: "semicolon", DecimalComma: true, Encoding: Windows1256, TimeColumn: "الوقت", TimeForm: "02/01/2006 15:04:05", Zone: "Asia/Riyadh"}
	text := "الوقت;ضغط المضخة ١;P-2;P-2\n"
	_, err := New(s).Receive(t.Context(), connector.Message{Body: encoded(t, text)})
	require.Equal(t, dataset.KeyDuplicateHeader, connector.MessageKey(err))

	text = "الوقت;ضغط المضخة;P-2\n10/03/2026 15:00:00;4,75;\n10/03/2026 15:01:00;;5\n"
	got, err := New(s).Receive(t.Context(), connector.Message{Body: encoded(t, text)})
	require.NoError(t, err)
	require.Equal(t, []connector.Reading{{ExternalTag: "ضغط المضخة", Time: at, Value: 4.75}, {ExternalTag: "P-2", Time: at.Add(time.Minute), Value: 5}}, got.Readings)
	require.Empty(t, got.Refused)

	s.Encoding, s.TagColumns = UTF8, "P-2, P-9"
	got = received(t, s, "\ufeffالوقت;ضغط;P-2\n١٠/٠٣/٢٠٢٦ ١٥:٠٠:٠٠;4,75;٦٫٥\n")
	require.Equal(t, []connector.Reading{{ExternalTag: "P-2", Time: at, Value: 6.5}}, got.Readings, "only the columns asked for")
	s.Encoding = UTF16
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("الوقت;P-2\n10/03/2026 15:00:00;1\n")
	require.NoError(t, err)
	require.Len(t, received(t, s, wide).Readings, 1)
}

// encoded writes a text in Windows-1256, which has no Arabic digits.
func encoded(t *testing.T, text string) []byte {
	t.Helper()
	body, err := charmap.Windows1256.NewEncoder().String(strings.NewReplacer("١", "1").Replace(text))
	require.NoError(t, err)
	return []byte(body)
}

func TestFilesThatAreNone(t *testing.T) {
	t.Parallel()
	wide := Settings{Layout: Wide, Delimiter: "comma", Encoding: UTF8, TimeColumn: "time", TimeForm: "unix"}
	cases := map[string]struct {
		settings Settings
		body     string
		key      string
	}{
		"empty":            {Standard(), "", KeyUnreadable},
		"blank":            {Standard(), "\n\n", KeyUnreadable},
		"missing column":   {Standard(), "tag,time\n", dataset.KeyMissingColumn},
		"open quote":       {Standard(), "\"tag,time,value\n", KeyUnreadable},
		"other encoding":   {Standard(), "tag,time,value,\xc7\xe1\n", KeyUnreadable},
		"binary":           {Standard(), "PK\x03\x04\x00\x00\x00,\n", dataset.KeyBinary},
		"nothing measured": {wide, "time\n1\n", KeyNoColumns},
		"many columns":     {Standard(), strings.Repeat("a,", 3000) + "\n", dataset.KeyTooManyColumns},
		"endless line":     {Standard(), strings.Repeat("a,", 200_000), dataset.KeyEmpty},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(c.settings).Receive(t.Context(), connector.Message{Body: []byte(c.body)})
			require.Error(t, err)
			require.Equal(t, fault.Invalid, fault.CodeOf(err), "%v", err)
			require.Equal(t, c.key, connector.MessageKey(err), "%v", err)
		})
	}
	_, err := New(Standard()).Receive(t.Context(), connector.Message{Body: make([]byte, MaxBytes+1)})
	require.Equal(t, connector.KeyTooLarge, connector.MessageKey(err))
}

func TestFilesAreBounded(t *testing.T) {
	t.Parallel()
	c := New(Standard())
	c.most = 2
	rows := "tag,time,value\n" + strings.Repeat("a,2026-03-10T12:00:00Z,1\n", 3)
	_, err := c.Receive(t.Context(), connector.Message{Body: []byte(rows)})
	require.Equal(t, KeyManyRows, connector.MessageKey(err))
	got := received(t, Standard(), "tag,time,value\n"+strings.Repeat("a,b,c\n", maxRefused+5)+strings.Repeat("x", maxTag+1)+",2026-03-10T12:00:00Z,1\n")
	require.Len(t, got.Refused, maxRefused+2)
	require.Equal(t, connector.Refusal{Key: RefusedMore, Value: "1005"}, got.Refused[maxRefused])
	require.Equal(t, RefusedTag, got.Refused[maxRefused+1].Key)
}

func TestSettingsThatContradict(t *testing.T) {
	t.Parallel()
	sound := connector.Config{"layout": Long, "time_column": "time", "tag_column": "tag", "value_column": "value"}
	cases := map[string]struct {
		field string
		value any
		want  map[string]string
	}{
		"both tags":     {"fixed_tag", "x", map[string]string{"tag_column": ErrTag}},
		"no value":      {"value_column", nil, map[string]string{"value_column": ErrValue}},
		"decimal comma": {"decimal_comma", true, map[string]string{"decimal_comma": ErrDecimal}},
		"zone":          {"time_zone", "Nowhere", map[string]string{"time_zone": "connector.json.error.zone"}},
		"format":        {"time_format", "yyyy", map[string]string{"time_format": "connector.json.error.format"}},
		"same column":   {"value_column", "time", map[string]string{"value_column": ErrSame}},
		"wide":          {"layout", Wide, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := connector.Config{}
			for k, v := range sound {
				config[k] = v
			}
			config[c.field] = c.value
			_, err := connector.Open(Kind, config, nil, nil)
			require.Equal(t, c.want, connector.FieldErrors(err))
		})
	}
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte("tag,time,value\na,2026-03-10T12:00:00Z,1\n"), true, uint8(0))
	f.Add([]byte("time;a\n1;2,5\n"), false, uint8(1))
	f.Add([]byte("\xff\xfet\x00"), false, uint8(2))
	f.Add([]byte("\xd8\xe1\xc7,time\n"), true, uint8(1))
	f.Fuzz(func(t *testing.T, body []byte, long bool, encoding uint8) {
		s := Standard()
		if !long {
			s = Settings{Layout: Wide, Delimiter: "semicolon", DecimalComma: true, TimeColumn: "time", TimeForm: "unix"}
		}
		s.Encoding = []string{UTF8, Windows1256, UTF16}[encoding%3]
		got, err := New(s).Receive(t.Context(), connector.Message{Body: body})
		if err != nil {
			return
		}
		for _, r := range got.Readings {
			require.NotEmpty(t, r.ExternalTag)
			require.False(t, r.Time.IsZero())
		}
		for _, r := range got.Refused {
			require.NotEmpty(t, r.Key)
		}
	})
}
