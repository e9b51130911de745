package web

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
)

// staleAfter is how long a connector may be silent before the wizard says so.
const staleAfter = 15 * time.Minute

// preflightShown bounds the names listed under one finding.
const preflightShown = 6

// preflight lists what the engine would have to do without.
type preflight struct {
	Assets   int
	Findings []finding
}

// finding is one kind of gap in the data with what it means for the plan.
type finding struct {
	Icon, Tone, Title, Text string
	Items                   []findingItem
	More                    int
}

// findingItem links to where a gap is closed. Tag is an asset tag; Name the
// name of something that has none.
type findingItem struct{ Href, Tag, Name string }

// add counts an item and lists the first few.
func (f *finding) add(item findingItem) {
	if len(f.Items) == preflightShown {
		f.More++
		return
	}
	f.Items = append(f.Items, item)
}

func (f *finding) count() int { return len(f.Items) + f.More }

// loadPreflight gathers the gaps: prices first, because an asset without them
// is left out of a plan.
func loadPreflight(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID, p Page) (preflight, error) {
	assets, err := q.PreflightAssets(ctx, tx, tenant)
	if err != nil {
		return preflight{}, err
	}
	silent, err := q.PreflightIntegrations(ctx, tx, tenant, time.Now().Add(-staleAfter))
	if err != nil {
		return preflight{}, err
	}
	unpriced := finding{Icon: "banknote", Tone: "bad"}
	unscored := finding{Icon: "circle-dashed", Tone: "warn"}
	greyed := finding{Icon: "shield-alert", Tone: "warn"}
	wrongUnit := finding{Icon: "triangle-alert", Tone: "warn"}
	stale := finding{Icon: "plug", Tone: "warn"}
	for _, a := range assets {
		item := findingItem{Href: "/assets/" + a.ID.String(), Tag: a.Tag}
		switch {
		case a.Unpriced:
			unpriced.add(item)
		case a.Unscored:
			unscored.add(item)
		case a.Greyed:
			greyed.add(item)
		}
		if a.WrongUnit {
			wrongUnit.add(item)
		}
	}
	for _, x := range silent {
		stale.add(findingItem{Href: "/integrations/" + x.ID.String(), Name: x.Name})
	}
	out := preflight{Assets: len(assets)}
	for _, x := range []struct {
		name string
		*finding
	}{{"unpriced", &unpriced}, {"unscored", &unscored}, {"greyed", &greyed}, {"wrong_unit", &wrongUnit}, {"stale", &stale}} {
		if n := x.count(); n > 0 {
			x.Title, x.Text = p.N("scenarios.preflight."+x.name, n), p.T("scenarios.preflight."+x.name+".text")
			out.Findings = append(out.Findings, *x.finding)
		}
	}
	return out, nil
}
