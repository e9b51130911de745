package bench

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/optria-iq/optria/internal/scoring/change"
)

// NAB is one series of the Numenta Anomaly Benchmark.
type NAB struct {
	Times  []string
	Values []float64
}

// ReadNAB reads a table with the columns timestamp and value.
func ReadNAB(r io.Reader) (NAB, error) {
	table := csv.NewReader(r)
	header, err := table.Read()
	if err != nil {
		return NAB{}, fmt.Errorf("read header: %w", err)
	}
	if len(header) < 2 || header[0] != "timestamp" || header[1] != "value" {
		return NAB{}, fmt.Errorf("the header begins with %.30q, want timestamp,value", header[0])
	}
	var s NAB
	for {
		record, err := table.Read()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return NAB{}, fmt.Errorf("read row: %w", err)
		}
		v, err := reading(record[1])
		if err != nil {
			return NAB{}, fmt.Errorf("line %d: value: %w", len(s.Values)+2, err)
		}
		s.Times, s.Values = append(s.Times, record[0]), append(s.Values, v)
	}
}

// Judged is the judgement of one reading of a series.
type Judged struct {
	Score float64 // an alarm begins above 1
	Alarm bool
}

// Detect judges a series reading by reading. The first probation readings, by
// default those that NAB does not score, raise no alarm; the quiet time after
// an alarm is a third as long.
func (s NAB) Detect(probation int) ([]Judged, error) {
	if probation == 0 {
		probation = nabProbation(len(s.Values))
	}
	if probation >= len(s.Values) {
		return nil, fmt.Errorf("%d readings, the first %d on probation: nothing is left to judge", len(s.Values), probation)
	}
	t, err := change.NewTail(change.TailConfig{Rest: probation / 3})
	if err != nil {
		return nil, err
	}
	out := make([]Judged, len(s.Values))
	for i, v := range s.Values {
		score, alarm := t.Next(v)
		out[i] = Judged{Score: score, Alarm: alarm && i >= probation}
	}
	return out, nil
}

// nabProbation is how many leading rows NAB leaves for learning.
func nabProbation(rows int) int { return int(0.15 * float64(min(rows, 5000))) }

// nabWindow is a labelled anomaly: the first and last row of its window.
type nabWindow struct{ first, last int }

// nabFalse is the weight of a false positive in NAB's standard profile; that
// of a hit and of a missed window is 1.
const nabFalse = 0.11

// nabSigmoid scores a detection at a position relative to a window: −1 at its
// first row, 0 just past its last, positive beyond.
func nabSigmoid(position float64) float64 {
	if position > 3 {
		return -1
	}
	return 2/(1+math.Exp(5*position)) - 1
}

// nabScore is the raw score of a series (Lavin and Ahmad, Evaluating Real-Time
// Anomaly Detection Algorithms, 2015): per window the best of its detections
// or −1, and for every detection outside a part of −0.11 that depends on how
// far behind a window it comes.
func nabScore(alarms []bool, windows []nabWindow) float64 {
	score := -float64(len(windows))
	best := make([]float64, len(windows))
	probation := nabProbation(len(alarms))
	for i, on := range alarms {
		if !on || i < probation {
			continue
		}
		in := slices.IndexFunc(windows, func(w nabWindow) bool { return i >= w.first && i <= w.last })
		if in >= 0 {
			w := windows[in]
			position := -float64(w.last-i+1) / float64(w.last-w.first+1)
			// A hit replaces the −1 of a miss.
			best[in] = max(best[in], 1+nabSigmoid(position)/nabSigmoid(-1))
			continue
		}
		score += nabFalse * nabOutside(i, windows)
	}
	for _, v := range best {
		score += v
	}
	return score
}

// nabOutside is the unweighted score of a detection outside all windows.
func nabOutside(i int, windows []nabWindow) float64 {
	value := -1.0
	for _, w := range windows {
		if w.last < i {
			value = nabSigmoid(float64(i-w.last) / float64(max(w.last-w.first, 1)))
		}
	}
	return value
}

// measureNAB scores all series with one configuration. 0 is a detector that
// never speaks, 100 one that names every window at its first row and nothing
// else.
func measureNAB(ctx context.Context, dir string, _ uint64) ([]Row, error) {
	labels, err := nabLabels(filepath.Join(dir, "labels", "combined_windows.json"))
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "data", "*", "*.csv"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(errors.New("no series below data"), err)
	}
	total, windows, hits, outside := 0.0, 0, 0, 0
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name := filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
		alarms, found, err := nabSeries(path, labels[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		total += nabScore(alarms, found)
		windows += len(found)
		h, o := nabCounts(alarms, found)
		hits, outside = hits+h, outside+o
	}
	n := float64(windows)
	return []Row{
		{Set: "NAB", Metric: "score, standard profile", Value: 100 * (total + n) / (2 * n), Note: fmt.Sprintf("%d series, %d windows, one configuration", len(files), windows)},
		{Set: "NAB", Metric: "windows found", Value: share(hits, windows)},
		{Set: "NAB", Metric: "false detections per series", Value: share(outside, len(files))},
	}, nil
}

func nabLabels(path string) (out map[string][][2]string, err error) {
	raw, err := os.ReadFile(path) // #nosec G304 -- below the folder named on the command line
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, fmt.Errorf("parse windows: %w", err)
	}
	return out, nil
}

// nabSeries returns the alarms of a series and its windows as rows.
func nabSeries(path string, labels [][2]string) ([]bool, []nabWindow, error) {
	s, err := readFile(path, ReadNAB)
	if err != nil {
		return nil, nil, err
	}
	judged, err := s.Detect(0)
	if err != nil {
		return nil, nil, err
	}
	alarms := make([]bool, len(judged))
	for i, v := range judged {
		alarms[i] = v.Alarm
	}
	var windows []nabWindow
	for _, l := range labels {
		w := nabWindow{slices.Index(s.Times, nabTime(l[0])), slices.Index(s.Times, nabTime(l[1]))}
		if w.first < 0 || w.last < w.first {
			return nil, nil, fmt.Errorf("the window from %s to %s is not in the series", l[0], l[1])
		}
		windows = append(windows, w)
	}
	return alarms, windows, nil
}

// nabTime cuts the fraction of a second that labels carry and series do not.
func nabTime(label string) string { return label[:min(len(label), len("2006-01-02 15:04:05"))] }

func nabCounts(alarms []bool, windows []nabWindow) (hits, outside int) {
	for _, w := range windows {
		if slices.Contains(alarms[w.first:w.last+1], true) {
			hits++
		}
	}
	for i, on := range alarms {
		if on && !slices.ContainsFunc(windows, func(w nabWindow) bool { return i >= w.first && i <= w.last }) {
			outside++
		}
	}
	return hits, outside
}
