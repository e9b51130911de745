package bench

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"
)

// Verdict says how a figure stands against its goal: "aim", "must", "missed",
// or empty without a goal.
func (r Row) Verdict() string {
	g := r.Goal
	within := func(limit float64) bool {
		if math.IsNaN(limit) {
			return false
		}
		if g.Lower {
			return r.Value <= limit
		}
		return r.Value >= limit
	}
	switch {
	case g == (Goal{}) || math.IsNaN(g.Must):
		return ""
	case g.Band && r.Value >= g.Must && r.Value <= g.Most:
		return "must"
	case g.Band:
		return "missed"
	case within(g.Aim):
		return "aim"
	case within(g.Must):
		return "must"
	}
	return "missed"
}

// WriteTable prints the rows as a Markdown table that is also readable as it is.
func WriteTable(w io.Writer, rows []Row) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintln(t, "| set\t| metric\t| value\t| must\t| aim\t| reached\t| note\t|")
	fmt.Fprintln(t, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, r := range rows {
		must, aim := figure(r.Goal.Must), figure(r.Goal.Aim)
		switch {
		case r.Goal == (Goal{}):
			must, aim = "", ""
		case r.Goal.Band:
			must, aim = must+" – "+figure(r.Goal.Most), ""
		}
		fmt.Fprintf(t, "| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t|\n", r.Set, r.Metric, figure(r.Value), must, aim, r.Verdict(), r.Note)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// figure prints a number with four significant digits, nothing for NaN.
func figure(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
