package mqtt

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
)

// wireFor builds a metric field by field, as an edge would.
type wireFor struct{ b []byte }

func (w *wireFor) varint(n protowire.Number, v uint64) *wireFor {
	w.b = protowire.AppendVarint(protowire.AppendTag(w.b, n, protowire.VarintType), v)
	return w
}

func (w *wireFor) bytes(n protowire.Number, v string) *wireFor {
	w.b = protowire.AppendString(protowire.AppendTag(w.b, n, protowire.BytesType), v)
	return w
}

func (w *wireFor) double(n protowire.Number, v float64) *wireFor {
	w.b = protowire.AppendFixed64(protowire.AppendTag(w.b, n, protowire.Fixed64Type), math.Float64bits(v))
	return w
}

func (w *wireFor) float(n protowire.Number, v float32) *wireFor {
	w.b = protowire.AppendFixed32(protowire.AppendTag(w.b, n, protowire.Fixed32Type), math.Float32bits(v))
	return w
}

func build() *wireFor { return &wireFor{} }

// sent builds a payload of metrics with a sequence number.
func sent(seq uint64, metrics ...*wireFor) []byte {
	w := build().varint(1, uint64(noon.UnixMilli())).varint(3, seq)
	for _, m := range metrics {
		w.bytes(2, string(m.b))
	}
	return w.b
}

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func named(name string, alias, dataType uint64) *wireFor {
	return build().bytes(1, name).varint(2, alias).varint(4, dataType)
}

func TestValuesOfEveryType(t *testing.T) {
	t.Parallel()
	minus13 := uint64(uint32(0xFFFFFFF3))
	for _, c := range []struct {
		wire     *wireFor
		dataType uint64
		want     float64
		ok       bool
	}{
		{build().varint(10, minus13), typeInt8, -13, true}, {build().varint(10, minus13), typeInt16, -13, true}, {build().varint(10, minus13), typeInt32, -13, true},
		{build().varint(10, 0xF3), typeInt8, -13, true}, {build().varint(10, 0xFFF3), typeInt16, -13, true}, {build().varint(11, math.MaxUint64-12), typeInt64, -13, true},
		{build().varint(10, 200), typeUInt8, 200, true}, {build().varint(10, 65535), typeUInt16, 65535, true}, {build().varint(10, math.MaxUint32), typeUInt32, math.MaxUint32, true},
		{build().varint(11, 1<<63), typeUInt64, 1 << 63, true}, {build().float(12, 1.5), typeFloat, 1.5, true}, {build().double(13, -2.25), typeDouble, -2.25, true},
		{build().varint(14, 1), typeBoolean, 1, true}, {build().varint(14, 0), typeBoolean, 0, true}, {build().varint(10, 7), 0, 7, true},
		{build().bytes(15, "on"), typeString, 0, false}, {build().bytes(16, "\x00\x01"), 17, 0, false}, {build().varint(11, 1e12), 13, 1e12, false},
	} {
		m, err := decodeMetric(c.wire.b)
		require.NoError(t, err)
		got, ok := m.value(c.dataType)
		require.Equal(t, c.ok, ok, "type %d", c.dataType)
		if c.ok {
			require.InDelta(t, c.want, got, 0, "type %d", c.dataType)
		}
	}
	for _, nothing := range []*wireFor{build().varint(7, 1), build(), build().double(13, math.NaN()), build().double(13, math.Inf(1))} {
		m, err := decodeMetric(nothing.b)
		require.NoError(t, err)
		got, ok := m.value(typeDouble)
		require.True(t, ok && math.IsNaN(got), "known to be unknown")
	}
}

func at(topic string, payload []byte) message {
	return message{topic: topic, payload: payload, at: noon, ack: func() error { return nil }}
}

// readings runs messages through a host that wants everything.
func readAll(h reader, messages ...message) (all outcome) {
	for _, m := range messages {
		pending := []message{m}
		for len(pending) > 0 {
			out := h.read(pending[0])
			pending = append(pending[1:], out.released...)
			all.readings = append(all.readings, out.readings...)
			all.notices = append(all.notices, out.notices...)
			all.commands = append(all.commands, out.commands...)
			all.spoiled = append(all.spoiled, out.spoiled...)
			all.held = all.held || out.held
		}
	}
	return all
}

func value(alias uint64, v float64) *wireFor { return build().varint(2, alias).double(13, v) }

func TestDataWaitsForItsBirthAndKeepsItsOrder(t *testing.T) {
	t.Parallel()
	h := sparkplug{}.newReader(nil)
	early := readAll(h, at("spBv1.0/G/DDATA/N/D", sent(7, value(1, 10))), at("spBv1.0/G/DDATA/N/D", sent(8, value(1, 11))))
	require.Empty(t, early.readings)
	require.Len(t, early.commands, 1, "one request for a birth, not one per message")
	require.Equal(t, "spBv1.0/G/NCMD/N", early.commands[0].topic)
	asked, err := parsePayload(early.commands[0].payload)
	require.NoError(t, err)
	require.Equal(t, "Node Control/Rebirth", asked.metrics[0].name)
	born := readAll(h, at("spBv1.0/G/NBIRTH/N", sent(0)), at("spBv1.0/G/DBIRTH/N/D", sent(1, named("Temp", 1, typeDouble).double(13, 12))))
	require.Len(t, born.readings, 3)
	require.Equal(t, []float64{12, 10, 11}, []float64{born.readings[0].Value, born.readings[1].Value, born.readings[2].Value})
	require.Empty(t, born.notices, "what waited is no gap")
	require.Equal(t, "G/N/D:Temp", born.readings[0].ExternalTag)
}

func TestWhatWaitsIsNotNamedByAnotherSession(t *testing.T) {
	t.Parallel()
	h := sparkplug{}.newReader(nil)
	dead := readAll(h, at("spBv1.0/G/DDATA/N/D", sent(7, value(1, 10))), at("spBv1.0/G/NDEATH/N", build().b))
	require.Len(t, dead.spoiled, 1, "after a restart alias 1 may be another metric")
	require.Equal(t, noticeUnnamed, dead.notices[0].Key)
	late := sparkplug{}.newReader(nil)
	readAll(late, at("spBv1.0/G/DDATA/N/D", sent(7, value(1, 10))))
	require.Empty(t, late.overdue(noon.Add(waitsAtMost)).spoiled)
	require.Len(t, late.overdue(noon.Add(waitsAtMost+time.Second)).spoiled, 1, "no birth came")
	require.False(t, readAll(late, at("spBv1.0/G/DDATA/N/D", sent(8, value(1, 11)))).held, "a mute node does not hold up the others again")
	readAll(late, at("spBv1.0/G/NBIRTH/N", sent(0)))
	require.True(t, readAll(late, at("spBv1.0/G/DDATA/N/D", sent(1, value(1, 12)))).held)
}

func TestDeathMakesValuesBadOnce(t *testing.T) {
	t.Parallel()
	h := sparkplug{}.newReader(map[string]bool{"G/N/D:Temp": true, "G/N:Load": true})
	bd := func(n uint64) *wireFor { return build().bytes(1, "bdSeq").varint(4, typeUInt64).varint(11, n) }
	readAll(h, at("spBv1.0/G/NBIRTH/N", sent(0, named("Load", 9, typeFloat).float(12, 1), bd(4))),
		at("spBv1.0/G/DBIRTH/N/D", sent(1, named("Temp", 1, typeDouble).double(13, 12).varint(3, uint64(noon.Add(time.Hour).UnixMilli())))))
	require.Empty(t, readAll(h, at("spBv1.0/G/NDEATH/N", build().bytes(2, string(bd(3).b)).b)).readings, "the death of an earlier session")
	dead := readAll(h, at("spBv1.0/G/NDEATH/N", build().bytes(2, string(bd(4).b)).b)).readings
	require.Len(t, dead, 2)
	for _, r := range dead {
		require.Equal(t, asset.Bad, r.Quality)
		require.True(t, math.IsNaN(r.Value))
	}
	require.Equal(t, noon.Add(time.Hour+time.Microsecond), dead[0].Time, "behind the last value, whatever the clocks say")
	alive := readAll(h, at("spBv1.0/G/DDATA/N/D", sent(2, value(1, 13)))).readings
	require.Len(t, alive, 1, "aliases of the session are still those")
}

func TestSequenceGapsAskForARebirth(t *testing.T) {
	t.Parallel()
	h := sparkplug{}.newReader(nil)
	readAll(h, at("spBv1.0/G/NBIRTH/N", sent(254, named("Load", 9, typeDouble).double(13, 1))))
	whole := readAll(h, at("spBv1.0/G/NDATA/N", sent(255, value(9, 2))), at("spBv1.0/G/NDATA/N", sent(0, value(9, 3))), at("spBv1.0/G/NDATA/N", sent(1, value(9, 4))))
	require.Empty(t, whole.commands, "255 is followed by 0")
	again := at("spBv1.0/G/NDATA/N", sent(1, value(9, 4)))
	again.again = true
	require.Empty(t, readAll(h, again).commands, "a repetition is no gap")
	gap := readAll(h, at("spBv1.0/G/NDATA/N", sent(3, value(9, 5))))
	require.Len(t, gap.commands, 1)
	require.Equal(t, noticeGap, gap.notices[0].Key)
	require.Len(t, gap.readings, 1)
}

func TestPropertiesAndQuality(t *testing.T) {
	t.Parallel()
	props := func(quality uint64) string {
		return string(build().bytes(1, "Quality").bytes(1, "engUnit").bytes(1, "engLow").
			bytes(2, string(build().varint(1, 3).varint(3, quality).b)).bytes(2, string(build().bytes(8, "bar").b)).bytes(2, string(build().double(6, -1).b)).b)
	}
	for code, want := range map[uint64]asset.Quality{192: asset.Good, 500: asset.Uncertain, 0: asset.Bad, 64: asset.Uncertain, 100000: asset.Bad} {
		h := sparkplug{}.newReader(nil)
		got := readAll(h, at("spBv1.0/G/NBIRTH/N", sent(0, named("Load", 9, typeDouble).double(13, 1).bytes(9, props(code)))))
		require.Equal(t, want, got.readings[0].Quality, code)
		require.Equal(t, "bar", got.readings[0].Unit)
		require.InDelta(t, -1, *h.metrics()[0].low, 0)
	}
}

func TestHostilePayloadsAreBounded(t *testing.T) {
	t.Parallel()
	h := sparkplug{}.newReader(nil).(*host)
	zip := func(plain []byte) []byte {
		var packed bytes.Buffer
		w := zlib.NewWriter(&packed)
		_, err := w.Write(plain)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return build().bytes(4, compressed).bytes(5, packed.String()).b
	}
	for name, payload := range map[string][]byte{
		"rubbish": []byte("\xff\xff\xff\xff\xff"), "json": []byte(`{"a":1}`), "cut": sent(1, named("a", 1, 1))[:12], "bomb": zip(make([]byte, maxPayload+10)),
		"long name": sent(0, named(strings.Repeat("n", longestName+1), 1, 10)), "unknown algorithm": build().bytes(4, compressed).bytes(5, "x").bytes(2, string(build().bytes(1, "algorithm").bytes(15, "LZMA").b)).b,
		"endless": bytes.Repeat([]byte{0x12, 0x00}, maxMetrics+1),
	} {
		out := h.read(at("spBv1.0/G/NBIRTH/N", payload))
		require.Len(t, out.notices, 1, name)
		require.Equal(t, noticeMalformed, out.notices[0].Key, name)
	}
	require.NotEmpty(t, readAll(h, at("spBv1.0/G/NBIRTH/N", zip(sent(0, named("Load", 1, typeDouble).double(13, 1))))).readings)
	for i := range maxNodes + 5 {
		h.read(at(fmt.Sprintf("spBv1.0/G/NDATA/N%d", i), nil))
	}
	require.Len(t, h.nodes, maxNodes)
	for i := range 3 * maxWaiting / 2 {
		h.read(at("spBv1.0/G/NDATA/N7", sent(uint64(i%256), value(1, 1))))
	}
	require.LessOrEqual(t, h.waiting, maxWaiting)
	h.read(at("spBv1.0/G/NBIRTH/N7", sent(0)))
	require.Zero(t, h.waiting)
	require.Zero(t, h.bytes)
	for _, topic := range []string{"", "spBv1.0", "spBv1.0/G/NDATA", "spBv1.0/G/DDATA/N", "spBv1.0/G/NDATA/N/D", "spBv1.0/G/STATE/N", "x/G/NDATA/N", "spBv1.0/a/b/c/d/e", "spBv1.0/G//N"} {
		require.Empty(t, h.read(at(topic, sent(0, value(1, 1)))).readings, topic)
	}
}

// FuzzSparkplug checks that no payload, in any order of messages, breaks the
// host, and that what it delivers is sound.
func FuzzSparkplug(f *testing.F) {
	f.Add([]byte{}, byte(0))
	f.Add(sent(0, named("Load", 9, typeDouble).double(13, 1), named("Flag", 10, typeBoolean).varint(14, 1)), byte(0))
	f.Add(sent(1, value(9, 2)), byte(2))
	f.Add(build().bytes(4, compressed).bytes(5, "x").b, byte(1))
	f.Add(sent(0, named("Load", 9, typeInt16).varint(10, math.MaxUint32).bytes(9, string(build().bytes(1, "Quality").bytes(2, "\x18\x05").b))), byte(3))
	f.Fuzz(func(t *testing.T, payload []byte, kind byte) {
		h := sparkplug{}.newReader(nil).(*host)
		kinds := []string{"NBIRTH/N", "DBIRTH/N/D", "NDATA/N", "DDATA/N/D", "DDEATH/N/D", "NDEATH/N"}
		for i := range kinds {
			out := readAll(h, at("spBv1.0/G/"+kinds[(int(kind)+i)%len(kinds)], payload))
			for _, r := range out.readings {
				require.NotEmpty(t, r.ExternalTag)
				require.False(t, math.IsInf(r.Value, 0))
				require.False(t, math.IsNaN(r.Value) && r.Quality != asset.Bad)
				require.False(t, r.Time.IsZero())
			}
		}
		h.overdue(noon.Add(time.Hour))
		require.Zero(t, h.waiting)
		require.Zero(t, h.bytes)
		known := 0
		for _, n := range h.nodes {
			known += len(n.names)
		}
		require.Equal(t, known, h.known)
	})
}

func TestTemplatesOfTopics(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ filter, topic, tag string }{
		"plant/{tag}/value": {"plant/+/value", "plant/P1/value", "P1"}, "{tag}": {"+", "P1", "P1"}, "a/+/{tag}/#": {"a/+/+/#", "a/b/P1/c/d", "P1"}, "مصنع/{tag}": {"مصنع/+", "مصنع/مضخة", "مضخة"},
	} {
		all, err := parseTemplates(text)
		require.NoError(t, err, text)
		require.Equal(t, want.filter, all[0].filter())
		tag, ok := all[0].match(want.topic)
		require.True(t, ok, text)
		require.Equal(t, want.tag, tag)
		_, ok = all[0].match(want.topic + "/more/levels/than/any")
		require.Equal(t, strings.HasSuffix(text, "#"), ok)
	}
	for _, text := range []string{"", "a/#/b", "a/{tag}/{tag}", "a/x{tag}", "a/b+", "$SYS/{tag}", "a/{name}", strings.Repeat("a/{tag}\n", maxTemplates+1), strings.Repeat("a", longestTopic+1)} {
		_, err := parseTemplates(text)
		require.Error(t, err, "%.30q", text)
	}
	_, problems := Settings{Payload: JSON, Topics: "plant/+/value"}.format()
	require.Equal(t, errTopics, problems["topics"], "neither the topic nor the document names the tag")
}

func TestDocumentsAreMapped(t *testing.T) {
	t.Parallel()
	open := func(config connector.Config) reader {
		config["host"], config["payload"] = "x", JSON
		require.Empty(t, Spec().Validate(config))
		s, err := decode(config)
		require.NoError(t, err)
		f, problems := s.format()
		require.Empty(t, problems)
		return f.newReader(nil)
	}
	plain := open(connector.Config{"topics": "plant/{tag}/value", "value": "@"})
	require.InDelta(t, 23.5, readAll(plain, at("plant/P1/value", []byte("23.5"))).readings[0].Value, 0)
	kept := at("plant/P1/value", []byte("24"))
	kept.retained = true
	require.Empty(t, readAll(plain, kept).readings, "a retained value without a time may be of any age")
	require.InDelta(t, 24, plain.metrics()[0].last.Value, 0, "but it can be shown")
	members := open(connector.Config{"topics": "line/{tag}", "shape": "members", "items": "$.values", "value": "@"})
	got := readAll(members, at("line/L1", []byte(`{"values": {"speed": 1.5, "state": "on", "temp": 60}}`)))
	require.Equal(t, []string{"L1.speed", "L1.temp"}, []string{got.readings[0].ExternalTag, got.readings[1].ExternalTag})
	require.Equal(t, []string{"L1.state"}, got.notices[0].Tags)
	inside := open(connector.Config{"topics": "all/#", "items": "$.d[*]", "tag": "@.n", "value": "@.v", "time": "@.t"})
	got = readAll(inside, at("all/x", []byte(`{"d": [{"n": "A", "v": 1, "t": "2026-03-10T12:00:00Z"}, {"n": "B", "v": 2, "t": "never"}]}`)))
	require.Len(t, got.readings, 1)
	require.Equal(t, noticeMalformed, got.notices[0].Key)
	for _, bad := range []string{"", "{", strings.Repeat("[", 100_000), "\x00"} {
		require.Empty(t, readAll(inside, at("all/x", []byte(bad))).readings)
	}
	require.Empty(t, readAll(inside, at("other/x", []byte(`{}`))).notices)
}
