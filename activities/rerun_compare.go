package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
	"github.com/optria-iq/optria/internal/manifest"
	"github.com/optria-iq/optria/internal/optimize"
)

// shownChanges is how many differences of one kind a report lists; the rest is
// counted.
const shownChanges = 100

// compare sets a repeated search beside the recorded one. It returns the
// hashed bytes of the repetition, too.
func (e evidence) compare(input, was []byte, again repeated, recorded manifest.Preset) (manifest.Compared, []byte, error) {
	outcome, err := manifest.Outcome(again.output)
	if err != nil {
		return manifest.Compared{}, nil, err
	}
	c := manifest.Compared{Was: recorded.Output, Is: manifest.Hex(manifest.Sum(outcome)), Ended: recorded.Ended, AgainEnded: again.ended}
	if c.Identical = c.Was == c.Is; c.Identical {
		return c, outcome, nil
	}
	c.Difference, err = e.difference(input, was, outcome, recorded.Preset)
	return c, outcome, err
}

// difference words how two outcomes of one input differ.
func (e evidence) difference(input, was, is []byte, preset string) (*manifest.Difference, error) {
	problem, err := problemOf(e.run)
	if err != nil {
		return nil, err
	}
	weighed, err := problem.Weigh(input, preset)
	if err != nil {
		return nil, err
	}
	base, err := problem.View(weighed, was)
	if err != nil {
		return nil, fmt.Errorf("view of the run: %w", err)
	}
	other, err := problem.View(weighed, is)
	if err != nil {
		return nil, fmt.Errorf("view of the repetition: %w", err)
	}
	names, err := manifest.Names(input)
	if err != nil {
		return nil, err
	}
	c := optimize.Compare(base, other)
	d := &manifest.Difference{Total: c.Total, Count: len(c.Changed), Moved: []manifest.Moved{}}
	for _, x := range c.Changed[:min(len(c.Changed), shownChanges)] {
		d.Moved = append(d.Moved, manifest.Moved{Subject: x.Subject, Name: names[x.Subject], Was: decisionOf(x.Base), Is: decisionOf(x.Other)})
	}
	d.Fields, d.Touched, err = manifest.Diff(was, is, shownChanges)
	return d, err
}

func decisionOf(l *optimize.Line) *manifest.Placement {
	if l == nil {
		return nil
	}
	return &manifest.Placement{Verdict: string(l.Verdict), Start: l.Start, Resource: l.Resource}
}

// since compares the input of the run with the one that the same request would
// be given now. A what-if takes the input of the run that it is based on, which
// nothing can change.
func (e evidence) since(ctx context.Context, tx pgx.Tx, q *db.Queries) (*manifest.Since, error) {
	was, err := db.Snapshot(ctx, tx, q, e.run.TenantID, e.manifest.Input)
	if err != nil {
		return nil, err
	}
	r, err := readRequest(e.run)
	if err != nil {
		return nil, err
	}
	p, err := loadPlant(ctx, tx, q, r.run.TenantID)
	if err != nil {
		return nil, fmt.Errorf("load plant of today: %w", err)
	}
	s := &manifest.Since{Changes: []manifest.Change{}, Sources: []manifest.Change{}}
	now, err := buildInput(ctx, tx, q, p, r)
	var refused *fault.Error
	if errors.As(err, &refused) && refused.Code == fault.Invalid {
		s.ErrorKey = refused.Key // the plant has nothing left to plan, for instance
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load input of today: %w", err)
	}
	if s.Changes, s.Count, err = manifest.Diff(was, now, shownChanges); err != nil {
		return nil, err
	}
	return s, e.addSources(ctx, tx, q, p, r, s, was, now)
}

// addSources compares the records behind the inputs and names what the paths
// speak of.
func (e evidence) addSources(ctx context.Context, tx pgx.Tx, q *db.Queries, p *plant, r request, s *manifest.Since, inputs ...[]byte) error {
	was, err := db.Snapshot(ctx, tx, q, e.run.TenantID, e.manifest.Sources)
	if err != nil {
		return err
	}
	sources, _ := p.sources(r)
	is, err := json.Marshal(sources)
	if err != nil {
		return fmt.Errorf("encode sources: %w", err)
	}
	if s.Sources, s.Records, err = manifest.Diff(was, is, shownChanges); err != nil {
		return err
	}
	all, err := manifest.Names(append(inputs, was, is)...)
	if err != nil {
		return err
	}
	s.Names = map[string]string{}
	for _, changes := range [][]manifest.Change{s.Changes, s.Sources} {
		for _, c := range changes {
			for _, part := range c.Path {
				if name, named := all[part]; named {
					s.Names[part] = name
				}
			}
		}
	}
	return nil
}
