// Package webhook is the connector to sources that send their readings as they
// arise. Messages are signed after Standard Webhooks and hold JSON, a
// CloudEvents envelope in JSON, or a table in CSV.
package webhook

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"strings"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/csvfile"
	"github.com/optria-iq/optria/internal/connector/jsonmap"
	"github.com/optria-iq/optria/internal/fault"
)

// Kind is the registered kind.
const Kind = "webhook"

// MaxBody bounds one message.
const MaxBody = 256 << 10

// Media types that are taken.
const (
	JSON       = "application/json"
	CloudEvent = "application/cloudevents+json"
	CSV        = "text/csv"
)

// Settings are the configuration of a webhook. Its JSON form is what Spec
// describes.
type Settings struct {
	Mapping
	ToleranceSeconds int `json:"tolerance_seconds"`
}

// Mapping is the part of the settings that other kinds share.
type Mapping = jsonmap.Settings

// ErrSecret is the message key of a secret that cannot be one.
const ErrSecret = "connector.webhook.error.secret"

// Spec describes the settings. The signing secret is made here and shown once;
// while a sender moves to a new one, the previous one is taken as well.
func Spec() connector.Spec {
	field := func(key string, kind connector.FieldType) connector.Field {
		return connector.Field{Key: key, Type: kind, LabelKey: "connector.webhook." + key + ".label", HelpKey: "connector.webhook." + key + ".help"}
	}
	tolerance, current, previous := field("tolerance_seconds", connector.Integer), field(FieldSecret, connector.Password), field(FieldPrevious, connector.Password)
	tolerance.Min, tolerance.Max, tolerance.Default = connector.Bound(30), connector.Bound(900), 300.0
	current.Secret, current.Made, previous.Secret = true, true, true
	current.Max, previous.Max = connector.Bound(200), connector.Bound(200)
	return connector.Spec{Kind: Kind, NameKey: "connector.webhook.name", DescriptionKey: "connector.webhook.description",
		Fields: append(jsonmap.Fields(), tolerance, current, previous), Check: check, Generate: generate}
}

func init() { connector.Register(Spec(), open) }

// check adds what concerns the content of the settings.
func check(config connector.Config) map[string]string {
	var s Settings
	if err := Spec().WithDefaults(config).Decode(&s); err != nil {
		return map[string]string{"items": connector.KeyConfig}
	}
	_, problems := s.Compile()
	return problems
}

// generate makes the signing secret where there is none.
func generate(_ connector.Config, secrets connector.Secrets) error {
	if secrets[FieldSecret] == "" {
		secrets[FieldSecret] = NewSecret()
	}
	return nil
}

// WebhookConnector reads messages after its settings. It opens no connection.
type WebhookConnector struct {
	mapper *jsonmap.Mapper
	table  *csvfile.FileConnector
}

var _ connector.Receiver = (*WebhookConnector)(nil)

func open(config connector.Config, secrets connector.Secrets, _ *net.Dialer) (connector.Connector, error) {
	var s Settings
	if err := config.Decode(&s); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	if problem := checkSecrets(secrets); problem != "" {
		return nil, fault.New(fault.Invalid, ErrSecret).With("Field", problem)
	}
	mapper, _ := s.Compile() // the spec has found no problem
	return &WebhookConnector{mapper: mapper, table: csvfile.New(csvfile.Standard())}, nil
}

// Kind returns the registered kind.
func (c *WebhookConnector) Kind() string { return Kind }

// Close has nothing to release.
func (c *WebhookConnector) Close() error { return nil }

// Takes reports whether messages of a content type are read, whatever its
// parameters.
func Takes(contentType string) bool {
	switch media(contentType) {
	case JSON, CloudEvent, CSV:
		return true
	}
	return false
}

// IsJSON reports whether a content type is one of those in JSON.
func IsJSON(contentType string) bool { return Takes(contentType) && media(contentType) != CSV }

func media(contentType string) string {
	name, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return name
}

// Receive reads one message: JSON and CloudEvents by the mapping, whose
// expressions start at the envelope, and CSV by its standard columns.
func (c *WebhookConnector) Receive(ctx context.Context, message connector.Message) (connector.Received, error) {
	if err := ctx.Err(); err != nil {
		return connector.Received{}, err
	}
	kind := media(message.ContentType)
	if kind == CSV {
		return c.table.Receive(ctx, message)
	}
	document, err := jsonmap.Parse(message.Body)
	if err != nil {
		return connector.Received{}, err
	}
	if kind == CloudEvent {
		if document, err = event(document); err != nil {
			return connector.Received{}, err
		}
	}
	result := c.mapper.Map(document, message.ReceivedAt)
	return connector.Received{Readings: result.Readings, Refused: result.Refused}, nil
}

var errEvent = errors.New("not a CloudEvents envelope of version 1")

// event checks an envelope and unpacks data that travels in base64.
func event(document any) (any, error) {
	envelope, ok := document.(map[string]any)
	if !ok || !strings.HasPrefix(jsonmap.Text(envelope["specversion"]), "1.") {
		return nil, connector.Failed(connector.KeyProtocol, errEvent)
	}
	for _, needed := range []string{"id", "source", "type"} {
		if jsonmap.Text(envelope[needed]) == "" {
			return nil, connector.Failed(connector.KeyProtocol, errEvent)
		}
	}
	packed, ok := envelope["data_base64"].(string)
	if !ok {
		return envelope, nil
	}
	raw, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		return nil, connector.Failed(connector.KeyProtocol, fmt.Errorf("unpack data: %w", err))
	}
	if envelope["data"], err = jsonmap.Parse(raw); err != nil {
		return nil, err
	}
	return envelope, nil
}
