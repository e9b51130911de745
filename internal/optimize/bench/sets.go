package bench

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// folder is a set of instance files with the best known objectives beside
// them in best_known.csv.
type folder struct{ name, dir, pattern, format string }

// folders are the public sets in the layout of the data folder.
var folders = []folder{
	{"roadef", "roadef2020", "*.json", "roadef2020"},
	{"trsp", "trsp", "*.txt", "trsp"},
	{"trsp-real", "trsp_real", "*.txt", "trsp-real"},
	{"uc", "uc_pglib", "*.json", "pglib-uc"},
}

// The sets beside the folders of public instances.
const (
	SetReplacement = "replacement"
	SetScale       = "scale"
	SetHighs       = "highs"
	SetAll         = "all"
)

// Sets lists the names that Config.Sets and the command line know.
func Sets() []string {
	var names []string
	for _, f := range folders {
		names = append(names, f.name)
	}
	return append(names, SetReplacement, SetScale, SetHighs)
}

// cases lists the instances of a set. An error tells what is missing; cases
// may be there all the same.
func (c Config) cases(set string) ([]Case, error) {
	var list []Case
	var err error
	switch set {
	case SetReplacement:
		list, err = c.replacementCases()
	case SetScale:
		list = scaleCases()
	default:
		for _, f := range folders {
			if f.name == set {
				list, err = f.cases(c.Data)
			}
		}
	}
	kept, pickErr := c.pick(list)
	if len(kept) > 0 && !c.Formats.Has(kept[0].Format) {
		return nil, errors.Join(err, fmt.Errorf("no format %q in this build", kept[0].Format))
	}
	if err == nil && pickErr == nil && len(kept) == 0 {
		pickErr = errors.New("no such instance")
	}
	return kept, errors.Join(err, pickErr)
}

// pick keeps the instances that the glob of the configuration names.
func (c Config) pick(list []Case) ([]Case, error) {
	if c.Instances == "" {
		return list, nil
	}
	var kept []Case
	for _, k := range list {
		ok, err := filepath.Match(c.Instances, k.Instance)
		if err != nil {
			return nil, fmt.Errorf("instances %q: %w", c.Instances, err)
		}
		if ok {
			kept = append(kept, k)
		}
	}
	return kept, nil
}

func (f folder) cases(data string) ([]Case, error) {
	dir := filepath.Join(data, f.dir)
	files, err := filepath.Glob(filepath.Join(dir, f.pattern))
	if err != nil {
		return nil, fmt.Errorf("list instances: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no %s in %s", f.pattern, dir)
	}
	best, err := bestKnown(filepath.Join(dir, "best_known.csv"))
	sort.Strings(files)
	var list []Case
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		k := Case{Set: f.name, Instance: name, Format: f.format, Load: func() ([]byte, error) { return os.ReadFile(file) }} // #nosec G304 -- the user's own folder
		if v, ok := best[name]; ok {
			k.Best = &v
		}
		list = append(list, k)
	}
	return list, err
}

// bestKnown reads the columns instance and best_known of a CSV file. A path
// before the name of an instance is left out.
func bestKnown(path string) (map[string]float64, error) {
	f, err := os.Open(path) // #nosec G304 -- the user's own folder
	if err != nil {
		return nil, fmt.Errorf("read best known values: %w", err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read best known values: %w", err)
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("read best known values: %s is empty", path)
	}
	instance, value := column(records[0], "instance"), column(records[0], "best_known")
	if instance < 0 || value < 0 {
		return nil, fmt.Errorf("read best known values: %s lacks the column instance or best_known", path)
	}
	best := map[string]float64{}
	for n, r := range records[1:] {
		if r[value] == "" {
			continue
		}
		v, err := strconv.ParseFloat(r[value], 64)
		if err != nil {
			return nil, fmt.Errorf("read best known values: %s line %d: best_known: %w", path, n+2, err)
		}
		best[r[instance][strings.LastIndex(r[instance], "/")+1:]] = v
	}
	return best, nil
}

func column(header []string, name string) int {
	for k, h := range header {
		if h == name {
			return k
		}
	}
	return -1
}

// unserved counts the jobs that a plan in JSON leaves out, by its list of them
// or by its decisions; −1 when the plan is of another kind.
func unserved(output []byte) (int, error) {
	if len(output) == 0 || output[0] != '{' {
		return -1, nil
	}
	var plan struct {
		Routes    json.RawMessage   `json:"routes"`
		Unserved  []json.RawMessage `json:"unserved"`
		Decisions []struct {
			Unserved bool `json:"unserved"`
		} `json:"decisions"`
	}
	if err := json.Unmarshal(output, &plan); err != nil {
		return -1, fmt.Errorf("read plan: %w", err)
	}
	if plan.Routes == nil {
		return -1, nil
	}
	n := len(plan.Unserved)
	for _, d := range plan.Decisions {
		if d.Unserved {
			n++
		}
	}
	return n, nil
}
