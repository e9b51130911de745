package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/web/evidence"
)

func (s *Server) evidenceRoutes() []route {
	return []route{
		{http.MethodGet, "/runs/{id}/snapshot", access.ViewResults, s.showSnapshot},
		{http.MethodGet, "/runs/{id}/manifest.json", access.ViewResults, s.downloadManifest},
		{http.MethodGet, "/runs/{id}/input.json", access.ViewResults, s.downloadInput},
		{http.MethodPost, "/runs/{id}/rerun", access.RunPrioritization, s.askRerun},
	}
}

// snapshotRows is what the page of a run's evidence reads.
type snapshotRows struct {
	run       db.OptimizationRun
	manifest  *manifest.Manifest // nil when none was kept
	sources   manifest.Sources
	scenarios []db.OptimizationScenario
	reruns    []db.ListRerunsRow
}

// showSnapshot opens a run as it was: what it was computed from, what came out
// and its repetitions.
func (s *Server) showSnapshot(w http.ResponseWriter, r *http.Request) error {
	p, err := s.page(r, "evidence.title")
	if err != nil {
		return err
	}
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	var x snapshotRows
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		x, err = loadSnapshot(ctx, tx, q, tenant, id)
		return err
	})
	if err != nil {
		return err
	}
	v, err := newSnapshotView(p, x)
	if err != nil {
		return err
	}
	v.CanRun = v.Kept && mayRun(access.From(r.Context()), x.run.Problem)
	p.Title = p.T("evidence.title")
	p.Crumbs = []Crumb{{Href: "/scenarios", Label: p.T("scenarios.title")}, {Href: "/runs/" + v.ID, Label: v.Title}, {Label: p.T("evidence.title")}}
	p.Data = v
	s.render.Render(w, r, http.StatusOK, "runs/snapshot", p)
	return nil
}

func loadSnapshot(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant, id uuid.UUID) (snapshotRows, error) {
	var x snapshotRows
	var err error
	if x.run, err = q.LoadRun(ctx, tx, tenant, id); err != nil {
		return x, err
	}
	if x.scenarios, err = q.RunScenarios(ctx, tx, tenant, id); err != nil {
		return x, err
	}
	if x.reruns, err = q.ListReruns(ctx, tx, tenant, id); err != nil {
		return x, err
	}
	_, m, err := evidence.Manifest(x.run)
	if fault.CodeOf(err) == fault.NotFound {
		return x, nil // the page says that nothing was kept
	}
	if err != nil {
		return x, err
	}
	x.manifest = &m
	x.sources, err = evidence.Sources(ctx, tx, q, tenant, m)
	return x, err
}

// askRerun asks for the repetition of a run.
func (s *Server) askRerun(w http.ResponseWriter, r *http.Request) error {
	run, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	who := access.From(r.Context())
	var rerun db.Rerun
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		row, err := q.LoadRun(ctx, tx, tenant, run)
		if err != nil {
			return err
		}
		if !mayRun(who, row.Problem) {
			return fault.New(fault.Forbidden, "error.403.text")
		}
		rerun, err = evidence.Request(ctx, tx, q, row, who.UserID, func(e db.Entry) error { return s.audit(ctx, tx, r, tenant, e) })
		return err
	})
	if err != nil {
		return err
	}
	if err := s.Workflows.StartRerun(r.Context(), who.TenantID, rerun.ID); err != nil {
		s.Log.WarnContext(r.Context(), "rerun not started, upkeep will", "rerun", rerun.ID, "error", err)
	}
	return s.redirect(w, r, "/runs/"+run.String()+"/snapshot#reruns", "evidence.rerun.asked")
}

// downloadManifest hands out the manifest of a run, byte for byte as hashed.
func (s *Server) downloadManifest(w http.ResponseWriter, r *http.Request) error {
	return s.downloadEvidence(w, r, "manifest", func(_ context.Context, _ pgx.Tx, _ *db.Queries, _ uuid.UUID, content []byte, _ manifest.Manifest) ([]byte, error) {
		return content, nil
	})
}

// downloadInput hands out the input of a run in the canonical form that is
// hashed.
func (s *Server) downloadInput(w http.ResponseWriter, r *http.Request) error {
	return s.downloadEvidence(w, r, "input", func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, _ []byte, m manifest.Manifest) ([]byte, error) {
		return db.Snapshot(ctx, tx, q, tenant, m.Input)
	})
}

// downloadEvidence sends what read makes of the manifest of a run.
func (s *Server) downloadEvidence(w http.ResponseWriter, r *http.Request, name string,
	read func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, content []byte, m manifest.Manifest) ([]byte, error)) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	var file []byte
	err = s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		run, err := q.LoadRun(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		content, m, err := evidence.Manifest(run)
		if err != nil {
			return err
		}
		file, err = read(ctx, tx, q, tenant, content, m)
		return err
	})
	if err != nil {
		return err
	}
	return sendFile(w, name+"-"+id.String()+".json", "application/json", file)
}
