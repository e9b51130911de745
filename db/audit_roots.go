package db

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/internal/auditchain"
	"github.com/optria-iq/optria/internal/fault"
)

// rootGrace is how long after midnight (UTC) a day is closed: whoever still
// writes an event of the evening has committed it by then.
const rootGrace = 10 * time.Minute

// lastDay is a bound beyond every day that has a root.
var lastDay = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// CloseAuditDays writes the root of every day in UTC that is over at now and
// has none yet, from the day on which the tenant's chain began. It answers how
// many it wrote. Doing it again changes nothing.
func (d *DB) CloseAuditDays(ctx context.Context, tenant uuid.UUID, now time.Time) (int, error) {
	written := 0
	today := now.Add(-rootGrace).UTC().Truncate(day)
	err := d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *Queries) error {
		next, seq, hash, err := firstOpenDay(ctx, tx, q, tenant, today)
		if err != nil || !next.Before(today) {
			return err
		}
		// Whoever holds the head appends nothing meanwhile, and two closings of
		// one day come one after the other.
		if _, err := q.LockAuditHead(ctx, tx, tenant); err != nil {
			return fmt.Errorf("lock audit chain: %w", err)
		}
		for ; next.Before(today); next = next.Add(day) {
			last, err := q.LastAuditIn(ctx, tx, tenant, next, next.Add(day))
			if err != nil {
				return fmt.Errorf("read last row of %s: %w", next.Format(time.DateOnly), err)
			}
			rows := int64(0)
			if len(last) > 0 && last[0].Seq > seq {
				rows, seq, hash = last[0].Seq-seq, last[0].Seq, last[0].Hash
			}
			n, err := q.InsertAuditRoot(ctx, tx, InsertAuditRootParams{TenantID: tenant, Day: next, LastSeq: seq, Rows: rows, Root: hash})
			if err != nil {
				return fmt.Errorf("write root of %s: %w", next.Format(time.DateOnly), err)
			}
			written += int(n)
		}
		return nil
	})
	return written, err
}

// firstOpenDay is the first day without a root, and the last row that the roots
// cover with its hash; for an empty chain it is today.
func firstOpenDay(ctx context.Context, tx pgx.Tx, q *Queries, tenant uuid.UUID, today time.Time) (next time.Time, seq int64, hash []byte, err error) {
	last, err := q.LastAuditRoot(ctx, tx, tenant)
	if err != nil {
		return today, 0, nil, fmt.Errorf("read last root: %w", err)
	}
	if len(last) > 0 {
		return last[0].Day.UTC().Add(day), last[0].LastSeq, last[0].Root, nil
	}
	first, err := q.FirstAuditTime(ctx, tx, tenant)
	if err != nil {
		return today, 0, nil, fmt.Errorf("read begin of audit chain: %w", err)
	}
	if len(first) == 0 {
		return today, 0, genesis(tenant), nil
	}
	return first[0].UTC().Truncate(day), 0, genesis(tenant), nil
}

// rootsOf reads the roots of a span of days.
func rootsOf(ctx context.Context, tx pgx.Tx, q *Queries, tenant uuid.UUID, from, to time.Time) ([]auditchain.Root, error) {
	rows, err := q.ListAuditRoots(ctx, tx, tenant, from, to)
	if err != nil {
		return nil, fmt.Errorf("read audit roots: %w", err)
	}
	out := make([]auditchain.Root, len(rows))
	for i, r := range rows {
		out[i] = auditchain.Root{Day: r.Day.UTC(), LastSeq: r.LastSeq, Rows: r.Rows, Hash: r.Root}
	}
	return out, nil
}

// AuditSpan is a span of days in UTC, both included. The zero value is the
// whole chain.
type AuditSpan struct{ From, To time.Time }

// ParseAuditSpan reads the first and the last day of a span, YYYY-MM-DD; empty
// ones leave it open. What it refuses is invalid.
func ParseAuditSpan(from, to string) (AuditSpan, error) {
	var span AuditSpan
	for _, x := range []struct {
		text string
		day  *time.Time
	}{{from, &span.From}, {to, &span.To}} {
		if x.text == "" {
			continue
		}
		day, err := time.Parse(time.DateOnly, x.text)
		if err != nil {
			return span, fault.Wrap(fault.Invalid, "audit.chain.bad_day", fmt.Errorf("%q is not a day: write it as 2026-11-30", x.text))
		}
		*x.day = day
	}
	if !span.To.IsZero() && span.To.Before(span.From) {
		return span, fault.Wrap(fault.Invalid, "audit.chain.bad_span", fmt.Errorf("the last day %s is before the first, %s", to, from))
	}
	return span, nil
}

// ExportAudit writes a tenant's chain into a file, with the roots of its days.
// It reads page by page; what is appended meanwhile lies beyond the end.
func (d *DB) ExportAudit(ctx context.Context, tenant uuid.UUID, span AuditSpan, out *auditchain.Writer) error {
	from, to := span.From.UTC().Truncate(day), span.To.UTC().Truncate(day)
	if span.To.IsZero() {
		to = lastDay
	}
	var names Tenant
	var roots []auditchain.Root
	before, end := GetAuditHeadRow{Hash: genesis(tenant)}, GetAuditHeadRow{}
	err := d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *Queries) (err error) {
		if names, err = q.GetTenant(ctx, tx, tenant); err != nil {
			return fmt.Errorf("read tenant: %w", err)
		}
		first, err := q.LastAuditIn(ctx, tx, tenant, time.Time{}, from)
		if err != nil {
			return fmt.Errorf("find begin of span: %w", err)
		}
		if len(first) > 0 {
			before = GetAuditHeadRow(first[0])
		}
		last, err := q.LastAuditIn(ctx, tx, tenant, from, to.Add(day))
		if err != nil {
			return fmt.Errorf("find end of span: %w", err)
		}
		if end = before; len(last) > 0 {
			end = GetAuditHeadRow(last[0])
		}
		roots, err = rootsOf(ctx, tx, q, tenant, from, to)
		return err
	})
	if err != nil {
		return err
	}
	if err := out.Begin(tenant, names.Code, before.Seq, before.Hash); err != nil {
		return err
	}
	if err := d.exportRows(ctx, tenant, before.Seq, end.Seq, roots, out); err != nil {
		return err
	}
	return out.End()
}

// exportRows writes the rows after one number up to another, and each root
// behind the last row that it covers.
func (d *DB) exportRows(ctx context.Context, tenant uuid.UUID, after, upTo int64, roots []auditchain.Root, out *auditchain.Writer) error {
	for {
		for len(roots) > 0 && roots[0].LastSeq <= after {
			if err := out.Root(roots[0]); err != nil {
				return err
			}
			roots = roots[1:]
		}
		if after >= upTo {
			return nil
		}
		page, err := d.auditPage(ctx, tenant, after)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return fmt.Errorf("audit row %d is missing", after+1)
		}
		for _, row := range page {
			if row.Seq > upTo || (len(roots) > 0 && roots[0].LastSeq <= after) {
				break
			}
			if err := out.Row(ChainRow(row)); err != nil {
				return err
			}
			after = row.Seq
		}
	}
}

func (d *DB) auditPage(ctx context.Context, tenant uuid.UUID, after int64) ([]AuditLog, error) {
	var page []AuditLog
	err := d.InTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx, q *Queries) (err error) {
		page, err = q.ListAuditChain(ctx, tx, tenant, after, verifyPage)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read audit rows: %w", err)
	}
	return page, nil
}

// ChangedAuditRow returns the number of the first row that the tenant's chain
// no longer holds under its hash, or 0. hashes are by number.
func ChangedAuditRow(ctx context.Context, tx pgx.Tx, q *Queries, tenant uuid.UUID, hashes map[int64][]byte) (int64, error) {
	seqs := slices.Sorted(maps.Keys(hashes))
	rows, err := q.ListAuditRows(ctx, tx, tenant, seqs)
	if err != nil {
		return 0, fmt.Errorf("read audit rows: %w", err)
	}
	holds := map[int64]bool{}
	for _, r := range rows {
		holds[r.Seq] = bytes.Equal(r.Hash, hashes[r.Seq]) && bytes.Equal(chainHash(r), r.Hash)
	}
	if i := slices.IndexFunc(seqs, func(seq int64) bool { return !holds[seq] }); i >= 0 {
		return seqs[i], nil
	}
	return 0, nil
}
