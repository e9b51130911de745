package web

import (
	"bufio"
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/auditchain"
)

// rootsShown is how many days the page of the log shows.
const rootsShown = 14

// rootRow is the root of one day.
type rootRow struct {
	Day           string
	At            time.Time
	Rows, LastSeq int64
	Root          string
}

// auditRootRows reads the newest roots of a chain.
func auditRootRows(ctx context.Context, tx pgx.Tx, q *db.Queries, tenant uuid.UUID) ([]rootRow, error) {
	rows, err := q.RecentAuditRoots(ctx, tx, tenant, rootsShown)
	if err != nil {
		return nil, err
	}
	out := make([]rootRow, len(rows))
	for i, x := range rows {
		out[i] = rootRow{Day: x.Day.Format(time.DateOnly), At: x.Day, Rows: x.Rows, LastSeq: x.LastSeq, Root: hex.EncodeToString(x.Root)}
	}
	return out, nil
}

// exportChain streams the chain as a signed file, whole or for a span of days
// in UTC. That it was exported is recorded first, so the file holds it.
func (s *Server) exportChain(w http.ResponseWriter, r *http.Request) error {
	tenant, q := access.From(r.Context()).TenantID, r.URL.Query()
	span, err := db.ParseAuditSpan(q.Get("from"), q.Get("to"))
	if err != nil {
		return err
	}
	key, err := s.sealKey()
	if err != nil {
		return err
	}
	err = s.auditTenant(r, tenant, db.Entry{Action: "audit.chain_exported", ObjectType: "audit", ObjectID: tenant.String(), After: map[string]any{"from": q.Get("from"), "to": q.Get("to")}})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/jsonl; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="audit-chain-`+time.Now().UTC().Format(time.DateOnly)+`.jsonl"`)
	h.Set("Cache-Control", "no-store")
	out := &startedWriter{ResponseWriter: w}
	buffer := bufio.NewWriterSize(out, 64<<10)
	err = s.DB.ExportAudit(r.Context(), tenant, span, auditchain.NewWriter(buffer, key, time.Now()))
	if err == nil {
		err = buffer.Flush()
	}
	if err != nil && out.started {
		// The answer has begun: breaking it off leaves a file without a footer,
		// which no verifier takes for whole.
		s.Log.ErrorContext(r.Context(), "export of an audit chain broken off", "error", err, "tenant", tenant)
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		h.Del("Content-Disposition")
	}
	return err
}

// startedWriter remembers whether an answer has begun, and has as long as it
// takes: each write may wait a minute for the reader.
type startedWriter struct {
	http.ResponseWriter
	started bool
}

func (w *startedWriter) Write(b []byte) (int, error) {
	w.started = true
	// Servers of tests know no deadlines; there the write has none.
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(time.Minute))
	return w.ResponseWriter.Write(b)
}
