package cli

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/optria-iq/optria/internal/scoring/bench"
	"github.com/optria-iq/optria/internal/scoring/monitor"
)

const anomalyUsage = "--format skab|nab --fit-rows N -o DIR FILE...   (or --format tep --fit FILE --calibrate FILE -o DIR FILE...)"

// anomalyCall is a parsed call of anomaly.
type anomalyCall struct {
	format         string
	fitRows        int
	fit, calibrate string
	out            string
	files          []string
}

// table is the judgement of one file: a header and its rows.
type table [][]string

// anomaly judges files and writes one table per file, under the file's base
// name with the ending .csv. A file that cannot be judged is reported and the
// others are still done.
func anomaly(args []string, _ io.Reader, _, stderr io.Writer) int {
	c, err := parseAnomaly(args, stderr)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(stderr, "score anomaly: %v\nusage: optria score anomaly %s\n", err, anomalyUsage)
		}
		return exitUsage
	}
	judge, err := c.judge()
	if err != nil {
		fmt.Fprintf(stderr, "score anomaly: %v\n", err)
		return exitFailure
	}
	if err := os.MkdirAll(c.out, 0o750); err != nil {
		fmt.Fprintf(stderr, "score anomaly: %v\n", err)
		return exitFailure
	}
	code := exitOK
	for _, path := range c.files {
		if err := c.judgeFile(path, judge); err != nil {
			fmt.Fprintf(stderr, "score anomaly: %s: %v\n", path, err)
			code = exitFailure
		}
	}
	return code
}

func parseAnomaly(args []string, stderr io.Writer) (c anomalyCall, err error) {
	flags := flag.NewFlagSet("score anomaly", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.format, "format", "", "skab, tep or nab")
	flags.IntVar(&c.fitRows, "fit-rows", 0, "leading rows of each file that are normal; for nab 0 takes its probation of 15 %")
	flags.StringVar(&c.fit, "fit", "", "tep: file of a normal run to learn from")
	flags.StringVar(&c.calibrate, "calibrate", "", "tep: file of another normal run that sets the limits")
	flags.StringVar(&c.out, "o", "", "folder for the results")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	c.files = flags.Args()
	switch {
	case c.format != "skab" && c.format != "tep" && c.format != "nab":
		return c, fmt.Errorf("unknown format %q, know skab, tep and nab: give --format", c.format)
	case c.format == "skab" && c.fitRows < 1:
		return c, errors.New("no normal period: give --fit-rows N")
	case c.format == "tep" && (c.fit == "" || c.calibrate == ""):
		return c, errors.New("tep needs two normal runs: give --fit FILE and --calibrate FILE")
	case c.fitRows < 0:
		return c, fmt.Errorf("--fit-rows %d is negative", c.fitRows)
	case c.out == "":
		return c, errors.New("no folder for the results: give -o DIR")
	case len(c.files) == 0:
		return c, errors.New("no files to judge")
	}
	return c, c.distinct()
}

// distinct refuses calls whose results would overwrite each other or an input.
func (c anomalyCall) distinct() error {
	written := map[string]string{}
	for _, path := range c.files {
		target := c.target(path)
		if other, ok := written[target]; ok {
			return fmt.Errorf("%s and %s would both be written to %s: judge them into different folders", other, path, target)
		}
		written[target] = path
	}
	for _, path := range append([]string{c.fit, c.calibrate}, c.files...) {
		if other, ok := written[filepath.Clean(path)]; ok && path != "" {
			return fmt.Errorf("the result of %s would overwrite %s: give another folder with -o", other, path)
		}
	}
	return nil
}

// target is where the result of a file goes.
func (c anomalyCall) target(path string) string {
	base := filepath.Base(path)
	return filepath.Join(c.out, strings.TrimSuffix(base, filepath.Ext(base))+".csv")
}

// judge returns what judges one file of the format.
func (c anomalyCall) judge() (func(io.Reader) (table, error), error) {
	switch c.format {
	case "skab":
		return c.judgeSKAB, nil
	case "nab":
		return c.judgeNAB, nil
	}
	normal, err := readTEP(c.fit)
	if err != nil {
		return nil, err
	}
	calibrate, err := readTEP(c.calibrate)
	if err != nil {
		return nil, err
	}
	d, err := bench.FitTEP(normal, calibrate)
	if err != nil {
		return nil, err
	}
	return func(r io.Reader) (table, error) { return judgeTEP(d, r) }, nil
}

func (c anomalyCall) judgeFile(path string, judge func(io.Reader) (table, error)) error {
	raw, err := os.ReadFile(path) // #nosec G304 -- the file named on the command line
	if err != nil {
		return err
	}
	rows, err := judge(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(rows); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return os.WriteFile(c.target(path), out.Bytes(), 0o600)
}

func (c anomalyCall) judgeSKAB(r io.Reader) (table, error) {
	s, err := bench.ReadSKAB(r)
	if err != nil {
		return nil, err
	}
	results, err := s.Detect(c.fitRows)
	if err != nil {
		return nil, err
	}
	out := table{{"datetime", "score", "anomaly"}}
	for i, v := range results {
		out = append(out, []string{s.Times[i], decimal(v.Score), flagged(v.Alarm)})
	}
	return out, nil
}

func (c anomalyCall) judgeNAB(r io.Reader) (table, error) {
	s, err := bench.ReadNAB(r)
	if err != nil {
		return nil, err
	}
	results, err := s.Detect(c.fitRows)
	if err != nil {
		return nil, err
	}
	out := table{{"timestamp", "value", "anomaly_score", "anomaly"}}
	for i, v := range results {
		out = append(out, []string{s.Times[i], decimal(s.Values[i]), decimal(v.Score), flagged(v.Alarm)})
	}
	return out, nil
}

func readTEP(path string) ([][]float64, error) {
	raw, err := os.ReadFile(path) // #nosec G304 -- the file named on the command line
	if err != nil {
		return nil, err
	}
	rows, err := bench.ReadTEP(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, nil
}

func judgeTEP(d *monitor.Detector, r io.Reader) (table, error) {
	rows, err := bench.ReadTEP(r)
	if err != nil {
		return nil, err
	}
	results, err := d.Score(rows)
	if err != nil {
		return nil, err
	}
	out := table{{"sample", "score", "alarm"}}
	for i, v := range results {
		out = append(out, []string{strconv.Itoa(i + 1), decimal(v.Score), flagged(v.Alarm)})
	}
	return out, nil
}

// decimal prints six significant digits.
func decimal(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

func flagged(on bool) string {
	if on {
		return "1"
	}
	return "0"
}
