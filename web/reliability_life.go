package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/reliability"
	"github.com/optria-iq/optria/web/revision"
)

// lifeLine is one completed life.
type lifeLine struct {
	Tag, Mode, ModeCode, Note, By string
	EndedAt                       time.Time
	Days                          float64
	Failed                        bool
}

// proposalView is what the history of the class proposes. Reason says why it
// proposes nothing.
type proposalView struct {
	reliability.Proposal
	Reason         string
	SameAsPresent  bool
	Running, Ended int // of the censored lives
}

// lifePage is the Data of reliability/life.
type lifePage struct {
	EditHead
	Class                  string
	Beta, EtaDays, AgeDays float64
	MeanDays, B10Days      float64
	Form                   *editForm // parameters
	Record                 *editForm // a completed life
	Proposal               proposalView
	Lives, ClassLives      []lifeLine
	Modes                  []Option
	Today                  string
	Electrical             *equipmentView
	Preview                *previewView
	Previewed              string // id of the form that was previewed
}

// lifeForms are the forms of the page that were posted; the others are fresh.
type lifeForms struct {
	life, record, equipment *editForm
	preview                 *previewView
}

func (s *Server) showLife(w http.ResponseWriter, r *http.Request) error {
	return s.lifePage(w, r, http.StatusOK, lifeForms{})
}

// lifeRows is what the page reads.
type lifeRows struct {
	asset   db.Asset
	skill   string
	lives   []db.AssetLivesRow
	class   []db.ClassLivesRow
	running []db.ClassAgesRow
	modes   []db.AssetFailureMode
}

func (x *lifeRows) load(ctx context.Context, tx pgx.Tx, q *db.Queries, a db.Asset) (err error) {
	x.asset = a
	if a.SkillID != nil {
		skills, err := q.ListSkills(ctx, tx, a.TenantID)
		if err != nil {
			return err
		}
		for _, k := range skills {
			if k.ID == *a.SkillID {
				x.skill = k.Code
			}
		}
	}
	if x.lives, err = q.AssetLives(ctx, tx, a.TenantID, a.ID); err != nil {
		return err
	}
	if x.class, err = q.ClassLives(ctx, tx, a.TenantID, a.ClassCode); err != nil {
		return err
	}
	if x.running, err = q.ClassAges(ctx, tx, a.TenantID, a.ClassCode); err != nil {
		return err
	}
	x.modes, err = q.ListFailureModes(ctx, tx, a.TenantID, []uuid.UUID{a.ID})
	return err
}

func (s *Server) lifePage(w http.ResponseWriter, r *http.Request, status int, f lifeForms) error {
	var x lifeRows
	p, head, err := s.assetPage(r, "life", x.load)
	if err != nil {
		return err
	}
	a, now := x.asset, time.Now()
	v := lifePage{EditHead: head, Class: a.ClassCode, Beta: a.WeibullBeta, EtaDays: a.WeibullEtaDays, AgeDays: ageOf(a, now), Preview: f.preview,
		Today: now.In(riyadhZone).Format(time.DateOnly), Proposal: propose(p, x, now), Form: f.life, Record: f.record}
	v.MeanDays, v.B10Days = lifeFigures(a)
	v.Previewed = "edit-form"
	if f.equipment != nil {
		v.Previewed = "equipment-form"
	}
	if v.Form == nil {
		v.Form = filled(lifeValues(a, now))
		if fit := v.Proposal; r.URL.Query().Get("take") != "" && fit.Reason == "" {
			v.Form.Values["beta"], v.Form.Values["eta_days"] = rounded(fit.Beta, 3), rounded(fit.EtaDays, 1)
		}
	}
	v.Form.show(p, revision.LifeVersion(a))
	if v.Record == nil {
		v.Record = filled(map[string]string{"ended_at": v.Today, "ended_by": reliability.EndedByFailure, "life_days": plain(math.Floor(v.AgeDays)), "renews": "on"})
	}
	v.Record.show(p, "")
	v.addLives(p, x)
	if v.Electrical, err = newEquipmentView(p, x, f.equipment); err != nil {
		return err
	}
	p.Data = v
	s.render.Render(w, r, status, "reliability/life", p)
	return nil
}

// ageOf is the effective age of an asset in days.
func ageOf(a db.Asset, now time.Time) float64 { return max(0, a.AgeDays+now.Sub(a.AgeAsOf).Hours()/24) }

// lifeFigures are the mean life and the age by which a tenth has failed.
func lifeFigures(a db.Asset) (mean, b10 float64) {
	return a.WeibullEtaDays * math.Gamma(1+1/a.WeibullBeta), a.WeibullEtaDays * math.Pow(-math.Log(0.9), 1/a.WeibullBeta)
}

func lifeValues(a db.Asset, now time.Time) map[string]string {
	return map[string]string{"beta": plain(a.WeibullBeta), "eta_days": plain(a.WeibullEtaDays), "age_days": plain(math.Floor(ageOf(a, now)))}
}

// addLives lists the lives of the asset, and those of the class for the
// proposal.
func (v *lifePage) addLives(p Page, x lifeRows) {
	for _, l := range x.lives {
		v.Lives = append(v.Lives, lifeLine{Mode: localName(p.Lang, l.ModeAr, l.ModeEn), ModeCode: l.ModeCode, Note: l.AssetLife.Note, By: localName(p.Lang, l.ByAr, l.ByEn),
			EndedAt: l.AssetLife.EndedAt, Days: l.AssetLife.LifeDays, Failed: l.AssetLife.EndedBy == reliability.EndedByFailure})
	}
	for _, l := range x.class {
		v.ClassLives = append(v.ClassLives, lifeLine{Tag: l.Tag, EndedAt: l.EndedAt, Days: l.LifeDays, Failed: l.EndedBy == reliability.EndedByFailure})
	}
	for _, m := range x.modes {
		v.Modes = append(v.Modes, Option{m.ID.String(), m.Code + " · " + localName(p.Lang, m.NameAr, m.NameEn)})
	}
}

// propose fits the lives of the class: failures as they were, preventive
// renewals and running assets as lives that lasted at least that long.
func propose(p Page, x lifeRows, now time.Time) proposalView {
	var v proposalView
	var h reliability.History
	for _, l := range x.class {
		if l.EndedBy == reliability.EndedByFailure {
			h.Failures = append(h.Failures, l.LifeDays)
		} else {
			h.Censored = append(h.Censored, l.LifeDays)
			v.Ended++
		}
	}
	for _, a := range x.running {
		if age := ageOf(db.Asset{AgeDays: a.AgeDays, AgeAsOf: a.AgeAsOf}, now); age > 0 {
			h.Censored = append(h.Censored, age)
			v.Running++
		}
	}
	fit, err := reliability.Propose(h, asset.Weibull{Beta: x.asset.WeibullBeta, Eta: x.asset.WeibullEtaDays})
	switch {
	case errors.Is(err, reliability.ErrTooFewFailures):
		v.Reason = p.N("reliability.proposal.few", len(h.Failures))
		return v
	case err != nil:
		v.Reason = p.T("reliability.proposal.alike")
		return v
	}
	v.Proposal = fit
	v.SameAsPresent = math.Abs(fit.Beta-x.asset.WeibullBeta) < 5e-4 && math.Abs(fit.EtaDays-x.asset.WeibullEtaDays) < 0.05
	return v
}

// life reads the parameters. The age counts as changed when it is not what the
// form was filled with.
func (f *editForm) life() reliability.Life {
	l := reliability.Life{Beta: f.number("beta", reliability.KeyBeta), EtaDays: f.number("eta_days", reliability.KeyEta)}
	age := f.number("age_days", reliability.KeyAge)
	if f.Values["age_days"] != f.Values["age_shown"] {
		l.AgeDays = &age
	}
	return l
}

func (s *Server) saveLife(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	f := readEditForm(r)
	l := f.life()
	return s.submit(w, r, submission{asset: id, form: f, change: reliability.Change{Life: &l}, check: l.Check(),
		save: func(ctx context.Context, e revision.Edit) error { return revision.Life(ctx, e, l) },
		again: func(status int, f *editForm, v *previewView) error {
			return s.lifePage(w, r, status, lifeForms{life: f, preview: v})
		},
		target: "/assets/" + id.String() + "/life", toast: "reliability.life.saved"})
}

// recordLife records a completed life of the asset.
func (s *Server) recordLife(w http.ResponseWriter, r *http.Request) error {
	id, err := pathUUID(r, "id")
	if err != nil {
		return err
	}
	f := readEditForm(r)
	f.Do = doSave
	l := reliability.CompletedLife{EndedAt: f.day("ended_at"), LifeDays: f.number("life_days", reliability.KeyLifeDays), EndedBy: f.Values["ended_by"],
		ModeID: f.id("mode_id"), Note: f.Values["note"], Renews: f.Values["renews"] == "on"}
	return s.submit(w, r, submission{asset: id, form: f,
		save: func(ctx context.Context, e revision.Edit) error { return revision.RecordLife(ctx, e, l) },
		again: func(status int, f *editForm, _ *previewView) error {
			return s.lifePage(w, r, status, lifeForms{record: f})
		},
		target: "/assets/" + id.String() + "/life#lives", toast: "reliability.life.recorded"})
}
