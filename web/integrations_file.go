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
	_, x, err := s.loadMappings(r)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := integration.WriteRules(&b, x.rules); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="mappings-`+x.integration.ID.String()[:8]+`.csv"`)
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
	var refused []fileError
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		refused, err = s.storeRules(ctx, tx, q, r, tenant, id, lines, p)
		return err
	})
	if err != nil {
		return err
	}
	if len(refused) > 0 {
		return s.mappingPage(w, r, http.StatusUnprocessableEntity, refused[:min(len(refused), fileErrorsShown)], p.N("integrations.file.refused", len(refused)))
	}
	return s.redirect(w, r, "/integrations/"+id.String()+"/mappings", "integrations.toast.imported")
}

// storeRules checks every line before it writes the first one.
func (s *Server) storeRules(ctx context.Context, tx pgx.Tx, q *db.Queries, r *http.Request, tenant, id uuid.UUID, lines []integration.Line, p Page) ([]fileError, error) {
	if _, err := q.LockIntegration(ctx, tx, tenant, id); err != nil {
		return nil, err
	}
	plant, err := integration.LoadPlant(ctx, tx, q, tenant)
	if err != nil {
		return nil, err
	}
	var refused []fileError
	first := map[string]int{}
	for _, line := range lines {
		problems := plant.Problems(line.Rule)
		if n := first[line.Rule.ExternalTag]; n > 0 {
			problems = map[string]string{"external_tag": integration.KeyTagTwice}
		}
		first[line.Rule.ExternalTag] = line.Number
		for column, key := range problems {
			refused = append(refused, fileError{line.Number, column, line.Rule.ExternalTag, p.T(key)})
		}
	}
	if len(refused) > 0 {
		return refused, nil
	}
	added, changed, signals := 0, 0, 0
	for _, line := range lines {
		saved, err := integration.SaveRule(ctx, tx, q, tenant, id, plant, line.Rule, false)
		if err != nil {
			return nil, err
		}
		if saved.Created {
			added++
		} else {
			changed++
		}
		if saved.SignalCreated {
			signals++
		}
	}
	return nil, s.audit(ctx, tx, r, tenant, db.Entry{Action: "integration.mappings_imported", ObjectType: "integration", ObjectID: id.String(),
		After: map[string]any{"added": added, "changed": changed, "signals_created": signals}})
}
