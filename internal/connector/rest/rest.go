// Package rest is the connector to any service that answers GET requests with
// JSON: laboratories, utilities, weather, historians behind a gateway. A path
// template says what to ask, JSONPath expressions say where the answer has its
// readings. It polls; where the template names a window it also fills gaps.
package rest

import (
	"fmt"
	"maps"
	"net"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/connector/jsonmap"
)

// Kind is the registered kind.
const Kind = "rest"

// Ways in which a source divides long answers.
const (
	PagingNone   = "none"
	PagingOffset = "offset" // {offset}: how many items to skip
	PagingPage   = "page"   // {page}: number of the page
	PagingCursor = "cursor" // {cursor}: a text from the answer before
	PagingLink   = "link"   // a link in the answer or in its Link header
)

// Settings are the configuration of a REST connector. Its JSON form is what
// Spec describes.
type Settings struct {
	Connection
	Mapping
	Path           string `json:"path"`
	WindowFormat   string `json:"window_format"`
	Paging         string `json:"paging"`
	PageSize       int    `json:"page_size,omitempty"`
	FirstPage      int    `json:"first_page"`
	Next           string `json:"next,omitempty"`
	OverlapSeconds int    `json:"overlap_seconds"`
	SampleHours    int    `json:"sample_hours"`
	TagsPath       string `json:"tags_path,omitempty"`
	TagsItems      string `json:"tags_items,omitempty"`
}

// Connection and Mapping are the parts of the settings that other kinds share.
type (
	Connection = httpapi.Settings
	Mapping    = jsonmap.Settings
)

// Message keys of what the check of settings finds.
const (
	ErrTemplate    = "connector.rest.error.template"    // a brace that holds no known name; says where
	ErrPath        = "connector.rest.error.path"        // no path of the source
	ErrWindow      = "connector.rest.error.window"      // {until} without {since}
	ErrPlaceholder = "connector.rest.error.placeholder" // the paging needs its name in the path
	ErrNext        = "connector.rest.error.next"        // the paging needs an expression
	ErrTags        = "connector.rest.error.tags"        // a list of tags without path or expression
	ErrAllTags     = "connector.rest.error.all_tags"    // a list of tags cannot depend on a tag
)

// Spec describes the settings.
func Spec() connector.Spec {
	field := func(key string, kind connector.FieldType) connector.Field {
		return connector.Field{Key: key, Type: kind, LabelKey: "connector.rest." + key + ".label", HelpKey: "connector.rest." + key + ".help"}
	}
	number := func(key string, low, high, standard float64) connector.Field {
		f := field(key, connector.Integer)
		f.Min, f.Max, f.Default = connector.Bound(low), connector.Bound(high), standard
		return f
	}
	path, window, paging, next := field("path", connector.Text), field("window_format", connector.Text), field("paging", connector.Choice), field("next", connector.Text)
	path.Required, path.Max = true, connector.Bound(1000)
	window.Default, window.Max = jsonmap.RFC3339, connector.Bound(60)
	paging.Enum, paging.Default = []string{PagingNone, PagingOffset, PagingPage, PagingCursor, PagingLink}, PagingNone
	size := number("page_size", 1, 100_000, 0)
	size.Default = nil
	own := []connector.Field{path, window, paging, size, number("first_page", 0, 1, 1), next, number("overlap_seconds", 0, 86_400, 120),
		number("sample_hours", 1, 24*31, 24), field("tags_path", connector.Text), field("tags_items", connector.Text)}
	fields := httpapi.Fields()
	fields = append(fields, own[0])
	fields = append(fields, jsonmap.Fields()...)
	fields = append(fields, own[1:]...)
	return connector.Spec{Kind: Kind, NameKey: "connector.rest.name", DescriptionKey: "connector.rest.description", Fields: fields, Check: check}
}

func init() { connector.Register(Spec(), open) }

// check adds what concerns the content of the settings.
func check(config connector.Config) map[string]string {
	problems := httpapi.CheckSettings(config)
	var settings Settings
	if err := Spec().WithDefaults(config).Decode(&settings); err != nil {
		problems["path"] = connector.KeyConfig
		return problems
	}
	_, found := settings.compile()
	maps.Copy(problems, found)
	return problems
}

// plan is what the settings ask for, compiled.
type plan struct {
	settings Settings
	path     template
	mapper   *jsonmap.Mapper
	window   jsonmap.Clock
	next     *jsonmap.Path
	tags     template
	tagItems *jsonmap.Path
}

// compile reads templates and expressions.
func (s Settings) compile() (plan, map[string]string) {
	p := plan{settings: s}
	problems := map[string]string{}
	note := func(field, problem string) {
		if problem != "" && problems[field] == "" {
			problems[field] = problem
		}
	}
	var problem, field string
	p.path, problem = parseTemplate(s.Path)
	note("path", problem)
	note("path", s.pathProblem(p.path))
	mapping := s.Mapping
	if p.path.has(varTag) && mapping.Tag == "" && mapping.FixedTag == "" && mapping.Shape != jsonmap.Members {
		mapping.FixedTag = varTag // every reading of the answer is that of the tag asked for
	}
	var found map[string]string
	p.mapper, found = mapping.Compile()
	maps.Copy(problems, found)
	if p.window, field, problem = jsonmap.NewClock(s.WindowFormat, s.Zone); field == "time_format" {
		note("window_format", problem)
	}
	p.next, problem = jsonmap.Compile(s.Next)
	note("next", problem)
	if s.Paging == PagingCursor && s.Next == "" {
		note("next", ErrNext)
	}
	if (s.TagsPath == "") != (s.TagsItems == "") {
		note("tags_path", ErrTags)
	} else if s.TagsPath != "" {
		p.tags, problem = parseTemplate(s.TagsPath)
		note("tags_path", problem)
		if len(p.tags.names) > 0 {
			note("tags_path", ErrAllTags)
		}
		p.tagItems, problem = jsonmap.Compile(s.TagsItems)
		note("tags_items", problem)
	}
	return p, problems
}

// pathProblem checks the names of a path against each other and the paging.
func (s Settings) pathProblem(path template) string {
	needed := map[string]string{PagingOffset: varOffset, PagingPage: varPage, PagingCursor: varCursor}
	switch {
	case path.has(varUntil) && !path.has(varSince):
		return ErrWindow
	case needed[s.Paging] != "" && !path.has(needed[s.Paging]):
		return ErrPlaceholder
	}
	return ""
}

// RESTConnector is an opened connection to a JSON service.
type RESTConnector struct {
	plan
	client *httpapi.Client
	now    func() time.Time
	most   int      // readings of one window
	listed *listing // tags of the source, once they have been asked for
}

// archive is a connector whose source can be asked for a window of the past.
type archive struct{ *RESTConnector }

var (
	_ connector.Tester     = (*RESTConnector)(nil)
	_ connector.Browser    = (*RESTConnector)(nil)
	_ connector.Poller     = (*RESTConnector)(nil)
	_ connector.Sampler    = (*RESTConnector)(nil)
	_ connector.Backfiller = archive{}
)

func open(config connector.Config, secrets connector.Secrets, dialer *net.Dialer) (connector.Connector, error) {
	var settings Settings
	if err := config.Decode(&settings); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	compiled, _ := settings.compile() // the spec has found no problem
	client, err := httpapi.New(settings.WithSecrets(secrets), dialer, nil)
	if err != nil {
		return nil, err
	}
	c := &RESTConnector{plan: compiled, client: client, now: time.Now, most: maxReadings}
	if compiled.path.has(varSince) && settings.Time != "" {
		return archive{c}, nil
	}
	return c, nil
}

// Kind returns the registered kind.
func (c *RESTConnector) Kind() string { return Kind }

// Close releases idle connections.
func (c *RESTConnector) Close() error {
	c.client.Close()
	return nil
}
