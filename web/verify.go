package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/auditchain"
	"github.com/optria-iq/optria/internal/dossier"
	"github.com/optria-iq/optria/internal/dossier/seal"
)

// Bounds of the public page: bytes of a file, and checks a minute from one
// address.
const (
	maxVerified     = 20 << 20
	verifyPerMinute = 20
)

func (s *Server) verifyRoutes() []route {
	return []route{
		{http.MethodGet, "/verify", access.Public, s.showVerify},
		{http.MethodGet, "/verify/keys", access.Public, s.showSealKeys},
		{http.MethodPost, "/verify", access.Public, limited(verifyPerMinute, time.Minute, s.tooManyChecks, s.verifyFile)},
	}
}

// verifyView is the page on which anybody checks a file.
type verifyView struct {
	KeyID, Key string
	Former     []string
	Error      string
	Outcome    *verifyOutcome
}

// verifyOutcome is what became of a file, in words.
type verifyOutcome struct {
	Tone, Title, Text string
	About             []verifyFact
	Live              []verifyLive
}

// verifyFact is one line of what a file says about itself.
type verifyFact struct {
	Label, Value string
	Tag          bool
}

// verifyLive is one comparison with the records of the reader's organisation.
type verifyLive struct {
	OK   bool
	Text string
}

// trustedKeys are the keys of this deployment: the current one first, then
// those that the configuration names as former.
func (s *Server) trustedKeys() (seal.Keys, error) {
	key, err := s.sealKey()
	if err != nil {
		return nil, err
	}
	return append(seal.Keys{key.Public()}, s.Config.SealKeys...), nil
}

func (s *Server) showVerify(w http.ResponseWriter, r *http.Request) error {
	return s.verifyPage(w, r, http.StatusOK, "", nil)
}

// sealKeyList is the answer of /verify/keys.
type sealKeyList struct {
	Keys []sealKeyEntry `json:"keys"`
}

type sealKeyEntry struct {
	ID  string `json:"id"`
	Key string `json:"key"`
}

// showSealKeys lists the public keys for programs, the current one first.
func (s *Server) showSealKeys(w http.ResponseWriter, _ *http.Request) error {
	keys, err := s.trustedKeys()
	if err != nil {
		return err
	}
	var list sealKeyList
	for _, k := range keys {
		list.Keys = append(list.Keys, sealKeyEntry{k.ID(), k.String()})
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(w).Encode(list); err != nil {
		return fmt.Errorf("send seal keys: %w", err)
	}
	return nil
}

// verifyPage prints the form, for somebody signed in inside the product.
func (s *Server) verifyPage(w http.ResponseWriter, r *http.Request, status int, failure string, outcome func(Page, seal.Keys) (*verifyOutcome, error)) error {
	keys, err := s.trustedKeys()
	if err != nil {
		return err
	}
	p := s.render.Page(r)
	p.Title = p.T("verify.title")
	if access.From(r.Context()).Can(access.SignedIn) {
		if p, err = s.page(r, "verify.title"); err != nil {
			return err
		}
	}
	v := verifyView{KeyID: keys[0].ID(), Key: keys[0].String()}
	for _, k := range keys[1:] {
		v.Former = append(v.Former, k.String())
	}
	if failure != "" {
		v.Error = p.T(failure)
	}
	if outcome != nil {
		if v.Outcome, err = outcome(p, keys); err != nil {
			return err
		}
	}
	p.Data = v
	s.render.Render(w, r, status, "public/verify", p)
	return nil
}

func (s *Server) tooManyChecks(w http.ResponseWriter, r *http.Request) {
	if err := s.verifyPage(w, r, http.StatusTooManyRequests, "verify.too_often", nil); err != nil {
		s.fail(w, r, err)
	}
}

// verifyFile checks an uploaded file in memory and keeps nothing of it.
func (s *Server) verifyFile(w http.ResponseWriter, r *http.Request) error {
	file, failure, err := uploadedFile(w, r)
	if err != nil {
		return err
	}
	if failure != "" {
		status := http.StatusUnprocessableEntity
		if failure == "verify.too_large" {
			status = http.StatusRequestEntityTooLarge
		}
		return s.verifyPage(w, r, status, failure, nil)
	}
	return s.verifyPage(w, r, http.StatusOK, "", func(p Page, keys seal.Keys) (*verifyOutcome, error) {
		if auditchain.IsExport(file) {
			return s.verifyExport(r, p, file, keys)
		}
		return s.verifySealed(r, p, file, keys)
	})
}

// uploadedFile reads the file of the form, or says with a message key why
// there is none to check.
func uploadedFile(w http.ResponseWriter, r *http.Request) (file []byte, failure string, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxVerified+64<<10)
	reader, err := r.MultipartReader()
	if err != nil {
		return nil, "verify.no_file", nil //nolint:nilerr // told to the person
	}
	for {
		part, err := reader.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil, "verify.no_file", nil
		case errors.As(err, new(*http.MaxBytesError)):
			return nil, "verify.too_large", nil
		case err != nil:
			return nil, "verify.no_file", nil //nolint:nilerr // a body that is no form holds no file
		case part.FormName() != "file":
			continue
		}
		file, err := io.ReadAll(io.LimitReader(part, maxVerified+1))
		switch {
		case errors.As(err, new(*http.MaxBytesError)), len(file) > maxVerified:
			return nil, "verify.too_large", nil
		case err != nil:
			return nil, "", fmt.Errorf("read upload: %w", err)
		case len(file) == 0:
			return nil, "verify.no_file", nil
		}
		return file, "", nil
	}
}

// verdictTones colours the outcomes.
var verdictTones = map[seal.Verdict]string{seal.Authentic: "ok", seal.Unconfirmed: "warn", seal.Altered: "bad", seal.Unsealed: "bad"}

// verifySealed checks a dossier.
func (s *Server) verifySealed(r *http.Request, p Page, file []byte, keys seal.Keys) (*verifyOutcome, error) {
	report := seal.Check(file, keys)
	v := &verifyOutcome{Tone: verdictTones[report.Verdict], Title: p.T("verify." + string(report.Verdict))}
	if report.Verdict == seal.Altered {
		v.Text = differenceText(p, *report.Difference)
		return v, nil
	}
	v.Text = p.T("verify." + string(report.Verdict) + ".text")
	if report.Seal == nil {
		return v, nil
	}
	subject, err := dossier.ReadSubject(*report.Seal)
	if err != nil {
		return v, nil //nolint:nilerr // whole, but sealed for another purpose: it says nothing more
	}
	v.About = []verifyFact{{p.T("verify.about.tenant"), subject.Tenant, true}, {p.T("verify.about.plan"), subject.Plan, true},
		{p.T("verify.about.version"), p.Loc().Int(subject.Version), false}, {p.T("verify.about.content"), subject.Content, true},
		{p.T("verify.about.created"), p.Loc().Minute(subject.CreatedAt), false}, {p.T("verify.about.key"), report.Seal.KeyID, true}}
	if report.Verdict == seal.Authentic {
		v.Live, err = s.compareDossier(r, p, file, subject)
	}
	return v, err
}

func differenceText(p Page, d seal.Difference) string {
	part := d.Part
	if key := "dossier.section." + d.Part; p.Loc().Has(key) {
		part = p.T(key)
	}
	if d.Exact {
		return p.T("verify.altered.exact", "Part", part, "From", d.From, "Want", fmt.Sprintf("%02x", d.Want), "Found", fmt.Sprintf("%02x", d.Found))
	}
	return p.T("verify.altered.range", "Part", part, "From", d.From, "To", d.To)
}

// verifyExport checks an audit export.
func (s *Server) verifyExport(r *http.Request, p Page, file []byte, keys seal.Keys) (*verifyOutcome, error) {
	report, err := auditchain.Check(bytes.NewReader(file), keys)
	if err != nil {
		return nil, fmt.Errorf("check audit export: %w", err)
	}
	v := &verifyOutcome{Tone: verdictTones[report.Verdict], Title: p.T("verify." + string(report.Verdict))}
	if report.Verdict == seal.Altered {
		reason := p.T("audit.break." + string(report.Break))
		if report.Day != "" {
			v.Text = p.T("verify.root", "Line", report.Line, "Day", report.Day, "Reason", reason)
		} else {
			v.Text = p.T("verify.row", "Line", report.Line, "Seq", report.Seq, "Reason", reason)
		}
		return v, nil
	}
	v.Text = p.T("verify." + string(report.Verdict) + ".text")
	v.About = []verifyFact{{p.T("verify.about.tenant"), report.Tenant.String(), true}, {p.T("verify.about.rows"), p.Loc().Int(int(report.Rows)), false},
		{p.T("verify.about.roots"), p.Loc().Int(report.Roots), false}, {p.T("verify.about.first"), p.Loc().Int(int(report.FirstSeq)), false},
		{p.T("verify.about.last"), fmt.Sprintf("%x", report.Last.Hash), true}, {p.T("verify.about.created"), p.Loc().Minute(report.CreatedAt), false},
		{p.T("verify.about.key"), report.KeyID, true}}
	if report.Verdict == seal.Authentic {
		v.Live, err = s.compareExport(r, p, report)
	}
	return v, err
}
