package prognosis_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/scoring/prognosis"
)

func TestStoredModelPredictsTheSame(t *testing.T) {
	t.Parallel()
	m := fit(t, fleet(8, 1), config())
	b, err := m.MarshalBinary()
	require.NoError(t, err)
	var back prognosis.Model
	require.NoError(t, back.UnmarshalBinary(b))
	rows := fleet(1, 3)[0].Rows
	for _, n := range []int{1, 40, len(rows)} {
		want, got := predict(t, m, rows[:n]), predict(t, &back, rows[:n])
		require.Equal(t, want.FailureWithin(30), got.FailureWithin(30))
		require.Equal(t, want.Similar, got.Similar)
		require.Equal(t, want.Contributions, got.Contributions)
		require.Equal(t, [4]float64{want.Raw, want.Base, want.Lo, want.Hi}, [4]float64{got.Raw, got.Base, got.Lo, got.Hi})
	}
	again, err := back.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, b, again)
}

func TestDamagedModelIsRefused(t *testing.T) {
	t.Parallel()
	b, err := fit(t, fleet(6, 1), config()).MarshalBinary()
	require.NoError(t, err)
	var m prognosis.Model
	require.ErrorContains(t, m.UnmarshalBinary(nil), "not a stored model")
	require.ErrorContains(t, m.UnmarshalBinary(b[:len(b)/2]), "damaged")
	for i := 0; i < len(b); i += 997 {
		damaged := bytes.Clone(b)
		damaged[i] ^= 0x10
		require.Error(t, m.UnmarshalBinary(damaged))
	}
	// With the checksum put right, what no longer fits is still refused.
	for old, put := range map[string]string{
		`"signals":[1,`: `"signals":[9,`, `"level":0.`: `"level":7.`, `"Cap":80`: `"Cap":-1`,
		`"indices":[[`: `"indices":[[[1],`, `"predicted":"`: `"predicted":"AAAAAAAA`, `"states":"`: `"states":"AAAA`,
		`"Centroids":[[`: `"Centroids":[[1],[`, `"config"`: `"confog"`, `{`: `[`,
	} {
		require.Contains(t, string(b), old)
		body := bytes.Replace(b[:len(b)-4], []byte(old), []byte(put), 1)
		sealed := binary.LittleEndian.AppendUint32(body, crc32.ChecksumIEEE(body))
		require.Error(t, m.UnmarshalBinary(sealed), "%s → %s", old, put)
	}
	require.Nil(t, m.Signals())
}

// TestFoldsNeverShareAUnit: in cross-validation every row of every life is
// predicted once, by a model whose past lives do not include it.
func TestFoldsNeverShareAUnit(t *testing.T) {
	t.Parallel()
	units := fleet(10, 1)
	c := config()
	c.Trees = 10
	metrics, all, err := prognosis.CrossValidate(context.Background(), units, c, 5)
	require.NoError(t, err)
	seen := map[string]map[int]bool{}
	for _, s := range all {
		if seen[s.Unit] == nil {
			seen[s.Unit] = map[int]bool{}
		}
		require.False(t, seen[s.Unit][s.Age], "predicted twice")
		seen[s.Unit][s.Age] = true
	}
	for _, u := range units {
		require.Len(t, seen[u.ID], len(u.Rows))
	}
	require.Positive(t, metrics.N)
	_, _, err = prognosis.CrossValidate(context.Background(), units, c, 11)
	require.ErrorContains(t, err, "11 folds of 10 lives")

	// A life changed beyond recognition changes only the predictions of the
	// lives in other folds and, as input, its own; never the model it meets.
	twin := fleet(10, 1)
	twin[3].Rows = twin[3].Rows[:40]
	twin[3].Remaining = 500
	_, again, err := prognosis.CrossValidate(context.Background(), twin, c, 5)
	require.NoError(t, err)
	first, second := byAge(all, twin[3].ID), byAge(again, twin[3].ID)
	for age := 1; age <= 40; age++ {
		require.Equal(t, first[age], second[age], "the model that predicts a life has not seen it")
	}
}

func byAge(all []prognosis.Scored, unit string) map[int]float64 {
	out := map[int]float64{}
	for _, s := range all {
		if s.Unit == unit {
			out[s.Age] = s.Prediction.Raw
		}
	}
	return out
}
