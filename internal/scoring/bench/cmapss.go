package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/optria-iq/optria/internal/scoring/cmapss"
	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

// turbofans is one set of C-MAPSS and what it is held against.
type turbofans struct {
	name      string
	units     float64 // in the official test set, over which the PHM08 score is summed
	most      float64 // cycles left at most in the official test set
	rmse      Goal
	score     Goal
	meanWidth Goal
}

var turbofanSets = []turbofans{
	{"FD001", 100, 145, below(12.5, 11.0), below(250, 185), below(36, 29)},
	{"FD002", 259, 194, below(12.0, 10.4), below(700, 480), below(37, 31)},
	{"FD003", 100, 145, below(12.0, 9.6), below(270, 180), below(35, 29)},
	{"FD004", 248, 195, below(12.5, 11.2), below(850, 600), below(40, 33)},
}

const (
	turbofanFolds = 5
	turbofanDraws = 10 // cuts per life of a cross-validation
)

func below(must, aim float64) Goal { return Goal{Must: must, Aim: aim, Lower: true} }
func above(must, aim float64) Goal { return Goal{Must: must, Aim: aim} }

// ReadTurbofans reads lives from a file of C-MAPSS.
func ReadTurbofans(path string) ([]prognosis.Unit, error) {
	lives, err := readFile(path, cmapss.Read)
	if err != nil {
		return nil, err
	}
	units := make([]prognosis.Unit, len(lives))
	for i, life := range lives {
		units[i] = prognosis.Unit{ID: life.Unit, Rows: life.Rows}
	}
	return units, nil
}

// TurbofanConfig is the one configuration for all sets.
func TurbofanConfig(seed uint64) prognosis.Config {
	return prognosis.Config{Signals: cmapss.Columns(), Operating: cmapss.Operating(), Seed: seed}
}

// measureCMAPSS predicts the test set of FD001, and cross-validates by unit
// where there is no test set and for what needs whole lives.
func measureCMAPSS(ctx context.Context, dir string, seed uint64) ([]Row, error) {
	var out []Row
	var errors float64
	for _, set := range turbofanSets {
		units, err := ReadTurbofans(filepath.Join(dir, "train_"+set.name+".txt"))
		if err != nil {
			return out, err
		}
		crossed, all, err := prognosis.CrossValidate(ctx, units, TurbofanConfig(seed), turbofanFolds)
		if err != nil {
			return out, fmt.Errorf("%s: %w", set.name, err)
		}
		cut := prognosis.Truncate(all, set.most, turbofanDraws, seed)
		scored, draws, note := cut, turbofanDraws, fmt.Sprintf("%d-fold by unit, cut at random as the official test set, %d × per life", turbofanFolds, turbofanDraws)
		if set.name == "FD001" {
			out = append(out, set.rows(set.name+" cv", scored, draws, note, false)...)
			tested, rows, err := measureTurbofan(ctx, dir, units, seed)
			if err != nil {
				return out, fmt.Errorf("%s: %w", set.name, err)
			}
			scored, draws, note, out = tested, 1, "official test set", append(out, rows...)
		}
		errors += prognosis.Evaluate(scored).RMSECapped / float64(len(turbofanSets))
		out = append(out, set.rows(set.name, scored, draws, note, true)...)
		out = append(out, alarmRows(set.name, crossed)...)
	}
	return append(out, Row{Set: "FD001–4", Metric: "RMSE capped, mean", Value: errors, Goal: below(12.25, 10.55)}), nil
}

// medianScore returns the PHM08 score of one cut per life, the median over the
// draws and the worst: the score grows exponentially, so that one life that wears
// and recovers, as some do, would drown all others in a sum over the draws.
func medianScore(cut []prognosis.Scored, draws int) (median, worst float64) {
	scores := make([]float64, draws)
	for d := range scores {
		var one []prognosis.Scored
		for i := d; i < len(cut); i += draws {
			one = append(one, cut[i])
		}
		scores[d] = prognosis.Evaluate(one).Score / float64(len(one))
	}
	slices.Sort(scores)
	return (scores[(draws-1)/2] + scores[draws/2]) / 2, scores[draws-1]
}

// rows lists the figures of one set, with or without their goals.
func (s turbofans) rows(name string, scored []prognosis.Scored, draws int, note string, held bool) []Row {
	m, scale := prognosis.Evaluate(scored), s.units/float64(len(scored))
	score, worst := medianScore(scored, draws)
	scoreNote := fmt.Sprintf("truth capped, per %.0f units", s.units)
	if draws > 1 {
		scoreNote += fmt.Sprintf("; median of %d draws, worst %.0f", draws, worst*s.units)
	}
	out := []Row{
		{Metric: "RMSE capped", Value: m.RMSECapped, Goal: s.rmse, Note: note},
		{Metric: "RMSE", Value: m.RMSE},
		{Metric: "PHM08 score", Value: score * s.units, Goal: s.score, Note: scoreNote},
		{Metric: "PHM08 score uncapped", Value: m.ScoreUncapped * scale, Note: "mean of the draws"},
		{Metric: "coverage 90 %", Value: m.Coverage90, Goal: Goal{Must: 0.87, Most: 0.96, Band: true}, Note: "aim 0.88–0.95"},
		{Metric: "coverage 90 %, < 50 left", Value: m.Coverage90Below50, Note: "aim 0.88–0.95"},
		{Metric: "mean width", Value: m.MeanWidth, Goal: s.meanWidth},
		{Metric: "P(fail ≤ 30) Brier skill", Value: m.BrierSkill30, Goal: above(0.80, 0.90)},
		{Metric: "P(fail ≤ 30) calibration error", Value: m.CalibrationError30, Goal: below(0.05, 0.02)},
	}
	for i := range out {
		out[i].Set = name
		if !held {
			out[i].Goal = Goal{}
		}
	}
	return out
}

// alarmRows lists what the alarm rule did along whole lives.
func alarmRows(name string, m prognosis.Metrics) []Row {
	note := fmt.Sprintf("whole lives, %d-fold by unit", turbofanFolds)
	return []Row{
		{Set: name, Metric: "alarm missed", Value: m.Missed, Goal: below(0.02, 0), Note: note},
		{Set: name, Metric: "alarm lead p05", Value: m.LeadP05, Goal: above(15, 19), Note: note},
		{Set: name, Metric: "alarm premature", Value: m.Premature, Goal: below(0.05, 0.02), Note: "more than 60 cycles early; " + note},
	}
}

// measureTurbofan predicts the official test set of FD001 and returns the
// predictions and the figures of the explanations.
func measureTurbofan(ctx context.Context, dir string, train []prognosis.Unit, seed uint64) ([]prognosis.Scored, []Row, error) {
	model, err := prognosis.Fit(ctx, train, TurbofanConfig(seed))
	if err != nil {
		return nil, nil, err
	}
	test, err := ReadTurbofans(filepath.Join(dir, "test_FD001.txt"))
	if err != nil {
		return nil, nil, err
	}
	left, err := readFile(filepath.Join(dir, "RUL_FD001.txt"), readLeft)
	if err != nil {
		return nil, nil, err
	}
	if len(left) != len(test) {
		return nil, nil, fmt.Errorf("%d test units, but %d remaining lives", len(test), len(left))
	}
	scored := make([]prognosis.Scored, len(test))
	for i, u := range test {
		p, err := model.Predict(u.Rows)
		if err != nil {
			return nil, nil, fmt.Errorf("unit %s: %w", u.ID, err)
		}
		scored[i] = prognosis.Scored{Unit: u.ID, Age: len(u.Rows), Truth: left[i], Prediction: p}
	}
	rows, err := explainRows(model, test, train)
	return scored, rows, err
}

// readLeft reads one remaining life per line.
func readLeft(r io.Reader) (out []float64, err error) {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		field := strings.TrimSpace(lines.Text())
		if field == "" {
			continue
		}
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, v)
	}
	return out, lines.Err()
}
