package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/simulate"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/integration"
)

// kindCard is one kind of source to choose from.
type kindCard struct {
	Href, Icon, Title, Text string
}

// kindView lists the kinds that reach a real system beside those that only
// behave like one.
type kindView struct{ Real, Simulated []kindCard }

// formField is one setting of the form, printed by its type.
type formField struct {
	Key, Type, Label, Help, Value, Err string
	Required, Checked, Lines           bool
	Kept, Forget                       bool // a credential that is stored, and whether it may be taken away
	Options                            []choiceOption
}

// fieldGroup is one section of the form.
type fieldGroup struct {
	Name, Title, Text string
	Fields            []formField
	Folded, Open      bool
}

type integrationForm struct {
	ID, Name, NameErr, Kind, KindName, Icon, Action string
	Simulated                                       bool
	Groups                                          []fieldGroup
	Error                                           string
	Hidden                                          []choiceOption // settings that the choice of kind has fixed
	Made                                            []madeField
	Makes                                           bool // what is made comes into being when the form is saved
}

// flavourOrder is the order of the kinds of sources on the page.
var flavourOrder = []string{"opcua", "piwebapi", "sap", "oracleeam", "sql", "rest"}

// newIntegration lets the reader choose a kind, then shows its form.
func (s *Server) newIntegration(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "integrations.new")
	if err != nil {
		return err
	}
	p.Crumbs = []Crumb{{Href: "/integrations", Label: p.T("integrations.title")}, {Label: p.Title}}
	spec, ok := connector.Lookup(r.URL.Query().Get("kind"))
	if !ok {
		p.Data = kindCards(p)
		s.render.Render(w, r, http.StatusOK, "integrations/kinds", p)
		return nil
	}
	draft := integration.Draft{Kind: spec.Kind, Config: spec.WithDefaults(connector.Config{})}
	if flavour := r.URL.Query().Get("flavour"); spec.Kind == simulate.Kind && kindIcons[flavour] != "" {
		draft.Config["flavour"] = flavour
	}
	return s.integrationFormPage(w, r, http.StatusOK, p, "/integrations/new", draft, nil, nil)
}

// kindCards lists the registered kinds, and the kinds that can be simulated.
func kindCards(p Page) kindView {
	var v kindView
	for _, spec := range connector.Specs() {
		if spec.Kind == simulate.Kind {
			continue
		}
		icon := "plug"
		if kindIcons[spec.Kind] != "" {
			icon = kindIcons[spec.Kind]
		}
		v.Real = append(v.Real, kindCard{Href: "/integrations/new?kind=" + spec.Kind, Icon: icon, Title: p.T(spec.NameKey), Text: p.T(spec.DescriptionKey)})
	}
	for _, flavour := range flavourOrder {
		v.Simulated = append(v.Simulated, kindCard{Href: "/integrations/new?kind=" + simulate.Kind + "&flavour=" + flavour, Icon: kindIcons[flavour],
			Title: p.T("connector.simulated.flavour." + flavour), Text: p.T("connector.simulated.flavour." + flavour + ".text")})
	}
	return v
}

// integrationFormPage prints the form of a draft; problems maps fields to
// message keys, kept names the credentials that are stored.
func (s *Server) integrationFormPage(w http.ResponseWriter, r *http.Request, status int, p Page, action string, d integration.Draft, problems map[string]string, kept map[string]bool) error {
	spec, ok := connector.Lookup(d.Kind)
	if !ok {
		return fault.New(fault.NotFound, connector.KeyUnknownKind)
	}
	v := integrationForm{ID: chi.URLParam(r, "id"), Name: d.Name, Kind: d.Kind, Action: action, Icon: "plug", Makes: integration.Makes(d.Kind)}
	v.KindName, v.Simulated = kindName(p, d.Kind, d.Config)
	if problems["name"] != "" {
		v.NameErr = p.T(problems["name"])
	}
	if len(problems) > 0 {
		v.Error = p.T("integrations.error.form")
	}
	v.Made = madeFields(p, v.ID, spec, d.Config)
	groups := map[string]*fieldGroup{}
	for _, f := range spec.Fields {
		if f.Made {
			continue
		}
		field := newFormField(p, spec.Kind, f, d.Config[f.Key], problems[f.Key])
		field.Kept = kept[f.Key]
		field.Forget = field.Kept && !f.Required
		if f.Key == "flavour" && spec.Kind == simulate.Kind && field.Err == "" {
			v.Hidden, v.Icon = append(v.Hidden, choiceOption{f.Key, field.Value}), kindIcons[field.Value]
			continue
		}
		name := groupOf(spec.Kind, f)
		if groups[name] == nil {
			groups[name] = &fieldGroup{Name: name, Folded: name == groupAdvanced}
		}
		groups[name].Fields = append(groups[name].Fields, field)
		groups[name].Open = groups[name].Open || field.Err != ""
	}
	for _, name := range groupOrder {
		if g := groups[name]; g != nil {
			g.Title = p.T("integrations.form." + name)
			if name == groupCredentials {
				g.Text = p.T("integrations.form.credentials.text")
			}
			v.Groups = append(v.Groups, *g)
		}
	}
	p.Data = v
	s.render.Render(w, r, status, "integrations/form", p)
	return nil
}

func newFormField(p Page, kind string, f connector.Field, value any, problem string) formField {
	out := formField{Key: f.Key, Type: string(f.Type), Label: p.T(f.LabelKey), Help: p.T(f.HelpKey), Required: f.Required, Lines: f.Lines}
	if f.Secret {
		out.Type = "secret"
	}
	if problem != "" {
		out.Err = p.T(problem)
	}
	switch x := value.(type) {
	case nil:
	case string:
		out.Value = x
	case bool:
		out.Checked = x
	case float64:
		out.Value = strconv.FormatFloat(x, 'f', -1, 64)
	default:
		if raw, err := json.MarshalIndent(x, "", "  "); err == nil {
			out.Value = string(raw)
		}
	}
	for _, choice := range f.Enum {
		out.Options = append(out.Options, choiceOption{choice, choiceLabel(p, kind, f.Key, choice)})
	}
	return out
}

// choiceLabel names a value of a choice: in words where there are some, else as
// the standard spells it, such as a security policy.
func choiceLabel(p Page, kind, field, choice string) string {
	for _, key := range []string{"connector." + kind + "." + field + "." + choice, "connector.http." + field + "." + choice} {
		if p.Loc().Has(key) {
			return p.T(key)
		}
	}
	return choice
}

// readDraft reads a form. Settings that cannot be read come back as problems;
// credentials left empty are not touched.
func readDraft(r *http.Request, kind string) (integration.Draft, map[string]string) {
	d := integration.Draft{Kind: kind, Name: r.PostFormValue("name")}
	spec, ok := connector.Lookup(kind)
	if !ok {
		return d, map[string]string{"kind": connector.KeyUnknownKind}
	}
	form := map[string]string{}
	for _, f := range spec.Fields {
		form[f.Key] = r.PostFormValue("c_" + f.Key)
	}
	var problems map[string]string
	d.Config, d.Secrets, problems = spec.Parse(form)
	for key := range problems {
		d.Config[key] = form[key] // shown again as it was typed
	}
	for _, f := range spec.Fields {
		switch {
		case f.Made: // nobody enters it
			delete(d.Config, f.Key)
			delete(d.Secrets, f.Key)
		case f.Secret && r.PostFormValue("forget_"+f.Key) == "on" && d.Secrets[f.Key] == "":
			d.Forget = append(d.Forget, f.Key)
		}
	}
	return d, problems
}

// checked merges what reading and checking found.
func checked(d integration.Draft, problems map[string]string, kept map[string]bool) map[string]string {
	for key, text := range d.Check(kept) {
		if problems[key] == "" {
			problems[key] = text
		}
	}
	return problems
}

func (s *Server) createIntegration(w http.ResponseWriter, r *http.Request) error {
	draft, problems := readDraft(r, r.PostFormValue("kind"))
	problems = checked(draft, problems, nil)
	p, err := s.page(r, "integrations.new")
	if err != nil {
		return err
	}
	p.Crumbs = []Crumb{{Href: "/integrations", Label: p.T("integrations.title")}, {Label: p.Title}}
	if len(problems) > 0 {
		return s.integrationFormPage(w, r, http.StatusUnprocessableEntity, p, "/integrations/new", draft, problems, nil)
	}
	stored, err := s.integrations().Create(r.Context(), originOf(r), draft)
	if fault.CodeOf(err) == fault.Conflict && err != nil {
		return s.integrationFormPage(w, r, http.StatusUnprocessableEntity, p, "/integrations/new", draft, map[string]string{"name": integration.KeyNameTaken}, nil)
	}
	if err != nil {
		return err
	}
	toast := "integrations.toast.created"
	if stored.Queued {
		toast = "integrations.toast.queued"
	}
	return s.afterStoring(w, r, stored, toast)
}

// afterStoring goes on to the page of an integration. Secrets that the product
// has made are shown on the answer itself, this once.
func (s *Server) afterStoring(w http.ResponseWriter, r *http.Request, stored integration.Stored, toast string) error {
	if len(stored.Shown) > 0 {
		return s.detailPage(w, r, stored.ID, stored.Shown)
	}
	return s.redirect(w, r, "/integrations/"+stored.ID.String(), toast)
}

// storedDraft reads an integration for its form, with the names of the
// credentials that are kept.
func (s *Server) storedDraft(r *http.Request) (id uuid.UUID, d integration.Draft, kept map[string]bool, err error) {
	if id, err = pathUUID(r, "id"); err != nil {
		return id, d, nil, err
	}
	kept = map[string]bool{}
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		found, err := q.GetIntegration(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		d.Name, d.Kind = found.Name, found.Kind
		if d.Config, err = integration.Settings(found); err != nil {
			return err
		}
		fields, err := q.ListCredentialFields(ctx, tx, tenant, id)
		for _, f := range fields {
			kept[f.Field] = true
		}
		return err
	})
	return id, d, kept, err
}

func (s *Server) editPage(r *http.Request, id uuid.UUID, name string) (Page, error) {
	p, err := s.page(r, "integrations.edit")
	p.Crumbs = []Crumb{{Href: "/integrations", Label: p.T("integrations.title")}, {Href: "/integrations/" + id.String(), Label: name}, {Label: p.Title}}
	return p, err
}

func (s *Server) editIntegration(w http.ResponseWriter, r *http.Request) error {
	id, draft, kept, err := s.storedDraft(r)
	if err != nil {
		return err
	}
	p, err := s.editPage(r, id, draft.Name)
	if err != nil {
		return err
	}
	return s.integrationFormPage(w, r, http.StatusOK, p, r.URL.Path, draft, nil, kept)
}

func (s *Server) updateIntegration(w http.ResponseWriter, r *http.Request) error {
	id, stored, kept, err := s.storedDraft(r)
	if err != nil {
		return err
	}
	draft, problems := readDraft(r, stored.Kind)
	problems = checked(draft, problems, kept)
	p, err := s.editPage(r, id, stored.Name)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return s.integrationFormPage(w, r, http.StatusUnprocessableEntity, p, r.URL.Path, draft, problems, kept)
	}
	changed, err := s.integrations().Update(r.Context(), originOf(r), id, draft)
	if fault.CodeOf(err) == fault.Conflict && err != nil {
		return s.integrationFormPage(w, r, http.StatusUnprocessableEntity, p, r.URL.Path, draft, map[string]string{"name": integration.KeyNameTaken}, kept)
	}
	if err != nil {
		return err
	}
	return s.afterStoring(w, r, changed, "integrations.toast.saved")
}
