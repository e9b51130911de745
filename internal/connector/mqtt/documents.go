package mqtt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/jsonmap"
)

// Bounds of topic templates.
const (
	maxTemplates  = 20
	longestTopic  = 400
	maxDocuments  = 1_000_000 // tags that one session keeps the last value of
	maxDocument   = 4 << 20   // bytes of one JSON document
	tagName       = "{tag}"
	tagSeparation = "."
)

// template is a topic in which {tag} stands for the level that names the tag.
// Other levels may be the wildcards + and, at the end, #.
type template struct {
	levels []string
	tag    int // index of {tag}, -1 without it
}

// parseTemplates reads templates divided by commas or lines.
func parseTemplates(text string) ([]template, error) {
	var all []template
	for topic := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		topic = strings.TrimSpace(topic)
		if topic == "" {
			continue
		}
		t, err := parseTemplate(topic)
		if err != nil {
			return nil, fmt.Errorf("topic %q: %w", topic, err)
		}
		all = append(all, t)
	}
	if len(all) == 0 || len(all) > maxTemplates {
		return nil, fmt.Errorf("%d topics, expected 1 to %d", len(all), maxTemplates)
	}
	return all, nil
}

func parseTemplate(topic string) (template, error) {
	t := template{levels: strings.Split(topic, "/"), tag: -1}
	if len(topic) > longestTopic || strings.HasPrefix(topic, "$") || strings.ContainsRune(topic, 0) {
		return t, errors.New("too long or not for applications")
	}
	for i, level := range t.levels {
		switch {
		case level == tagName && t.tag < 0:
			t.tag = i
		case level == "+", level == "#" && i == len(t.levels)-1:
		case strings.ContainsAny(level, "+#{}"):
			return t, fmt.Errorf("the level %q is malformed", level)
		}
	}
	return t, nil
}

// filter is the subscription of the template.
func (t template) filter() string {
	levels := slices.Clone(t.levels)
	if t.tag >= 0 {
		levels[t.tag] = "+"
	}
	return strings.Join(levels, "/")
}

// match reports whether a topic is one of the template, and the tag in it.
func (t template) match(topic string) (tag string, ok bool) {
	levels := strings.Split(topic, "/")
	for i, level := range t.levels {
		switch {
		case level == "#":
			return tag, true
		case i >= len(levels):
			return "", false
		case i == t.tag:
			tag = levels[i]
		case level != "+" && level != levels[i]:
			return "", false
		}
	}
	return tag, len(levels) == len(t.levels)
}

// documents is the format of JSON payloads.
type documents struct {
	templates []template
	mapper    *jsonmap.Mapper
	fromTopic bool // the topic is the tag; otherwise the document names it
	timed     bool // the document has a time
}

func (d documents) filters() []string {
	filters := make([]string, len(d.templates))
	for i, t := range d.templates {
		filters[i] = t.filter()
	}
	slices.Sort(filters)
	return slices.Compact(filters)
}

func (d documents) newReader(wanted map[string]bool) reader {
	return &documentReader{documents: d, wanted: wanted, known: map[string]*metric{}}
}

// documentReader reads JSON documents.
type documentReader struct {
	documents
	wanted map[string]bool
	known  map[string]*metric
}

// read maps one document. A retained message without a time of its own says
// nothing about when its value was measured: it is known, but not delivered.
func (r *documentReader) read(m message) outcome {
	at := slices.IndexFunc(r.templates, func(t template) bool { _, ok := t.match(m.topic); return ok })
	if at < 0 || len(m.payload) == 0 {
		return outcome{}
	}
	topicTag, _ := r.templates[at].match(m.topic)
	if len(m.payload) > maxDocument {
		return note(noticeMalformed, m.at, limited(m.topic))
	}
	document, err := jsonmap.Parse(m.payload)
	if err != nil {
		return note(noticeMalformed, m.at, limited(m.topic))
	}
	result := r.mapper.Map(document, m.at)
	var out outcome
	for _, reading := range result.Readings {
		reading.ExternalTag = r.address(topicTag, reading.ExternalTag)
		if len(reading.ExternalTag) > longestName {
			continue
		}
		r.keep(reading, m.topic)
		if (r.wanted == nil || r.wanted[reading.ExternalTag]) && (r.timed || !m.retained) {
			out.readings = append(out.readings, reading)
		}
	}
	r.refuse(&out, result.Refused, topicTag, m)
	return out
}

// refuse names what the mapping could not read.
func (r *documentReader) refuse(out *outcome, refused []connector.Refusal, topicTag string, m message) {
	for _, refusal := range refused {
		key, tag := noticeMalformed, limited(m.topic)
		if refusal.Key == jsonmap.RefusedNumeric {
			key, tag = connector.NoticeNotNumeric, r.address(topicTag, refusal.Value)
		}
		if key == noticeMalformed || r.wanted == nil || r.wanted[tag] {
			out.notices = append(out.notices, connector.Notice{Time: m.at, Key: key, Tags: []string{tag}})
		}
	}
}

// address is the external tag: that of the topic, that of the document, or
// both with a dot between them.
func (r *documentReader) address(topicTag, tag string) string {
	switch {
	case r.fromTopic:
		return topicTag
	case topicTag == "":
		return tag
	}
	return topicTag + tagSeparation + tag
}

func (r *documentReader) keep(reading connector.Reading, topic string) {
	known := r.known[reading.ExternalTag]
	if known == nil {
		if len(r.known) >= maxDocuments {
			return
		}
		known = &metric{address: reading.ExternalTag, name: reading.ExternalTag, node: topic, unit: reading.Unit, numeric: true}
		r.known[reading.ExternalTag] = known
	}
	if !reading.Time.Before(known.last.Time) {
		known.last = reading
	}
}

// overdue has nothing to give up: no document waits.
func (r *documentReader) overdue(time.Time) outcome { return outcome{} }

func (r *documentReader) metrics() []*metric {
	all := make([]*metric, 0, len(r.known))
	for _, m := range r.known {
		all = append(all, m)
	}
	return all
}

func (r *documentReader) count() int { return len(r.known) }

func limited(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), longestName)], "")
}
