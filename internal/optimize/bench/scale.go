package bench

import (
	"encoding/json"
	"fmt"

	"github.com/optria-iq/optria/internal/optimize/dispatch"
	workforce "github.com/optria-iq/optria/internal/optimize/dispatch/generate"
	"github.com/optria-iq/optria/internal/optimize/maintenance"
	"github.com/optria-iq/optria/internal/optimize/maintenance/generate"
)

// scaleSeed draws the instances of the scale set; the seeds of a run are for
// the search.
const scaleSeed = 1

// The horizons: a year of maintenance, a week of dispatch.
const (
	scaleDays    = 365
	dispatchDays = 7
)

// scaleCases lists generated instances of growing size.
func scaleCases() []Case {
	var list []Case
	for _, n := range []int{200, 500, 1000, 2000} {
		list = append(list, Case{
			Set: SetScale, Instance: fmt.Sprintf("maintenance-%dx%d", n, scaleDays), Format: "optria", Problem: maintenance.Kind,
			Load: func() ([]byte, error) { return json.Marshal(generate.Fleet(n, scaleDays, scaleSeed)) },
		})
	}
	for _, size := range [][2]int{{50, 500}, {100, 1000}, {150, 1500}, {200, 2000}} {
		list = append(list, Case{
			Set: SetScale, Instance: fmt.Sprintf("dispatch-%dx%d", size[0], size[1]), Format: "optria", Problem: dispatch.Kind,
			Load: func() ([]byte, error) {
				return json.Marshal(workforce.Workforce(size[0], size[1], dispatchDays, scaleSeed))
			},
		})
	}
	return list
}
