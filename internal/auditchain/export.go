package auditchain

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/dossier/seal"
)

// Schema names the form of an export: one JSON object per line, first a
// header, then rows and the roots of days behind the last row that each
// covers, at last a footer. Header, roots and footer are signed; a row stands
// by its hash.
const Schema = "optria.audit.export.v1"

// The types of lines.
const (
	lineHeader = "header"
	lineRow    = "row"
	lineRoot   = "root"
	lineFooter = "footer"
)

type headerLine struct {
	Type      string `json:"type"`
	Schema    string `json:"schema"`
	Tenant    string `json:"tenant"`
	Code      string `json:"code"`
	AfterSeq  int64  `json:"after_seq"`
	PrevHash  string `json:"prev_hash"`
	CreatedAt string `json:"created_at"`
	KeyID     string `json:"key_id"`
	PublicKey string `json:"public_key"`
	Signature string `json:"signature"`
}

type rowLine struct {
	Type       string  `json:"type"`
	Seq        int64   `json:"seq"`
	OccurredAt string  `json:"occurred_at"`
	ActorID    *string `json:"actor_id"`
	ActorKind  string  `json:"actor_kind"`
	ActorName  string  `json:"actor_name"`
	Action     string  `json:"action"`
	ObjectType string  `json:"object_type"`
	ObjectID   string  `json:"object_id"`
	Before     *string `json:"before"`
	After      *string `json:"after"`
	RemoteAddr string  `json:"remote_addr"`
	RequestID  string  `json:"request_id"`
	PrevHash   string  `json:"prev_hash"`
	Hash       string  `json:"hash"`
}

type rootLine struct {
	Type      string `json:"type"`
	Tenant    string `json:"tenant"`
	Day       string `json:"day"`
	LastSeq   int64  `json:"last_seq"`
	Rows      int64  `json:"rows"`
	Root      string `json:"root"`
	Signature string `json:"signature"`
}

type footerLine struct {
	Type      string `json:"type"`
	Rows      int64  `json:"rows"`
	Roots     int    `json:"roots"`
	FirstDay  string `json:"first_day"` // of the roots, empty without any
	LastSeq   int64  `json:"last_seq"`
	LastHash  string `json:"last_hash"`
	SHA256    string `json:"sha256"`
	Signature string `json:"signature"`
}

// stamp is how moments are printed: microseconds in UTC, as they are hashed.
const stamp = "2006-01-02T15:04:05.000000Z"

// Writer writes an export line by line.
type Writer struct {
	out    io.Writer
	key    seal.Key
	now    time.Time
	sum    hash.Hash
	tenant uuid.UUID
	walk   Walk
	rows   int64
	roots  int
	first  string // day of the first root
}

// NewWriter writes an export to out that is signed by key and dated now.
func NewWriter(out io.Writer, key seal.Key, now time.Time) *Writer {
	return &Writer{out: out, key: key, now: now, sum: sha256.New()}
}

// Begin writes the header: whose chain it is, and the row after which the
// export begins with its hash.
func (w *Writer) Begin(tenant uuid.UUID, code string, afterSeq int64, prev []byte) error {
	w.tenant, w.walk = tenant, Walk{afterSeq, prev}
	h := headerLine{Type: lineHeader, Schema: Schema, Tenant: tenant.String(), Code: code, AfterSeq: afterSeq, PrevHash: hex.EncodeToString(prev),
		CreatedAt: w.now.UTC().Format(stamp), KeyID: w.key.Public().ID(), PublicKey: w.key.Public().String()}
	signature, err := sign(w.key, h)
	if err != nil {
		return err
	}
	h.Signature = signature
	return w.line(h)
}

// Row writes the next row as it is stored, whether it holds or not: what is
// wrong with it is for the reader to find.
func (w *Writer) Row(r Row) error {
	w.walk = Walk{r.Seq, r.Hash}
	w.rows++
	return w.line(newRowLine(r))
}

func newRowLine(r Row) rowLine {
	l := rowLine{Type: lineRow, Seq: r.Seq, OccurredAt: r.OccurredAt.UTC().Format(stamp), ActorKind: r.ActorKind, ActorName: r.ActorName,
		Action: r.Action, ObjectType: r.ObjectType, ObjectID: r.ObjectID, Before: text(r.Before), After: text(r.After),
		RemoteAddr: r.RemoteAddr, RequestID: r.RequestID, PrevHash: hex.EncodeToString(r.PrevHash), Hash: hex.EncodeToString(r.Hash)}
	if r.ActorID != nil {
		id := r.ActorID.String()
		l.ActorID = &id
	}
	return l
}

func text(b []byte) *string {
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}

// Root writes the root of a day behind its last row.
func (w *Writer) Root(r Root) error {
	l := rootLine{Type: lineRoot, Tenant: w.tenant.String(), Day: r.Day.Format(time.DateOnly), LastSeq: r.LastSeq, Rows: r.Rows, Root: hex.EncodeToString(r.Hash)}
	signature, err := sign(w.key, l)
	if err != nil {
		return err
	}
	l.Signature = signature
	if w.roots++; w.roots == 1 {
		w.first = l.Day
	}
	return w.line(l)
}

// End writes the footer, which is signed over everything before it.
func (w *Writer) End() error {
	f := footerLine{Type: lineFooter, Rows: w.rows, Roots: w.roots, FirstDay: w.first, LastSeq: w.walk.Seq, LastHash: hex.EncodeToString(w.walk.Hash), SHA256: hex.EncodeToString(w.sum.Sum(nil))}
	signature, err := sign(w.key, f)
	if err != nil {
		return err
	}
	f.Signature = signature
	return w.line(f)
}

func (w *Writer) line(v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	w.sum.Write(b)
	if _, err := w.out.Write(b); err != nil {
		return fmt.Errorf("write audit export: %w", err)
	}
	return nil
}

// encode prints a line in its one form, so that a reader can tell a line that
// was written by somebody else.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode audit export: %w", err)
	}
	return b.Bytes(), nil
}

// message is what is signed of a line whose signature is still empty.
func message(unsigned any) ([]byte, error) {
	b, err := encode(unsigned)
	if err != nil {
		return nil, err
	}
	return append([]byte(Schema+"\n"), b...), nil
}

func sign(key seal.Key, unsigned any) (string, error) {
	m, err := message(unsigned)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(key.Sign(m)), nil
}
