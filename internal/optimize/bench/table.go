package bench

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteTable prints one line per solve and, per set, the mean and the largest
// value of what can be averaged.
func WriteTable(w io.Writer, rows []Row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "set\tinstance\tseed\tobjective\tbound\tgap %\tto best %\tfirst s\tseconds\tMiB\tverified\tunserved\t\t")
	for k, r := range rows {
		fmt.Fprintln(t, strings.Join(append(r.cells(), r.Note), "\t")+"\t")
		if k+1 == len(rows) || rows[k+1].Set != r.Set {
			writeSummary(t, ofSet(rows, r.Set))
		}
	}
	return t.Flush()
}

func ofSet(rows []Row, set string) []Row {
	var list []Row
	for _, r := range rows {
		if r.Set == set {
			list = append(list, r)
		}
	}
	return list
}

func (r Row) cells() []string {
	c := r.Certificate
	cells := []string{r.Set, r.Instance, fmt.Sprint(r.Seed)}
	if r.Err != nil {
		return append(cells, "failed: "+r.Err.Error(), "", "", "", decimals(r.FirstPlan, 1), decimals(r.Seconds, 1), decimals(r.PeakMiB, 0), "no", "")
	}
	bound, gap := "none", "-"
	if c.BoundKnown {
		bound, gap = significant(c.Bound), decimals(100*c.Gap, 4)
	}
	return append(cells, significant(c.Objective), bound, gap, decimals(r.GapToBest(), 4), decimals(r.FirstPlan, 1), decimals(r.Seconds, 1),
		decimals(r.PeakMiB, 0), yes(c.Verified), count(r.Unserved))
}

// short is the line of a finished solve.
func (r Row) short() string { return strings.TrimSpace(strings.Join(r.cells(), " ") + " " + r.Note) }

func writeSummary(w io.Writer, rows []Row) {
	for _, s := range []struct {
		name string
		of   func([]float64) float64
	}{{"mean", mean}, {"max", largest}} {
		gap, best := s.of(values(rows, Row.gapPercent)), s.of(values(rows, Row.GapToBest))
		first, seconds, memory := s.of(values(rows, func(r Row) float64 { return r.FirstPlan })), s.of(values(rows, func(r Row) float64 { return r.Seconds })),
			s.of(values(rows, func(r Row) float64 { return r.PeakMiB }))
		fmt.Fprintf(w, "%s\t%s of %d\t\t\t\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\t\n", rows[0].Set, s.name, len(rows), decimals(gap, 4), decimals(best, 4), decimals(first, 1),
			decimals(seconds, 1), decimals(memory, 0), fmt.Sprintf("%d of %d", verifiedRows(rows), len(rows)), count(allUnserved(rows)))
	}
	fmt.Fprintln(w, strings.Repeat("\t", 13))
}

func (r Row) gapPercent() float64 {
	if r.Err != nil || !r.Certificate.BoundKnown {
		return math.NaN()
	}
	return 100 * r.Certificate.Gap
}

func verifiedRows(rows []Row) int {
	n := 0
	for _, r := range rows {
		if r.Err == nil && r.Certificate.Verified {
			n++
		}
	}
	return n
}

func allUnserved(rows []Row) int {
	sum := -1
	for _, r := range rows {
		if r.Unserved >= 0 {
			sum = max(sum, 0) + r.Unserved
		}
	}
	return sum
}

// values lists a number of every row that has one.
func values(rows []Row, of func(Row) float64) []float64 {
	var list []float64
	for _, r := range rows {
		if v := of(r); !math.IsNaN(v) {
			list = append(list, v)
		}
	}
	return list
}

func mean(list []float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range list {
		sum += v
	}
	return sum / float64(len(list))
}

func largest(list []float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	top := math.Inf(-1)
	for _, v := range list {
		top = max(top, v)
	}
	return top
}

func significant(v float64) string { return strconv.FormatFloat(v, 'g', 11, 64) }

func decimals(v float64, n int) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strconv.FormatFloat(v, 'f', n, 64)
}

func yes(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

func count(n int) string {
	if n < 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

// WriteCSV writes every row with all its numbers; what is not known is empty.
func WriteCSV(w io.Writer, rows []Row) error {
	out := csv.NewWriter(w)
	records := [][]string{{"set", "instance", "seed", "objective", "bound", "gap_percent", "best_known", "gap_to_best_percent", "first_plan_s", "seconds",
		"peak_mib", "status", "verified", "unserved", "iterations", "solver", "note", "error"}}
	for _, r := range rows {
		records = append(records, r.record())
	}
	if err := out.WriteAll(records); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func (r Row) record() []string {
	c := r.Certificate
	objective, bound, best, failure := math.NaN(), math.NaN(), math.NaN(), ""
	if r.Err != nil {
		failure = r.Err.Error()
	} else {
		objective = c.Objective
		if c.BoundKnown {
			bound = c.Bound
		}
	}
	if r.Best != nil {
		best = *r.Best
	}
	return []string{r.Set, r.Instance, fmt.Sprint(r.Seed), exact(objective), exact(bound), exact(r.gapPercent()), exact(best), exact(r.GapToBest()), exact(r.FirstPlan),
		exact(r.Seconds), exact(r.PeakMiB), string(c.Status), yes(r.Err == nil && c.Verified), exactCount(r.Unserved), fmt.Sprint(c.Iterations), c.Solver.Name, r.Note, failure}
}

func exact(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func exactCount(n int) string {
	if n < 0 {
		return ""
	}
	return fmt.Sprint(n)
}
