package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSolveAnswersCasesOfReplacementTheory(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.json")
	one := `{"kind":"minimal_repair_overhaul","input":{"alpha":10,"beta":2,"cost_minimal_repair":1,"cost_overhaul":1}}`
	code, line, errs := run(t, one, "--format", "deferral", "-", "-o", out)
	require.Equal(t, 0, code, errs)
	require.Contains(t, line, `"objective":0.2,"bound":0.2,"gap":0,"status":"optimal"`)
	raw, err := os.ReadFile(out)
	require.NoError(t, err)
	var answer struct {
		TOpt     float64      `json:"t_opt"`
		CostRate float64      `json:"cost_rate"`
		Curve    [][2]float64 `json:"curve"`
	}
	require.NoError(t, json.Unmarshal(raw, &answer))
	require.InDelta(t, 10, answer.TOpt, 1e-12)
	require.InDelta(t, .2, answer.CostRate, 1e-12)
	require.Len(t, answer.Curve, 100)

	code, _, errs = run(t, `{"cases":[`+one+`,`+one+`]}`, "--format", "deferral", "-", "-o", out)
	require.Equal(t, 0, code, errs)
	raw, err = os.ReadFile(out)
	require.NoError(t, err)
	require.Contains(t, string(raw), `{"cases":[{`)

	code, _, errs = run(t, `{"cases":[`+one+`,{"kind":"age_replacement","input":{"eta":-4}}]}`, "--format", "deferral", "-")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "-: field cases[1].input.eta: want")
}
