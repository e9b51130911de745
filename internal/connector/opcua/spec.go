package opcua

import (
	"encoding/hex"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
)

// Kind is the registered kind of the OPC UA connector.
const Kind = "opcua"

// The ways to sign in.
const (
	Anonymous   = "anonymous"
	Username    = "username"
	Certificate = "certificate"
)

// The ways to follow values.
const (
	ModeSubscribe = "subscribe"
	ModePoll      = "poll"
)

// none is the name of the security policy and mode without protection.
const none = "None"

// Settings are the configuration of a connection. Its JSON form is what Spec
// describes; times are milliseconds unless named otherwise.
type Settings struct {
	Endpoint          string  `json:"endpoint"`
	SecurityPolicy    string  `json:"security_policy"`
	SecurityMode      string  `json:"security_mode"`
	Pin               string  `json:"server_certificate_sha256"`
	Authentication    string  `json:"authentication"`
	Username          string  `json:"username"`
	UserCertificate   string  `json:"user_certificate"`
	ClientCertificate string  `json:"client_certificate"`
	Mode              string  `json:"mode"`
	Sampling          float64 `json:"sampling_ms"`
	Publishing        float64 `json:"publishing_ms"`
	Period            float64 `json:"period_seconds"`
	QueueSize         uint32  `json:"queue_size"`
	Deadband          float64 `json:"deadband"`
	RootNode          string  `json:"root_node"`
}

// Spec describes the settings.
func Spec() connector.Spec {
	fields := append(securityFields(), readingFields()...)
	for i := range fields {
		fields[i].LabelKey = "connector.opcua." + fields[i].Key + ".label"
		fields[i].HelpKey = "connector.opcua." + fields[i].Key + ".help"
	}
	return connector.Spec{
		Kind:           Kind,
		NameKey:        "connector.opcua.name",
		DescriptionKey: "connector.opcua.description",
		Fields:         fields,
		Check:          check,
		Generate:       generate,
	}
}

func securityFields() []connector.Field {
	bound := connector.Bound
	return []connector.Field{
		{Key: "endpoint", Type: connector.URL, Required: true, Max: bound(512)},
		{Key: "security_policy", Type: connector.Choice, Default: "Basic256Sha256", Enum: []string{
			"Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss", none, "Basic256", "Basic128Rsa15"}},
		{Key: "security_mode", Type: connector.Choice, Default: "SignAndEncrypt", Enum: []string{"SignAndEncrypt", "Sign", none}},
		{Key: "server_certificate_sha256", Type: connector.Text, Max: bound(128)},
		{Key: "authentication", Type: connector.Choice, Default: Anonymous, Enum: []string{Anonymous, Username, Certificate}},
		{Key: "username", Type: connector.Text, Max: bound(256)},
		{Key: "password", Type: connector.Password, Secret: true, Max: bound(256)},
		{Key: "user_certificate", Type: connector.Text, Lines: true, Max: bound(16384)},
		{Key: "user_key", Type: connector.Password, Secret: true, Lines: true, Max: bound(16384)},
		{Key: "client_certificate", Type: connector.Text, Made: true, Lines: true, Max: bound(16384)},
		{Key: "client_key", Type: connector.Password, Secret: true, Made: true, Lines: true, Max: bound(16384)},
	}
}

func readingFields() []connector.Field {
	bound := connector.Bound
	return []connector.Field{
		{Key: "mode", Type: connector.Choice, Default: ModeSubscribe, Enum: []string{ModeSubscribe, ModePoll}},
		{Key: "sampling_ms", Type: connector.Integer, Default: 0.0, Min: bound(0), Max: bound(3_600_000)},
		{Key: "publishing_ms", Type: connector.Integer, Default: 500.0, Min: bound(50), Max: bound(5000)},
		{Key: "queue_size", Type: connector.Integer, Default: 100.0, Min: bound(1), Max: bound(10_000)},
		{Key: "deadband", Type: connector.Number, Default: 0.0, Min: bound(0), Max: bound(1e12)},
		{Key: "period_seconds", Type: connector.Number, Default: 10.0, Min: bound(0.1), Max: bound(86_400)},
		{Key: "root_node", Type: connector.Text, Max: bound(maxAddress)},
	}
}

func init() { connector.Register(Spec(), open) }

// check holds the rules that concern the content of fields or several of them.
func check(config connector.Config) map[string]string {
	var s Settings
	if err := Spec().WithDefaults(config).Decode(&s); err != nil {
		return map[string]string{"endpoint": connector.ErrType}
	}
	problems := map[string]string{}
	require := func(holds bool, field, problem string) {
		if !holds {
			problems[field] = "connector.opcua.error." + problem
		}
	}
	require(strings.HasPrefix(s.Endpoint, "opc.tcp://"), "endpoint", "endpoint")
	require((s.SecurityPolicy == none) == (s.SecurityMode == none), "security_mode", "policy_and_mode")
	_, pinned := fingerprint(s.Pin)
	require(s.Pin == "" || pinned, "server_certificate_sha256", "fingerprint")
	require(s.Authentication != Username || s.Username != "", "username", "username")
	require(s.Authentication != Certificate || readable(s.UserCertificate), "user_certificate", "certificate")
	require(s.ClientCertificate == "" || readable(s.ClientCertificate), "client_certificate", "certificate")
	if s.RootNode != "" {
		_, err := ParseAddress(s.RootNode)
		require(err == nil, "root_node", "node")
	}
	return problems
}

func readable(certificate string) bool {
	_, err := parseCertificate(certificate)
	return err == nil
}

// fingerprint reads a SHA-256 fingerprint as people write it: hexadecimal
// digits of either case, with or without colons or spaces.
func fingerprint(text string) (digits string, ok bool) {
	digits = strings.ToLower(strings.NewReplacer(":", "", " ", "", "-", "").Replace(text))
	raw, err := hex.DecodeString(digits)
	return digits, err == nil && len(raw) == 32
}
