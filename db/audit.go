package db

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/auditchain"
	"github.com/optria-iq/optria/internal/fault"
)

// ActorKind says what kind of actor an audit row names.
type ActorKind string

// The four kinds of actors.
const (
	ActorUser      ActorKind = "user"
	ActorService   ActorKind = "service"
	ActorSystem    ActorKind = "system"
	ActorAnonymous ActorKind = "anonymous"
)

// Actor is who did what an audit row records. ID is nil for the system and for
// anonymous visitors.
type Actor struct {
	ID   *uuid.UUID
	Kind ActorKind
	Name string
}

// SystemActor names a part of the product that acts by itself, for example
// "schedule".
func SystemActor(name string) Actor { return Actor{Kind: ActorSystem, Name: name} }

// ActorOf turns a principal into an actor; nobody becomes anonymous.
func ActorOf(p access.Principal) Actor {
	switch {
	case p.UserID == uuid.Nil:
		return Actor{Kind: ActorAnonymous, Name: p.Name}
	case p.Service:
		return Actor{ID: &p.UserID, Kind: ActorService, Name: p.Name}
	}
	return Actor{ID: &p.UserID, Kind: ActorUser, Name: p.Name}
}

// Entry is one event for the audit log. Before and After are any values that
// encode as JSON, nil for none; they must not hold secrets.
type Entry struct {
	TenantID   uuid.UUID
	Actor      Actor
	Action     string // what happened, for example "plan.approved"
	ObjectType string
	ObjectID   string
	Before     any
	After      any
	RemoteAddr string
	RequestID  string
}

// AppendAudit adds an entry to the tenant's hash chain inside the caller's
// transaction, so that the event and its record commit or vanish together. The
// head of the chain stays locked until the transaction ends: call it last.
func AppendAudit(ctx context.Context, tx pgx.Tx, e Entry) error {
	before, err := canonicalJSON(e.Before)
	if err != nil {
		return fmt.Errorf("encode audit state before: %w", err)
	}
	after, err := canonicalJSON(e.After)
	if err != nil {
		return fmt.Errorf("encode audit state after: %w", err)
	}
	q := New()
	if err := q.EnsureAuditHead(ctx, tx, e.TenantID, genesis(e.TenantID)); err != nil {
		return fmt.Errorf("open audit chain: %w", err)
	}
	head, err := q.LockAuditHead(ctx, tx, e.TenantID)
	if err != nil {
		return fmt.Errorf("lock audit chain: %w", err)
	}
	row := AuditLog{
		TenantID: e.TenantID, Seq: head.Seq + 1, OccurredAt: time.Now().UTC().Truncate(time.Microsecond),
		ActorID: e.Actor.ID, ActorKind: string(e.Actor.Kind), ActorName: e.Actor.Name,
		Action: e.Action, ObjectType: e.ObjectType, ObjectID: e.ObjectID,
		BeforeState: before, AfterState: after,
		RemoteAddr: e.RemoteAddr, RequestID: e.RequestID, PrevHash: head.Hash,
	}
	row.Hash = chainHash(row)
	if err := q.InsertAuditLog(ctx, tx, InsertAuditLogParams(row)); err != nil {
		return fmt.Errorf("append audit row: %w", err)
	}
	if err := q.MoveAuditHead(ctx, tx, row.Seq, row.Hash, row.TenantID); err != nil {
		return fmt.Errorf("move audit chain: %w", err)
	}
	return nil
}

// BreakKind names how an audit chain is broken.
type BreakKind = auditchain.Break

// The ways a stored chain breaks.
const (
	BreakMissing = auditchain.BreakMissing
	BreakChanged = auditchain.BreakChanged
	BreakLink    = auditchain.BreakLink
	BreakHead    = auditchain.BreakHead
	BreakRoot    = auditchain.BreakRoot
)

// AuditReport is the outcome of checking a tenant's chain from its beginning.
type AuditReport struct {
	Rows      int64 // rows that hold, counted from the first
	Roots     int   // roots of days that hold
	Intact    bool
	BrokenSeq int64     // the first sequence number that does not hold, 0 if intact
	Break     BreakKind // how it breaks, empty if intact
	Day       time.Time // of the root that does not hold, if that is how it breaks
}

// verifyPage bounds the rows held in memory while a chain is checked.
const verifyPage = 1000

// VerifyAudit walks the tenant's audit chain in one snapshot and names the
// first broken link.
func (d *DB) VerifyAudit(ctx context.Context, tenant uuid.UUID) (AuditReport, error) {
	var report AuditReport
	err := d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *Queries) error {
		// Rows never change and sequence numbers only grow, so reading the head
		// first bounds the walk: what is appended meanwhile lies beyond it.
		head, err := q.GetAuditHead(ctx, tx, tenant)
		if fault.CodeOf(Fault(err)) == fault.NotFound {
			head = GetAuditHeadRow{Hash: genesis(tenant)}
		} else if err != nil {
			return fmt.Errorf("read audit head: %w", err)
		}
		roots, err := rootsOf(ctx, tx, q, tenant, time.Time{}, lastDay)
		if err != nil {
			return err
		}
		report, err = walkChain(ctx, tx, q, tenant, head, roots)
		return err
	})
	return report, err
}

func walkChain(ctx context.Context, tx pgx.Tx, q *Queries, tenant uuid.UUID, head GetAuditHeadRow, roots []auditchain.Root) (AuditReport, error) {
	chain := chainCheck{Walk: auditchain.Walk{Hash: genesis(tenant)}, roots: roots}
	for chain.Seq < head.Seq {
		page, err := q.ListAuditChain(ctx, tx, tenant, chain.Seq, verifyPage)
		if err != nil {
			return AuditReport{}, fmt.Errorf("read audit rows: %w", err)
		}
		if len(page) == 0 {
			return chain.broken(chain.Seq+1, BreakMissing), nil
		}
		for _, row := range page {
			if row.Seq > head.Seq {
				return chain.finish(head), nil
			}
			if report, ok := chain.accept(row); !ok {
				return report, nil
			}
		}
	}
	return chain.finish(head), nil
}

// canonicalJSON encodes v with sorted keys and no white space, so that equal
// values give equal text; nil stays nil and is stored as NULL.
func canonicalJSON(v any) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var plain any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&plain); err != nil {
		return nil, err
	}
	return json.Marshal(plain)
}
