package workflows

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/proto"
)

func payload(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(text)}
}

func TestCodecHidesAndRestores(t *testing.T) {
	t.Parallel()
	older, newer := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	old, err := NewCodec(older)
	require.NoError(t, err)
	rotated, err := NewCodec(newer, older)
	require.NoError(t, err)

	plain := []*commonpb.Payload{payload(`"secret"`), payload(``)}
	sealed, err := old.Encode(plain)
	require.NoError(t, err)
	require.NotContains(t, string(sealed[0].Data), "secret")
	again, err := old.Encode(plain)
	require.NoError(t, err)
	require.NotEqual(t, sealed[0].Data, again[0].Data, "every payload has a nonce of its own")
	for _, codec := range []*Codec{old, rotated} {
		opened, err := codec.Decode(sealed)
		require.NoError(t, err)
		require.True(t, proto.Equal(plain[0], opened[0]))
		require.True(t, proto.Equal(plain[1], opened[1]))
	}
	fresh, err := rotated.Encode(plain)
	require.NoError(t, err)
	_, err = old.Decode(fresh)
	require.ErrorContains(t, err, "unknown payload key")
}

func TestCodecRefusesWhatWasTouched(t *testing.T) {
	t.Parallel()
	codec, err := NewCodec(testKey)
	require.NoError(t, err)
	for name, touch := range map[string]func(*commonpb.Payload){
		"a flipped bit":  func(p *commonpb.Payload) { p.Data[len(p.Data)-1] ^= 1 },
		"a cut payload":  func(p *commonpb.Payload) { p.Data = p.Data[:4] },
		"an empty key":   func(p *commonpb.Payload) { delete(p.Metadata, metadataKeyID) },
		"a swapped half": func(p *commonpb.Payload) { p.Data[0], p.Data[1] = p.Data[1]^1, p.Data[0] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sealed, err := codec.Encode([]*commonpb.Payload{payload("x")})
			require.NoError(t, err)
			touch(sealed[0])
			_, err = codec.Decode(sealed)
			require.Error(t, err)
		})
	}
	opened, err := codec.Decode([]*commonpb.Payload{payload("plain")})
	require.NoError(t, err, "payloads of other encodings pass")
	require.Equal(t, "plain", string(opened[0].Data))
	_, err = NewCodec([]byte("short"))
	require.Error(t, err)
}

func TestDecoderAnswersOneOriginAndNeverEncodes(t *testing.T) {
	t.Parallel()
	codec, err := NewCodec(testKey)
	require.NoError(t, err)
	handler := OnlyFrom("http://127.0.0.1:8233", DecodeHandler(codec))
	ask := func(method, path, origin string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(`{"payloads":[]}`))
		r.Header.Set("Content-Type", "application/json")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	const ui = "http://127.0.0.1:8233"
	preflight := ask(http.MethodOptions, "/decode", ui)
	require.Equal(t, http.StatusNoContent, preflight.Code)
	require.Equal(t, ui, preflight.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, "true", preflight.Header().Get("Access-Control-Allow-Credentials"))
	require.Contains(t, preflight.Header().Get("Access-Control-Allow-Headers"), "x-namespace")
	require.Equal(t, http.StatusOK, ask(http.MethodPost, "/decode?preserveStorageRefs=true", ui).Code)
	require.Equal(t, http.StatusNotFound, ask(http.MethodPost, "/encode", ui).Code)
	require.Equal(t, http.StatusNotFound, ask(http.MethodGet, "/decode", ui).Code)
	for _, origin := range []string{"", "http://127.0.0.1:9999", "null", "http://127.0.0.1:8233.example"} {
		refused := ask(http.MethodPost, "/decode", origin)
		require.Equal(t, http.StatusForbidden, refused.Code, origin)
		require.Empty(t, refused.Header().Get("Access-Control-Allow-Origin"))
	}
}

func TestExecutionURLEscapesIDs(t *testing.T) {
	t.Parallel()
	c, err := Dial(t.Context(), ClientOptions{Address: "127.0.0.1:1", Namespace: "plant", PayloadKey: testKey})
	require.NoError(t, err, "dialling does not wait for a server")
	defer c.Close()
	ui := &url.URL{Scheme: "http", Host: "ui.example", Path: "/temporal/"}
	require.Equal(t, "http://ui.example/temporal/namespaces/plant/workflows/release%2F00000000-0000-0000-0000-000000000000%2F00000000-0000-0000-0000-000000000000",
		c.ExecutionURL(ui, ReleaseID(uuid.Nil, uuid.Nil)))
	require.Empty(t, c.ExecutionURL(nil, "x"))
	require.Equal(t, "http://ui.example/temporal/namespaces/plant/workflows?query=%60TenantId%60%3D%2200000000-0000-0000-0000-000000000000%22", c.TenantURL(ui, uuid.Nil))
	require.Empty(t, c.TenantURL(nil, uuid.Nil))
}
