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
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/simulate"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/integration"
)

// kindCard is one kind of source to choose from.
type kindCard struct {
	Href, Icon, Title, Text string
	Simulated               bool
}

// formField is one setting of the form, printed by its type.
type formField struct {
	Key, Type, Label, Help, Value, Err string
	Required, Checked, Kept            bool
	Options                            []choiceOption
}

type integrationForm struct {
	ID, Name, NameErr, Kind, KindName, Icon, Action string
	Simulated                                       bool
	Main, Advanced, Secrets                         []formField
	AdvancedOpen                                    bool
	Error                                           string
	Hidden                                          []choiceOption // settings that the choice of kind has fixed
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
	if flavour := r.URL.Query().Get("flavour"); spec.Kind == simulate.Kind && flavourIcons[flavour] != "" {
		draft.Config["flavour"] = flavour
	}
	return s.integrationFormPage(w, r, http.StatusOK, p, "/integrations/new", draft, nil, nil)
}

// kindCards lists the registered kinds, and as simulations the kinds of source
// whose own connector is not registered.
func kindCards(p Page) []kindCard {
	var out []kindCard
	for _, spec := range connector.Specs() {
		if spec.Kind != simulate.Kind {
			out = append(out, kindCard{Href: "/integrations/new?kind=" + spec.Kind, Icon: "plug", Title: p.T(spec.NameKey), Text: p.T(spec.DescriptionKey)})
		}
	}
	for _, flavour := range flavourOrder {
		if _, real := connector.Lookup(flavour); real {
			continue
		}
		out = append(out, kindCard{Href: "/integrations/new?kind=" + simulate.Kind + "&flavour=" + flavour, Icon: flavourIcons[flavour], Simulated: true,
			Title: p.T("connector.simulated.flavour." + flavour), Text: p.T("connector.simulated.flavour." + flavour + ".text")})
	}
	return out
}

// integrationFormPage prints the form of a draft; problems maps fields to
// message keys, kept names the credentials that are stored.
func (s *Server) integrationFormPage(w http.ResponseWriter, r *http.Request, status int, p Page, action string, d integration.Draft, problems map[string]string, kept map[string]bool) error {
	spec, ok := connector.Lookup(d.Kind)
	if !ok {
		return fault.New(fault.NotFound, connector.KeyUnknownKind)
	}
	v := integrationForm{ID: chi.URLParam(r, "id"), Name: d.Name, Kind: d.Kind, Action: action, Icon: "plug"}
	v.KindName, v.Simulated = kindName(p, d.Kind, d.Config)
	if problems["name"] != "" {
		v.NameErr = p.T(problems["name"])
	}
	if len(problems) > 0 {
		v.Error = p.T("integrations.error.form")
	}
	for _, f := range spec.Fields {
		field := newFormField(p, spec.Kind, f, d.Config[f.Key], problems[f.Key])
		field.Kept = kept[f.Key]
		switch {
		case f.Secret:
			v.Secrets = append(v.Secrets, field)
		case f.Key == "flavour" && spec.Kind == simulate.Kind && field.Err == "":
			v.Hidden, v.Icon = append(v.Hidden, choiceOption{f.Key, field.Value}), flavourIcons[field.Value]
		case f.Required:
			v.Main = append(v.Main, field)
		default:
			v.Advanced = append(v.Advanced, field)
			v.AdvancedOpen = v.AdvancedOpen || field.Err != ""
		}
	}
	p.Data = v
	s.render.Render(w, r, status, "integrations/form", p)
	return nil
}

func newFormField(p Page, kind string, f connector.Field, value any, problem string) formField {
	out := formField{Key: f.Key, Type: string(f.Type), Label: p.T(f.LabelKey), Help: p.T(f.HelpKey), Required: f.Required}
	if problem != "" {
		key, args := connector.SplitProblem(problem)
		out.Err = p.T(key, args...)
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
		out.Options = append(out.Options, choiceOption{choice, p.T("connector." + kind + "." + f.Key + "." + choice)})
	}
	return out
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
	id, queued, err := s.integrations().Create(r.Context(), originOf(r), draft)
	if fault.CodeOf(err) == fault.Conflict && err != nil {
		return s.integrationFormPage(w, r, http.StatusUnprocessableEntity, p, "/integrations/new", draft, map[string]string{"name": integration.KeyNameTaken}, nil)
	}
	if err != nil {
		return err
	}
	toast := "integrations.toast.created"
	if queued {
		toast = "integrations.toast.queued"
	}
	return s.redirect(w, r, "/integrations/"+id.String(), toast)
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
	err = s.integrations().Update(r.Context(), originOf(r), id, draft)
	if fault.CodeOf(err) == fault.Conflict && err != nil {
		return s.integrationFormPage(w, r, http.StatusUnprocessableEntity, p, r.URL.Path, draft, map[string]string{"name": integration.KeyNameTaken}, kept)
	}
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/integrations/"+id.String(), "integrations.toast.saved")
}

// testStep is one line of a connection test.
type testStep struct {
	Label, Detail, Problem, Mend string
	Milliseconds                 float64
	OK                           bool
}

type testView struct {
	Steps    []testStep
	OK       bool
	Problem  string // the test could not even begin
	Problems []string
}

// testDraft tries the settings of a form before they are saved.
func (s *Server) testDraft(w http.ResponseWriter, r *http.Request) error {
	var id *uuid.UUID
	kind := r.PostFormValue("kind")
	if text := r.PostFormValue("id"); text != "" {
		known, err := uuid.Parse(text)
		if err != nil {
			return fault.New(fault.NotFound, "error.404.text")
		}
		id = &known
	}
	draft, problems := readDraft(r, kind)
	if len(problems) > 0 {
		return s.testPart(w, r, nil, fault.New(fault.Invalid, connector.KeyConfig))
	}
	steps, err := s.integrations().TestDraft(r.Context(), access.From(r.Context()).TenantID, id, draft)
	return s.testPart(w, r, steps, err)
}

// testIntegration tries the stored settings.
func (s *Server) testIntegration(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	steps, err := s.integrations().Test(r.Context(), access.From(r.Context()).TenantID, id)
	if fault.CodeOf(err) == fault.NotFound && err != nil {
		return err
	}
	return s.testPart(w, r, steps, err)
}

// testPart prints the outcome of a test: each step with its time, and for a
// failed one what happened and what to do.
func (s *Server) testPart(w http.ResponseWriter, r *http.Request, steps []connector.Step, err error) error {
	if fault.CodeOf(err) == fault.Internal && err != nil {
		return err
	}
	p := s.render.Page(r)
	v := testView{OK: err == nil}
	if err != nil {
		v.Problem = s.message(p, err)
	}
	for _, x := range steps {
		step := testStep{Label: p.T("integrations.step." + x.Name), Detail: x.Detail, OK: x.OK, Milliseconds: float64(x.Duration.Microseconds()) / 1000}
		if !x.OK {
			v.OK, step.Problem, step.Mend = false, s.faultText(p, x.Code), p.T("integrations.mend."+x.Name)
		}
		v.Steps = append(v.Steps, step)
	}
	p.Data = v
	s.render.RenderPart(w, r, http.StatusOK, "integrations/detail", "integration-test", p)
	return nil
}
