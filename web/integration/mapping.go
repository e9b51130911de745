package integration

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/fault"
)

// mappingHistory is how far back the readings of a newly mapped tag are asked
// for, where the source keeps an archive.
const mappingHistory = 7 * 24 * time.Hour

// Problem is what is wrong with one field of one rule of several.
type Problem struct {
	Line       int
	Field, Tag string
	Key        string // message key
}

// Imported says what several rules brought. Fresh names the tags that had no
// rule before.
type Imported struct {
	Added, Changed, SignalsCreated int
	Fresh                          []string
}

func (x *Imported) count(saved Saved, tag string) {
	if saved.Created {
		x.Added++
		x.Fresh = append(x.Fresh, tag)
	} else {
		x.Changed++
	}
	if saved.SignalCreated {
		x.SignalsCreated++
	}
}

// SaveRule stores one rule, or returns what is wrong with it, field to message
// key. With fresh set, a tag that has a rule already is a Conflict.
func (s Service) SaveRule(ctx context.Context, o Origin, id uuid.UUID, x Rule, fresh bool) (saved Saved, problems map[string]string, err error) {
	err = s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.GetIntegration(ctx, tx, o.Tenant, id); err != nil {
			return err
		}
		plant, err := LoadPlant(ctx, tx, q, o.Tenant)
		if err != nil {
			return err
		}
		x = plant.Fill(x)
		if problems = plant.Problems(x); len(problems) > 0 {
			return nil
		}
		if saved, err = SaveRule(ctx, tx, q, o.Tenant, id, plant, x, fresh); err != nil {
			return err
		}
		action := "integration.mapping_changed"
		if saved.Created {
			action = "integration.mapping_added"
		}
		return o.Audit(ctx, tx, db.Entry{Action: action, ObjectType: "integration_mapping", ObjectID: saved.ID.String(), Before: saved.Before,
			After: map[string]any{"integration": id, "rule": x, "signal_created": saved.SignalCreated}})
	})
	return saved, problems, err
}

// SaveRules stores all rules, or, when one is wrong, none and says which.
func (s Service) SaveRules(ctx context.Context, o Origin, id uuid.UUID, lines []Line) (out Imported, problems []Problem, err error) {
	err = s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.LockIntegration(ctx, tx, o.Tenant, id); err != nil {
			return err
		}
		plant, err := LoadPlant(ctx, tx, q, o.Tenant)
		if err != nil {
			return err
		}
		if problems = plant.fillAll(lines); len(problems) > 0 {
			return nil
		}
		for _, line := range lines {
			saved, err := SaveRule(ctx, tx, q, o.Tenant, id, plant, line.Rule, false)
			if err != nil {
				return err
			}
			out.count(saved, line.Rule.ExternalTag)
		}
		return o.Audit(ctx, tx, db.Entry{Action: "integration.mappings_imported", ObjectType: "integration", ObjectID: id.String(),
			After: map[string]any{"added": out.Added, "changed": out.Changed, "signals_created": out.SignalsCreated}})
	})
	return out, problems, err
}

// fillAll completes the rules in place and returns what is wrong with them.
func (p Plant) fillAll(lines []Line) []Problem {
	var out []Problem
	first := map[string]bool{}
	for i := range lines {
		line := &lines[i]
		line.Rule = p.Fill(line.Rule)
		problems := p.Problems(line.Rule)
		if first[line.Rule.ExternalTag] {
			problems = map[string]string{"external_tag": KeyTagTwice}
		}
		first[line.Rule.ExternalTag] = true
		for field, key := range problems {
			out = append(out, Problem{line.Number, field, line.Rule.ExternalTag, key})
		}
	}
	return out
}

// AcceptSuggestions makes rules of the suggestions for some tags. Tags that
// have a rule already, or no suggestion any more, are left alone.
func (s Service) AcceptSuggestions(ctx context.Context, o Origin, id uuid.UUID, tags []string) (out Imported, err error) {
	err = s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		if _, err := q.LockIntegration(ctx, tx, o.Tenant, id); err != nil {
			return err
		}
		plant, err := LoadPlant(ctx, tx, q, o.Tenant)
		if err != nil {
			return err
		}
		nodes, err := q.FindNodes(ctx, tx, o.Tenant, id, tags)
		if err != nil {
			return err
		}
		for _, x := range plant.suggested(nodes) {
			known, err := q.FindMapping(ctx, tx, o.Tenant, id, x.ExternalTag)
			if err != nil {
				return err
			}
			if len(known) > 0 || len(plant.Problems(x)) > 0 {
				continue
			}
			saved, err := SaveRule(ctx, tx, q, o.Tenant, id, plant, x, true)
			if err != nil {
				return err
			}
			out.count(saved, x.ExternalTag)
		}
		if out.Added == 0 {
			return nil
		}
		return o.Audit(ctx, tx, db.Entry{Action: "integration.suggestions_accepted", ObjectType: "integration", ObjectID: id.String(),
			After: map[string]any{"added": out.Added, "tags": out.Fresh}})
	})
	return out, err
}

// suggested turns the suggestions for some nodes into rules, with the units
// converted and the range that the source declares.
func (p Plant) suggested(nodes []db.IntegrationNode) []Rule {
	suggester := p.Suggester()
	var out []Rule
	for _, n := range nodes {
		found, ok := suggester.Suggest(Tag{n.Address, n.Name, n.Unit})
		if !n.Leaf || n.GoneAt != nil || !ok {
			continue
		}
		x := p.Fill(Rule{ExternalTag: n.Address, Asset: found.Target.Tag, Metric: found.Target.Metric, SourceUnit: n.Unit})
		x.Low, x.High = x.Bounds(n.Low, n.High)
		out = append(out, x)
	}
	return out
}

// Suggester prepares the signals of the plant for suggestions.
func (p Plant) Suggester() Suggester {
	targets := make([]db.MappingTargetsRow, 0, len(p.signals))
	for _, x := range p.signals {
		targets = append(targets, x)
	}
	return NewSuggester(targets)
}

// ArchiveRule ends a rule; what it brought stays.
func (s Service) ArchiveRule(ctx context.Context, o Origin, id, rule uuid.UUID) error {
	return s.DB.InTenant(ctx, o.Tenant, func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		before, err := q.GetMapping(ctx, tx, o.Tenant, id, rule)
		if err != nil {
			return err
		}
		if _, err := q.ArchiveMapping(ctx, tx, o.Tenant, id, rule); err != nil {
			return err
		}
		return o.Audit(ctx, tx, db.Entry{Action: "integration.mapping_archived", ObjectType: "integration_mapping", ObjectID: rule.String(), Before: before})
	})
}

// FetchHistory asks for the last week of newly mapped tags where the source
// keeps an archive and the integration is active; elsewhere it does nothing.
func (s Service) FetchHistory(ctx context.Context, o Origin, id uuid.UUID, tags []string) error {
	if len(tags) == 0 {
		return nil
	}
	can, err := s.Can(ctx, o.Tenant, id)
	if err != nil || !can.Backfill {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	_, err = s.askPast(ctx, o, id, causeMapping, Past{From: now.Add(-mappingHistory), To: now, Tags: tags})
	if fault.CodeOf(err) == fault.Conflict && err != nil { // paused
		return nil
	}
	return err
}
