package seal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Schema names this form of a seal.
const Schema = "optria.seal.v1"

// Kind is the kind of a sealed file.
type Kind string

// The kinds of files that can carry a seal.
const (
	HTML Kind = "html"
	PDF  Kind = "pdf"
)

// marker opens every seal; comments is how each kind hides one from readers.
const marker = "OPTRIA-SEAL "

var comments = map[Kind]struct{ open, close string }{
	HTML: {"<!-- ", " -->\n"},
	PDF:  {"%", "\n"},
}

// Piece is one named run of bytes with what tells its content. Sum and Moment
// are the sums of b and of b·(position+1) over its bytes, modulo the prime
// 2³¹-1: when exactly one byte was changed, the two say which, and SHA256
// proves it. Blocks are the first four bytes of the SHA-256 of each block of
// BlockSize bytes and narrow down any other change.
type Piece struct {
	Name   string `json:"name"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	SHA256 string `json:"sha256"`
	Sum    int64  `json:"sum"`
	Moment int64  `json:"moment"`
	Blocks string `json:"blocks"`
}

// BlockSize is the length of the blocks of a piece in bytes.
const BlockSize = 1024

// modulus of the sums of a piece.
const modulus = 1<<31 - 1

// Seal is the signed end of a file. Pieces cover the file from its first byte
// to the seal without a gap. Subject is what the file is about, for programs.
// Ending follows the seal; together with it every byte of the file is covered.
type Seal struct {
	Schema    string          `json:"schema"`
	Kind      Kind            `json:"kind"`
	Subject   json.RawMessage `json:"subject"`
	Pieces    []Piece         `json:"pieces"`
	SHA256    string          `json:"sha256"`
	Ending    string          `json:"ending"`
	KeyID     string          `json:"key_id"`
	PublicKey string          `json:"public_key"`
	Signature string          `json:"signature"`
}

// Part is a named run of bytes of a file that is to be sealed.
type Part struct {
	Name   string
	Length int
}

// Close appends a seal to a file. The parts must cover body; ending is
// repeated after the seal.
func Close(kind Kind, body []byte, parts []Part, subject any, ending string, key Key) ([]byte, error) {
	encoded, err := json.Marshal(subject)
	if err != nil {
		return nil, fmt.Errorf("encode subject of seal: %w", err)
	}
	whole := sha256.Sum256(body)
	s := Seal{Schema: Schema, Kind: kind, Subject: encoded, SHA256: hex.EncodeToString(whole[:]), Ending: ending,
		KeyID: key.Public().ID(), PublicKey: key.Public().String()}
	offset := 0
	for _, p := range parts {
		if p.Length < 0 || offset+p.Length > len(body) {
			return nil, errors.New("parts of a sealed file reach beyond it")
		}
		s.Pieces = append(s.Pieces, measure(p.Name, offset, body[offset:offset+p.Length]))
		offset += p.Length
	}
	if offset != len(body) {
		return nil, errors.New("parts of a sealed file do not cover it")
	}
	message, err := s.message()
	if err != nil {
		return nil, err
	}
	s.Signature = hex.EncodeToString(key.Sign(message))
	line, err := s.line()
	if err != nil {
		return nil, err
	}
	return append(append(append([]byte{}, body...), line...), ending...), nil
}

// message is what is signed: the schema and the SHA-256 of the seal without
// its signature.
func (s Seal) message() ([]byte, error) {
	s.Signature = ""
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode seal: %w", err)
	}
	sum := sha256.Sum256(b)
	return append([]byte(Schema+"\n"), sum[:]...), nil
}

// line is the seal as it stands in the file.
func (s Seal) line() ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode seal: %w", err)
	}
	c := comments[s.Kind]
	return []byte(c.open + marker + string(b) + c.close), nil
}

func measure(name string, offset int, body []byte) Piece {
	sum := sha256.Sum256(body)
	p := Piece{Name: name, Offset: offset, Length: len(body), SHA256: hex.EncodeToString(sum[:])}
	p.Sum, p.Moment = sums(body)
	for i := 0; i < len(body); i += BlockSize {
		p.Blocks += blockMark(body[i:min(len(body), i+BlockSize)])
	}
	return p
}

func blockMark(block []byte) string {
	sum := sha256.Sum256(block)
	return fmt.Sprintf("%08x", binary.BigEndian.Uint32(sum[:]))
}

func sums(body []byte) (sum, moment int64) {
	for i, b := range body {
		sum = (sum + int64(b)) % modulus
		moment = (moment + int64(b)*(int64(i+1)%modulus)) % modulus
	}
	return sum, moment
}
