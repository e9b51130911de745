package dossier_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/dossier"
	"github.com/optria-iq/optria/internal/dossier/seal"
)

var update = flag.Bool("update", false, "write the golden documents anew")

// The document is the same in both languages but for its words.
func TestDocument(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"ar", "en"} {
		d := dossier.Compose(localizer(t, lang), record(lang, 4))
		got, err := json.MarshalIndent(d, "", " ")
		require.NoError(t, err)
		golden := filepath.Join("testdata", "document_"+lang+".json")
		if *update {
			require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o600))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got)+"\n")
	}
}

// Both languages tell the same: as many sections, blocks, rows and cells.
func TestLanguagesTellTheSame(t *testing.T) {
	t.Parallel()
	shape := func(lang string) (out []string) {
		for _, s := range dossier.Compose(localizer(t, lang), record(lang, 9)).Sections {
			for _, b := range s.Blocks {
				rows := 0
				if b.Table != nil {
					rows = len(b.Table.Rows) * len(b.Table.Columns)
				}
				out = append(out, fmt.Sprint(s.Name, len(b.Facts), rows))
			}
		}
		return out
	}
	require.Equal(t, shape("ar"), shape("en"))
	require.Greater(t, len(shape("ar")), 14)
}

// A plan without anything but its head still has every section.
func TestEmptyRecord(t *testing.T) {
	t.Parallel()
	r := dossier.Record{PlanID: "p", CreatedAt: moment, From: moment, To: moment}
	d := dossier.Compose(localizer(t, "ar"), r)
	require.Len(t, d.Sections, 14)
	for _, s := range d.Sections {
		require.NotEmpty(t, s.Blocks, s.Name)
	}
	for _, kind := range []seal.Kind{seal.HTML, seal.PDF} {
		file, err := dossier.Build(kind, localizer(t, "ar"), r, dossier.NewSubject(r, "t", "ar", 0), key())
		require.NoError(t, err)
		require.Equal(t, seal.Authentic, seal.Check(file, seal.Keys{key().Public()}).Verdict)
	}
}

// What people typed can neither run as markup, nor turn the text around it,
// nor look like a seal.
func TestTypedTextStaysText(t *testing.T) {
	t.Parallel()
	r := record("en", 1)
	r.Comments[0].Text = "<script>1</script> -->\u202e\u2069 <!-- OPTRIA-SEAL {}\n"
	file, err := dossier.Build(seal.HTML, localizer(t, "en"), r, dossier.NewSubject(r, "t", "en", 0), key())
	require.NoError(t, err)
	require.NotContains(t, string(file), "<script")
	require.NotContains(t, string(file), "\u202e")
	require.Equal(t, 1, strings.Count(string(file), "<!-- OPTRIA-SEAL "))
	require.Equal(t, seal.Authentic, seal.Check(file, seal.Keys{key().Public()}).Verdict)
	require.Contains(t, string(file), "&lt;script&gt;1&lt;/script&gt;")
}

// The same record gives the same bytes, so a hash names a dossier.
func TestSameRecordSameBytes(t *testing.T) {
	t.Parallel()
	require.Equal(t, build(t, seal.PDF, "ar", 30), build(t, seal.PDF, "ar", 30))
	require.Equal(t, build(t, seal.HTML, "en", 30), build(t, seal.HTML, "en", 30))
}

func TestSubject(t *testing.T) {
	t.Parallel()
	for _, kind := range []seal.Kind{seal.HTML, seal.PDF} {
		report := seal.Check(build(t, kind, "ar", 2), seal.Keys{key().Public()})
		require.Equal(t, seal.Authentic, report.Verdict)
		s, err := dossier.ReadSubject(*report.Seal)
		require.NoError(t, err)
		require.Equal(t, hash(3), s.Content)
		require.Equal(t, []dossier.Link{{Seq: 118, Hash: hash(5)}, {Seq: 131, Hash: hash(7)}}, s.Audit)
		require.Equal(t, []dossier.Root{{Day: "2026-11-30", Root: hash(6)}}, s.Roots)
	}
}
