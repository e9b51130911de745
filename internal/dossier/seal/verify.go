package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"slices"
)

// Verdict is the outcome of checking a file.
type Verdict string

// The outcomes. Unconfirmed files are as they were sealed, but by a key that
// the verifier was not told to trust. Unsealed files carry no seal at all.
const (
	Authentic   Verdict = "authentic"
	Unconfirmed Verdict = "unconfirmed"
	Altered     Verdict = "altered"
	Unsealed    Verdict = "unsealed"
)

// PartSeal names the seal itself where a difference lies in it.
const PartSeal = "seal"

// Difference is the first place where a file is not what was sealed. It lies
// in Part, somewhere from byte From up to but not including To, counted from 0
// at the start of the file. Exact says that this one byte alone was changed,
// from Want to Found.
type Difference struct {
	Part        string
	From, To    int
	Exact       bool
	Want, Found byte
}

// Report says what became of a file. Seal is nil when none could be read.
type Report struct {
	Verdict    Verdict
	Difference *Difference
	Seal       *Seal
}

// Check compares a file with its seal. It never fails: what cannot be read is
// a difference in the seal.
func Check(file []byte, trusted Keys) Report {
	at := bytes.LastIndex(file, []byte(marker))
	if at < 0 {
		return Report{Verdict: Unsealed, Difference: &Difference{Part: PartSeal, From: len(file), To: len(file)}}
	}
	s, start, end, difference := read(file, at)
	if difference != nil {
		return Report{Verdict: Altered, Difference: difference}
	}
	report := Report{Verdict: Altered, Seal: &s}
	if report.Difference = compare(file, s, start, end); report.Difference != nil {
		return report
	}
	key, err := ParsePublicKey(s.PublicKey)
	switch {
	case err != nil || !trusted.Trusts(key):
		report.Verdict = Unconfirmed
	default:
		report.Verdict = Authentic
	}
	return report
}

// read decodes the seal whose marker stands at byte at, and checks that its
// text is exactly what the product writes and that its signature holds.
func read(file []byte, at int) (s Seal, start, end int, d *Difference) {
	for kind, c := range comments {
		start = at - len(c.open)
		if start < 0 || !bytes.HasPrefix(file[start:], []byte(c.open)) {
			continue
		}
		rest := file[at+len(marker):]
		length := bytes.IndexByte(rest, '\n')
		if length < 0 {
			return s, 0, 0, &Difference{Part: PartSeal, From: start, To: len(file)}
		}
		end = at + len(marker) + length + 1
		whole := &Difference{Part: PartSeal, From: start, To: end}
		text, closed := bytes.CutSuffix(file[at+len(marker):end], []byte(c.close))
		if !closed || json.Unmarshal(text, &s) != nil || s.Kind != kind || s.Schema != Schema {
			return s, 0, 0, whole
		}
		again, err := s.line()
		if err != nil {
			return s, 0, 0, whole
		}
		if i := firstOther(file[start:end], again); i >= 0 {
			return s, 0, 0, &Difference{Part: PartSeal, From: start + i, To: min(end, start+i+1)}
		}
		if !s.signed() {
			return s, 0, 0, whole
		}
		return s, start, end, nil
	}
	return s, 0, 0, &Difference{Part: PartSeal, From: max(0, at-1), To: at}
}

// signed reports whether the signature is of the key that the seal names.
func (s Seal) signed() bool {
	key, err := ParsePublicKey(s.PublicKey)
	if err != nil || key.ID() != s.KeyID {
		return false
	}
	signature, err := hex.DecodeString(s.Signature)
	if err != nil || hex.EncodeToString(signature) != s.Signature { // one text for one signature
		return false
	}
	message, err := s.message()
	return err == nil && key.Verify(message, signature)
}

// firstOther is the index of the first byte in which two texts differ, or -1.
func firstOther(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	return -1
}

// compare walks the pieces in order and names the first that differs. Whoever
// wrote the seal chose their offsets and lengths, so none is trusted to lie
// within the file.
func compare(file []byte, s Seal, start, end int) *Difference {
	covered := 0
	for _, p := range s.Pieces {
		if p.Offset != covered || p.Length < 0 {
			return &Difference{Part: p.Name, From: min(covered, start), To: start}
		}
		body := file[covered : covered+min(p.Length, start-covered)]
		if d := p.difference(body); d != nil {
			return d
		}
		covered += len(body)
		if len(body) < p.Length {
			return &Difference{Part: p.Name, From: covered, To: covered}
		}
	}
	if covered != start {
		return &Difference{Part: PartSeal, From: covered, To: start}
	}
	if i := firstOther(file[end:], []byte(s.Ending)); i >= 0 {
		return &Difference{Part: PartSeal, From: end + i, To: min(len(file), end+i+1)}
	}
	return nil
}

// difference finds the first change of a piece.
func (p Piece) difference(body []byte) *Difference {
	sum := sha256.Sum256(body)
	if hex.EncodeToString(sum[:]) == p.SHA256 {
		return nil
	}
	if d := p.single(body); d != nil {
		return d
	}
	for i := 0; i < len(body); i += BlockSize {
		to, at := min(len(body), i+BlockSize), i/BlockSize*8
		if at+8 > len(p.Blocks) || p.Blocks[at:at+8] != blockMark(body[i:to]) {
			return &Difference{Part: p.Name, From: p.Offset + i, To: p.Offset + to}
		}
	}
	return &Difference{Part: p.Name, From: p.Offset + len(body), To: p.Offset + len(body)}
}

// single solves the two sums for the one byte whose change explains them. It
// answers only what the hash of the repaired piece confirms.
func (p Piece) single(body []byte) *Difference {
	sum, moment := sums(body)
	change := new(big.Int).Mod(big.NewInt(sum-p.Sum), big.NewInt(modulus))
	inverse := new(big.Int).ModInverse(change, big.NewInt(modulus))
	if inverse == nil {
		return nil
	}
	position := new(big.Int).Mul(big.NewInt(moment-p.Moment), inverse)
	at := position.Mod(position, big.NewInt(modulus)).Int64() - 1
	if at < 0 || at >= int64(len(body)) {
		return nil
	}
	delta := change.Int64()
	if delta > modulus/2 {
		delta -= modulus
	}
	want := int64(body[at]) - delta
	if want < 0 || want > 255 {
		return nil
	}
	repaired := slices.Clone(body)
	repaired[at] = byte(want)
	if again := sha256.Sum256(repaired); hex.EncodeToString(again[:]) != p.SHA256 {
		return nil
	}
	from := p.Offset + int(at)
	return &Difference{Part: p.Name, From: from, To: from + 1, Exact: true, Want: byte(want), Found: body[at]}
}
