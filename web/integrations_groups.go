package web

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/connector/httpapi"
	"github.com/optria-iq/optria/internal/connector/simulate"
	"github.com/optria-iq/optria/web/integration"
)

// Groups of settings, in the order of the form.
const (
	groupConnection  = "connection"
	groupSecurity    = "security"
	groupCredentials = "credentials"
	groupData        = "data"
	groupAdvanced    = "advanced"
)

var groupOrder = []string{groupConnection, groupSecurity, groupCredentials, groupData, groupAdvanced}

// Parts of the keys of settings that place them in a group.
var (
	credentialParts = []string{"user", "auth", "password", "token"}
	securityParts   = []string{"certificate", "security", "tls", "signature"}
	connectionKeys  = []string{"dialect", "host", "port", "database", "client", "client_id", "broker", "data_server"}
	dataParts       = []string{"query", "table", "column", "view", "tag", "topic", "path", "mode", "preset", "root", "filter", "format", "element", "plant"}
)

// groupOf places a setting by what it is and by the words of its key. Of a
// simulation only what is required is in sight.
func groupOf(kind string, f connector.Field) string {
	has := func(parts []string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(f.Key, part) })
	}
	switch {
	case f.Secret, has(credentialParts):
		return groupCredentials
	case has(securityParts):
		return groupSecurity
	case f.Type == connector.URL, f.Key == "endpoint", slices.Contains(connectionKeys, f.Key):
		return groupConnection
	case kind == simulate.Kind && !f.Required:
		return groupAdvanced
	case f.Required, f.Type == connector.Object, has(dataParts):
		return groupData
	}
	return groupAdvanced
}

// madeField is an open setting that the product has made, such as the
// certificate by which a server knows it.
type madeField struct {
	Key, Label, Help, Value string
	Certificate             bool
	Download                string // where its file is, empty before it is stored
	Thumbprint              string // SHA-256, in pairs of hexadecimal digits
	Until                   time.Time
	Ended                   bool
}

// madeFields lists what has been made for an integration and may be seen.
func madeFields(p Page, id string, spec connector.Spec, config connector.Config) []madeField {
	var out []madeField
	for _, f := range spec.Fields {
		text, given := config[f.Key].(string)
		if !f.Made || f.Secret || !given || text == "" {
			continue
		}
		m := madeField{Key: f.Key, Label: p.T(f.LabelKey), Help: p.T(f.HelpKey), Value: text}
		if certificate, ok := certificateOf(text); ok {
			m.Certificate, m.Until = true, certificate.NotAfter
			if id != "" {
				m.Download = "/integrations/" + id + "/certificate"
			}
			m.Ended = m.Until.Before(time.Now())
			m.Thumbprint = httpapi.Fingerprint(certificate)
		}
		out = append(out, m)
	}
	return out
}

func certificateOf(text string) (*x509.Certificate, bool) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, false
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	return certificate, err == nil
}

// downloadCertificate sends the certificate that the product has made for an
// integration, for the server that has to trust it.
func (s *Server) downloadCertificate(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	var found db.Integration
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		found, err = q.GetIntegration(ctx, tx, tenant, id)
		return err
	})
	if err != nil {
		return err
	}
	config, err := integration.Settings(found)
	if err != nil {
		return err
	}
	spec, _ := connector.Lookup(found.Kind)
	for _, m := range madeFields(s.render.Page(r), id.String(), spec, config) {
		if !m.Certificate {
			continue
		}
		w.Header().Set("Content-Type", "application/x-pem-file")
		w.Header().Set("Content-Disposition", `attachment; filename="optria-`+found.ID.String()[:8]+`.pem"`)
		_, err = w.Write([]byte(m.Value))
		return err
	}
	return s.redirect(w, r, "/integrations/"+id.String(), "integrations.toast.no_certificate")
}
