package db

import (
	"bytes"

	"github.com/google/uuid"

	"github.com/optria-iq/optria/internal/auditchain"
)

func genesis(tenant uuid.UUID) []byte { return auditchain.Genesis(tenant) }

// ChainRow is a row of the log as the arithmetic of the chain knows it.
func ChainRow(r AuditLog) auditchain.Row {
	return auditchain.Row{
		TenantID: r.TenantID, Seq: r.Seq, OccurredAt: r.OccurredAt, ActorID: r.ActorID, ActorKind: r.ActorKind, ActorName: r.ActorName,
		Action: r.Action, ObjectType: r.ObjectType, ObjectID: r.ObjectID, Before: r.BeforeState, After: r.AfterState,
		RemoteAddr: r.RemoteAddr, RequestID: r.RequestID, PrevHash: r.PrevHash, Hash: r.Hash,
	}
}

func chainHash(r AuditLog) []byte { return ChainRow(r).Sum() }

// chainCheck walks a chain row by row and holds the roots of its days against
// it, which are in order of their days.
type chainCheck struct {
	auditchain.Walk
	roots []auditchain.Root
	days  int // roots that hold
}

// accept checks the next row. It returns false and the finished report when
// the row does not continue the chain.
func (c *chainCheck) accept(r AuditLog) (AuditReport, bool) {
	if seq, kind := c.Accept(ChainRow(r)); kind != "" {
		return c.broken(seq, kind), false
	}
	return c.root()
}

// root holds the roots that end at the current row against it.
func (c *chainCheck) root() (AuditReport, bool) {
	for len(c.roots) > 0 && c.roots[0].LastSeq <= c.Seq {
		if !c.Holds(c.roots[0]) {
			report := c.broken(c.Seq, BreakRoot)
			report.Day = c.roots[0].Day
			return report, false
		}
		c.roots = c.roots[1:]
		c.days++
	}
	return AuditReport{}, true
}

// finish compares the end of the chain with its head.
func (c *chainCheck) finish(head GetAuditHeadRow) AuditReport {
	switch {
	case c.Seq != head.Seq || !bytes.Equal(c.Hash, head.Hash):
		return c.broken(c.Seq, BreakHead)
	case len(c.roots) > 0: // of rows that the chain does not have
		report := c.broken(c.Seq+1, BreakRoot)
		report.Day = c.roots[0].Day
		return report
	}
	return AuditReport{Rows: c.Seq, Roots: c.days, Intact: true}
}

func (c *chainCheck) broken(seq int64, kind BreakKind) AuditReport {
	return AuditReport{Rows: c.Seq, Roots: c.days, BrokenSeq: seq, Break: kind}
}
