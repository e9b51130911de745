package auditchain_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/auditchain"
	"github.com/optria-iq/optria/internal/dossier/seal"
)

var (
	tenant = uuid.MustParse("11111111-2222-4333-8444-555555555555")
	day    = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
)

func testKey(t testing.TB, letter string) seal.Key {
	t.Helper()
	k, err := seal.DeriveKey([]byte(strings.Repeat(letter, 32)))
	require.NoError(t, err)
	return k
}

// chain is n rows, four a day.
func chain(n int) []auditchain.Row {
	prev := auditchain.Genesis(tenant)
	var out []auditchain.Row
	for i := range n {
		r := auditchain.Row{TenantID: tenant, Seq: int64(i + 1), OccurredAt: day.AddDate(0, 0, i/4).Add(time.Duration(i) * time.Minute), ActorKind: "user", ActorName: "نورة",
			Action: "plan.approved", ObjectType: "plan", ObjectID: "p<&>", After: []byte(`{"n":1}`), PrevHash: prev}
		if i%2 == 0 {
			r.ActorID = &tenant
		}
		r.Hash = r.Sum()
		prev = r.Hash
		out = append(out, r)
	}
	return out
}

// export writes rows after the first skip ones, with a root after every fourth.
func export(t testing.TB, rows []auditchain.Row, skip int, key seal.Key) []byte {
	t.Helper()
	var b bytes.Buffer
	w := auditchain.NewWriter(&b, key, day)
	prev := auditchain.Genesis(tenant)
	if skip > 0 {
		prev = rows[skip-1].Hash
	}
	require.NoError(t, w.Begin(tenant, "ACME", int64(skip), prev))
	for i, r := range rows[skip:] {
		require.NoError(t, w.Row(r))
		if n := skip + i + 1; n%4 == 0 {
			require.NoError(t, w.Root(auditchain.Root{Day: day.AddDate(0, 0, n/4-1), LastSeq: r.Seq, Rows: 4, Hash: r.Hash}))
		}
	}
	require.NoError(t, w.End())
	return b.Bytes()
}

func check(t testing.TB, file []byte, keys ...seal.PublicKey) auditchain.Report {
	t.Helper()
	r, err := auditchain.Check(bytes.NewReader(file), keys)
	require.NoError(t, err)
	return r
}

func TestWholeExports(t *testing.T) {
	t.Parallel()
	key := testKey(t, "k")
	rows := chain(11)
	r := check(t, export(t, rows, 0, key), key.Public())
	require.Equal(t, seal.Authentic, r.Verdict)
	require.Equal(t, []any{int64(11), 2, int64(1), "ACME"}, []any{r.Rows, r.Roots, r.FirstSeq, r.Code})
	r = check(t, export(t, rows, 5, key), key.Public())
	require.Equal(t, seal.Authentic, r.Verdict, "a part of the chain")
	require.Equal(t, int64(6), r.FirstSeq)
	require.Equal(t, seal.Authentic, check(t, export(t, nil, 0, key), key.Public()).Verdict, "an empty chain")
	require.Equal(t, seal.Unconfirmed, check(t, export(t, rows, 0, key), testKey(t, "j").Public()).Verdict)
	require.True(t, auditchain.IsExport(export(t, rows, 0, key)))
}

// lines: 1 header, 2-5 rows 1-4, 6 root, 7-10 rows 5-8, 11 root, 12-14 rows
// 9-11, 15 footer.
func TestTheFirstBrokenLinkIsNamed(t *testing.T) {
	t.Parallel()
	key := testKey(t, "k")
	cases := map[string]struct {
		edit func(l []string) []string
		kind auditchain.Break
		line int
		seq  int64
		day  string
	}{
		"row changed":       {func(l []string) []string { l[3] = strings.Replace(l[3], "نورة", "منى", 1); return l }, auditchain.BreakChanged, 4, 3, ""},
		"row respelled":     {func(l []string) []string { l[3] = strings.Replace(l[3], ":", ": ", 1); return l }, auditchain.BreakForm, 4, 3, ""},
		"row deleted":       {func(l []string) []string { return append(l[:3], l[4:]...) }, auditchain.BreakMissing, 4, 3, ""},
		"first row deleted": {func(l []string) []string { return append(l[:1], l[2:]...) }, auditchain.BreakMissing, 2, 1, ""},
		"last row deleted":  {func(l []string) []string { return append(l[:13], l[14:]...) }, auditchain.BreakMissing, 14, 11, ""},
		"rows swapped":      {func(l []string) []string { l[2], l[3] = l[3], l[2]; return l }, auditchain.BreakOrder, 3, 2, ""},
		"row doubled":       {func(l []string) []string { return append(l[:3], append([]string{l[2]}, l[3:]...)...) }, auditchain.BreakOrder, 4, 3, ""},
		"root changed":      {func(l []string) []string { l[5] = strings.Replace(l[5], `"rows":4`, `"rows":5`, 1); return l }, auditchain.BreakRoot, 6, 4, "2026-11-28"},
		"root deleted":      {func(l []string) []string { return append(l[:5], l[6:]...) }, auditchain.BreakRoot, 14, 11, "2026-11-28"},
		"last root deleted": {func(l []string) []string { return append(l[:10], l[11:]...) }, auditchain.BreakRoot, 14, 11, "2026-11-29"},
		"root moved":        {func(l []string) []string { l[5], l[6] = l[6], l[5]; return l }, auditchain.BreakRoot, 7, 4, "2026-11-28"},
		"end cut off":       {func(l []string) []string { return l[:14] }, auditchain.BreakMissing, 15, 12, ""},
		"cut in a line":     {func(l []string) []string { l[14] = l[14][:20]; return l }, auditchain.BreakForm, 15, 12, ""},
		"added at the end":  {func(l []string) []string { return append(l, "{}\n") }, auditchain.BreakForm, 16, 12, ""},
		"header changed":    {func(l []string) []string { l[0] = strings.Replace(l[0], "ACME", "ACNE", 1); return l }, auditchain.BreakSeal, 1, 0, ""},
		"footer changed":    {func(l []string) []string { l[14] = strings.Replace(l[14], `"rows":11`, `"rows":12`, 1); return l }, auditchain.BreakSeal, 15, 11, ""},
	}
	for name, c := range cases {
		lines := strings.SplitAfter(string(export(t, chain(11), 0, key)), "\n")
		r := check(t, []byte(strings.Join(c.edit(lines[:15]), "")), key.Public())
		require.Equal(t, seal.Altered, r.Verdict, name)
		require.Equal(t, []any{c.kind, c.line, c.seq, c.day}, []any{r.Break, r.Line, r.Seq, r.Day}, name)
	}
}

// Whoever holds the database but not a root that was kept elsewhere can write
// the chain anew; the root then shows it.
func TestRewrittenChainMissesItsRoot(t *testing.T) {
	t.Parallel()
	key := testKey(t, "k")
	rows := chain(8)
	root := auditchain.Root{Day: day, LastSeq: 4, Rows: 4, Hash: rows[3].Hash}
	rows[1].ActorName = "forger"
	for i := 1; i < len(rows); i++ {
		rows[i].PrevHash = rows[i-1].Hash
		rows[i].Hash = rows[i].Sum()
	}
	var b bytes.Buffer
	w := auditchain.NewWriter(&b, key, day)
	require.NoError(t, w.Begin(tenant, "ACME", 0, auditchain.Genesis(tenant)))
	for _, r := range rows[:4] {
		require.NoError(t, w.Row(r))
	}
	require.NoError(t, w.Root(root))
	require.NoError(t, w.End())
	r := check(t, b.Bytes(), key.Public())
	require.Equal(t, []any{auditchain.BreakRoot, "2026-11-28"}, []any{r.Break, r.Day})
}

func TestEveryByteOfAnExport(t *testing.T) {
	t.Parallel()
	key := testKey(t, "k")
	file := export(t, chain(5), 0, key)
	for i := range file {
		for _, flip := range []byte{0x20, 0x01} {
			changed := bytes.Clone(file)
			changed[i] ^= flip
			r := check(t, changed, key.Public())
			require.Equal(t, seal.Altered, r.Verdict, "byte %d", i)
			require.Equal(t, bytes.Count(file[:i], []byte("\n"))+1, max(r.Line, 1), "byte %d", i)
		}
	}
}

func FuzzCheck(f *testing.F) {
	key := testKey(f, "k")
	file := export(f, chain(5), 0, key)
	f.Add(file)
	f.Add([]byte(`{"type":"header"}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		require.Equal(t, bytes.Equal(b, file), check(t, b, key.Public()).Verdict == seal.Authentic)
	})
}
