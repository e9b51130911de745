package opcua

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"i=2258":               "i=2258",
		"s=Pump":               "s=Pump",
		"ns=0;i=85":            "i=85",
		"ns=2;s=Pump 1;i=x":    "ns=2;s=Pump 1;i=x",
		"nsu=urn:plant;s=a;b":  "nsu=urn:plant;s=a;b",
		"nsu=urn:a%3Bb%25;i=7": "nsu=urn:a%3Bb%25;i=7",
		"ns=3;b=AQID":          "ns=3;b=AQID",
		"ns=3;g=09087e75-8e5e-499b-954f-f2a9603db28a": "ns=3;g=09087e75-8e5e-499b-954f-f2a9603db28a",
		"nsu=http://x/y;s=حرارة":                      "nsu=http://x/y;s=حرارة",
	} {
		a, err := ParseAddress(text)
		require.NoError(t, err, text)
		require.Equal(t, want, strings.Replace(a.String(), strings.ToUpper("09087e75-8e5e-499b-954f-f2a9603db28a"), "09087e75-8e5e-499b-954f-f2a9603db28a", 1))
	}
	for _, text := range []string{"", "Pump", "ns=2", "ns=70000;i=1", "ns=x;i=1", "i=-1", "i=4294967296", "s=", "nsu=;s=x", "nsu=a%2;s=x", "nsu=a%zz;s=x",
		"g=123", "b=***", "b=", "svr=1;i=5", "ns=1;nsu=x;i=5", ";i=5", "s=" + strings.Repeat("x", maxAddress), "s=\xff"} {
		_, err := ParseAddress(text)
		require.Error(t, err, text)
	}
}

func TestNamespacesAreResolvedByURI(t *testing.T) {
	t.Parallel()
	table := namespaces{"http://opcfoundation.org/UA/", "urn:server", "urn:plant"}
	a, err := ParseAddress("nsu=urn:plant;s=Pump")
	require.NoError(t, err)
	node, ok := table.resolve(a)
	require.True(t, ok)
	require.Equal(t, uint16(2), node.Namespace())
	require.Equal(t, "nsu=urn:plant;s=Pump", table.name(node))
	_, ok = namespaces{"http://opcfoundation.org/UA/"}.resolve(a)
	require.False(t, ok)
	require.Equal(t, "ns=9;i=1", table.name(ua.NewNumericNodeID(9, 1)), "an index that the table does not have stays an index")
}

func TestValues(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 123456789, time.UTC)
	source, server := now.Add(-time.Hour), now.Add(-time.Minute)
	good := &ua.DataValue{Value: ua.MustVariant(int64(-5)), SourceTimestamp: source, ServerTimestamp: server}
	r, ok := reading("t", good, now)
	require.True(t, ok)
	require.Equal(t, connector.Reading{ExternalTag: "t", Time: source.Truncate(time.Microsecond), Value: -5}, r)

	for name, c := range map[string]struct {
		value   ua.DataValue
		time    time.Time
		quality asset.Quality
	}{
		"server time":    {ua.DataValue{Value: ua.MustVariant(1.0), ServerTimestamp: server}, server, asset.Good},
		"no time":        {ua.DataValue{Value: ua.MustVariant(1.0)}, now, asset.Good},
		"end of time":    {ua.DataValue{Value: ua.MustVariant(1.0), SourceTimestamp: time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC)}, now, asset.Good},
		"uncertain":      {ua.DataValue{Value: ua.MustVariant(uint8(1)), Status: ua.StatusUncertainLastUsableValue}, now, asset.Uncertain},
		"bad":            {ua.DataValue{Value: ua.MustVariant(1.0), Status: ua.StatusBadSensorFailure}, now, asset.Bad},
		"reserved":       {ua.DataValue{Value: ua.MustVariant(1.0), Status: ua.StatusCode(0xC0000000)}, now, asset.Bad},
		"good not a num": {ua.DataValue{Value: ua.MustVariant(math.NaN())}, now, asset.Bad},
		"good infinite":  {ua.DataValue{Value: ua.MustVariant(float32(math.Inf(1)))}, now, asset.Bad},
		"no value":       {ua.DataValue{Value: &ua.Variant{}}, now, asset.Bad},
		"nothing at all": {ua.DataValue{}, now, asset.Bad},
	} {
		r, ok := reading("t", &c.value, now)
		require.True(t, ok, name)
		require.Equal(t, c.quality, r.Quality, name)
		require.True(t, r.Time.Equal(c.time.Truncate(time.Microsecond)), "%s: %s", name, r.Time)
	}
	for _, v := range []any{"text", []float64{1}, now, ua.NewLocalizedText("x"), []byte{1}, ua.StatusOK} {
		_, ok := reading("t", &ua.DataValue{Value: ua.MustVariant(v)}, now)
		require.False(t, ok, "%T", v)
	}
	require.True(t, overflowed(ua.StatusCode(0x480)))
	require.False(t, overflowed(ua.StatusCode(0x80)))
}

func TestUnits(t *testing.T) {
	t.Parallel()
	named := func(id int32, text string) string {
		return unitOf(&ua.EUInformation{UnitID: id, DisplayName: ua.NewLocalizedText(text)})
	}
	require.Equal(t, "MQH", unece(5067080))
	require.Equal(t, "C16", unece(4403510))
	require.Empty(t, unece(-1))
	require.Equal(t, "mm/s", named(4403510, "mm/s"))
	require.Equal(t, "C16", named(4403510, "Millimeter je Sekunde"), "the code where the product does not know the name")
	require.Equal(t, "Stk/Palette", named(-1, "Stk/Palette"))
	require.Equal(t, "MQH", unitOf(&ua.EUInformation{UnitID: 5067080}))
}

func TestSettingsThatDoNotFitTogether(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]map[string]any{
		"endpoint":                  {"endpoint": "http://127.0.0.1:4840"},
		"security_mode":             {"security_mode": "Sign"},
		"server_certificate_sha256": {"server_certificate_sha256": "ab:cd"},
		"username":                  {"authentication": Username},
		"user_certificate":          {"authentication": Certificate},
		"client_certificate":        {"client_certificate": "text"},
		"root_node":                 {"root_node": "Plant"},
	} {
		config, _ := settings("127.0.0.1:4840", change)
		problems := Spec().Validate(config)
		require.Len(t, problems, 1, "%v", problems)
		require.Contains(t, problems[field], "connector.opcua.error.", field)
	}
}

func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"i=1", "ns=2;s=x", "nsu=urn:a%3B;s=b", "ns=1;g=09087e75-8e5e-499b-954f-f2a9603db28a", "b=AQID", ";s=", "nsu=%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAddress(text)
		if err != nil {
			return
		}
		again, err := ParseAddress(a.String())
		if len([]rune(a.String())) > maxAddress {
			return // escaping made it longer than an address may be
		}
		require.NoError(t, err, "%q became %q", text, a.String())
		require.Equal(t, a.String(), again.String())
		node, ok := namespaces{"", a.URI}.resolve(a)
		require.True(t, ok)
		require.NotNil(t, node)
	})
}

func FuzzValue(f *testing.F) {
	f.Add(byte(0), uint64(0x7ff8000000000000), "", uint32(0), int64(1), int64(2))
	f.Add(byte(1), uint64(1), "x", uint32(0x80000000), int64(math.MaxInt64), int64(math.MinInt64))
	f.Add(byte(12), uint64(3), "text", uint32(0x480), int64(0), int64(1_700_000_000))
	now := time.Unix(1_700_000_000, 0)
	f.Fuzz(func(t *testing.T, kind byte, bits uint64, text string, status uint32, source, server int64) {
		kinds := []any{math.Float64frombits(bits), math.Float32frombits(uint32(bits)), bits&1 == 1, int8(bits), uint8(bits), int16(bits), uint16(bits),
			int32(bits), uint32(bits), int64(bits), bits, nil, text, []float64{1}, []byte(text), time.Unix(source, 0), ua.NewLocalizedText(text)}
		v := &ua.DataValue{Status: ua.StatusCode(status), SourceTimestamp: time.Unix(source, 0), ServerTimestamp: time.Unix(server, 0)}
		if variant, err := ua.NewVariant(kinds[int(kind)%len(kinds)]); err == nil {
			v.Value = variant
		}
		r, ok := reading("t", v, now)
		if !ok {
			require.Greater(t, int(kind)%len(kinds), 11, "numbers are taken")
			return
		}
		require.True(t, plausible(r.Time))
		require.Zero(t, r.Time.Nanosecond()%1000)
		require.True(t, r.Quality == asset.Bad || !math.IsNaN(r.Value) && !math.IsInf(r.Value, 0))
	})
}

func FuzzFingerprint(f *testing.F) {
	f.Add("AB:CD")
	f.Add(strings.Repeat("0f", 32))
	f.Fuzz(func(t *testing.T, text string) {
		if digits, ok := fingerprint(text); ok {
			again, same := fingerprint(digits)
			require.True(t, same)
			require.Equal(t, digits, again)
			require.Len(t, digits, 64)
		}
	})
}
