package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/web/evidence"
)

// Rerun is the repetition of a run from its snapshot.
type Rerun struct {
	ID          uuid.UUID  `json:"id"`
	RunID       uuid.UUID  `json:"run_id"`
	State       string     `json:"state" enum:"requested,running,done,failed"`
	Identical   *bool      `json:"identical,omitempty" doc:"Whether every alternative came out the same, byte for byte"`
	Build       string     `json:"build,omitempty" doc:"Program that repeated the run"`
	Error       string     `json:"error,omitempty"`
	RequestedBy uuid.UUID  `json:"requested_by"`
	RequestedAt time.Time  `json:"requested_at"`
	FinishedAt  *time.Time `json:"finished_at,omitempty"`
	// Report is there once the repetition is done.
	Report *manifest.Report `json:"report,omitempty" doc:"Hashes and differences by preset, and what has changed since the run"`
}

// reruns adds the evidence of runs and their repetitions.
func (a *API) reruns() {
	ask := route(http.MethodPost, "/runs/{id}/rerun", "rerun-run", "Repeat a finished run from its snapshot and compare", "Runs")
	ask.DefaultStatus, ask.Errors = http.StatusAccepted, []int{http.StatusConflict}
	add(a, access.RunPrioritization, ask, a.createRerun)
	add(a, access.ViewResults, route(http.MethodGet, "/runs/{id}/reruns", "list-reruns", "Repetitions of a run, newest first", "Runs"), a.listReruns)
	add(a, access.ViewResults, route(http.MethodGet, "/runs/{id}/manifest", "get-run-manifest", "What a run was computed from, by hash", "Runs"), a.runManifest)
}

func (a *API) createRerun(ctx context.Context, who access.Principal, in *ByID) (*answer[Rerun], error) {
	var rerun db.Rerun
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		run, err := q.LoadRun(ctx, tx, who.TenantID, in.ID)
		if err != nil {
			return err
		}
		if err := mayRun(ctx, who, run.Problem); err != nil {
			return err
		}
		rerun, err = evidence.Request(ctx, tx, q, run, who.UserID, func(e db.Entry) error { return origin(ctx).Audit(ctx, tx, e) })
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := a.Workflows.StartRerun(ctx, who.TenantID, rerun.ID); err != nil {
		a.Log.WarnContext(ctx, "rerun not started, upkeep will", "rerun", rerun.ID, "error", err)
	}
	return reply(Rerun{ID: rerun.ID, RunID: rerun.RunID, State: rerun.State, Build: rerun.Build, RequestedBy: rerun.RequestedBy, RequestedAt: rerun.RequestedAt}), nil
}

func (a *API) listReruns(ctx context.Context, who access.Principal, in *ByID) (*answer[List[Rerun]], error) {
	var rows []db.ListRerunsRow
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if _, err = q.LoadRun(ctx, tx, who.TenantID, in.ID); err != nil {
			return err
		}
		rows, err = q.ListReruns(ctx, tx, who.TenantID, in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	list := List[Rerun]{Items: []Rerun{}}
	for _, x := range rows {
		one := Rerun{ID: x.ID, RunID: x.RunID, State: x.State, Identical: x.Identical, Build: x.Build, Error: a.text(ctx, x.ErrorKey),
			RequestedBy: x.RequestedBy, RequestedAt: x.RequestedAt, FinishedAt: x.FinishedAt}
		if x.State == "done" {
			report, err := evidence.Report(x.Result)
			if err != nil {
				return nil, err
			}
			one.Report = &report
		}
		list.Items = append(list.Items, one)
	}
	return reply(list), nil
}

// RunManifest is the manifest of a run with its hash.
type RunManifest struct {
	SHA256   string          `json:"sha256" doc:"Of the bytes of the manifest, which /runs/{id}/manifest.json hands out as they are"`
	Manifest json.RawMessage `json:"manifest"`
}

func (a *API) runManifest(ctx context.Context, who access.Principal, in *ByID) (*answer[RunManifest], error) {
	var out RunManifest
	err := a.DB.InTenant(ctx, who.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		run, err := q.LoadRun(ctx, tx, who.TenantID, in.ID)
		if err != nil {
			return err
		}
		content, _, err := evidence.Manifest(run)
		out = RunManifest{SHA256: manifest.Hex(run.ManifestSha256), Manifest: content}
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}
