package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/auditchain"
	"github.com/optria-iq/optria/internal/dossier"
)

// compares reports whether a reader's own records may be set beside a file:
// they are signed in to the organisation that the file names.
func compares(r *http.Request, tenant string) bool {
	who := access.From(r.Context())
	return who.Can(access.ViewResults) && who.TenantID.String() == tenant
}

// compareDossier sets a dossier beside the records of the reader's own
// organisation. Somebody else learns nothing beyond the file.
func (s *Server) compareDossier(r *http.Request, p Page, file []byte, subject dossier.Subject) ([]verifyLive, error) {
	if !compares(r, subject.Tenant) {
		return nil, nil
	}
	var out []verifyLive
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) error {
		sum := sha256.Sum256(file)
		known, err := q.FindDossier(ctx, tx, tenant, sum[:])
		if err != nil {
			return fmt.Errorf("find dossier: %w", err)
		}
		if len(known) > 0 {
			out = append(out, verifyLive{true, p.T("verify.live.known", "At", p.Loc().Minute(known[0].CreatedAt))})
		} else {
			out = append(out, verifyLive{false, p.T("verify.live.unknown")})
		}
		chain, err := compareLinks(ctx, tx, q, p, tenant, subject.Audit)
		if err != nil {
			return err
		}
		roots, err := compareRoots(ctx, tx, q, p, tenant, subject.Roots)
		out = append(out, chain, roots)
		return err
	})
	return out, err
}

func compareLinks(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant uuid.UUID, links []dossier.Link) (verifyLive, error) {
	hashes := make(map[int64][]byte, len(links))
	for _, l := range links {
		hash, err := hex.DecodeString(l.Hash)
		if err != nil {
			return verifyLive{}, fmt.Errorf("hash of event %d: %w", l.Seq, err)
		}
		hashes[l.Seq] = hash
	}
	changed, err := db.ChangedAuditRow(ctx, tx, q, tenant, hashes)
	if err != nil {
		return verifyLive{}, err
	}
	if changed > 0 {
		return verifyLive{false, p.T("verify.live.chain.broken", "Seq", changed)}, nil
	}
	return verifyLive{true, p.T("verify.live.chain")}, nil
}

// compareRoots reads the span of days of the roots, which are in order, at
// once.
func compareRoots(ctx context.Context, tx pgx.Tx, q *db.Queries, p Page, tenant uuid.UUID, roots []dossier.Root) (verifyLive, error) {
	if len(roots) == 0 {
		return verifyLive{true, p.T("verify.live.roots")}, nil
	}
	from, err := time.Parse(time.DateOnly, roots[0].Day)
	if err != nil {
		return verifyLive{}, fmt.Errorf("day of root: %w", err)
	}
	to, err := time.Parse(time.DateOnly, roots[len(roots)-1].Day)
	if err != nil {
		return verifyLive{}, fmt.Errorf("day of root: %w", err)
	}
	stored, err := q.ListAuditRoots(ctx, tx, tenant, from, to)
	if err != nil {
		return verifyLive{}, fmt.Errorf("read roots: %w", err)
	}
	kept := make(map[string]string, len(stored))
	for _, x := range stored {
		kept[x.Day.Format(time.DateOnly)] = hex.EncodeToString(x.Root)
	}
	for _, x := range roots {
		if kept[x.Day] != x.Root {
			return verifyLive{false, p.T("verify.live.roots.broken", "Day", x.Day)}, nil
		}
	}
	return verifyLive{true, p.T("verify.live.roots")}, nil
}

// compareExport sets the last event of an export beside the live chain: with
// it every event before is the same, because each carries the hash of the one
// before.
func (s *Server) compareExport(r *http.Request, p Page, report auditchain.Report) ([]verifyLive, error) {
	if !compares(r, report.Tenant.String()) || !access.From(r.Context()).Can(access.ViewAudit) || report.Last.Seq == 0 {
		return nil, nil
	}
	var out verifyLive
	err := s.inTenant(r, func(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) (err error) {
		out, err = compareLinks(ctx, tx, q, p, tenant, []dossier.Link{{Seq: report.Last.Seq, Hash: hex.EncodeToString(report.Last.Hash)}})
		return err
	})
	return []verifyLive{out}, err
}
