package auditchain

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/dossier/seal"
)

// Report is the outcome of checking an export. Verdict is as for sealed files.
// When it is altered, Line is the first line that does not hold, counted from
// 1, Seq the row that is concerned and Day the root, if it is one.
type Report struct {
	Verdict          seal.Verdict
	Tenant           uuid.UUID
	Code             string
	CreatedAt        time.Time
	KeyID, PublicKey string
	FirstSeq         int64 // the first row of the file
	Rows             int64 // rows that hold
	Roots            int   // roots that hold
	Last             Walk  // the last row that holds
	Break            Break
	Line             int
	Seq              int64
	Day              string
}

// maxLine bounds a line of an export in bytes.
const maxLine = 16 << 20

// errBroken ends the reading of a file whose report is made.
var errBroken = errors.New("broken")

// reader checks an export line by line.
type reader struct {
	in      *bufio.Reader
	trusted seal.Keys
	sum     hash.Hash // over the lines before the current one
	key     seal.PublicKey
	report  Report
	walk    Walk
	day     time.Time // of the last root
	first   string    // day of the first root
	rootSeq int64     // last row of the last root, -1 before the first
	done    bool
}

// IsExport reports whether a file begins like an export.
func IsExport(file []byte) bool { return bytes.HasPrefix(file, []byte(`{"type":"`+lineHeader+`"`)) }

// Check reads an export and names the first link that is broken. The error is
// of reading alone; whatever the file holds is in the report.
func Check(in io.Reader, trusted seal.Keys) (Report, error) {
	r := &reader{in: bufio.NewReaderSize(in, 1<<16), trusted: trusted, sum: sha256.New(), rootSeq: -1}
	for !r.done {
		line, err := r.next()
		if err == nil {
			err = r.accept(line)
			r.sum.Write(line)
		}
		if errors.Is(err, errBroken) {
			return r.finish(), nil
		}
		if err != nil {
			return Report{}, fmt.Errorf("read audit export: %w", err)
		}
	}
	if _, err := r.in.Peek(1); err == nil { // something was put behind the end
		r.report.Line++
		r.report.Break, r.report.Seq = BreakForm, r.walk.Seq+1
	}
	return r.finish(), nil
}

func (r *reader) finish() Report {
	r.report.Last = r.walk
	switch {
	case r.report.Break != "":
		r.report.Verdict = seal.Altered
	case !r.trusted.Trusts(r.key):
		r.report.Verdict, r.report.Line = seal.Unconfirmed, 0
	default:
		r.report.Verdict, r.report.Line = seal.Authentic, 0
	}
	return r.report
}

// next reads a line with its line feed. A file that ends before its footer is
// broken: rows may be cut off.
func (r *reader) next() ([]byte, error) {
	r.report.Line++
	var line []byte
	for {
		part, err := r.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, bufio.ErrBufferFull) && len(line) < maxLine:
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, r.broken(BreakForm, r.walk.Seq+1)
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, r.broken(BreakForm, r.walk.Seq+1)
		case errors.Is(err, io.EOF):
			return nil, r.broken(BreakMissing, r.walk.Seq+1)
		default:
			return nil, err
		}
	}
}

func (r *reader) broken(kind Break, seq int64) error {
	r.report.Break, r.report.Seq = kind, seq
	return errBroken
}

func (r *reader) accept(line []byte) error {
	var kind struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(line, &kind) != nil || (kind.Type == lineHeader) != (r.report.Line == 1) {
		return r.broken(BreakForm, r.walk.Seq+1)
	}
	switch kind.Type {
	case lineHeader:
		return r.header(line)
	case lineRow:
		return r.row(line)
	case lineRoot:
		return r.root(line)
	case lineFooter:
		return r.footer(line)
	}
	return r.broken(BreakForm, r.walk.Seq+1)
}

// decode reads a line and reports whether it has the one form in which the
// product writes it.
func decode[T any](line []byte) (T, bool) {
	var v T
	if json.Unmarshal(line, &v) != nil {
		return v, false
	}
	again, err := encode(v)
	return v, err == nil && bytes.Equal(again, line)
}

func (r *reader) signed(signature string, unsigned any) bool {
	given, err := hex.DecodeString(signature)
	if err != nil || hex.EncodeToString(given) != signature { // one text for one signature
		return false
	}
	m, err := message(unsigned)
	return err == nil && r.key.Verify(m, given)
}

func (r *reader) header(line []byte) error {
	h, ok := decode[headerLine](line)
	key, keyErr := seal.ParsePublicKey(h.PublicKey)
	tenant, idErr := uuid.Parse(h.Tenant)
	prev, hashErr := hex.DecodeString(h.PrevHash)
	created, timeErr := time.Parse(stamp, h.CreatedAt)
	if !ok || h.Schema != Schema || errors.Join(keyErr, idErr, hashErr, timeErr) != nil {
		return r.broken(BreakForm, 0)
	}
	r.key = key
	signature := h.Signature
	h.Signature = ""
	if h.KeyID != key.ID() || !r.signed(signature, h) || (h.AfterSeq == 0 && !bytes.Equal(prev, Genesis(tenant))) {
		return r.broken(BreakSeal, 0)
	}
	r.walk = Walk{h.AfterSeq, prev}
	r.report.Tenant, r.report.Code, r.report.CreatedAt, r.report.FirstSeq = tenant, h.Code, created, h.AfterSeq+1
	r.report.KeyID, r.report.PublicKey = h.KeyID, h.PublicKey
	return nil
}

func (r *reader) row(line []byte) error {
	l, ok := decode[rowLine](line)
	if !ok {
		return r.broken(BreakForm, r.walk.Seq+1)
	}
	row, err := l.row(r.report.Tenant)
	if err != nil {
		return r.broken(BreakForm, l.Seq)
	}
	if again, err := encode(newRowLine(row)); err != nil || !bytes.Equal(again, line) { // another spelling of a time or a hash
		return r.broken(BreakForm, l.Seq)
	}
	seq, kind := r.walk.Accept(row)
	if kind == BreakMissing {
		return r.gap(seq)
	}
	if kind != "" {
		return r.broken(kind, seq)
	}
	r.report.Rows++
	return nil
}

// gap tells a row that is not in the file from one that stands further down.
func (r *reader) gap(seq int64) error {
	at := r.report.Line
	for {
		line, err := r.next()
		if errors.Is(err, errBroken) {
			r.report.Line = at
			return r.broken(BreakMissing, seq)
		}
		if err != nil {
			return err
		}
		var l rowLine
		if json.Unmarshal(line, &l) == nil && l.Type == lineRow && l.Seq == seq {
			r.report.Line = at
			return r.broken(BreakOrder, seq)
		}
	}
}

func (l rowLine) row(tenant uuid.UUID) (Row, error) {
	at, timeErr := time.Parse(stamp, l.OccurredAt)
	prev, prevErr := hex.DecodeString(l.PrevHash)
	sum, sumErr := hex.DecodeString(l.Hash)
	row := Row{TenantID: tenant, Seq: l.Seq, OccurredAt: at, ActorKind: l.ActorKind, ActorName: l.ActorName, Action: l.Action,
		ObjectType: l.ObjectType, ObjectID: l.ObjectID, RemoteAddr: l.RemoteAddr, RequestID: l.RequestID, PrevHash: prev, Hash: sum}
	if l.Before != nil {
		row.Before = []byte(*l.Before)
	}
	if l.After != nil {
		row.After = []byte(*l.After)
	}
	var idErr error
	if l.ActorID != nil {
		var id uuid.UUID
		id, idErr = uuid.Parse(*l.ActorID)
		row.ActorID = &id
	}
	return row, errors.Join(timeErr, prevErr, sumErr, idErr)
}

func (r *reader) root(line []byte) error {
	l, ok := decode[rootLine](line)
	sum, sumErr := hex.DecodeString(l.Root)
	at, dayErr := time.Parse(time.DateOnly, l.Day)
	if !ok || errors.Join(sumErr, dayErr) != nil {
		return r.broken(BreakForm, r.walk.Seq+1)
	}
	signature := l.Signature
	l.Signature = ""
	follows := r.rootSeq < 0 || (at.Equal(r.day.AddDate(0, 0, 1)) && l.Rows == l.LastSeq-r.rootSeq)
	if !r.signed(signature, l) || l.Tenant != r.report.Tenant.String() || !follows || !r.walk.Holds(Root{LastSeq: l.LastSeq, Hash: sum}) {
		r.report.Day = l.Day
		if r.rootSeq >= 0 && at.After(r.day.AddDate(0, 0, 1)) { // a day before this one is missing
			r.report.Day = r.day.AddDate(0, 0, 1).Format(time.DateOnly)
		}
		return r.broken(BreakRoot, l.LastSeq)
	}
	r.day, r.rootSeq = at, l.LastSeq
	if r.report.Roots++; r.report.Roots == 1 {
		r.first = l.Day
	}
	return nil
}

func (r *reader) footer(line []byte) error {
	f, ok := decode[footerLine](line)
	if !ok {
		return r.broken(BreakForm, r.walk.Seq+1)
	}
	signature := f.Signature
	f.Signature = ""
	switch {
	case !r.signed(signature, f):
		return r.broken(BreakSeal, r.walk.Seq)
	case f.LastSeq > r.walk.Seq:
		return r.broken(BreakMissing, r.walk.Seq+1)
	case f.LastSeq != r.walk.Seq || f.LastHash != hex.EncodeToString(r.walk.Hash) || f.Rows != r.report.Rows:
		return r.broken(BreakHead, r.walk.Seq)
	case f.Roots != r.report.Roots:
		if r.report.Day = f.FirstDay; r.first == f.FirstDay { // the days behind the last root are missing
			r.report.Day = r.day.AddDate(0, 0, 1).Format(time.DateOnly)
		}
		return r.broken(BreakRoot, r.walk.Seq)
	case f.SHA256 != hex.EncodeToString(r.sum.Sum(nil)):
		return r.broken(BreakSeal, r.walk.Seq)
	}
	r.done = true
	return nil
}
