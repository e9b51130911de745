package dossier_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/dossier/seal"
)

// A byte changed anywhere in a real dossier is named with its section: every
// section is hit at its first, last and a number of bytes between.
func TestFlippedBytesOfADossier(t *testing.T) {
	t.Parallel()
	keys := seal.Keys{key().Public()}
	for _, kind := range []seal.Kind{seal.HTML, seal.PDF} {
		file := build(t, kind, "ar", 3)
		pieces := seal.Check(file, keys).Seal.Pieces
		named := map[string]bool{}
		end := 0
		for _, p := range pieces {
			end = p.Offset + p.Length
			named[p.Name] = true
			for at := p.Offset; at < end; at += max(1, p.Length/4) {
				requireNamed(t, file, at, p.Name, keys)
			}
			requireNamed(t, file, end-1, p.Name, keys)
		}
		for at := end; at < len(file); at += 211 {
			changed := bytes.Clone(file)
			changed[at] ^= 0x20
			report := seal.Check(changed, keys)
			require.Contains(t, []seal.Verdict{seal.Altered, seal.Unsealed}, report.Verdict)
			require.Equal(t, seal.PartSeal, report.Difference.Part, "byte %d", at)
		}
		for _, section := range []string{"header", "certificate", "recommendations", "alternatives", "pins", "trust", "comments", "endorsements", "approvals", "withheld", "release", "evidence", "audit", "verification"} {
			require.True(t, named[section], "%s has no bytes for %s", kind, section)
		}
	}
}

func requireNamed(t *testing.T, file []byte, at int, part string, keys seal.Keys) {
	t.Helper()
	changed := bytes.Clone(file)
	changed[at] ^= 0x20
	report := seal.Check(changed, keys)
	require.Equal(t, seal.Altered, report.Verdict)
	require.Equal(t, seal.Difference{Part: part, From: at, To: at + 1, Exact: true, Want: file[at], Found: changed[at]}, *report.Difference)
}
