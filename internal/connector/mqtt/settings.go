package mqtt

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/connector/jsonmap"
)

// Kind is the registered kind of the MQTT connector.
const Kind = "mqtt"

// Ways to secure the connection.
const (
	TLSOff    = "off"
	TLSVerify = "verify" // the chain is checked, against the given authority if there is one
	TLSPin    = "pin"    // the certificate has to have the given fingerprint
)

// Forms of payloads.
const (
	Sparkplug = "sparkplug_b"
	JSON      = "json"
)

// Settings are the configuration of an MQTT connector. Its JSON form is what
// Spec describes.
type Settings struct {
	Host        string `json:"host"`
	Port        int    `json:"port"`
	TLS         string `json:"tls"`
	Fingerprint string `json:"certificate_sha256,omitempty"`
	CA          string `json:"ca_certificate,omitempty"`
	User        string `json:"user,omitempty"`
	ClientID    string `json:"client_id,omitempty"`

	Payload string `json:"payload"`
	Group   string `json:"group,omitempty"`
	Topics  string `json:"topics,omitempty"`
	jsonmap.Settings

	ExpirySeconds int     `json:"session_expiry_seconds"`
	ListenSeconds float64 `json:"listen_seconds"`

	password string
}

// Message keys of what the check of the settings finds.
const (
	errHost   = "connector.mqtt.error.host"
	errPin    = "connector.mqtt.error.pin"
	errGroup  = "connector.mqtt.error.group"
	errTopics = "connector.mqtt.error.topics"
)

// Spec describes the settings.
func Spec() connector.Spec {
	return connector.Spec{Kind: Kind, NameKey: "connector.mqtt.name", DescriptionKey: "connector.mqtt.description", Fields: fields(), Check: check, Generate: generate}
}

func field(key string, kind connector.FieldType) connector.Field {
	return connector.Field{Key: key, Type: kind, LabelKey: "connector.mqtt." + key + ".label", HelpKey: "connector.mqtt." + key + ".help"}
}

func text(key string, longest float64) connector.Field {
	f := field(key, connector.Text)
	f.Max = connector.Bound(longest)
	return f
}

func choice(key, standard string, values ...string) connector.Field {
	f := field(key, connector.Choice)
	f.Enum, f.Default = values, standard
	return f
}

func bounded(key string, kind connector.FieldType, standard, least, most float64) connector.Field {
	f := field(key, kind)
	f.Default, f.Min, f.Max = standard, connector.Bound(least), connector.Bound(most)
	return f
}

func fields() []connector.Field {
	host, password, client, topics := text("host", 253), field("password", connector.Password), text("client_id", 64), text("topics", 4096)
	host.Required, password.Secret, password.Max, client.Made, topics.Lines = true, true, connector.Bound(512), true, true
	all := []connector.Field{host, bounded("port", connector.Integer, 8883, 1, 65535), choice("tls", TLSVerify, TLSVerify, TLSPin, TLSOff)}
	all = append(all, httpapi.TrustFields()...)
	all = append(all, text("user", 128), password, client, choice("payload", Sparkplug, Sparkplug, JSON), text("group", 128), topics)
	for _, f := range jsonmap.Fields() {
		if f.Key != "fixed_tag" { // the topic is what names a tag
			f.Required = false
			all = append(all, f)
		}
	}
	return append(all, bounded("session_expiry_seconds", connector.Integer, 86_400, 60, 604_800), bounded("listen_seconds", connector.Number, 4, 1, 15))
}

// generate makes the client id: the broker keeps messages under it, so no two
// integrations may share one.
func generate(config connector.Config, _ connector.Secrets) error {
	if id, _ := config["client_id"].(string); id != "" {
		return nil
	}
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return fmt.Errorf("make a client id: %w", err)
	}
	config["client_id"] = "optria-" + hex.EncodeToString(id)
	return nil
}

func decode(config connector.Config) (Settings, error) {
	var s Settings
	if err := (connector.Spec{Fields: fields()}).WithDefaults(config).Decode(&s); err != nil {
		return Settings{}, fmt.Errorf("read MQTT settings: %w", err)
	}
	return s, nil
}

// Forms of settings.
var (
	hostForm   = regexp.MustCompile(`^[\p{L}\p{N}]([\p{L}\p{N}._-]*[\p{L}\p{N}])?$|^[0-9A-Fa-f:.]+$`)
	clientForm = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)
)

func check(config connector.Config) map[string]string {
	s, err := decode(config)
	if err != nil {
		return map[string]string{"payload": connector.ErrType}
	}
	problems := httpapi.CheckTrust(s.CA, s.Fingerprint)
	if !hostForm.MatchString(s.Host) {
		problems["host"] = errHost
	}
	if s.TLS == TLSPin && s.Fingerprint == "" {
		problems["certificate_sha256"] = errPin
	}
	if !clientForm.MatchString(s.ClientID) {
		problems["client_id"] = connector.ErrType
	}
	if strings.ContainsAny(s.Group, "/+#\x00") {
		problems["group"] = errGroup
	}
	if _, found := s.format(); len(found) > 0 {
		maps.Copy(problems, found)
	}
	return problems
}

// format returns the way to read payloads, or what is wrong with its settings.
func (s Settings) format() (format, map[string]string) {
	if s.Payload == Sparkplug {
		return sparkplug{group: s.Group}, nil
	}
	templates, err := parseTemplates(s.Topics)
	if err != nil {
		return nil, map[string]string{"topics": errTopics}
	}
	settings := s.Settings
	fromTopic := settings.Tag == "" && settings.Shape != jsonmap.Members
	if fromTopic {
		settings.FixedTag = "topic" // replaced by that of each message
	}
	mapper, problems := settings.Compile()
	if slices.ContainsFunc(templates, func(t template) bool { return t.tag < 0 }) && fromTopic {
		problems["topics"] = errTopics
	}
	return documents{templates: templates, mapper: mapper, fromTopic: fromTopic, timed: settings.Time != ""}, problems
}
