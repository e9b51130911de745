package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"

	"github.com/optria-iq/optria/internal/scoring/cnaim"
)

const cnaimUsage = `-i FILE.json [-years N]   (- reads standard input): {"type":"132kV Transformer (GM)","age":43,..}, or a list of such`

// rated is the output of cnaim for one equipment.
type rated struct {
	cnaim.Result
	Future []cnaim.Forecast `json:"future,omitempty"` // one for each coming year
}

func rateEquipment(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("score cnaim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	path := flags.String("i", "", "JSON file of one equipment or a list, - for standard input")
	years := flags.Int("years", 0, "forecast so many years, at most 100")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if *path == "" || flags.NArg() > 0 || *years < 0 || *years > 100 {
		fmt.Fprintln(stderr, "usage: optria score cnaim", cnaimUsage)
		return exitUsage
	}
	out, err := rateFile(*path, *years, stdin)
	if err != nil {
		fmt.Fprintf(stderr, "score cnaim: %v\n", err)
		return exitFailure
	}
	enc := json.NewEncoder(stdout)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		fmt.Fprintf(stderr, "score cnaim: write result: %v\n", err)
		return exitFailure
	}
	return exitOK
}

// rateFile returns one rating, or a list of them for a list.
func rateFile(path string, years int, stdin io.Reader) (any, error) {
	raw, err := readAll(path, stdin)
	if err != nil {
		return nil, fmt.Errorf("read equipment: %w", err)
	}
	if list := bytes.TrimSpace(raw); len(list) == 0 || list[0] != '[' {
		var one cnaim.Equipment
		if err := strictJSON(raw, &one); err != nil {
			return nil, err
		}
		return rate(one, years)
	}
	var many []cnaim.Equipment
	if err := strictJSON(raw, &many); err != nil {
		return nil, err
	}
	out := make([]rated, 0, len(many))
	for i, e := range many {
		r, err := rate(e, years)
		if err != nil {
			return nil, fmt.Errorf("equipment %d: %w", i+1, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// strictJSON refuses fields that the target does not know: a misspelt one would
// count as unknown.
func strictJSON(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("parse equipment: %w", err)
	}
	return nil
}

func rate(e cnaim.Equipment, years int) (rated, error) {
	r, err := cnaim.Score(e)
	if err != nil {
		return rated{}, err
	}
	out := rated{Result: r}
	for y := range years {
		out.Future = append(out.Future, r.Future(float64(y+1)))
	}
	return out, nil
}
