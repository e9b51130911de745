package webhook

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/connectortest"
	"github.com/optria-iq/optria/internal/fault"
)

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func config() connector.Config {
	return connector.Config{"items": "$.data.readings[*]", "tag": "@.tag", "value": "@.value", "time": "@.time", "unit": "@.unit"}
}

const body = `{"type":"readings","data":{"readings":[{"tag":"P-101.VIB","value":4.7,"unit":"mm/s","time":"2026-03-10T11:58:00Z"},{"tag":"P-101.VIB","value":4.8,"unit":"mm/s","time":"2026-03-10T11:59:00Z"}]}}`

func TestWebhookKeepsTheContract(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, Kind, connectortest.Fixture{Config: config(), Secrets: connector.Secrets{FieldSecret: NewSecret()}, Tags: []string{"P-101.VIB"},
		Since: now.Add(-time.Hour), Until: now, Message: connector.Message{ContentType: JSON, Body: []byte(body), ReceivedAt: now}})
}

func opened(t *testing.T) connector.Receiver {
	t.Helper()
	c, err := connector.Open(Kind, config(), nil, nil)
	require.NoError(t, err)
	return c.(connector.Receiver)
}

func TestEveryContentTypeIsRead(t *testing.T) {
	t.Parallel()
	envelope := `{"specversion":"1.0","id":"e1","source":"/plant/1","type":"readings",`
	data := body[strings.Index(body, `"data"`)+len(`"data":`) : len(body)-1]
	cases := map[string]struct{ contentType, body, key string }{
		"JSON":              {"application/json; charset=utf-8", body, ""},
		"CloudEvents":       {"application/cloudevents+json; charset=utf-8", envelope + `"data":` + data + "}", ""},
		"data in base64":    {CloudEvent, envelope + `"data_base64":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `"}`, ""},
		"CSV":               {CSV, "tag,time,value,unit\nP-101.VIB,2026-03-10T11:58:00Z,4.7,mm/s\nP-101.VIB,2026-03-10T11:59:00Z,4.8,mm/s\n", ""},
		"no envelope":       {CloudEvent, body, connector.KeyProtocol},
		"envelope of 0.3":   {CloudEvent, strings.Replace(envelope, "1.0", "0.3", 1) + `"data":{}}`, connector.KeyProtocol},
		"without a source":  {CloudEvent, `{"specversion":"1.0","id":"e1","type":"readings","data":{}}`, connector.KeyProtocol},
		"not base64":        {CloudEvent, envelope + `"data_base64":"%%"}`, connector.KeyProtocol},
		"base64 of no JSON": {CloudEvent, envelope + `"data_base64":"aGk="}`, connector.KeyProtocol},
		"a list":            {CloudEvent, "[]", connector.KeyProtocol},
		"no JSON":           {JSON, "nope", connector.KeyProtocol},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := opened(t).Receive(t.Context(), connector.Message{ContentType: c.contentType, Body: []byte(c.body), ReceivedAt: now})
			if c.key != "" {
				require.Equal(t, c.key, connector.MessageKey(err))
				return
			}
			require.NoError(t, err)
			require.Empty(t, got.Refused)
			require.Equal(t, []connector.Reading{{ExternalTag: "P-101.VIB", Time: now.Add(-2 * time.Minute), Value: 4.7, Unit: "mm/s"},
				{ExternalTag: "P-101.VIB", Time: now.Add(-time.Minute), Value: 4.8, Unit: "mm/s"}}, got.Readings)
		})
	}
	for _, taken := range []string{JSON, CloudEvent, CSV, "Application/JSON;charset=utf-8"} {
		require.True(t, Takes(taken), taken)
	}
	for _, other := range []string{"", "text/plain", "application/json;;", "application/xml"} {
		require.False(t, Takes(other), other)
	}
}

// message signs a body as the reference library does.
func message(t *testing.T, secret, id string, at time.Time, body string) http.Header {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	signature, err := hook.Sign(id, at, []byte(body))
	require.NoError(t, err)
	header := http.Header{}
	header.Set(standardwebhooks.HeaderWebhookID, id)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return header
}

func TestVerify(t *testing.T) {
	t.Parallel()
	current, previous := NewSecret(), NewSecret()
	both := connector.Secrets{FieldSecret: current, FieldPrevious: previous}
	with := func(name, value string) func(http.Header) { return func(h http.Header) { h.Set(name, value) } }
	cases := map[string]struct {
		secrets connector.Secrets
		signer  string
		id      string
		at      time.Time
		change  func(http.Header)
		body    string
		holds   bool
	}{
		"sound":                 {both, current, "m1", now, nil, body, true},
		"previous secret":       {both, previous, "m1", now, nil, body, true},
		"previous secret ended": {connector.Secrets{FieldSecret: current}, previous, "m1", now, nil, body, false},
		"no secret at all":      {nil, current, "m1", now, nil, body, false},
		"the secret of nobody":  {nil, decoy, "m1", now, nil, body, false},
		"foreign secret":        {both, NewSecret(), "m1", now, nil, body, false},
		"other body":            {both, current, "m1", now, nil, body + " ", false},
		"other id":              {both, current, "m1", now, with(standardwebhooks.HeaderWebhookID, "m2"), body, false},
		"id with a dot":         {both, current, "m.1", now, nil, body, false},
		"at the edge":           {both, current, "m1", now.Add(-5 * time.Minute), nil, body, true},
		"too old":               {both, current, "m1", now.Add(-5*time.Minute - time.Second), nil, body, false},
		"too new":               {both, current, "m1", now.Add(5*time.Minute + time.Second), nil, body, false},
		"time changed":          {both, current, "m1", now, with(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix()+1, 10)), body, false},
		"time is none":          {both, current, "m1", now, with(standardwebhooks.HeaderWebhookTimestamp, "noon"), body, false},
		"no signature":          {both, current, "m1", now, func(h http.Header) { h.Del(standardwebhooks.HeaderWebhookSignature) }, body, false},
		"second of two": {both, current, "m1", now, func(h http.Header) {
			h.Set(standardwebhooks.HeaderWebhookSignature, "v1,AAAA "+h.Get(standardwebhooks.HeaderWebhookSignature))
		}, body, true},
		"of another version": {both, current, "m1", now, func(h http.Header) {
			h.Set(standardwebhooks.HeaderWebhookSignature, "v9"+h.Get(standardwebhooks.HeaderWebhookSignature)[2:])
		}, body, false},
		"a flood of signatures": {both, current, "m1", now, func(h http.Header) {
			h.Set(standardwebhooks.HeaderWebhookSignature, strings.Repeat("v1,AAAA ", 600)+h.Get(standardwebhooks.HeaderWebhookSignature))
		}, body, false},
		"secret that is none":    {connector.Secrets{FieldSecret: "whsec_%%"}, current, "m1", now, nil, body, false},
		"shorter than it should": {both, current, "m1", now, with(standardwebhooks.HeaderWebhookSignature, "v1,"), body, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := message(t, c.signer, c.id, c.at, body)
			if c.change != nil {
				c.change(header)
			}
			err := Verify(c.secrets, 5*time.Minute, header, []byte(c.body), now)
			if c.holds {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrSignature)
			require.Equal(t, ErrSignature.Error(), err.Error(), "a sender does not learn why")
		})
	}
}

func TestSecretsAreMadeOnceAndChecked(t *testing.T) {
	t.Parallel()
	secrets := connector.Secrets{}
	require.NoError(t, Spec().Generate(nil, secrets))
	made := secrets[FieldSecret]
	require.True(t, strings.HasPrefix(made, "whsec_") && sound(made), made)
	require.NoError(t, Spec().Generate(nil, secrets))
	require.Equal(t, made, secrets[FieldSecret], "a secret that a sender has is kept")
	require.NotEqual(t, NewSecret(), NewSecret())
	for _, bad := range []string{"whsec_", "whsec_c2hvcnQ=", "not base64 at all", "whsec_" + strings.Repeat("A", 120)} {
		_, err := connector.Open(Kind, config(), connector.Secrets{FieldSecret: made, FieldPrevious: bad}, nil)
		require.Equal(t, fault.Invalid, fault.CodeOf(err), bad)
		require.NotContains(t, err.Error(), bad)
	}
}

func FuzzVerify(f *testing.F) {
	secrets := connector.Secrets{FieldSecret: NewSecret()}
	f.Add("m1", "1773144000", "v1,AAAA", []byte(body))
	f.Add("", "-1", "v1 , v1,,", []byte{})
	f.Fuzz(func(t *testing.T, id, at, signature string, body []byte) {
		header := http.Header{}
		header.Set(standardwebhooks.HeaderWebhookID, id)
		header.Set(standardwebhooks.HeaderWebhookTimestamp, at)
		header.Set(standardwebhooks.HeaderWebhookSignature, signature)
		require.ErrorIs(t, Verify(secrets, 5*time.Minute, header, body, now), ErrSignature)
	})
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte(body), uint8(0))
	f.Add([]byte(`{"specversion":"1.0","id":1,"source":true,"type":"x","data_base64":"e30="}`), uint8(1))
	f.Add([]byte("tag,time,value\n"), uint8(2))
	f.Fuzz(func(t *testing.T, body []byte, kind uint8) {
		got, err := opened(t).Receive(t.Context(), connector.Message{ContentType: []string{JSON, CloudEvent, CSV}[kind%3], Body: body, ReceivedAt: now})
		if err != nil {
			require.NotEqual(t, connector.KeyInternal, connector.MessageKey(err), "%v", err)
		}
		for _, r := range got.Readings {
			require.NotEmpty(t, r.ExternalTag)
		}
	})
}
