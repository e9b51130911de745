package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/internal/optimize"
	"github.com/optria-iq/optria/internal/optimize/mip"
)

// openManifest keeps the input of a run and the records behind it, and notes
// both in the row, which the end of the run completes.
func openManifest(ctx context.Context, tx pgx.Tx, q *db.Queries, p *plant, r request, input json.RawMessage) error {
	canonical, err := manifest.Canonical(input)
	if err != nil {
		return err
	}
	inputHash, err := db.KeepSnapshot(ctx, tx, q, r.run.TenantID, canonical)
	if err != nil {
		return err
	}
	sources, scored := p.sources(r)
	text, err := json.Marshal(sources)
	if err != nil {
		return fmt.Errorf("encode sources: %w", err)
	}
	if text, err = manifest.Canonical(text); err != nil {
		return err
	}
	sourcesHash, err := db.KeepSnapshot(ctx, tx, q, r.run.TenantID, text)
	if err != nil {
		return err
	}
	constraints, err := manifest.Digest(r.run.Constraints)
	if err != nil {
		return err
	}
	version, code := mip.Embedded()
	m := manifest.Manifest{
		Schema: manifest.Schema, RunID: r.run.ID.String(), Problem: r.run.Problem, WindowStart: r.run.WindowStart.Format(time.DateOnly),
		WindowDays: int(r.run.WindowDays), Input: manifest.Hex(inputHash), Sources: manifest.Hex(sourcesHash), Objective: r.run.Objective,
		Constraints: manifest.Hex(constraints), Seed: r.run.Seed, WorkSeconds: float64(r.run.TimeLimitSeconds),
		RelGap: optimize.Options{}.WithDefaults().RelGap, Solver: json.RawMessage(`null`),
		Exact: manifest.Exact{Name: "HiGHS", Version: version, SHA256: code}, Build: manifest.ThisBuild(), ScoresAsOf: scored,
	}
	content, _, err := m.Encode()
	if err != nil {
		return err
	}
	opened := string(content)
	if _, err := q.OpenRunManifest(ctx, tx, &opened, r.run.TenantID, r.run.ID); err != nil {
		return fmt.Errorf("open manifest: %w", err)
	}
	return nil
}

// sources describes the records behind the input of a run as they stand, and
// when the newest score was made that a plan may rest on.
func (p *plant) sources(r request) (manifest.Sources, *time.Time) {
	out := manifest.Sources{
		Calendar: manifest.Calendar{Profile: p.tenant.CalendarProfile, TimeZone: p.tenant.TimeZone, DaysOff: []string{}},
		Assets:   map[string]manifest.Asset{}, Crews: []manifest.Crew{},
	}
	h := newHorizon(p.calendar, r.run.WindowStart, int(r.run.WindowDays))
	for d, worked := range h.working {
		if !worked {
			out.Calendar.DaysOff = append(out.Calendar.DaysOff, h.start.AddDate(0, 0, d).Format(time.DateOnly))
		}
	}
	people := map[uuid.UUID]int{}
	for _, t := range p.staff {
		people[t.CrewID]++
	}
	for _, c := range p.crews {
		out.Crews = append(out.Crews, manifest.Crew{Code: c.SkillCode, NameAR: c.NameAr, NameEN: c.NameEn, People: people[c.ID]})
	}
	var newest *time.Time
	for _, a := range p.assets {
		x := manifest.Asset{Tag: a.Tag, NameAR: a.NameAr, NameEN: a.NameEn, Costs: map[string]int{}}
		for _, m := range p.costs[a.ID] {
			x.Costs[m.Kind] = max(x.Costs[m.Kind], int(m.Version))
		}
		if s, scored := p.scores[a.ID]; scored {
			at := s.AsOf.UTC()
			x.ScoreAt, x.Trusted = &at, usable(s, r.now)
			if x.Trusted && (newest == nil || at.After(*newest)) {
				newest = &at
			}
		}
		out.Assets[a.ID.String()] = x
	}
	return out, newest
}

// sealManifest completes the manifest of a run by what its searches came to,
// keeps their outputs and starts, and returns the hash of the manifest. A run
// that was loaded before manifests were kept has none: nil.
func sealManifest(ctx context.Context, tx pgx.Tx, q *db.Queries, run db.OptimizationRun, plans []plan, solver json.RawMessage) ([]byte, error) {
	if run.Manifest == nil {
		return nil, nil
	}
	m, err := manifest.Decode([]byte(*run.Manifest))
	if err != nil {
		return nil, err
	}
	drafted, err := draftsOf(run)
	if err != nil {
		return nil, err
	}
	m.Solver, m.Presets = solver, nil
	for _, p := range plans {
		x, err := sealPreset(ctx, tx, q, run.TenantID, p, drafted[p.preset])
		if err != nil {
			return nil, fmt.Errorf("seal %s: %w", p.preset, err)
		}
		m.Presets = append(m.Presets, x)
	}
	content, hash, err := m.Encode()
	if err != nil {
		return nil, err
	}
	sealed := string(content)
	if _, err := q.SealRunManifest(ctx, tx, db.SealRunManifestParams{TenantID: run.TenantID, ID: run.ID, Manifest: &sealed, ManifestSha256: hash}); err != nil {
		return nil, fmt.Errorf("seal manifest: %w", err)
	}
	return hash, nil
}

func sealPreset(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, p plan, d draft) (manifest.Preset, error) {
	c := p.view.Certificate
	x := manifest.Preset{
		Preset: p.preset, Iterations: c.Iterations, Threads: d.Threads, Prices: d.Prices, Status: string(c.Status), Ended: d.Ended, Attempt: int(d.Attempt),
	}
	if c.BoundKnown {
		x.Gap = &c.Gap
	}
	outcome, err := manifest.Outcome(p.output)
	if err != nil {
		return x, err
	}
	hash, err := db.KeepSnapshot(ctx, tx, q, tenant, outcome)
	if err != nil {
		return x, err
	}
	x.Output = manifest.Hex(hash)
	if len(d.Start) == 0 {
		return x, nil
	}
	start, err := manifest.Canonical(d.Start)
	if err != nil {
		return x, err
	}
	if hash, err = db.KeepSnapshot(ctx, tx, q, tenant, start); err != nil {
		return x, err
	}
	x.Start = manifest.Hex(hash)
	return x, nil
}
