package web

import (
	"bytes"
	"context"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/web/integration"
)

// fileErrorsShown bounds the refused lines that the page lists.
const fileErrorsShown = 50

// downloadMappings sends the rules as CSV.
func (s *Server) downloadMappings(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	var rules []db.ListIntegrationMappingsRow
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		if _, err = q.GetIntegration(ctx, tx, tenant, id); err != nil {
			return err
		}
		rules, err = q.ListIntegrationMappings(ctx, tx, tenant, id)
		return err
	})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := integration.WriteRules(&b, rules); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="mappings-`+id.String()[:8]+`.csv"`)
	_, err = w.Write(b.Bytes())
	return err
}

// uploadMappings takes a file of rules: all of them, or, when one is wrong,
// none.
func (s *Server) uploadMappings(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	p := s.render.Page(r)
	r.Body = http.MaxBytesReader(w, r.Body, integration.MaxFileBytes+64<<10)
	file, _, err := r.FormFile("file")
	if err != nil {
		return s.mappingPage(w, r, http.StatusUnprocessableEntity, nil, p.T(integration.KeyFileEmpty))
	}
	defer file.Close()
	lines, err := integration.ReadRules(file)
	if fault.CodeOf(err) == fault.Invalid && err != nil {
		return s.mappingPage(w, r, http.StatusUnprocessableEntity, nil, s.message(p, err))
	}
	if err != nil {
		return err
	}
	done, problems, err := s.integrations().SaveRules(r.Context(), originOf(r), id, lines)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		var refused []fileError
		for _, x := range problems[:min(len(problems), fileErrorsShown)] {
			refused = append(refused, fileError{x.Line, x.Field, x.Tag, p.T(x.Key)})
		}
		return s.mappingPage(w, r, http.StatusUnprocessableEntity, refused, p.N("integrations.file.refused", len(problems)))
	}
	if err := s.integrations().FetchHistory(r.Context(), originOf(r), id, done.Fresh); err != nil {
		return err
	}
	return s.redirect(w, r, "/integrations/"+id.String()+"/mappings", "integrations.toast.imported")
}
