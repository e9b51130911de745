// Package config reads the environment once into a checked struct. Every
// variable is listed in Variables, from which README and `optria doctor` speak.
package config

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/optria-iq/optria/internal/dossier/seal"
	"github.com/optria-iq/optria/internal/mail"
	"github.com/optria-iq/optria/internal/netguard"
)

// Config is the checked configuration of a process.
type Config struct {
	DatabaseURL    string
	Demo           bool
	JWTSecret      []byte    // signs API tokens, at least 32 bytes
	SealKeys       seal.Keys // former public keys under which sealed files still count as authentic
	PayloadKey     []byte    // AES-256 key of workflow payloads, 32 bytes
	SecretKeyset   string    // Tink keyset that seals integration credentials, base64
	SecretKEK      string    // address of the key that encrypts the keyset; empty when it is in clear
	SecretKEKToken string    // credential for the service that holds that key
	Address        string    // host:port the web tier listens on
	BaseURL        *url.URL  // how browsers reach the web tier
	DataDir        string    // private PostgreSQL, Temporal store, generated demo secrets
	TemporalUI     *url.URL  // nil when there is no UI to link to
	CodecAddress   string    // host:port of the payload codec server for the Temporal UI; empty is off
	LogLevel       slog.Level
	SolverThreads  int
	Connectors     netguard.Guard // which addresses connectors and webhooks may reach
	Mail           mail.Settings  // how notifications leave by e-mail; off when nothing is set
}

// Variable documents one environment variable.
type Variable struct {
	Name, Default, Effect string
}

// Variables lists every variable this package reads, in the order of README.
// The Temporal client additionally reads the standard TEMPORAL_* variables.
func Variables() []Variable {
	return []Variable{
		{"OPTRIA_DB_URL", "(private PostgreSQL in demo mode)", "PostgreSQL connection string, version 15 or later; use the direct, not the pooled, address for `optria migrate`"},
		{"OPTRIA_DEMO_MODE", "false", "true seeds the demo tenants, allows generated secrets and shows the synthetic-data ribbon"},
		{secretVariable, "(generated in demo mode)", "signs API tokens; at least 32 characters, not a word from a manual"},
		{sealKeysVariable, "(none)", "former public seal keys, separated by commas, after JWT_SECRET_KEY was changed: files sealed before stay authentic (`optria verify --show-key` prints the current one)"},
		{"OPTRIA_PAYLOAD_KEY", "(generated in demo mode)", "base64 of 32 random bytes; encrypts workflow payloads"},
		{"OPTRIA_SECRET_KEYSET", "(generated in demo mode)", "base64 Tink keyset; seals integration credentials (`optria doctor --new-keyset` prints one)"},
		{"OPTRIA_SECRET_KEK_URI", "(none: the keyset is in clear)", "key that encrypts the keyset, such as `hcvault://vault.example:8200/transit/keys/optria`"},
		{"OPTRIA_SECRET_KEK_TOKEN", "(none)", "token for the service that holds that key"},
		{"OPTRIA_ADDRESS", "127.0.0.1:8080", "host and port the web tier listens on"},
		{"OPTRIA_BASE_URL", "http://<OPTRIA_ADDRESS>", "address browsers use; https switches Secure cookies and HSTS on"},
		{"OPTRIA_DATA_DIR", ".optria", "folder of the private PostgreSQL, the Temporal store and generated demo secrets"},
		{"OPTRIA_TEMPORAL_UI_URL", "(none; set by `optria dev`)", "address of the Temporal UI, linked for platform owners"},
		{"OPTRIA_CODEC_ADDRESS", "(none; set by `optria dev`)", "host and port of the payload codec server the Temporal UI may ask to decode payloads"},
		{"OPTRIA_LOG_LEVEL", "info", "debug, info, warn or error"},
		{"OPTRIA_SOLVER_THREADS", "2", "cores one optimization run may use"},
		{"OPTRIA_CONNECTOR_ALLOW", "(public addresses only; in demo mode also loopback and private ranges)", "private addresses and ranges that connectors and webhooks may reach, such as `10.20.0.0/16, 192.168.7.5`; metadata and link-local addresses stay closed"},
		{"OPTRIA_SMTP_URL", "(none: no e-mail)", "mail server for notifications, such as `smtp://user:password@mail.example:587?tls=starttls`; tls is starttls, tls or none"},
		{"OPTRIA_MAIL_FROM", "(none)", "sender of these e-mails, such as `OPTRIA IQ <optria@example.com>`; needed with OPTRIA_SMTP_URL"},
	}
}

// Load reads and checks the configuration. The error names every variable
// that is missing or wrong, and how to mend it.
func Load(getenv func(string) string) (Config, error) {
	r := reader{getenv: getenv}
	c := Config{
		DatabaseURL:   getenv("OPTRIA_DB_URL"),
		Demo:          r.boolean("OPTRIA_DEMO_MODE"),
		Address:       r.address("OPTRIA_ADDRESS", "127.0.0.1:8080"),
		DataDir:       r.text("OPTRIA_DATA_DIR", ".optria"),
		TemporalUI:    r.link("OPTRIA_TEMPORAL_UI_URL"),
		CodecAddress:  r.address("OPTRIA_CODEC_ADDRESS", ""),
		LogLevel:      r.level("OPTRIA_LOG_LEVEL"),
		SolverThreads: r.count("OPTRIA_SOLVER_THREADS", 2),
	}
	c.BaseURL = r.link("OPTRIA_BASE_URL")
	if c.BaseURL == nil {
		c.BaseURL = &url.URL{Scheme: "http", Host: c.Address}
	}
	if c.DatabaseURL == "" {
		r.fail("OPTRIA_DB_URL", "is not set: give a PostgreSQL connection string, or use `optria dev`, which starts a private one")
	}
	c.Connectors = r.guard("OPTRIA_CONNECTOR_ALLOW", c)
	c.Mail = r.mail("OPTRIA_SMTP_URL", "OPTRIA_MAIL_FROM")
	c.JWTSecret = r.secret(secretVariable)
	c.PayloadKey = r.key("OPTRIA_PAYLOAD_KEY")
	c.SealKeys = r.sealKeys(sealKeysVariable)
	c.SecretKeyset = r.text("OPTRIA_SECRET_KEYSET", "")
	c.SecretKEK, c.SecretKEKToken = r.text("OPTRIA_SECRET_KEK_URI", ""), r.text("OPTRIA_SECRET_KEK_TOKEN", "")
	if c.SecretKeyset == "" {
		r.fail("OPTRIA_SECRET_KEYSET", "is not set: make one with `optria doctor --new-keyset`")
	}
	return c, errors.Join(r.errs...)
}

// Secure reports whether browsers reach the product over TLS.
func (c Config) Secure() bool { return c.BaseURL != nil && c.BaseURL.Scheme == "https" }

type reader struct {
	getenv func(string) string
	errs   []error
}

func (r *reader) fail(name, what string) {
	r.errs = append(r.errs, fmt.Errorf("%s %s", name, what))
}

func (r *reader) sealKeys(name string) seal.Keys {
	var keys seal.Keys
	for text := range strings.SplitSeq(r.getenv(name), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		key, err := seal.ParsePublicKey(text)
		if err != nil {
			r.fail(name, "holds "+err.Error())
			continue
		}
		keys = append(keys, key)
	}
	return keys
}

func (r *reader) text(name, fallback string) string {
	if v := strings.TrimSpace(r.getenv(name)); v != "" {
		return v
	}
	return fallback
}

func (r *reader) boolean(name string) bool {
	v := r.text(name, "false")
	b, err := strconv.ParseBool(v)
	if err != nil {
		r.fail(name, fmt.Sprintf("is %q: use true or false", v))
	}
	return b
}

func (r *reader) count(name string, fallback int) int {
	v := r.text(name, strconv.Itoa(fallback))
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > 64 {
		r.fail(name, fmt.Sprintf("is %q: use a number from 1 to 64", v))
	}
	return n
}

func (r *reader) address(name, fallback string) string {
	v := r.text(name, fallback)
	if v == "" {
		return ""
	}
	if _, _, err := net.SplitHostPort(v); err != nil {
		r.fail(name, fmt.Sprintf("is %q: use host:port", v))
	}
	return v
}

func (r *reader) link(name string) *url.URL {
	v := r.text(name, "")
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		r.fail(name, fmt.Sprintf("is %q: use an address such as https://optria.example", v))
		return nil
	}
	return u
}

func (r *reader) level(name string) slog.Level {
	var l slog.Level
	v := r.text(name, "info")
	if err := l.UnmarshalText([]byte(v)); err != nil {
		r.fail(name, fmt.Sprintf("is %q: use debug, info, warn or error", v))
	}
	return l
}

// demoNetworks are what the connectors of a demonstration may reach: it runs
// on the machine of the person who configures it.
const demoNetworks = "127.0.0.0/8, ::1/128, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7"

// guard reads the allow list of connectors; the product's own servers are
// never reached.
func (r *reader) guard(name string, c Config) netguard.Guard {
	fallback := ""
	if c.Demo {
		fallback = demoNetworks
	}
	g, err := netguard.Parse(r.text(name, fallback))
	if err != nil {
		r.fail(name, "cannot be read: "+err.Error())
	}
	own := []string{c.Address, c.CodecAddress, r.getenv("TEMPORAL_ADDRESS")}
	if database, err := url.Parse(c.DatabaseURL); err == nil && database.Hostname() != "" {
		own = append(own, net.JoinHostPort(database.Hostname(), cmp.Or(database.Port(), "5432")))
	}
	return g.Except(own...)
}

// mail reads how e-mail leaves. Its errors quote no password.
func (r *reader) mail(server, from string) mail.Settings {
	s, err := mail.Parse(r.text(server, ""), r.text(from, ""))
	if err != nil {
		r.fail(server, "cannot be used: "+err.Error())
	}
	return s
}

// secret refuses keys that are short or made of few distinct characters.
func (r *reader) secret(name string) []byte {
	v := r.getenv(name)
	switch {
	case v == "":
		r.fail(name, "is not set: use at least 32 random characters, for example from `openssl rand -base64 48`")
	case len(v) < 32:
		r.fail(name, fmt.Sprintf("has %d characters: use at least 32", len(v)))
	case distinct(v) < 12:
		r.fail(name, "repeats few characters and can be guessed: use random ones")
	}
	return []byte(v)
}

func (r *reader) key(name string) []byte {
	v := r.text(name, "")
	if v == "" {
		r.fail(name, "is not set: use base64 of 32 random bytes, for example from `openssl rand -base64 32`")
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(v)
	if err != nil || len(b) != 32 {
		r.fail(name, "is not base64 of 32 bytes: make one with `openssl rand -base64 32`")
		return nil
	}
	return b
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, c := range s {
		seen[c] = true
	}
	return len(seen)
}
