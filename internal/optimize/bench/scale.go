package bench

import (
	"encoding/json"
	"fmt"

	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/optimize/maintenance/generate"
)

// scaleSeed draws the instances of the scale set; the seeds of a run are for
// the search.
const scaleSeed = 1

// scaleDays is the horizon of the maintenance instances, a year.
const scaleDays = 365

// scaleCases lists generated instances of growing size.
func scaleCases() ([]Case, error) {
	var list []Case
	for _, n := range []int{200, 500, 1000, 2000} {
		list = append(list, Case{
			Set: SetScale, Instance: fmt.Sprintf("maintenance-%dx%d", n, scaleDays), Format: "optria", Problem: maintenance.Kind,
			Load: func() ([]byte, error) { return json.Marshal(generate.Fleet(n, scaleDays, scaleSeed)) },
		})
	}
	return list, nil
}
