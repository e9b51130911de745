// Package auditchain is the arithmetic of an audit log that shows tampering:
// the hash of a row over its content and the row before it, the roots of its
// days, the walk that names the first broken link, and the file in which a
// chain leaves the product. It needs no database.
package auditchain

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"time"

	"github.com/google/uuid"
)

// Row is one event of a chain. ActorID is nil for the system and for anonymous
// visitors; Before and After are JSON as stored, nil for none.
type Row struct {
	TenantID             uuid.UUID
	Seq                  int64
	OccurredAt           time.Time
	ActorID              *uuid.UUID
	ActorKind, ActorName string
	Action               string
	ObjectType, ObjectID string
	Before, After        []byte
	RemoteAddr           string
	RequestID            string
	PrevHash, Hash       []byte
}

// Root is the hash that a chain had at the end of a day in UTC: the one of row
// LastSeq. Rows is how many rows the day added.
type Root struct {
	Day     time.Time
	LastSeq int64
	Rows    int64
	Hash    []byte
}

// The hash of a row is SHA-256 over the domain "optria.audit.v1" and then
// every column but hash, in the order of the table:
//
//	tenant_id seq occurred_at actor_id actor_kind actor_name action object_type
//	object_id before_state after_state remote_addr request_id prev_hash
//
// Each field is written as one byte (0 for NULL, 1 for a value), the length of
// the value as a big-endian uint64 and the value itself, so no two rows give
// the same bytes. Values: uuid as its 16 bytes; seq as big-endian int64;
// occurred_at as big-endian microseconds since 1970 UTC; text and json as
// stored, in UTF-8. prev_hash of row 1 is SHA-256 over "optria.audit.genesis"
// and the 16 bytes of tenant_id.
const (
	chainDomain   = "optria.audit.v1"
	genesisDomain = "optria.audit.genesis"
)

// Genesis is what the first row of a tenant's chain names as its predecessor.
func Genesis(tenant uuid.UUID) []byte {
	h := sha256.New()
	h.Write([]byte(genesisDomain))
	h.Write(tenant[:])
	return h.Sum(nil)
}

// Sum computes the hash of a row from all its other fields.
func (r Row) Sum() []byte {
	h := fieldHash{sha256.New()}
	h.Write([]byte(chainDomain))
	h.value(r.TenantID[:])
	h.integer(r.Seq)
	h.integer(r.OccurredAt.UnixMicro())
	if r.ActorID == nil {
		h.null()
	} else {
		h.value(r.ActorID[:])
	}
	h.text(r.ActorKind, r.ActorName, r.Action, r.ObjectType, r.ObjectID)
	h.json(r.Before)
	h.json(r.After)
	h.text(r.RemoteAddr, r.RequestID)
	h.value(r.PrevHash)
	return h.Sum(nil)
}

// fieldHash writes length-prefixed fields into a hash.
type fieldHash struct{ hash.Hash }

func (h fieldHash) null() { h.Write(make([]byte, 9)) }

func (h fieldHash) value(b []byte) {
	prefix := binary.BigEndian.AppendUint64([]byte{1}, uint64(len(b)))
	h.Write(prefix)
	h.Write(b)
}

func (h fieldHash) json(b []byte) {
	if b == nil {
		h.null()
		return
	}
	h.value(b)
}

func (h fieldHash) text(fields ...string) {
	for _, f := range fields {
		h.value([]byte(f))
	}
}

func (h fieldHash) integer(n int64) { h.value(binary.BigEndian.AppendUint64(nil, uint64(n))) } // #nosec G115 -- the bits of the number are hashed

// Break names how a chain is broken.
type Break string

// The ways a chain breaks. A row that was changed no longer matches its hash;
// a row that was rehashed no longer continues the one before it; rows cut off
// at the end leave the head pointing beyond them; a root of a day that is not
// the hash of the day's last row shows that the chain was written anew. In a
// file rows can also stand in another order, and the end can be missing or
// not be signed.
const (
	BreakMissing Break = "missing"
	BreakChanged Break = "changed"
	BreakLink    Break = "wrong_previous"
	BreakHead    Break = "wrong_head"
	BreakRoot    Break = "wrong_root"
	BreakOrder   Break = "reordered"
	BreakForm    Break = "unreadable"
	BreakSeal    Break = "wrong_seal"
)

// Walk follows a chain row by row. Seq and Hash belong to the last row that
// held.
type Walk struct {
	Seq  int64
	Hash []byte
}

// Accept checks the next row. It answers the number and the kind of the break
// when the row does not continue the chain, and an empty kind when it does.
func (w *Walk) Accept(r Row) (seq int64, kind Break) {
	switch {
	case r.Seq != w.Seq+1:
		return w.Seq + 1, BreakMissing
	case !bytes.Equal(r.Hash, r.Sum()):
		return r.Seq, BreakChanged
	case !bytes.Equal(r.PrevHash, w.Hash):
		return r.Seq, BreakLink
	}
	w.Seq, w.Hash = r.Seq, r.Hash
	return 0, ""
}

// Holds reports whether a root is the hash of the row that the walk is at.
func (w *Walk) Holds(r Root) bool { return r.LastSeq == w.Seq && bytes.Equal(r.Hash, w.Hash) }
