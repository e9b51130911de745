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

// nameBook finds the name of whatever a plan refers to, by id or by code:
// skills, technicians, shared resources, redundancy groups, embargoes, sites
// and assets.
type nameBook map[string]bothNames

func loadNames(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (nameBook, error) {
	b := nameBook{}
	skills, err := q.ListSkills(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	for _, x := range skills {
		b.add(x.ID, x.Code, x.NameAr, x.NameEn)
	}
	technicians, err := q.ListTechnicians(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	for _, x := range technicians {
		b.add(x.ID, "", x.NameAr, x.NameEn)
	}
	resources, err := q.ListSharedResources(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	for _, x := range resources {
		b.add(x.ID, x.Code, x.NameAr, x.NameEn)
	}
	sites, err := q.ListSites(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	for _, x := range sites {
		b.add(x.ID, x.Code, x.NameAr, x.NameEn)
	}
	groups, err := q.ListRedundancyGroups(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	for _, x := range groups {
		b.add(x.ID, "", x.NameAr, x.NameEn)
	}
	embargoes, err := q.ListEmbargoes(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	for _, x := range embargoes {
		b.add(x.ID, "", x.ReasonAr, x.ReasonEn)
	}
	return b, nil
}

func (b nameBook) add(id uuid.UUID, code, ar, en string) {
	b[id.String()] = bothNames{ar: ar, en: en}
	if code != "" {
		b[code] = bothNames{ar: ar, en: en}
	}
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
