package db

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"time"

	"github.com/google/uuid"
)

// The hash of an audit row is SHA-256 over the domain "optria.audit.v1" and
// then every column but hash, in the order of the table:
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

// genesis is what the first row of a tenant's chain names as its predecessor.
func genesis(tenant uuid.UUID) []byte {
	h := sha256.New()
	h.Write([]byte(genesisDomain))
	h.Write(tenant[:])
	return h.Sum(nil)
}

// chainHash computes the hash of a row from all its other columns.
func chainHash(r AuditLog) []byte {
	h := fieldHash{sha256.New()}
	h.Write([]byte(chainDomain))
	h.value(r.TenantID[:])
	h.integer(r.Seq)
	h.time(r.OccurredAt)
	if r.ActorID == nil {
		h.null()
	} else {
		h.value(r.ActorID[:])
	}
	h.text(r.ActorKind, r.ActorName, r.Action, r.ObjectType, r.ObjectID)
	h.json(r.BeforeState)
	h.json(r.AfterState)
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

func (h fieldHash) integer(n int64) { h.value(binary.BigEndian.AppendUint64(nil, uint64(n))) }

func (h fieldHash) time(t time.Time) { h.integer(t.UnixMicro()) }

// chainCheck walks a chain row by row; seq and prev belong to the last row
// that held.
type chainCheck struct {
	seq  int64
	prev []byte
}

// accept checks the next row. It returns false and the finished report when
// the row does not continue the chain.
func (c *chainCheck) accept(r AuditLog) (AuditReport, bool) {
	switch {
	case r.Seq != c.seq+1:
		return c.broken(c.seq+1, BreakMissing), false
	case !bytes.Equal(r.Hash, chainHash(r)):
		return c.broken(r.Seq, BreakChanged), false
	case !bytes.Equal(r.PrevHash, c.prev):
		return c.broken(r.Seq, BreakLink), false
	}
	c.seq, c.prev = r.Seq, r.Hash
	return AuditReport{}, true
}

// finish compares the end of the chain with its head.
func (c *chainCheck) finish(head GetAuditHeadRow) AuditReport {
	if c.seq != head.Seq || !bytes.Equal(c.prev, head.Hash) {
		return c.broken(c.seq, BreakHead)
	}
	return AuditReport{Rows: c.seq, Intact: true}
}

func (c *chainCheck) broken(seq int64, kind BreakKind) AuditReport {
	return AuditReport{Rows: c.seq, BrokenSeq: seq, Break: kind}
}
