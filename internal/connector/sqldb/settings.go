package sqldb

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
)

// Kind is the registered kind of the SQL connector.
const Kind = "sql"

// Names of the dialects.
const (
	PostgreSQL = "postgresql"
	MySQL      = "mysql"
	MariaDB    = "mariadb"
	SQLServer  = "sqlserver"
	Oracle     = "oracle"
)

// Ways to secure the connection.
const (
	TLSOff    = "off"    // to private and loopback addresses only
	TLSVerify = "verify" // the chain is checked, against the given authority if there is one
	TLSPin    = "pin"    // the certificate has to have the given fingerprint
)

// What the readings come from.
const (
	ModeTable = "table"
	ModeQuery = "query"
)

// Presets turn the connector into a reader of a known application.
const (
	PresetNone = "none"
	PresetEBS  = "oracle_ebs" // Oracle E-Business Suite Enterprise Asset Management
)

// How the time columns hold an instant.
const (
	TimesNative       = "native"        // a date and time type
	TimesSeconds      = "epoch_seconds" // a number of seconds since 1970
	TimesMilliseconds = "epoch_milliseconds"
)

// Settings are the configuration of a SQL connector. Its JSON form is what
// Spec describes.
type Settings struct {
	Dialect     string `json:"dialect"`
	Host        string `json:"host"`
	Port        int    `json:"port"`
	Database    string `json:"database"`
	User        string `json:"user"`
	TLS         string `json:"tls"`
	Fingerprint string `json:"certificate_sha256,omitempty"`
	CA          string `json:"ca_certificate,omitempty"`

	Preset     string `json:"preset"`
	AssetsView string `json:"assets_view,omitempty"`
	OrdersView string `json:"orders_view,omitempty"`

	Mode          string         `json:"mode"`
	Table         string         `json:"table,omitempty"`
	Query         string         `json:"query,omitempty"`
	TagColumn     string         `json:"tag_column,omitempty"`
	TimeColumn    string         `json:"time_column,omitempty"`
	ValueColumns  string         `json:"value_columns,omitempty"`
	QualityColumn string         `json:"quality_column,omitempty"`
	UnitColumn    string         `json:"unit_column,omitempty"`
	OrderColumn   string         `json:"order_column,omitempty"`
	TagsTable     string         `json:"tags_table,omitempty"`
	TimeFormat    string         `json:"time_format"`
	TimeZone      string         `json:"time_zone"`
	QualityCodes  map[string]any `json:"quality_codes,omitempty"`

	OverlapSeconds float64 `json:"overlap_seconds"`
	SettleSeconds  float64 `json:"settle_seconds"`
	RowLimit       int     `json:"row_limit"`
	TimeoutSeconds float64 `json:"statement_timeout_seconds"`

	password string
}

// Message keys of what the check of the settings finds.
const (
	errIdentifier = "connector.sql.error.identifier"
	errColumns    = "connector.sql.error.columns"
	errQuery      = "connector.sql.error.query"
	errZone       = "connector.sql.error.time_zone"
	errQuality    = "connector.sql.error.quality_codes"
	errPin        = "connector.sql.error.pin"
	errHost       = "connector.sql.error.host"
)

// Spec describes the settings.
func Spec() connector.Spec {
	return connector.Spec{Kind: Kind, NameKey: "connector.sql.name", DescriptionKey: "connector.sql.description",
		Fields: append(connectionFields(), readingFields()...), Check: check}
}

func field(key string, kind connector.FieldType) connector.Field {
	return connector.Field{Key: key, Type: kind, LabelKey: "connector.sql." + key + ".label", HelpKey: "connector.sql." + key + ".help"}
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

func required(f connector.Field) connector.Field {
	f.Required = true
	return f
}

func connectionFields() []connector.Field {
	port := field("port", connector.Integer)
	port.Min, port.Max = connector.Bound(1), connector.Bound(65535)
	password := field("password", connector.Password)
	password.Secret, password.Max = true, connector.Bound(512)
	fields := []connector.Field{
		required(choice("dialect", PostgreSQL, PostgreSQL, MySQL, MariaDB, SQLServer, Oracle)),
		required(text("host", 253)), port, required(text("database", 128)), required(text("user", 128)), password,
		choice("tls", TLSVerify, TLSVerify, TLSPin, TLSOff),
	}
	return append(fields, httpapi.TrustFields()...)
}

func readingFields() []connector.Field {
	query := text("query", maxQuery)
	query.Lines = true
	return []connector.Field{
		choice("preset", PresetNone, PresetNone, PresetEBS), text("assets_view", 400), text("orders_view", 400),
		choice("mode", ModeTable, ModeTable, ModeQuery), text("table", 400), query,
		text("tag_column", 128), text("time_column", 128), text("value_columns", 4096), text("quality_column", 128),
		text("unit_column", 128), text("order_column", 128), text("tags_table", 400),
		choice("time_format", TimesNative, TimesNative, TimesSeconds, TimesMilliseconds), text("time_zone", 64), field("quality_codes", connector.Object),
		bounded("overlap_seconds", connector.Number, 10, 0, 86400), bounded("settle_seconds", connector.Number, 0, 0, 3600),
		bounded("row_limit", connector.Integer, 10_000, 1, 200_000), bounded("statement_timeout_seconds", connector.Number, 30, 1, 600),
	}
}

// maxQuery bounds the text of a query, in characters.
const maxQuery = 16_384

// hostForm accepts names and addresses, not URLs and not paths of sockets.
var hostForm = regexp.MustCompile(`^[\p{L}\p{N}]([\p{L}\p{N}._-]*[\p{L}\p{N}])?$|^[0-9A-Fa-f:.]+$`)

func check(config connector.Config) map[string]string {
	s, err := decode(config)
	if err != nil {
		return map[string]string{"quality_codes": errQuality}
	}
	problems := httpapi.CheckTrust(s.CA, s.Fingerprint)
	if !hostForm.MatchString(s.Host) {
		problems["host"] = errHost
	}
	if s.TLS == TLSPin && s.Fingerprint == "" {
		problems["certificate_sha256"] = errPin
	}
	if _, err := time.LoadLocation(s.TimeZone); err != nil {
		problems["time_zone"] = errZone
	}
	if _, err := qualityCodes(s.QualityCodes); err != nil {
		problems["quality_codes"] = errQuality
	}
	if s.Preset == PresetEBS {
		checkTables(problems, map[string]string{"assets_view": s.assetsView(), "orders_view": s.ordersView()})
		return problems
	}
	s.checkReadings(problems)
	return problems
}

func checkTables(problems map[string]string, tables map[string]string) {
	for key, name := range tables {
		if _, err := parseTable(name); err != nil {
			problems[key] = errIdentifier
		}
	}
}

// checkReadings checks where the readings come from.
func (s Settings) checkReadings(problems map[string]string) {
	if s.Mode == ModeQuery {
		if _, err := parseQuery(dialectOf(s.Dialect), s.Query); err != nil {
			problems["query"] = errQuery
		}
	} else {
		checkTables(problems, map[string]string{"table": s.Table})
	}
	if s.TagsTable != "" {
		checkTables(problems, map[string]string{"tags_table": s.TagsTable})
	}
	for key, name := range map[string]string{"tag_column": s.TagColumn, "quality_column": s.QualityColumn, "unit_column": s.UnitColumn, "order_column": s.OrderColumn} {
		if name != "" && !identifier.MatchString(name) {
			problems[key] = errIdentifier
		}
	}
	if !identifier.MatchString(s.TimeColumn) {
		problems["time_column"] = errIdentifier
	}
	if columns, err := s.valueColumns(); err != nil || len(columns) > 1 && s.TagColumn != "" {
		problems["value_columns"] = errColumns
	}
}

// decode reads settings, with the defaults of the spec where they are absent.
func decode(config connector.Config) (Settings, error) {
	defaults := connector.Spec{Fields: append(connectionFields(), readingFields()...)}
	var s Settings
	if err := defaults.WithDefaults(config).Decode(&s); err != nil {
		return Settings{}, fmt.Errorf("read SQL settings: %w", err)
	}
	if s.Port == 0 {
		s.Port = dialectOf(s.Dialect).port
	}
	return s, nil
}

// maxColumns bounds the value columns of a table in wide form.
const maxColumns = 500

// valueColumns are the columns that hold values: one beside a tag column, or
// several that are tags themselves.
func (s Settings) valueColumns() ([]string, error) {
	var columns []string
	seen := map[string]bool{}
	for _, name := range strings.FieldsFunc(s.ValueColumns, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' }) {
		if !identifier.MatchString(name) || seen[name] {
			return nil, fmt.Errorf("column %q is malformed or named twice", name)
		}
		seen[name] = true
		columns = append(columns, name)
	}
	if len(columns) == 0 || len(columns) > maxColumns {
		return nil, fmt.Errorf("%d value columns, expected 1 to %d", len(columns), maxColumns)
	}
	return columns, nil
}

func (s Settings) timeout() time.Duration { return seconds(s.TimeoutSeconds) }
func (s Settings) overlap() time.Duration { return seconds(s.OverlapSeconds) }
func (s Settings) settle() time.Duration  { return seconds(s.SettleSeconds) }

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
