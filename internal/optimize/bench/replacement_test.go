package bench

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJudgeShowsTheWorstNumber(t *testing.T) {
	t.Parallel()
	var k theory
	require.NoError(t, json.Unmarshal([]byte(`{"expected":{"a":10,"b":20,"never":"inf"},"rel_tol":0.1,"recomputed":{"b":20.5}}`), &k))
	for want, answer := range map[string]string{
		"":                  `{"a":10.5,"b":20.5,"never":null}`,
		"b is 20":           `{"a":10.5,"b":20,"never":null}`,
		"a is 12":           `{"a":12,"b":20.5,"never":null}`,
		"never is 7":        `{"a":10,"b":20.5,"never":7}`,
		"answer b: missing": `{"a":10,"never":null}`,
		"read answer":       `{`,
	} {
		v, err := k.judge([]byte(answer))
		if want != "" {
			require.ErrorContains(t, err, want)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, verdict{10.5, 10, "a"}, v)
	}
}
