package web

import (
	"context"
	"html/template"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
)

// bothNames is a name in both languages; that of an asset is its tag.
type bothNames struct {
	ar, en string
	tag    bool
}

// nameBook finds the name of whatever a plan refers to, by id or by code.
type nameBook map[string]bothNames

func loadNames(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (nameBook, error) {
	rows, err := q.PlanNames(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	b := nameBook{}
	for _, x := range rows {
		b[x.Ref] = bothNames{ar: x.NameAr, en: x.NameEn}
	}
	return b, nil
}

func (b nameBook) addTag(id uuid.UUID, tag string) {
	b[id.String()] = bothNames{ar: tag, en: tag, tag: true}
}

// find looks a reference up. A reference may carry its kind in front, as in
// "skill:rotating", or a detail behind, as in the year of an embargo.
func (b nameBook) find(lang, ref string) (name string, isTag, ok bool) {
	candidates := append([]string{ref}, strings.FieldsFunc(ref, func(r rune) bool { return r == ':' || r == '/' || r == '@' })...)
	for _, c := range candidates {
		if n, ok := b[c]; ok {
			return localName(lang, n.ar, n.en), n.tag, true
		}
	}
	return "", false, false
}

// plain names a reference for text without markup.
func (b nameBook) plain(lang, ref string) string {
	if name, _, ok := b.find(lang, ref); ok {
		return name
	}
	return ref
}

// markup names a reference for a page: a reference without a name is printed
// as an identifier.
func (b nameBook) markup(lang, ref string) template.HTML {
	if name, isTag, ok := b.find(lang, ref); ok && isTag {
		return tag(name)
	} else if ok {
		return template.HTML(template.HTMLEscapeString(name)) //nolint:gosec // escaped
	}
	return tag(ref)
}
