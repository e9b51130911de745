package connector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/fault"
)

func sample() Spec {
	return Spec{Kind: "sample", NameKey: "n", DescriptionKey: "d", Fields: []Field{
		{Key: "url", Type: URL, Required: true},
		{Key: "name", Type: Text, Min: Bound(2), Max: Bound(5)},
		{Key: "pages", Type: Integer, Min: Bound(1), Max: Bound(10), Default: 3.0},
		{Key: "factor", Type: Number},
		{Key: "mode", Type: Choice, Enum: []string{"a", "b"}},
		{Key: "since", Type: Instant},
		{Key: "strict", Type: Boolean},
		{Key: "map", Type: Object},
		{Key: "password", Type: Password, Secret: true, Required: true, Max: Bound(8)},
	}, Check: func(c Config) map[string]string {
		if c["name"] == "taken" {
			return map[string]string{"name": "custom"}
		}
		return nil
	}}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, field, want string
		value             any
	}{
		{"address", "url", "", "https://pi.example/x"},
		{"address missing", "url", ErrRequired, nil},
		{"address empty", "url", ErrRequired, ""},
		{"address relative", "url", ErrURL, "/x"},
		{"address with password", "url", ErrURL, "https://u:p@pi.example/"},
		{"text short", "name", ErrMin, "x"},
		{"text long", "name", ErrMax, "abcdef"},
		{"text counted in letters", "name", "", "مضخات"},
		{"text not UTF-8", "name", ErrType, "a\xffb"},
		{"text is a number", "name", ErrType, 5.0},
		{"whole number", "pages", "", 10.0},
		{"fraction", "pages", ErrType, 2.5},
		{"below", "pages", ErrMin, 0.0},
		{"above", "pages", ErrMax, 11.0},
		{"not a number", "factor", ErrType, math.NaN()},
		{"infinite", "factor", ErrType, math.Inf(1)},
		{"choice", "mode", "", "b"},
		{"no such choice", "mode", ErrChoice, "c"},
		{"instant", "since", "", "2026-01-01T00:00:00Z"},
		{"date only", "since", ErrInstant, "2026-01-01"},
		{"boolean", "strict", "", true},
		{"boolean as text", "strict", ErrType, "true"},
		{"object", "map", "", map[string]any{}},
		{"object as text", "map", ErrObject, "{}"},
		{"secret in the open", "password", ErrUnknown, "x"},
		{"unknown", "surprise", ErrUnknown, "x"},
		{"rule of the kind", "name", "custom", "taken"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := Config{"url": "https://pi.example"}
			config[c.field] = c.value
			require.Equal(t, c.want, sample().Validate(config)[c.field])
		})
	}
}

func TestValidateSecrets(t *testing.T) {
	t.Parallel()
	require.Empty(t, sample().ValidateSecrets(Secrets{"password": "12345678"}))
	require.Equal(t, map[string]string{"password": ErrRequired}, sample().ValidateSecrets(nil))
	require.Equal(t, map[string]string{"password": ErrMax}, sample().ValidateSecrets(Secrets{"password": "123456789"}))
	require.Equal(t, ErrUnknown, sample().ValidateSecrets(Secrets{"url": "x", "password": "p"})["url"])
}

func TestParseForm(t *testing.T) {
	t.Parallel()
	config, secrets, problems := sample().Parse(map[string]string{
		"url": " https://pi.example ", "pages": "7", "strict": "on", "map": `{"a":1}`, "password": " p ", "csrf": "ignored"})
	require.Empty(t, problems)
	require.Equal(t, Config{"url": "https://pi.example", "pages": 7.0, "strict": true, "map": map[string]any{"a": 1.0}}, config)
	require.Equal(t, Secrets{"password": " p "}, secrets, "a password keeps its blanks")

	_, _, problems = sample().Parse(map[string]string{"pages": "many", "factor": "NaN", "map": "{"})
	require.Equal(t, map[string]string{"pages": ErrType, "factor": ErrType, "map": ErrObject}, problems)
}

func TestDefaultsFillOnlyGaps(t *testing.T) {
	t.Parallel()
	require.Equal(t, 3.0, sample().WithDefaults(Config{})["pages"])
	require.Equal(t, 5.0, sample().WithDefaults(Config{"pages": 5.0})["pages"])
}

func TestOpenUnknownKind(t *testing.T) {
	t.Parallel()
	_, err := Open("no such kind", nil, nil, nil)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	require.Nil(t, FieldErrors(err))
}

func TestRegisterRefusesMistakes(t *testing.T) {
	open := func(Config, Secrets, *net.Dialer) (Connector, error) { return nil, errors.New("never opened") }
	for name, spec := range map[string]Spec{
		"no kind":       {},
		"field twice":   {Kind: "x", Fields: []Field{{Key: "a"}, {Key: "a"}}},
		"open password": {Kind: "x", Fields: []Field{{Key: "a", Type: Password}}},
	} {
		require.Panics(t, func() { Register(spec, open) }, name)
	}
	Register(Spec{Kind: "registered once"}, open)
	t.Cleanup(func() { delete(registry, "registered once") })
	require.Panics(t, func() { Register(Spec{Kind: "registered once"}, open) })
	_, err := Open("registered once", nil, nil, nil)
	require.ErrorContains(t, err, "open registered once connector")
}

func TestRunChecksStopsAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	ran := 0
	pass := func(context.Context) (string, error) { ran++; return "fine", nil }
	fail := func(context.Context) (string, error) { ran++; return "", Unreachable(errors.New("refused")) }
	steps := RunChecks(t.Context(), Check{StepName, pass}, Check{StepTCP, fail}, Check{StepRead, pass})
	require.Equal(t, 2, ran)
	require.Len(t, steps, 2)
	require.True(t, steps[0].OK)
	require.Equal(t, "fine", steps[0].Detail)
	require.False(t, steps[1].OK)
	require.Equal(t, KeyUnreachable, steps[1].Code)
	require.True(t, strings.Contains(steps[1].Detail, "refused"))
}

func TestWindow(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	since, _, err := PollRequest{Until: until}.Window()
	require.NoError(t, err)
	require.Equal(t, until.Add(-24*time.Hour), since)
	_, _, err = PollRequest{Since: until.Add(1), Until: until}.Window()
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
	require.Equal(t, KeyWindow, MessageKey(err))
	require.Equal(t, KeyCancelled, MessageKey(context.Canceled))
	require.Equal(t, KeyInternal, MessageKey(errors.New("x")))
	require.Equal(t, DefaultBatchLimit, PollRequest{}.BatchLimit())
}

func TestOfferedCertificateReachesTheStep(t *testing.T) {
	t.Parallel()
	steps := RunChecks(t.Context(), Check{Name: StepSecure, Run: func(context.Context) (string, error) {
		return "", fmt.Errorf("handshake: %w", WrongCertificate("ab12", errors.New("not pinned")))
	}})
	require.Equal(t, "ab12", steps[0].Offered)
	require.Equal(t, KeyCertificate, steps[0].Code)
}
