package web

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/integration"
)

// testStep is one line of a connection test.
type testStep struct {
	Label, Detail, Problem, Mend string
	Offered                      string // fingerprint of a certificate to accept
	Milliseconds                 float64
	OK                           bool
}

type testView struct {
	Steps   []testStep
	OK      bool
	Problem string // the test could not even begin
	ID      string // of a stored integration
	Pin     string // the setting that trusts a certificate; of a form, its field
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
	v := testView{Pin: integration.PinOf(kind)}
	if len(problems) > 0 {
		return s.testPart(w, r, v, nil, fault.New(fault.Invalid, connector.KeyConfig))
	}
	steps, err := s.integrations().TestDraft(r.Context(), access.From(r.Context()).TenantID, id, draft)
	return s.testPart(w, r, v, steps, err)
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
	v := testView{}
	if access.From(r.Context()).Can(access.ManageIntegrations) {
		v.ID = id.String()
	}
	return s.testPart(w, r, v, steps, err)
}

// testPart prints the outcome of a test: each step with its time, and for a
// failed one what happened and what to do.
func (s *Server) testPart(w http.ResponseWriter, r *http.Request, v testView, steps []connector.Step, err error) error {
	if fault.CodeOf(err) == fault.Internal && err != nil {
		return err
	}
	p := s.render.Page(r)
	v.OK = err == nil
	if err != nil {
		v.Problem = s.message(p, err)
	}
	for _, x := range steps {
		step := testStep{Label: p.T("integrations.step." + x.Name), Detail: x.Detail, Offered: x.Offered, OK: x.OK, Milliseconds: float64(x.Duration.Microseconds()) / 1000}
		if !x.OK {
			v.OK, step.Problem, step.Mend = false, s.faultText(p, x.Code), p.T("integrations.mend."+x.Name)
		}
		v.Steps = append(v.Steps, step)
	}
	p.Data = v
	s.render.RenderPart(w, r, http.StatusOK, "integrations/detail", "integration-test", p)
	return nil
}

// acceptCertificate trusts the certificate that a test has shown.
func (s *Server) acceptCertificate(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	if err := s.integrations().Accept(r.Context(), originOf(r), id, r.PostFormValue("fingerprint")); err != nil {
		return err
	}
	return s.redirect(w, r, "/integrations/"+id.String(), "integrations.toast.accepted")
}

// renewSecrets makes a new key pair or signing secret.
func (s *Server) renewSecrets(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	stored, err := s.integrations().Renew(r.Context(), originOf(r), id)
	if err != nil {
		return err
	}
	return s.afterStoring(w, r, stored, "integrations.toast.renewed")
}
