package seal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/dossier/seal"
)

func testKey(t testing.TB, secret string) seal.Key {
	t.Helper()
	k, err := seal.DeriveKey([]byte(strings.Repeat(secret, 32)))
	require.NoError(t, err)
	return k
}

// sealed is a small file of three sections.
func sealed(t testing.TB, kind seal.Kind) (file []byte, keys seal.Keys) {
	t.Helper()
	key := testKey(t, "k")
	parts := []string{"<html>", strings.Repeat("approved by Mona; ", 120), "</html>\n"}
	ending := map[seal.Kind]string{seal.PDF: "startxref\n12\n%%EOF\n"}[kind]
	file, err := seal.Close(kind, []byte(strings.Join(parts, "")), []seal.Part{{Name: "frame", Length: len(parts[0])}, {Name: "approvals", Length: len(parts[1])}, {Name: "frame", Length: len(parts[2])}},
		map[string]string{"plan": "p --> <x>"}, ending, key)
	require.NoError(t, err)
	return file, seal.Keys{key.Public()}
}

// Every byte of a sealed file is covered: whatever value it takes, the check
// names its section, and outside the seal the very byte.
func TestEveryByteIsCovered(t *testing.T) {
	t.Parallel()
	for _, kind := range []seal.Kind{seal.HTML, seal.PDF} {
		file, keys := sealed(t, kind)
		report := seal.Check(file, keys)
		require.Equal(t, seal.Authentic, report.Verdict)
		body := 0
		for _, p := range report.Seal.Pieces {
			body += p.Length
		}
		for i := range file {
			for _, flip := range []byte{0x20, 0xff} {
				changed := bytes.Clone(file)
				changed[i] ^= flip
				report := seal.Check(changed, keys)
				require.NotEqual(t, seal.Authentic, report.Verdict, "%s byte %d", kind, i)
				require.NotEqual(t, seal.Unconfirmed, report.Verdict, "%s byte %d", kind, i)
				if i >= body {
					require.Equal(t, seal.PartSeal, report.Difference.Part, "%s byte %d", kind, i)
					continue
				}
				want := "approvals"
				if i < len("<html>") || i >= body-len("</html>\n") {
					want = "frame"
				}
				require.Equal(t, seal.Difference{Part: want, From: i, To: i + 1, Exact: true, Want: file[i], Found: changed[i]}, *report.Difference)
			}
		}
	}
}

// Cutting, adding and moving bytes is found where it begins, to a block.
func TestOtherChanges(t *testing.T) {
	t.Parallel()
	file, keys := sealed(t, seal.PDF)
	edits := map[string]struct {
		change func([]byte) []byte
		part   string
		at     int // the first byte that differs, -1 for anywhere
	}{
		"two bytes":           {func(b []byte) []byte { b[1500], b[1600] = 'X', 'Y'; return b }, "approvals", 1500},
		"cut in the middle":   {func(b []byte) []byte { return append(b[:700], b[720:]...) }, "approvals", 700},
		"added in the middle": {func(b []byte) []byte { return append(bytes.Clone(b[:700]), append([]byte("x"), b[700:]...)...) }, "approvals", 700},
		"added at the start":  {func(b []byte) []byte { return append([]byte("\n"), b...) }, "frame", 0},
		"added at the end":    {func(b []byte) []byte { return append(b, ' ') }, "seal", len(file)},
		"cut at the end":      {func(b []byte) []byte { return b[:len(b)-1] }, "seal", len(file) - 1},
		"seal cut off":        {func(b []byte) []byte { return b[:bytes.Index(b, []byte("%OPTRIA-SEAL"))] }, "seal", -1},
		"empty":               {func([]byte) []byte { return nil }, "seal", 0},
	}
	for name, e := range edits {
		report := seal.Check(e.change(bytes.Clone(file)), keys)
		require.NotNil(t, report.Difference, name)
		require.Equal(t, e.part, report.Difference.Part, name)
		if e.at >= 0 {
			require.LessOrEqual(t, report.Difference.From, e.at, name)
			require.GreaterOrEqual(t, report.Difference.To+1, e.at, name)
			require.LessOrEqual(t, report.Difference.To-report.Difference.From, seal.BlockSize, name)
		}
	}
}

// A whole file under another key is told apart from an authentic one, also
// when the forger names the right key.
func TestForgery(t *testing.T) {
	t.Parallel()
	file, keys := sealed(t, seal.HTML)
	forged, err := seal.Close(seal.HTML, []byte("forged"), []seal.Part{{Name: "frame", Length: 6}}, nil, "", testKey(t, "f"))
	require.NoError(t, err)
	require.Equal(t, seal.Unconfirmed, seal.Check(forged, keys).Verdict)
	other, own := testKey(t, "f").Public(), keys[0]
	named := bytes.ReplaceAll(bytes.ReplaceAll(forged, []byte(other.String()), []byte(own.String())), []byte(other.ID()), []byte(own.ID()))
	require.Equal(t, seal.Altered, seal.Check(named, keys).Verdict)
	require.Equal(t, seal.Unconfirmed, seal.Check(file, nil).Verdict)
	require.Equal(t, seal.Authentic, seal.Check(file, seal.Keys{other, own}).Verdict, "a former key still counts")
}

// selfSigned is a file whose seal lists any pieces, signed by the key that the
// seal names: its text and its signature hold, whatever the pieces say.
func selfSigned(t testing.TB, body string, pieces ...seal.Piece) []byte {
	t.Helper()
	key := testKey(t, "f")
	s := seal.Seal{Schema: seal.Schema, Kind: seal.HTML, Subject: json.RawMessage("null"), Pieces: pieces, KeyID: key.Public().ID(), PublicKey: key.Public().String()}
	unsigned, err := json.Marshal(s)
	require.NoError(t, err)
	sum := sha256.Sum256(unsigned)
	s.Signature = hex.EncodeToString(key.Sign(append([]byte(seal.Schema+"\n"), sum[:]...)))
	text, err := json.Marshal(s)
	require.NoError(t, err)
	return fmt.Appendf(nil, "%s<!-- OPTRIA-SEAL %s -->\n", body, text)
}

// beyond lists pieces that reach beyond their file of one body.
func beyond(body string) map[string][]seal.Piece {
	sum := sha256.Sum256([]byte(body))
	whole, none := hex.EncodeToString(sum[:]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	return map[string][]seal.Piece{
		"one byte":     {{Name: "x", Length: len(body) + 1, SHA256: whole}},
		"overflow":     {{Name: "x", Length: math.MaxInt, SHA256: whole}, {Name: "y", Offset: math.MaxInt, Length: 5, SHA256: none}},
		"at the end":   {{Name: "x", Length: len(body), SHA256: whole}, {Name: "y", Offset: len(body), Length: math.MaxInt, SHA256: none}},
		"another hash": {{Name: "x", Length: math.MaxInt, SHA256: none}},
	}
}

// A seal that its own key signs may say anything of its pieces: what reaches
// beyond the file is a difference within it, never a panic.
func TestPiecesBeyondTheFile(t *testing.T) {
	t.Parallel()
	const body = "<html>"
	for name, pieces := range beyond(body) {
		report := seal.Check(selfSigned(t, body, pieces...), nil)
		require.Equal(t, seal.Altered, report.Verdict, name)
		require.NotNil(t, report.Seal, "%s: its text and signature hold", name)
		d := report.Difference
		require.True(t, 0 <= d.From && d.From <= d.To && d.To <= len(body), "%s: %d to %d", name, d.From, d.To)
	}
	sum := sha256.Sum256([]byte(body))
	whole := seal.Piece{Name: "x", Length: len(body), SHA256: hex.EncodeToString(sum[:])}
	require.Equal(t, seal.Unconfirmed, seal.Check(selfSigned(t, body, whole), nil).Verdict, "the hand-made seal is a seal")
}

func TestCloseRefusesPartsThatDoNotFit(t *testing.T) {
	t.Parallel()
	for _, length := range []int{5, 7, -1} {
		_, err := seal.Close(seal.HTML, []byte("123456"), []seal.Part{{Name: "x", Length: length}}, nil, "", testKey(t, "k"))
		require.Error(t, err, fmt.Sprint(length))
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	_, err := seal.DeriveKey([]byte("short"))
	require.Error(t, err)
	k := testKey(t, "k").Public()
	again, err := seal.ParsePublicKey(" " + k.String() + "\n")
	require.NoError(t, err)
	require.Equal(t, k, again)
	require.NotEqual(t, k.ID(), testKey(t, "j").Public().ID())
	for _, bad := range []string{"", "x", k.String()[:40], k.String() + "AAAA"} {
		_, err := seal.ParsePublicKey(bad)
		require.Error(t, err, bad)
	}
}

// FuzzCheck feeds the parser anything: it answers, and never takes what the
// product did not write for authentic.
func FuzzCheck(f *testing.F) {
	file, keys := sealed(f, seal.HTML)
	pdf, _ := sealed(f, seal.PDF)
	f.Add(file)
	f.Add(pdf)
	f.Add([]byte("<!-- OPTRIA-SEAL {\"pieces\":[{\"offset\":-1,\"length\":99}]} -->\n"))
	f.Add([]byte("%OPTRIA-SEAL null\n"))
	for _, pieces := range beyond("<html>") {
		f.Add(selfSigned(f, "<html>", pieces...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		report := seal.Check(b, keys)
		if bytes.Equal(b, file) || bytes.Equal(b, pdf) {
			require.Equal(t, seal.Authentic, report.Verdict)
			return
		}
		require.NotEqual(t, seal.Authentic, report.Verdict)
		if d := report.Difference; d != nil {
			require.True(t, 0 <= d.From && d.From <= d.To && d.To <= len(b), "%d to %d of %d", d.From, d.To, len(b))
		}
	})
}
