package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/reliability"
)

// previewView is the part "edit-preview". Error is translated and stands
// alone: an edit can be saved without its preview.
type previewView struct {
	Error                         string
	AsOf                          time.Time
	Before, After                 previewScore
	NoPlan                        string // why there is nothing to plan, translated
	Planned                       bool
	Start                         time.Time
	Days                          int
	Preset                        string
	CostBefore, CostAfter, Saving float64 // Saving is after − before
	Moved, Ranked                 []previewRow
	Own                           *previewRow
	Exact, CutShort               bool
}

// previewScore is one side of the score.
type previewScore struct {
	Health, P30, Loss, Index float64
	Life                     string
	Level                    int
	Trusted                  bool
}

// previewRow is one recommendation on both sides.
type previewRow struct {
	Tag, Name, Href string
	Own             bool
	Before, After   previewAdvice
}

// previewAdvice is one side of a recommendation; Known is false where the asset
// has no job to plan.
type previewAdvice struct {
	Known, Do          bool
	On                 time.Time
	Rank               int
	AtStake, DeferCost float64
}

// preview asks what a change of an asset would do. An engine that does not
// answer is said on the page, beside the form.
func (s *Server) preview(r *http.Request, asset uuid.UUID, change reliability.Change) (*previewView, error) {
	p := s.render.Page(r)
	who := access.From(r.Context())
	if err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		_, err := q.GetAsset(ctx, tx, tenant, asset)
		return err
	}); err != nil {
		return nil, notFound(err)
	}
	result, err := s.Workflows.PreviewEdit(r.Context(), who.TenantID, asset, change)
	var known *fault.Error
	switch {
	case errors.As(err, &known) && known.Code != fault.Internal:
		s.Log.WarnContext(r.Context(), "preview", "error", err, "asset", asset, "tenant", who.TenantID)
		return &previewView{Error: s.message(p, err)}, nil
	case err != nil:
		return nil, err
	}
	return s.previewView(r, p, result)
}

func (s *Server) previewView(r *http.Request, p Page, x reliability.Preview) (*previewView, error) {
	v := &previewView{AsOf: x.After.AsOf, Before: newPreviewScore(p, x.Before), After: newPreviewScore(p, x.After)}
	if x.Plans == nil {
		v.NoPlan = p.T(x.NoPlanKey)
		return v, nil
	}
	start, err := time.Parse(time.DateOnly, x.Plans.Start)
	if err != nil {
		return nil, err
	}
	v.Planned, v.Start, v.Days, v.Preset = true, start, x.Plans.Days, p.T("optimize.objective."+x.Plans.Preset)
	v.CostBefore, v.CostAfter, v.Saving = x.Plans.CostBefore, x.Plans.CostAfter, x.Plans.CostAfter-x.Plans.CostBefore
	v.Exact, v.CutShort = x.Plans.Exact, x.Plans.CutShort
	names, err := s.assetNames(r, x)
	if err != nil {
		return nil, err
	}
	row := func(d reliability.Difference) previewRow {
		a := names[d.AssetID]
		return previewRow{Tag: a.Tag, Name: localName(p.Lang, a.NameAr, a.NameEn), Href: "/assets/" + d.AssetID.String(), Own: d.AssetID == x.AssetID,
			Before: newPreviewAdvice(start, d.Before), After: newPreviewAdvice(start, d.After)}
	}
	for _, d := range x.Plans.Differences {
		if d.Moved() {
			v.Moved = append(v.Moved, row(d))
		} else {
			v.Ranked = append(v.Ranked, row(d))
		}
	}
	if x.Plans.OwnBefore != nil || x.Plans.OwnAfter != nil {
		own := row(reliability.Difference{AssetID: x.AssetID, Before: x.Plans.OwnBefore, After: x.Plans.OwnAfter})
		v.Own = &own
	}
	return v, nil
}

// assetNames reads the names of the assets of a preview.
func (s *Server) assetNames(r *http.Request, x reliability.Preview) (map[uuid.UUID]db.Asset, error) {
	ids := []uuid.UUID{x.AssetID}
	for _, d := range x.Plans.Differences {
		ids = append(ids, d.AssetID)
	}
	names := map[uuid.UUID]db.Asset{}
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		rows, err := q.ListScoredAssets(ctx, tx, tenant, ids)
		for _, a := range rows {
			names[a.ID] = a
		}
		return err
	})
	return names, err
}

func newPreviewScore(p Page, f reliability.Figures) previewScore {
	v := previewScore{Health: f.Health, P30: f.P30, Loss: f.RiskSAR, Index: f.RiskIndex, Level: f.RiskLevel, Trusted: f.Trusted,
		Life: p.Loc().Num(f.RULDays, 0)}
	if f.BeyondCap {
		v.Life = "> " + v.Life
	}
	return v
}

func newPreviewAdvice(start time.Time, a *reliability.Advice) previewAdvice {
	if a == nil {
		return previewAdvice{}
	}
	v := previewAdvice{Known: true, Do: a.Do, Rank: a.Rank, AtStake: a.AtStake, DeferCost: a.DeferCost}
	if a.Do {
		v.On = start.AddDate(0, 0, a.StartDay)
	}
	return v
}
