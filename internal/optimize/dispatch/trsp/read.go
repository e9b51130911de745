package trsp

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/optria-iq/optria/internal/optimize"
)

// The largest instance that is accepted.
const (
	maxTechnicians = 5000
	maxStops       = 20000
	maxMatrixStops = 6000
	maxTools       = 64
	maxParts       = 64
	maxSkills      = 1 << 16
	maxNumber      = 1e9
)

// reader walks the lines of a file.
type reader struct {
	lines []string
	at    int
}

// Read parses an instance with coordinates.
func Read(data []byte) (*Instance, error) { return read(data, false) }

// ReadReal parses an instance with a matrix of travel times.
func ReadReal(data []byte) (*Instance, error) { return read(data, true) }

func read(data []byte, matrix bool) (*Instance, error) {
	r := &reader{lines: strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")}
	in := &Instance{Name: strings.TrimSpace(r.lines[0])}
	if err := r.counts(in); err != nil {
		return nil, err
	}
	if err := r.stops(in); err != nil {
		return nil, err
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	if matrix {
		if err := r.matrix(in); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// seek moves behind the first line that starts with a word.
func (r *reader) seek(word string) bool {
	for ; r.at < len(r.lines); r.at++ {
		if strings.HasPrefix(strings.TrimSpace(r.lines[r.at]), word) {
			r.at++
			return true
		}
	}
	return false
}

func (r *reader) line() string { return fmt.Sprintf("line %d", r.at+1) }

func (r *reader) counts(in *Instance) error {
	if !r.seek("CREW COUNT") || r.at >= len(r.lines) {
		return optimize.Invalid("CREW COUNT", "missing: want its heading and a line with technicians, skills, tools and spare parts")
	}
	fields := strings.Fields(r.lines[r.at])
	if len(fields) < 4 {
		return optimize.Invalid(r.line(), "want the numbers of technicians, skills, tools and spare parts")
	}
	for k, want := range []struct {
		name  string
		limit int
		value *int
	}{{"technicians", maxTechnicians, &in.Technicians}, {"skills", maxSkills, &in.Skills}, {"tools", maxTools, &in.Tools}, {"spare parts", maxParts, &in.Parts}} {
		n, err := strconv.Atoi(fields[k])
		if err != nil || n < 0 || n > want.limit {
			return optimize.Invalid(r.line()+", "+want.name, fmt.Sprintf("want a whole number from 0 to %d, have %q", want.limit, fields[k]))
		}
		*want.value = n
	}
	r.at++
	return nil
}

// stops reads the rows behind the heading "ID X Y …" up to an empty line or a
// heading.
func (r *reader) stops(in *Instance) error {
	if !r.seek("ID") {
		return optimize.Invalid("DEPOT TECHNICIANS AND REQUESTS", "missing: want a heading that starts with ID and one row per stop")
	}
	for ; r.at < len(r.lines); r.at++ {
		text := strings.TrimSpace(r.lines[r.at])
		if text == "" || text == "DISTANCES" || text == "TRAVEL TIMES" {
			if text == "" && len(in.Stops) == 0 {
				continue
			}
			break
		}
		if len(in.Stops) >= maxStops {
			return optimize.Invalid(r.line(), fmt.Sprintf("more than %d stops", maxStops))
		}
		stop, err := r.stop(text, len(in.Stops))
		if err != nil {
			return err
		}
		in.Stops = append(in.Stops, stop)
	}
	if len(in.Stops) == 0 {
		return optimize.Invalid("DEPOT TECHNICIANS AND REQUESTS", "has no rows")
	}
	return nil
}

// stop reads one row: ID, X, Y, TWS, TWE, Serv, [skills], [tools], [parts].
func (r *reader) stop(text string, id int) (Stop, error) {
	var s Stop
	numbers, lists, ok := strings.Cut(text, "[")
	fields := strings.Fields(numbers)
	if !ok || len(fields) != 6 {
		return s, optimize.Invalid(r.line(), "want ID, X, Y, TWS, TWE, Serv, [skills], [tools] and [parts]")
	}
	if n, err := strconv.Atoi(fields[0]); err != nil || n != id {
		return s, optimize.Invalid(r.line()+", ID", fmt.Sprintf("want %d, have %q", id, fields[0]))
	}
	for k, want := range []struct {
		name  string
		value *float64
	}{{"X", &s.X}, {"Y", &s.Y}, {"TWS", &s.From}, {"TWE", &s.To}, {"Serv", &s.Service}} {
		v, err := number(fields[k+1])
		if err != nil {
			return s, optimize.Invalid(r.line()+", "+want.name, err.Error())
		}
		*want.value = v
	}
	parts := strings.Split("["+lists, "]")
	if len(parts) != 4 || strings.TrimSpace(parts[3]) != "" {
		return s, optimize.Invalid(r.line(), "want three lists in brackets: skills, tools and parts")
	}
	for k, want := range []struct {
		name  string
		value *[]int
	}{{"SKILLS", &s.Skills}, {"TOOLS", &s.Tools}, {"SPARE PARTS", &s.Parts}} {
		list, err := integers(parts[k])
		if err != nil {
			return s, optimize.Invalid(r.line()+", "+want.name, err.Error())
		}
		*want.value = list
	}
	return s, nil
}

func number(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > maxNumber {
		return 0, fmt.Errorf("want a number up to %g, have %q", maxNumber, text)
	}
	return v, nil
}

func integers(text string) ([]int, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "[") {
		return nil, fmt.Errorf("want a list in brackets, have %q", text)
	}
	var list []int
	for _, field := range strings.Split(text[1:], ",") {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		v, err := strconv.Atoi(field)
		if err != nil || v > maxNumber {
			return nil, fmt.Errorf("want whole numbers, have %q", field)
		}
		list = append(list, v)
	}
	return list, nil
}

// matrix reads the section TRAVEL TIMES: per stop its number and the times to
// every stop, separated by semicolons. Further rows and columns (copies of
// homes and of the depot) are skipped.
func (r *reader) matrix(in *Instance) error {
	n := len(in.Stops)
	if n > maxMatrixStops {
		return optimize.Invalid("TRAVEL TIMES", fmt.Sprintf("at most %d stops", maxMatrixStops))
	}
	if !r.seek("TRAVEL TIMES") {
		return optimize.Invalid("TRAVEL TIMES", "missing")
	}
	in.Times = make([][]float64, n)
	for k := range n {
		if r.at >= len(r.lines) || strings.TrimSpace(r.lines[r.at]) == "" {
			return optimize.Invalid("TRAVEL TIMES", fmt.Sprintf("want a row for each of %d stops, have %d", n, k))
		}
		fields := strings.Split(strings.TrimSpace(r.lines[r.at]), ";")
		if id, err := strconv.Atoi(fields[0]); err != nil || id != k {
			return optimize.Invalid(r.line(), fmt.Sprintf("want the row of stop %d, have %q", k, fields[0]))
		}
		if len(fields) < n+1 {
			return optimize.Invalid(r.line(), fmt.Sprintf("want %d travel times, have %d", n, len(fields)-1))
		}
		row := make([]float64, n)
		for c := range n {
			v, err := number(fields[c+1])
			if err != nil || v < 0 {
				return optimize.Invalid(fmt.Sprintf("%s, column %d", r.line(), c), fmt.Sprintf("want a travel time of at least 0, have %q", fields[c+1]))
			}
			row[c] = v
		}
		in.Times[k] = row
		r.at++
	}
	return nil
}
