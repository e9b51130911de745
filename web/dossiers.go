package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/dossier"
	"github.com/optria-iq/optria/internal/dossier/seal"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/i18n"
)

func (s *Server) dossierRoutes() []route {
	return []route{
		{http.MethodGet, "/plans/{id}/dossier", access.ViewResults, s.showDossier},
		{http.MethodPost, "/plans/{id}/dossier", access.ViewResults, s.downloadDossier},
	}
}

// dossiersShown bounds the list of files handed out.
const dossiersShown = 20

// dossierView is the page from which a dossier is downloaded.
type dossierView struct {
	Plan, Title string
	Sections    []string
	Handed      []dossierRow
}

type dossierRow struct {
	Form, Language, By, Hash string
	At                       time.Time
}

func (s *Server) showDossier(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "dossier.page.title")
	if err != nil {
		return err
	}
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	v := dossierView{Plan: id.String()}
	var rows []db.ListDossiersRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		plan, err := q.PlanDetail(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		v.Title = plan.Title
		rows, err = q.ListDossiers(ctx, tx, tenant, id, dossiersShown)
		return err
	})
	if err != nil {
		return err
	}
	for _, x := range rows {
		v.Handed = append(v.Handed, dossierRow{strings.ToUpper(x.Format), p.T("dossier.page." + x.Language), localName(p.Lang, x.NameAr, x.NameEn), hex.EncodeToString(x.Sha256), x.CreatedAt})
	}
	for _, s := range dossier.Compose(p.Loc(), dossier.Record{}).Sections {
		v.Sections = append(v.Sections, s.Title)
	}
	p.Crumbs = []Crumb{{Href: "/plans", Label: p.T("plans.title")}, {Href: "/plans/" + v.Plan, Label: v.Title}, {Label: p.Title}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "plans/dossier", p)
	return nil
}

// dossierTypes are the media types of the forms of a dossier.
var dossierTypes = map[seal.Kind]string{seal.HTML: "text/html; charset=utf-8", seal.PDF: "application/pdf"}

// downloadDossier seals a dossier as it stands now and hands it out, which is
// recorded: so it is asked for by a form, never by a link alone.
func (s *Server) downloadDossier(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	kind := seal.Kind(r.PostFormValue("format"))
	file, name, err := s.makeDossier(r, id, kind, r.PostFormValue("language"))
	if err != nil {
		return err
	}
	return sendFile(w, name, dossierTypes[kind], file)
}

// sealKey is the key of this deployment.
func (s *Server) sealKey() (seal.Key, error) { return seal.DeriveKey(s.Config.JWTSecret) }

// address is how browsers reach a path of the product; without a configured
// base it is the path alone.
func (s *Server) address(path string) string {
	if s.Config.BaseURL == nil {
		return path
	}
	return s.Config.BaseURL.JoinPath(path).String() // #nosec G125 -- a path of this product, made of an id
}

// makeDossier reads what a plan's dossier tells, all of it as of one moment,
// builds and seals it and records that it was made, each by itself: the print
// of a long plan takes seconds, for which no transaction stays open. The file
// and its entry say up to which event of the audit log it knows.
func (s *Server) makeDossier(r *http.Request, plan uuid.UUID, kind seal.Kind, lang string) (file []byte, name string, err error) {
	if dossierTypes[kind] == "" || (lang != i18n.Arabic && lang != i18n.English) {
		return nil, "", fault.New(fault.Invalid, "field.choice")
	}
	key, err := s.sealKey()
	if err != nil {
		return nil, "", err
	}
	who := access.From(r.Context())
	b := dossierBuilder{Server: s, Page: Page{Lang: lang, loc: s.catalog.Localizer(lang)}, tenant: who.TenantID, plan: plan, author: who.Name}
	var record dossier.Record
	var seq int64
	err = s.DB.InTenantAsOf(r.Context(), who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		record, seq, err = b.read(ctx, tx, q)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	record.VerifyURL, record.KeyID, record.PublicKey = s.address("/verify"), key.Public().ID(), key.Public().String()
	if file, err = dossier.Build(kind, b.Loc(), record, dossier.NewSubject(record, who.TenantID.String(), lang, seq), key); err != nil {
		return nil, "", fmt.Errorf("build dossier of plan %s: %w", plan, err)
	}
	name = fmt.Sprintf("optria-plan-%s-v%d-%s.%s", plan.String()[:8], record.Version, lang, kind)
	sum := sha256.Sum256(file)
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		err := q.AddDossier(ctx, tx, db.AddDossierParams{TenantID: tenant, PlanID: plan, Format: string(kind), Language: lang, Sha256: sum[:], AuditSeq: seq, CreatedBy: who.UserID})
		if err != nil {
			return fmt.Errorf("record dossier: %w", err)
		}
		return s.audit(ctx, tx, r, tenant, db.Entry{Action: "dossier.created", ObjectType: "plan", ObjectID: plan.String(),
			After: map[string]any{"format": kind, "language": lang, "sha256": hex.EncodeToString(sum[:]), "audit_seq": seq}})
	})
	return file, name, err
}
