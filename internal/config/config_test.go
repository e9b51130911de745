package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/config"
	"github.com/optria-iq/optria/internal/dossier/seal"
)

func env(pairs map[string]string) func(string) string {
	return func(k string) string { return pairs[k] }
}

func sound() map[string]string {
	return map[string]string{
		"OPTRIA_DB_URL":        "postgres://db/optria",
		"JWT_SECRET_KEY":       "k3Jd9fLq2Zx8Vb5Nn7Mm1Qw4Er6Ty0Ui",
		"OPTRIA_PAYLOAD_KEY":   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"OPTRIA_SECRET_KEYSET": "keyset",
	}
}

func TestLoadSound(t *testing.T) {
	t.Parallel()
	c, err := config.Load(env(sound()))
	require.NoError(t, err)
	require.False(t, c.Demo)
	require.False(t, c.Secure())
	require.Equal(t, "http://127.0.0.1:8080", c.BaseURL.String())
	require.Len(t, c.PayloadKey, 32)
}

func TestLoadNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ name, value, says string }{
		"missing database": {"OPTRIA_DB_URL", "", "OPTRIA_DB_URL is not set"},
		"missing secret":   {"JWT_SECRET_KEY", "", "JWT_SECRET_KEY is not set"},
		"short secret":     {"JWT_SECRET_KEY", "abc", "JWT_SECRET_KEY has 3 characters"},
		"dull secret":      {"JWT_SECRET_KEY", strings.Repeat("ab", 20), "can be guessed"},
		"payload key":      {"OPTRIA_PAYLOAD_KEY", "c2hvcnQ=", "OPTRIA_PAYLOAD_KEY is not base64 of 32 bytes"},
		"demo mode":        {"OPTRIA_DEMO_MODE", "maybe", `OPTRIA_DEMO_MODE is "maybe"`},
		"address":          {"OPTRIA_ADDRESS", "8080", "use host:port"},
		"base url":         {"OPTRIA_BASE_URL", "optria.example", "OPTRIA_BASE_URL is"},
		"log level":        {"OPTRIA_LOG_LEVEL", "loud", "OPTRIA_LOG_LEVEL is"},
		"threads":          {"OPTRIA_SOLVER_THREADS", "0", "OPTRIA_SOLVER_THREADS is"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := sound()
			e[c.name] = c.value
			_, err := config.Load(env(e))
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	e := sound()
	e["JWT_SECRET_KEY"] = "hunter2-short"
	_, err := config.Load(env(e))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}

// TestSealsAreThoseOfTheServer: commands derive the key that the web tier signs
// with, whatever surrounds the secret, and refuse what it refuses.
func TestSealsAreThoseOfTheServer(t *testing.T) {
	t.Parallel()
	for _, around := range []string{"", " ", "\n"} {
		e := sound()
		e["JWT_SECRET_KEY"] += around
		c, err := config.Load(env(e))
		require.NoError(t, err)
		want, err := seal.DeriveKey(c.JWTSecret)
		require.NoError(t, err)
		own, former, err := config.Seals(env(e))
		require.NoError(t, err)
		require.Equal(t, want.Public(), own.Public())
		require.Equal(t, c.SealKeys, former)
	}
	own, _, err := config.Seals(env(nil))
	require.NoError(t, err)
	require.Nil(t, own)
	_, _, err = config.Seals(env(map[string]string{"JWT_SECRET_KEY": "short"}))
	require.ErrorContains(t, err, "JWT_SECRET_KEY has 5 characters")
}

func TestReadmeListsEveryVariable(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	for _, v := range config.Variables() {
		require.Contains(t, string(readme), "`"+v.Name+"`")
		require.Contains(t, string(readme), v.Effect)
	}
}
